"""ALTER CONSTRAINT: deferrability, enforcement, inheritance."""

from __future__ import annotations

from typing import Any

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.alter_table.work import (
    STORED,
    Alteration,
    Altered,
    Pass,
    Reason,
    Validation,
)

Node = dict[str, Any]


def prepare_alter_constraint(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue ALTER CONSTRAINT."""
    definition = command["def"].get("ATAlterConstraint") or command["def"].get("Constraint") or {}
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _alter(alteration, one, definition))


def _alter(alteration: Alteration, altered: Altered, definition: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = definition.get("conname", "")
    if relation.kind is RelationKind.PARTITIONED_TABLE and not alteration.recurse:
        step.refuse("42P16", "constraint must be altered in child tables too")
    constraint = relation.constraint(name)
    if constraint is None:
        if not alteration.partial(relation):
            step.refuse("42704", f'constraint "{name}" of relation "{relation.name}" does not exist')
        step.unknown_reach(f'what other table constraint "{name}" concerns is not known')
        if definition.get("alterEnforceability") and definition.get("is_enforced"):
            alteration.check(altered, f'constraint "{name}" must hold for the rows that exist')
            step.may_fail("23503", f'"{name}": rows may reference what does not exist')
        return
    inherits = bool(definition.get("alterInheritability"))
    wanted = ConstraintKind.NOT_NULL if inherits else ConstraintKind.FOREIGN_KEY
    if constraint.kind is not wanted:
        kind = "a not-null" if inherits else "a foreign key"
        step.refuse("42809", f'constraint "{name}" of relation "{relation.name}" is not {kind} constraint')
    if constraint.parent_oid:
        step.refuse("55000", f'cannot alter constraint "{name}" on relation "{relation.name}"')
    if definition.get("alterEnforceability"):
        _enforce(alteration, relation, constraint, enforced=bool(definition.get("is_enforced")))
    elif inherits:
        _inherit(alteration, relation, constraint, no_inherit=bool(definition.get("noinherit")))
    else:
        alteration.update_constraint(
            relation,
            constraint,
            deferrable=bool(definition.get("deferrable")),
            initially_deferred=bool(definition.get("initdeferred")),
        )
        for child in alteration.schema.descendants(relation):
            alteration.lock(child, "the constraint is altered in the partitions too")


def _enforce(alteration: Alteration, relation: Relation, constraint: Constraint, *, enforced: bool) -> None:
    step = alteration.step
    other = alteration.schema.by_oid(constraint.referenced_oid)
    if constraint.enforced == enforced:
        return
    mode = LockMode.SHARE_ROW_EXCLUSIVE if enforced else LockMode.ACCESS_EXCLUSIVE
    below = alteration.schema.descendants(other) if isinstance(other, Relation) and other.partitioning else ()
    for one in () if other is None else (other, *below):
        step.lock(one, mode, f"the triggers of {constraint.quoted_name} are {'made' if enforced else 'dropped'}")
    relation = alteration.update_constraint(relation, constraint, enforced=enforced, validated=enforced)
    if enforced and relation.kind in STORED:
        reason = Reason(f"{constraint.quoted_name} must hold for the rows that exist", step.command)
        alteration.table(relation).validations.append(Validation(constraint.oid, reason))
        if other is not None:
            step.lock(other, LockMode.ROW_SHARE, "the rows that are referenced are looked up")
    for child in alteration.schema.children(relation):
        for part in child.constraints:
            if part.parent_oid == constraint.oid:
                alteration.lock(child, "the constraint is altered in the partitions too")
                _enforce(alteration, child, part, enforced=enforced)


def _inherit(alteration: Alteration, relation: Relation, constraint: Constraint, *, no_inherit: bool) -> None:
    step = alteration.step
    if no_inherit and relation.kind is RelationKind.PARTITIONED_TABLE:
        step.refuse(
            "0A000",
            f'not-null constraint "{constraint.name}" on partitioned table "{relation.name}" cannot be NO INHERIT',
        )
    if no_inherit and constraint.inherited:
        step.refuse("55000", f'cannot alter inherited constraint "{constraint.name}" on relation "{relation.name}"')
    if constraint.no_inherit == no_inherit:
        return
    relation = alteration.update_constraint(relation, constraint, no_inherit=no_inherit)
    column = constraint.columns[0]
    for child in alteration.children(relation, "the constraint is altered in the children too"):
        mine = next(
            (one for one in child.constraints if one.kind is ConstraintKind.NOT_NULL and one.columns == (column,)), None
        )
        if no_inherit and mine is not None:
            alteration.update_constraint(child, mine, inherited=mine.inherited - 1, is_local=True)
        elif not no_inherit:
            from confiture_tui.core.effects.statements.alter_table.not_null import queue_set_not_null

            queue_set_not_null(alteration, child, column)
            if mine is None and child.kind in STORED:
                step.scan(child, f"{column} must have no NULL there either")
