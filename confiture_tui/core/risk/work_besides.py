"""Work of a statement that is none on a relation of before: rows of tables that it makes, samples, comparisons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.risk.advice.tree import Node, nodes_of

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.rates import Rates
    from confiture_tui.core.risk.sizes import Sizes, TableSize

SAMPLED_ROWS: Final = 30_000
"""Rows, and pages, that ANALYZE looks at: 300 times default_statistics_target, which is 100."""
_SAMPLED_PAGE: Final = 3.0
"""Times a page of a scan: the pages of a sample lie apart. Measured on tables of 10^5 and 10^6 rows."""
_COMPARED_ROW: Final = 2.0
"""Times an update of as many rows: REFRESH CONCURRENTLY writes the new rows aside, joins them with the old ones and
looks for duplicates, whatever has changed. Measured 1.5 to 4 on 10^4 to 10^6 rows."""
_CHOSEN: Final = 1 / 3
"""The share of the rows that a condition is expected to leave, as for an UPDATE."""
_PAGE: Final = 8192


class Besides(NamedTuple):
    """Seconds expected; bytes of write-ahead log and of disk."""

    seconds: float
    wal: int = 0
    disk: int = 0


def work_besides(forecast: Forecast, sizes: Sizes, rates: Rates) -> Besides | None:
    """The work of a statement that its list of work does not show; ``None`` for most, and where no size is known."""
    kind, node = forecast.statement.node_kind, forecast.statement.node or {}
    if kind == "VacuumStmt":
        return _vacuumed(forecast, node, sizes, rates)
    if not forecast.works:
        return None
    if kind == "RefreshMatViewStmt":
        return _compared(forecast, node, sizes, rates)
    query = _query_into_new(forecast, node)
    return None if query is None else _written(forecast, query, sizes, rates)


def _query_into_new(forecast: Forecast, node: Node) -> Node | None:
    """The query whose rows fill a table that the migration makes."""
    kind = forecast.statement.node_kind
    if kind == "CreateTableAsStmt":
        query: Node | None = node.get("query", {}).get("SelectStmt")
        return query
    if kind == "SelectStmt":
        return node if "intoClause" in node else None
    if kind == "InsertStmt" and all(work.kind is not WorkKind.WRITE for work in forecast.works):
        rows: Node | None = node.get("selectStmt", {}).get("SelectStmt")
        return rows
    return None


def _written(forecast: Forecast, query: Node, sizes: Sizes, rates: Rates) -> Besides | None:
    """As many rows as the biggest table that is read has, unless the query puts rows together or counts them out."""
    read = [sizes.of(work.relation) for work in forecast.works if work.kind is WorkKind.SCAN]
    if not read or not all(each.known for each in read):
        return None
    if {"groupClause", "distinctClause", "limitCount", "havingClause"} & query.keys():
        return None
    most = max(read, key=lambda each: each.rows)
    share = _CHOSEN if "whereClause" in query else 1.0
    made = int(most.bytes * share)
    return Besides((most.rows * rates.rewrite_row + most.bytes / 1e6 * rates.rewrite_mb) * share, made, made)


def _compared(forecast: Forecast, node: Node, sizes: Sizes, rates: Rates) -> Besides | None:
    if not node.get("concurrent"):
        return None
    view = sizes.of(forecast.before.name_of(node.get("relation", {})))
    if not view.known:
        return None
    return Besides(view.rows * rates.write_row * _COMPARED_ROW, 0, view.bytes)


def _vacuumed(forecast: Forecast, node: Node, sizes: Sizes, rates: Rates) -> Besides | None:
    """ANALYZE takes a sample, VACUUM reads the pages that have changed: as many as all of them."""
    options = {each.get("defname") for each in nodes_of(node.get("options", ()), "DefElem")}
    if "full" in options:
        return None
    analyzes, vacuums = not node.get("is_vacuumcmd") or "analyze" in options, bool(node.get("is_vacuumcmd"))
    seconds = 0.0
    for size in _worked_on(forecast, sizes):
        relation = sizes.relation(size.relation)
        columns = len(relation.columns) if relation is not None else 1
        if vacuums:
            seconds += size.rows * rates.scan_row + size.bytes / 1e6 * rates.scan_mb
        if analyzes:
            pages = min(size.bytes / _PAGE, SAMPLED_ROWS)
            seconds += min(size.rows, SAMPLED_ROWS) * columns * rates.build_row
            seconds += pages * _PAGE / 1e6 * rates.scan_mb * _SAMPLED_PAGE
    return Besides(seconds)


def _worked_on(forecast: Forecast, sizes: Sizes) -> Iterable[TableSize]:
    """The tables that it locks as VACUUM and ANALYZE do; those of which nothing is known cost what they may."""
    locked = dict.fromkeys(each.relation for each in forecast.locks if each.mode is LockMode.SHARE_UPDATE_EXCLUSIVE)
    return (size for size in map(sizes.of, locked) if size.known)
