"""The database that the migrations are meant for, and how it is reached: to read, unless somebody runs something."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from confiture_tui.database.connection import connect
from confiture_tui.database.dsn import Dsn, resolve_dsn
from confiture_tui.database.pooler import backend_pid
from confiture_tui.errors import UsageError
from confiture_tui.service.places import TargetInfo

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.config import Settings
    from confiture_tui.database.cancellation import CancelScope


class Target:
    """The database, or that there is none.

    Attributes:
        dsn: how it is reached; ``None`` without one.
        info: what it is, once it was reached.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.dsn: Dsn | None = None
        self.info: TargetInfo | None = None

    def find(self) -> None:
        """Find out which database is meant: that of the command line, of variables, of the environment's file."""
        settings = self._settings
        self.dsn = resolve_dsn(
            dsn=settings.dsn.get_secret_value() if settings.dsn else None,
            environ=os.environ,
            environment_file_url=settings.database_url.get_secret_value() if settings.database_url else None,
            environment_file=settings.environment_file,
            dsn_source=settings.origins.get("dsn", "--dsn"),
        )

    @contextmanager
    def connected(self, scope: CancelScope) -> Iterator[psycopg.Connection[Any]]:
        """A connection to it, for reading only: the session itself refuses to write.

        Raises:
            UsageError: there is no database.
            ConnectError: it cannot be reached.
        """
        if self.dsn is None:
            raise no_database("There is no database.")
        with connect(self.dsn) as conn, scope.guard(conn):
            if backend_pid(conn) == conn.info.backend_pid:
                conn.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            # Behind a pooler the session is also other clients': nothing may be set or prepared in it for good. The
            # transactions that we begin are read-only all the same.
            conn.read_only = True
            conn.prepare_threshold = None
            if self.info is None:
                self.info = TargetInfo.of(conn, self.dsn, read_only=self._settings.read_only)
            yield conn

    @contextmanager
    def connected_as_asked(self, scope: CancelScope) -> Iterator[psycopg.Connection[Any]]:
        """A connection to the database that the command line names, for reading only, whether or not a project is open.

        Raises:
            UsageError: it names none.
            ConnectError: it cannot be reached.
        """
        dsn = self._settings.dsn
        if self.dsn is None and dsn is not None:
            self.dsn = resolve_dsn(
                dsn=dsn.get_secret_value(), environ={}, environment_file_url=None, environment_file=None
            )
        with self.connected(scope) as conn:
            yield conn


def no_database(message: str) -> UsageError:
    """The error for what needs a database where none was named."""
    return UsageError(message, hint="Give --dsn, set CONFITURE_DATABASE_URL, or write db/environments/NAME.yaml.")
