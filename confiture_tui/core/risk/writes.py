"""How many rows a statement inserts, updates or deletes, at most, as far as its text and the sizes tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.sizes import TableSize

_Node = Mapping[str, Any]

_WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt"})


def rows_changed(
    forecast: Forecast,
    size_of: Callable[[str], TableSize],
    relation_of: Callable[[str], Relation | None],
    chosen: int | None = None,
) -> float:
    """The rows that a statement changes on relations that existed before, at most; 0 for none.

    Args:
        forecast: of the statement.
        size_of, relation_of: of the tables, by name.
        chosen: how many rows its condition chooses, where they were counted.
    """
    written = dict.fromkeys(work.relation for work in forecast.works if work.kind == "write")
    if not written:
        return 0.0
    if forecast.measured_rows is not None:
        return float(forecast.measured_rows)
    node, kind = forecast.statement.node or {}, forecast.statement.node_kind
    target = next(iter(written))
    everything = sum(size_of(name).rows for name in written)
    if kind not in _WRITES or any(True for _ in _inner_writes(node)):
        return everything
    if kind == "CopyStmt":
        data = forecast.statement.copy_data
        return everything if data is None else float(data.count("\n") + (not data.endswith("\n") and data != ""))
    if kind == "InsertStmt":
        return _inserted(node, size_of, forecast, everything)
    if kind == "MergeStmt":
        return everything
    found = _selected(node.get("whereClause"), relation_of(target)) if chosen is None else chosen
    if found is None:
        return everything
    named = forecast.before.name_of(node.get("relation", {}))
    rows = size_of(named).rows if named in written else 0.0
    # What cascades and triggers reach besides grows with the rows that they start from.
    return min(found * everything / rows if rows else float(found), max(everything, float(found)))


def _inserted(node: _Node, size_of: Callable[[str], TableSize], forecast: Forecast, everything: float) -> float:
    source = node.get("selectStmt", {}).get("SelectStmt")
    if source is None:
        return 1.0  # DEFAULT VALUES
    if "valuesLists" in source:
        return float(len(source["valuesLists"]))
    if (limit := _limit(source)) is not None:
        return float(limit)
    if (series := _series(source)) is not None:
        return series
    if not source.get("fromClause"):
        return 1.0
    read = [work.relation for work in forecast.works if work.kind == "scan"]
    return max((size_of(name).rows for name in read), default=everything)


def _series(select: _Node) -> float | None:
    """The rows that ``generate_series`` with plain numbers makes; ``None`` where there is none."""
    sources = [each.get("RangeFunction", {}).get("functions", ()) for each in select.get("fromClause", ())]
    calls = [item for functions in sources for each in functions for item in each.get("List", {}).get("items", ())]
    calls += [each.get("ResTarget", {}).get("val", {}) for each in select.get("targetList", ())]
    for each in calls:
        call = each.get("FuncCall", {}) if isinstance(each, dict) else {}
        name = [part.get("String", {}).get("sval") for part in call.get("funcname", ())][-1:]
        numbers = [_integer(argument) for argument in call.get("args", ())]
        if name == ["generate_series"] and len(numbers) in (2, 3) and None not in numbers:
            first, last, step = ([each or 0 for each in numbers] + [1])[:3]
            return float(max(0, (last - first) // step + 1)) if step else None
    return None


def _integer(node: Any) -> int | None:
    constant = node.get("A_Const") if isinstance(node, dict) else None
    value = constant.get("ival") if isinstance(constant, dict) else None
    return int(value.get("ival", 0)) if isinstance(value, dict) else None


def _selected(where: _Node | None, relation: Relation | None) -> int | None:
    """How many rows a condition lets through at most, where that is plain to see; ``None`` otherwise."""
    if where is None:
        return None
    if "BoolExpr" in where and where["BoolExpr"].get("boolop") == "AND_EXPR":
        found = [_selected(each, relation) for each in where["BoolExpr"].get("args", ())]
        return min((each for each in found if each is not None), default=None)
    if "A_Expr" in where:
        return _compared(where["A_Expr"], relation)
    if "SubLink" in where and where["SubLink"].get("subLinkType") == "ANY_SUBLINK":
        link = where["SubLink"]
        limit = _limit(link.get("subselect", {}).get("SelectStmt", {}))
        return limit if limit is not None and _is_key(link.get("testexpr"), relation) else None
    return None


def _compared(expression: _Node, relation: Relation | None) -> int | None:
    operator = expression.get("name", [{}])[-1].get("String", {}).get("sval")
    left, right = expression.get("lexpr"), expression.get("rexpr", {})
    if operator != "=" or not _is_key(left, relation):
        return None
    if expression.get("kind") == "AEXPR_OP" and _is_constant(right):
        return 1
    if expression.get("kind") == "AEXPR_IN" and "List" in right:
        items = right["List"].get("items", [])
        return len(items) if all(_is_constant(each) for each in items) else None
    return None


def _is_key(expression: Any, relation: Relation | None) -> bool:
    """Whether it is a column that alone is unique."""
    fields = (expression or {}).get("ColumnRef", {}).get("fields") if isinstance(expression, dict) else None
    name = fields[-1].get("String", {}).get("sval") if fields else None
    return relation is not None and any(
        index.unique and index.valid and index.predicate is None and index.key_columns == (name,)
        for index in relation.indexes
    )


def _is_constant(node: Any) -> bool:
    while isinstance(node, dict) and "TypeCast" in node:
        node = node["TypeCast"].get("arg")
    return isinstance(node, dict) and "A_Const" in node


def _limit(select: _Node) -> int | None:
    count = select.get("limitCount", {}).get("A_Const", {}).get("ival")
    return None if not isinstance(count, dict) else int(count.get("ival", 0))


def _inner_writes(node: Any) -> Iterator[str]:
    """The kinds of the writes inside a statement: those of its WITH clause."""
    for each in (node.get("withClause") or {}).get("ctes", ()):
        query = each.get("CommonTableExpr", {}).get("ctequery", {})
        yield from (kind for kind in query if kind in _WRITES)
