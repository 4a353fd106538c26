"""CREATE TYPE and ALTER TYPE: composite types, enums, ranges; and DefineStmt's types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_TYPE, ObjectAddress
from confiture_tui.core.catalog.models.relations import Persistence, RelationKind
from confiture_tui.core.catalog.models.types import Type, TypeKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.changes import blank_relation, blank_type
from confiture_tui.core.effects.statements.creation import new_place, refuse_taken_relation, refuse_taken_type
from confiture_tui.core.effects.statements.definitions import column_of, column_parts, names_in
from confiture_tui.core.effects.statements.fresh_labels import note_fresh_label, note_renamed_label
from confiture_tui.core.effects.statements.needs import note_type
from confiture_tui.core.effects.statements.options import find_option, option_text
from confiture_tui.core.effects.statements.type_lookup import find_type_named
from confiture_tui.core.effects.types_known import refuse_set, require_column_type, require_type
from confiture_tui.core.sql.identifiers import qualified_name

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]


def new_type(step: Step, schema: str, name: str, kind: TypeKind) -> Type:
    """A type of which only name and kind are known."""
    return blank_type(step.change.new_oid(), step.change.new_oid(), schema, name, kind)


def place_of_type(step: Step, parts: tuple[str, ...]) -> tuple[str, str]:
    """Schema and name of a type that is to be made, whose name is free.

    Raises:
        Refused: there is no such schema, or the name is taken.
    """
    schema = new_place(step, parts[-2] if len(parts) > 1 else None)
    refuse_taken_type(step, schema, parts[-1])
    return schema, parts[-1]


def read_create_enum(node: Node, step: Step) -> None:
    """CREATE TYPE … AS ENUM"""
    labels = names_in(node, "vals")
    schema, name = place_of_type(step, names_in(node, "typeName"))
    if len(set(labels)) < len(labels):
        step.refuse("23505", 'duplicate key value violates unique constraint "pg_enum_typid_label_index"')
    step.change.put_type(replace(new_type(step, schema, name, TypeKind.ENUM), labels=labels))


def read_alter_enum(node: Node, step: Step) -> None:
    """ALTER TYPE … ADD VALUE, RENAME VALUE: touches no table."""
    parts = names_in(node, "typeName")
    found = find_type_named(parts, None, step)
    new, old = str(node.get("newVal", "")), node.get("oldVal")
    if found.table is not None or (found.type is not None and found.type.kind is not TypeKind.ENUM):
        step.refuse("42809", f"{parts[-1]} is not an enum")
    enum = found.type
    if enum is None:
        if not node.get("skipIfNewValExists"):
            step.may_fail("42710", "the label may exist")
        if old is not None:
            step.changes_data(None)
        return
    if old is not None:
        if old not in enum.labels:
            step.refuse("22023", f'"{old}" is not an existing enum label')
        if new in enum.labels:
            step.refuse("42710", f'enum label "{new}" already exists')
        if step.now.columns_of_type(enum.oid):
            # What is stored stays, and whoever reads it gets another text.
            step.changes_data(None)
        note_renamed_label(step, enum, str(old), new)
        step.change.put_type(replace(enum, labels=tuple(new if one == old else one for one in enum.labels)))
        return
    if new in enum.labels:
        if node.get("skipIfNewValExists"):
            step.note(f"enum label {new} already exists, skipping")
            return
        step.refuse("42710", f'enum label "{new}" already exists')
    labels, neighbour = list(enum.labels), node.get("newValNeighbor")
    if neighbour is None:
        labels.append(new)
    elif neighbour not in labels:
        step.refuse("22023", f'"{neighbour}" is not an existing enum label')
    else:
        labels.insert(labels.index(neighbour) + (1 if node.get("newValIsAfter") else 0), new)
    changed = replace(enum, labels=tuple(labels))
    step.change.put_type(changed)
    note_fresh_label(step, changed, new)


def read_create_range(node: Node, step: Step) -> None:
    """CREATE TYPE … AS RANGE"""
    schema, name = place_of_type(step, names_in(node, "typeName"))
    subtype = find_option(node, "subtype", field="params")
    if subtype is None:
        step.refuse("42601", 'type attribute "subtype" is required')
    require_type(step, subtype.get("arg", {}).get("TypeName", {}))
    made = replace(new_type(step, schema, name, TypeKind.RANGE), subtype=option_text(subtype.get("arg")))
    step.change.put_type(made)
    note_type(step, ObjectAddress(PG_TYPE, made.oid), subtype.get("arg", {}).get("TypeName", {}))


def read_create_composite(node: Node, step: Step) -> None:
    """CREATE TYPE … AS (…)"""
    written = node["typevar"]
    schema, name = new_place(step, written.get("schemaname")), str(written["relname"])
    found = step.now.find({"schemaname": schema, "relname": name})
    if found.object is not None and step.now.type([schema, name]) is None and found.relation is None:
        refuse_taken_relation(step, schema, name)
    refuse_taken_type(step, schema, name)
    relation = blank_relation(
        step.change.new_oid(),
        schema,
        name,
        qualified_name(schema, name),
        RelationKind.COMPOSITE_TYPE,
        Persistence.PERMANENT,
    )
    columns: list[Column] = []
    for number, one in enumerate(node.get("coldeflist", []), start=1):
        parts = column_parts(one["ColumnDef"])
        refuse_set(step, parts.name, parts.type_node)
        require_column_type(step, parts.name, parts.type_node, parts.collation)
        if any(each.name == parts.name for each in columns):
            step.refuse("42701", f'column "{parts.name}" specified more than once')
        columns.append(column_of(parts, relation, number, step.now))
    kind = new_type(step, schema, name, TypeKind.COMPOSITE)
    step.change.put(replace(relation, columns=tuple(columns), row_type_oid=kind.oid))
    step.change.put_type(replace(kind, relation_oid=relation.oid))


def read_alter_type(node: Node, step: Step) -> None:
    """ALTER TYPE … SET (…): properties of a base type."""
    found = find_type_named(names_in(node, "typeName"), None, step)
    if found.table is not None or (found.type is not None and found.type.kind is not TypeKind.BASE):
        step.refuse("42809", f"{found.key[1]} is not a base type")
