"""Making a copy of a target's schema: ``pg_dump --schema-only``, restored on the shadow's server by a plain role.

What cannot be restored (an extension that the shadow's server does not have, for example) is left out and reported,
never hidden: a dry run says what it could not try.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.core.sql.script import Script
from confiture_tui.database.client_programs import LOCK_WAIT, run_against
from confiture_tui.database.connection import connect
from confiture_tui.errors import ConfitureError
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.database.embedded import EmbeddedServer

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
class _Source:
    """What a dump does not hold: roles (and whether the session's role is a member), extensions, schema ``public``."""

    roles: tuple[tuple[str, bool], ...]
    extensions: tuple[tuple[str, str, str], ...]
    has_public: bool
    is_superuser: bool

    @classmethod
    def read(cls, conn: psycopg.Connection[Any]) -> _Source:
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


@dataclass(frozen=True, slots=True)
class Built:
    """A restored copy.

    Attributes:
        owner: the role that owns it.
        roles: the roles that were made for it alone.
        source_is_superuser: the target's session may do what the owner of the copy may not.
        notes: what the reader must know about it.
    """

    owner: str
    roles: tuple[str, ...]
    source_is_superuser: bool
    notes: tuple[str, ...]


def build_from_dump(
    conn: psycopg.Connection[Any],
    server: EmbeddedServer,
    template: str,
    *,
    sink: Sink,
    scope: CancelScope,
) -> Built:
    """Make the database ``template`` on the shadow's server, with the schema of the connection's database.

    Raises:
        ConfitureError: pg_dump failed; the message is its own.
        Cancelled: the scope was cancelled.
    """
    database = conn.info.dbname
    sink(Event(name=EventName.SHADOW_BUILDING, message=f"Copying the schema of {database} to a shadow"))
    dumped = _dump(conn, server, scope)
    source = _Source.read(conn)
    owner = f"{template}_owner"
    notes = _version_notes(conn, server, source)
    try:
        server.create_login(owner)
        server.create_database(template, owner=owner)
        missing = _restore(server, template, owner, source, dumped, scope)
    except BaseException:
        server.drop_database(template)
        for role in (f"{owner}_helper", owner):
            server.drop_login(role)
        raise
    notes += missing
    for text in missing:
        sink(Event(name=EventName.SHADOW_INCOMPLETE, message=text, level=Level.WARNING))
    sink(
        Event(
            name=EventName.SHADOW_READY,
            message=f"The shadow of {database} is ready: its schema, without rows",
            data={"left_out": len(missing)},
        )
    )
    return Built(owner, (f"{owner}_helper", owner), source.is_superuser, tuple(notes))


def _version_notes(conn: psycopg.Connection[Any], server: EmbeddedServer, source: _Source) -> list[str]:
    notes = []
    theirs, ours = conn.info.server_version // 10000, server.version_num // 10000
    if theirs != ours:
        notes.append(
            f"The target runs PostgreSQL {theirs} and the shadow PostgreSQL {ours}: "
            f"give --pg-bin a directory with the binaries of {theirs} for an exact answer."
        )
    used = {name.strip('"') for name, _schema, _quoted in source.extensions} & set(server.stand_ins)
    if used:
        notes.append(f"Extensions that are stand-ins on the shadow: {', '.join(sorted(used))}.")
    return notes


def _pg_dump(server: EmbeddedServer) -> Path:
    """The pg_dump beside the shadow's server binaries: it reads every major up to its own."""
    program = server.bin_dir / "pg_dump"
    if not program.is_file():
        raise ConfitureError(
            f"There is no pg_dump in {server.bin_dir}.",
            hint="Give --pg-bin a directory with initdb, postgres and pg_dump.",
        )
    return program


def _dump(conn: psycopg.Connection[Any], server: EmbeddedServer, scope: CancelScope) -> str:
    """The schema as SQL text."""
    ran = run_against(
        conn,
        _pg_dump(server),
        [
            "--schema-only",
            "--no-owner",
            # A subscription would lie here with its publisher's password in it, and could not be dropped.
            "--no-subscriptions",
            "--encoding=UTF8",
            f"--lock-wait-timeout={LOCK_WAIT}",
        ],
        scope=scope,
    )
    scope.check()
    if not ran.ok:
        raise ConfitureError(
            f"pg_dump could not read the schema of {conn.info.dbname}: {ran.said}",
            hint="A dry run on a shadow needs a role that may read every table's definition, "
            "and no ACCESS EXCLUSIVE lock on any of them just now.",
        )
    return ran.out.decode(errors="replace")


def _restore(
    server: EmbeddedServer, template: str, owner: str, source: _Source, dumped: str, scope: CancelScope
) -> list[str]:
    """Restore the dump as the plain owner; what could not be restored, one sentence each."""
    with connect(server.dsn(template)) as conn, scope.guard(conn):
        conn.prepare_threshold = None
        restorer = _Restorer(conn, owner)
        restorer.make_roles(source.roles)
        if not source.has_public:
            conn.execute("DROP SCHEMA public")
        restorer.make_extensions(source.extensions)
        restorer.become_owner()
        for statement in Script.from_text(dumped).statements:
            scope.check()
            restorer.restore(statement)
        restorer.finish()
    return restorer.missing


_UNKNOWN_SETTING = "42704"
_INSUFFICIENT_PRIVILEGE = "42501"
_DUPLICATE_SCHEMA = "42P06"
_NEVER = frozenset({"CreateUserMappingStmt", "CreateSubscriptionStmt"})
"""What holds passwords of other servers: they have no business on a shadow."""


class _Restorer:
    """Restores statements of a dump as the owner, and those that only a superuser may run as a helper of ours.

    The helper's objects are handed to the owner: on the target they belong to somebody who may alter them.
    """

    def __init__(self, conn: psycopg.Connection[Any], owner: str) -> None:
        self._conn = conn
        self._owner = owner
        self._helper = f"{owner}_helper"
        self._helped = False
        self.missing: list[str] = []

    def _run(self, template: str, *names: str) -> None:
        from psycopg import sql

        self._conn.execute(sql.SQL(template).format(*map(sql.Identifier, names)))

    def make_roles(self, roles: Sequence[tuple[str, bool]]) -> None:
        """Roles are named in grants and policies: they must exist, and need no rights of their own."""
        known = {str(row[0]) for row in self._conn.execute("SELECT rolname FROM pg_catalog.pg_roles")}
        for role, is_member in roles:
            if role not in known:
                self._run("CREATE ROLE {} NOLOGIN", role)
            if is_member and role != "postgres":
                self._run("GRANT {} TO {}", role, self._owner)
        self._run("CREATE ROLE {} SUPERUSER NOLOGIN", self._helper)

    def make_extensions(self, extensions: Sequence[tuple[str, str, str]]) -> None:
        """Extensions first, as the superuser: an untrusted one is nobody else's to make."""
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
        """From here on as the plain owner."""
        if self._conn.execute("SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public'").rowcount > 0:
            self._run("ALTER SCHEMA public OWNER TO {}", self._owner)
        self._run("SET SESSION AUTHORIZATION {}", self._owner)

    def restore(self, statement: Statement) -> None:
        """Run one statement of the dump, or note why it could not be run."""
        import psycopg

        if statement.node_kind in _NEVER:
            self.missing.append(f"Not on the shadow, because of the secrets in it: {_named(statement)}.")
            return
        try:
            self._conn.execute(statement.sql.encode())
        except psycopg.Error as error:
            if statement.node_kind == "VariableSetStmt" and error.sqlstate == _UNKNOWN_SETTING:
                return  # A newer pg_dump sets what an older server does not know: it changes no schema.
            if error.sqlstate == _DUPLICATE_SCHEMA:
                return  # Made before, for an extension.
            if error.sqlstate == _INSUFFICIENT_PRIVILEGE:
                self._restore_with_help(statement)
            else:
                self._note(statement, error)

    def _restore_with_help(self, statement: Statement) -> None:
        """What only a superuser may do: event triggers, casts, comments on extensions, functions in C."""
        import psycopg

        self._conn.execute("RESET SESSION AUTHORIZATION")
        self._run("SET ROLE {}", self._helper)
        try:
            self._conn.execute(statement.sql.encode())
            self._helped = True
        except psycopg.Error as error:
            self._note(statement, error)
        finally:
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

    def _note(self, statement: Statement, error: psycopg.Error) -> None:
        reason = error.diag.message_primary or str(error)
        self.missing.append(f"Not on the shadow: {_named(statement)}: {reason}.")


def _named(statement: Statement) -> str:
    """The beginning of a statement, up to where options, and with them secrets, may begin."""
    beginning = re.split(r"[('$]|\bOPTIONS\b|\bCONNECTION\b", " ".join(statement.sql.split()), maxsplit=1)[0].strip()
    return beginning if len(beginning) <= 80 else beginning[:79] + "…"
