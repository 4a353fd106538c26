"""Who points at what in a catalog, found once: foreign keys, children, owned sequences, users of types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from confiture_tui.core.catalog.catalog import AnyRelation, Catalog

from confiture_tui.core.catalog.models.relations import Relation, Sequence


class Pointing(Enum):
    """The ways in which a relation points at another object."""

    __hash__ = object.__hash__  # members are singletons, and this is asked for at every look-up

    FOREIGN_KEY = "references, by a foreign key"
    CHILD = "inherits from, or is a partition of"
    OWNED_SEQUENCE = "is a sequence owned by a column of"
    TYPE = "has a column of the type"
    TRIGGER = "has a trigger that calls the function"


Pointers = Mapping[tuple[Pointing, int], tuple[int, ...]]
"""For each way and oid pointed at: the oids of the relations that point."""

_OF_CATALOGS: WeakKeyDictionary[Catalog, Pointers] = WeakKeyDictionary()


def pointers_of(relation: AnyRelation) -> set[tuple[Pointing, int]]:
    """All that a relation points at."""
    found: set[tuple[Pointing, int]] = set()
    if isinstance(relation, Relation):
        found.update((Pointing.FOREIGN_KEY, one.referenced_oid) for one in relation.constraints if one.referenced_oid)
        found.update((Pointing.CHILD, oid) for oid in relation.parent_oids)
        found.update((Pointing.TYPE, one.type_oid) for one in relation.columns if one.type_oid)
        found.update((Pointing.TRIGGER, one.function_oid) for one in relation.triggers)
    elif isinstance(relation, Sequence) and relation.owned_by_oid:
        found.add((Pointing.OWNED_SEQUENCE, relation.owned_by_oid))
    return found


def new_pointers(before: object, after: AnyRelation) -> set[tuple[Pointing, int]]:
    """What a relation points at and did not before it was changed. What was not touched is not looked at."""
    if not isinstance(after, Relation) or not isinstance(before, Relation) or before.oid != after.oid:
        return pointers_of(after)
    found: set[tuple[Pointing, int]] = set()
    if after.constraints is not before.constraints:
        found.update((Pointing.FOREIGN_KEY, one.referenced_oid) for one in after.constraints if one.referenced_oid)
    if after.parent_oids is not before.parent_oids:
        found.update((Pointing.CHILD, oid) for oid in after.parent_oids)
    if after.columns is not before.columns:
        found.update((Pointing.TYPE, one.type_oid) for one in after.columns if one.type_oid)
    if after.triggers is not before.triggers:
        found.update((Pointing.TRIGGER, one.function_oid) for one in after.triggers)
    return found


def pointers(catalog: Catalog) -> Pointers:
    """Who points at what in a catalog; worked out once for each catalog."""
    known = _OF_CATALOGS.get(catalog)
    if known is None:
        collected: defaultdict[tuple[Pointing, int], list[int]] = defaultdict(list)
        for family in (catalog.relations.values(), catalog.sequences.values()):
            for relation in family:
                for pointer in pointers_of(relation):
                    collected[pointer].append(relation.oid)
        known = {pointer: tuple(oids) for pointer, oids in collected.items()}
        _OF_CATALOGS[catalog] = known
    return known
