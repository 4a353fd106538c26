"""CREATE TABLE … PARTITION OF: the parent, the DEFAULT partition, and what is cloned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.partition_bounds import bound_text, implied_by_constraints, negated
from confiture_tui.core.effects.statements.alter_table.partition_parts import (
    follow_references,
    foreign_keys_of_partitions,
    partition_index,
)
from confiture_tui.core.effects.statements.alter_table.partitions import condition_of_partition, refuse_bound
from confiture_tui.core.effects.statements.alter_table.work import STORED

if TYPE_CHECKING:
    from confiture_tui.core.effects.partition_bounds import Condition
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]


def lock_parent(step: Step, found: Found) -> None:
    """The parent is locked for good, and so is its DEFAULT partition."""
    step.lock(found, LockMode.ACCESS_EXCLUSIVE, "the parent gets a partition")
    parent = found.relation
    if parent is None or not found.known:
        step.unknown_reach(f"the default partition and foreign keys of {found.name} are not known")
        return
    default = _default_of(step, parent)
    if default is not None:
        step.lock(default, LockMode.ACCESS_EXCLUSIVE, "a new partition takes rows that the default one would get")


def _default_of(step: Step, parent: Relation) -> Relation | None:
    return next((one for one in step.now.children(parent) if one.partition_bound == "DEFAULT"), None)


def join_parent(step: Step, relation: Relation, parents: list[Found], bound: Node) -> None:
    """The new table becomes a partition, gets the parent's indexes and foreign keys, and nobody else's rows."""
    parent = parents[0].relation if parents else None
    relation = replace(relation, is_partition=True, partition_bound=bound_text(bound))
    step.change.put(relation)
    if parent is None or not parents[0].known:
        return
    others = tuple(one for one in step.now.children(parent) if one.oid != relation.oid)
    refuse_bound(step, others, parent, relation.name, bound)
    default = next((one for one in others if one.partition_bound == "DEFAULT"), None)
    if default is not None and not bound.get("is_default"):
        _check_default(step, default, negated(condition_of_partition(parent, bound)))
    for index in parent.indexes:
        constraint = next(
            (
                one
                for one in parent.constraints
                if one.index_oid == index.oid and one.kind is not ConstraintKind.FOREIGN_KEY
            ),
            None,
        )
        current = step.now.by_oid(relation.oid)
        step.create(partition_index(step, index, current if isinstance(current, Relation) else relation, constraint))
    _clone_foreign_keys(step, parent, relation)


def _check_default(step: Step, default: Relation, condition: Condition) -> None:
    """The DEFAULT partition may hold rows that belong to the new one, unless constraints prove that it does not."""
    if implied_by_constraints(step.now, default, condition):
        return
    why = f"rows of the default partition {default.qualified_name} must not belong to the new one"
    if default.kind in STORED:
        step.scan(default, why)
        step.may_fail("23514", why)
        return
    for child in step.now.children(default):
        step.lock(child, LockMode.ACCESS_EXCLUSIVE, why)
        _check_default(step, child, condition)


def _clone_foreign_keys(step: Step, parent: Relation, relation: Relation) -> None:
    for constraint in foreign_keys_of_partitions(parent):
        other = step.now.by_oid(constraint.referenced_oid)
        if isinstance(other, Relation):
            below = step.now.descendants(other) if other.kind is RelationKind.PARTITIONED_TABLE else ()
            for one in (other, *below):
                step.lock(one, LockMode.SHARE_ROW_EXCLUSIVE, f"the partition gets the foreign key {constraint.name}")
        current = step.now.by_oid(relation.oid)
        relation = current if isinstance(current, Relation) else relation
        made = replace(
            constraint,
            oid=step.change.new_oid(),
            owner_name=relation.qualified_name,
            relation_oid=relation.oid,
            parent_oid=constraint.oid,
            is_local=False,
            inherited=1,
        )
        step.change.put(replace(relation, constraints=(*relation.constraints, made)))
    current = step.now.by_oid(relation.oid)
    follow_references(step, parent, current if isinstance(current, Relation) else relation)
