"""Restoring a dump of a schema on the shadow's server, as the role that is to own it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from confiture_tui.core.sql.script import Script
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.host import ShadowHost
    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.database.cancellation import CancelScope

_ROLES = """
SELECT rolname, pg_catalog.pg_has_role(current_user, oid, 'MEMBER')
  FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' ORDER BY rolname
"""
_EXTENSIONS = """
SELECT pg_catalog.quote_ident(e.extname), n.nspname, pg_catalog.quote_ident(n.nspname)
  FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname <> 'plpgsql' ORDER BY e.oid
"""


@dataclass(frozen=True, slots=True)
class Source:
    """What a dump does not hold: roles (and whether the session's role is a member), extensions, schema ``public``.

    With the catalog's definitions it decides what the copy is.
    """

    roles: tuple[tuple[str, bool], ...]
    extensions: tuple[tuple[str, str, str], ...]
    has_public: bool
    is_superuser: bool

    @classmethod
    def read(cls, conn: psycopg.Connection[Any]) -> Source:
        """Ask the session's database."""
        from psycopg.rows import tuple_row

        with conn.cursor(row_factory=tuple_row) as cursor:
            roles = tuple((str(name), bool(member)) for name, member in cursor.execute(_ROLES))
            extensions = tuple((str(a), str(b), str(c)) for a, b, c in cursor.execute(_EXTENSIONS))
            cursor.execute(
                "SELECT pg_catalog.to_regnamespace('public') IS NOT NULL,"
                " pg_catalog.current_setting('is_superuser') = 'on'"
            )
            has_public, is_superuser = cursor.fetchone() or (True, False)
            return cls(roles, extensions, bool(has_public), bool(is_superuser))


def restore(
    server: ShadowHost, database: str, owner: str, source: Source, dumped: str, scope: CancelScope
) -> list[str]:
    """Restore a dump in an empty database; what could not be restored, one sentence each.

    Raises:
        Cancelled: the scope was cancelled.
        psycopg.OperationalError: the server went away, or its disk is full.
    """
    with connect(server.dsn(database)) as conn, scope.guard(conn):
        conn.prepare_threshold = None
        restorer = _Restorer(conn, owner) if server.role is not None else _HelpedRestorer(conn, owner)
        restorer.make_roles(source.roles)
        if not source.has_public:
            restorer.drop_public()
        restorer.make_extensions(source.extensions)
        restorer.become_owner()
        for statements in _batches(Script.from_text(dumped).statements):
            scope.check()
            restorer.restore(statements)
        restorer.finish()
    return restorer.missing


_UNKNOWN_OBJECT = "42704"
_INSUFFICIENT_PRIVILEGE = "42501"
_DUPLICATE_SCHEMA = "42P06"
_LOST = frozenset({"08", "53", "57", "58"})
"""Classes of SQLSTATE that are not about a statement: connection, resources, operator, system."""
_NEVER = frozenset({"CreateUserMappingStmt", "CreateSubscriptionStmt"})
"""What holds passwords of other servers: they have no business on a shadow."""
_GRANTS = frozenset({"GrantStmt", "AlterDefaultPrivilegesStmt", "GrantRoleStmt"})
_BATCH = 200


def _batches(statements: Iterable[Statement]) -> Iterator[list[Statement]]:
    remaining = iter(statements)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


class _Restorer:
    """Restores statements of a dump as the role that we are: there is no other on a server of the user's own."""

    def __init__(self, conn: psycopg.Connection[Any], owner: str) -> None:
        self._conn = conn
        self._owner = owner
        self.missing: list[str] = []

    def make_roles(self, roles: Sequence[tuple[str, bool]]) -> None:
        """Roles are the whole server's: those that it lacks are told, and grants to them left out."""
        known = {str(row[0]) for row in self._conn.execute("SELECT rolname FROM pg_catalog.pg_roles")}
        absent = sorted({role for role, _member in roles} - known)
        if absent:
            self.missing.append(
                f"Roles that the shadow's server does not have: {', '.join(absent)}. "
                "What is granted to them is left out."
            )

    def drop_public(self) -> None:
        """The target has no schema of that name."""
        import psycopg

        try:
            self._conn.execute("DROP SCHEMA public")
        except psycopg.Error as error:
            self.missing.append(f"Schema public is on the shadow and not on the target: {error.diag.message_primary}.")

    def make_extensions(self, extensions: Sequence[tuple[str, str, str]]) -> None:
        """Extensions first: an untrusted one only a superuser may make, and the dump's owner is none."""
        import psycopg

        for extension, schema, quoted_schema in extensions:
            try:
                if schema not in {"public", "pg_catalog"}:
                    self._run("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}", schema, self._owner)
                self._conn.execute(
                    f"CREATE EXTENSION IF NOT EXISTS {extension} WITH SCHEMA {quoted_schema} CASCADE".encode()
                )
            except psycopg.Error as error:
                self.missing.append(f"Extension {extension} is not on the shadow: {error.diag.message_primary}.")

    def become_owner(self) -> None:
        """From here on as the owner."""

    def restore(self, statements: Sequence[Statement]) -> None:
        """Run statements of the dump, and note which could not be run and why."""
        import psycopg

        if not any(one.node_kind in _NEVER for one in statements):
            try:
                # All of them in one round trip and one transaction; nothing of it stands if one fails.
                with self._conn.pipeline():
                    for statement in statements:
                        self._conn.execute(statement.sql.encode())
            except psycopg.Error as error:
                _raise_if_lost(error)
            else:
                return
        for statement in statements:
            self._one(statement)

    def finish(self) -> None:
        """What is to be done when all has been restored."""

    def _one(self, statement: Statement) -> None:
        import psycopg

        if statement.node_kind in _NEVER:
            self.missing.append(f"Not on the shadow, because of the secrets in it: {_named(statement)}.")
            return
        try:
            self._conn.execute(statement.sql.encode())
        except psycopg.Error as error:
            _raise_if_lost(error)
            if statement.node_kind == "VariableSetStmt" and error.sqlstate == _UNKNOWN_OBJECT:
                return  # A newer pg_dump sets what an older server does not know: it changes no schema.
            if error.sqlstate == _DUPLICATE_SCHEMA:
                return  # Made before, for an extension.
            self._refused(statement, error)

    def _refused(self, statement: Statement, error: psycopg.Error) -> None:
        if statement.node_kind in _GRANTS and error.sqlstate == _UNKNOWN_OBJECT:
            return  # To a role that the server does not have, which is told.
        self._note(statement, error)

    def _run(self, template: str, *names: str) -> None:
        from psycopg import sql

        self._conn.execute(sql.SQL(template).format(*map(sql.Identifier, names)))

    def _note(self, statement: Statement, error: psycopg.Error) -> None:
        reason = error.diag.message_primary or str(error)
        self.missing.append(f"Not on the shadow: {_named(statement)}: {reason}.")


class _HelpedRestorer(_Restorer):
    """Where we are superuser: a plain role restores, and what only a superuser may run is run by a helper of ours.

    The helper's objects are handed to the owner: on the target they belong to somebody who may alter them.
    """

    def __init__(self, conn: psycopg.Connection[Any], owner: str) -> None:
        super().__init__(conn, owner)
        self._helper = f"{owner}_helper"
        self._helped = False

    def make_roles(self, roles: Sequence[tuple[str, bool]]) -> None:
        """Roles are named in grants and policies: they must exist, and need no rights of their own."""
        known = {str(row[0]) for row in self._conn.execute("SELECT rolname FROM pg_catalog.pg_roles")}
        for role, is_member in roles:
            if role not in known:
                self._run("CREATE ROLE {} NOLOGIN", role)
            if is_member and role != "postgres":
                self._run("GRANT {} TO {}", role, self._owner)
        self._run("CREATE ROLE {} SUPERUSER NOLOGIN", self._helper)

    def become_owner(self) -> None:
        """From here on as the plain owner."""
        if self._conn.execute("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public'").rowcount > 0:
            self._run("ALTER SCHEMA public OWNER TO {}", self._owner)
        self._run("SET SESSION AUTHORIZATION {}", self._owner)

    def _refused(self, statement: Statement, error: psycopg.Error) -> None:
        """What only a superuser may do: event triggers, casts, comments on extensions, functions in C."""
        import psycopg

        if error.sqlstate != _INSUFFICIENT_PRIVILEGE:
            self._note(statement, error)
            return
        self._conn.execute("RESET SESSION AUTHORIZATION")
        self._run("SET ROLE {}", self._helper)
        try:
            self._conn.execute(statement.sql.encode())
            self._helped = True
        except psycopg.Error as refused:
            _raise_if_lost(refused)
            self._note(statement, refused)
        finally:
            if not self._conn.closed:
                self._conn.execute("RESET ROLE")
                self._run("SET SESSION AUTHORIZATION {}", self._owner)

    def finish(self) -> None:
        """Hand over what the helper made, as far as its kind may be owned by a plain role."""
        import psycopg

        self._conn.execute("RESET SESSION AUTHORIZATION")
        if self._helped:
            try:
                self._run("REASSIGN OWNED BY {} TO {}", self._helper, self._owner)
            except psycopg.Error as error:
                # An event trigger must be a superuser's; with one among them nothing is handed over.
                self.missing.append(
                    f"Some objects belong to a superuser on the shadow: {error.diag.message_primary or error}."
                )
        self._run("ALTER ROLE {} NOSUPERUSER", self._helper)


def _raise_if_lost(error: psycopg.Error) -> None:
    """What is not about a statement must not be noted as if one could not be restored."""
    if error.sqlstate is None or error.sqlstate[:2] in _LOST:
        raise error


def _named(statement: Statement) -> str:
    """The beginning of a statement, up to where options, and with them secrets, may begin."""
    beginning = re.split(r"[('$]|\bOPTIONS\b|\bCONNECTION\b", " ".join(statement.sql.split()), maxsplit=1)[0].strip()
    return beginning if len(beginning) <= 80 else beginning[:79] + "…"
