"""What there is at one moment of a history, by kind, and what points at what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_CLASS, PG_REWRITE, ObjectAddress
from confiture_tui.core.catalog.models.objects import Extension, OtherObject
from confiture_tui.core.catalog.models.relations import Relation, RelationKind, Sequence
from confiture_tui.core.effects.history import UNKNOWN, Family, History
from confiture_tui.core.effects.reverse import Pointing

if TYPE_CHECKING:
    from confiture_tui.core.catalog.catalog import AnyRelation, Catalog
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.dependencies import Dependency
    from confiture_tui.core.catalog.models.objects import Schema as SchemaObject
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.catalog.models.triggers import Trigger
    from confiture_tui.core.catalog.models.types import Type


@lru_cache(maxsize=4)
def others_by_kind(catalog: Catalog) -> Mapping[str, tuple[OtherObject, ...]]:
    """A catalog's other objects, by their kinds."""
    found: dict[str, list[OtherObject]] = {}
    for one in catalog.others.values():
        found.setdefault(one.kind, []).append(one)
    return {kind: tuple(ones) for kind, ones in found.items()}


class Links:
    """The objects of a history at one of its moments, and the ways from one to the others."""

    __slots__ = ("_history", "_version")

    def __init__(self, history: History, version: int) -> None:
        self._history = history
        self._version = version

    @property
    def catalog(self) -> Catalog | None:
        """The catalog beneath; ``None`` without one."""
        return self._history.catalog

    # What there is

    def relations(self, schema: str | None = None) -> Iterator[AnyRelation]:
        """All relations, indexes and sequences that are known, or those of one schema."""
        yield from self._known(Family.RELATION, schema)

    def types(self, schema: str | None = None) -> Iterator[Type]:
        """All of the user's types that are known, or those of one schema."""
        yield from self._known(Family.TYPE, schema)

    def routines_known(self, schema: str | None = None) -> Iterator[Routine]:
        """All of the user's routines that are known, or those of one schema."""
        yield from self._known(Family.ROUTINE, schema)

    def namespaces(self) -> Iterator[SchemaObject]:
        """All schemas that are known."""
        yield from self._known(Family.SCHEMA)

    def others(self) -> Iterator[OtherObject | Extension]:
        """All objects of other kinds that are known, and all extensions."""
        for one in self._known(Family.OTHER):
            if isinstance(one, OtherObject | Extension):
                yield one

    def others_written(self, kind: str) -> Collection[str]:
        """The identities of all objects of one of the other kinds that the files have ever written."""
        return self._history.others_written(kind)

    def others_of(self, kind: str) -> Iterator[OtherObject]:
        """All objects of one of the other kinds that are known."""
        written = self._history.others_written(kind)
        for one in others_by_kind(self.catalog).get(kind, ()) if self.catalog is not None else ():
            if one.identity not in written:
                yield one
        for identity in list(written):
            found = self._history.get(Family.OTHER, (kind, identity), self._version)
            if isinstance(found, OtherObject):
                yield found

    def other_by_oid(self, oid: int) -> OtherObject | Extension | None:
        """The object of another kind, or the extension, with that oid."""
        found = self._history.by_oid(Family.OTHER, oid, self._version)
        return found if isinstance(found, OtherObject | Extension) else None

    # What points at what

    def by_oid(self, oid: int) -> AnyRelation | None:
        """The relation, index or sequence with that oid."""
        found: AnyRelation | None = self._history.by_oid(Family.RELATION, oid, self._version)
        return found

    def type_by_oid(self, oid: int) -> Type | None:
        """The user's type with that oid."""
        found: Type | None = self._history.by_oid(Family.TYPE, oid, self._version)
        return found

    def routine_by_oid(self, oid: int) -> Routine | None:
        """The user's routine with that oid."""
        found: Routine | None = self._history.by_oid(Family.ROUTINE, oid, self._version)
        return found

    def referencing(self, relation: Relation) -> tuple[tuple[Relation, Constraint], ...]:
        """The foreign keys that reference a table, each with the table that has it."""
        return tuple(
            (one, constraint)
            for one in self._pointing(Pointing.FOREIGN_KEY, relation.oid)
            if isinstance(one, Relation)
            for constraint in one.constraints
            if constraint.referenced_oid == relation.oid
        )

    def children(self, relation: Relation) -> tuple[Relation, ...]:
        """The partitions of a table, or the tables that inherit from it, directly; by oid, as the server goes."""
        found = [
            one
            for one in self._pointing(Pointing.CHILD, relation.oid)
            if isinstance(one, Relation) and relation.oid in one.parent_oids
        ]
        return tuple(found)

    def descendants(self, relation: Relation) -> tuple[Relation, ...]:
        """The children of a table, and theirs, each once."""
        found: dict[int, Relation] = {}
        waiting = [relation]
        while waiting:
            for child in self.children(waiting.pop()):
                if child.oid not in found:
                    found[child.oid] = child
                    waiting.append(child)
        return tuple(found.values())

    def parents(self, relation: Relation) -> tuple[Relation, ...]:
        """The tables that a table inherits from, or is a partition of."""
        found = (self.by_oid(oid) for oid in relation.parent_oids)
        return tuple(one for one in found if isinstance(one, Relation))

    def owned_sequences(self, relation: Relation) -> tuple[Sequence, ...]:
        """The sequences that go with a table or one of its columns: of serial and identity columns, and OWNED BY."""
        return tuple(
            one
            for one in self._pointing(Pointing.OWNED_SEQUENCE, relation.oid)
            if isinstance(one, Sequence) and one.owned_by_oid == relation.oid
        )

    def columns_of_type(self, type_oid: int) -> tuple[tuple[Relation, Column], ...]:
        """The columns whose declared type is the one with that oid, each with its relation."""
        return tuple(
            (one, column)
            for one in self._pointing(Pointing.TYPE, type_oid)
            if isinstance(one, Relation)
            for column in one.columns
            if column.type_oid == type_oid
        )

    def triggers_calling(self, function_oid: int) -> tuple[tuple[Relation, Trigger], ...]:
        """The triggers that call a function, each with its relation."""
        return tuple(
            (one, trigger)
            for one in self._pointing(Pointing.TRIGGER, function_oid)
            if isinstance(one, Relation)
            for trigger in one.triggers
            if trigger.function_oid == function_oid
        )

    def dependents(self, address: ObjectAddress) -> tuple[Dependency, ...]:
        """What needs an object directly (``pg_depend``, and what the files' own statements have made)."""
        return self._history.dependents(address, self._version)

    def needs(self, address: ObjectAddress) -> tuple[Dependency, ...]:
        """What an object needs directly."""
        return self._history.needs(address, self._version)

    def views_on(self, relation: Relation, column: Column | None = None) -> tuple[Relation, ...]:
        """The views and materialized views that read a relation, or one of its columns, directly."""
        number = column.number if column is not None else 0
        found: dict[int, Relation] = {}
        for edge in self.dependents(ObjectAddress(PG_CLASS, relation.oid, number)):
            view = self._view_behind(edge.dependent)
            if view is not None and view.oid != relation.oid:
                found[view.oid] = view
        return tuple(found.values())

    def _view_behind(self, address: ObjectAddress) -> Relation | None:
        """The view that an address stands for: that of its rule, or its own."""
        if address.class_oid == PG_REWRITE and self.catalog is not None:
            # The rule that makes a view a view is an internal part of it; other rules are not.
            for edge in self.catalog.dependencies.references(address):
                if edge.kind == "i" and edge.referenced.class_oid == PG_CLASS:
                    address = edge.referenced
                    break
        view = self.by_oid(address.oid) if address.class_oid == PG_CLASS else None
        is_view = isinstance(view, Relation) and view.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW)
        return view if is_view and isinstance(view, Relation) else None

    # Inside

    def _known(self, family: Family, schema: str | None = None) -> Iterator[Any]:
        for key in self._history.names(family, self._version):
            if schema is None or key[0] == schema:
                found = self._history.get(family, key, self._version)
                if found is not None and found is not UNKNOWN:
                    yield found

    def _pointing(self, way: Pointing, oid: int) -> list[AnyRelation]:
        oids = dict.fromkeys(self._history.pointing(way, oid))
        found = (self.by_oid(one) for one in oids)
        return [one for one in found if one is not None]
