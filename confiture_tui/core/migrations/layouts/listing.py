"""A directory as the layouts look at it to see whose it is: cheap, and without reading what need not be read."""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path

from confiture_tui.core.migrations.files import is_file
from confiture_tui.core.migrations.layouts.base import list_files

_LOOKED_INTO = 12
"""How many files are opened to see what directives they hold: every file of a tool has them."""
_BEGINNING = 4096
"""How many bytes of each are read: directives stand at the top."""
_LEVELS_UP = 5


class Listing:
    """A directory, its entries sorted by name as text, and what is above it.

    Raises:
        UsageError: there is no such directory, or it cannot be listed.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.entries = list_files(directory)
        self._in_order = [path.name for path in self.entries]
        self.names = frozenset(self._in_order)

    def named(self, pattern: re.Pattern[str]) -> Path | None:
        """The first entry whose whole name matches."""
        found = next((at for at, name in enumerate(self._in_order) if pattern.fullmatch(name)), None)
        return self.entries[found] if found is not None else None

    def holding(self, *names: str) -> Path | None:
        """The first directory in it that holds a file of one of these names, as ``directory/name``."""
        return next(
            (path / name for path in self.directories for name in names if is_file(path / name)),
            None,
        )

    @cached_property
    def directories(self) -> list[Path]:
        """The directories in it."""
        found = _directories_in(self.directory)
        return [path for path, name in zip(self.entries, self._in_order, strict=True) if name in found]

    def containing(self, pattern: re.Pattern[str]) -> Path | None:
        """The first SQL file with something that matches near its beginning, of the first and last few."""
        return next((path for path, text in self._beginnings if pattern.search(text)), None)

    @cached_property
    def _beginnings(self) -> list[tuple[Path, str]]:
        files = [path for path in self.entries if path.name.lower().endswith(".sql")]
        if len(files) > _LOOKED_INTO:
            files = [*files[: _LOOKED_INTO // 2], *files[-_LOOKED_INTO // 2 :]]
        return [(path, text) for path in files if (text := _beginning(path))]

    def above(self, *names: str) -> Path | None:
        """The nearest file of one of these names in a directory above, within the same checkout."""
        directory = self.directory.absolute()
        for _level in range(_LEVELS_UP):
            for name in names:
                if is_file(directory / name):
                    return directory / name
            if (directory / ".git").exists() or directory == directory.parent:
                return None
            directory = directory.parent
        return None

    def lies_in(self, *parts: str) -> bool:
        """Whether its path ends in these names."""
        return self.directory.absolute().parts[-len(parts) :] == parts


def _directories_in(directory: Path) -> frozenset[str]:
    """The names of the directories in one, and of the links that lead to some: of most entries the listing tells."""
    try:
        with os.scandir(directory) as entries:
            return frozenset(one.name for one in entries if _is_directory(one))
    except OSError:
        # It could be listed a moment ago. Whoever reads it says what is wrong.
        return frozenset()


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _beginning(path: Path) -> str:
    """The beginning of a regular file; nothing where it cannot be read, which who reads it whole reports."""
    try:
        if not is_file(path):
            return ""
        with path.open("rb") as file:
            return file.read(_BEGINNING).decode(errors="replace")
    except OSError:
        return ""
