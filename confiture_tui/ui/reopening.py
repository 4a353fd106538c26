"""What the app is to be opened on next, where a user asked for something else than what it was opened on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.secret import Secret
from confiture_tui.service.named_paths import project_of, with_files

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.config import Settings

_STAYS: Final = ("read_only", "log_file", "log_level", "pg_bin")
"""Options about the user's session rather than about one project: given once, they hold for what is opened next."""


@dataclass(frozen=True, slots=True)
class Reopening:
    """Other settings, or the demo."""

    settings: Settings
    demo: bool = False


def on_files(settings: Settings, path: Path, *, without_database: bool = False) -> Reopening:
    """The migrations of a directory, or a file; a project that is laid out as usual is opened as one.

    A session that was begun with ``--read-only`` stays one.

    Args:
        without_database: the one of the settings could not be used; it must not keep these files from being seen.

    Raises:
        UsageError: the file is no SQL file, or that project's settings cannot be used.
    """
    from confiture_tui.config import Settings

    project = project_of(path)
    if project is not None and not path.is_file():
        return Reopening(Settings.load(project=project, **_given(settings)))
    if project is not None and project != settings.project_dir:
        settings = Settings.load(project=project, **_given(settings))
    elif without_database:
        settings = replace(settings, dsn=None, database_url=None)
    return Reopening(with_files(settings, path))


def on_database(settings: Settings, dsn: str) -> Reopening:
    """A database."""
    origins = settings.origins | {"dsn": "the connection that you typed"}
    return Reopening(replace(settings, dsn=Secret(dsn), database_url=None, origins=origins))


def on_demo(settings: Settings) -> Reopening:
    """The demo shop."""
    return Reopening(settings, demo=True)


def _given(settings: Settings) -> dict[str, Any]:
    """What the command line said of the session, as ``Settings.load`` takes it."""
    given = {name: getattr(settings, name) for name in _STAYS if settings.origins.get(name, "").startswith("--")}
    return given | ({"log_level": settings.log_level.word} if "log_level" in given else {})
