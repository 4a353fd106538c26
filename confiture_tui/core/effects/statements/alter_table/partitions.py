"""ATTACH PARTITION and DETACH PARTITION."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Persistence, Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.partition_bounds import (
    Condition,
    Opaque,
    bound_of,
    bound_text,
    condition_of_bound,
    hash_conflict,
    implied_by_constraints,
    is_empty,
    negated,
    overlaps,
)
from confiture_tui.core.effects.partition_values import zoned
from confiture_tui.core.effects.pruning import ancestors
from confiture_tui.core.effects.queries.assignments import mismatch
from confiture_tui.core.effects.statements.alter_table.inheritance import joined, parted, require_parts
from confiture_tui.core.effects.statements.alter_table.partition_parts import (
    clone_foreign_keys,
    clone_indexes,
    detach_foreign_keys,
)
from confiture_tui.core.effects.statements.alter_table.work import STORED, Alteration, Altered, Pass
from confiture_tui.core.effects.statements.targets import find_existing

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_PARTITIONABLE = (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.FOREIGN_TABLE)


def default_partition(alteration: Alteration, parent: Relation) -> Relation | None:
    """The DEFAULT partition of a table."""
    return next((one for one in alteration.schema.children(parent) if one.partition_bound == "DEFAULT"), None)


# ATTACH


def prepare_attach(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue ATTACH PARTITION."""
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _attach(alteration, one, command["def"]["PartitionCmd"]))


def _attach(alteration: Alteration, altered: Altered, definition: Node) -> None:
    step = alteration.step
    parent = alteration.relation(altered)
    bound = definition.get("bound", {})
    default = default_partition(alteration, parent)
    if default is not None:
        step.lock(default, LockMode.ACCESS_EXCLUSIVE, "a new partition takes rows that the default one would get")
    found = find_existing(step, definition["name"])
    if found is None:
        return
    step.lock(found, LockMode.ACCESS_EXCLUSIVE, "it becomes a partition")
    child = found.relation
    if child is not None:
        for one in alteration.schema.descendants(child):
            step.lock(one, LockMode.ACCESS_EXCLUSIVE, "it becomes part of a partition")
    if child is None or not found.known or alteration.partial(parent):
        _attach_unknown(alteration, parent, found, bound)
        return
    _refuse_attach(alteration, parent, child)
    _refuse_bound(alteration, parent, child.name, bound)
    require_parts(step, child, parent)
    child = replace(joined(child, parent), is_partition=True, partition_bound=bound_text(bound))
    step.change.put(child)
    for one in ancestors(parent, alteration.schema):
        step.lock(one, LockMode.ACCESS_SHARE, "the bound of its partition is looked at")
    clone_indexes(alteration, parent, child)
    clone_foreign_keys(alteration, parent, child)
    _validate(alteration, parent, child, bound, default)


def _attach_unknown(alteration: Alteration, parent: Relation, found: Found, bound: Node) -> None:
    """Without a catalog it is scanned, gets indexes and foreign keys, and so may the default partition be."""
    step = alteration.step
    step.unknown_reach(f"the partitions, indexes and foreign keys of {parent.qualified_name} are not known")
    step.scan(found, "its rows must fit the partition's bound")
    step.may_fail("23514", f"rows of {found.name} may not fit the partition's bound")
    child = found.relation or step.change.glimpse(found)
    step.change.put(
        replace(
            child,
            is_partition=True,
            partition_bound=bound_text(bound),
            parents=(parent.qualified_name,),
            parent_oids=(parent.oid,),
        )
    )


def _refuse_attach(alteration: Alteration, parent: Relation, child: Relation) -> None:
    step = alteration.step
    if child.kind not in _PARTITIONABLE:
        step.refuse("42809", f'ALTER action ATTACH PARTITION cannot be performed on relation "{child.name}"')
    if child.is_partition:
        step.refuse("42809", f'"{child.name}" is already a partition')
    if child.of_type is not None:
        step.refuse("42809", "cannot attach a typed table as partition")
    if child.parent_oids:
        step.refuse("42809", "cannot attach inheritance child as partition")
    below = alteration.schema.descendants(child)
    if below and child.kind is RelationKind.TABLE:
        step.refuse("42809", "cannot attach inheritance parent as partition")
    if parent.oid in [child.oid, *(one.oid for one in below)]:
        step.refuse("42P07", "circular inheritance not allowed")
    temporary = [one.persistence is Persistence.TEMPORARY for one in (parent, child)]
    if temporary[0] != temporary[1]:
        step.refuse("42809", f'cannot attach "{child.name}" as partition of relation "{parent.name}"')
    for column in child.columns:
        if column.identity is not None and step.schema.server_version_num >= 170000:
            step.refuse("55000", f'table "{child.name}" being attached contains an identity column "{column.name}"')
        if parent.column(column.name) is None:
            step.refuse(
                "42804", f'table "{child.name}" contains column "{column.name}" not found in parent "{parent.name}"'
            )


def _refuse_bound(alteration: Alteration, parent: Relation, name: str, bound: Node) -> None:
    refuse_bound(alteration.step, alteration.schema.children(parent), parent, name, bound)


def refuse_bound(step: Step, partitions: tuple[Relation, ...], parent: Relation, name: str, bound: Node) -> None:
    """See that a new partition's bound fits its parent and overlaps with no other one.

    Raises:
        Refused: it does not.
    """
    strategy = parent.partitioning.strategy if parent.partitioning is not None else ""
    if bound.get("is_default"):
        if strategy == "hash":
            step.refuse("42P16", "a hash-partitioned table may not have a default partition")
        other = next((one for one in partitions if one.partition_bound == "DEFAULT"), None)
        if other is not None:
            step.refuse("42P17", f'partition "{name}" conflicts with existing default partition "{other.name}"')
        return
    if strategy and bound.get("strategy") != strategy[0]:
        step.refuse("42P16", f"invalid bound specification for a {strategy} partition")
    columns = parent.partitioning.columns if parent.partitioning is not None else ()
    for side, word in (("lowerdatums", "FROM"), ("upperdatums", "TO")) if strategy == "range" else ():
        if len(bound.get(side, ())) != len(columns):
            step.refuse("42P16", f"{word} must specify exactly one value per partitioning column")
    if strategy == "hash":
        for one in partitions:
            there = bound_of(one.partition_bound) if one.partition_bound else None
            if there is not None and hash_conflict(bound, there):
                step.refuse("42P17", f'partition "{name}" would overlap partition "{one.name}"')
        return
    _refuse_values(step, parent, bound)
    if len(columns) != 1 or columns[0] is None:
        return
    column = parent.column(columns[0])
    kind = zoned(column.type, step.now.time_zone) if column is not None else ""
    if column is not None and is_empty(bound, kind):
        step.refuse("42P17", f'empty range bound specified for partition "{name}"')
    for one in partitions:
        there = bound_of(one.partition_bound) if one.partition_bound else None
        if column is not None and there is not None and overlaps(bound, there, kind):
            step.refuse("42P17", f'partition "{name}" would overlap partition "{one.name}"')


def _refuse_values(step: Step, parent: Relation, bound: Node) -> None:
    """Each value of a bound must be one of its key column's type."""
    names = parent.partitioning.columns if parent.partitioning is not None else ()
    listed = [(names[0] if names else None, one) for one in bound.get("listdatums", ())]
    sides = (bound.get("lowerdatums", ()), bound.get("upperdatums", ()))
    for name, datum in (*listed, *(pair for side in sides for pair in zip(names, side, strict=False))):
        column = parent.column(name) if name is not None else None
        if column is None or not column.type or "A_Const" not in datum or datum["A_Const"].get("isnull"):
            continue
        refusal = mismatch(column, Reader(step.now).read(datum), step.now)
        if refusal is not None:
            step.refuse(*refusal)


def condition_of_partition(parent: Relation, bound: Node) -> Condition:
    """What rows of a partition must meet."""
    columns = parent.partitioning.columns if parent.partitioning is not None else ()
    types = tuple(
        column.type if name is not None and (column := parent.column(name)) is not None else "" for name in columns
    )
    return condition_of_bound(bound, columns, types)


def _validate(alteration: Alteration, parent: Relation, child: Relation, bound: Node, default: Relation | None) -> None:
    condition = condition_of_partition(parent, bound)
    only_default = bound.get("is_default") and len(alteration.schema.children(parent)) == 1
    if not only_default:
        above = _inherited_conditions(alteration, parent)
        _queue_validation(alteration, child, [condition, *above], f"rows of {child.qualified_name} must fit its bound")
    elif parent.is_partition:
        above = _inherited_conditions(alteration, parent)
        _queue_validation(alteration, child, above, f"rows of {child.qualified_name} must fit its bound")
    if default is not None and not bound.get("is_default"):
        _queue_validation(
            alteration,
            default,
            [negated(condition)],
            f"rows of the default partition {default.qualified_name} must not belong to the new one",
        )


def _inherited_conditions(alteration: Alteration, parent: Relation) -> list[Condition]:
    """What the parent's own place in a larger partitioned table asks of rows."""
    found: list[Condition] = []
    for above in ancestors(parent, alteration.schema):
        bound = bound_of(parent.partition_bound) if parent.partition_bound else None
        if bound is None:
            return [*found, Opaque()]
        found.append(condition_of_partition(above, bound))
        parent = above
    return found


def _queue_validation(alteration: Alteration, relation: Relation, conditions: list[Condition], why: str) -> None:
    """The rows are looked at, in each partition, unless constraints prove what is asked."""
    if all(implied_by_constraints(alteration.schema, relation, one) for one in conditions):
        return
    if relation.kind in STORED:
        alteration.check(alteration.table(relation), why)
        alteration.step.may_fail("23514", why)
        return
    for child in alteration.schema.children(relation):
        alteration.step.lock(child, LockMode.ACCESS_EXCLUSIVE, why)
        _queue_validation(alteration, child, conditions, why)


# DETACH


def prepare_detach(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue DETACH PARTITION."""
    definition = command["def"]["PartitionCmd"]
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _detach(alteration, one, definition))


def _detach(alteration: Alteration, altered: Altered, definition: Node) -> None:
    step = alteration.step
    parent = alteration.relation(altered)
    concurrently = bool(definition.get("concurrent"))
    default = default_partition(alteration, parent)
    if default is not None:
        if concurrently:
            step.refuse("55000", "cannot detach partitions concurrently when a default partition exists")
        step.lock(default, LockMode.ACCESS_EXCLUSIVE, "the default partition will get the rows of the detached one")
    found = find_existing(step, definition["name"])
    if found is None:
        return
    why = "it is no partition any more" if not concurrently else "in a second phase it is no partition any more"
    step.lock(found, LockMode.ACCESS_EXCLUSIVE, why)
    child = found.relation
    if child is None or not found.known or alteration.partial(parent):
        step.unknown_reach(f"the default partition and foreign keys of {parent.qualified_name} are not known")
        if child is not None and parent.oid in child.parent_oids:
            step.change.put(replace(parted(child, parent), is_partition=False, partition_bound=None))
        return
    if parent.oid not in child.parent_oids:
        step.refuse("42P01", f'relation "{child.name}" is not a partition of relation "{parent.name}"')
    for one in alteration.schema.descendants(child):
        step.lock(one, LockMode.ACCESS_EXCLUSIVE, why)
    detach_foreign_keys(alteration, parent, child)
    child = alteration.relation(alteration.table(child))
    inherited = {index.qualified_name for index in parent.indexes}
    keys = {one.oid for one in parent.constraints}
    step.change.put(
        replace(
            parted(child, parent),
            is_partition=False,
            partition_bound=None,
            constraints=tuple(
                replace(one, parent_oid=0, is_local=True, inherited=0) if one.parent_oid in keys else one
                for one in parted(child, parent).constraints
            ),
            triggers=tuple(one for one in child.triggers if not one.parent_oid),
        )
    )
    for index in child.indexes:
        if index.parent in inherited:
            step.change.put(replace(index, parent=None))


def prepare_finalize(alteration: Alteration, relation: Relation, command: Node) -> None:
    """DETACH PARTITION … FINALIZE."""
    step = alteration.step
    found = find_existing(step, command["def"]["PartitionCmd"]["name"])
    if found is None:
        return
    step.lock(found, LockMode.ACCESS_EXCLUSIVE, "it is no partition any more")
    child = found.relation
    if child is None or not found.known:
        step.unknown_reach(f"the foreign keys of {found.name} are not known")
        return
    if not child.detach_pending:
        step.refuse("55000", f'partition "{child.name}" is not being detached')
    step.change.put(replace(parted(child, relation), is_partition=False, partition_bound=None, detach_pending=False))
