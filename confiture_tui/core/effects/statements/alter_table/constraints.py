"""ADD, DROP, VALIDATE and ALTER CONSTRAINT: which of the kinds is meant, and what all of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.dependencies import PG_CONSTRAINT, ObjectAddress
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.dropping import Dropping
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.alter_table.checks import queue_check
from confiture_tui.core.effects.statements.alter_table.foreign_keys import queue_foreign_key
from confiture_tui.core.effects.statements.alter_table.keys import is_key, queue_key
from confiture_tui.core.effects.statements.alter_table.not_null import (
    queue_not_null_constraint,
    refuse_unknown_syntax,
    validate_not_null,
)
from confiture_tui.core.effects.statements.alter_table.work import (
    STORED,
    Alteration,
    Altered,
    Pass,
    Reason,
    Validation,
)
from confiture_tui.core.effects.statements.foreign_data import refuse_constraint

if TYPE_CHECKING:
    from collections.abc import Callable

Node = dict[str, Any]

_CHILDREN_LOCKED_AT_ONCE = 180000
"""The version from which ADD CONSTRAINT locks all children, whatever the constraint."""
_KEYS = frozenset({"CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION"})
_INHERITED = (ConstraintKind.CHECK, ConstraintKind.NOT_NULL)


def prepare_add_constraint(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Lock the children, whatever the constraint, and queue it."""
    constraint = command["def"]["Constraint"]
    kind = constraint["contype"]
    if relation.kind is RelationKind.FOREIGN_TABLE:
        refuse_constraint(alteration.step, constraint)
    if alteration.recurse and alteration.schema.server_version_num >= _CHILDREN_LOCKED_AT_ONCE:
        alteration.descendants(relation, "ADD CONSTRAINT locks the children of its table")
    alteration.unseen_children(relation)
    if kind == "CONSTR_NOTNULL":
        refuse_unknown_syntax(alteration)
    alteration.queue(relation, Pass.ADD_CONSTRAINT, lambda one: _add(alteration, one, constraint))


def _add(alteration: Alteration, altered: Altered, constraint: Node) -> None:
    """Look at the constraint first, and queue what is to be done in the pass of its kind."""
    relation = alteration.relation(altered)
    kind = constraint["contype"]
    if kind in _KEYS:
        queue_key(alteration, relation, constraint)
    elif kind == "CONSTR_CHECK":
        queue_check(alteration, relation, constraint)
    elif kind == "CONSTR_FOREIGN":
        queue_foreign_key(alteration, relation, constraint)
    elif kind == "CONSTR_NOTNULL":
        queue_not_null_constraint(alteration, relation, constraint)
    else:
        alteration.step.unknown_reach(f"a constraint of the kind {kind} is not analysed")


# DROP CONSTRAINT


def prepare_drop_constraint(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue DROP CONSTRAINT; the partitions of a partitioned table are locked at once."""
    if relation.kind is RelationKind.PARTITIONED_TABLE:
        alteration.descendants(relation, "DROP CONSTRAINT locks the partitions of its table")
    alteration.queue(relation, Pass.DROP, lambda one: _drop_named(alteration, one, command))


def _drop_named(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = command["name"]
    constraint = relation.constraint(name)
    if constraint is not None:
        _drop(alteration, relation, constraint, cascade=command.get("behavior") == "DROP_CASCADE", recursing=False)
    elif alteration.partial(relation):
        _drop_unknown(alteration, relation, command)
    elif command.get("missing_ok"):
        step.note(f'constraint "{name}" of relation "{relation.name}" does not exist: skipped')
    else:
        step.refuse("42704", f'constraint "{name}" of relation "{relation.name}" does not exist')


def _drop_unknown(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Without a catalog it may be a foreign key, whose other table is locked, or a key with an index."""
    step = alteration.step
    step.unknown_reach(
        f'what kind of constraint "{command["name"]}" of {relation.qualified_name} is, and what other table it '
        "concerns, is not known"
    )
    if not command.get("missing_ok"):
        step.may_fail("42704", f'constraint "{command["name"]}" may not exist')


def _drop(
    alteration: Alteration, relation: Relation, constraint: Constraint, *, cascade: bool, recursing: bool
) -> None:
    step = alteration.step
    if constraint.inherited > 0 and not recursing:
        step.refuse("42P16", f'cannot drop inherited constraint "{constraint.name}" of relation "{relation.name}"')
    if constraint.kind is ConstraintKind.NOT_NULL:
        _refuse_needed_not_null(alteration, relation, constraint.columns[0])
    if constraint.referenced_oid and constraint.referenced_oid != relation.oid:
        other = alteration.schema.by_oid(constraint.referenced_oid)
        if isinstance(other, Relation):
            step.lock(other, LockMode.ACCESS_EXCLUSIVE, f"{constraint.quoted_name} has triggers on it")
    elif constraint.referenced_relation is not None and not constraint.referenced_oid:
        step.lock(
            constraint.referenced_relation, LockMode.ACCESS_EXCLUSIVE, f"{constraint.quoted_name} has triggers on it"
        )
    _drop_parts(alteration, relation, constraint)
    target = ObjectAddress(PG_CONSTRAINT, constraint.oid)
    dropping = Dropping(alteration.schema, [target], owner=relation)
    if dropping.blocked and not cascade:
        step.refuse(
            "2BP01",
            f"cannot drop constraint {constraint.name} on table {relation.name} because other objects depend on it",
        )
    dropping.carry_out(step, "DROP CONSTRAINT takes away")
    relation = _without(alteration, relation.oid, constraint)
    if constraint.kind is ConstraintKind.NOT_NULL and (column := relation.column(constraint.columns[0])) is not None:
        relation = alteration.update_column(relation, column, not_null=False)
    if constraint.no_inherit or constraint.kind not in _INHERITED:
        return
    for child in alteration.children(relation, "an inherited constraint goes from the children too"):
        _from_child(alteration, child, constraint, cascade=cascade)


def _without(alteration: Alteration, oid: int, constraint: Constraint) -> Relation:
    relation = alteration.schema.by_oid(oid)
    assert isinstance(relation, Relation)
    kept = tuple(one for one in relation.constraints if one.oid != constraint.oid)
    return relation if len(kept) == len(relation.constraints) else alteration.update(relation, constraints=kept)


def _drop_parts(alteration: Alteration, relation: Relation, constraint: Constraint) -> None:
    """A key or foreign key of a partitioned table goes with those of its partitions that are its parts."""
    if constraint.kind in _INHERITED:
        return
    for child in alteration.schema.children(relation):
        for part in child.constraints:
            if part.parent_oid == constraint.oid:
                alteration.lock(child, f"{part.quoted_name} is a part of {constraint.quoted_name}")
                _drop_parts(alteration, child, part)
                index = next((one for one in child.indexes if one.oid == part.index_oid), None)
                if index is not None and is_key(part.kind):
                    alteration.step.drop(index)
                    alteration.step.change.remove(index)
                _without(alteration, child.oid, part)


def _refuse_needed_not_null(alteration: Alteration, relation: Relation, name: str) -> None:
    step = alteration.step
    if any(index.primary and name in index.key_columns for index in relation.indexes):
        step.refuse("42P16", f'column "{name}" is in a primary key')
    if any(index.replica_identity and name in index.key_columns for index in relation.indexes):
        step.refuse("42P16", f'column "{name}" is in index used as replica identity')
    column = relation.column(name)
    if column is not None and column.identity is not None:
        step.refuse("55000", f'column "{name}" of relation "{relation.name}" is an identity column')


def _from_child(alteration: Alteration, child: Relation, constraint: Constraint, *, cascade: bool) -> None:
    inherited: Constraint | None
    if constraint.kind is ConstraintKind.NOT_NULL:
        inherited = next(
            (one for one in child.constraints if one.kind is constraint.kind and one.columns == constraint.columns),
            None,
        )
    else:
        inherited = child.constraint(constraint.name)
    if inherited is None:
        return
    if alteration.recurse and inherited.inherited == 1 and not inherited.is_local:
        _drop(alteration, child, inherited, cascade=cascade, recursing=True)
        return
    left = inherited.inherited - 1
    local = inherited.is_local or (not alteration.recurse and left == 0)
    alteration.update_constraint(child, inherited, inherited=left, is_local=local)


# VALIDATE CONSTRAINT


def prepare_validate(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue VALIDATE CONSTRAINT."""
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _validate_named(alteration, one, command["name"]))


def _validate_named(alteration: Alteration, altered: Altered, name: str) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    constraint = relation.constraint(name)
    if constraint is None:
        if not alteration.partial(relation):
            step.refuse("42704", f'constraint "{name}" of relation "{relation.name}" does not exist')
        alteration.check(altered, f'constraint "{name}" must hold for the rows that exist')
        step.may_fail("23514", f'"{name}": rows that exist may violate it')
        step.may_fail("23503", f'"{name}": rows may reference what does not exist')
        step.unknown_reach(f'what other table constraint "{name}" concerns is not known')
        return
    kinds: dict[ConstraintKind, Callable[[Alteration, Altered, Constraint], None]] = {
        ConstraintKind.FOREIGN_KEY: _validate_foreign_key,
        ConstraintKind.CHECK: _validate_check,
        ConstraintKind.NOT_NULL: validate_not_null,
    }
    validate = kinds.get(constraint.kind)
    if validate is None:
        step.refuse(
            "42809", f'constraint "{name}" of relation "{relation.name}" is not a foreign key or check constraint'
        )
    if not constraint.enforced:
        step.refuse("55000", "cannot validate NOT ENFORCED constraint")
    if not constraint.validated:
        validate(alteration, altered, constraint)


def _validate_foreign_key(alteration: Alteration, altered: Altered, constraint: Constraint) -> None:
    step = alteration.step
    relation = alteration.update_constraint(alteration.relation(altered), constraint, validated=True)
    other = alteration.schema.by_oid(constraint.referenced_oid) or constraint.referenced_relation
    why = f"{constraint.quoted_name} must hold for the rows that exist"
    if relation.kind in STORED:
        if other is not None:
            step.lock(other, LockMode.ROW_SHARE, "the rows that are referenced are looked up")
        altered.validations.append(Validation(constraint.oid, Reason(why, step.command)))
    for child in alteration.schema.children(relation):
        for part in child.constraints:
            if part.parent_oid == constraint.oid and not part.validated:
                alteration.lock(child, "it is validated in the partitions")
                _validate_foreign_key(alteration, alteration.table(child), part)


def _validate_check(alteration: Alteration, altered: Altered, constraint: Constraint) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    children = [] if constraint.no_inherit else list(alteration.descendants(relation, "it is validated there too"))
    if children and not alteration.recurse:
        step.refuse("42P16", "constraint must be validated on child tables too")
    step.may_fail("23514", f"{constraint.quoted_name}: rows that exist may violate it")
    for one in (relation, *children):
        known = one.constraint(constraint.name)
        if known is None or known.validated:
            continue
        one = alteration.update_constraint(one, known, validated=True)
        if one.kind in STORED:
            alteration.check(alteration.table(one), f"{known.quoted_name} must hold for the rows that exist")
