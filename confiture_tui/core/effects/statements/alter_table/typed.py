"""Tables made OF a composite type, which follow what is done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Relation

if TYPE_CHECKING:
    from confiture_tui.core.effects.statements.alter_table.work import Alteration

Node = dict[str, Any]


def typed_tables(alteration: Alteration, composite: Relation, command: Node) -> list[Relation]:
    """The tables of a composite type, locked.

    Raises:
        Refused: there are some, and CASCADE is not written.
    """
    found = [
        one
        for one in alteration.schema.relations()
        if isinstance(one, Relation) and one.of_type == composite.qualified_name
    ]
    if found and command.get("behavior") != "DROP_CASCADE":
        alteration.step.refuse("2BP01", f'cannot alter type "{composite.name}" because it is the type of a typed table')
    for table in found:
        alteration.lock(table, f"it is a table of type {composite.qualified_name}, which it follows")
    if alteration.partial(composite):
        alteration.step.unknown_reach(f"whether there are tables of type {composite.qualified_name} is not known")
    return found
