"""``backfill_read_model``: a query's rows into a table, in batches that nobody notices."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal

from psycopg import sql
from psycopg.rows import tuple_row
from pydantic import Field

from confiture_tui.core.hooks.builtin.backfill_progress import BackfillProgress
from confiture_tui.core.hooks.builtin.queries import Query, read_query
from confiture_tui.core.hooks.builtin.relations import find
from confiture_tui.core.hooks.hook import Hook, HookOptions
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookResult

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.builtin.relations import FoundRelation
    from confiture_tui.core.hooks.context import HookContext

_POLL_S = 0.25
_LAG = """
SELECT pg_catalog.max(EXTRACT(epoch FROM replay_lag)), pg_catalog.count(*) FILTER (WHERE state IS NULL)
FROM pg_catalog.pg_stat_replication
"""
"""How far the last replica is behind in seconds, and how many replicas this role may not look at."""


class BackfillReadModelOptions(HookOptions):
    """What to copy, and how gently.

    Attributes:
        query: a SELECT whose columns have the names of the target's.
        target: the table to fill.
        key: the column of the query that orders the batches; it should be the target's key.
        keys_from: a table or view that has all values of ``key``, in a column of that name: the batches' bounds are
            taken from it. It should have an index on the key, where finding the next bound in the query itself would
            have to go through all that is left of it (a query that groups or joins); the query itself when left out.
        tenant_column: the column that says whose a row is. It must be among the query's, must not be NULL, and each
            batch is checked before it is committed: a row of the target that is another tenant's stops the backfill.
        batch_rows: rows of one transaction.
        pause_ms: milliseconds between two transactions, in which nothing is held.
        on_conflict: what happens where the target has a row already: ``nothing`` keeps it (the application has
            written it, and knows better), ``update`` overwrites it, ``error`` stops.
        max_replica_lag_s: seconds by which a replica may be behind before the backfill waits; ``null`` never waits.
        lock_timeout_ms: how long a batch may wait for a lock.
    """

    query: str
    target: str
    key: str
    keys_from: str | None = None
    tenant_column: str | None = None
    batch_rows: int = Field(default=5000, ge=1, le=1_000_000)
    pause_ms: int = Field(default=20, ge=0, le=60_000)
    on_conflict: Literal["nothing", "update", "error"] = "nothing"
    max_replica_lag_s: float | None = Field(default=10, gt=0)
    lock_timeout_ms: int = Field(default=2000, ge=1)


class BackfillReadModel(Hook):
    """Fills a read model from a query, by ranges of a key, each range in a transaction of its own.

    How far it has come is written in the same transaction, so an attempt after a crash goes on where the last one
    stopped. The query is evaluated for each batch, with a condition on the key; an index on the key's source makes
    that quick. Between batches nothing is held. The runner stops a batch that others wait for, and has the backfill go
    on after a pause.
    """

    name = "backfill_read_model"
    phase = HookPhase.AFTER_DDL
    phases = frozenset({HookPhase.AFTER_DDL, HookPhase.AFTER_VALIDATION})
    Options = BackfillReadModelOptions
    transactional = False
    idempotent = True

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult:
        """Copy batch after batch until the query has no more rows."""
        return _Backfill(conn, self.options, context).run()


class _Backfill:
    def __init__(self, conn: psycopg.Connection[Any], options: BackfillReadModelOptions, context: HookContext) -> None:
        self._conn = conn
        self._options = options
        self._context = context
        self._query: Query = read_query(conn, options.query, option="query")
        self._target: FoundRelation = find(conn, options.target, kinds="rp", what="table")
        for option in ("key", "tenant_column"):
            column = getattr(options, option)
            if column is not None and column not in self._query.columns:
                raise ValueError(f"the option {option} names {column}, which the query does not give")
        self._key = sql.Identifier(options.key)
        self._keys: sql.Composable = self._query.as_source
        if options.keys_from is not None:
            self._keys = find(conn, options.keys_from, kinds="rpvmf", what="table or view").identifier
        self._key_type = self._type_of_key()
        self._told_of_hidden = False
        self._progress = BackfillProgress(conn, context.version or "", options.target)

    def run(self) -> HookResult:
        total = self._estimate()
        self._refuse_null_keys()
        last, done = self._progress.read()
        if last is not None:
            self._context.logger.info("goes on where the last attempt stopped", last_key=last, rows=done)
        batches = inserted = 0
        ended = False
        while not ended:
            self._context.check_cancelled()
            self._wait_for_replicas()
            upper = self._upper_bound(last)
            ended = upper is None
            with self._conn.transaction():
                rows = self._copy(last, upper)
                inserted += rows
                if upper is None:
                    self._progress.forget()
                else:
                    self._progress.keep(upper, done + rows)
            last, done, batches = upper, done + rows, batches + 1
            self._context.progress(done, max(total, done), f"batch {batches}: {done:,} rows")
            if not ended:
                threading.Event().wait(self._options.pause_ms / 1000)
        self._progress.drop_if_empty()
        return HookResult(
            rows_affected=inserted,
            statistics={"batches": batches, "rows": inserted},
            message=f"{inserted:,} rows in {batches} batch{'es' if batches > 1 else ''}",
        )

    def _copy(self, last: str | None, upper: str | None) -> int:
        columns = sql.SQL(", ").join(map(sql.Identifier, self._query.columns))
        self._conn.execute(
            sql.SQL("SELECT pg_catalog.set_config('lock_timeout', {}, true)").format(
                sql.Literal(f"{self._options.lock_timeout_ms}ms")
            )
        )
        rows = self._conn.execute(
            sql.SQL(
                "INSERT INTO {target} ({columns}) SELECT {columns} FROM {source} AS source WHERE {where}{conflict}"
            ).format(
                target=self._target.identifier,
                columns=columns,
                source=self._query.as_source,
                where=self._range("source", last, upper),
                conflict=self._on_conflict(),
            )
        ).rowcount
        if self._options.tenant_column is not None:
            self._check_tenants(self._options.tenant_column, last, upper)
        return rows

    def _check_tenants(self, column: str, last: str | None, upper: str | None) -> None:
        tenant = sql.Identifier(column)
        row = (
            self._conn.cursor(row_factory=tuple_row)
            .execute(
                sql.SQL(
                    "SELECT count(*) FILTER (WHERE source.{tenant} IS NULL), "
                    "count(*) FILTER (WHERE target.{tenant} IS DISTINCT FROM source.{tenant}) "
                    "FROM {source} AS source JOIN {target} AS target ON target.{key} = source.{key} WHERE {where}"
                ).format(
                    tenant=tenant,
                    source=self._query.as_source,
                    target=self._target.identifier,
                    key=self._key,
                    where=self._range("source", last, upper),
                )
            )
            .fetchone()
        )
        without, foreign = row if row is not None else (0, 0)
        if without:
            raise RuntimeError(f"{without:,} rows of the query have no {column}: whose they are is not known")
        if foreign:
            raise RuntimeError(
                f"{foreign:,} rows of {self._options.target} have another {column} than their source: "
                "one tenant would see another's data"
            )

    def _range(self, alias: str, last: str | None, upper: str | None) -> sql.Composable:
        key = sql.SQL("{}.{}").format(sql.Identifier(alias), self._key)
        bounds: list[sql.Composable] = []
        if last is not None:
            bounds.append(sql.SQL("{} > {}").format(key, self._value(last)))
        if upper is not None:
            bounds.append(sql.SQL("{} <= {}").format(key, self._value(upper)))
        return sql.SQL(" AND ").join(bounds) if bounds else sql.SQL("true")

    def _value(self, text: str) -> sql.Composable:
        # The type is the server's own spelling (format_type).
        return sql.SQL("CAST({} AS {})").format(sql.Literal(text), sql.SQL(self._key_type))

    def _upper_bound(self, last: str | None) -> str | None:
        """The key that ends the next batch; ``None`` when the rest fits into one."""
        row = self._fetch(
            sql.SQL(
                "SELECT CAST(source.{key} AS text) FROM {source} AS source WHERE {where} "
                "ORDER BY source.{key} OFFSET {before} LIMIT 1"
            ).format(
                key=self._key,
                source=self._keys,
                where=self._range("source", last, None),
                before=sql.Literal(self._options.batch_rows - 1),
            )
        )
        return row[0] if row is not None else None

    def _on_conflict(self) -> sql.Composable:
        match self._options.on_conflict:
            case "nothing":
                return sql.SQL(" ON CONFLICT DO NOTHING")
            case "update":
                others = [name for name in self._query.columns if name != self._options.key]
                if not others:
                    return sql.SQL(" ON CONFLICT DO NOTHING")
                sets = sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in others)
                return sql.SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(self._key, sets)
            case _:
                return sql.SQL("")

    def _refuse_null_keys(self) -> None:
        row = self._fetch(
            sql.SQL("SELECT 1 FROM {} AS source WHERE source.{} IS NULL LIMIT 1").format(self._keys, self._key)
        )
        if row is not None:
            raise ValueError(f"the query gives rows whose {self._options.key} is NULL, which no batch would reach")

    def _type_of_key(self) -> str:
        cursor = self._conn.execute(
            sql.SQL("SELECT source.{} FROM {} AS source LIMIT 0").format(self._key, self._query.as_source)
        )
        assert cursor.description is not None  # a SELECT has columns
        row = self._fetch(
            # Without a modifier: `character` alone would be character(1).
            sql.SQL("SELECT pg_catalog.format_type({}, -1)").format(sql.Literal(cursor.description[0].type_code))
        )
        assert row is not None  # a SELECT without FROM gives one row
        name: str = row[0]
        return name

    def _estimate(self) -> int:
        row = self._fetch(sql.SQL("EXPLAIN (FORMAT JSON) SELECT FROM {} AS source").format(self._keys))
        return int(row[0][0]["Plan"]["Plan Rows"]) if row is not None else 0

    def _wait_for_replicas(self) -> None:
        limit = self._options.max_replica_lag_s
        told = False
        while limit is not None:
            lag, hidden = self._fetch(sql.SQL(_LAG)) or (None, 0)
            if hidden and not self._told_of_hidden:
                self._context.logger.warning("does not see how far replicas are behind: it needs pg_monitor")
                self._told_of_hidden = True
            if lag is None or lag <= limit:
                return
            if not told:
                self._context.logger.warning("waits for a replica", lag_s=float(lag), limit_s=limit)
                told = True
            threading.Event().wait(_POLL_S)
            self._context.check_cancelled()

    def _fetch(self, query: sql.SQL | sql.Composed) -> tuple[Any, ...] | None:
        return self._conn.cursor(row_factory=tuple_row).execute(query).fetchone()
