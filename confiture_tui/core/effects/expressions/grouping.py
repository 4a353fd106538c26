"""Aggregates and GROUP BY: where the server does not take an aggregate, nor a column that is not grouped.

PostgreSQL documentation, SELECT, "GROUP BY Clause": a column is grouped when it is written there, or when the table's
primary key is. Only what is certain is refused: where a join makes one column of two, or rows are grouped in several
ways, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.effects.written import without_places

if TYPE_CHECKING:
    from confiture_tui.core.effects.expressions.base import Reader
    from confiture_tui.core.effects.expressions.reads import Node
    from confiture_tui.core.effects.expressions.scope import Entry, Scope, ScopeColumn

_LEVELS = frozenset({"SubLink", "SelectStmt"})


def refuse_aggregates(reader: Reader, node: Node, where: str) -> None:
    """A condition on single rows holds no aggregate, window function or set; ``where`` it stands, ``WHERE`` say."""
    if not reader.functions:
        return
    for call in _calls(node):
        found = reader.functions.get(id(call))
        if found is None or not found.candidates or found.unfitting:
            continue
        if "over" in call or all(one.window for one in found.candidates):
            reader.problem("42P20", f"window functions are not allowed in {where}")
        elif all(one.aggregate for one in found.candidates):
            if not _is_outer(reader, call):
                reader.problem("42803", f"aggregate functions are not allowed in {where}")
        elif all(one.set_returning for one in found.candidates):
            reader.problem("0A000", f"set-returning functions are not allowed in {where}")


def _is_outer(reader: Reader, call: Node) -> bool:
    """Whether an aggregate may be one of the query level around: it has columns, none of them of this level."""
    own = {id(column) for entry in reader.scope.entries for column in (entry.columns or {}).values()}
    waiting: list[Any] = list(call.get("args", ()))
    columns = 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            reference = one.get("ColumnRef")
            if reference is not None:
                meaning = reader.meanings.get(id(reference))
                columns += 1
                if meaning is not None and meaning.column is not None and id(meaning.column) in own:
                    return False
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return columns > 0 and reader.scope.outer is not None


def _calls(node: object) -> Iterator[Node]:
    """The calls of functions in an expression, those of its own query level."""
    waiting: list[Any] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            if "FuncCall" in one:
                yield one["FuncCall"]
            waiting += [inside for key, inside in one.items() if key not in _LEVELS and not isinstance(inside, str)]


def refuse_ungrouped(reader: Reader, node: Node) -> None:
    """See that a SELECT with aggregates or GROUP BY gives and sorts by nothing that is not grouped."""
    if not reader.functions and "groupClause" not in node and "havingClause" not in node:
        return
    scope = reader.scope
    targets = [one.get("ResTarget", {}) for one in node.get("targetList", ())]
    shown: list[Node] = [one.get("val", {}) for one in targets]
    names = {one["name"] for one in targets if "name" in one}
    sorted_by = [
        one
        for item in node.get("sortClause", ())
        if not _is_alias(one := item.get("SortBy", {}).get("node", {}), names)
    ]
    having = node.get("havingClause")
    checked = [*shown, *([having] if having is not None else []), *sorted_by]
    if "groupClause" not in node and having is None and not any(_is_aggregate(reader, one) for one in _calls(checked)):
        return
    if scope.merged is None or scope.merged:
        return
    grouped = _grouped(reader, node.get("groupClause", ()), targets)
    if grouped is None:
        return
    allowed, expressions = grouped
    plainly = set(allowed)
    determined = _determined(scope, allowed)
    for columns in determined.values():
        allowed |= columns
    own = {id(column): entry for entry in scope.entries for column in (entry.columns or {}).values()}
    for one in checked:
        culprit = _ungrouped(reader, one, allowed, expressions, own)
        if culprit is not None:
            reader.problem(
                "42803",
                f'column "{culprit}" must appear in the GROUP BY clause or be used in an aggregate function',
            )
            return
    for key, columns in determined.items():
        if key and any(_ungrouped(reader, one, allowed - (columns - plainly), expressions, own) for one in checked):
            reader.facts.keys.append(key)


def refuse_unselected(reader: Reader, node: Node) -> None:
    """SELECT DISTINCT is sorted by nothing that it does not give."""
    targets = [one.get("ResTarget", {}) for one in node.get("targetList", ())]
    if node["distinctClause"] != [{}] or any("A_Star" in str(one.get("val", {}).get("ColumnRef")) for one in targets):
        return
    names = {one["name"] for one in targets if "name" in one}
    shown = [without_places(one.get("val", {})) for one in targets]
    columns = {_column_of(reader, one.get("val", {})) for one in targets}
    for item in node["sortClause"]:
        one = item.get("SortBy", {}).get("node", {})
        if (
            _is_alias(one, names)
            or "A_Const" in one
            or without_places(one) in shown
            or _column_of(reader, one) in columns
        ):
            continue
        reader.problem("42P10", "for SELECT DISTINCT, ORDER BY expressions must appear in select list")
        return


def _column_of(reader: Reader, node: Node) -> int:
    """The identity of the column that a node is; its own where it is none."""
    meaning = reader.meanings.get(id(node["ColumnRef"])) if "ColumnRef" in node else None
    return id(meaning.column) if meaning is not None and meaning.column is not None else id(node)


def _is_alias(node: Node, names: set[str]) -> bool:
    fields = node.get("ColumnRef", {}).get("fields", ())
    return len(fields) == 1 and fields[0].get("String", {}).get("sval") in names


def _is_aggregate(reader: Reader, call: Node) -> bool:
    found = reader.functions.get(id(call))
    return (
        found is not None
        and bool(found.candidates)
        and all(one.aggregate for one in found.candidates)
        and ("over" not in call)
    )


def _grouped(reader: Reader, clause: Any, targets: list[Node]) -> tuple[set[int], list[object]] | None:
    """The columns, by identity, and the other expressions that are grouped by; ``None``: that cannot be told."""
    columns: set[int] = set()
    expressions: list[object] = []
    named = {one["name"]: one.get("val", {}) for one in targets if "name" in one}
    for item in clause:
        if "GroupingSet" in item or "RowExpr" in item:
            return None
        place = item.get("A_Const", {}).get("ival")
        if place is not None:
            number = int(place.get("ival", 0))
            if not 1 <= number <= len(targets) or any("A_Star" in str(one.get("val")) for one in targets):
                return None
            item = targets[number - 1].get("val", {})
        reference = item.get("ColumnRef")
        if reference is not None:
            fields = reference.get("fields", ())
            meaning = reader.meanings.get(id(reference))
            if meaning is not None and meaning.column is not None:
                columns.add(id(meaning.column))
                continue
            alias = fields[0].get("String", {}).get("sval") if len(fields) == 1 else None
            if alias not in named:
                return None
            inner = named[alias].get("ColumnRef")
            meaning = reader.meanings.get(id(inner)) if inner is not None else None
            if meaning is not None and meaning.column is not None:
                columns.add(id(meaning.column))
                continue
            item = named[alias]
        expressions.append(without_places(item))
    return columns, expressions


def _determined(scope: Scope, allowed: set[int]) -> dict[int, set[int]]:
    """The columns of tables whose primary key is grouped by, each by the oid of that key."""
    found: dict[int, set[int]] = {}
    for entry in scope.entries:
        relation = entry.read.found.relation if entry.read is not None else None
        if relation is None or entry.columns is None:
            continue
        for one in relation.constraints:
            if one.kind is ConstraintKind.PRIMARY_KEY and not one.deferrable:
                keys: list[ScopeColumn | None] = [entry.columns.get(name) for name in one.columns]
                if keys and all(key is not None and id(key) in allowed for key in keys):
                    found.setdefault(one.oid, set()).update(id(column) for column in entry.columns.values())
    return found


def _ungrouped(
    reader: Reader, node: Node, allowed: set[int], expressions: list[object], own: dict[int, Entry]
) -> str | None:
    """The first column of this level in an expression that is neither grouped nor in an aggregate."""
    waiting: list[Any] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(reversed(one))
            continue
        if not isinstance(one, dict) or (expressions and without_places(one) in expressions):
            continue
        call = one.get("FuncCall")
        if call is not None:
            found = reader.functions.get(id(call))
            certain = (
                found is not None
                and bool(found.candidates)
                and not any(candidate.aggregate for candidate in found.candidates)
            )
            if not certain and "over" not in call:
                continue
        reference = one.get("ColumnRef")
        if reference is not None:
            culprit = _culprit(reader, reference, allowed, own)
            if culprit is not None:
                return culprit
            continue
        waiting.extend(inside for key, inside in one.items() if key not in _LEVELS and key != "GroupingFunc")
    return None


def _culprit(reader: Reader, reference: Node, allowed: set[int], own: dict[int, Entry]) -> str | None:
    fields = reference.get("fields", ())
    if any("A_Star" in one for one in fields):
        return _star_culprit(reader, fields, allowed)
    meaning = reader.meanings.get(id(reference))
    column = meaning.column if meaning is not None else None
    if column is None or id(column) in allowed or id(column) not in own:
        return None
    name = fields[-1].get("String", {}).get("sval", "")
    return f"{own[id(column)].name}.{name}"


def _star_culprit(reader: Reader, fields: Any, allowed: set[int]) -> str | None:
    table = fields[0].get("String", {}).get("sval") if len(fields) > 1 else None
    for entry in reader.scope.entries:
        if entry.columns is None or (table is not None and entry.name != table):
            continue
        relation = entry.read.found.relation if entry.read is not None else None
        for name, column in entry.columns.items():
            shown = relation is None or relation.column(name) is not None
            if shown and id(column) not in allowed:
                return f"{entry.name}.{name}"
    return None
