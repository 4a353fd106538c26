"""Reading the table of applied migrations, ``tb_confiture``. Nothing here writes.

Source: the table as ``confiture`` (0.44) makes it: version, name, slug, applied_at, execution_time_ms, checksum,
applied_by; later releases add columns, ``archived_into`` among them, which is NULL in the rows that count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from confiture_tui.errors import ConfitureError, UsageError

if TYPE_CHECKING:
    import psycopg

DEFAULT_TABLE = "tb_confiture"

_LOCK_TIMEOUT = "2s"
_REQUIRED = frozenset({"version", "name", "applied_at"})

# Relations of that name with their columns and what may be read; those on the search_path first, in its order.
_CANDIDATES = """
SELECT n.nspname, c.relname,
       pg_catalog.array_agg(a.attname::text ORDER BY a.attnum),
       pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       pg_catalog.array_agg(a.attname::text ORDER BY a.attnum)
           FILTER (WHERE NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')),
       c.relrowsecurity AND pg_catalog.row_security_active(c.oid)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relname = %s AND (%s::text IS NULL OR n.nspname = %s)
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)
GROUP BY n.oid, n.nspname, c.oid, c.relname, c.relrowsecurity
ORDER BY pg_catalog.array_position(pg_catalog.current_schemas(false), n.nspname) NULLS LAST, n.nspname
"""


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """A row of the ledger.

    Attributes:
        version: of the migration.
        name: of the migration.
        applied_at: when, with its time zone where the table records one; ``None`` when not recorded.
        checksum: SHA-256 of the file's bytes, in hexadecimal; ``None`` when not recorded.
        applied_by: who; ``None`` when not recorded.
        execution_ms: how long it took, in milliseconds; ``None`` when not recorded.
    """

    version: str
    name: str
    applied_at: datetime | None
    checksum: str | None = None
    applied_by: str | None = None
    execution_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """The applied migrations of a database, in the order in which they were applied.

    Attributes:
        schema: the table's schema.
        table: the table's name.
        migrations: its rows.
        notes: what is to be known before relying on it, one sentence each.
    """

    schema: str
    table: str
    migrations: tuple[AppliedMigration, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    schema: str
    table: str
    columns: tuple[str, ...]
    may_enter: bool
    hidden: frozenset[str]
    rows_filtered: bool

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.table}"


def read_ledger(conn: psycopg.Connection[Any], *, table: str = DEFAULT_TABLE) -> Ledger | None:
    """The ledger of the database; ``None`` when there is none.

    Args:
        conn: any connection; its transaction, if one is open, is left as it was.
        table: the ledger's name, with its schema (``ops.tb_confiture``) or without. Without one, the first on the
            search_path counts, then any other schema's; a table of that name with other columns is no ledger.

    Raises:
        UsageError: the role may not read it.
        ConfitureError: somebody holds a lock on it, or the connection failed.
    """
    import psycopg

    try:
        # There is nothing to commit; the rollback takes the time-out back where the transaction is the caller's.
        with conn.transaction(force_rollback=True):
            conn.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            return _read(conn, table)
    except psycopg.errors.LockNotAvailable as error:
        raise ConfitureError(
            f"The table of applied migrations ({table}) could not be read: another session holds a lock on it.",
            hint="Wait until it is done (a migration may be running), or look at pg_locks, and try again.",
        ) from error
    except psycopg.Error as error:
        reason = error.diag.message_primary or str(error).strip() or "the connection failed"
        raise ConfitureError(
            f"The table of applied migrations ({table}) could not be read: {reason}.", hint="Check the connection."
        ) from error


def _read(conn: psycopg.Connection[Any], table: str) -> Ledger | None:
    schema, _, name = table.rpartition(".")
    candidates = [one for one in _candidates(conn, schema or None, name) if set(one.columns) >= _REQUIRED]
    if not candidates:
        return None
    chosen, *others = candidates
    _check_rights(conn, chosen)
    notes = []
    if others:
        also = ", ".join(one.label for one in others)
        notes.append(f"There is more than one ledger: {chosen.label} is read; {also} is not.")
    if chosen.rows_filtered:
        notes.append(f"Row-level security applies to {chosen.label}: rows may be hidden from this role.")
    return Ledger(chosen.schema, chosen.table, _rows(conn, chosen), tuple(notes))


def _candidates(conn: psycopg.Connection[Any], schema: str | None, name: str) -> list[_Candidate]:
    from psycopg.rows import tuple_row

    with conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(_CANDIDATES, (name, schema, schema))
        return [
            _Candidate(schema_name, table_name, tuple(columns), may_enter, frozenset(hidden or ()), bool(filtered))
            for schema_name, table_name, columns, may_enter, hidden, filtered in cursor
        ]


def _check_rights(conn: psycopg.Connection[Any], ledger: _Candidate) -> None:
    """Raises: UsageError: the role may not read the ledger."""
    from psycopg.rows import tuple_row

    missing = []
    if not ledger.may_enter:
        missing.append(f"USAGE on schema {ledger.schema}")
    if ledger.hidden & _wanted(ledger):
        missing.append(f"SELECT on {ledger.label}")
    if not missing:
        return
    with conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute("SELECT current_user::text").fetchone()
    role = row[0] if row else "the role"
    raise UsageError(
        f"The role {role} may not read {ledger.label}, the table of applied migrations.",
        hint=f"Have its owner grant {' and '.join(missing)} to {role}.",
    )


def _wanted(ledger: _Candidate) -> frozenset[str]:
    optional = {"checksum", "applied_by", "execution_time_ms", "archived_into"}
    return frozenset(ledger.columns) & (_REQUIRED | optional)


def _rows(conn: psycopg.Connection[Any], ledger: _Candidate) -> tuple[AppliedMigration, ...]:
    from psycopg import sql
    from psycopg.rows import tuple_row

    wanted = _wanted(ledger)

    def column(name: str, type_name: str) -> sql.Composable:
        known = sql.SQL("{}::{}").format(sql.Identifier(name), sql.SQL(type_name))
        return known if name in wanted else sql.SQL("NULL")

    query = sql.SQL("SELECT {} FROM {} {} ORDER BY {}, {}").format(
        sql.SQL(", ").join(
            (
                column("version", "text"),
                column("name", "text"),
                column("applied_at", "timestamptz"),
                column("checksum", "text"),
                column("applied_by", "text"),
                column("execution_time_ms", "float8"),
            )
        ),
        sql.Identifier(ledger.schema, ledger.table),
        sql.SQL("WHERE archived_into IS NULL" if "archived_into" in wanted else ""),
        sql.Identifier("applied_at"),
        sql.Identifier("version"),
    )
    with conn.cursor(row_factory=tuple_row) as cursor:
        return tuple(
            AppliedMigration(version or "", name or "", applied_at, checksum or None, applied_by or None, duration)
            for version, name, applied_at, checksum, applied_by, duration in cursor.execute(query)
        )
