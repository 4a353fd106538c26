"""``verify_consistency``: a read model holds what its source says, for each tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import tuple_row
from pydantic import Field

from confiture_tui.core.hooks.builtin.queries import read_query
from confiture_tui.core.hooks.builtin.relations import find
from confiture_tui.core.hooks.hook import Hook, HookOptions
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookResult

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import HookContext

_WORST = 5
"""Tenants that a message names; the statistics count all."""


class VerifyConsistencyOptions(HookOptions):
    """What must be equal.

    Attributes:
        query: the source, as a SELECT whose columns have the names of the target's.
        target: the table or view that must hold the same.
        key: the columns that tell which row of the one is which row of the other.
        tenant_column: counts are made for each value of it, and a row that is another tenant's in the target is found.
        columns: what must be equal beside the key; all other columns of the query when left out.
        sums: columns whose sums must be equal too, for each tenant; both sides' are in the statistics.
        ignore_extra: rows that only the target has are no mistake; sums are then only told.
    """

    query: str
    target: str
    key: tuple[str, ...] = Field(min_length=1)
    tenant_column: str | None = None
    columns: tuple[str, ...] | None = None
    sums: tuple[str, ...] = ()
    ignore_extra: bool = False


class VerifyConsistency(Hook):
    """Compares a query with a table, row by row, and fails when they differ."""

    name = "verify_consistency"
    phase = HookPhase.AFTER_VALIDATION
    phases = frozenset(
        {HookPhase.BEFORE_VALIDATION, HookPhase.AFTER_DDL, HookPhase.AFTER_VALIDATION, HookPhase.CLEANUP}
    )
    Options = VerifyConsistencyOptions
    idempotent = True

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult:
        """Compare, and fail with the counts where something differs."""
        options = self.options
        compare = self._comparison(conn)
        found = conn.cursor(row_factory=tuple_row).execute(compare).fetchall()
        rows = sum(one[1] for one in found)
        statistics: dict[str, Any] = {"rows": rows, "tenants": len(found) if options.tenant_column else None}
        for number, column in enumerate(options.sums):
            statistics[f"sum of {column}"] = {
                "source": str(sum(one[6 + 2 * number] or 0 for one in found)),
                "target": str(sum(one[7 + 2 * number] or 0 for one in found)),
            }
        wrong = [one for one in found if self._mistakes(one)]
        for kind, position in (("missing", 2), ("extra", 3), ("different", 4), ("other tenant", 5)):
            statistics[kind] = sum(one[position] for one in found)
        if wrong:
            raise RuntimeError(f"{options.target} differs from its source: {self._sentence(wrong)}")
        return HookResult(statistics=statistics, message=f"{rows:,} rows are equal")

    def _comparison(self, conn: psycopg.Connection[Any]) -> sql.Composed:
        options = self.options
        query = read_query(conn, options.query, option="query")
        target = find(conn, options.target, kinds="rpvmf", what="table or view")
        for option in ("key", "columns", "sums"):
            for column in getattr(options, option) or ():
                if column not in query.columns:
                    raise ValueError(f"the option {option} names {column}, which the query does not give")
        columns = options.columns
        if columns is None:
            columns = tuple(name for name in query.columns if name not in options.key)
        tenant = options.tenant_column
        if tenant is not None and tenant not in query.columns:
            raise ValueError(f"the option tenant_column names {tenant}, which the query does not give")
        # A FULL JOIN needs plain equality; keys are not NULL, so a NULL key tells the side that has no row.
        on = _all(sql.SQL("source.{0} = target.{0}"), options.key)
        first = sql.Identifier(options.key[0])
        differs = (
            sql.SQL(" OR ").join(
                sql.SQL("source.{0} IS DISTINCT FROM target.{0}").format(sql.Identifier(name)) for name in columns
            )
            if columns
            else sql.SQL("false")
        )
        both = sql.SQL("source.{0} IS NOT NULL AND target.{0} IS NOT NULL").format(first)
        whose = (
            sql.SQL("COALESCE(source.{0}, target.{0})").format(sql.Identifier(tenant)) if tenant else sql.SQL("NULL")
        )
        foreign = (
            sql.SQL("source.{0} IS DISTINCT FROM target.{0}").format(sql.Identifier(tenant))
            if tenant
            else sql.SQL("false")
        )
        sums = [sql.SQL(", sum(source.{0}), sum(target.{0})").format(sql.Identifier(name)) for name in options.sums]
        return sql.SQL(
            "SELECT CAST({whose} AS text), count(*), count(*) FILTER (WHERE target.{first} IS NULL), "
            "count(*) FILTER (WHERE source.{first} IS NULL), count(*) FILTER (WHERE {both} AND ({differs})), "
            "count(*) FILTER (WHERE {both} AND {foreign}){sums} "
            "FROM {source} AS source FULL JOIN {target} AS target ON {on} GROUP BY 1 ORDER BY 1"
        ).format(
            whose=whose,
            first=first,
            both=both,
            differs=differs,
            foreign=foreign,
            sums=sql.Composed(sums),
            source=query.as_source,
            target=target.identifier,
            on=on,
        )

    def _sentence(self, wrong: list[tuple[Any, ...]]) -> str:
        words = []
        for one in wrong[:_WORST]:
            tenant = f"{self.options.tenant_column} {one[0]}: " if self.options.tenant_column else ""
            words.append(tenant + ", ".join(self._mistakes(one)))
        more = f" (and {len(wrong) - _WORST:,} more tenants)" if len(wrong) > _WORST else ""
        return "; ".join(words) + more

    def _mistakes(self, one: tuple[Any, ...]) -> list[str]:
        """What is wrong with one tenant's rows, in words."""
        _whose, _count, missing, extra, different, foreign, *sums = one
        options = self.options
        counts = (
            (missing, "missing"),
            (0 if options.ignore_extra else extra, "too many"),
            (different, "different"),
            (foreign, "of another tenant"),
        )
        words = [f"{count:,} {what}" for count, what in counts if count]
        if not options.ignore_extra:
            pairs = zip(options.sums, sums[::2], sums[1::2], strict=True)
            words += [f"the sum of {name} is {there} and not {here}" for name, here, there in pairs if here != there]
        return words


def _all(template: sql.SQL, names: tuple[str, ...]) -> sql.Composable:
    return sql.SQL(" AND ").join(template.format(sql.Identifier(name)) for name in names)
