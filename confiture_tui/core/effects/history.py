"""The simulated schema through time: what each statement changed, laid over a catalog or over nothing.

Every change gets a number, and a ``Schema`` is the view at one number: nothing is copied when a statement changes
something, so that a file of n statements costs n. Only the newest moment can be written to; who wants to go on from
an older one asks for a ``fork``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.core.catalog.names import Key
from confiture_tui.core.effects.reverse import Pointing, new_pointers, pointers

if TYPE_CHECKING:
    from confiture_tui.core.catalog.catalog import Catalog
    from confiture_tui.core.catalog.models.dependencies import Dependency, ObjectAddress


class Family(Enum):
    """The families of names: within one, a key means one object."""

    __hash__ = object.__hash__  # members are singletons, and this is asked for at every look-up

    RELATION = "relation"
    """Tables, views, indexes, sequences, composite types: ``(schema, name)``."""
    TYPE = "type"
    """``(schema, name)``."""
    ROUTINE = "routine"
    """``(schema, name, argument types)``."""
    SCHEMA = "schema"
    """``(name,)``."""
    OTHER = "other"
    """Anything else: ``(kind, identity)``; extensions too, as ``("extension", name)``."""


class Unknown(Enum):
    """The answer where neither the file nor a catalog tells."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

_Slot = tuple[Family, Key]
_Versions = list[tuple[int, Any]]


class History:
    """All versions of all simulated objects.

    Attributes:
        catalog: what lies underneath; ``None`` for nothing.
        version: the number of the newest change; 0 before the first.
        schemas_changed: the number of the newest change of a schema: what a search_path means depends on it.
        expressions: the syntax trees of CHECK constraints, by the constraint's oid.
        paths: what search_paths have been found to mean, by their text and ``schemas_changed``.
    """

    def __init__(self, catalog: Catalog | None) -> None:
        self.catalog = catalog
        self.version = 0
        self._base: Mapping[tuple[Pointing, int], tuple[int, ...]] = {} if catalog is None else pointers(catalog)
        self._objects: dict[_Slot, _Versions] = {}
        self._keys: dict[tuple[Family, int], _Versions] = {}
        self._journal: list[tuple[int, _Slot]] = []
        self._created: dict[int, int] = {}
        self._partial: set[int] = set()
        self._pointers: dict[tuple[Pointing, int], dict[int, None]] = {}
        self._edges: dict[tuple[int, int], list[tuple[int, Dependency]]] = {}
        self._needs: dict[ObjectAddress, list[tuple[int, Dependency]]] = {}
        self._gone: dict[ObjectAddress, list[tuple[int, bool]]] = {}
        self._burials: list[tuple[int, ObjectAddress]] = []
        self._next_oid = -1
        self._others: dict[str, dict[str, None]] = {}
        self._temporary: dict[Key, None] = {}
        self.schemas_changed = 0
        self.expressions: dict[int, dict[str, Any]] = {}
        self.paths: dict[tuple[str, int], tuple[str, ...]] = {}
        self._routine_names: dict[str, set[Key]] | None = None

    def new_oid(self, *, created: bool = True, partial: bool = False) -> int:
        """A negative oid for an object that the catalog does not list.

        Args:
            created: the migration makes it; otherwise it was there before, unseen.
            partial: only what the file itself says of it is known.
        """
        oid = self._next_oid
        self._next_oid -= 1
        if created:
            self._created[oid] = self.version + 1
        if partial:
            self._partial.add(oid)
        return oid

    def created_at(self, oid: int) -> int:
        """The number of the change that made the object; 0 for what was there at the very beginning."""
        return self._created.get(oid, 0)

    def is_partial(self, oid: int) -> bool:
        """Whether only what files say of the object is known."""
        return oid in self._partial

    def get(self, family: Family, key: Key, version: int) -> Any:
        """The object of that name at that moment; ``None``: there is none; ``UNKNOWN``: nobody can tell."""
        versions = self._objects.get((family, key))
        if versions is not None:
            for number, value in reversed(versions):
                if number <= version:
                    return value
        return UNKNOWN if self.catalog is None else self._beneath(family, key)

    def by_oid(self, family: Family, oid: int, version: int) -> Any:
        """The object with that oid at that moment, or ``None``."""
        versions = self._keys.get((family, oid))
        if versions is not None:
            for number, key in reversed(versions):
                if number <= version:
                    return None if key is None else self.get(family, key, version)
        if self.catalog is None or oid <= 0:
            return None
        found = self._beneath_by_oid(family, oid)
        if found is None or (key := _key_of(family, found)) is None:
            return None
        # It may have been replaced under its name by a later one, whose number is another.
        now = self.get(family, key, version)
        return now if now is not None and now is not UNKNOWN and now.oid == oid else None

    def put(self, family: Family, key: Key, value: Any) -> None:
        """Write an object under a name, or ``None`` for its end."""
        before = self.get(family, key, self.version)
        self.version += 1
        slot = (family, key)
        self._objects.setdefault(slot, []).append((self.version, value))
        self._journal.append((self.version, slot))
        old_oid = getattr(before, "oid", 0)
        new_oid = getattr(value, "oid", 0)
        if old_oid and old_oid != new_oid and self._key_now(family, old_oid) in (key, UNKNOWN):
            self._keys.setdefault((family, old_oid), []).append((self.version, None))
        if new_oid and (new_oid != old_oid):
            self._keys.setdefault((family, new_oid), []).append((self.version, key))
        if family is Family.ROUTINE and self._routine_names is not None:
            self._routine_names.setdefault(key[1], set()).add(key)
        if family is Family.OTHER:
            self._others.setdefault(key[0], {})[key[1]] = None
        if family is Family.SCHEMA:
            self.schemas_changed = self.version
        if family is Family.RELATION and key[0] == "pg_temp":
            self._temporary[key] = None
        if family is Family.RELATION and value is not None:
            for pointer in new_pointers(before, value):
                self._pointers.setdefault(pointer, {})[new_oid] = None

    def names(self, family: Family, version: int) -> Iterable[Key]:
        """The names of all objects of a family that are known to exist at that moment."""
        for key in self._names_beneath(family):
            if (family, key) not in self._objects or self.get(family, key, version) is not None:
                yield key
        for (one, key), _versions in list(self._objects.items()):
            if one is not family or (self.catalog is not None and self._beneath(family, key) is not None):
                continue
            if self.get(family, key, version) not in (None, UNKNOWN):
                yield key

    def routine_names(self, name: str) -> frozenset[Key] | set[Key]:
        """The keys of all routines of a name that exist, existed, or will."""
        if self._routine_names is None:
            self._routine_names = {}
            written = (key for family, key in self._objects if family is Family.ROUTINE)
            for key in chain(self._names_beneath(Family.ROUTINE), written):
                self._routine_names.setdefault(key[1], set()).add(key)
        return self._routine_names.get(name, frozenset())

    def others_written(self, kind: str) -> Collection[str]:
        """The identities of all other objects of a kind that the files have ever written."""
        return self._others.get(kind, ())

    def temporary(self) -> tuple[Key, ...]:
        """The names of the temporary relations that there are now."""
        return tuple(key for key in self._temporary if self.get(Family.RELATION, key, self.version) is not None)

    def _key_now(self, family: Family, oid: int) -> Any:
        versions = self._keys.get((family, oid))
        return versions[-1][1] if versions else UNKNOWN

    def pointing(self, way: Pointing, oid: int) -> Iterable[int]:
        """The oids of all that may ever have pointed at the object in that way: to be looked at, not believed."""
        yield from self._base.get((way, oid), ())
        yield from self._pointers.get((way, oid), ())

    def depend(self, dependency: Dependency) -> None:
        """From now on one object needs another."""
        self.version += 1
        referenced = dependency.referenced
        edges = self._edges.setdefault((referenced.class_oid, referenced.oid), [])
        edges.append((self.version, dependency))
        self._needs.setdefault(dependency.dependent, []).append((self.version, dependency))

    def bury(self, address: ObjectAddress) -> None:
        """From now on the object is gone, and with it all that it needed."""
        self._set_gone(address, True)
        self._burials.append((self.version, address))

    def dependents(self, address: ObjectAddress, version: int) -> tuple[Dependency, ...]:
        """What needs the object at that moment; of a whole object also what needs one of its columns."""
        found = []
        if self.catalog is not None:
            found += [
                edge
                for edge in self.catalog.dependencies.dependents(address)
                if not self._is_gone_since(edge.dependent, 0, version)
            ]
        found += [
            edge
            for number, edge in self._edges.get((address.class_oid, address.oid), ())
            if number <= version
            and address.number in (0, edge.referenced.number)
            and not self._is_gone_since(edge.dependent, number, version)
        ]
        return tuple(found)

    def needs(self, address: ObjectAddress, version: int) -> tuple[Dependency, ...]:
        """What an object needs at that moment."""
        found: list[Dependency] = []
        if self.catalog is not None and address.oid > 0 and not self._is_gone_since(address, 0, version):
            found += self.catalog.dependencies.references(address)
        found += [
            edge
            for number, edge in self._needs.get(address, ())
            if number <= version and not self._is_gone_since(address, number, version)
        ]
        return tuple(dict.fromkeys(found))

    def is_gone(self, address: ObjectAddress, version: int) -> bool:
        """Whether the object, or the whole that it is a column of, is gone at that moment."""
        return self._is_gone_since(address, 0, version)

    def _is_gone_since(self, address: ObjectAddress, since: int, version: int) -> bool:
        """The same, counting only what happened after a moment: a view that is replaced has other needs."""
        for one in {address, address._replace(number=0)}:
            for number, gone in reversed(self._gone.get(one, ())):
                if number <= version:
                    if gone and number > since:
                        return True
                    break
        return False

    def _set_gone(self, address: ObjectAddress, gone: bool) -> None:
        self.version += 1
        self._gone.setdefault(address, []).append((self.version, gone))

    def restore(self, version: int) -> None:
        """Make everything what it was at that moment, as ROLLBACK does; the moments in between stay as they were."""
        changed: dict[_Slot, None] = {}
        for number, slot in reversed(self._journal):
            if number <= version:
                break
            changed[slot] = None
        buried: dict[ObjectAddress, None] = {}
        for number, address in reversed(self._burials):
            if number <= version:
                break
            buried[address] = None
        for slot in changed:
            self.put(*slot, self.get(*slot, version))
        for address in buried:
            if not self.is_gone(address, version):
                self._set_gone(address, False)

    def fork(self, version: int) -> History:
        """A history of its own that begins with what this one was at that moment."""
        copy = History(self.catalog)
        copy.version = version
        copy._objects = {
            slot: kept
            for slot, versions in self._objects.items()
            if (kept := [one for one in versions if one[0] <= version])
        }
        copy._keys = {
            slot: kept
            for slot, versions in self._keys.items()
            if (kept := [one for one in versions if one[0] <= version])
        }
        copy._temporary = dict(self._temporary)
        copy._others = {kind: dict(identities) for kind, identities in self._others.items()}
        copy._created = {oid: number for oid, number in self._created.items() if number <= version}
        copy._partial = set(self._partial)
        copy._pointers = {pointer: dict(oids) for pointer, oids in self._pointers.items()}
        copy._edges = {
            slot: kept for slot, edges in self._edges.items() if (kept := [one for one in edges if one[0] <= version])
        }
        copy._needs = {
            slot: kept for slot, edges in self._needs.items() if (kept := [one for one in edges if one[0] <= version])
        }
        copy._gone = {
            slot: kept for slot, spans in self._gone.items() if (kept := [one for one in spans if one[0] <= version])
        }
        copy.expressions = dict(self.expressions)
        copy._next_oid = self._next_oid
        return copy

    def _beneath(self, family: Family, key: Key) -> Any:
        catalog = self.catalog
        if catalog is None:
            return UNKNOWN
        match family:
            case Family.RELATION:
                return catalog.relations.get(key) or catalog.indexes.get(key) or catalog.sequences.get(key)
            case Family.TYPE:
                return catalog.types.get(key)
            case Family.ROUTINE:
                return catalog.routines.get(key)
            case Family.SCHEMA:
                return catalog.schemas.get(key)
            case Family.OTHER:
                return catalog.extensions.get(key[1:]) if key[0] == "extension" else catalog.others.get(key)

    def _names_beneath(self, family: Family) -> Iterable[Key]:
        catalog = self.catalog
        if catalog is None:
            return ()
        match family:
            case Family.RELATION:
                return chain(catalog.relations, catalog.indexes, catalog.sequences)
            case Family.TYPE:
                return catalog.types
            case Family.ROUTINE:
                return catalog.routines
            case Family.SCHEMA:
                return catalog.schemas
            case Family.OTHER:
                return chain((("extension", *key) for key in catalog.extensions), catalog.others)

    def _beneath_by_oid(self, family: Family, oid: int) -> Any:
        catalog = self.catalog
        assert catalog is not None
        match family:
            case Family.RELATION:
                return catalog.relations.by_oid(oid) or catalog.indexes.by_oid(oid) or catalog.sequences.by_oid(oid)
            case Family.TYPE:
                return catalog.types.by_oid(oid)
            case Family.ROUTINE:
                return catalog.routines.by_oid(oid)
            case Family.SCHEMA:
                return catalog.schemas.by_oid(oid)
            case Family.OTHER:
                return catalog.extensions.by_oid(oid) or catalog.others.by_oid(oid)


def _key_of(family: Family, found: Any) -> Key | None:
    match family:
        case Family.RELATION | Family.TYPE:
            return (found.schema, found.name)
        case Family.ROUTINE:
            return (found.schema, found.name, found.argument_types)
        case Family.SCHEMA:
            return (found.name,)
        case Family.OTHER:
            return ("extension", found.name) if hasattr(found, "version") else (found.kind, found.identity)
