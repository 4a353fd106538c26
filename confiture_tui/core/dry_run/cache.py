"""Shadows that are kept from one process to the next, each as an image of the server that holds it.

A shadow is found again by everything that decides what it is: the target's definitions, roles and extensions, the
version of its server, the programs that the shadow is made with, and this program's own version. Another of any of
these is another shadow.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from confiture_tui.core.dry_run.restore import Source
from confiture_tui.core.dry_run.stamps import forget_stamps
from confiture_tui.database.embedded.image import DamagedImageError, read_description, unpack_image, write_image
from confiture_tui.events import Event, EventName, Level, Sink, discard
from confiture_tui.whole_file import whole_file

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.shadow import Shadow
    from confiture_tui.core.dry_run.stamps import Definitions
    from confiture_tui.database.embedded import Binaries, EmbeddedServer

EXPIRES_S: Final = 7 * 24 * 3600.0
"""Seconds after its last use for which a shadow is kept: it holds the schema, which may be a secret."""
MOST: Final = 8
"""How many are kept; those that were used longest ago go first."""
_SUFFIX: Final = ".shadow"
_UNFINISHED: Final = ".unfinished-"
_UNFINISHED_S: Final = 3600.0
"""Seconds after which a file that somebody began to write has been given up."""
_FORMAT: Final = 1

_ALONE: Final = """
SELECT count(*) = 1 FROM pg_catalog.pg_database WHERE datname LIKE 'confiture\\_%' ESCAPE '\\'
"""


class KeptEntry:
    """A shadow that is kept, opened: what is read is one whole file, whatever others do to the directory."""

    def __init__(self, path: Path, file: IO[bytes], description: dict[str, Any]) -> None:
        self.path = path
        self.description = description
        self._file = file

    def fill(self, data: Path) -> None:
        """Put the server's files into an empty data directory.

        Raises:
            DamagedImageError: the file is not whole.
            OSError: the disk is full, for instance.
        """
        self._file.seek(0)
        unpack_image(self._file, data)

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Listed:
    """A shadow that is kept, as ``cache list`` tells of it.

    Attributes:
        database: the name of the database that it is the shadow of; empty when the file cannot be read.
        server_version: of the shadow's server.
        bytes: the size of its file.
        used_at: when it was used last.
        path: the file.
    """

    database: str
    server_version: str
    bytes: int
    used_at: datetime
    path: Path


class ShadowCache:
    """The shadows kept in one directory, which only its owner can read.

    Args:
        directory: where; the user's cache directory when left out.
        sink: where it is told what was found, kept or thrown away.
    """

    def __init__(self, directory: Path | None = None, *, sink: Sink = discard) -> None:
        self.directory = directory if directory is not None else default_directory()
        self._sink = sink

    def find(self, key: str) -> KeptEntry | None:
        """The shadow with this key, if it is kept and whole as far as can be seen; close it after use."""
        self.expire()
        path = self._path(key)
        try:
            file = path.open("rb")
        except OSError:
            return None
        try:
            description = read_description(file)
            os.utime(path)
        except (DamagedImageError, OSError) as error:
            file.close()
            self.discard(path, str(error))
            return None
        return KeptEntry(path, file, description)

    def keep(self, key: str, server: EmbeddedServer, shadow: Shadow, *, database: str) -> bool:
        """Keep a shadow that has just been made; whether it is kept. That it is not is told, and harms nobody.

        It is written whole or not at all: who finds it, also while another process writes it, finds all of it.
        """
        import psycopg

        from confiture_tui.database.connection import connect

        try:
            with connect(server.dsn()) as conn:
                row = conn.execute(_ALONE).fetchone()
            if row is None or not row[0]:
                return False  # The image would hold what others are working on.
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.directory.chmod(0o700)
            with whole_file(self._path(key), prefix=_UNFINISHED) as beside, beside.open("wb") as file:
                about = {"database": database, "server_version": server.version}
                write_image(server, file, shadow.description() | about)
        except (OSError, psycopg.Error) as error:
            self._say(f"The shadow cannot be kept for the next time: {error}", Level.WARNING)
            return False
        self._say(f"The shadow is kept for the next time, in {self.directory}.", Level.DEBUG)
        self.expire()
        return True

    def discard(self, path: Path, why: str) -> None:
        """Throw a file away that is of no use."""
        with suppress(OSError):
            path.unlink(missing_ok=True)
        self._say(f"The shadow that was kept cannot be used ({why}), so it is made anew.", Level.WARNING)

    def listed(self) -> tuple[Listed, ...]:
        """What is kept, that which was used last first."""
        self.expire()
        return tuple(found for path in reversed(self._files()) if (found := _listed(path)) is not None)

    def clear(self) -> int:
        """Throw everything away; how many shadows that were."""
        files = self._files()
        for path in (*files, *self._unfinished()):
            path.unlink(missing_ok=True)
        forget_stamps(self.directory)
        return len(files)

    def expire(self) -> None:
        """Throw away what nobody has used for long, what is too much, and what was given up half-written."""
        files, now = self._files(), time.time()
        old = [path for path in files if now - _used(path) > EXPIRES_S]
        abandoned = [path for path in self._unfinished() if now - _used(path) > _UNFINISHED_S]
        for path in {*old, *files[: max(0, len(files) - MOST)], *abandoned}:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}{_SUFFIX}"

    def _files(self) -> list[Path]:
        """The kept ones, that which was used longest ago first."""
        return sorted(self.directory.glob(f"*{_SUFFIX}"), key=_used)

    def _unfinished(self) -> list[Path]:
        return list(self.directory.glob(f"{_UNFINISHED}*"))

    def _say(self, message: str, level: Level) -> None:
        self._sink(Event(name=EventName.SHADOW_CACHE, message=message, level=level))


def default_directory() -> Path:
    """Where shadows are kept."""
    from platformdirs import user_cache_path

    return user_cache_path("confiture-tui", appauthor=False) / "shadows"


def shadow_key(conn: psycopg.Connection[Any], definitions: Definitions, binaries: Binaries) -> str | None:
    """What tells a shadow of this database, made with these programs, from any other.

    ``None`` when there is something in the database that could not be read: it may change unseen.
    """
    if not definitions.whole:
        return None
    decides = {
        "format": _FORMAT,
        "tool": metadata.version("confiture-tui"),
        "definitions": definitions.fingerprint,
        "target": conn.info.server_version,
        "source": asdict(Source.read(conn)),
        "programs": binaries.stamp(),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0  # Another process has thrown it away.


def _listed(path: Path) -> Listed | None:
    try:
        about = path.stat()
        with path.open("rb") as file:
            description = read_description(file)
    except FileNotFoundError:
        return None
    except (DamagedImageError, OSError):
        description = {}
    return Listed(
        database=str(description.get("database", "")),
        server_version=str(description.get("server_version", "")),
        bytes=about.st_size,
        used_at=datetime.fromtimestamp(about.st_mtime, UTC),
        path=path,
    )
