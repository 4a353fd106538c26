"""The private directory of one embedded server, and the removal of those that a killed process left behind.

Each directory holds a file that its owner keeps locked (``flock``) for as long as it lives; the kernel gives the lock
back when the process ends, however it ends. So a directory whose lock can be had has no owner any more, also where
process ids mean nothing (another container that shares the directory) or were given out again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX: Final = "confiture-tui-"
"""What the directories' names begin with; nothing else is ever swept."""

MEMORY: Final = Path("/dev/shm")
MEMORY_NEEDED: Final = 300 * 1024 * 1024
"""Bytes that must be free in memory: a new cluster takes 40 MB, the demo and its clones the rest."""

_LOCK: Final = "owner.lock"
_YOUNG_S: Final = 60.0
"""Seconds for which a directory without a lock file is left alone: its owner may be about to make one."""
_ORPHAN_S: Final = 5.0
"""Seconds that a server whose owner is gone gets to stop."""


class Workspace:
    """A directory of our own, mode 0700, that nobody sweeps while this process lives."""

    _alive: Final[set[Workspace]] = set()

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self._guard = threading.Lock()
        self._alive.add(self)

    @classmethod
    def create(cls, base: Path) -> Workspace:
        """Make one under ``base``.

        Raises:
            OSError: the directory cannot be made.
        """
        import fcntl

        while True:
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            # A sweep may have come between the file and its lock; then the lock is one on a file that is gone.
            with contextlib.suppress(FileNotFoundError):
                if (path / _LOCK).stat().st_ino == os.fstat(lock).st_ino:
                    return cls(path, lock)
            os.close(lock)

    def remove(self) -> None:
        """Remove the directory with everything in it, and give the lock back. Idempotent."""
        with self._guard:
            if self not in self._alive:
                return
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._alive.discard(self)

    def give_to(self, uid: int, gid: int) -> None:
        """Make another user the owner of the directory and of what is in it, except the lock."""
        for path in (self.path, *(one for one in self.path.rglob("*") if one.name != _LOCK)):
            os.chown(path, uid, gid, follow_symlinks=False)

    @classmethod
    def remove_all(cls) -> None:
        """Remove every directory that this process still has."""
        for workspace in tuple(cls._alive):
            workspace.remove()

    @classmethod
    def forget_all(cls) -> None:
        """For a forked child: the directories are its parent's."""
        for workspace in cls._alive:
            # The child's copy of the descriptor would keep the lock when the parent is gone.
            os.close(workspace._lock)
        cls._alive.clear()


def data_base() -> Path:
    """Where a server's data go: in memory if there is room, for writing a thousand files is most of a start."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED:
        return MEMORY
    return Path(tempfile.gettempdir())


def sweep(bases: tuple[Path, ...] | None = None) -> list[Path]:
    """Remove what killed processes left behind, and stop a server that outlived its owner.

    A directory is touched only if its name is ours, the present user made it, and the lock of its owner is free.

    Returns:
        the directories that were removed.
    """
    bases = (MEMORY, Path(tempfile.gettempdir()), Path("/tmp")) if bases is None else bases
    found = {path for base in bases if base.is_dir() for path in base.glob(f"{PREFIX}*")}
    return [path for path in sorted(found) if _sweep_one(path)]


def _sweep_one(path: Path) -> bool:
    """Remove one directory if it is stale; whether it was removed."""
    import fcntl

    try:
        about = path.lstat()
        if not stat.S_ISDIR(about.st_mode):
            return False
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        # No lock file: made a moment ago, or its removal was interrupted.
        if not path.exists() or about.st_uid != os.geteuid() or time.time() - about.st_mtime < _YOUNG_S:
            return False
        shutil.rmtree(path, ignore_errors=True)
        return not path.exists()
    except OSError:
        # Somebody else's: not ours to look into.
        return False
    try:
        if os.fstat(lock).st_uid != os.geteuid():
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _stop_orphan(path / "data"):
            shutil.rmtree(path, ignore_errors=True)
    except BlockingIOError:
        return False  # its owner lives
    finally:
        os.close(lock)
    return not path.exists()


def _stop_orphan(data: Path) -> bool:
    """Stop the server that still runs on a data directory without an owner; whether none runs any more."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return True
    if _is_server_of(pid, data):
        os.kill(pid, signal.SIGQUIT)
        deadline = time.monotonic() + _ORPHAN_S
        while _is_server_of(pid, data):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
    _remove_shared_memory(lines)
    return True


def _is_server_of(pid: int, data: Path) -> bool:
    """Whether that process is the server of that directory, and not another that got its number."""
    arguments = Path(f"/proc/{pid}/cmdline")
    try:
        if arguments.parent.parent.joinpath("self").exists():
            return os.fsencode(data) in arguments.read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    import subprocess

    answer = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return str(data) in answer.stdout


def _remove_shared_memory(postmaster_pid: list[str]) -> None:
    """Remove the System V segment of a server that was killed with SIGKILL: only then it stays.

    Its key and id are the seventh line of ``postmaster.pid`` (src/include/utils/pidfile.h, LOCK_FILE_LINE_SHMEM_KEY).
    It goes only if both still belong together and nobody is attached to it. Only Linux can tell.
    """
    if sys.platform != "linux" or len(postmaster_pid) < 7:
        return
    import ctypes

    wanted = [int(word) for word in postmaster_pid[6].split()]
    for key, number, attached in _segments():
        if [key, number] == wanted and attached == 0:
            ctypes.CDLL(None).shmctl(ctypes.c_int(number), ctypes.c_int(0), None)  # 0 is IPC_RMID


def _segments() -> Iterator[tuple[int, int, int]]:
    """Key, id and number of attached processes of the System V segments (proc(5), /proc/sysvipc/shm)."""
    listing = Path("/proc/sysvipc/shm")
    if not listing.exists():
        return
    header, *rows = listing.read_text().splitlines()
    columns = {name: index for index, name in enumerate(header.split())}
    for row in rows:
        fields = row.split()
        # The kernel writes the key as a signed number, PostgreSQL as an unsigned one.
        key = int(fields[columns["key"]]) % 2**32
        yield key, int(fields[columns["shmid"]]), int(fields[columns["nattch"]])
