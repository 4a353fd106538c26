"""UPDATE and DELETE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.expressions.conditions import is_never, joined_sublinks, note_conditions
from confiture_tui.core.effects.expressions.grouping import refuse_aggregates
from confiture_tui.core.effects.expressions.policies import read_policies
from confiture_tui.core.effects.expressions.queries import read_with
from confiture_tui.core.effects.expressions.reads import Read
from confiture_tui.core.effects.expressions.scope import Entry, Scope, ScopeColumn, columns_of
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.pruning import reached
from confiture_tui.core.effects.queries.assignments import missing_column, written
from confiture_tui.core.effects.queries.common_table import note_writes
from confiture_tui.core.effects.queries.inserts import note_ancestors, note_default
from confiture_tui.core.effects.queries.noting import children_reached, note, note_assignment, reader_for
from confiture_tui.core.effects.queries.published import refuse_unidentified
from confiture_tui.core.effects.queries.returning import read_returning
from confiture_tui.core.effects.queries.rows import (
    DELETE,
    INSERT,
    UPDATE,
    has_row_trigger,
    known_empty,
    note_assumed_failures,
    note_rows,
)
from confiture_tui.core.effects.queries.running import note_data
from confiture_tui.core.effects.queries.targets import Target, target_of
from confiture_tui.core.effects.schema import Found, Presence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.effects.expressions.base import Reader
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_MOVES_AS_UPDATE = 150000
"""From this version on foreign keys see a row that moves to another partition as changed, not as deleted and new."""


def read_update(node: Node, step: Step, *, execute: bool = True, scope: Scope | None = None) -> None:
    """UPDATE: ROW EXCLUSIVE on the table, and all that changed rows reach."""
    target = target_of(step, node["relation"], UPDATE, execute=execute)
    reader, read = _begin(step, node, target, scope)
    for item in node.get("fromClause", ()):
        reader.walk(reader.visit(item))
    _where(reader, node.get("whereClause"))
    assigned = _assignments(reader, node)
    read_returning(reader, node, reader.scope.entries[0].columns)
    note(step, reader, execute=execute)
    note_writes(step, reader, execute=execute)
    relation = target.relation
    if execute:
        _note_data(step, target, read, node, destroys=False)
    _check_names(step, assigned, node)
    if relation is None:
        return
    note_ancestors(step, relation)
    columns = [
        (target.columns or {}).get(name, name)
        for name, _value, _default in assigned
        if _written_to(step, relation, target, name)
    ]
    _check(step, relation, target, assigned, node)
    if execute:
        nulls = [name for name, value, _default in assigned if value is not None and value.null is True]
        _note_changed_rows(step, relation, read, UPDATE, columns, nulls)


def read_delete(node: Node, step: Step, *, execute: bool = True, scope: Scope | None = None) -> None:
    """DELETE: ROW EXCLUSIVE on the table, and all that rows reach which go."""
    target = target_of(step, node["relation"], DELETE, execute=execute)
    reader, read = _begin(step, node, target, scope)
    for item in node.get("usingClause", ()):
        reader.walk(reader.visit(item))
    _where(reader, node.get("whereClause"))
    read_returning(reader, node, reader.scope.entries[0].columns)
    note(step, reader, execute=execute)
    note_writes(step, reader, execute=execute)
    if execute:
        _note_data(step, target, read, node, destroys=True)
        if target.relation is not None:
            _note_changed_rows(step, target.relation, read, DELETE, None)


def _begin(step: Step, node: Node, target: Target, scope: Scope | None) -> tuple[Reader, Read]:
    """A reader in which the target can be named, and its mention."""
    cursor = node.get("whereClause", {}).get("CurrentOfExpr", {}).get("cursor_name")
    if cursor is not None and cursor not in step.session.cursors:
        step.may_fail("34000", f'cursor "{cursor}" does not exist')
    reader = reader_for(step, Scope(outer=scope, variables=step.variables) if scope is not None else None)
    reader.walk(read_with(reader, node.get("withClause")))
    read = add_target(reader, node["relation"], target)
    if target.relation is not None:
        reader.walk(read_policies(reader, target.relation, "SELECT", "UPDATE", "DELETE"))
    return reader, read


def add_target(reader: Reader, node: Node, target: Target) -> Read:
    """Put what is written to among what is read; its mention."""
    relation = target.relation
    found = target.found
    if not target.direct and relation is not None:
        found = Found(relation.qualified_name, (relation.schema, relation.name), relation, Presence.KNOWN)
    only = not node.get("inh", False)
    read = Read(found, LockMode.ROW_EXCLUSIVE, only=only, target=True, executed=not target.replaced)
    reader.facts.reads.append(read)
    columns: dict[str, ScopeColumn] | None = None
    named = target.found.relation if target.found.known else None
    if named is not None:
        columns = columns_of(named, read if target.direct and relation is not None else None)
    if target.columns is not None and columns is not None and relation is not None:
        own = columns_of(relation, read)
        columns = {name: own.get(target.columns.get(name, ""), column) for name, column in columns.items()}
    alias = node.get("alias", {}).get("aliasname") or node["relname"]
    reader.scope.entries.append(Entry(alias, columns, node.get("schemaname"), read))
    return read


def _where(reader: Reader, where: Node | None) -> None:
    if where is None:
        return
    reader.joined |= joined_sublinks(where)
    reader.require_boolean(reader.read(where), "WHERE")
    refuse_aggregates(reader, where, "WHERE")
    note_conditions(reader, where)
    if is_never(where):
        for read in reader.facts.reads:
            read.executed = False


Assigned = tuple[str, Any, bool]


def _assignments(reader: Reader, node: Node) -> list[Assigned]:
    """Name, value and whether it is DEFAULT, of each column that is set."""
    return read_assignments(reader, node.get("targetList", ()))


def read_assignments(reader: Reader, targets: list[Node] | tuple[Node, ...]) -> list[Assigned]:
    """Name, value (``None`` where it is not known) and whether it is DEFAULT, of each column in SET."""
    found: list[Assigned] = []
    for one in targets:
        result = one["ResTarget"]
        value = result.get("val", {})
        several = value.get("MultiAssignRef")
        if several is not None:
            # The source is written once, and stands in the tree once for each column.
            if several.get("colno", 1) == 1:
                source = several.get("source", {})
                if "RowExpr" in source:
                    reader.walk(reader.visit_anything(source["RowExpr"].get("args", [])))
                else:
                    reader.read(source)
            found.append((result["name"], None, False))
            continue
        default = "SetToDefault" in value
        read = None if default else reader.read(value)
        refuse_aggregates(reader, value, "UPDATE")
        found.append((result["name"], read if not result.get("indirection") else None, default))
    return found


def _written_to(step: Step, relation: Relation, target: Target, name: str) -> bool:
    """Whether a column that is set is there; the statement is refused when it is not."""
    own = (target.columns or {}).get(name, name)
    if relation.column(own) is None:
        step.refuse(*missing_column(target.found.relation or relation, name))
    return True


def _check_names(step: Step, assigned: list[Assigned], node: Node) -> None:
    """A column that is set twice, whatever the table is; parts of one (an array's elements) may be."""
    if any("indirection" in one["ResTarget"] for one in node.get("targetList", ())):
        return
    names = [name for name, _, _ in assigned]
    for name in names:
        if names.count(name) > 1:
            step.refuse("42601", f'multiple assignments to same column "{name}"')


def _check(step: Step, relation: Relation, target: Target, assigned: list[Assigned], node: Node) -> None:
    """What of the assignments the server is certain to refuse."""
    for name, value, default in assigned:
        column = relation.column((target.columns or {}).get(name, name))
        if column is None:
            continue
        refusal = written(column, default=default, inserts=False)
        if refusal is not None:
            step.fails(*refusal)
        elif value is not None:
            note_assignment(step, column, value)
        if default:
            note_default(step, relation, column)
        if column.not_null and (
            (value is not None and value.null is not False) or (default and column.default is None)
        ):
            message = f'null value in column "{column.name}" of relation "{relation.name}" violates not-null constraint'
            certain = value is not None and value.null is True and "whereClause" not in node and _has_rows(relation)
            if certain and not has_row_trigger(relation, UPDATE, before=True) and "fromClause" not in node:
                step.fails("23502", message)
            else:
                step.may_fail("23502", message)


def _has_rows(relation: Relation) -> bool:
    """Whether the statistics say that rows are there, and that none were taken away since."""
    found = relation.statistics
    return found is not None and (found.rows > 0 or found.live_rows > 0)


def _note_data(step: Step, target: Target, read: Read, node: Node, *, destroys: bool) -> None:
    if target.replaced or not read.executed:
        return
    if target.relation is not None and known_empty(target.relation):
        return
    if not target.found.known:
        note_assumed_failures(step, target.found.name, deletes=destroys)
    # Whether a sub-query or a join finds any row is not known; a plain condition is taken to.
    elsewhere = "fromClause" in node or "usingClause" in node or _has_sublink(node.get("whereClause"))
    certain = None if elsewhere else True
    note_data(step, read.found, changes=certain, destroys=certain if destroys else False)
    step.write(read.found, "rows are deleted" if destroys else "rows are updated")


def _has_sublink(where: Node | None) -> bool:
    waiting: list[object] = [where]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if "SubLink" in one:
                return True
            waiting.extend(inside for inside in one.values() if isinstance(inside, dict | list))
        elif isinstance(one, list):
            waiting.extend(one)
    return False


def _note_changed_rows(
    step: Step, relation: Relation, read: Read, event: int, columns: list[str] | None, nulls: Sequence[str] = ()
) -> None:
    members = [relation, *children_reached(step, relation, read)]
    moves = event == UPDATE and columns is not None and _moves(step, relation, columns)
    if moves:
        # A row whose key changes may go to any partition.
        for member in reached(relation, step.now):
            step.lock(member, LockMode.ROW_EXCLUSIVE, "rows may move to the partition")
            if member not in members:
                members.append(member)
        step.may_fail("23514", f"{relation.qualified_name}: there may be no partition for a row")
    for member in members:
        refuse_unidentified(step, member, "update" if event == UPDATE else "delete")
        empty = not read.executed or known_empty(member)
        if member is relation or member.kind is RelationKind.TABLE:
            note_rows(step, member, event, columns=columns, nulls=nulls, empty=empty, named=member is relation)
    if moves and read.executed and step.schema.server_version_num < _MOVES_AS_UPDATE:
        uncertain, step.uncertain = step.uncertain, True
        for member in members:
            if member is relation or member.kind is RelationKind.TABLE:
                note_rows(step, member, DELETE, named=False)
                note_rows(step, member, INSERT, named=False)
        step.uncertain = uncertain


def _moves(step: Step, relation: Relation, columns: list[str]) -> bool:
    tables = [relation, *reached(relation, step.now)]
    keys = {
        column
        for table in tables
        if table.partitioning is not None
        for column in (*table.partitioning.columns, *([] if None not in table.partitioning.columns else columns))
    }
    return bool(keys & set(columns))
