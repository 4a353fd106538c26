"""Who may dry-run in place: what a rollback cannot undo must be out of the migration's reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.calm import calm_transaction
from confiture_tui.core.sql.identifiers import quote_identifier
from confiture_tui.database.pooler import backend_pid, is_transaction_pooled
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.migrations.model import Migration

_SAVEPOINTS = frozenset({"TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO"})
"""Transaction statements that end no transaction."""

_SERVER = """
SELECT pg_catalog.pg_is_in_recovery(),
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY'),
       pg_catalog.current_setting('default_transaction_read_only') = 'on',
       pg_catalog.quote_ident(current_user), pg_catalog.quote_ident(pg_catalog.current_database())
"""

# A migration can become every role that one of these three is a member of: RESET ROLE goes back to the session's,
# RESET SESSION AUTHORIZATION to the one that logged in. Before PostgreSQL 16 CREATEROLE may grant any role that is not
# a superuser (documentation, "Role Attributes"), also to itself; since then membership tells.
_POWERS = """
WITH own AS (
  SELECT r.oid, r.rolname FROM pg_catalog.pg_roles r WHERE r.rolname IN (session_user, current_user)
  UNION
  SELECT r.oid, r.rolname FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a
    JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
)
SELECT o.rolname::text, r.rolname::text, r.rolsuper, r.rolreplication, pg_catalog.starts_with(r.rolname::text, 'pg_')
  FROM own o JOIN pg_catalog.pg_roles r ON pg_catalog.pg_has_role(o.oid, r.oid, 'MEMBER')
 WHERE r.rolsuper OR r.rolreplication
    OR r.rolname IN ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files', 'pg_signal_backend')
    OR (r.rolcreaterole AND %s)
 ORDER BY r.rolsuper AND o.oid = r.oid DESC, r.rolsuper DESC, o.oid = r.oid DESC, r.rolname, o.rolname
 LIMIT 1
"""
_CREATEROLE_TAMED = 160000

_READ_ONLY_NOTE = (
    "default_transaction_read_only is on: the dry run began its transaction READ WRITE. "
    "A runner that does not will fail (25006)."
)

_USE_ANOTHER = "Connect with a plain role (--as ROLE), or allow it explicitly (--allow-superuser)."


def refuse_transaction_control(migration: Migration) -> None:
    """Refuse a migration that controls transactions itself; savepoints are no harm.

    Raises:
        UsageError: it does; the line is named.
    """
    for statement in migration.up.transaction_control:
        if (statement.node or {}).get("kind") in _SAVEPOINTS:
            continue
        raise UsageError(
            f"{migration.label}, line {statement.line}: {statement.tag} would end the dry run's transaction.",
            hint="Remove it, or dry-run on the shadow.",
        )


@dataclass(frozen=True, slots=True)
class Admission:
    """That a role may dry-run in place.

    Attributes:
        powerful: it may do what no rollback undoes, and was let in all the same.
        notes: what the reader must know.
    """

    powerful: bool
    notes: tuple[str, ...]


def refuse_pooler(conn: psycopg.Connection[Any], other: psycopg.Connection[Any] | None) -> None:
    """Refuse a connection through a transaction pooler: its session is another one for each transaction.

    Args:
        conn: an idle connection in autocommit mode.
        other: another one, made from the same connection string; without one any pooler is refused.

    Raises:
        UsageError: it is one, or may be one.
    """
    if conn.info.backend_pid != backend_pid(conn) if other is None else is_transaction_pooled(conn, other):
        raise UsageError(
            "Between here and the server is a transaction pooler, which may give each transaction another session: "
            "nothing can be tried in place through it.",
            hint="Give a connection string that leads to the server itself, or dry-run on the shadow.",
        )


def admit(conn: psycopg.Connection[Any], *, allow_superuser: bool) -> Admission:
    """Refuse a server or a role on which nothing should be tried.

    Args:
        conn: an idle connection in autocommit mode.
        allow_superuser: let a role in that can do what no rollback undoes.

    Raises:
        UsageError: the server is a standby, the role may not create temporary tables, or it is, or can become, one
            that can do what no rollback undoes.
    """
    with calm_transaction(conn):
        in_recovery, may_make_temporary, read_only, role, database = _row(conn, _SERVER)
        tamed = conn.info.server_version >= _CREATEROLE_TAMED
        power = conn.execute(_POWERS, (not tamed,)).fetchone()
    if in_recovery:
        raise UsageError("The target is a standby: nothing can be tried on it.", hint="Connect to the primary server.")
    if power is not None and not allow_superuser:
        raise UsageError(_why(*power), hint=_USE_ANOTHER)
    if not may_make_temporary:
        raise UsageError(
            f"The role {role} may not create temporary tables in the database {database}: "
            "the guard that keeps a dry run from being committed is one.",
            hint=f"GRANT TEMPORARY ON DATABASE {quote_identifier(database)} TO {quote_identifier(role)}; "
            "or dry-run on the shadow.",
        )
    return Admission(power is not None, (_READ_ONLY_NOTE,) if read_only else ())


def _row(conn: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = conn.execute(query.encode()).fetchone()
    if row is None:
        raise AssertionError("a SELECT of constants has one row")
    return row


def _why(own: str, other: str, superuser: bool, replication: bool, predefined: bool) -> str:
    """Why the role is refused, as a sentence."""
    itself = own == other
    who = f"The role {own}" if itself else f"The role {own} can become {other},"
    if superuser:
        return f"{who} {'is ' if itself else ''}a superuser, who can do what no rollback undoes."
    if predefined:
        return f"The role {own} is a member of {other}: what that lets it do, no rollback undoes."
    if replication:
        return f"{who} {'' if itself else 'which '}may replicate (REPLICATION): no rollback brings a slot back."
    return (
        f"{who} {'' if itself else 'which '}may create roles (CREATEROLE), and before PostgreSQL 16 so grant itself "
        "what no rollback undoes (pg_execute_server_program)."
    )
