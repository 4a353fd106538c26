"""Reading the items of FROM: tables, views, sequences, sub-selects, functions, joins."""

from __future__ import annotations

from collections.abc import Mapping

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.expressions.base import NOTHING, Reader, Visitor, Walk, names_of
from confiture_tui.core.effects.expressions.column_names import figured_name
from confiture_tui.core.effects.expressions.conditions import note_conditions
from confiture_tui.core.effects.expressions.policies import read_policies
from confiture_tui.core.effects.expressions.reads import Node, Read
from confiture_tui.core.effects.expressions.scope import SYSTEM_COLUMNS, Entry, Scope, ScopeColumn, columns_of
from confiture_tui.core.effects.expressions.views import read_view
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.schema import Found, Presence

BLOCKS_PUSHING = ("groupClause", "havingClause", "distinctClause", "windowClause", "limitCount", "limitOffset")
# A query with one of these is computed before conditions from outside are applied to its rows.


def renamed(columns: Mapping[str, ScopeColumn] | None, names: list[str]) -> Mapping[str, ScopeColumn] | None:
    """Columns under the names that an alias gives the first of them."""
    if columns is None or not names:
        return columns
    values = list(columns.values())
    rest = list(columns.items())[len(names) :]
    return {**dict(zip(names, values, strict=False)), **dict(rest)}


RECURSIVE_ROWS = 10.0
"""What a recursive query is taken to yield each time; the planner takes ten times its first part."""


def limit_of(query: Node) -> float | None:
    """At most so many rows come from a query, where it says so with a number."""
    count = query.get("limitCount", {}).get("A_Const", {})
    return float(count["ival"].get("ival", 0)) if "ival" in count else None


def as_rows(
    columns: Mapping[str, ScopeColumn] | None, rows: float, made_of: list[Read] | None = None
) -> Mapping[str, ScopeColumn] | None:
    """Columns of rows that are no table's, of which there are so many."""
    if columns is None:
        return None
    source = made_of[0] if made_of is not None and len(made_of) == 1 else None
    read = Read(Found("", ("", ""), None, Presence.SYSTEM), LockMode.ACCESS_SHARE, rows=rows, made_of=source)
    return {name: ScopeColumn(one.type, one.not_null, (read, name)) for name, one in columns.items()}


def _alias(node: Node) -> tuple[str | None, list[str]]:
    alias = node.get("alias", {})
    return alias.get("aliasname"), names_of(alias.get("colnames", []))


def _range_var(reader: Reader, node: Node) -> Walk:
    """A table, view, sequence or query of WITH in FROM."""
    name = node["relname"]
    alias, names = _alias(node)
    columns: Mapping[str, ScopeColumn] | None
    if "schemaname" not in node and (cte := reader.scope.cte(name)) is not None:
        cte.used = True
        columns = renamed(cte.columns, names)
        if cte.rows is not None:
            columns = as_rows(columns, cte.rows, cte.reads)
        reader.scope.entries.append(Entry(alias or name, columns))
        return NOTHING
    found = reader.schema.find(node)
    mode = LockMode.ACCESS_SHARE
    read = Read(found, mode, only=not node.get("inh", False), through=reader.through)
    columns = None
    if found.presence is Presence.MISSING:
        written = f"{node['schemaname']}.{name}" if "schemaname" in node else name
        reader.problem("42P01", f'relation "{written}" does not exist')
    else:
        reader.facts.reads.append(read)
    if not found.known and found.presence is not Presence.SYSTEM:
        reader.facts.complete = False
    relation = found.relation if found.known else None
    if relation is not None:
        columns = columns_of(relation, read)
        if relation.kind is RelationKind.VIEW:
            columns = yield read_view(reader, relation, read)
        elif relation.row_security:
            yield read_policies(reader, relation, "SELECT")
    reader.scope.entries.append(Entry(alias or name, renamed(columns, names), node.get("schemaname"), read))
    return NOTHING


def _subselect(reader: Reader, node: Node) -> Walk:
    alias, names = _alias(node)
    scope = reader.scope
    query = node["subquery"]["SelectStmt"]
    if not node.get("lateral"):
        # The other items of FROM cannot be named inside.
        reader.scope = Scope(outer=scope.outer, ctes=scope.ctes, variables=scope.variables)
    elif any(clause in query for clause in BLOCKS_PUSHING):
        # It is run anew for each row of what stands before it.
        reader.scope = Scope(outer=scope, subplan=True)
    first = len(reader.facts.reads)
    columns = yield reader.visitors["SelectStmt"](reader, query)
    reader.scope = scope
    rows = float(len(query["valuesLists"])) if "valuesLists" in query else limit_of(query)
    if rows is not None:
        columns = as_rows(columns, rows, reader.facts.reads[first:])
    scope.entries.append(Entry(alias, renamed(columns, names)))
    return NOTHING


def _range_function(reader: Reader, node: Node) -> Walk:
    alias, names = _alias(node)
    functions = node.get("functions", [])
    value = NOTHING
    call: Node = {}
    for function in functions:
        items = function.get("List", {}).get("items", [])
        if items:
            call = items[0]
            value = yield reader.visit(call)
    columns: Mapping[str, ScopeColumn] | None = None
    scalar = value.type not in (None, "record", "void") and len(functions) == 1
    if scalar and reader.schema.type(str(value.type).split(".")) is None and "." not in str(value.type):
        name = names[0] if names else alias or name_of(call)
        columns = {name: ScopeColumn(value.type)}
        if node.get("ordinality"):
            columns[names[1] if len(names) > 1 else "ordinality"] = ScopeColumn("bigint")
    reader.scope.entries.append(Entry(alias or name_of(call), columns))
    return NOTHING


def _join(reader: Reader, node: Node) -> Walk:
    scope = reader.scope
    alias, _names = _alias(node)
    first = len(scope.entries)
    yield reader.visit(node.get("larg"))
    middle = len(scope.entries)
    yield reader.visit(node.get("rarg"))
    if node.get("isNatural"):
        _merge(scope, _common_names(scope.entries[first:middle], scope.entries[middle:]))
    elif "usingClause" in node:
        _refuse_using(reader, names_of(node["usingClause"]), scope.entries[first:middle], scope.entries[middle:])
        _merge(scope, names_of(node["usingClause"]))
    for entry in scope.entries[first:]:
        if entry.read is not None and scope.merged:
            entry.read.used |= scope.merged.keys() & (entry.columns or {}).keys()
    quals = node.get("quals")
    if quals is not None:
        reader.require_boolean((yield reader.visit(quals)), "JOIN/ON")
        note_conditions(reader, quals)
    if alias:
        _merge(scope, None)
        scope.entries.append(Entry(alias, None))
    return NOTHING


def _refuse_using(reader: Reader, names: list[str], left: list[Entry], right: list[Entry]) -> None:
    """The columns of USING are there on both sides."""
    if not reader.schema.known:
        return
    for side, entries in (("left", left), ("right", right)):
        columns = [one.columns for one in entries]
        if None in columns:
            continue
        for name in names:
            if not any(one is not None and name in one for one in columns):
                reader.problem("42703", f'column "{name}" specified in USING clause does not exist in {side} table')


def _merge(scope: Scope, names: list[str] | None) -> None:
    """A join makes one column of two; ``None``: of which is not known."""
    if names is None:
        scope.merged = None
    elif scope.merged is not None:
        scope.merged |= dict.fromkeys(names)


def _common_names(left: list[Entry], right: list[Entry]) -> list[str] | None:
    names: list[set[str]] = []
    for side in (left, right):
        if any(one.columns is None for one in side):
            return None
        names.append({name for one in side for name in one.columns or () if name not in SYSTEM_COLUMNS})
    order = [name for one in left for name in one.columns or ()]
    return [name for name in order if name in names[0] & names[1]]


def _sample(reader: Reader, node: Node) -> Walk:
    first = len(reader.facts.reads)
    yield reader.visit(node.get("relation"))
    yield reader.visit_all(node.get("args", []))
    for read in reader.facts.reads[first:]:
        read.sampled = True
    return NOTHING


def _table_function(reader: Reader, node: Node) -> Walk:
    alias, _ = _alias(node)
    yield reader.visit_anything({key: inside for key, inside in node.items() if key != "alias"})
    reader.scope.entries.append(Entry(alias, None))
    return NOTHING


def name_of(node: Node) -> str:
    """The name that the server gives a column without one (FigureColname)."""
    return figured_name(node) or "?column?"


FROM_ITEMS: dict[str, Visitor] = {
    "RangeVar": _range_var,
    "RangeSubselect": _subselect,
    "RangeFunction": _range_function,
    "RangeTableSample": _sample,
    "RangeTableFunc": _table_function,
    "JsonTable": _table_function,
    "JoinExpr": _join,
}
"""The visitor of each kind of node that is an item of FROM."""
