"""Where a new object is put, and what the server says when its name is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.rights import may_create_in
from confiture_tui.core.effects.schema import Presence
from confiture_tui.core.sql.identifiers import qualified_name

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_CLOSED = frozenset({"pg_catalog", "pg_toast"})
"""Schemas in which nobody makes relations."""


def new_place(step: Step, schema: str | None) -> str:
    """The schema in which a new object is made: the one that is written, or the first of the search_path.

    Raises:
        Refused: there is certainly no such schema, or none to create in.
    """
    now = step.now
    if schema is not None:
        if now.has_schema(schema) is False:
            step.refuse("3F000", f'schema "{schema}" does not exist')
        require_create(step, schema)
        return schema
    if now.known and not any(one not in ("pg_temp", "pg_catalog") for one in now.path):
        step.refuse("3F000", "no schema has been selected to create in")
    require_create(step, now.creation_schema)
    return now.creation_schema


def require_create(step: Step, schema: str) -> None:
    """See that the role may make objects in a schema.

    Raises:
        Refused: it may not.
    """
    if not may_create_in(step, schema):
        step.refuse("42501", f"permission denied for schema {schema}")


def new_relation(step: Step, relation: Node) -> tuple[str, str]:
    """Schema and name of a relation that is to be made, whose name may be taken.

    Raises:
        Refused: there is certainly no such schema.
    """
    if relation.get("relpersistence") == "t":
        return "pg_temp", str(relation["relname"])
    schema = relation.get("schemaname")
    if schema in _CLOSED and step.settings.get("allow_system_table_mods", "off").lower() in ("off", "false", "no", "0"):
        step.refuse("42501", f'permission denied to create "{schema}.{relation["relname"]}"')
    return new_place(step, schema), str(relation["relname"])


def is_taken(step: Step, schema: str, name: str) -> bool:
    """Whether a relation of that name is certainly there."""
    found = step.now.find({"schemaname": schema, "relname": name})
    return found.presence is Presence.KNOWN or found.object is not None


def refuse_taken_relation(step: Step, schema: str, name: str) -> None:
    """See that a relation's name, and that of its row type, are free.

    Raises:
        Refused: one of them is taken.
    """
    if is_taken(step, schema, name):
        step.refuse("42P07", f'relation "{name}" already exists')
    if step.now.type([schema, name]) is not None:
        step.refuse("42710", f'type "{name}" already exists')
    if not step.now.known:
        step.may_fail("42P07", "a relation of that name may exist")


def refuse_taken_type(step: Step, schema: str, name: str) -> None:
    """See that a type's name is free.

    Raises:
        Refused: it is taken.
    """
    found = step.now.find({"schemaname": schema, "relname": name}).relation
    is_row_type = found is not None and found.kind is not RelationKind.COMPOSITE_TYPE
    if step.now.type([schema, name]) is not None or is_row_type:
        step.refuse("42710", f'type "{name}" already exists')
    if not step.now.known:
        step.may_fail("42710", f"type {qualified_name(schema, name)} may exist")
