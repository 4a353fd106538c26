"""A disk of the server's with little room, a real one: a small file system in memory, as a tablespace."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.database.embedded import EmbeddedServer

TABLESPACE = "small"


@contextmanager
def small_disk(server: EmbeddedServer, megabytes: int) -> Iterator[None]:
    """The tablespace ``small`` on a disk of some megabytes; what was made there must be gone at the end of the block.

    Nothing but a mount gives a server ENOSPC: a limit on the size of its files is another error (EFBIG), and a quota
    is the administrator's. So this skips where one may not mount.
    """
    place = server.directory / "small_disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        place.rmdir()
        pytest.skip(f"a small disk needs the right to mount one: {mounted.stderr.strip()}")
    owner = (server.directory / "data").stat()
    shutil.chown(place, owner.st_uid, owner.st_gid)
    try:
        with psycopg.connect(server.dsn().conninfo(), autocommit=True) as admin:
            admin.execute(f"CREATE TABLESPACE {TABLESPACE} LOCATION '{place}'".encode())
            yield
            admin.execute(f"DROP TABLESPACE {TABLESPACE}".encode())
    finally:
        subprocess.run(["umount", place], check=True)
        place.rmdir()
