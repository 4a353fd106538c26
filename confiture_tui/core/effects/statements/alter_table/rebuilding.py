"""What depends on columns whose types have changed: indexes and constraints, which are made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.dependencies import PG_CLASS, ObjectAddress
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.names import split_name
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.object_names import columns_part, relation_name
from confiture_tui.core.effects.operator_classes import accepts, has_operator_class, is_default_class, named_class
from confiture_tui.core.effects.queries.rows import parsed_expression
from confiture_tui.core.effects.statements.alter_table.foreign_keys import fits_together
from confiture_tui.core.effects.statements.alter_table.placing import placed_on
from confiture_tui.core.effects.statements.alter_table.stored_constants import refuse_stale_constants
from confiture_tui.core.effects.statements.alter_table.work import STORED, Alteration, Altered, Reason, Validation
from confiture_tui.core.effects.statements.index_keys import KNOWN_METHODS
from confiture_tui.core.effects.type_names import base_type, parse_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.indexes import Index

_SAME_CLASS = ({"text", "character varying"}, {"cidr", "inet"})
"""Types whose indexes use the same operator class, so that an index file made for one serves the other."""


def remake_dependents(alteration: Alteration, altered: Altered) -> None:
    """Make anew what depends on the columns of a table whose types have changed."""
    if not altered.types:
        return
    relation = alteration.relation(altered)
    changed, altered.types = altered.types, set()
    before = {one.name: one for one in altered.start.columns}
    for name in changed:
        _own(alteration, altered, relation, name, changed)
    relation = alteration.relation(altered)
    for index in relation.indexes:
        if index.oid in altered.made or not _uses(alteration, relation, index, changed):
            continue
        reusable = not altered.rewrites and all(
            _same_class(alteration, relation, before, name) for name in changed if name in index.key_columns
        )
        _refuse_operator_classes(alteration, relation, index, changed)
        texts = (*index.expressions, *([index.predicate] if index.predicate is not None else []))
        trees = [parsed_expression(text) for text in texts]
        refuse_stale_constants(alteration, altered.start, relation, changed, trees)
        _remake_index(alteration, altered, index, reusable=reusable)


def _refuse_operator_classes(alteration: Alteration, relation: Relation, index: Index, changed: set[str]) -> None:
    """The new type must have an operator class for the index: its default, or the one that the index names."""
    if index.access_method not in KNOWN_METHODS:
        return
    for name, operator_class in zip(index.key_columns, index.opclasses, strict=False):
        column = relation.column(name) if name in changed and name is not None else None
        if column is None or not column.type:
            continue
        kind = base_type(parse_type(column.type).bare, alteration.schema)
        if operator_class == "?":
            continue
        method = index.access_method
        if not operator_class or is_default_class(alteration.schema, operator_class, method):
            if not has_operator_class(alteration.schema, column.type, method):
                alteration.step.refuse(
                    "42704", f'data type {kind} has no default operator class for access method "{method}"'
                )
            continue
        found = named_class(alteration.schema, split_name(operator_class), method)
        if found is not None and found.type is not None and not accepts(alteration.schema, kind, found.type):
            alteration.step.refuse("42804", f'operator class "{operator_class}" does not accept data type {kind}')


def _uses(alteration: Alteration, relation: Relation, index: Index, changed: set[str]) -> bool:
    if changed & ({one for one in index.key_columns if one} | set(index.included_columns)):
        return True
    if not index.expressions and index.predicate is None:
        return False
    for name in changed:
        column = relation.column(name)
        if column is None:
            continue
        for edge in alteration.schema.dependents(ObjectAddress(PG_CLASS, relation.oid, column.number)):
            if edge.dependent == ObjectAddress(PG_CLASS, index.oid):
                return True
    # Of an index of a table that is not wholly known, nor is what its expressions use.
    return alteration.partial(relation)


def _same_class(alteration: Alteration, relation: Relation, before: dict[str, Column], name: str) -> bool:
    old, new = before.get(name), relation.column(name)
    if old is None or new is None or old.collation != new.collation:
        return False
    first = parse_type(old.type).bare
    second = parse_type(new.type).bare
    if first == second:
        return True
    first, second = base_type(first, alteration.schema), base_type(second, alteration.schema)
    return first == second or any({first, second} <= group for group in _SAME_CLASS)


def _remake_index(alteration: Alteration, altered: Altered, index: Index, *, reusable: bool) -> None:
    """An index is dropped and made anew, with its file where that still serves."""
    step = alteration.step
    relation = alteration.relation(altered)
    reusable = reusable and not index.expressions and index.predicate is None and index.valid
    new = replace(index, oid=step.change.new_oid())
    altered.made.add(new.oid)
    step.drop(index)
    step.create(index.qualified_name)
    needs = step.now.needs(ObjectAddress(PG_CLASS, index.oid))
    step.change.remove(index)
    step.change.put(new)
    for need in needs:
        step.change.depend(ObjectAddress(PG_CLASS, new.oid), need.referenced, need.kind)
    relation = alteration.relation(altered)
    alteration.update(
        relation,
        constraints=tuple(
            replace(one, index_oid=new.oid) if one.index_oid == index.oid else one for one in relation.constraints
        ),
    )
    if relation.kind in STORED and not altered.rewrites and not reusable:
        step.build(new, relation, "a column of the index has another type")
        step.scan(relation, "an index is built anew")
    if index.is_partitioned:
        _complete(alteration, relation, new)


def _complete(alteration: Alteration, relation: Relation, index: Index) -> None:
    """An index made ON ONLY its table is made anew without ONLY: the partitions that have no part of it get one."""
    step = alteration.step
    for child in step.now.children(relation):
        part = next((one for one in child.indexes if one.parent == index.qualified_name), None)
        if part is None:
            names = columns_part([one or "expr" for one in (*index.key_columns, *index.included_columns)])
            name = relation_name(step.now, child.schema, child.name, names, "idx")
            part = placed_on(step, index, child, name, is_constraint=False)
            step.create(part)
            step.change.put(part)
            if child.kind in STORED:
                step.build(part, child, "an index made ON ONLY the partitioned table is made anew without ONLY")
                step.scan(child, "an index is built")
        if child.kind is RelationKind.PARTITIONED_TABLE:
            _complete(alteration, child, part)


def _own(alteration: Alteration, altered: Altered, relation: Relation, name: str, changed: set[str]) -> None:
    """The constraints on a column are made anew, and so are foreign keys that reference it."""
    step = alteration.step
    for constraint in relation.constraints:
        if name not in constraint.columns:
            continue
        if constraint.kind is ConstraintKind.CHECK:
            tree = alteration.schema.check_expression(constraint)
            refuse_stale_constants(alteration, altered.start, relation, changed, [tree])
            if constraint.validated and constraint.enforced and relation.kind in STORED:
                alteration.check(altered, f"{constraint.quoted_name} is checked again for the new type")
                step.may_fail("23514", f"{constraint.quoted_name}: rows that exist may violate it")
        elif constraint.kind is ConstraintKind.FOREIGN_KEY:
            _remake_foreign_key(alteration, relation, constraint)
    for other, constraint in alteration.schema.referencing(relation):
        if name in constraint.referenced_columns:
            alteration.lock(other, f"its foreign key {constraint.quoted_name} is made anew")
            _remake_foreign_key(alteration, other, constraint)


def _remake_foreign_key(alteration: Alteration, relation: Relation, constraint: Constraint) -> None:
    step = alteration.step
    other = alteration.schema.by_oid(constraint.referenced_oid)
    if isinstance(other, Relation) and not fits_together(alteration.schema, relation, other, constraint):
        step.refuse("42804", f'foreign key constraint "{constraint.name}" cannot be implemented')
    if isinstance(other, Relation) and other.oid != relation.oid:
        step.lock(other, LockMode.ACCESS_EXCLUSIVE, f"{constraint.quoted_name} is dropped and made anew")
    if not constraint.validated or not constraint.enforced or relation.kind not in STORED:
        return
    altered = alteration.table(relation)
    partner = alteration.table(other) if isinstance(other, Relation) else altered
    if any(one.constraint_oid == constraint.oid for one in altered.validations):
        return
    if altered.rewrites or partner.rewrites:
        reason = Reason(f"{constraint.quoted_name} is validated again for the new type", step.command)
        altered.validations.append(Validation(constraint.oid, reason))
