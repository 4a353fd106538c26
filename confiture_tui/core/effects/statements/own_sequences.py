"""The sequences that come with columns: of serial types, and of identity columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.changes import blank_sequence
from confiture_tui.core.effects.object_names import relation_name
from confiture_tui.core.sql.identifiers import qualified_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation, Sequence
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_LIMITS = {"smallint": 32767, "integer": 2147483647}
IDENTITY_TYPES = frozenset({"smallint", "integer", "bigint", ""})
"""The types that identity columns can have; one that is not known may be any of them."""


def make_sequence(
    step: Step, relation: Relation, column: Column, *, identity: bool, options: Iterable[Node] = ()
) -> Sequence:
    """A sequence is made for a column, and is owned by it.

    Raises:
        Refused: no identity column can have the column's type.
    """
    if identity and column.type not in IDENTITY_TYPES:
        step.refuse("22023", "identity column type must be smallint, integer, or bigint")
    place, name = relation.schema, ""
    for option in options:
        element = option.get("DefElem", {})
        if element.get("defname") == "sequence_name":
            parts = [one["String"].get("sval", "") for one in element["arg"]["List"]["items"]]
            name = parts[-1]
            place = parts[-2] if len(parts) > 1 else place
    if not name:
        name = relation_name(step.now, place, relation.name, column.name, "seq")
    kind = column.type if column.type in _LIMITS else "bigint"
    sequence = replace(
        blank_sequence(step.change.new_oid(), place, name, qualified_name(place, name)),
        type=kind,
        maximum=_LIMITS.get(kind, 9223372036854775807),
        persistence=relation.persistence,
        owned_by=column.qualified_name,
        owned_by_oid=relation.oid,
        owned_by_number=column.number,
        identity=identity,
    )
    step.create(sequence)
    step.change.put(sequence)
    return sequence


def serial_default(sequence: Sequence) -> str:
    """The default of the serial column that a sequence was made for, as the catalog writes it."""
    name = sequence.qualified_name.replace("'", "''")
    return f"nextval('{name}'::regclass)"
