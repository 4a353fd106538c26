"""What a path that somebody names makes of the settings: a project, a directory of migrations, one file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from confiture_tui.config import MIGRATIONS, Settings
from confiture_tui.errors import UsageError


def project_of(path: Path) -> Path | None:
    """The project that a directory is, or that a file lies in, where it is laid out as usual."""
    directory = path.parent if path.is_file() else path
    if path.is_file() and directory.parts[-len(MIGRATIONS.parts) :] == MIGRATIONS.parts:
        directory = directory.parents[len(MIGRATIONS.parts) - 1]
    return directory if (directory / MIGRATIONS).is_dir() else None


def with_files(settings: Settings, path: Path) -> Settings:
    """The settings, for a directory of migrations or for a file in place of what they say of these.

    Raises:
        UsageError: the path is neither.
    """
    if not path.exists():
        raise UsageError(f"There is no {path}.", hint="Check the path.")
    if not path.is_dir() and not (path.is_file() and path.suffix.lower() == ".sql"):
        raise UsageError(f"{path.name} is no SQL file.", hint="Open a directory of migrations, or an SQL file.")
    directory, file = (path, None) if path.is_dir() else (path.parent, path)
    if directory == settings.migrations_dir:
        return replace(settings, file=file)
    origins = settings.origins | {"migrations_dir": "--migrations-dir"}
    return replace(settings, file=file, migrations_dir=directory, origins=origins)
