"""Whether a directory's files are still those that were read: by their times and sizes, without reading them."""

from __future__ import annotations

import os
import stat
import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_Entry = tuple[str, int, int, int, int, int]
Stamp = tuple[_Entry, ...]
"""Of each entry: path, device, number, size, when it was written, when anything of it was changed (in nanoseconds)."""

_SETTLED_NS: Final = 2_000_000_000
"""How long ago the last change must be. Within the grain of a file system's clock, two changes have the same time."""
_MOST: Final = 10_000
"""Entries that are looked at: in more there is not only migrations, and reading those is quicker."""
_DEEPEST: Final = 8
_PATIENCE_S: Final = 0.2
"""How long it may look: on a slow file server, where the directory is a whole project's, reading is quicker."""


def stamp_of(directory: Path, *, now: int | None = None) -> Stamp | None:
    """The stamp of everything in a directory; two that are equal were taken of the same contents.

    ``now`` is the time, in nanoseconds since 1970; the clock's when left out.

    ``None`` where that cannot be told: something is too new or cannot be looked at, there is too much of it, or it
    takes too long. Also on Windows, which does not tell when anything of a file was changed, only when it was written,
    as anybody may set it.
    """
    if sys.platform == "win32":
        return None
    found: list[_Entry] = []
    now = time.time_ns() if now is None else now
    end = time.monotonic() + _PATIENCE_S
    todo = [(os.fspath(directory), 0)]
    try:
        while todo:
            place, depth = todo.pop()
            found.append(_entry(place, os.stat(place)))  # noqa: PTH116 - of thousands, a Path for each takes longer
            with os.scandir(place) as entries:
                for entry in entries:
                    # What a link leads to is what is read.
                    seen = entry.stat()
                    if stat.S_ISDIR(seen.st_mode):
                        todo.append((entry.path, depth + 1))
                    found.append(_entry(entry.path, seen))
            if len(found) > _MOST or depth > _DEEPEST or time.monotonic() > end:
                return None
    except OSError:
        # Whoever reads it says what is wrong.
        return None
    if any(now - max(written, changed) < _SETTLED_NS for *_rest, written, changed in found):
        return None
    return tuple(sorted(found))


def _entry(path: str, seen: os.stat_result) -> _Entry:
    return (path, seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
