"""MERGE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.expressions.conditions import note_conditions
from confiture_tui.core.effects.expressions.queries import read_with
from confiture_tui.core.effects.expressions.scope import Entry, Scope
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.pruning import reached
from confiture_tui.core.effects.queries.assignments import missing_column, written
from confiture_tui.core.effects.queries.common_table import note_writes
from confiture_tui.core.effects.queries.inserts import note_default
from confiture_tui.core.effects.queries.noting import note, note_assignment, reader_for
from confiture_tui.core.effects.queries.published import refuse_unidentified
from confiture_tui.core.effects.queries.rows import (
    DELETE,
    INSERT,
    UPDATE,
    known_empty,
    note_assumed_failures,
    note_rows,
)
from confiture_tui.core.effects.queries.running import note_data
from confiture_tui.core.effects.queries.targets import target_of
from confiture_tui.core.effects.queries.updates import add_target, read_assignments

if TYPE_CHECKING:
    from confiture_tui.core.effects.expressions.base import Reader
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_EVENTS = {"CMD_INSERT": INSERT, "CMD_UPDATE": UPDATE, "CMD_DELETE": DELETE}
FIRST_VERSION = 150000
"""``server_version_num`` from which there is MERGE."""
_MORE = 170000
"""``server_version_num`` from which there are NOT MATCHED BY SOURCE and RETURNING, and views as targets."""


def read_merge(node: Node, step: Step, *, execute: bool = True, scope: Scope | None = None) -> None:
    """MERGE: ROW EXCLUSIVE on the target, and all that its actions reach."""
    clauses = [one["MergeWhenClause"] for one in node.get("mergeWhenClauses", ())]
    by_source = any(one.get("matchKind") == "MERGE_WHEN_NOT_MATCHED_BY_SOURCE" for one in clauses)
    version = step.now.server_version_num
    if version < FIRST_VERSION or (version < _MORE and (by_source or "returningClause" in node)):
        step.refuse("42601", "syntax error: the server does not know this form of MERGE")
    _refuse_unreachable(step, clauses)
    events = {_EVENTS[one["commandType"]] for one in clauses if one.get("commandType") in _EVENTS}
    named = step.now.find(node["relation"])
    if named.known and named.relation is not None:
        _refuse_target(step, named.relation)
    target = target_of(step, node["relation"], min(events, default=UPDATE), execute=execute)
    reader = reader_for(step, Scope(outer=scope, variables=step.variables) if scope is not None else None)
    reader.walk(read_with(reader, node.get("withClause")))
    read = add_target(reader, node["relation"], target)
    reader.walk(reader.visit(node.get("sourceRelation")))
    condition = node.get("joinCondition")
    if condition is not None:
        reader.read(condition)
        before = [(one, len(one.conditions)) for one in reader.facts.reads if one is not read]
        note_conditions(reader, condition)
        if INSERT in events:
            # Rows of the source that match nothing are wanted too.
            for one, count in before:
                del one.conditions[count:]
    if by_source:
        read.conditions.clear()
    relation = target.relation
    sides = {"MERGE_WHEN_NOT_MATCHED_BY_TARGET": slice(1, None), "MERGE_WHEN_NOT_MATCHED_BY_SOURCE": slice(0, 1)}
    both = reader.scope.entries
    for clause in clauses:
        # What has no row there cannot be named.
        reader.scope.entries = both[sides.get(str(clause.get("matchKind")), slice(None))]
        reader.read(clause.get("condition"))
        _action(reader, clause, relation, step)
    reader.scope.entries = both
    for one in node.get("returningClause", {}).get("exprs", ()):
        value = one["ResTarget"].get("val", {})
        if not any("A_Star" in part for part in value.get("ColumnRef", {}).get("fields", ())):
            reader.scope.entries.append(Entry(None, None))
            reader.read(value)
    note(step, reader, execute=execute)
    note_writes(step, reader, execute=execute)
    if not execute or not events:
        return
    note_data(step, read.found, changes=None, destroys=None if DELETE in events else False)
    step.write(read.found, "rows are merged")
    if not target.found.known:
        note_assumed_failures(step, target.found.name)
    if relation is not None:
        _note_rows(step, relation, clauses, only=read.only)


def _refuse_unreachable(step: Step, clauses: list[Node]) -> None:
    """After a WHEN without a condition there is none of its kind."""
    ended: set[str] = set()
    for clause in clauses:
        kind = str(clause.get("matchKind"))
        if kind in ended:
            step.refuse("42601", "unreachable WHEN clause specified after unconditional WHEN clause")
        if "condition" not in clause:
            ended.add(kind)


def _refuse_target(step: Step, relation: Relation) -> None:
    """What MERGE does not write to."""
    kinds = {RelationKind.TABLE, RelationKind.PARTITIONED_TABLE}
    if step.now.server_version_num >= _MORE:
        kinds.add(RelationKind.VIEW)
    if relation.kind not in kinds or (relation.rules and relation.kind is not RelationKind.VIEW):
        step.refuse("0A000", f'cannot execute MERGE on relation "{relation.name}"')


def _action(reader: Reader, clause: Node, relation: Relation | None, step: Step) -> None:
    """One WHEN: its values are read, and what is certain to be refused is noted."""
    inserts = clause.get("commandType") == "CMD_INSERT"
    if inserts:
        names = [one["ResTarget"]["name"] for one in clause.get("targetList", ())]
        if relation is not None and not names:
            names = [column.name for column in relation.columns]
        values = clause.get("values", [])
        written_names = clause.get("targetList", ())
        if written_names and len(values) < len(written_names):
            step.refuse("42601", "INSERT has more target columns than expressions")
        if names and len(values) > len(names):
            step.refuse("42601", "INSERT has more expressions than target columns")
        pairs = [
            (name, None if "SetToDefault" in value else reader.read(value), "SetToDefault" in value)
            for name, value in zip(names, values, strict=False)
        ]
    else:
        pairs = read_assignments(reader, clause.get("targetList", ()))
    if relation is None:
        return
    for name, value, default in pairs:
        column = relation.column(name)
        if column is None:
            step.fails(*missing_column(relation, name))
            continue
        refusal = written(column, default=default, inserts=inserts, override=str(clause.get("override", "")))
        if refusal is not None:
            step.fails(*refusal)
        elif value is not None:
            note_assignment(step, column, value)
        if column.not_null and value is not None and value.null is not False:
            step.may_fail("23502", f'column "{name}" of relation "{relation.name}" may be given NULL')
    if inserts:
        given = {name for name, _, default in pairs if not default}
        for column in relation.columns:
            if column.name not in given:
                note_default(step, relation, column)
                if column.not_null and column.default is None and column.identity is None:
                    step.may_fail("23502", f'column "{column.name}" of relation "{relation.name}" is given NULL')


def _note_rows(step: Step, relation: Relation, clauses: list[Node], *, only: bool) -> None:
    inserting = any(one.get("commandType") == "CMD_INSERT" for one in clauses)
    if any(one.get("commandType") in ("CMD_UPDATE", "CMD_DELETE") for one in clauses):
        step.may_fail("21000", "several rows of the source may match one of the target")
    if relation.kind is RelationKind.PARTITIONED_TABLE and any("targetList" in one or inserting for one in clauses):
        step.may_fail("23514", "there may be no partition for a row")
        keys = {
            name
            for one in (relation, *step.now.descendants(relation))
            if one.partitioning
            for name in one.partitioning.columns
        }
        named = {
            each["ResTarget"]["name"]
            for one in clauses
            for each in one.get("targetList", ())
            if one.get("commandType") == "CMD_UPDATE"
        }
        if None in keys or keys & named:
            step.destroys_data(None)  # a row that moves to another partition is deleted in its own
    members = [relation]
    if not only or inserting:
        members += reached(relation, step.now)
    for member in members[1:]:
        step.lock(member, LockMode.ROW_EXCLUSIVE, "its rows are merged")
    for clause in clauses:
        event = _EVENTS.get(str(clause.get("commandType")))
        if event is None:
            continue
        names = [one["ResTarget"]["name"] for one in clause.get("targetList", ())]
        for member in members:
            if member is relation or member.kind is RelationKind.TABLE:
                if event != INSERT:
                    refuse_unidentified(step, member, "update" if event == UPDATE else "delete")
                empty = event != INSERT and known_empty(member)
                note_rows(
                    step,
                    member,
                    event,
                    columns=None if event == DELETE or not names else names,
                    empty=empty,
                    named=member is relation,
                )
