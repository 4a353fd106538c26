"""Reading queries: which tables, views and sequences they mention, with which locks, under which conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confiture_tui.core.effects.expressions.base import NOTHING, Reader, Visitor, Walk, names_of
from confiture_tui.core.effects.expressions.conditions import is_never, joined_sublinks, note_conditions
from confiture_tui.core.effects.expressions.conversions import common_type
from confiture_tui.core.effects.expressions.from_items import (
    BLOCKS_PUSHING,
    FROM_ITEMS,
    RECURSIVE_ROWS,
    as_rows,
    limit_of,
    name_of,
    renamed,
)
from confiture_tui.core.effects.expressions.grouping import refuse_aggregates, refuse_ungrouped, refuse_unselected
from confiture_tui.core.effects.expressions.reads import Node, Value
from confiture_tui.core.effects.expressions.scope import SYSTEM_COLUMNS, Cte, Entry, Scope, ScopeColumn, another_key
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.type_names import UNKNOWN

_WRITES = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")


def _select(reader: Reader, node: Node) -> Walk:
    """A SELECT, VALUES or set operation as a query level of its own; yields its columns."""
    scope = Scope(outer=reader.scope)
    reader.scope = scope
    first = len(reader.facts.reads)
    columns: Mapping[str, ScopeColumn] | None
    yield read_with(reader, node.get("withClause"))
    if node.get("op", "SETOP_NONE") != "SETOP_NONE":
        columns = yield _select(reader, node.get("larg", {}))
        if (itself := reader.recursive.get(id(node))) is not None:
            itself[0].columns = renamed(columns, itself[1])
        other: Mapping[str, ScopeColumn] | None = yield _select(reader, node.get("rarg", {}))
        columns = _united(reader, node, columns, other)
    elif "valuesLists" in node:
        columns = yield _values(reader, node["valuesLists"])
    else:
        columns = yield _plain_select(reader, node)
    if columns is not None:
        scope.aliases.update(columns)
    for clause in ("sortClause", "groupClause", "distinctClause", "windowClause", "limitOffset", "limitCount"):
        if clause in node:
            yield _ordering(reader, node[clause], columns)
    if "targetList" in node:
        refuse_ungrouped(reader, node)
        if "distinctClause" in node and "sortClause" in node:
            refuse_unselected(reader, node)
    _locking(reader, node.get("lockingClause", []), first)
    _note_order(reader, node)
    for cte in scope.ctes.values():
        if not cte.used:
            for read in cte.reads:
                read.executed = False
    reader.scope = scope.outer or Scope()
    return columns


def _plain_select(reader: Reader, node: Node) -> Walk:
    scope = reader.scope
    first = len(reader.facts.reads)
    for item in node.get("fromClause", []):
        yield reader.visit(item)
    where = node.get("whereClause")
    if where is not None:
        reader.joined |= joined_sublinks(where)
        reader.require_boolean((yield reader.visit(where)), "WHERE")
        refuse_aggregates(reader, where, "WHERE")
        note_conditions(reader, where)
    columns: dict[str, ScopeColumn] | None = {}
    for target in node.get("targetList", []):
        result = target.get("ResTarget", {})
        value_node = result.get("val", {})
        if "ColumnRef" in value_node and any("A_Star" in part for part in value_node["ColumnRef"]["fields"]):
            stars = _star(scope, names_of(value_node["ColumnRef"]["fields"]))
            _refuse_star(reader, names_of(value_node["ColumnRef"]["fields"]))
            if columns is not None and stars is not None:
                for name, column in stars:
                    columns[another_key(columns, name)] = column
            else:
                columns = None
            continue
        value: Value = yield reader.visit(value_node)
        name = result.get("name") or name_of(value_node)
        if columns is not None:
            columns[another_key(columns, name)] = _output(reader, value_node, value)
    # The names of what SELECT gives are known to HAVING only through GROUP BY's own rules: not at all.
    if "havingClause" in node:
        reader.require_boolean((yield reader.visit(node["havingClause"])), "HAVING")
    _note_smallest(reader, node, first)
    if where is not None and is_never(where):
        for read in reader.facts.reads[first:]:
            read.executed = False
    blocked = any(clause in node for clause in BLOCKS_PUSHING)
    if columns is not None and blocked:
        columns = {name: ScopeColumn(one.type, one.not_null) for name, one in columns.items()}
    return columns


def _note_smallest(reader: Reader, node: Node, first: int) -> None:
    """``SELECT max(key)``: an index has the smallest and the largest value at its ends."""
    reads = reader.facts.reads[first:]
    if len(reads) != 1 or "groupClause" in node or "havingClause" in node or "whereClause" in node:
        return
    columns: list[str] = []
    waiting: list[Any] = [target.get("ResTarget", {}).get("val", {}) for target in node.get("targetList", [])]
    while waiting:
        one = waiting.pop()
        call = one.get("FuncCall") if isinstance(one, dict) else None
        if (
            call is not None
            and names_of(call.get("funcname", []))[-1:] in (["min"], ["max"])
            and len(call["args"]) == 1
        ):
            reference = call["args"][0].get("ColumnRef")
            meaning = reader.meanings.get(id(reference)) if reference is not None else None
            if meaning is None or meaning.column is None or meaning.column.origin is None or "over" in call:
                return
            columns.append(meaning.column.origin[1])
        elif isinstance(one, dict):
            if "ColumnRef" in one or "SubLink" in one:
                return
            aggregates = call is not None and any(
                candidate.aggregate
                for made in reader.facts.calls
                for candidate in made.candidates
                if made.name == ".".join(names_of(call.get("funcname", [])))
            )
            if aggregates:
                return
            waiting.extend(inside for inside in one.values() if isinstance(inside, dict | list))
        elif isinstance(one, list):
            waiting.extend(one)
    if columns:
        reads[0].smallest = columns


def _output(reader: Reader, node: Node, value: Value) -> ScopeColumn:
    reference = node.get("ColumnRef")
    meaning = reader.meanings.get(id(reference)) if reference is not None else None
    if meaning is not None and meaning.column is not None and not meaning.parameter:
        return meaning.column
    return ScopeColumn(value.type, value.null is False)


def _refuse_star(reader: Reader, names: list[str]) -> None:
    """``x.*`` of what is not there."""
    if len(names) != 1 or not reader.schema.known:
        return
    scope: Scope | None = reader.scope
    while scope is not None:
        if names[0] in scope.variables or any(one.name in (None, names[0]) for one in scope.entries):
            return
        scope = scope.outer
    reader.problem("42P01", f'missing FROM-clause entry for table "{names[0]}"')


def _star(scope: Scope, names: list[str]) -> list[tuple[str, ScopeColumn]] | None:
    """The columns that a star means, in their order; ``None``: that cannot be told."""
    found: list[tuple[str, ScopeColumn]] = []
    if not names and scope.merged is None:
        return None
    merged = {} if names or scope.merged is None else scope.merged
    first: dict[str, ScopeColumn] = {}
    for entry in scope.entries:
        if names and entry.name != names[-1]:
            continue
        if entry.read is not None:
            entry.read.whole = True
        if entry.columns is None:
            return None
        hidden = entry.read is not None
        for name, column in entry.columns.items():
            if hidden and name in SYSTEM_COLUMNS:
                continue
            if name in merged:
                first.setdefault(name, column)
            else:
                found.append((name, column))
    return [*((name, first[name]) for name in merged if name in first), *found]


def _united(
    reader: Reader, node: Node, left: Mapping[str, ScopeColumn] | None, right: Mapping[str, ScopeColumn] | None
) -> Mapping[str, ScopeColumn] | None:
    """The columns of a UNION or its like: the names of the first query, and types that fit both."""
    if left is None or right is None:
        return None if left is None else {name: ScopeColumn(None) for name in left}
    word = str(node.get("op", "")).removeprefix("SETOP_")
    if len(left) != len(right):
        reader.problem("42601", f"each {word} query must have the same number of columns")
        return left
    columns: dict[str, ScopeColumn] = {}
    for (name, one), other in zip(left.items(), right.values(), strict=True):
        kind, apart = common_type([one.type, other.type], reader.schema)
        if apart is not None:
            reader.problem("42804", f"{word} types {apart[0]} and {apart[1]} cannot be matched")
        columns[name] = ScopeColumn("text" if kind == UNKNOWN else kind)
    return columns


def _values(reader: Reader, rows: list[Node]) -> Walk:
    read: list[list[Value]] = []
    for row in rows:
        read.append((yield reader.visit_all(row.get("List", {}).get("items", []))))  # noqa: PERF401 - a generator
    if len({len(row) for row in read}) > 1:
        reader.problem("42601", "VALUES lists must all be the same length")
        return None
    columns: dict[str, ScopeColumn] = {}
    for place, values in enumerate(zip(*read, strict=True), start=1):
        kind, apart = common_type([one.type for one in values], reader.schema)
        if apart is not None:
            reader.problem("42804", f"VALUES types {apart[0]} and {apart[1]} cannot be matched")
        for one in values:
            reader.take(kind, one)
        columns[f"column{place}"] = ScopeColumn(kind)
    return columns


def _ordering(reader: Reader, clause: object, columns: Mapping[str, ScopeColumn] | None) -> Walk:
    """ORDER BY and its like, where output columns can be named too (not known: anything can)."""
    before = reader.scope
    if columns is None:
        reader.scope = Scope(outer=before, entries=[Entry(None, None)])
    yield reader.visit_anything(clause)
    reader.scope = before
    for one in clause if columns is not None and isinstance(clause, list) else ():
        position = one.get("SortBy", {}).get("node", one).get("A_Const", {}).get("ival")
        if position is not None and columns is not None and not 1 <= position.get("ival", 0) <= len(columns):
            reader.problem("42P10", f"position {position.get('ival', 0)} is not in select list")


def read_with(reader: Reader, clause: Node | None) -> Walk:
    """A WITH: its queries are read, and their names can be used from here on."""
    if clause is None:
        return
    scope = reader.scope
    recursive = bool(clause.get("recursive"))
    for one in clause.get("ctes", []):
        cte = one["CommonTableExpr"]
        name = cte["ctename"]
        first = len(reader.facts.reads)
        if recursive:
            scope.ctes[name] = Cte(None, rows=RECURSIVE_ROWS)
        ((kind, query),) = cte["ctequery"].items()
        if recursive:
            reader.recursive[id(query)] = (scope.ctes[name], names_of(cte.get("aliascolnames", [])))
        columns: Mapping[str, ScopeColumn] | None = None
        if kind == "SelectStmt":
            columns = yield _select(reader, query)
        else:
            reader.facts.writes.append((kind, query, scope))
        columns = renamed(columns, names_of(cte.get("aliascolnames", [])))
        if "search_clause" in cte or "cycle_clause" in cte:
            columns = None
        rows = RECURSIVE_ROWS if recursive else limit_of(query)
        scope.ctes[name] = Cte(columns, reads=reader.facts.reads[first:] if kind == "SelectStmt" else [], rows=rows)


def _sublink(reader: Reader, node: Node) -> Walk:
    """A sub-select in an expression: run anew for each row, unless its conditions are made part of a join."""
    yield reader.visit(node.get("testexpr"))
    outer = reader.scope
    joined = id(node) in reader.joined
    reader.scope = Scope(outer=outer, subplan=not joined)
    start = len(reader.facts.reads)
    columns = yield _select(reader, node.get("subselect", {}).get("SelectStmt", {}))
    reader.scope = outer
    limit = limit_of(node.get("subselect", {}).get("SelectStmt", {}))
    if limit is not None:
        columns = as_rows(columns, limit, reader.facts.reads[start:])
    # Of one in brackets it is not known here whether it stands for a row, ``(a, b) = (SELECT …)``.
    if node.get("subLinkType") == "ARRAY_SUBLINK" and columns is not None and len(columns) > 1:
        reader.problem("42601", "subquery must return only one column")
    first = next(iter(columns.values()), None) if columns else None
    reader.outputs[id(node)] = first
    kind = node.get("subLinkType", "EXISTS_SUBLINK")
    if kind in ("EXISTS_SUBLINK", "ANY_SUBLINK", "ALL_SUBLINK"):
        return Value("boolean", null=False if kind == "EXISTS_SUBLINK" else None)
    if first is None or first.type is None:
        return NOTHING
    return Value(f"{first.type}[]" if kind == "ARRAY_SUBLINK" else first.type)


def _locking(reader: Reader, clauses: list[Node], first: int) -> None:
    """FOR UPDATE and its like: ROW SHARE on the tables of the query, through views too."""
    for clause in clauses:
        names = {one["RangeVar"]["relname"] for one in clause["LockingClause"].get("lockedRels", [])}
        locked = {id(entry.read) for entry in reader.scope.entries if entry.read and (not names or entry.name in names)}
        for read in reader.facts.reads[first:]:
            if (
                not names
                or id(read) in locked
                or (
                    read.through
                    and any(
                        id(view) in locked and view.found.name == read.through for view in reader.facts.reads[first:]
                    )
                )
            ):
                read.mode = LockMode.ROW_SHARE


def _note_order(reader: Reader, node: Node) -> None:
    """A query with LIMIT that wants the order of an index reads only the beginning of it."""
    if "limitCount" not in node or "sortClause" not in node:
        return
    by: Any = node["sortClause"][0].get("SortBy", {}).get("node", {}).get("ColumnRef")
    meaning = reader.meanings.get(id(by)) if by is not None else None
    if meaning is not None and meaning.column is not None and meaning.column.origin is not None:
        read, column = meaning.column.origin
        read.ordered_by = column


QUERIES: dict[str, Visitor] = {"SelectStmt": _select, "SubLink": _sublink, **FROM_ITEMS}
"""The visitor of each kind of node that is part of a query."""
