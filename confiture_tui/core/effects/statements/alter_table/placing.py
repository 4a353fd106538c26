"""The part that a partition has of an index of its parent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.effects.step import Step


def placed_on(step: Step, index: Index, child: Relation, name: str, *, is_constraint: bool) -> Index:
    """The same index on a partition, under a name of its own.

    Args:
        step: of the statement.
        index: the parent's.
        child: the partition.
        name: what the part is called.
        is_constraint: a constraint of that name has it.
    """
    return replace(
        index,
        oid=step.change.new_oid(),
        schema=child.schema,
        name=name,
        qualified_name=qualified_name(child.schema, name),
        relation=child.qualified_name,
        relation_oid=child.oid,
        is_partitioned=child.kind is RelationKind.PARTITIONED_TABLE,
        parent=index.qualified_name,
        constraint=quote_identifier(name) if is_constraint else None,
    )
