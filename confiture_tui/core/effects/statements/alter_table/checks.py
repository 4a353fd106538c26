"""CHECK constraints: adding them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.dependencies import PG_CONSTRAINT, ObjectAddress
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.dropping import note_part
from confiture_tui.core.effects.object_names import constraint_name
from confiture_tui.core.effects.statements.alter_table.work import STORED, SYSTEM_COLUMNS, Alteration, Altered, Pass
from confiture_tui.core.effects.statements.definitions import constraint_of
from confiture_tui.core.effects.statements.expressions_read import read_expression, require_boolean
from confiture_tui.core.effects.statements.needs import note_needs

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]


def queue_check(alteration: Alteration, relation: Relation, constraint: Node) -> None:
    """Queue the adding of a CHECK constraint."""
    alteration.queue(
        relation, Pass.ADD_OTHER_CONSTRAINT, lambda one: _add(alteration, one, constraint, None, recursing=False)
    )


def check_constraint(step: Step, relation: Relation, node: Node, name: str | None) -> Constraint:
    """The CHECK constraint that a node makes on a relation, named; what it says is remembered.

    Raises:
        Refused: its expression cannot be a CHECK's.
    """
    expression = node.get("raw_expr", {})
    schema = step.now
    partial = schema.is_partial(relation)
    found = read_expression(step, expression, "check constraint", relation=None if partial else relation)
    require_boolean(step, found, "CHECK")
    named = dict.fromkeys(parts[-1] for parts in found.columns)
    for one in sorted(SYSTEM_COLUMNS - {"tableoid"}):
        if one in named and relation.column(one) is None:
            step.refuse("42P10", f'system column "{one}" reference in check constraint is invalid')
    known = tuple(one for one in named if partial or relation.column(one) is not None)
    if name is None:
        name = node.get("conname") or constraint_name(schema, relation, known[0] if len(known) == 1 else None, "check")
    made = constraint_of(node, relation, name, step.change.new_oid(), known)
    step.change.remember_expression(made.oid, expression)
    if any(one.oid for call in found.facts.calls for one in call.candidates):
        address = ObjectAddress(PG_CONSTRAINT, made.oid)
        note_part(step, relation, address)
        note_needs(step, address, found.facts)
    return made


def _add(alteration: Alteration, altered: Altered, node: Node, name: str | None, *, recursing: bool) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    no_inherit = bool(node.get("is_no_inherit"))
    wanted = name or node.get("conname")
    existing = relation.constraint(wanted) if wanted else None
    if existing is not None:
        if recursing:
            # A constraint of that name merges with the parent's.
            alteration.update_constraint(relation, existing, inherited=existing.inherited + 1)
        elif existing.kind is ConstraintKind.CHECK and existing.inherited and not existing.is_local:
            alteration.update_constraint(relation, existing, is_local=True)
        else:
            step.refuse("42710", f'constraint "{wanted}" for relation "{relation.name}" already exists')
        return
    if no_inherit and relation.kind is RelationKind.PARTITIONED_TABLE:
        step.refuse("42P16", f'cannot add NO INHERIT constraint to partitioned table "{relation.name}"')
    made = check_constraint(step, relation, node, name)
    if recursing:
        made = replace(made, is_local=False, inherited=1)
    relation = alteration.update(relation, constraints=(*relation.constraints, made))
    if made.validated and relation.kind in STORED:
        alteration.check(altered, f"{made.quoted_name} must hold for the rows that exist")
        step.may_fail("23514", f"{made.quoted_name}: rows that exist may violate it")
    if no_inherit:
        return
    children = alteration.children(relation, "a CHECK constraint goes to the children too")
    if children and not alteration.recurse:
        step.refuse("42P16", "constraint must be added to child tables too")
    for child in children:
        _add(alteration, alteration.table(child), node, made.name, recursing=True)
