"""ALTER COLUMN … TYPE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Generated
from confiture_tui.core.catalog.models.dependencies import (
    PG_ATTRDEF,
    PG_CLASS,
    PG_CONSTRAINT,
    PG_POLICY,
    PG_PROC,
    PG_REWRITE,
    PG_TRIGGER,
    PG_TYPE,
    ObjectAddress,
)
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.expressions import type_of
from confiture_tui.core.effects.queries.rows import parsed_expression
from confiture_tui.core.effects.statements.alter_table.typed import typed_tables
from confiture_tui.core.effects.statements.alter_table.values import follow_type
from confiture_tui.core.effects.statements.alter_table.work import STORED, Alteration, Altered, Pass
from confiture_tui.core.effects.statements.collations import note_collation
from confiture_tui.core.effects.statements.definitions import SERIAL_TYPES, blank_column, names_in, type_oid, type_text
from confiture_tui.core.effects.statements.expressions_read import note_stored_default, read_expression
from confiture_tui.core.effects.statements.own_sequences import IDENTITY_TYPES
from confiture_tui.core.effects.type_change import change_of_type
from confiture_tui.core.effects.type_names import parse_type, type_of_node
from confiture_tui.core.effects.types_known import require_column_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column

Node = dict[str, Any]

PG_PUBLICATION_REL, PG_COLLATION = 6106, 3456
"""The oids of those catalogs: PostgreSQL's sources, src/include/catalog."""

_IN_THE_WAY = {
    PG_REWRITE: "a view or rule",
    PG_CLASS: "a view or rule",
    PG_TRIGGER: "a trigger definition",
    PG_POLICY: "a policy definition",
    PG_PROC: "a function or procedure",
    PG_PUBLICATION_REL: "a publication WHERE clause",
}


def prepare_type(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Judge and queue ALTER COLUMN … TYPE, on the children too."""
    step = alteration.step
    name = command["name"]
    if relation.of_type is not None:
        step.refuse("42809", "cannot alter column type of typed table")
    column = alteration.column(relation, name)
    if column is not None and column.inherited > 0:
        step.refuse("42P16", f'cannot alter inherited column "{name}"')
    _prepare_one(alteration, relation, command)
    if column is not None:
        follow_type(alteration, relation, column)
    if alteration.recurse:
        for child in alteration.descendants(relation, "a type goes to the children too"):
            there = child.column(name)
            if there is not None and there.inherited > len(child.parent_oids):
                step.refuse("42P16", f'cannot alter inherited column "{name}" of relation "{child.name}"')
            _prepare_one(alteration, child, command)
    elif alteration.schema.children(relation):
        step.refuse("42P16", f'type of inherited column "{name}" must be changed in child tables too')
    if relation.kind is RelationKind.COMPOSITE_TYPE:
        for table in typed_tables(alteration, relation, command):
            _prepare_one(alteration, table, command)


def _prepare_one(alteration: Alteration, relation: Relation, command: Node) -> None:
    step = alteration.step
    name = command["name"]
    definition = command["def"]["ColumnDef"]
    using: Node | None = definition.get("raw_default")
    column = alteration.column(relation, name)
    if column is not None and column.generated is not None and using is not None:
        step.refuse("42611", "cannot specify USING when altering type of generated column")
    if relation.partitioning is not None and name in relation.partitioning.columns:
        step.refuse(
            "42P16",
            f'cannot alter column "{name}" because it is part of the partition key of relation "{relation.name}"',
        )
    written = [part["String"].get("sval", "") for part in definition["typeName"].get("names", ()) if "String" in part]
    if len(written) == 1 and written[0] in SERIAL_TYPES and type_of_node({"names": []}, step.now) is None:
        step.refuse("42704", f'type "{written[0]}" does not exist')
    require_column_type(step, name, definition["typeName"], definition.get("collClause"))
    if column is not None and column.identity and type_text(definition["typeName"], step.now) not in IDENTITY_TYPES:
        step.refuse("22023", "identity column type must be smallint, integer, or bigint")
    if relation.kind in (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE):
        if column is None or column.generated is not Generated.VIRTUAL:
            _judge(alteration, relation, column, name, definition["typeName"], using)
    elif relation.kind is RelationKind.FOREIGN_TABLE and using is not None:
        step.refuse("42809", f'"{relation.name}" is not a table')
    if relation.kind not in STORED:
        _refuse_users(alteration, relation)
    alteration.queue(relation, Pass.ALTER_TYPE, lambda one: _change(alteration, one, command))


def _judge(
    alteration: Alteration, relation: Relation, column: Column | None, name: str, type_node: Node, using: Node | None
) -> None:
    step = alteration.step
    altered = alteration.table(relation)
    new = type_of_node(type_node, step.now)
    old = parse_type(column.type) if column is not None and column.type else None
    if using is not None:
        partial = alteration.partial(relation)
        read_expression(step, using, "transform expression", relation=None if partial else relation, executed=True)
    change = change_of_type(
        old, new, step.now, step.settings, using=using, relation=relation if column is not None else None, column=name
    )
    shown = str(new) if new is not None else type_text(type_node, step.now)
    if change.possible is False:
        what = f'column "{name}"' if using is None else f'result of USING clause for column "{name}"'
        step.refuse("42804", f"{what} cannot be cast automatically to type {shown}")
    if change.possible is None:
        step.may_fail("42804", f'column "{name}" may have no cast to {shown}')
    altered.computes = True
    if relation.kind in STORED:
        if change.rewrites is not False:
            alteration.rewrite(altered, f"{name} becomes {shown}: {change.why}")
        for sqlstate, why in change.failures:
            step.may_fail(sqlstate, f"{name}: {why}")
        if change.changes_values is not False and step.schema.is_old(relation):
            step.changes_data(change.changes_values)


def _refuse_users(alteration: Alteration, relation: Relation) -> None:
    """Columns that hold rows of a composite type, or of a table without storage."""
    own = alteration.schema.type_by_oid(relation.row_type_oid)
    for oid in {relation.row_type_oid, own.array_oid if own is not None else 0} - {0}:
        for user, column in alteration.schema.columns_of_type(oid):
            if user.kind in STORED:
                alteration.step.refuse(
                    "0A000",
                    f'cannot alter type "{relation.name}" because column "{user.name}.{column.name}" uses it',
                )


def _change(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = command["name"]
    type_node = command["def"]["ColumnDef"]["typeName"]
    column = alteration.column(relation, name)
    if name in altered.types:
        step.refuse("0A000", f'cannot alter type of column "{name}" twice')
    if column is None:
        step.unknown_reach(f"what depends on {relation.qualified_name}.{name} is not known")
        step.may_fail("0A000", f"a view, rule or trigger may use {name}")
        column = blank_column(relation.qualified_name, name, 0)
    else:
        _refuse_default(alteration, column, type_node)
        note_stored_default(step, column)
        _forget_type(alteration, relation, column)
        _refuse_dependents(alteration, relation, column)
        if alteration.partial(relation):
            step.unknown_reach(f"what depends on {column.qualified_name} is not known")
    altered.types.add(name)
    text = type_text(type_node, step.now)
    collation = command["def"]["ColumnDef"].get("collClause")
    note_collation(step, ObjectAddress(PG_CLASS, relation.oid, column.number), collation)
    relation = alteration.update_column(
        relation,
        column,
        type=text,
        type_oid=type_oid(text, step.now),
        collation="" if collation is not None and names_in(collation, "collname")[-1:] != ("default",) else None,
        has_missing_value=column.has_missing_value and not altered.rewrites,
    )
    del relation


def _refuse_default(alteration: Alteration, column: Column, type_node: Node) -> None:
    """A default, or generation expression, must follow the column to its new type."""
    step = alteration.step
    new = type_of_node(type_node, step.now)
    expression = parsed_expression(column.default) if column.default else None
    if expression is None or new is None:
        return
    relation = step.now.find(column.relation).relation
    kind = type_of(expression, step.now, relation=relation)
    if kind is not None and kind.name == "unknown":
        # A text in quotes was read as the column's type when it became the default.
        kind = parse_type(column.type) if column.type and "A_Const" in expression else None
    if kind is None:
        return
    if change_of_type(kind, new, step.now, step.settings).possible is False:
        what = "generation expression" if column.generated is not None else "default"
        step.refuse("42804", f'{what} for column "{column.name}" cannot be cast automatically to type {new}')


def _refuse_dependents(alteration: Alteration, relation: Relation, column: Column) -> None:
    """What has the column's type written into it stands in the way."""
    step = alteration.step
    for edge in alteration.schema.dependents(ObjectAddress(PG_CLASS, relation.oid, column.number)):
        dependent = edge.dependent
        if dependent.class_oid == PG_CLASS and not isinstance(alteration.schema.by_oid(dependent.oid), Relation):
            continue  # indexes and sequences are made anew, or do not care
        # Before 15 a generated column itself depends on the columns that it is made of, later its expression does.
        generated = dependent.class_oid == PG_CLASS and dependent.oid == relation.oid and dependent.number != 0
        if generated or dependent.class_oid == PG_ATTRDEF:
            if generated or not _is_default_of(alteration, dependent, relation, column):
                old = step.schema.known and step.schema.server_version_num < 150000
                step.refuse("42601" if old else "0A000", "cannot alter type of a column used by a generated column")
            continue
        what = _IN_THE_WAY.get(dependent.class_oid)
        if what is not None:
            step.refuse("0A000", f"cannot alter type of a column used by {what}")


def _forget_type(alteration: Alteration, relation: Relation, column: Column) -> None:
    """The column, its default, constraints and indexes no longer need its old type, which can then be dropped."""
    if not column.number:
        return
    own = ObjectAddress(PG_CLASS, relation.oid, column.number)
    made_anew = {PG_CLASS, PG_ATTRDEF, PG_CONSTRAINT}
    users = [edge.dependent for edge in alteration.schema.dependents(own) if edge.dependent.class_oid in made_anew]
    for address in dict.fromkeys((own, *users)):
        needs = alteration.schema.needs(address)
        given_up = {PG_TYPE, PG_COLLATION} if address == own else {PG_TYPE}
        if all(edge.referenced.class_oid not in given_up for edge in needs):
            continue
        alteration.step.change.forget_needs(address)
        for edge in needs:
            if edge.referenced.class_oid not in given_up:
                alteration.step.change.depend(address, edge.referenced, edge.kind)


def _is_default_of(alteration: Alteration, default: ObjectAddress, relation: Relation, column: Column) -> bool:
    """Whether a default expression is the column's own."""
    catalog = alteration.schema.catalog
    if catalog is None or default.oid < 0:
        return True  # those that the files have made depend on no other column
    return any(
        edge.kind in "ai" and edge.referenced == ObjectAddress(PG_CLASS, relation.oid, column.number)
        for edge in catalog.dependencies.references(default)
        if edge.kind != "n"
    )
