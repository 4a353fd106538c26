"""What a definition needs of other objects, noted as the server notes it, so that a later statement is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.dependencies import (
    PG_ATTRDEF,
    PG_CLASS,
    PG_CONSTRAINT,
    PG_PROC,
    PG_TYPE,
    ObjectAddress,
)
from confiture_tui.core.catalog.models.relations import Relation, Sequence
from confiture_tui.core.effects.dropping import note_part
from confiture_tui.core.effects.expressions import analyse
from confiture_tui.core.effects.statements.definitions import type_text
from confiture_tui.core.effects.statements.queries_of_views import columns_read

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.effects.expressions.reads import Facts
    from confiture_tui.core.effects.step import Step
    from confiture_tui.core.effects.written import Node


def note_needs(
    step: Step, dependent: ObjectAddress, facts: Facts, *, relation: Relation | None = None, kind: str = "n"
) -> None:
    """Note that an object needs what its expressions or its query name.

    Args:
        step: changes its schema.
        dependent: the object.
        facts: of its expressions, or its query.
        relation: whose columns its expressions name.
        kind: of the need of those columns, as in ``pg_depend.deptype``; functions, sequences and other tables are
            needed normally.
    """
    if relation is not None:
        for name in dict.fromkeys(parts[-1] for parts in facts.columns):
            column = relation.column(name)
            if column is not None and column.number:
                step.change.depend(dependent, ObjectAddress(PG_CLASS, relation.oid, column.number), kind)
    for oid in dict.fromkeys(call.candidates[0].oid for call in facts.calls if len(call.candidates) == 1):
        if oid:
            step.change.depend(dependent, ObjectAddress(PG_PROC, oid))
    for read in facts.reads:
        found = read.found.object
        if found is None or read.through is not None:
            continue
        step.change.depend(dependent, ObjectAddress(PG_CLASS, found.oid))
        for number in columns_read(read) if isinstance(found, Relation) else ():
            step.change.depend(dependent, ObjectAddress(PG_CLASS, found.oid, number))
    for key in facts.keys:
        step.change.depend(dependent, ObjectAddress(PG_CONSTRAINT, key))
    for named in facts.named:
        if isinstance(named.object, Sequence):
            step.change.depend(dependent, ObjectAddress(PG_CLASS, named.object.oid))


def note_type(step: Step, dependent: ObjectAddress, type_node: Node) -> None:
    """Note that an object needs a type, where that is a user's: one of a table's rows is the table's."""
    text = type_text(type_node, step.now).removesuffix("[]")
    if "." not in text:
        return
    found = step.now.type(text)
    table = step.now.relation(text) if found is None else None
    if found is not None:
        step.change.depend(dependent, ObjectAddress(PG_TYPE, found.oid))
    elif table is not None:
        step.change.depend(dependent, ObjectAddress(PG_CLASS, table.oid))


def note_default(step: Step, relation: Relation, column: Column, expression: Node) -> None:
    """Note what the default of a column needs."""
    facts = analyse(expression, step.now).facts
    if facts.named or any(one.oid for call in facts.calls for one in call.candidates):
        note_needs(step, _default_of(step, relation, column), facts)


def note_serial(step: Step, relation: Relation, column: Column, sequence: Sequence) -> None:
    """Note that the default of a serial column draws from the sequence that was made for it."""
    step.change.depend(_default_of(step, relation, column), ObjectAddress(PG_CLASS, sequence.oid))


def _default_of(step: Step, relation: Relation, column: Column) -> ObjectAddress:
    """A new default, which goes with its column."""
    address = ObjectAddress(PG_ATTRDEF, step.change.new_oid())
    note_part(step, relation, address)
    step.change.depend(address, ObjectAddress(PG_CLASS, relation.oid, column.number), "a")
    return address


def forget_default(step: Step, relation: Relation, column: Column) -> None:
    """The default of a column goes, and needs nothing any more."""
    for edge in step.now.dependents(ObjectAddress(PG_CLASS, relation.oid, column.number)):
        if edge.dependent.class_oid == PG_ATTRDEF and edge.kind == "a":
            step.change.forget_needs(edge.dependent)
