"""Reading the table of applied migrations: this program's own, or another tool's. Nothing here writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from confiture_tui.core.migrations.ledger_forms import DEFAULT_TABLE, FORMS
from confiture_tui.errors import ConfitureError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import psycopg

    from confiture_tui.core.migrations.ledger_forms import LedgerForm

_T = TypeVar("_T")

_LOCK_TIMEOUT = "2s"

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
        checksum: of the file, as the ledger's form makes it; ``None`` when not recorded.
        applied_by: who; ``None`` when not recorded.
        execution_ms: how long it took, in milliseconds; ``None`` when not recorded.
        failure: why it is not applied as a whole, as a clause; ``None`` when it is.
        and_before: it stands for all versions before it, too.
    """

    version: str
    name: str
    applied_at: datetime | None
    checksum: str | None = None
    applied_by: str | None = None
    execution_ms: float | None = None
    failure: str | None = None
    and_before: bool = False

    @property
    def label(self) -> str:
        """``007_add_segment``, or only the version when the ledger has no name."""
        return "_".join(part for part in (self.version, self.name) if part)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The applied migrations of a database, in the order in which they were applied.

    Attributes:
        schema: the table's schema.
        table: the table's name.
        migrations: its rows.
        notes: what is to be known before relying on it, one sentence each.
        form: the name of its form.
        checksum_of: what ``checksum`` is of a file's bytes; ``None``: SHA-256 in hexadecimal.
    """

    schema: str
    table: str
    migrations: tuple[AppliedMigration, ...]
    notes: tuple[str, ...] = ()
    form: str = "confiture"
    checksum_of: Callable[[bytes], str] | None = None

    @property
    def label(self) -> str:
        """``schema.table``."""
        return f"{self.schema}.{self.table}"


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
    """This program's ledger; ``None`` when there is none.

    Args:
        conn: any connection; its transaction, if one is open, is left as it was.
        table: the ledger's name, with its schema (``ops.tb_confiture``) or without. Without one, the first on the
            search_path counts, then any other schema's; a table of that name with other columns is no ledger.

    Raises:
        UsageError: the role may not read it.
        ConfitureError: somebody holds a lock on it, or the connection failed.
    """
    return _guarded(conn, table, lambda: _read(conn, FORMS["confiture"], table))


def read_tool_ledger(conn: psycopg.Connection[Any], forms: Iterable[str]) -> Ledger | None:
    """The ledger that is of one of these forms, the first that there is; ``None`` when there is none.

    Its table is known by its name and columns, in whichever schema it is.

    Raises:
        UsageError: the role may not read it.
        ConfitureError: somebody holds a lock on it, or the connection failed.
    """
    for name in forms:
        form = FORMS[name]
        ledger = _guarded(conn, form.table, partial(_read, conn, form, form.table))
        if ledger is not None:
            return ledger
    return None


def ledgers_present(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """Every ledger of a known form that the database has: ``schema.table`` by the form's name. Reads none of them.

    Raises:
        ConfitureError: the connection failed.
    """

    def look() -> dict[str, str]:
        found = {name: _candidates(conn, form, form.table) for name, form in FORMS.items()}
        return {name: candidates[0].label for name, candidates in found.items() if candidates}

    return _guarded(conn, "of any tool", look)


def _guarded(conn: psycopg.Connection[Any], table: str, work: Callable[[], _T]) -> _T:
    """What ``work`` answers; the connection's transaction and settings are left as they were."""
    import psycopg

    try:
        # There is nothing to commit; the rollback takes the time-out back where the transaction is the caller's.
        with conn.transaction(force_rollback=True):
            conn.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            return work()
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


def _read(conn: psycopg.Connection[Any], form: LedgerForm, table: str) -> Ledger | None:
    candidates = _candidates(conn, form, table)
    if not candidates:
        return None
    chosen, *others = candidates
    _check_rights(conn, form, chosen)
    notes = []
    if others:
        also = ", ".join(one.label for one in others)
        notes.append(f"There is more than one ledger: {chosen.label} is read; {also} is not.")
    if chosen.rows_filtered:
        notes.append(f"Row-level security applies to {chosen.label}: rows may be hidden from this role.")
    rows = _rows(conn, form, chosen)
    notes += [f"{chosen.label} says of {one.label}: {one.failure}." for one in rows if one.failure]
    return Ledger(
        schema=chosen.schema,
        table=chosen.table,
        migrations=rows,
        notes=tuple(notes),
        form=form.name,
        checksum_of=form.checksum_of,
    )


def _candidates(conn: psycopg.Connection[Any], form: LedgerForm, table: str) -> list[_Candidate]:
    """The tables of a form, those on the search_path first."""
    from psycopg.rows import tuple_row

    schema, _, name = table.rpartition(".")
    with conn.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(_CANDIDATES, (name, schema or None, schema or None))
        found = [
            _Candidate(schema_name, table_name, tuple(columns), may_enter, frozenset(hidden or ()), bool(filtered))
            for schema_name, table_name, columns, may_enter, hidden, filtered in cursor
        ]
    return [one for one in found if form.required <= set(one.columns) and not form.forbidden & set(one.columns)]


def _check_rights(conn: psycopg.Connection[Any], form: LedgerForm, ledger: _Candidate) -> None:
    """Raises: UsageError: the role may not read the ledger."""
    from psycopg.rows import tuple_row

    missing = []
    if not ledger.may_enter:
        missing.append(f"USAGE on schema {ledger.schema}")
    if ledger.hidden & form.wanted(ledger.columns):
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


def _rows(conn: psycopg.Connection[Any], form: LedgerForm, ledger: _Candidate) -> tuple[AppliedMigration, ...]:
    from psycopg import sql
    from psycopg.rows import tuple_row

    missing = (form.required | form.optional) - set(ledger.columns)

    def available(expression: str) -> str:
        return "NULL" if missing & set(re.findall(r"\w+", expression)) else expression

    fields = [form.version, form.name_of, form.applied_at, form.checksum, form.applied_by, form.execution_ms]
    fields += [form.failure, form.and_before]
    where = available(form.where)
    # The expressions are this program's own text; what comes from the database is only the table's name.
    query = sql.SQL(
        f"SELECT {', '.join(available(one) for one in fields)} FROM {{table}} "
        f"WHERE {where if where != 'NULL' else 'true'} ORDER BY {form.order_by}"
    ).format(table=sql.Identifier(ledger.schema, ledger.table))
    with conn.cursor(row_factory=tuple_row) as cursor:
        found = {
            version or "": AppliedMigration(
                version or "", name or "", at, checksum or None, who or None, duration, failure or None, and_before
            )
            for version, name, at, checksum, who, duration, failure, and_before in cursor.execute(query)
        }
    return tuple(found.values())
