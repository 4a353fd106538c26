"""The embedded server: a private PostgreSQL that lives as long as this process, and leaves nothing behind."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from confiture_tui.database.connection import connect
from confiture_tui.database.dsn import Dsn
from confiture_tui.database.embedded.binaries import Binaries, find_binaries
from confiture_tui.database.embedded.cluster import PORT, Cluster, Fill
from confiture_tui.database.embedded.launcher import Child, Launcher
from confiture_tui.database.embedded.workspace import Workspace, data_base, sweep
from confiture_tui.errors import ConfitureError
from confiture_tui.events import Event, EventName, Level, Sink, discard

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    import psycopg
    from psycopg import sql

SUPERUSER: Final = "postgres"

_STOP: Final = ((signal.SIGINT, 0.5), (signal.SIGQUIT, 6.0), (signal.SIGKILL, 5.0))
"""Signals and seconds. SIGINT ends sessions and the server in some ten milliseconds; SIGQUIT does not wait for a
backend that does not listen, and after five seconds the server kills it."""

_NEUTRAL: Final = {
    "hostaddr": "",
    "password": "",
    "options": "",
    "sslmode": "disable",
    "gssencmode": "disable",
    "channel_binding": "disable",
    "target_session_attrs": "any",
}
"""Parameters of a connection to the private socket that libpq's variables must not set."""

_NEUTRAL_IF_SET: Final = {
    "PGREQUIREAUTH": ("require_auth", ""),  # libpq 16
    "PGSSLNEGOTIATION": ("sslnegotiation", "postgres"),  # libpq 17
    "PGMINPROTOCOLVERSION": ("min_protocol_version", "3.0"),  # libpq 18
}
"""Likewise those that only newer versions of libpq know, by the variable that sets them."""

_STAND_INS: Final = """
SELECT name FROM pg_catalog.pg_available_extensions
 GROUP BY name HAVING pg_catalog.bool_and(comment LIKE 'stand-in %')
 ORDER BY name
"""


class EmbeddedServer:
    """A private PostgreSQL server on a Unix socket that only this user reaches.

    It runs as root and as an ordinary user, makes no system user, changes no permission outside its own directory, and
    ends with this process: at ``stop()``, at exit, or by the kernel's hand when the process is killed.

    Attributes:
        binaries: its programs, and ``bin_dir`` their directory.
        source: which programs were taken, in one sentence.
        version_num: ``180006`` for 18.6.
        version: ``18.6``.
        role: ``None``: we are its superuser (a server of the user's own has only one role for us).
        stand_ins: the extensions that only a stand-in of ours provides, because the programs do not bring them.
        pid: the process id of the server.
        directory: its private directory, gone after ``stop()``.
    """

    role: ClassVar[None] = None

    _launcher: ClassVar[Launcher] = Launcher()
    _running: ClassVar[set[EmbeddedServer]] = set()
    _shared: ClassVar[dict[Path, EmbeddedServer]] = {}
    _sharing: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, cluster: Cluster, child: Child, source: str, sink: Sink) -> None:
        """Use ``start`` or ``shared``."""
        self._cluster = cluster
        self._child = child
        self._sink = sink
        self._owner = os.getpid()
        self._stopping = threading.Lock()
        self._stopped = False
        self.binaries = cluster.binaries
        self.bin_dir: Path = cluster.binaries.directory
        self.source = source
        self.version = cluster.binaries.version
        self.version_num = cluster.binaries.version_num
        self.pid: int = child.process.pid
        self.directory: Path = cluster.directory
        self.stand_ins: tuple[str, ...] = ()

    @classmethod
    def start(
        cls,
        *,
        pg_bin: Path | None = None,
        major: int | None = None,
        settings: Mapping[str, str] | None = None,
        fill: Fill | None = None,
        sink: Sink = discard,
    ) -> Self:
        """Start a server of one's own; takes about half a second.

        Args:
            pg_bin: the directory of its programs; None looks for them as ``find_binaries`` says.
            major: the major version that is wanted, where there is a choice.
            settings: server settings that win over ours.
            fill: puts the files of a data directory that was kept into the empty one, in place of ``initdb``; the
                server begins with recovery when they hold a backup label.
            sink: where ``server_starting``, ``server_started`` and ``server_stopped`` go.

        Raises:
            UsageError: ``pg_bin`` cannot be used.
            ConfitureError: there are no programs; ConnectError: the server does not start, with the end of its log.
        """
        if os.name != "posix":
            raise ConfitureError(
                "The embedded server needs Unix sockets and signals, which this system does not have.",
                hint="Use the Windows Subsystem for Linux, or name a running server with --dsn.",
            )
        return cls._start(find_binaries(pg_bin, major=major), settings or {}, sink, fill)

    @classmethod
    def shared(cls, *, pg_bin: Path | None = None, major: int | None = None, sink: Sink = discard) -> EmbeddedServer:
        """This process's one server (one for each directory of programs): started at first use, stopped at exit.

        Any thread may call it; a server that died is replaced. It hears the sink of whoever came first. ``pg_bin`` and
        ``major`` are as for ``start``.

        Raises:
            ConfitureError: as ``start``.
        """
        if os.name != "posix":
            return cls.start(pg_bin=pg_bin, major=major, sink=sink)
        binaries = find_binaries(pg_bin, major=major)
        with cls._sharing:
            server = cls._shared.get(binaries.directory)
            if server is None or not server.is_running:
                if server is not None:
                    server.stop()
                server = cls._shared[binaries.directory] = cls._start(binaries, {}, sink)
            return server

    @property
    def data_directory(self) -> Path:
        """Where its files are."""
        return self._cluster.data

    @property
    def is_running(self) -> bool:
        """Whether the server process is there."""
        return not self._stopped and self._child.process.poll() is None

    def dsn(self, dbname: str = "postgres", user: str = SUPERUSER) -> Dsn:
        """How to log in to one of its databases; no password is needed.

        The string leaves nothing open that ``PGHOSTADDR``, ``PGOPTIONS`` and their like could fill in: with them it
        could lead to another server.
        """
        parameters = {"host": str(self._cluster.socket_directory), "port": str(PORT), "dbname": dbname, "user": user}
        parameters |= _NEUTRAL | {"passfile": str(self.directory / "no_passwords")}
        # An older libpq (that of the programs' own pg_dump) refuses a string with a word that it does not know.
        parameters |= {word: value for variable, (word, value) in _NEUTRAL_IF_SET.items() if variable in os.environ}
        return Dsn.of_parameters(parameters, source="the embedded server")

    def create_database(self, name: str, *, template: str | None = None, owner: str | None = None) -> None:
        """Create a database as a copy of another, or an empty one.

        Args:
            name: the new database.
            template: the database to copy; nobody may be connected to it.
            owner: the role that will own it; the superuser by default.

        Raises:
            ConfitureError: the server refuses: the name is taken, the template is in use, there is no such role.
        """
        from psycopg import sql

        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template or "template0")
        )
        if owner is not None:
            statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
        if self.version_num >= 150000:
            # Copies files instead of writing their pages to WAL: a third of the time of the default from 15 on. Before
            # 15 files are always copied.
            statement += sql.SQL(" STRATEGY file_copy")
        self._administer(f'Database "{name}" cannot be created', statement)

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, and end the sessions in it.

        Raises:
            ConfitureError: the server refuses.
        """
        from psycopg import sql

        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        self._administer(f'Database "{name}" cannot be dropped', statement)

    def create_login(self, role: str) -> None:
        """Create a plain role that may log in and nothing else; one that is there is made so.

        Raises:
            ValueError: the role is the server's superuser, which would be locked out.
            ConfitureError: the server refuses.
        """
        from psycopg import errors, sql

        if role == SUPERUSER:
            raise ValueError("the server's superuser cannot be made a plain role")
        plain = sql.SQL("ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT").format(
            sql.Identifier(role)
        )
        failing = f'Role "{role}" cannot be created'
        try:
            self._administer(failing, sql.SQL("CREATE ") + plain, expected=errors.DuplicateObject)
        except errors.DuplicateObject:
            self._administer(failing, sql.SQL("ALTER ") + plain)

    def drop_login(self, role: str) -> None:
        """Drop a role if it is there; what it owned must be gone.

        Raises:
            ConfitureError: the server refuses.
        """
        from psycopg import sql

        self._administer(
            f'Role "{role}" cannot be dropped', sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role))
        )

    def stop(self) -> None:
        """Stop the server and remove its directory. Idempotent; any thread may call it.

        In a forked child it does nothing: the server is the parent's.
        """
        with self._stopping:
            if self._stopped or self._owner != os.getpid():
                return
            self._stopped = True
            began = time.monotonic()
            died = self._child.process.poll()
            if died is None:
                self._child.stop(_STOP)
            self._cluster.remove()
            self._running.discard(self)
        elapsed = round((time.monotonic() - began) * 1000, 1)
        if died is None:
            message, level = "The embedded server has been stopped.", Level.INFO
        else:
            message, level = f"The embedded server was found dead (exit code {died}).", Level.WARNING
        self._sink(Event(name=EventName.SERVER_STOPPED, message=message, level=level, duration_ms=elapsed))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<EmbeddedServer {self.version}, pid {self.pid}, {self.directory}>"

    @classmethod
    def _start(cls, binaries: Binaries, settings: Mapping[str, str], sink: Sink, fill: Fill | None = None) -> Self:
        """Sweep, make a cluster, run it, and ask it for what only a running server knows."""
        began = time.monotonic()
        sweep()
        message = f"Starting the embedded server: {binaries.source}"
        sink(Event(name=EventName.SERVER_STARTING, message=message, data={"version": binaries.version}))
        cluster = Cluster.make(binaries, cls._launcher, data_base(), fill)
        try:
            child = cluster.run(cls._launcher, settings)
        except BaseException:
            cluster.remove()
            raise
        server = cls(cluster, child, binaries.source, sink)
        cls._running.add(server)
        try:
            with server._superuser() as conn:
                server.stand_ins = tuple(name for (name,) in conn.execute(_STAND_INS))
        except BaseException:
            server.stop()
            raise
        message = f"The embedded server runs: PostgreSQL {server.version}."
        if server.stand_ins:
            message += f" Extensions that only a stand-in of ours provides: {', '.join(server.stand_ins)}."
        data = {"version": server.version, "pid": server.pid, "stand_ins": list(server.stand_ins)}
        elapsed = round((time.monotonic() - began) * 1000, 1)
        sink(Event(name=EventName.SERVER_STARTED, message=message, duration_ms=elapsed, data=data))
        return server

    def _superuser(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A session of the superuser in the database ``postgres``."""
        return connect(self.dsn(), application_name="confiture-tui administration")

    def _administer(
        self, failing: str, statement: sql.Composed, *, expected: type[psycopg.Error] | tuple[()] = ()
    ) -> None:
        """Run one statement as the superuser."""
        import psycopg

        with self._superuser() as conn:
            try:
                conn.execute(statement)
            except expected:
                raise
            except psycopg.Error as error:
                said = error.diag.message_primary or str(error)
                raise ConfitureError(f"{failing} on the embedded server: {said}.") from None

    @classmethod
    def _at_exit(cls) -> None:
        """Stop everything, also what is still starting."""
        for server in tuple(cls._running):
            server.stop()
        cls._launcher.close()
        Workspace.remove_all()

    @classmethod
    def _after_fork(cls) -> None:
        """A forked child has none of its parent's servers; it may start its own."""
        cls._launcher = Launcher()
        cls._running = set()
        cls._shared = {}
        cls._sharing = threading.Lock()
        Workspace.forget_all()


atexit.register(EmbeddedServer._at_exit)
if sys.platform != "win32":
    os.register_at_fork(after_in_child=EmbeddedServer._after_fork)
