"""FOREIGN KEY constraints: both tables, their partitions, and what is validated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Generated
from confiture_tui.core.catalog.models.relations import Persistence, Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.builtins import CastContext, CastMethod
from confiture_tui.core.effects.expressions.conversions import cast_between
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.object_names import columns_part, constraint_name
from confiture_tui.core.effects.statements.alter_table.work import (
    STORED,
    Alteration,
    Altered,
    Pass,
    Reason,
    Validation,
)
from confiture_tui.core.effects.statements.definitions import constraint_of, names_in
from confiture_tui.core.effects.statements.targets import find_existing
from confiture_tui.core.effects.type_names import base_type, parse_type
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.effects.schema import Found, Schema
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_NOT_VALID_ON_PARTITIONED = 180000
_TABLES = (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE)


def queue_foreign_key(
    alteration: Alteration, relation: Relation, constraint: Node, *, skip_validation: bool = False
) -> None:
    """Queue the adding of a FOREIGN KEY; ``skip_validation``: all values are NULL, or there are no rows."""
    if skip_validation:
        constraint = {**constraint, "trusted": True}
    alteration.queue(relation, Pass.ADD_OTHER_CONSTRAINT, lambda one: _add(alteration, one, constraint))


def _add(alteration: Alteration, altered: Altered, node: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = node.get("conname")
    if name is not None and relation.constraint(name) is not None:
        step.refuse("42710", f'constraint "{name}" for relation "{relation.name}" already exists')
    made, _found = foreign_key(step, relation, node, recurse=alteration.recurse)
    if alteration.partial(relation):
        alteration.unseen_children(relation)
    for one in _with_partitions(alteration.schema, relation):
        mine = made
        if one.oid != relation.oid:
            alteration.lock(one, "a foreign key of a partitioned table is a foreign key of its partitions")
            mine = replace(
                made,
                oid=step.change.new_oid(),
                owner_name=one.qualified_name,
                relation_oid=one.oid,
                parent_oid=made.oid,
                is_local=False,
                inherited=1,
            )
        parts = on_partitions(step, made) if mine is made else ()
        alteration.update(one, constraints=(*one.constraints, mine, *parts))
        if made.validated and not node.get("trusted") and one.kind in STORED:
            reason = Reason(f"{made.quoted_name} must hold for the rows that exist", step.command)
            alteration.table(one).validations.append(Validation(mine.oid, reason, bool(node.get("all_null"))))


def foreign_key(step: Step, relation: Relation, node: Node, *, recurse: bool = True) -> tuple[Constraint, Found | None]:
    """The foreign key that a node makes, and the table that it references, which is locked with its partitions.

    Raises:
        Refused: it cannot be made.
    """
    found = find_existing(step, node["pktable"])
    partitioned = relation.kind is RelationKind.PARTITIONED_TABLE
    if found is not None:
        lock_referenced(step, found)
    if partitioned and not recurse:
        step.refuse("42809", f'cannot use ONLY for foreign key on partitioned table "{relation.name}"')
    skips = bool(node.get("skip_validation")) and not node.get("trusted")
    enforced = bool(node.get("is_enforced", False))
    if partitioned and skips and enforced and step.schema.server_version_num < _NOT_VALID_ON_PARTITIONED:
        step.refuse("42809", f'cannot add NOT VALID foreign key on partitioned table "{relation.name}"')
    columns = names_in(node, "fk_attrs")
    schema = step.now
    for one in columns:
        if relation.column(one) is None and not schema.is_partial(relation):
            step.refuse("42703", f'column "{one}" referenced in foreign key constraint does not exist')
    _refuse_actions(step, relation, node, columns)
    name = node.get("conname") or constraint_name(schema, relation, columns_part(columns), "fkey")
    made = constraint_of(
        {**node, "skip_validation": skips or not enforced}, relation, name, step.change.new_oid(), columns
    )
    referenced = names_in(node, "pk_attrs")
    if found is None:
        return made, None
    made = replace(made, referenced_relation=found.name, referenced_columns=referenced)
    other = schema.by_oid(found.object.oid) if found.object is not None else None
    if isinstance(other, Relation):
        made = replace(made, referenced_oid=other.oid)
        if found.known:
            made = _fit(step, relation, other, made, columns, referenced, period=bool(node.get("fk_with_period")))
    return made, found


def _refuse_actions(step: Step, relation: Relation, node: Node, columns: tuple[str, ...]) -> None:
    """What a foreign key with PERIOD, or over columns that are computed when they are read, cannot do."""
    if node.get("fk_with_period"):
        for field, word in (("fk_upd_action", "UPDATE"), ("fk_del_action", "DELETE")):
            if node.get(field, "a") not in ("a", "\0", ""):
                step.refuse("0A000", f"unsupported ON {word} action for foreign key constraint using PERIOD")
    for one in columns:
        column = relation.column(one)
        if column is not None and column.generated is Generated.VIRTUAL:
            step.refuse("0A000", "foreign key constraints on virtual generated columns are not supported")


def on_partitions(step: Step, made: Constraint) -> tuple[Constraint, ...]:
    """The parts of a foreign key to a partitioned table: one for each of its partitions, on the referencing table."""
    found: list[Constraint] = []
    waiting = [(made.referenced_oid, made.oid)]
    while waiting:
        oid, parent = waiting.pop(0)
        table = step.now.by_oid(oid)
        if not isinstance(table, Relation) or table.kind is not RelationKind.PARTITIONED_TABLE:
            continue
        for child in step.now.children(table):
            one = part_for(step, made, child, len(found) + 1, parent)
            found.append(one)
            waiting.append((child.oid, one.oid))
    return tuple(found)


def part_for(step: Step, made: Constraint, child: Relation, number: int, parent: int) -> Constraint:
    """The part of a foreign key, or of the part with the oid ``parent``, for a partition of the referenced table."""
    name = f"{made.name}_{number}"
    return replace(
        made,
        oid=step.change.new_oid(),
        name=name,
        quoted_name=quote_identifier(name),
        referenced_relation=child.qualified_name,
        referenced_oid=child.oid,
        parent_oid=parent,
    )


def lock_referenced(step: Step, found: Found) -> None:
    """Lock the referenced table of a new foreign key, and its partitions."""
    step.lock(found, LockMode.SHARE_ROW_EXCLUSIVE, "a foreign key puts triggers on the table that it references")
    relation = found.relation
    if relation is not None and found.known:
        for one in step.now.descendants(relation) if relation.partitioning is not None else ():
            step.lock(one, LockMode.SHARE_ROW_EXCLUSIVE, "a foreign key puts triggers on the partitions it references")
    else:
        step.unknown_reach(f"whether {found.name} has partitions is not known")


def _fit(
    step: Step,
    relation: Relation,
    other: Relation,
    made: Constraint,
    columns: tuple[str, ...],
    referenced: tuple[str, ...],
    *,
    period: bool,
) -> Constraint:
    """See that the referenced table has a key that fits."""
    if other.kind not in _TABLES:
        step.refuse("42809", f'referenced relation "{other.name}" is not a table')
    _refuse_persistence(step, relation, other)
    for one in referenced:
        if other.column(one) is None:
            step.refuse("42703", f'column "{one}" referenced in foreign key constraint does not exist')
    if not referenced:
        key = other.primary_key
        if key is None:
            step.refuse("42704", f'there is no primary key for referenced table "{other.name}"')
        referenced = tuple(one for one in key.key_columns if one is not None)
        if len(referenced) != len(columns):
            step.refuse("42830", "number of referencing and referenced columns for foreign key disagree")
    else:
        if len(referenced) != len(columns):
            step.refuse("42830", "number of referencing and referenced columns for foreign key disagree")
        key = _matching_key(other, referenced)
        if key is None:
            step.refuse(
                "42830", f'there is no unique constraint matching given keys for referenced table "{other.name}"'
            )
        if not key.immediate:
            step.refuse(
                "55000",
                f'cannot use a deferrable unique constraint for referenced table "{other.name}"',
            )
    if key.exclusion and not period and step.schema.known:
        step.refuse("42830", "foreign key must use PERIOD when referencing a primary key using WITHOUT OVERLAPS")
    for mine, theirs in zip(columns, referenced, strict=True):
        if not _comparable(step.now, relation, mine, other, theirs):
            step.refuse("42804", f'foreign key constraint "{made.name}" cannot be implemented')
    return replace(made, referenced_columns=referenced, index_oid=key.oid, index=key.qualified_name)


def _refuse_persistence(step: Step, relation: Relation, other: Relation) -> None:
    mine, theirs = relation.persistence, other.persistence
    if mine is Persistence.PERMANENT and theirs is not Persistence.PERMANENT:
        step.refuse("42P16", "constraints on permanent tables may reference only permanent tables")
    if mine is Persistence.UNLOGGED and theirs is Persistence.TEMPORARY:
        step.refuse("42P16", "constraints on unlogged tables may reference only permanent or unlogged tables")
    if mine is Persistence.TEMPORARY and theirs is not Persistence.TEMPORARY:
        step.refuse("42P16", "constraints on temporary tables may reference only temporary tables")


def _matching_key(other: Relation, columns: tuple[str, ...]) -> Index | None:
    fitting = [
        index
        for index in other.indexes
        if index.unique
        and index.valid
        and index.predicate is None
        and not index.expressions
        # WITHOUT OVERLAPS makes an exclusion index, which PERIOD references.
        and sorted(filter(None, index.key_columns)) == sorted(columns)
    ]
    fitting += [
        index for index in other.indexes if index.exclusion and tuple(index.key_columns) == columns and not fitting
    ]
    return next((one for one in fitting if one.immediate), fitting[0] if fitting else None)


def fits_together(schema: Schema, relation: Relation, other: Relation, constraint: Constraint) -> bool:
    """Whether the columns of a foreign key can be compared with those that it references; in doubt they can."""
    pairs = zip(constraint.columns, constraint.referenced_columns, strict=False)
    return all(_comparable(schema, relation, mine, other, theirs) for mine, theirs in pairs)


_INTEGERS = frozenset({"smallint", "integer", "bigint"})


def _comparable(schema: Schema, relation: Relation, mine: str, other: Relation, theirs: str) -> bool:
    """Whether values of two columns can be compared as a foreign key does; in doubt they can."""
    column, key = relation.column(mine), other.column(theirs)
    if column is None or key is None or not column.type or not key.type:
        return True
    have, want = parse_type(column.type), parse_type(key.type)
    if have.is_array or want.is_array:
        return have.is_array == want.is_array
    first, second = base_type(have.name, schema), base_type(want.name, schema)
    if first == second or {first, second} <= _INTEGERS:
        return True
    cast = cast_between(first, second, schema)
    return cast is not None and (cast.context is CastContext.IMPLICIT or cast.method is CastMethod.BINARY)


def _with_partitions(schema: Schema, relation: Relation) -> tuple[Relation, ...]:
    partitioned = relation.kind is RelationKind.PARTITIONED_TABLE
    return (relation, *(schema.descendants(relation) if partitioned else ()))
