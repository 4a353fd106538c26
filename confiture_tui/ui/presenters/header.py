"""The one line at the top of every screen: where am I?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from textual.content import Content

from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.service.places import ProjectInfo, TargetInfo
    from confiture_tui.ui.glyphs import Glyphs

_STAGING: Final = frozenset({"staging", "stage", "preprod", "pre-production", "uat", "acceptance"})


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the header; the one with the highest ``weight`` is dropped first, 0 never."""

    text: str
    style: str
    weight: int


def environment_style(environment: str, is_production: bool) -> str:
    """The style of an environment's badge."""
    if is_production:
        return style("env-production")
    return style("env-staging") if environment.lower() in _STAGING else style("env-other")


def header(
    project: ProjectInfo | None,
    target: TargetInfo | None,
    *,
    width: int,
    waiting: str,
    glyphs: Glyphs,
    lost: bool = False,
) -> Content:
    """The header in ``width`` cells.

    When it does not fit, the least important is left out first: the product, then role, server version, project,
    database, read-only. The environment stays whatever happens, in capitals, first of all.

    Args:
        project: the project, ``None`` while it is being opened or when there is none.
        target: the database, ``None`` without one.
        waiting: what stands there instead of a project.
        glyphs: the signs that the terminal can show.
        lost: the database that there is cannot be reached.
    """
    parts: list[_Part] = []
    badge = Content("")
    if project is not None:
        badge = _badge(project.environment, project.is_production, max(width // 2, 12), glyphs)
        parts.append(_Part(safe_line(project.name), style("strong"), 4))
    else:
        parts.append(_Part(waiting, style("quiet"), 1))
    if target is not None:
        place = f"{target.database}@{target.host}" if target.host else target.database
        parts.append(_Part(safe_line(place), "", 3))
        parts.append(_Part(f"PostgreSQL {safe_line(target.server_version)}", "", 5))
        parts.append(_Part(f"{safe_line(target.role)}{' (superuser)' if target.is_superuser else ''}", "", 6))
        if target.in_recovery or target.read_only:
            parts.append(_Part("standby, read-only" if target.in_recovery else "read-only", style("quiet"), 2))
    elif project is not None and not lost:
        parts.append(_Part("no database", style("quiet"), 2))
    if lost:
        parts.append(_Part("not reached", style("severity-error"), 2))
    parts.append(_Part("Confiture", style("quiet"), 7))

    room = max(width - badge.cell_length - 1, 0)
    while parts:
        line = _joined(parts, glyphs)
        if line.cell_length <= room or len(parts) == 1:
            break
        parts.remove(max(parts, key=lambda part: part.weight))
    else:
        line = Content("")
    line = line.truncate(room, ellipsis=glyphs.fancy, pad=True)
    return Content.assemble(badge, " ", line) if badge else Content.assemble(" ", line)


def _badge(environment: str, is_production: bool, limit: int, glyphs: Glyphs) -> Content:
    word = safe_line(environment).upper()
    if is_production and "PROD" not in word:
        word = f"PRODUCTION ({word})"
    # Where there may be neither colour nor reverse video, the signs around the word still make it stand out.
    edge = "!" if is_production and not glyphs.fancy else " "
    text = Content(word).truncate(limit, ellipsis=glyphs.fancy).plain
    return Content.styled(f"{edge}{text}{edge}", environment_style(environment, is_production))


def _joined(parts: list[_Part], glyphs: Glyphs) -> Content:
    separator = Content.styled(f" {glyphs.separator} ", style("quiet"))
    return separator.join([Content.styled(part.text, part.style) for part in parts])
