"""Reading queries: which tables, views and sequences they mention, with which locks, under which conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confiture_tui.core.effects.expressions.base import NOTHING, Reader, Visitor, Walk, names_of
from confiture_tui.core.effects.expressions.conditions import is_never, joined_sublinks, note_conditions
from confiture_tui.core.effects.expressions.from_items import (
    BLOCKS_PUSHING,
    FROM_ITEMS,
    RECURSIVE_ROWS,
    as_rows,
    limit_of,
    name_of,
    renamed,
)
from confiture_tui.core.effects.expressions.reads import Node, Value
from confiture_tui.core.effects.expressions.scope import Cte, Entry, Scope, ScopeColumn
from confiture_tui.core.effects.lock_modes import LockMode

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
        yield _select(reader, node.get("rarg", {}))
        if columns is not None:
            columns = {name: ScopeColumn(one.type) for name, one in columns.items()}
    elif "valuesLists" in node:
        columns = yield _values(reader, node["valuesLists"])
    else:
        columns = yield _plain_select(reader, node)
    if columns is not None:
        scope.aliases.update(columns)
    for clause in ("sortClause", "groupClause", "distinctClause", "windowClause", "limitOffset", "limitCount"):
        if clause in node:
            yield _ordering(reader, node[clause], columns)
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
        note_conditions(reader, where)
    columns: dict[str, ScopeColumn] | None = {}
    for target in node.get("targetList", []):
        result = target.get("ResTarget", {})
        value_node = result.get("val", {})
        if "ColumnRef" in value_node and any("A_Star" in part for part in value_node["ColumnRef"]["fields"]):
            stars = _star(scope, names_of(value_node["ColumnRef"]["fields"]))
            columns = None if columns is None or stars is None else {**columns, **stars}
            continue
        value: Value = yield reader.visit(value_node)
        name = result.get("name") or name_of(value_node)
        if columns is not None:
            columns[name] = _output(reader, value_node, value)
    # The names of what SELECT gives are known to HAVING only through GROUP BY's own rules: not at all.
    yield reader.visit(node.get("havingClause"))
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


def _star(scope: Scope, names: list[str]) -> dict[str, ScopeColumn] | None:
    found: dict[str, ScopeColumn] = {}
    for entry in scope.entries:
        if names and entry.name != names[-1]:
            continue
        if entry.columns is None:
            return None
        hidden = entry.read is not None
        for name, column in entry.columns.items():
            if not (hidden and name in _SYSTEM):
                found.setdefault(name, column)
    return found


_SYSTEM = frozenset({"ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"})


def _values(reader: Reader, rows: list[Node]) -> Walk:
    columns: dict[str, ScopeColumn] = {}
    for row in rows:
        values = yield reader.visit_all(row.get("List", {}).get("items", []))
        if not columns:
            columns = {f"column{place}": ScopeColumn(one.type) for place, one in enumerate(values, start=1)}
    return columns


def _ordering(reader: Reader, clause: object, columns: Mapping[str, ScopeColumn] | None) -> Walk:
    """ORDER BY and its like, where output columns can be named too (not known: anything can)."""
    before = reader.scope
    if columns is None:
        reader.scope = Scope(outer=before, entries=[Entry(None, None)])
    yield reader.visit_anything(clause)
    reader.scope = before


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
