"""NOT NULL: SET, DROP, and as a named constraint (18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.object_names import constraint_name
from confiture_tui.core.effects.proofs import proves_not_null
from confiture_tui.core.effects.statements.alter_table.work import STORED, Alteration, Altered, Pass
from confiture_tui.core.effects.statements.definitions import blank_column, constraint_of, names_in

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.effects.schema import Schema

Node = dict[str, Any]

AS_CONSTRAINTS = 180000
"""The version from which NOT NULL is kept as a constraint of the table."""


def not_null_constraint(relation: Relation, column: str) -> Constraint | None:
    """The NOT NULL constraint of a column, from 18 on."""
    return next(
        (one for one in relation.constraints if one.kind is ConstraintKind.NOT_NULL and one.columns == (column,)), None
    )


def is_valid_not_null(relation: Relation, column: Column) -> bool:
    """Whether no row that exists has NULL in a column, by its NOT NULL constraint."""
    constraint = not_null_constraint(relation, column.name)
    return column.not_null and (constraint is None or constraint.validated)


def proved_not_null(schema: Schema, relation: Relation, column: str) -> bool:
    """Whether a valid CHECK constraint proves that no row has NULL in a column."""
    for constraint in relation.constraints:
        if constraint.kind is ConstraintKind.CHECK and constraint.validated and constraint.enforced:
            expression = schema.check_expression(constraint)
            if expression is not None and proves_not_null(expression, column):
                return True
    return False


def prepare_set_not_null(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue ALTER COLUMN … SET NOT NULL."""
    queue_set_not_null(alteration, relation, command["name"])


def queue_set_not_null(alteration: Alteration, relation: Relation, name: str, constraint: Node | None = None) -> None:
    """Queue that a column becomes NOT NULL, be it by SET NOT NULL, a primary key, or a constraint."""
    if alteration.schema.server_version_num < AS_CONSTRAINTS:
        _queue_for_all(alteration, relation, name)
        return
    alteration.queue(
        relation,
        Pass.COLUMN_ATTRIBUTES,
        lambda one: _set(alteration, one, name, constraint, None, recursing=False),
    )


def _queue_for_all(alteration: Alteration, relation: Relation, name: str) -> None:
    """Up to 17 the children are locked and queued at once, whatever they have."""
    column = relation.column(name)
    partitioned = relation.kind is RelationKind.PARTITIONED_TABLE
    tables = [relation]
    if partitioned and column is not None and column.not_null:
        pass  # then its partitions have it too
    elif alteration.recurse:
        tables += alteration.descendants(relation, "NOT NULL goes to the children too")
    elif partitioned:
        for child in alteration.descendants(relation, "its partitions must have it already"):
            there = child.column(name)
            if there is not None and not there.not_null:
                alteration.step.refuse("42P16", "constraint must be added to child tables too")
    for table in tables:
        alteration.queue(table, Pass.COLUMN_ATTRIBUTES, lambda one: _mark(alteration, one, name))


def _mark(alteration: Alteration, altered: Altered, name: str) -> Relation:
    """The column becomes NOT NULL; its rows are looked at unless that is proved already."""
    step = alteration.step
    relation = alteration.relation(altered)
    column = alteration.column(relation, name)
    if column is None:
        column = blank_column(relation.qualified_name, name, 0)
    elif column.not_null:
        return relation
    proved = proved_not_null(alteration.schema, relation, name)
    relation = alteration.update_column(relation, column, not_null=True)
    if not proved and relation.kind in STORED:
        alteration.check(altered, f"{column.qualified_name} must have no NULL")
        step.may_fail("23502", f"{column.qualified_name} may have NULLs")
    return relation


def _set(
    alteration: Alteration,
    altered: Altered,
    name: str,
    written: Node | None,
    constraint_named: str | None,
    *,
    recursing: bool,
) -> None:
    """From 18 on: a constraint is made, or found."""
    step = alteration.step
    relation = alteration.relation(altered)
    column = alteration.column(relation, name)
    existing = not_null_constraint(relation, name)
    if existing is not None:
        _found(alteration, altered, relation, existing, written, recursing=recursing)
        return
    no_inherit = bool((written or {}).get("is_no_inherit"))
    children_there = alteration.schema.children(relation)
    if not alteration.recurse and children_there and not no_inherit:
        if relation.kind is RelationKind.PARTITIONED_TABLE or written is not None:
            step.refuse("42P16", "constraint must be added to child tables too")
        no_inherit = True
    chosen = constraint_named or (written or {}).get("conname")
    if chosen is not None and relation.constraint(chosen) is not None:
        step.refuse("42710", f'constraint "{chosen}" for relation "{relation.name}" already exists')
    if chosen is None:
        chosen = constraint_name(alteration.schema, relation, name, "not_null")
    node = {**(written or {}), "contype": "CONSTR_NOTNULL", "is_no_inherit": no_inherit}
    if column is None and not (written or {}).get("skip_validation"):
        relation = _mark(alteration, altered, name)
    made = constraint_of(node, relation, chosen, step.change.new_oid(), (name,))
    if recursing:
        made = replace(made, is_local=False, inherited=1)
    if made.validated:
        relation = _mark(alteration, altered, name)
    elif column is not None:
        relation = alteration.update_column(relation, column, not_null=True)
    relation = alteration.update(relation, constraints=(*relation.constraints, made))
    if no_inherit or not alteration.recurse:
        alteration.unseen_children(relation)
        return
    for child in alteration.children(relation, "NOT NULL goes to the children too"):
        _set(alteration, alteration.table(child), name, written, made.name, recursing=True)


def keep_not_null(
    alteration: Alteration, relation: Relation, name: str, written: Node | None, *, recursing: bool
) -> Relation:
    """The table with the NOT NULL constraint of a column that is new; up to 17 there is none."""
    step = alteration.step
    no_inherit = bool((written or {}).get("is_no_inherit"))
    if step.schema.server_version_num < AS_CONSTRAINTS or (recursing and no_inherit):
        return relation
    chosen = (written or {}).get("conname") or constraint_name(alteration.schema, relation, name, "not_null")
    if relation.constraint(chosen) is not None:
        step.refuse("42710", f'constraint "{chosen}" for relation "{relation.name}" already exists')
    node = {**(written or {}), "contype": "CONSTR_NOTNULL", "is_no_inherit": no_inherit}
    made = constraint_of(node, relation, chosen, step.change.new_oid(), (name,))
    if recursing:
        made = replace(made, is_local=False, inherited=1)
    return alteration.update(relation, constraints=(*relation.constraints, made))


def _found(
    alteration: Alteration,
    altered: Altered,
    relation: Relation,
    existing: Constraint,
    written: Node | None,
    *,
    recursing: bool,
) -> None:
    """The column has a NOT NULL constraint already."""
    step = alteration.step
    if existing.no_inherit and alteration.recurse and written is None:
        step.refuse(
            "0A000",
            f'cannot change NO INHERIT status of NOT NULL constraint "{existing.name}" on relation "{relation.name}"',
        )
    if recursing:
        alteration.update_constraint(relation, existing, inherited=existing.inherited + 1)
    elif written is not None:
        if written.get("conname") not in (None, existing.name):
            step.refuse(
                "55000",
                f'cannot create not-null constraint "{written["conname"]}" on column "{existing.columns[0]}" '
                f'of table "{relation.name}"',
            )
        if not existing.validated and not written.get("skip_validation"):
            step.refuse("55000", f'incompatible NOT VALID constraint "{existing.name}" on relation "{relation.name}"')
    elif not existing.validated:
        validate_not_null(alteration, altered, existing)


def validate_not_null(alteration: Alteration, altered: Altered, constraint: Constraint) -> None:
    """A NOT NULL constraint that is not valid becomes so, on the children too."""
    relation = alteration.relation(altered)
    name = constraint.columns[0]
    children = [] if constraint.no_inherit else list(alteration.descendants(relation, "it is validated there too"))
    if children and not alteration.recurse:
        alteration.step.refuse("42P16", "constraint must be validated on child tables too")
    for one in (relation, *children):
        known = not_null_constraint(one, name)
        if known is None or known.validated:
            continue
        proved = proved_not_null(alteration.schema, one, name)
        one = alteration.update_constraint(one, known, validated=True)
        if one.kind in STORED and not proved:
            alteration.check(alteration.table(one), f"{known.quoted_name} must hold for the rows that exist")
            alteration.step.may_fail("23502", f"{known.quoted_name}: rows that exist may have NULLs")


def prepare_drop_not_null(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue ALTER COLUMN … DROP NOT NULL."""
    name = command["name"]
    tables = [relation]
    if alteration.schema.server_version_num < AS_CONSTRAINTS and alteration.recurse:
        tables += alteration.descendants(relation, "NOT NULL is dropped from the children too")
    for table in tables:
        alteration.queue(table, Pass.DROP, lambda one: _drop(alteration, one, name, recursing=one.oid != relation.oid))


def _drop(alteration: Alteration, altered: Altered, name: str, *, recursing: bool) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    column = alteration.column(relation, name)
    as_constraints = step.schema.server_version_num >= AS_CONSTRAINTS
    if column is None or (not column.not_null and as_constraints):
        if column is None:
            alteration.unseen_children(relation)
            alteration.update_column(relation, blank_column(relation.qualified_name, name, 0), not_null=False)
        return
    if column.identity is not None:
        step.refuse("42601", f'column "{name}" of relation "{relation.name}" is an identity column')
    if any(index.primary and name in index.key_columns for index in relation.indexes):
        step.refuse("42P16", f'column "{name}" is in a primary key')
    if any(index.replica_identity and name in index.key_columns for index in relation.indexes):
        step.refuse("42P16", f'column "{name}" is in index used as replica identity')
    if relation.is_partition and not recursing:
        for parent in alteration.schema.parents(relation):
            there = parent.column(name)
            if there is not None and there.not_null:
                step.refuse("42P16", f'column "{name}" is marked NOT NULL in parent table')
    if not column.not_null:
        return
    constraint = not_null_constraint(relation, name)
    if constraint is not None and constraint.inherited > 0 and not recursing:
        step.refuse("42P16", f'cannot drop inherited constraint "{constraint.name}" of relation "{relation.name}"')
    relation = alteration.update_column(relation, column, not_null=False)
    relation = alteration.update(
        relation, constraints=tuple(one for one in relation.constraints if one is not constraint)
    )
    if as_constraints and constraint is not None and not constraint.no_inherit:
        for child in alteration.children(relation, "NOT NULL is dropped from the children too"):
            inherited = not_null_constraint(child, name)
            if inherited is None:
                continue
            if alteration.recurse and inherited.inherited == 1 and not inherited.is_local:
                _drop(alteration, alteration.table(child), name, recursing=True)
            else:
                left = inherited.inherited - 1
                alteration.update_constraint(
                    child, inherited, inherited=left, is_local=inherited.is_local or (left == 0)
                )


def refuse_unknown_syntax(alteration: Alteration) -> None:
    """ADD CONSTRAINT … NOT NULL column is known to servers from 18 on.

    Raises:
        Refused: the server is an older one.
    """
    step = alteration.step
    if step.schema.known and step.schema.server_version_num < AS_CONSTRAINTS:
        step.refuse("42601", 'syntax error at or near "NOT"')


def queue_not_null_constraint(alteration: Alteration, relation: Relation, constraint: Node) -> None:
    """Queue ADD CONSTRAINT … NOT NULL column."""
    for name in names_in(constraint, "keys"):
        queue_set_not_null(alteration, relation, name, constraint)
