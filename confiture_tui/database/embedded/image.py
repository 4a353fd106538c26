"""A server's data directory as one file: written while the server runs, unpacked to start another from.

The copy is a base backup by PostgreSQL's own rules (documentation, "Making a Base Backup Using the Low Level API"): the
files as they are, the WAL that was written meanwhile, and the label that tells recovery where to begin. One file,
because a schema of a thousand tables is seven thousand files, most of them empty.

Format: a line that says what it is; length and checksum of the index and checksum of the contents; the index as JSON
(a description of the caller's, the directories, and path and size of each file); the contents, one after the other.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    from confiture_tui.database.embedded.server import EmbeddedServer

_MAGIC: Final = b"confiture-tui image 1\n"
_HEAD: Final = struct.Struct(">III")
"""Length of the index, its CRC, the CRC of the contents."""

_EMPTIED: Final = frozenset(
    {"pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans", "pg_wal"}
)
"""Directories whose contents belong to the running server alone (same page of the documentation); WAL comes last."""
_LEFT_OUT: Final = frozenset({"postmaster.pid", "postmaster.opts", "backup_label", "tablespace_map"})


class DamagedImageError(Exception):
    """The file is not an image, or not a whole one."""


def write_image(server: EmbeddedServer, file: IO[bytes], description: Mapping[str, Any]) -> None:
    """Write the data directory of a running server to a file.

    Raises:
        psycopg.Error: the server refuses, or went away.
        OSError: the disk is full, for instance.
    """
    entries: list[tuple[str, int]] = []
    folders: list[str] = []
    data = server.data_directory
    # Contents are read before the index can be written: sizes may change until then.
    contents = bytearray()
    with connect(server.dsn(), application_name="confiture-tui image") as conn:
        new = server.version_num >= 150000
        begin = "pg_backup_start('image', fast => true)" if new else "pg_start_backup('image', true, false)"
        end = "pg_backup_stop(wait_for_archive => false)" if new else "pg_stop_backup(false, false)"
        row = conn.execute(f"SELECT pg_catalog.pg_walfile_name(pg_catalog.{begin})".encode()).fetchone()
        assert row is not None  # a SELECT without FROM gives one row
        first: str = row[0]
        for path in _files(data, folders):
            _add(data, path, entries, contents)
        row = conn.execute(
            f"SELECT pg_catalog.pg_walfile_name(lsn), labelfile FROM pg_catalog.{end}".encode()
        ).fetchone()
        assert row is not None
        last, label = row[0], str(row[1]).encode()
        for segment in sorted((data / "pg_wal").iterdir()):
            # The rest of the name tells timeline and number; what is not a segment has a longer or shorter name.
            if len(segment.name) == len(first) and first <= segment.name <= last:
                _add(data, segment, entries, contents)
    entries.append(("backup_label", len(label)))
    contents += label
    index = json.dumps({"description": dict(description), "folders": folders, "files": entries}).encode()
    file.write(_MAGIC)
    file.write(_HEAD.pack(len(index), zlib.crc32(index), zlib.crc32(contents)))
    file.write(index)
    file.write(contents)


def read_description(file: IO[bytes]) -> dict[str, Any]:
    """What the image says of itself.

    Raises:
        DamagedImageError: it is no image, or not a whole one.
    """
    return dict(_index(file)[0]["description"])


def unpack_image(file: IO[bytes], data: Path) -> None:
    """Make a data directory, which is there and empty, of an image.

    Raises:
        DamagedImageError: it is no image, or not a whole one.
        OSError: the disk is full, for instance.
    """
    index, checksum = _index(file)
    files = index["files"]
    contents = memoryview(file.read())
    if zlib.crc32(contents) != checksum or sum(size for _path, size in files) != len(contents):
        raise DamagedImageError("its contents are not what was written")
    for folder in index["folders"]:
        (data / folder).mkdir(mode=0o700)
    root, offset = str(data), 0
    for path, size in files:
        # Thousands of files: pathlib would take as long as the copying.
        handle = os.open(f"{root}/{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            end = offset + size
            while offset < end:
                offset += os.write(handle, contents[offset:end])
        finally:
            os.close(handle)


def _index(file: IO[bytes]) -> tuple[dict[str, Any], int]:
    head = file.read(len(_MAGIC) + _HEAD.size)
    if len(head) < len(_MAGIC) + _HEAD.size or not head.startswith(_MAGIC):
        raise DamagedImageError("it does not begin as an image does")
    length, checksum, of_contents = _HEAD.unpack(head[len(_MAGIC) :])
    index = file.read(length)
    if len(index) != length or zlib.crc32(index) != checksum:
        raise DamagedImageError("its index is not what was written")
    read: dict[str, Any] = json.loads(index)
    return read, of_contents


def _files(data: Path, folders: list[str]) -> Iterator[Path]:
    """What a backup holds, ``pg_control`` last: the state that recovery begins from must not be older than a file.

    The directories are added to ``folders``, each after its parent.
    """
    control = data / "global" / "pg_control"
    for folder, names, files in os.walk(data):
        here = Path(folder)
        names[:] = [name for name in names if not name.startswith("pgsql_tmp")]
        folders += [(here / name).relative_to(data).as_posix() for name in names]
        if here == data:
            names[:] = [name for name in names if name not in _EMPTIED]
            files = [name for name in files if name not in _LEFT_OUT]
        yield from (here / name for name in files if here / name != control)
    yield control


def _add(data: Path, path: Path, entries: list[tuple[str, int]], contents: bytearray) -> None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return  # Dropped by somebody since it was listed: recovery knows.
    entries.append((path.relative_to(data).as_posix(), len(content)))
    contents += content
