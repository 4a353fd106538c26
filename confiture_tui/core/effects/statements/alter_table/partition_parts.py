"""What a table gets from the partitioned table that it joins, and keeps or loses when it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.object_names import columns_part, constraint_name, index_label, relation_name
from confiture_tui.core.effects.pruning import ancestors
from confiture_tui.core.effects.queries.rows import parsed_expression
from confiture_tui.core.effects.statements.alter_table.foreign_keys import on_partitions, part_for
from confiture_tui.core.effects.statements.alter_table.placing import placed_on
from confiture_tui.core.effects.statements.alter_table.work import STORED, Alteration, Reason, Validation
from confiture_tui.core.effects.written import tree_of, without_places
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.catalog.catalog import AnyRelation
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.core.effects.step import Step


def same_index(one: Index, other: Index) -> bool:
    """Whether an index of a partition can be the part of an index of its parent."""
    return (
        one.key_columns == other.key_columns
        and one.included_columns == other.included_columns
        and one.access_method == other.access_method
        and one.unique == other.unique
        and one.exclusion == other.exclusion
        and one.nulls_not_distinct == other.nulls_not_distinct
        and _same_expressions([one.predicate] if one.predicate else [], [other.predicate] if other.predicate else [])
        and _same_expressions(one.expressions, other.expressions)
        and (not one.opclasses or not other.opclasses or all(map(_same_opclass, one.opclasses, other.opclasses)))
        and all(map(_same_collation, one.collations, other.collations))
        and (other.constraint is None or (one.constraint is not None and one.primary == other.primary))
    )


def _same_expressions(some: Sequence[str], others: Sequence[str]) -> bool:
    """Whether they are written alike. A catalog's text may say the same otherwise: then one more index is expected."""
    if len(some) != len(others):
        return False
    return all(
        (one == other and tree_of(one) is tree_of(other) is None)
        or without_places(parsed_expression(one)) == without_places(parsed_expression(other)) is not None
        for one, other in zip(some, others, strict=True)
    )


_OF_NO_TYPE = ("pattern_ops", "path_ops", "trgm_ops", "bloom_ops", "multi_ops")
# How the names of operator classes end that are the default of no type.


def _same_opclass(one: str, other: str) -> bool:
    """Of an index that a file makes, an empty text is the default of the column's type."""
    named = one or other
    return one == other or ("" in (one, other) and not named.endswith(_OF_NO_TYPE) and named != "?")


def _same_collation(one: str | None, other: str | None) -> bool:
    """Of an index that a file makes, ``None`` is the column's own, which the catalog writes out."""
    return (one or _DEFAULT_COLLATION) == (other or _DEFAULT_COLLATION)


_DEFAULT_COLLATION = 'pg_catalog."default"'


def partition_index(step: Step, index: Index, child: Relation, constraint: Constraint | None) -> Index:
    """The index that a partition gets as its part of an index of its parent, put with its constraint."""
    name = relation_name(step.now, child.schema, child.name, *index_label(index, is_constraint=constraint is not None))
    made = replace(placed_on(step, index, child, name, is_constraint=constraint is not None), valid=True)
    if constraint is not None:
        part = replace(
            constraint,
            oid=step.change.new_oid(),
            owner_name=child.qualified_name,
            name=name,
            quoted_name=quote_identifier(name),
            relation_oid=child.oid,
            index_oid=made.oid,
            index=made.qualified_name,
            parent_oid=constraint.oid,
            is_local=False,
            inherited=1,
        )
        step.change.put(replace(child, constraints=(*child.constraints, part)))
    step.change.put(made)
    return made


def clone_indexes(alteration: Alteration, parent: Relation, child: Relation) -> None:
    """Every index of the parent gets its part: one that fits, or a new one, which is built."""
    step = alteration.step
    if child.kind is RelationKind.FOREIGN_TABLE:
        if any(index.unique for index in parent.indexes):
            step.refuse(
                "42809",
                f'cannot attach foreign table "{child.name}" as partition of partitioned table "{parent.name}"',
            )
        return
    for index in parent.indexes:
        child = alteration.relation(alteration.table(child))
        fitting = next(
            (one for one in child.indexes if one.parent is None and one.valid and same_index(one, index)), None
        )
        if fitting is not None:
            step.change.put(replace(fitting, parent=index.qualified_name))
            child = alteration.relation(alteration.table(child))
            mine = _of_index(child, fitting)
            if mine is not None and (whole := _of_index(parent, index)) is not None:
                alteration.update_constraint(child, mine, parent_oid=whole.oid, is_local=False, inherited=1)
            continue
        constraint = _of_index(parent, index)
        if index.primary and child.primary_key is not None:
            step.refuse("42P16", f'multiple primary keys for table "{child.name}" are not allowed')
        made = partition_index(step, index, child, constraint)
        step.create(made)
        altered = alteration.table(child)
        altered.made.add(made.oid)
        if child.kind in STORED:
            step.build(made, child, f"its part of {index.qualified_name}")
            step.scan(child, f"its part of {index.qualified_name} is built")
        if index.unique:
            step.may_fail("23505", f"{made.qualified_name}: rows that exist may be duplicates")
        for below in alteration.schema.children(child):
            clone_indexes(alteration, alteration.relation(alteration.table(child)), below)


_WITH_INDEX = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUSION)


def _of_index(relation: Relation, index: Index) -> Constraint | None:
    """The constraint that rests on an index of its own table."""
    return next((one for one in relation.constraints if one.index_oid == index.oid and one.kind in _WITH_INDEX), None)


def clone_foreign_keys(alteration: Alteration, parent: Relation, child: Relation) -> None:
    """The parent's foreign keys become the partition's, and are validated, unless it has the same already."""
    step = alteration.step
    for constraint in foreign_keys_of_partitions(parent):
        other = alteration.schema.by_oid(constraint.referenced_oid)
        child = alteration.relation(alteration.table(child))
        if isinstance(other, Relation):
            below = alteration.schema.descendants(other) if other.partitioning is not None else ()
            for one in (other, *below):
                step.lock(one, LockMode.SHARE_ROW_EXCLUSIVE, f"the partition gets the foreign key {constraint.name}")
        same = next((one for one in child.constraints if _same_key(one, constraint)), None)
        if same is not None:
            for table in with_triggers(alteration.schema, other):
                step.lock(table, LockMode.ACCESS_EXCLUSIVE, f"triggers of {same.quoted_name} give way to the parent's")
            alteration.update_constraint(child, same, parent_oid=constraint.oid, is_local=False, inherited=1)
            continue
        name = constraint.name
        if child.constraint(name) is not None:
            name = constraint_name(alteration.schema, child, columns_part(constraint.columns), "fkey")
        made = replace(
            constraint,
            oid=step.change.new_oid(),
            owner_name=child.qualified_name,
            name=name,
            quoted_name=quote_identifier(name),
            relation_oid=child.oid,
            parent_oid=constraint.oid,
            is_local=False,
            inherited=1,
        )
        alteration.update(child, constraints=(*child.constraints, made))
        if constraint.validated and constraint.enforced:
            _validate_in(alteration, child, made)
    follow_references(step, parent, child)


def with_triggers(schema: Schema, referenced: AnyRelation | None) -> tuple[AnyRelation, ...]:
    """The tables on which a foreign key that references this one has triggers: its partitions too."""
    if referenced is None:
        return ()
    if not isinstance(referenced, Relation) or referenced.partitioning is None:
        return (referenced,)
    everything = (referenced, *schema.descendants(referenced))
    return tuple(one for one in everything if _has_own_triggers(schema) or one.partitioning is None)


def _has_own_triggers(schema: Schema) -> bool:
    """Whether foreign keys have triggers on a partitioned table itself: from 15 on."""
    return schema.server_version_num >= 150000


def follow_references(step: Step, parent: Relation, child: Relation) -> None:
    """The foreign keys that reference a partitioned table get to reference its new partition too."""
    keys = step.now.referencing(parent)
    own = {constraint.oid for _, constraint in keys}
    for referencing, constraint in keys:
        if constraint.parent_oid not in own:
            step.lock(referencing, cloning_lock(step.schema), f"its foreign key {constraint.name} is cloned")
        if any(one.oid == constraint.parent_oid for one in referencing.constraints) or not constraint.parent_oid:
            _put_part(step, referencing, constraint, child)


def _put_part(step: Step, referencing: Relation, constraint: Constraint, child: Relation) -> None:
    now = step.now.by_oid(referencing.oid)
    if not isinstance(now, Relation):
        return
    number = sum(one.parent_oid == constraint.oid for one in now.constraints) + 1
    part = part_for(step, constraint, child, number, constraint.oid)
    step.change.put(replace(now, constraints=(*now.constraints, part, *on_partitions(step, part))))


def cloning_lock(schema: Schema) -> LockMode:
    """The lock on a table whose foreign key gets a new partition to reference; stronger from 15 on."""
    return LockMode.SHARE_ROW_EXCLUSIVE if schema.server_version_num >= 150000 else LockMode.ACCESS_SHARE


def _validate_in(alteration: Alteration, child: Relation, constraint: Constraint) -> None:
    if child.kind in STORED:
        reason = Reason(f"{constraint.quoted_name} must hold for the rows of the partition", alteration.step.command)
        alteration.table(child).validations.append(Validation(constraint.oid, reason))


def _same_key(one: Constraint, other: Constraint) -> bool:
    return (
        one.kind is ConstraintKind.FOREIGN_KEY
        and not one.parent_oid
        and one.columns == other.columns
        and one.referenced_oid == other.referenced_oid
        and one.referenced_columns == other.referenced_columns
        and one.enforced == other.enforced
        and one.deferrable == other.deferrable
        and one.initially_deferred == other.initially_deferred
        and one.on_update == other.on_update
        and one.on_delete == other.on_delete
        and one.match == other.match
    )


def foreign_keys_of_partitions(parent: Relation) -> tuple[Constraint, ...]:
    """Those that partitions get: the whole ones, not their parts for the partitions of the referenced table."""
    keys = [one for one in parent.constraints if one.kind is ConstraintKind.FOREIGN_KEY]
    whole = {one.oid for one in keys}
    return tuple(one for one in keys if one.parent_oid not in whole)


def detach_foreign_keys(alteration: Alteration, parent: Relation, child: Relation) -> None:
    """Its foreign keys become its own; foreign keys that reference the parent no longer reach it."""
    step = alteration.step
    keys = {one.oid for one in parent.constraints if one.kind is ConstraintKind.FOREIGN_KEY}
    for constraint in child.constraints:
        if constraint.parent_oid in keys:
            other = alteration.schema.by_oid(constraint.referenced_oid)
            whole = not (isinstance(other, Relation) and other.partitioning) or _has_own_triggers(alteration.schema)
            for table in with_triggers(alteration.schema, other) if whole else ():
                step.lock(table, LockMode.SHARE_ROW_EXCLUSIVE, f"{constraint.quoted_name} becomes the partition's own")
    for referencing, constraint in alteration.schema.referencing(child):
        if not constraint.parent_oid:
            continue
        for above in ancestors(child, alteration.schema):
            step.lock(above, LockMode.ACCESS_SHARE, "the bound of its partition is looked at")
        step.lock(referencing, LockMode.ACCESS_EXCLUSIVE, f"{constraint.quoted_name} no longer reaches the partition")
        why = f"no row of {referencing.qualified_name} may reference the partition that goes"
        for one in (referencing, *alteration.schema.descendants(referencing)):
            if one.kind in STORED:
                step.scan(one, why)
        for one in (child, *alteration.schema.descendants(child)):
            if one.kind in STORED:
                step.scan(one, why)
        step.may_fail("23503", why)
        kept = tuple(one for one in referencing.constraints if one.oid != constraint.oid)
        step.change.put(replace(referencing, constraints=kept))
