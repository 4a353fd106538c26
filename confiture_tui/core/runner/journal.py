"""``tb_confiture_journal``: what a run has done so far, written by a connection of its own.

The ledger says what is applied; the journal says what was being done when nobody is left to tell. Its entries survive
the rollback of the migration that they speak of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal, LiteralString

from psycopg import sql
from psycopg.rows import class_row

if TYPE_CHECKING:
    import psycopg

TABLE = "tb_confiture_journal"

_CREATE = """
CREATE TABLE IF NOT EXISTS {table} (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id          uuid NOT NULL,
    version         text NOT NULL,
    name            text NOT NULL,
    direction       text NOT NULL,
    checksum        text NOT NULL,
    state           text NOT NULL,
    transactional   boolean NOT NULL,
    statements      integer NOT NULL,
    statement_begun integer NOT NULL DEFAULT 0,
    statement_done  integer NOT NULL DEFAULT 0,
    hooks_after     boolean NOT NULL DEFAULT false,
    hooks_done      text[] NOT NULL DEFAULT '{{}}',
    transaction_id  text,
    backend_pid     integer,
    attempts        integer NOT NULL DEFAULT 1,
    error           text,
    run_by          text NOT NULL DEFAULT current_user,
    tool_version    text NOT NULL,
    expected_ms     double precision,
    expected_by     text,
    took_ms         double precision,
    started_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    changed_at      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
)
"""
_ADD_TIMES = """
ALTER TABLE {table} ADD COLUMN IF NOT EXISTS expected_ms double precision,
                    ADD COLUMN IF NOT EXISTS expected_by text, ADD COLUMN IF NOT EXISTS took_ms double precision
"""
_HAS_TIMES = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute
                WHERE attrelid = pg_catalog.to_regclass({name}) AND attname = 'took_ms' AND NOT attisdropped)
"""
_TIMED = """
SELECT expected_ms, took_ms FROM {table}
 WHERE expected_by = %s AND expected_ms IS NOT NULL AND took_ms IS NOT NULL AND state = %s ORDER BY id DESC LIMIT %s
"""
_EXISTS = "SELECT pg_catalog.to_regclass({name}) IS NOT NULL"
_INSERT = """
INSERT INTO {table} (run_id, version, name, direction, checksum, state, transactional, statements, tool_version,
                     expected_ms, expected_by)
VALUES (%(run_id)s, %(version)s, %(name)s, %(direction)s, %(checksum)s, %(state)s, %(transactional)s, %(statements)s,
        %(tool_version)s, %(expected_ms)s, %(expected_by)s)
RETURNING id
"""
_COLUMNS = (
    "id, run_id::text, version, name, direction, checksum, state, transactional, statements, statement_begun, "
    "statement_done, hooks_after, hooks_done, transaction_id, backend_pid, attempts, error, run_by, started_at, "
    "changed_at"
)

Direction = Literal["forward", "backward"]


@dataclass(frozen=True, slots=True)
class ExpectedTime:
    """How long the statements of a migration were expected to take, and by which rates that was worked out."""

    milliseconds: float
    by: str


class JournalState(StrEnum):
    """Where a run of a migration stands."""

    RUNNING = "running"
    """It began; outside a transaction, ``statement_done`` says how far it has come."""
    COMMITTING = "committing"
    """COMMIT was about to be sent: how it ended, the transaction's id tells."""
    HOOKS_PENDING = "hooks_pending"
    """The migration is committed, with its ledger row; hooks that make transactions of their own are not done."""
    DONE = "done"
    FAILED = "failed"
    """It failed, and all of it was rolled back."""
    INTERRUPTED = "interrupted"
    """It stopped half-way: part of it stands."""
    SETTLED = "settled"
    """Somebody has looked at what was left, and decided."""

    @property
    def is_open(self) -> bool:
        """Whether somebody must look at it before the next run."""
        return self not in (JournalState.DONE, JournalState.FAILED, JournalState.SETTLED)


ENDED_UNSEEN: Final = "The session ended before the commit: nothing of it stands."
"""The error of an entry whose end nobody saw: it was found out later."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One run of one migration.

    Attributes:
        id, run_id: of the entry; of the run, which may have several migrations.
        version, name, checksum: of the migration; of the file that was run.
        direction: forward or backward.
        state: where it stands.
        transactional: all statements ran in one transaction.
        statements: how many there are.
        statement_begun, statement_done: 1-based numbers of the last statement begun and done outside a transaction.
        hooks_after: hooks are to run after the commit.
        hooks_done: the hooks after the commit that are done, as ``PHASE:name``.
        transaction_id: of the transaction about to be committed; ``None`` before that.
        backend_pid: the process of the session that ran it.
        attempts: how often it was begun.
        error: what went wrong.
        run_by: the role.
        started_at, changed_at: when.
    """

    id: int
    run_id: str
    version: str
    name: str
    direction: Direction
    checksum: str
    state: str
    transactional: bool
    statements: int
    statement_begun: int
    statement_done: int
    hooks_after: bool
    hooks_done: list[str]
    transaction_id: str | None
    backend_pid: int | None
    attempts: int
    error: str | None
    run_by: str
    started_at: datetime
    changed_at: datetime

    @property
    def label(self) -> str:
        """How the migration is shown."""
        return "_".join(part for part in (self.version, self.name) if part)

    @property
    def end_seen(self) -> bool:
        """Whether ``changed_at`` is when it ended, rather than when somebody found out that it had."""
        return self.error != ENDED_UNSEEN

    @property
    def known_done(self) -> int:
        """How many statements are known to stand: all of them, once they are committed before hooks that follow."""
        return self.statements if self.state == JournalState.HOOKS_PENDING else self.statement_done


class Journal:
    """The journal of one database. Every call is one statement; the caller decides in which transaction."""

    def __init__(self, schema: str, name: str = TABLE) -> None:
        self.schema = schema
        self.name = name
        self._table = sql.Identifier(schema, name)

    def exists(self, conn: psycopg.Connection[Any]) -> bool:
        """Whether there is one."""
        return self._is_true(conn, _EXISTS)

    def create(self, conn: psycopg.Connection[Any]) -> None:
        """Create it where it is absent, and give one that an older release made the columns that it lacks.

        Raises:
            psycopg.Error: the role may not create tables there.
        """
        if not self.exists(conn):
            conn.execute(sql.SQL(_CREATE).format(table=self._table))
        elif not self._is_true(conn, _HAS_TIMES):
            conn.execute(sql.SQL(_ADD_TIMES).format(table=self._table))

    def begin(
        self,
        conn: psycopg.Connection[Any],
        *,
        run_id: str,
        version: str,
        name: str,
        direction: Direction,
        checksum: str,
        transactional: bool,
        statements: int,
        tool_version: str,
        expected: ExpectedTime | None = None,
    ) -> int:
        """Write that a migration is about to be run; the entry's id."""
        row = conn.execute(
            sql.SQL(_INSERT).format(table=self._table),
            {
                "run_id": run_id,
                "version": version,
                "name": name,
                "direction": direction,
                "checksum": checksum,
                "state": JournalState.RUNNING,
                "transactional": transactional,
                "statements": statements,
                "tool_version": tool_version,
                "expected_ms": expected.milliseconds if expected is not None else None,
                "expected_by": expected.by if expected is not None else None,
            },
        ).fetchone()
        assert row is not None  # RETURNING gives one row
        return int(row[0])

    def update(self, conn: psycopg.Connection[Any], entry: int, **columns: Any) -> None:
        """Write what has changed, by column."""
        changes = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in columns
        )
        conn.execute(
            sql.SQL("UPDATE {} SET {}, changed_at = pg_catalog.clock_timestamp() WHERE id = %(entry_id)s").format(
                self._table, changes
            ),
            {**columns, "entry_id": entry},
        )

    def add_hook_done(self, conn: psycopg.Connection[Any], entry: int, hook: str) -> None:
        """Write that a hook after the commit is done."""
        conn.execute(
            sql.SQL(
                "UPDATE {} SET hooks_done = pg_catalog.array_append(hooks_done, %s), "
                "changed_at = pg_catalog.clock_timestamp() WHERE id = %s"
            ).format(self._table),
            (hook, entry),
        )

    def open_entries(self, conn: psycopg.Connection[Any]) -> tuple[JournalEntry, ...]:
        """What was not brought to an end, the oldest first; nothing where there is no journal."""
        ended = [state for state in JournalState if not state.is_open]
        return self._entries(conn, sql.SQL("WHERE state <> ALL ({}) ORDER BY id").format(sql.Literal(ended)))

    def entries(self, conn: psycopg.Connection[Any], *, limit: int = 1000) -> tuple[JournalEntry, ...]:
        """The newest entries, the newest first; nothing where there is no journal."""
        return self._entries(conn, sql.SQL("ORDER BY id DESC LIMIT {}").format(sql.Literal(limit)))

    def timed(self, conn: psycopg.Connection[Any], *, expected_by: str, limit: int = 50) -> list[tuple[float, float]]:
        """What the newest runs were expected to take and what they took, in milliseconds.

        Args:
            expected_by: the rates that the expectation rests on.
        """
        if not self._is_true(conn, _HAS_TIMES):
            return []
        query = sql.SQL(_TIMED).format(table=self._table)
        return conn.execute(query, (expected_by, JournalState.DONE, limit)).fetchall()

    def _is_true(self, conn: psycopg.Connection[Any], query: LiteralString) -> bool:
        name = sql.Literal(self._table.as_string(conn))
        row = conn.execute(sql.SQL(query).format(name=name)).fetchone()
        return bool(row and row[0])

    def _entries(self, conn: psycopg.Connection[Any], rest: sql.Composed) -> tuple[JournalEntry, ...]:
        if not self.exists(conn):
            return ()
        with conn.cursor(row_factory=class_row(JournalEntry)) as cursor:
            query = sql.SQL("SELECT {} FROM {} {}").format(sql.SQL(_COLUMNS), self._table, rest)
            return tuple(cursor.execute(query).fetchall())
