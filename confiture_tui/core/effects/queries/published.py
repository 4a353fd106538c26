"""Tables that a publication publishes: what cannot be updated or deleted for want of a replica identity.

PostgreSQL documentation, 29.1 "Publication", and ``CheckCmdReplicaIdentity`` (src/backend/executor/execReplication.c).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.columns import Generated
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.pruning import ancestors

if TYPE_CHECKING:
    from confiture_tui.core.catalog.catalog import Catalog
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.step import Step

_GENERATED_PUBLISHED = 180000
"""The version from which a replica identity must not hold generated columns that are not published."""


@dataclass(frozen=True, slots=True)
class _Publication:
    """What a publication publishes: which commands, of which tables, and whether with generated columns."""

    commands: frozenset[str]
    everything: bool
    schemas: frozenset[str]
    tables: str
    generated: bool

    def has(self, relation: Relation) -> bool:
        """Whether a table is among those that it publishes."""
        return self.everything or relation.schema in self.schemas or self.names(relation)

    def names(self, relation: Relation) -> bool:
        """Whether it lists a table by its name."""
        return bool(re.search(rf"(?:^|, ){re.escape(relation.qualified_name)}(?=$|, | \(| WHERE )", self.tables))


@lru_cache(maxsize=4)
def _publications(catalog: Catalog) -> tuple[_Publication, ...]:
    found = []
    for other in catalog.others.values():
        if other.kind == "publication":
            properties = dict(other.properties)
            found.append(
                _Publication(
                    frozenset((properties.get("publish") or "").split(", ")),
                    properties.get("all tables") == "true",
                    frozenset((properties.get("schemas") or "").split(", ")),
                    properties.get("tables") or "",
                    properties.get("generated columns") == "s",
                )
            )
    return tuple(found)


def is_listed(step: Step, relation: Relation) -> bool:
    """Whether a publication of the catalog names a table itself."""
    catalog = step.schema.catalog
    return catalog is not None and any(one.names(relation) for one in _publications(catalog))


def refuse_unidentified(step: Step, relation: Relation, command: str, *, certain: bool = True) -> None:
    """A table whose updates or deletions are published needs something that its rows are told apart by.

    Args:
        step: told of the failure, which is certain where the statement itself works on the table.
        relation: that rows are updated or deleted of.
        command: ``update`` or ``delete``.
        certain: the statement does it for certain.
    """
    say = step.fails if certain else step.may_fail
    catalog = step.schema.catalog
    if catalog is None or relation.kind is not RelationKind.TABLE or not _publications(catalog):
        return
    tables = (relation, *ancestors(relation, step.now))
    found = [one for one in _publications(catalog) if command in one.commands and any(map(one.has, tables))]
    if not found:
        return
    verb = "update" if command == "update" else "delete from"
    whole = relation.replica_identity == "full"
    if not whole and not _has_identity(relation):
        why = f"because it does not have a replica identity and publishes {command}s"
        say("55000", f'cannot {verb} table "{relation.name}" {why}')
    elif whole and step.schema.server_version_num >= _GENERATED_PUBLISHED:
        hidden = any(one.generated is Generated.STORED for one in relation.columns)
        if hidden and not all(one.generated for one in found):
            say("42P10", f'cannot {verb} table "{relation.name}"')


def _has_identity(relation: Relation) -> bool:
    match relation.replica_identity:
        case "default":
            key = relation.primary_key
            return key is not None and key.immediate
        case "index":
            return any(one.replica_identity for one in relation.indexes)
    return False
