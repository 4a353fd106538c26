"""What goes when something is dropped: the server's walk through the dependencies, and what that locks.

The rules are those of ``pg_depend.deptype`` (PostgreSQL documentation, 52.18): what depends *normally* on a dropped
object needs CASCADE, what depends automatically or internally goes silently, and what is an internal part of another
takes that other one with it, or cannot be dropped by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.dependencies import (
    PG_ATTRDEF,
    PG_CLASS,
    PG_CONSTRAINT,
    PG_EVENT_TRIGGER,
    PG_EXTENSION,
    PG_NAMESPACE,
    PG_POLICY,
    PG_PROC,
    PG_REWRITE,
    PG_TRIGGER,
    PG_TYPE,
    ObjectAddress,
)
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.objects import Extension
from confiture_tui.core.catalog.models.relations import Relation, Sequence
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.taking_away import (
    PG_STATISTIC_EXT,
    constraint_of,
    take_column,
    take_part,
    take_relation,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.core.effects.step import Step

_SILENT = frozenset("aiPSex")
_OWNING = frozenset("ie")
_PART = "part of"
_NAMED_WITH_SCHEMA = frozenset({PG_CLASS, PG_TYPE, PG_PROC})
_ON_A_RELATION = frozenset({PG_CONSTRAINT, PG_TRIGGER, PG_POLICY, PG_REWRITE, PG_ATTRDEF, PG_STATISTIC_EXT})


class Dropping:
    """What a drop reaches.

    Args:
        schema: that the targets are in.
        targets: what is dropped.
        owner: the relation of targets that are a part of one, a constraint for example.

    Attributes:
        doomed: all that goes, in the order in which it was reached.
        blocking: those that only CASCADE takes along; ``blocked``: the same, as the server would name them.
        required_by: why a target cannot be dropped by itself, ``(target, what requires it)``; ``None`` when it can.
    """

    def __init__(self, schema: Schema, targets: Iterable[ObjectAddress], *, owner: Relation | None = None) -> None:
        self._schema = schema
        self._silent: dict[ObjectAddress, bool] = {}
        self._targets = dict.fromkeys(targets)
        self._owners: dict[ObjectAddress, Relation] = {} if owner is None else dict.fromkeys(self._targets, owner)
        self.required_by: tuple[str, str] | None = None
        self._walk()
        self.doomed: tuple[ObjectAddress, ...] = tuple(self._silent)
        self.blocking: tuple[ObjectAddress, ...] = tuple(one for one, silent in self._silent.items() if not silent)
        self.blocked: tuple[str, ...] = tuple(map(self.describe, self.blocking))

    def _walk(self) -> None:
        for target in self._targets:
            for part_of in self._owners_of(target, frozenset("iePS")):
                if part_of not in self._targets and part_of._replace(number=0) not in self._targets:
                    self.required_by = (self.describe(target), self.describe(part_of))
            self._silent[target] = True
        waiting = list(self._targets)
        seen = set(waiting)
        while waiting:
            address = waiting.pop()
            for dependent, kind in self._edges(address):
                reached, silent = dependent, kind in _SILENT
                while (owner := self._living_owner(reached, address, seen)) is not None:
                    # Its owner goes in its place, for the same reason; it goes along.
                    reached, silent = owner, False if kind == "n" else silent
                if self._alive(reached):
                    self._silent[reached] = self._silent.get(reached, False) or silent
                    if reached not in seen:
                        seen.add(reached)
                        waiting.append(reached)

        for address in [one for one, silent in self._silent.items() if not silent and one.class_oid in _ON_A_RELATION]:
            # A part that a file has made goes with its table, which the catalog's dependencies cannot tell.
            if address.oid > 0:
                continue
            table = self._relation_of(address)
            if table is not None and ObjectAddress(PG_CLASS, table.oid) in self._silent:
                self._silent[address] = True

    def _living_owner(
        self, address: ObjectAddress, reason: ObjectAddress, seen: set[ObjectAddress]
    ) -> ObjectAddress | None:
        """What an object is a part of, unless that is why it goes, or goes already."""
        for owner in self._owners_of(address, _OWNING):
            if owner != reason and owner._replace(number=0) not in seen and owner not in seen:
                return owner
        return None

    def describe(self, address: ObjectAddress) -> str:
        """An object in words: its kind and name."""
        catalog = self._schema.catalog
        told = catalog.describe(address) if catalog is not None else None
        if told is not None:
            return f"{told[0]} {told[1]}"
        found = self._schema.by_oid(address.oid) if address.class_oid == PG_CLASS else None
        if found is not None:
            return found.qualified_name
        relation = self._relation_of(address)
        return f"an object of {relation.qualified_name}" if relation is not None else "another object"

    # What depends on what

    def _edges(self, address: ObjectAddress) -> Iterator[tuple[ObjectAddress, str]]:
        for edge in self._schema.dependents(address):
            if address.class_oid == PG_NAMESPACE and edge.dependent.class_oid in _NAMED_WITH_SCHEMA:
                continue  # by name, below: they move between schemas
            yield edge.dependent, edge.kind
        if address.class_oid == PG_CLASS:
            found = self._schema.by_oid(address.oid)
            if isinstance(found, Relation):
                yield from self._edges_of_relation(found, address.number)
            elif isinstance(found, Index):
                yield from self._new_references(found)
                yield from self._new_parts(found)
        elif address.class_oid == PG_TYPE:
            one = self._schema.type_by_oid(address.oid)
            for oid in (address.oid, *([one.array_oid] if one is not None and one.array_oid else [])):
                for relation, column in self._schema.columns_of_type(oid):
                    yield ObjectAddress(PG_CLASS, relation.oid, column.number), "n"
        elif address.class_oid == PG_PROC:
            for relation, trigger in self._schema.triggers_calling(address.oid):
                self._owners[trigger_address := ObjectAddress(PG_TRIGGER, trigger.oid)] = relation
                yield trigger_address, "n"
        elif address.class_oid == PG_NAMESPACE:
            yield from self._edges_of_schema(address)
        elif address.class_oid == PG_CONSTRAINT:
            owner = self._relation_of(address)
            constraint = constraint_of(owner, address.oid)
            if constraint is not None and constraint.index_oid and constraint.kind is not ConstraintKind.FOREIGN_KEY:
                yield ObjectAddress(PG_CLASS, constraint.index_oid), "i"
            if owner is None:
                return
            for table in (owner, *self._schema.children(owner)):
                for part in table.constraints:
                    if part.oid < 0 and part.parent_oid == address.oid:
                        self._owners[part_address := ObjectAddress(PG_CONSTRAINT, part.oid)] = table
                        yield part_address, "i" if table is owner else "P"

    def _edges_of_relation(self, relation: Relation, number: int) -> Iterator[tuple[ObjectAddress, str]]:
        """What the files have made on a relation or one of its columns: the catalog's dependencies do not know it."""
        schema = self._schema
        column = relation.column_numbered(number) if number else None
        if number and column is None:
            return
        name = column.name if column is not None else None
        for index in relation.indexes:
            if index.oid < 0 and (name is None or name in index.key_columns or name in index.included_columns):
                yield ObjectAddress(PG_CLASS, index.oid), "a"
        for constraint in relation.constraints:
            if constraint.oid < 0 and (name is None or name in constraint.columns):
                self._owners[address := ObjectAddress(PG_CONSTRAINT, constraint.oid)] = relation
                yield address, "a"
        for other, constraint in schema.referencing(relation):
            if constraint.oid < 0 and (name is None or name in constraint.referenced_columns):
                self._owners[address := ObjectAddress(PG_CONSTRAINT, constraint.oid)] = other
                yield address, "n"
        for sequence in schema.owned_sequences(relation):
            if number in (0, sequence.owned_by_number):
                yield ObjectAddress(PG_CLASS, sequence.oid), "i" if sequence.identity else "a"
        if name is None:
            for child in schema.children(relation):
                yield ObjectAddress(PG_CLASS, child.oid), "a" if child.is_partition else "n"
            if relation.row_type_oid:
                for user, other_column in schema.columns_of_type(relation.row_type_oid):
                    yield ObjectAddress(PG_CLASS, user.oid, other_column.number), "n"

    def _new_references(self, index: Index) -> Iterator[tuple[ObjectAddress, str]]:
        table = self._schema.by_oid(index.relation_oid)
        if not isinstance(table, Relation):
            return
        for other, constraint in self._schema.referencing(table):
            if constraint.index_oid == index.oid:
                self._owners[address := ObjectAddress(PG_CONSTRAINT, constraint.oid)] = other
                yield address, "n"

    def _new_parts(self, index: Index) -> Iterator[tuple[ObjectAddress, str]]:
        """The indexes of partitions that are parts of one that the files have made."""
        table = self._schema.by_oid(index.relation_oid)
        if index.is_partitioned and isinstance(table, Relation):
            for child in self._schema.children(table):
                for one in child.indexes:
                    if one.parent == index.qualified_name and (one.oid < 0 or index.oid < 0):
                        yield ObjectAddress(PG_CLASS, one.oid), "P"

    def _edges_of_schema(self, address: ObjectAddress) -> Iterator[tuple[ObjectAddress, str]]:
        name = self._schema_name(address.oid)
        if name is None:
            return
        for relation in self._schema.relations(name):
            if not isinstance(relation, Index):
                yield ObjectAddress(PG_CLASS, relation.oid), "n"
        for one in self._schema.types(name):
            yield ObjectAddress(PG_TYPE, one.oid), "n"
        for routine in self._schema.routines_known(name):
            yield ObjectAddress(PG_PROC, routine.oid), "n"

    def _schema_name(self, oid: int) -> str | None:
        found = self._schema.namespace_by_oid(oid)
        return found.name if found is not None else None

    def _owners_of(self, address: ObjectAddress, kinds: frozenset[str]) -> Iterator[ObjectAddress]:
        """What an object is a part of, by a dependency of one of these kinds, and which is there."""
        catalog = self._schema.catalog
        if address.oid < 0 or catalog is None:
            owner = self._new_owner(address, kinds)
            if owner is not None:
                yield owner
            for edge in self._schema.needs(address):
                if edge.kind == "e" and "e" in kinds:
                    yield edge.referenced
            return
        for edge in catalog.dependencies.references(address):
            if edge.kind in kinds and edge.dependent.number == address.number and self._alive(edge.referenced):
                yield edge.referenced

    def _new_owner(self, address: ObjectAddress, kinds: frozenset[str]) -> ObjectAddress | None:
        found = self._schema.by_oid(address.oid) if address.class_oid == PG_CLASS else None
        if isinstance(found, Index) and found.constraint is not None:
            table = self._schema.by_oid(found.relation_oid)
            if isinstance(table, Relation):
                for constraint in table.constraints:
                    if constraint.index_oid == found.oid and constraint.kind is not ConstraintKind.FOREIGN_KEY:
                        self._owners[owner := ObjectAddress(PG_CONSTRAINT, constraint.oid)] = table
                        return owner
        if isinstance(found, Index) and found.parent is not None and "P" in kinds:
            whole = self._schema.index(found.parent)
            if whole is not None:
                return ObjectAddress(PG_CLASS, whole.oid)
        if isinstance(found, Sequence) and found.identity and found.owned_by_oid:
            return ObjectAddress(PG_CLASS, found.owned_by_oid, found.owned_by_number)
        return self._whole_of(address, kinds) if address.class_oid == PG_CONSTRAINT else None

    def _whole_of(self, address: ObjectAddress, kinds: frozenset[str]) -> ObjectAddress | None:
        """The foreign key that a part for a partition belongs to: of the same table, or of the one divided."""
        table = self._relation_of(address)
        part = constraint_of(table, address.oid)
        if table is None or part is None or not part.parent_oid or part.kind is not ConstraintKind.FOREIGN_KEY:
            return None
        for kind, holder in (("i", table), *(("P", one) for one in self._schema.parents(table))):
            if kind in kinds and constraint_of(holder, part.parent_oid) is not None:
                self._owners[whole := ObjectAddress(PG_CONSTRAINT, part.parent_oid)] = holder
                return whole
        return None

    def _alive(self, address: ObjectAddress) -> bool:
        """Whether an object is still there; of what nobody lists that is taken for granted."""
        schema = self._schema
        if address.class_oid == PG_CLASS:
            found = schema.by_oid(address.oid)
            if found is None:
                return False
            return not address.number or not isinstance(found, Relation) or bool(found.column_numbered(address.number))
        if address.class_oid == PG_CONSTRAINT:
            owner = self._relation_of(address)
            return owner is None or constraint_of(owner, address.oid) is not None
        return True

    def _relation_of(self, address: ObjectAddress) -> Relation | None:
        """The relation that a constraint, trigger, rule, policy, default or statistics object belongs to."""
        known = self._owners.get(address)
        if known is not None:
            return known
        if address.class_oid in _ON_A_RELATION and address.oid < 0:
            oid = self._schema.other(_PART, str(address.oid))
            relation = self._schema.by_oid(oid) if isinstance(oid, int) else None
            return relation if isinstance(relation, Relation) else None
        catalog = self._schema.catalog
        if catalog is None or address.class_oid not in _ON_A_RELATION or address.oid < 0:
            return None
        for edge in catalog.dependencies.references(address):
            if edge.referenced.class_oid != PG_CLASS or edge.kind not in "aiPS":
                continue
            relation = self._schema.by_oid(edge.referenced.oid)
            if isinstance(relation, Relation) and self._belongs(address, edge.referenced.number, relation):
                self._owners[address] = relation
                return relation
        return None

    @staticmethod
    def _belongs(address: ObjectAddress, number: int, relation: Relation) -> bool:
        match address.class_oid:
            case class_oid if class_oid == PG_CONSTRAINT:
                return constraint_of(relation, address.oid) is not None
            case class_oid if class_oid == PG_ATTRDEF:
                return number > 0
        return True

    # What it does

    def carry_out(self, step: Step, why: str) -> None:
        """Note on the step what goes, what that locks, and change its schema."""
        for address in self.doomed:
            self._take(address, step, why)
        for address in self.doomed:
            step.change.forget_needs(address)

    def _take(self, address: ObjectAddress, step: Step, why: str) -> None:
        schema = step.now
        if address.class_oid == PG_CLASS:
            found = schema.by_oid(address.oid)
            if found is None:
                return
            if isinstance(found, Relation) and address.number:
                take_column(step, found, address.number, why)
            elif isinstance(found, Relation):
                take_relation(step, found, why)
            else:
                if isinstance(found, Index):
                    step.lock(found.relation, LockMode.ACCESS_EXCLUSIVE, f"{why} an index of it")
                else:
                    step.lock(found, LockMode.ACCESS_EXCLUSIVE, f"{why} it")
                step.drop(found)
                step.change.remove(found)
            return
        if address.class_oid in _ON_A_RELATION:
            owner = self._relation_of(address)
            if owner is not None:
                relation = schema.by_oid(owner.oid)
                # Its relation may have gone before it: what it locks elsewhere it locks all the same.
                take_part(step, relation if isinstance(relation, Relation) else owner, address, why)
            if address.class_oid != PG_STATISTIC_EXT:
                return
        if address.class_oid == PG_TYPE:
            one = schema.type_by_oid(address.oid)
            if one is not None:
                step.change.remove_type(one.schema, one.name)
                attributes = schema.by_oid(one.relation_oid) if one.relation_oid else None
                if isinstance(attributes, Relation):
                    step.change.remove(attributes)
        elif address.class_oid == PG_PROC:
            routine = schema.routine_by_oid(address.oid)
            if routine is not None:
                step.change.remove_routine(routine.schema, routine.name, routine.argument_types)
        elif address.class_oid == PG_NAMESPACE:
            name = self._schema_name(address.oid)
            if name is not None:
                step.change.remove_schema(name)
        else:
            other = schema.other_by_oid(address.oid)
            trigger = schema.catalog.event_triggers.by_oid(address.oid) if schema.catalog is not None else None
            if address.class_oid == PG_EVENT_TRIGGER and trigger is not None:
                step.change.put_other("event trigger", trigger.quoted_name, False)
            elif isinstance(other, Extension):
                if address.class_oid == PG_EXTENSION:
                    step.change.put_other("extension", other.name, None)
            elif other is not None and other.class_oid == address.class_oid:
                step.change.put_other(other.kind, other.identity, None)


def note_part(step: Step, relation: Relation, address: ObjectAddress) -> None:
    """An object that the files have made is a part of a relation: a constraint, trigger, policy, rule or default."""
    step.change.put_other(_PART, str(address.oid), relation.oid)
