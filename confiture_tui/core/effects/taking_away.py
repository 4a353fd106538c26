"""What it does when one thing goes: a relation, a column, or something that hangs on a relation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.columns import Generated
from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.dependencies import (
    PG_CONSTRAINT,
    PG_POLICY,
    PG_REWRITE,
    PG_TRIGGER,
    ObjectAddress,
)
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.definitions import DROPPED_COLUMN, next_number

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.core.effects.step import Step

PG_STATISTIC_EXT = 3381
"""The oid of that catalog: PostgreSQL's sources, src/include/catalog/pg_statistic_ext.h."""

_MADE_OF = {RelationKind.TABLE, RelationKind.PARTITIONED_TABLE}


def take_relation(step: Step, relation: Relation, why: str) -> None:
    """A relation goes: its locks, those of the table that it is a partition of, its data."""
    step.lock(relation, LockMode.ACCESS_EXCLUSIVE, f"{why} it")
    schema = step.now
    if relation.is_partition:
        for parent in schema.parents(relation):
            step.lock(parent, LockMode.ACCESS_EXCLUSIVE, f"{why} a partition of it")
            default = default_partition(schema, parent)
            if default is not None and default.oid != relation.oid:
                step.lock(default, LockMode.ACCESS_EXCLUSIVE, f"{why} a partition beside the default one")
    for constraint in relation.constraints:
        _lock_referenced(step, relation, constraint, why)
    step.drop(relation)
    for index in relation.indexes:
        step.drop(index)
    if relation.kind in _MADE_OF and schema.is_old(relation) and relation.persistence != "temporary":
        lost = None if proved_without_rows(relation) else True
        step.destroys_data(lost)
        step.changes_data(lost)
    step.change.remove(relation)


def proved_without_rows(relation: Relation) -> bool:
    """Whether its storage was empty when the catalog was read: it may have been filled since."""
    return relation.kind is RelationKind.TABLE and relation.statistics is not None and relation.statistics.size == 0


def default_partition(schema: Schema, parent: Relation) -> Relation | None:
    """The DEFAULT partition of a partitioned table."""
    return next((one for one in schema.children(parent) if one.partition_bound == "DEFAULT"), None)


def take_column(step: Step, relation: Relation, number: int, why: str) -> None:
    """A column goes, and with it what it holds."""
    column = relation.column_numbered(number)
    if column is None:
        return
    step.lock(relation, LockMode.ACCESS_EXCLUSIVE, f"{why} a column of it")
    if relation.kind in _MADE_OF and column.generated is not Generated.VIRTUAL and step.schema.is_old(relation):
        lost = None if proved_without_rows(relation) else True
        step.destroys_data(lost)
        step.changes_data(lost)
    dropped = next_number(relation, step.now) - 1
    step.change.put_other(DROPPED_COLUMN, str(relation.oid), max(dropped, number))
    step.change.put(replace(relation, columns=tuple(one for one in relation.columns if one.number != number)))


def take_part(step: Step, relation: Relation, address: ObjectAddress, why: str) -> None:
    """A constraint, trigger, rule, policy, default or statistics object of a relation goes."""
    oid = address.oid
    match address.class_oid:
        case class_oid if class_oid == PG_CONSTRAINT:
            constraint = constraint_of(relation, oid)
            if constraint is None:
                return
            step.lock(relation, LockMode.ACCESS_EXCLUSIVE, f"{why} a constraint of it")
            _lock_referenced(step, relation, constraint, why)
            kept = tuple(one for one in relation.constraints if one.oid != oid)
            changed = replace(relation, constraints=kept)
        case class_oid if class_oid == PG_TRIGGER:
            step.lock(relation, LockMode.ACCESS_EXCLUSIVE, f"{why} a trigger of it")
            changed = replace(relation, triggers=tuple(one for one in relation.triggers if one.oid != oid))
        case class_oid if class_oid == PG_POLICY:
            step.lock(relation, LockMode.ACCESS_EXCLUSIVE, f"{why} a policy of it")
            changed = replace(relation, policies=tuple(one for one in relation.policies if one.oid != oid))
        case class_oid if class_oid == PG_REWRITE:
            step.lock(relation, LockMode.ACCESS_EXCLUSIVE, f"{why} a rule of it")
            changed = replace(relation, rules=tuple(one for one in relation.rules if one.oid != oid))
        case class_oid if class_oid == PG_STATISTIC_EXT:
            step.lock(relation, LockMode.SHARE_UPDATE_EXCLUSIVE, f"{why} a statistics object on it")
            return
        case _:
            step.lock(relation, LockMode.ACCESS_EXCLUSIVE, f"{why} a column's default")
            return
    if step.now.by_oid(relation.oid) is not None:
        step.change.put(changed)


def _lock_referenced(step: Step, relation: Relation, constraint: Constraint, why: str) -> None:
    """A foreign key that goes takes its triggers on the table that it references along."""
    if constraint.kind is not ConstraintKind.FOREIGN_KEY or not constraint.enforced:
        return
    if not constraint.referenced_oid and constraint.referenced_relation is not None:
        # A table of which nothing but its name is known.
        step.lock(constraint.referenced_relation, LockMode.ACCESS_EXCLUSIVE, f"{why} a foreign key that references it")
        step.unknown_reach(f"whether {constraint.referenced_relation} has partitions is not known")
    if constraint.referenced_oid:
        referenced = step.now.by_oid(constraint.referenced_oid)
        if isinstance(referenced, Relation) and _has_triggers_on(step, relation, constraint, referenced):
            step.lock(referenced, LockMode.ACCESS_EXCLUSIVE, f"{why} a foreign key that references it")


def _has_triggers_on(step: Step, relation: Relation, constraint: Constraint, referenced: Relation) -> bool:
    """Whether a foreign key has triggers on the table that it references: to drop them that table is locked.

    A partition's part of its parent's foreign key has none there; before 15 no partitioned table has any.
    """
    if step.schema.server_version_num < 150000 and referenced.kind is RelationKind.PARTITIONED_TABLE:
        return False
    before = step.schema.by_oid(relation.oid)
    own = before if isinstance(before, Relation) else relation
    return not constraint.parent_oid or constraint_of(own, constraint.parent_oid) is not None


def constraint_of(relation: Relation | None, oid: int) -> Constraint | None:
    """The constraint of a relation that has that oid."""
    if relation is None:
        return None
    return next((one for one in relation.constraints if one.oid == oid), None)
