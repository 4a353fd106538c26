"""What the shell offers when the tab key is pressed: asked anew each time, so quick, and silent whatever is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE: Final = "_CONFITURE_TUI_COMPLETE"
"""Set by the shell's function while it asks; Typer makes its name from that of the program."""
_UP: Final = ".up.sql"


def versions(incomplete: str) -> list[tuple[str, str]]:
    """The migrations of the project in the current directory: version, and name as its description."""
    found = []
    for path in _listed(migrations=True):
        version, _, name = path.name.removesuffix(_UP).partition("_")
        if path.name.endswith(_UP) and version.startswith(incomplete):
            found.append((version, name))
    return sorted(found)


def environments(incomplete: str) -> list[str]:
    """The environments of the project in the current directory."""
    return sorted(
        path.stem for path in _listed(migrations=False) if path.suffix == ".yaml" and path.stem.startswith(incomplete)
    )


def runners(incomplete: str) -> list[str]:
    """The runner profiles."""
    from confiture_tui.core.migrations.profiles import PROFILES

    return [name for name in PROFILES if name.startswith(incomplete)]


def layouts(incomplete: str) -> list[str]:
    """The tools whose migrations are known."""
    from confiture_tui.core.migrations.layouts import LAYOUTS

    return [name for name in LAYOUTS if name.startswith(incomplete)]


def log_levels(incomplete: str) -> list[str]:
    """The levels of the log."""
    from confiture_tui.events import Level

    return [level.word for level in Level if level.word.startswith(incomplete)]


def formats(incomplete: str) -> list[str]:
    """The formats in which results are printed."""
    from confiture_tui.config import OutputFormat

    return [str(one) for one in OutputFormat if one.startswith(incomplete)]


def _listed(*, migrations: bool) -> list[Path]:
    """What is in the directory of the migrations, or of the environments; nothing where there is no such directory."""
    from confiture_tui.config import ENVIRONMENTS, Settings

    try:
        settings = Settings.load(needs_database=False)
        directory = settings.migrations_dir if migrations else settings.project_dir / ENVIRONMENTS
        return list(directory.iterdir())
    except (ConfitureError, OSError):
        # A shell that completes a word has no place for a message: the command itself will say what is wrong.
        return []
