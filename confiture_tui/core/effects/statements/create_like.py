"""LIKE: a new table takes columns, and what else INCLUDING says, from another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.object_names import index_label, relation_name
from confiture_tui.core.effects.statements.definitions import next_number
from confiture_tui.core.effects.statements.expressions_read import note_stored_default
from confiture_tui.core.effects.statements.own_sequences import make_sequence
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

# The bits of TableLikeOption (PostgreSQL's parsenodes.h).
_CONSTRAINTS, _DEFAULTS, _GENERATED, _IDENTITY, _INDEXES = 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6


def copy_columns(step: Step, relation: Relation, source: Found, clause: Node) -> None:
    """The columns of the other table, with NOT NULL, and with what INCLUDING says of defaults."""
    other = source.relation
    options = int(clause.get("options", 0))
    if other is None or not source.known:
        step.note(f"the columns of {source.name}, which LIKE copies, are not known")
        return
    for column in other.columns:
        there = relation.column(column.name)
        if there is not None and there.inherited:
            continue  # it merges with the parent's column
        if there is not None:
            step.refuse("42701", f'column "{column.name}" specified more than once')
        generated = column.generated if options & _GENERATED else None
        keeps_default = (column.generated is None and options & _DEFAULTS) or generated is not None
        copied = replace(
            column,
            relation=relation.qualified_name,
            number=next_number(relation),
            default=column.default if keeps_default else None,
            default_volatility=column.default_volatility if keeps_default else None,
            generated=generated,
            identity=column.identity if options & _IDENTITY else None,
            is_local=True,
            inherited=0,
            has_missing_value=False,
            acl=None,
            comment=None,
            figures=None,
        )
        note_stored_default(step, copied)
        relation = replace(relation, columns=(*relation.columns, copied))
        step.change.put(relation)
        if copied.identity is not None:
            make_sequence(step, relation, copied, identity=True)


def copy_afterwards(step: Step, relation: Relation, like: tuple[Found, Node]) -> None:
    """What INCLUDING says of constraints and indexes."""
    source, clause = like
    other = source.relation
    options = int(clause.get("options", 0))
    if other is None or not source.known:
        if options & _INDEXES:
            step.unknown_reach(f"the indexes of {source.name}, which LIKE copies, are not known")
        return
    for constraint in other.constraints:
        is_check = constraint.kind is ConstraintKind.CHECK and options & _CONSTRAINTS
        if not is_check and constraint.kind is not ConstraintKind.NOT_NULL:
            continue
        same = any(one.kind is constraint.kind and one.columns == constraint.columns for one in relation.constraints)
        if same and constraint.kind is ConstraintKind.NOT_NULL:
            continue
        made = replace(
            constraint,
            oid=step.change.new_oid(),
            owner_name=relation.qualified_name,
            relation_oid=relation.oid,
            is_local=True,
            inherited=0,
        )
        expression = step.now.check_expression(constraint)
        if expression is not None:
            step.change.remember_expression(made.oid, expression)
        relation = replace(relation, constraints=(*relation.constraints, made))
        step.change.put(relation)
    if options & _INDEXES and other.kind in (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE):
        for index in other.indexes:
            found = step.now.by_oid(relation.oid)
            _copy_index(step, found if isinstance(found, Relation) else relation, other, index)


def _copy_index(step: Step, relation: Relation, other: Relation, index: Index) -> None:
    constraint = next(
        (one for one in other.constraints if one.index_oid == index.oid and one.kind is not ConstraintKind.FOREIGN_KEY),
        None,
    )
    label = index_label(index, is_constraint=constraint is not None)
    name = relation_name(step.now, relation.schema, relation.name, *label)
    made = replace(
        index,
        oid=step.change.new_oid(),
        schema=relation.schema,
        name=name,
        qualified_name=qualified_name(relation.schema, name),
        relation=relation.qualified_name,
        relation_oid=relation.oid,
        is_partitioned=relation.kind is RelationKind.PARTITIONED_TABLE,
        parent=None,
        constraint=quote_identifier(name) if constraint is not None else None,
        valid=True,
        clustered=False,
        replica_identity=False,
    )
    if constraint is not None:
        copied = replace(
            constraint,
            oid=step.change.new_oid(),
            owner_name=relation.qualified_name,
            name=name,
            quoted_name=quote_identifier(name),
            relation_oid=relation.oid,
            index_oid=made.oid,
            index=made.qualified_name,
            parent_oid=0,
            is_local=True,
            inherited=0,
        )
        step.change.put(replace(relation, constraints=(*relation.constraints, copied)))
    step.change.put(made)
    step.create(made)
