"""From what reading a statement brought to light to what the statement does: locks, scans, calls."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.expressions.scope import Cte, Scope, columns_of
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.plans import reads_whole, rows_given
from confiture_tui.core.effects.pruning import ancestors, reached
from confiture_tui.core.effects.queries.assignments import mismatch
from confiture_tui.core.effects.queries.calls import note_calls
from confiture_tui.core.effects.queries.foreign_tables import note_access
from confiture_tui.core.effects.schema import Presence
from confiture_tui.core.effects.statements.fresh_labels import is_fresh
from confiture_tui.core.effects.type_names import parse_type, user_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.expressions.reads import Condition, Facts, Read, Value
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_WHY = {
    LockMode.ACCESS_SHARE: "it is read",
    LockMode.ROW_SHARE: "its rows are locked",
    LockMode.ROW_EXCLUSIVE: "its rows are written",
}

_LOCKS_NAMED = 150000


def reader_for(step: Step, scope: Scope | None = None) -> Reader:
    """A reader of the schema as the step sees it now, inside a body with the body's variables."""
    if scope is None:
        scope = Scope(variables=step.variables)
    for name, relation in step.transitions.items():
        scope.ctes.setdefault(name, Cte(columns_of(relation)))
    return Reader(step.now, scope)


def note(step: Step, reader: Reader, *, execute: bool = True) -> None:
    """Write what was read to the step.

    Args:
        step: written to.
        reader: has read the whole statement.
        execute: it runs; else it is only planned, as by EXPLAIN, PREPARE and CREATE VIEW.
    """
    facts = reader.facts
    for problem in facts.problems:
        step.fails(problem.sqlstate, problem.message)
    note_labels(step, facts.labels)
    for read in facts.reads:
        _note_lock(step, read)
    if not facts.complete:
        step.unknown_reach("some of its tables are not known, nor what hangs on them")
        step.may_fail("42P01", "a table may not exist")
        step.may_fail("42703", "a column may not exist")
    if execute:
        _note_scans(step, facts.reads)
        note_calls(step, facts)


def note_assignment(step: Step, column: Column, value: Value) -> None:
    """A value is stored in a column: why the server is certain to refuse it, if it is."""
    refusal = mismatch(column, value, step.now)
    if refusal is not None:
        step.fails(*refusal)
    kind = parse_type(column.type)
    if not kind.is_array:
        reader = Reader(step.now)
        reader.take(kind.bare, value)
        for problem in reader.facts.problems:
            step.fails(problem.sqlstate, problem.message)
        note_labels(step, reader.facts.labels)


def note_named(step: Step, facts: Facts) -> None:
    """Relations that a definition names by constants, ``nextval('s')``: it depends on them, and servers lock them."""
    if step.schema.known and step.schema.server_version_num < _LOCKS_NAMED:
        return
    for found in facts.named:
        step.lock(found, LockMode.ACCESS_SHARE, "what is defined depends on it")


def note_labels(step: Step, labels: list[tuple[str, str]]) -> None:
    """Labels of enums that are used: one that this transaction has added cannot be used yet."""
    for type_name, label in labels:
        enum = user_type(type_name, step.now)
        if enum is not None and is_fresh(step, enum, label):
            step.fails("55P04", f'unsafe use of new value "{label}" of enum type {enum.name}')


def _note_lock(step: Step, read: Read) -> None:
    found = read.found
    if found.presence is Presence.SYSTEM:
        return
    why = _WHY.get(read.mode, "it is used")
    if read.through is not None:
        why = f"{why} through the view {read.through}"
    step.lock(found, read.mode, why)
    relation = found.relation
    if relation is None or read.only:
        return
    if relation.partitioning is not None:
        for above in ancestors(relation, step.now):
            step.lock(above, LockMode.ACCESS_SHARE, "planning looks at the bound of its partition")
    for child in children_reached(step, relation, read):
        step.lock(child, read.mode, why)


def children_reached(step: Step, relation: Relation, read: Read) -> tuple[Relation, ...]:
    """The partitions or inheriting tables that reading a table includes."""
    if read.only:
        return ()
    return reached(relation, step.now, read.conditions)


def _note_scans(step: Step, reads: list[Read]) -> None:
    outside = _joined_before(reads)
    for read in reads:
        view = read.found.relation
        if read.executed and view is not None and not view.populated and read.found.known:
            step.fails("55000", f'materialized view "{view.name}" has not been populated')
        if read.executed:
            note_scan(step, read, outside.get(id(read)))


def _joined_before(reads: list[Read]) -> dict[int, dict[int, float]]:
    """For each table the others that it is looked up for, and how many rows they give.

    The planner tries all orders; here each next table is the one that makes the fewest rows of what is there already.
    """
    tables = {
        id(read): read
        for read in reads
        if read.found.known and read.found.relation is not None and read.found.relation.statistics is not None
    }
    given: dict[int, float] = {
        id(other): min(other.rows, _rows(other.made_of)) if other.made_of is not None else other.rows
        for read in reads
        for condition in read.conditions
        for other in condition.others
        if other.rows is not None
    }
    alone = {key: _rows(read) for key, read in tables.items()}
    before: dict[int, dict[int, float]] = {}
    waiting = dict(tables)
    joined: dict[int, float] = dict(given)
    while waiting:
        options = []
        for key, read in waiting.items():
            links = [one for one in read.conditions if one.others and all(id(other) in joined for other in one.others)]
            if links:
                times = max(joined[id(other)] for one in links for other in one.others)
                options.append((times * min(_rows(read, one) for one in links), key))
        if options:
            rows, key = min(options)
            before[key] = dict(joined)
        else:
            # Nothing is connected with what is there: the smallest of the rest begins anew.
            key = min(waiting, key=alone.__getitem__)
            rows = alone[key]
        joined[key] = max(rows, 1.0)
        del waiting[key]
    return before


def _rows(read: Read, joined: Condition | None = None) -> float:
    relation = read.found.relation
    known = relation is not None and relation.statistics is not None
    return rows_given(relation, read, joined=joined) if known and relation is not None else math.inf


def note_scan(step: Step, read: Read, outside: dict[int, float] | None = None) -> None:
    """Note the tables that one mention of a table reads from end to end."""
    found = read.found
    if found.presence is Presence.SYSTEM:
        return
    relation = found.relation
    if relation is None or not found.known:
        if found.object is None or relation is not None:
            step.scan(found, "without a catalog no index is known that would serve it")
        return
    members = [relation, *children_reached(step, relation, read)]
    for member in members:
        if member.kind is RelationKind.FOREIGN_TABLE:
            note_access(step, member)
        if member.kind not in (RelationKind.TABLE, RelationKind.MATERIALIZED_VIEW):
            continue
        if read.sampled or reads_whole(member, read, rows_outside=outside):
            step.scan(member, "it is read from end to end")
