"""Types as statements name them, to be altered or dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.statements.definitions import names_in
from confiture_tui.core.effects.type_names import type_of_node
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.types import Type
    from confiture_tui.core.catalog.names import Key
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FoundType:
    """What a type's name means.

    Attributes:
        type: the user's type; ``None`` when it is not one, or nothing is known of it.
        table: the table whose rows are the type; ``None`` when it is another kind of type.
        key: schema and name as stored.
        assumed: it is assumed to exist, since nobody can tell.
    """

    type: Type | None
    table: Relation | None
    key: Key
    assumed: bool = False


def find_type(node: Node, step: Step, *, missing_ok: bool = False) -> FoundType:
    """The type that a ``TypeName`` names.

    Raises:
        Refused: it certainly does not exist.
    """
    return find_type_named(names_in(node, "names"), node, step, missing_ok=missing_ok)


def find_type_named(parts: tuple[str, ...], node: Node | None, step: Step, *, missing_ok: bool = False) -> FoundType:
    """The type of that name, in parts as stored; ``node`` tells whether it is one of PostgreSQL's own.

    Raises:
        Refused: it certainly does not exist.
    """
    schema = step.now
    key = (parts[-2] if len(parts) > 1 else schema.creation_schema, parts[-1])
    found = schema.type(list(parts))
    if found is not None:
        return FoundType(found, None, (found.schema, found.name))
    table = schema.find(".".join(map(quote_identifier, parts))).relation
    if table is not None and table.kind is not RelationKind.COMPOSITE_TYPE:
        return FoundType(None, table, key)
    if not schema.known and not schema.type_missing(list(parts)):
        return FoundType(None, None, key, assumed=True)
    if node is not None and type_of_node(node, schema) is not None:
        step.refuse("2BP01", f"type {parts[-1]} is required by the database system")
    if missing_ok:
        step.note(f"type {parts[-1]} does not exist, skipping")
        return FoundType(None, None, key)
    if len(parts) > 1 and schema.has_schema(parts[-2]) is False:
        step.refuse("3F000", f'schema "{parts[-2]}" does not exist')
    return step.refuse("42704", f'type "{".".join(parts)}" does not exist')
