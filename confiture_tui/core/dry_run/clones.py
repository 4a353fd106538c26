"""Disposable databases on the shadow's server: made from a template, connected to as a plain role, dropped."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from confiture_tui.database.connection import connect
from confiture_tui.database.disposable import unique_name
from confiture_tui.database.embedded.server import SUPERUSER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

    from confiture_tui.core.dry_run.host import ShadowHost
    from confiture_tui.core.dry_run.session import SessionSettings
    from confiture_tui.database.cancellation import CancelScope


class CloneMaker:
    """Makes, opens and drops clones.

    Args:
        server: where they are.
        owner: who owns them, and whom sessions run as.
        settings: the settings that a session on the target has.

    Attributes:
        refused_settings: those of the settings that this server does not take.
    """

    def __init__(self, server: ShadowHost, owner: str, settings: SessionSettings) -> None:
        self._server = server
        self._owner = owner
        self._settings = settings
        self.refused_settings: tuple[str, ...] = ()

    def make(self, template: str, *, kind: str = "clone") -> str:
        """A copy of a template that nobody is connected to; its name.

        Raises:
            ConfitureError: the server refuses, or its disk is full.
        """
        name = unique_name(kind)
        self._server.create_database(name, template=template, owner=self._owner)
        if self._settings.values:
            with self._serving() as admin:
                self.refused_settings = self._settings.install(admin, database=name, role=self._owner)
        return name

    @contextmanager
    def connected(
        self, database: str, scope: CancelScope, *, tracing: bool = False
    ) -> Iterator[psycopg.Connection[Any]]:
        """A session on a clone that the scope can cancel; with ``tracing``, one whose reads are all counted and in
        which the server explains what work it does."""
        with self.open(database) as conn, scope.guard(conn):
            if tracing:
                conn.execute("SET client_min_messages = debug1")
                # The reads of parallel workers are not counted in the session's statistics.
                conn.execute("SET max_parallel_workers_per_gather = 0")
                conn.execute("SET max_parallel_maintenance_workers = 0")
            yield conn

    def open(self, database: str) -> psycopg.Connection[Any]:
        """A session on a clone, as the migration's: with the target's settings."""
        conn = connect(self._server.dsn(database, self._owner), application_name="confiture-tui dry run")
        # psycopg's own preparing would send DEALLOCATE ALL and drop what the migration prepared.
        conn.prepare_threshold = None
        return conn

    def _serving(self) -> psycopg.Connection[Any]:
        """A session that administers the server, in a database that is always there."""
        return connect(self._server.dsn(), application_name="confiture-tui administration")

    def administer(self, database: str) -> psycopg.Connection[Any]:
        """A session that sees all of a database of the shadow's server: a superuser's, or its only role's."""
        return connect(self._server.dsn(database), application_name="confiture-tui administration")

    def drop(self, databases: Sequence[str]) -> None:
        """Drop these databases, and what a migration may have set for its own role on the whole server.

        One that is gone already is no error.
        """
        from psycopg import sql

        for database in databases:
            self._server.drop_database(database)
        # On a server of the user's own the role's settings are the user's.
        if databases and self._server.role is None and self._owner != SUPERUSER:
            with self._serving() as admin:
                admin.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(sql.Identifier(self._owner)))

    def count(self, databases: Sequence[str]) -> int:
        """How many of these databases there are on the server."""
        with self._serving() as admin:
            row = admin.execute(
                "SELECT count(*) FROM pg_catalog.pg_database WHERE datname = ANY(%s)", (list(databases),)
            ).fetchone()
        return int(row[0]) if row else 0
