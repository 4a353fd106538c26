"""INHERIT, NO INHERIT, OF, NOT OF; and what a child must have of its parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.dependencies import PG_CLASS, PG_TYPE, ObjectAddress
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.alter_table.work import Alteration, Altered, Pass
from confiture_tui.core.effects.statements.targets import find_existing
from confiture_tui.core.effects.type_names import type_of_node
from confiture_tui.core.effects.types_known import require_type

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]


def prepare_inherit(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue INHERIT."""
    if relation.of_type is not None:
        alteration.step.refuse("42809", "cannot change inheritance of typed table")
    if relation.is_partition:
        alteration.step.refuse("42809", "cannot change inheritance of a partition")
    if relation.kind is RelationKind.PARTITIONED_TABLE:
        alteration.step.refuse("42809", "cannot change inheritance of partitioned table")
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _inherit(alteration, one, command))


def _inherit(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    found = find_existing(step, command["def"]["RangeVar"])
    if found is None:
        return
    step.lock(found, LockMode.SHARE_UPDATE_EXCLUSIVE, "the parent gets a child")
    for child in alteration.schema.descendants(relation):
        step.lock(child, LockMode.ACCESS_SHARE, "the inheritance must not be circular")
    parent = found.relation
    if parent is None or not found.known or alteration.partial(relation):
        alteration.unseen_children(relation)
        return
    if parent.kind is RelationKind.PARTITIONED_TABLE:
        step.refuse("42809", f'cannot inherit from partitioned table "{parent.name}"')
    if parent.is_partition:
        step.refuse("42809", "cannot inherit from a partition")
    if parent.oid in relation.parent_oids:
        step.refuse("42P07", f'relation "{parent.name}" would be inherited from more than once')
    if parent.oid == relation.oid or parent.oid in [one.oid for one in alteration.schema.descendants(relation)]:
        step.refuse("42P07", "circular inheritance not allowed")
    require_parts(step, relation, parent)
    step.change.put(joined(relation, parent))


def require_parts(step: Step, child: Relation, parent: Relation) -> None:
    """See that a child has the columns and CHECK constraints of a parent.

    Raises:
        Refused: it has not.
    """
    for column in parent.columns:
        mine = child.column(column.name)
        if mine is None:
            step.refuse("42804", f'child table is missing column "{column.name}"')
        if mine.type and column.type and mine.type != column.type:
            step.refuse("42804", f'child table "{child.name}" has different type for column "{column.name}"')
        inherits = not _not_null_is_own(parent, column.name)
        if column.not_null and inherits and not mine.not_null:
            step.refuse("42804", f'column "{column.name}" in child table "{child.name}" must be marked NOT NULL')
        if column.generated is not mine.generated:
            what = "must" if column.generated is not None else "must not"
            step.refuse("42804", f'column "{column.name}" in child table {what} be a generated column')
    for constraint in parent.constraints:
        if constraint.kind is not ConstraintKind.CHECK or constraint.no_inherit:
            continue
        same = child.constraint(constraint.name)
        if same is None or same.kind is not ConstraintKind.CHECK:
            step.refuse("42804", f'child table is missing constraint "{constraint.name}"')
        if same.definition and constraint.definition and _bare(same.definition) != _bare(constraint.definition):
            step.refuse(
                "42804", f'child table "{child.name}" has different definition for check constraint "{same.name}"'
            )
        if constraint.validated and not same.validated:
            step.refuse(
                "55000",
                f'constraint "{same.name}" conflicts with NOT VALID constraint on child table "{child.name}"',
            )


def _bare(definition: str) -> str:
    return definition.removesuffix(" NOT VALID").removesuffix(" NOT ENFORCED")


def _not_null_is_own(parent: Relation, column: str) -> bool:
    """Whether a column's NOT NULL is one that children do not inherit."""
    return any(
        one.kind is ConstraintKind.NOT_NULL and one.columns == (column,) and one.no_inherit
        for one in parent.constraints
    )


def joined(child: Relation, parent: Relation) -> Relation:
    """The child with the parent added, and what they share counted as inherited."""
    shared = {one.name for one in parent.columns}
    checks = {one.name for one in parent.constraints if one.kind is ConstraintKind.CHECK and not one.no_inherit}
    return replace(
        child,
        parents=(*child.parents, parent.qualified_name),
        parent_oids=(*child.parent_oids, parent.oid),
        columns=tuple(
            replace(one, inherited=one.inherited + 1) if one.name in shared else one for one in child.columns
        ),
        constraints=tuple(
            replace(one, inherited=one.inherited + 1) if one.name in checks else one for one in child.constraints
        ),
    )


def parted(child: Relation, parent: Relation) -> Relation:
    """The child without the parent, and what they shared its own."""
    shared = {one.name for one in parent.columns}
    checks = {
        one.name
        for one in parent.constraints
        if one.kind in (ConstraintKind.CHECK, ConstraintKind.NOT_NULL) and not one.no_inherit
    }
    place = child.parent_oids.index(parent.oid)
    return replace(
        child,
        parents=(*child.parents[:place], *child.parents[place + 1 :]),
        parent_oids=(*child.parent_oids[:place], *child.parent_oids[place + 1 :]),
        columns=tuple(
            replace(one, inherited=max(one.inherited - 1, 0), is_local=True) if one.name in shared else one
            for one in child.columns
        ),
        constraints=tuple(
            replace(one, inherited=max(one.inherited - 1, 0), is_local=True)
            if one.name in checks or (one.kind is ConstraintKind.NOT_NULL and set(one.columns) <= shared)
            else one
            for one in child.constraints
        ),
    )


def prepare_no_inherit(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue NO INHERIT."""
    if relation.is_partition:
        alteration.step.refuse("42809", "cannot change inheritance of a partition")
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _no_inherit(alteration, one, command))


def _no_inherit(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    found = find_existing(step, command["def"]["RangeVar"])
    if found is None:
        return
    step.lock(found, LockMode.ACCESS_SHARE, "the parent is looked at")
    parent = found.relation
    if parent is not None and parent.oid in relation.parent_oids:
        step.change.put(parted(relation, parent))
    elif found.known and not alteration.partial(relation):
        step.refuse("42P01", f'relation "{found.key[-1]}" is not a parent of relation "{relation.name}"')


def prepare_of(alteration: Alteration, relation: Relation, command: Node) -> None:
    """OF: the table becomes one of a composite type."""
    step = alteration.step
    require_type(step, command["def"]["TypeName"])
    found = type_of_node(command["def"]["TypeName"], step.now)
    composite = step.now.relation(found.name) if found is not None else None
    if composite is None:
        if found is not None and step.now.known:
            step.refuse("42809", f"type {found} is not a composite type")
        return
    if composite.kind is not RelationKind.COMPOSITE_TYPE:
        step.refuse("42809", f"type {composite.name} is not a composite type")
    if relation.parent_oids:
        step.refuse("42809", "typed tables cannot inherit")
    mine = [(one.name, one.type) for one in relation.columns]
    if not alteration.partial(relation) and mine != [(one.name, one.type) for one in composite.columns]:
        step.refuse("42804", "table has other columns than its type")
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _set_type(alteration, one, composite))


def prepare_not_of(alteration: Alteration, relation: Relation, command: Node) -> None:
    """NOT OF: the table is of no type any more."""
    if relation.of_type is None and not alteration.partial(relation):
        alteration.step.refuse("42809", f'"{relation.name}" is not a typed table')
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _set_type(alteration, one, None))


def _set_type(alteration: Alteration, altered: Altered, composite: Relation | None) -> None:
    relation = alteration.relation(altered)
    address, change = ObjectAddress(PG_CLASS, relation.oid), alteration.step.change
    needs = alteration.schema.needs(address)
    if any(edge.dependent.number == 0 and edge.referenced.class_oid == PG_TYPE for edge in needs):
        change.forget_needs(address)
        for edge in needs:
            if edge.dependent.number or edge.referenced.class_oid != PG_TYPE:
                change.depend(*edge)
    if composite is not None and composite.row_type_oid:
        change.depend(address, ObjectAddress(PG_TYPE, composite.row_type_oid))
    alteration.update(relation, of_type=composite.qualified_name if composite is not None else None)
