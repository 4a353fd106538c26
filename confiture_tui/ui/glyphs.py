"""The signs that stand beside words: one table for terminals that can draw them, one for those that cannot.

Each sign of the first table is one cell wide and in the common monospaced fonts; no emoji.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from confiture_tui.terminal import draws_unicode


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One sign for each thing that is also said in a word.

    ``fancy`` is false for the plain table: whoever draws rules and bars asks it.
    """

    fancy: bool
    ok: str
    fails: str
    rewrites: str
    blocks: str
    unclear: str
    pending: str
    applied: str
    interrupted: str
    changed: str
    missing: str
    running: str
    queued: str
    not_run: str
    debug: str
    info: str
    warning: str
    error: str
    cursor: str
    rule: str
    separator: str
    ellipsis: str
    added: str
    removed: str
    altered: str
    arrow: str
    down: str
    branch: str
    last_branch: str
    trunk: str


UNICODE = Glyphs(
    fancy=True,
    ok="✓",
    fails="✗",
    rewrites="◆",
    blocks="■",
    unclear="?",
    pending="○",
    applied="●",
    interrupted="◐",
    changed="≠",
    missing="∅",
    running="▸",
    queued="·",
    not_run="–",
    debug="·",
    info="•",
    warning="▲",
    error="✗",
    cursor="▌",
    rule="─",
    separator="·",
    ellipsis="…",
    added="+",
    removed="-",
    altered="~",
    arrow="→",
    down="↓",
    branch="├",
    last_branch="└",
    trunk="│",
)

ASCII = Glyphs(
    fancy=False,
    ok="+",
    fails="x",
    rewrites="*",
    blocks="#",
    unclear="?",
    pending="o",
    applied="=",
    interrupted="/",
    changed="!",
    missing="-",
    running=">",
    queued=".",
    not_run="-",
    debug=".",
    info="-",
    warning="!",
    error="x",
    cursor=">",
    rule="-",
    separator="|",
    ellipsis="~",
    added="+",
    removed="-",
    altered="~",
    arrow="->",
    down="v",
    branch="|-",
    last_branch="`-",
    trunk="|",
)


def glyphs_for(environ: Mapping[str, str], *, encoding: str | None = None, ascii: bool | None = None) -> Glyphs:
    """The table that this terminal can show.

    The plain table is taken when ``TERM`` is ``dumb``, or when the locale's encoding is not UTF-8.

    Args:
        environ: the environment.
        encoding: the locale's encoding; read from the locale when not given.
        ascii: what the settings say: the plain table or the other one, whatever the terminal is.
    """
    if ascii is not None:
        return ASCII if ascii else UNICODE
    return UNICODE if draws_unicode(environ, encoding=encoding) else ASCII
