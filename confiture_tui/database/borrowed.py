"""A server of the user's own on which shadows are made: databases of ours come and go, nothing else is touched."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.database.connection import connect, identify
from confiture_tui.database.disposable import own_token, token_in
from confiture_tui.database.embedded.binaries import OLDEST_MAJOR
from confiture_tui.errors import ConfitureError, ConnectError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from confiture_tui.database.dsn import Dsn

_KEEPER: Final = "confiture-tui keeper"
_ABOUT: Final = """
SELECT r.rolcreatedb,
  (SELECT p.rolname::text FROM pg_catalog.pg_roles p
    WHERE pg_catalog.pg_has_role(r.oid, p.oid, 'MEMBER')
      AND (p.rolsuper OR p.rolcreaterole OR p.rolreplication OR p.rolname IN ('pg_execute_server_program',
           'pg_write_server_files', 'pg_read_server_files', 'pg_signal_backend'))
    ORDER BY p.oid = r.oid DESC, p.rolname LIMIT 1)
FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
"""
"""Whether our role may create databases, and the role, itself or one that it is a member of, by which a migration
would reach what is not in them."""
_DATABASES: Final = """
SELECT d.datname::text FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.oid = d.datdba
 WHERE r.rolname = current_user AND d.datname LIKE 'confiture\\_%'
"""
_KEEPERS: Final = """
SELECT application_name FROM pg_catalog.pg_stat_activity WHERE application_name LIKE 'confiture-tui keeper %'
"""
_WHO: Final = """
SELECT system_identifier, pg_catalog.pg_postmaster_start_time() FROM pg_catalog.pg_control_system()
"""


class BorrowedServer:
    """A server of the user's own, used as one plain role that may create databases.

    While it is in use one session of ours is kept open, whose name holds the token that the names of our databases
    hold. A database with the token of no living session was left behind by a process that was killed: whoever comes
    next drops it.

    Attributes:
        role: the role; it owns what is made, and everything runs as it.
        version_num: of the server.
        bin_dir: where pg_dump is.
        stand_ins: none.
    """

    stand_ins: Final[tuple[str, ...]] = ()

    def __init__(self, dsn: Dsn, *, bin_dir: Path, refusing: psycopg.Connection[Any] | None = None) -> None:
        """Log in and look whether it will do.

        Args:
            dsn: where, and as whom.
            bin_dir: where pg_dump is.
            refusing: an idle connection to the server that must not be the one: the target's.

        Raises:
            UsageError: it is the target's own server, or its role may too little or too much.
            ConnectError: it cannot be reached.
        """
        self._dsn = dsn
        self.bin_dir = bin_dir
        self._made: set[str] = set()
        self._keeper = connect(dsn, application_name=f"{_KEEPER} {own_token()}")
        try:
            self.role, self.version_num = self._checked(refusing)
            self._sweep()
        except BaseException:
            self._keeper.close()
            raise

    @property
    def is_running(self) -> bool:
        """Whether our session with it stands."""
        return not self._keeper.closed

    def dsn(self, dbname: str = "", user: str = "") -> Dsn:
        """How to log in to one of its databases; the one that was named by the user by default."""
        return self._dsn.with_dbname(dbname) if dbname else self._dsn

    def create_database(self, name: str, *, template: str | None = None, owner: str | None = None) -> None:
        """Create a database, of our role.

        Raises:
            ConfitureError: the server refuses: the template is in use, its disk is full.
        """
        from psycopg import sql

        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template or "template0")
        )
        if template is None:
            statement += sql.SQL(" ENCODING 'UTF8'")
        self._administer(f'Database "{name}" cannot be created', statement)
        self._made.add(name)

    def drop_database(self, name: str) -> None:
        """Drop one of our databases if it is there, and end the sessions in it.

        Raises:
            ValueError: it is not one of ours.
            ConfitureError: the server refuses.
        """
        from psycopg import sql

        if token_in(name) is None:
            raise ValueError(f"{name} is not a database that confiture-tui has made")
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        self._administer(f'Database "{name}" cannot be dropped', statement)
        self._made.discard(name)

    def create_login(self, role: str) -> None:
        """Never: roles belong to the whole server, which is not ours."""
        raise ValueError(f"no role is made on a server of the user's own: {role}")

    def drop_login(self, role: str) -> None:
        """Never, likewise."""
        raise ValueError(f"no role is dropped on a server of the user's own: {role}")

    def close(self) -> None:
        """Drop what is left of ours, and log out. Idempotent.

        Raises:
            ConfitureError: something could not be dropped; the message names it.
        """
        if self._keeper.closed:
            return
        left = []
        for name in sorted(self._made):
            try:
                self.drop_database(name)
            except ConfitureError as error:
                left.append(error.message)
        self._keeper.close()
        if left:
            raise ConfitureError(f"Databases of ours are left on {self._dsn.display()}: {' '.join(left)}")

    def _checked(self, refusing: psycopg.Connection[Any] | None) -> tuple[str, int]:
        """The role and the version number of a server that will do."""
        who = identify(self._keeper)
        where = self._dsn.display()
        advice = "Make one for it: CREATE ROLE confiture_shadow LOGIN CREATEDB PASSWORD '…';"
        if who.server_version_num // 10000 < OLDEST_MAJOR:
            raise UsageError(f"{where} runs PostgreSQL {who.server_version}: {OLDEST_MAJOR} is the oldest supported.")
        if who.in_recovery:
            raise UsageError(f"{where} is a standby: no database can be made there.", hint="Name its primary.")
        if who.is_superuser:
            raise UsageError(
                f"On {where} the role {who.role} is a superuser: a migration could reach the whole server.", hint=advice
            )
        row = self._keeper.execute(_ABOUT).fetchone()
        if row is None or not row[0]:
            raise UsageError(f"On {where} the role {who.role} may not create databases (CREATEDB).", hint=advice)
        power = row[1]
        if power is not None:
            how = f"as a member of {power}" if power != who.role else "with CREATEROLE or REPLICATION"
            raise UsageError(
                f"On {where} the role {who.role} can reach more than its own databases, {how}: so could a migration.",
                hint=advice,
            )
        if refusing is not None and _identity(refusing) == _identity(self._keeper):
            raise UsageError(
                f"{where} is the target's own server: a dry run would take its disk, memory and time.",
                hint="Name another server, or leave it out: then the shadow is made on an embedded one.",
            )
        return who.role, who.server_version_num

    def _sweep(self) -> None:
        """Drop what processes that are gone have left behind. What somebody uses stays: it is dropped without force."""
        import psycopg
        from psycopg import sql

        # In this order: whoever made one of these databases had his session before.
        databases = self._keeper.execute(_DATABASES).fetchall()
        living = {str(name).removeprefix(_KEEPER).strip() for (name,) in self._keeper.execute(_KEEPERS)}
        for (name,) in databases:
            token = token_in(name)
            if token is not None and token not in living:
                # Somebody may be looking into it, or have dropped it just now.
                with suppress(psycopg.errors.ObjectInUse, psycopg.errors.InvalidCatalogName):
                    self._keeper.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))

    def _administer(self, failing: str, statement: Any) -> None:
        import psycopg

        try:
            with connect(self._dsn, application_name="confiture-tui administration") as conn:
                conn.execute(statement)
        except psycopg.OperationalError as error:
            raise ConnectError(f"{failing} on {self._dsn.display()}: {_said(error)}.") from None
        except psycopg.Error as error:
            raise ConfitureError(f"{failing} on {self._dsn.display()}: {_said(error)}.") from None


def _identity(conn: psycopg.Connection[Any]) -> Any:
    """What tells one running server from another; a copy of its files has the same number, and started another time."""
    from psycopg.rows import tuple_row

    return conn.cursor(row_factory=tuple_row).execute(_WHO).fetchone()


def _said(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).strip().rstrip(".")
