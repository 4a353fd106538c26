"""The schema as a statement finds it: a catalog, or nothing, with what the statements before have changed.

Without a catalog a relation that no statement has made is assumed to exist, to be large, and to have everything that
hurts; only what the files themselves have done to it is known.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, Sequence
from confiture_tui.core.catalog.names import Key, split_name
from confiture_tui.core.effects.found import Found as Found
from confiture_tui.core.effects.found import Presence as Presence
from confiture_tui.core.effects.history import UNKNOWN, Family, History
from confiture_tui.core.effects.links import Links
from confiture_tui.core.effects.search_path import Name, Parts, effective_path, name_parts
from confiture_tui.core.effects.system_names import is_system_name
from confiture_tui.core.sql.identifiers import qualified_name
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.catalog import AnyRelation, Catalog
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.objects import Schema as SchemaObject
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.catalog.models.types import Type

DEFAULT_SEARCH_PATH = '"$user", public'
"""PostgreSQL's own default, assumed where no catalog tells another."""

NEWEST_SERVER = 180000
"""``server_version_num`` assumed without a catalog."""

EXTENSION_MADE: tuple[str, str] = ("extension made", "")
"""Under this key of ``Family.OTHER``: the files have made an extension, whose types and functions are not known."""


class Schema(Links):
    """The simulated schema at one moment; immutable, and cheap to keep.

    Objects are the catalog's own; what a statement made or changed is a copy of one, with a negative oid where it was
    made.

    Attributes:
        search_path: the setting's text. ``time_zone``: that of the session; empty where it is not known.
    """

    __slots__ = (
        "_found_before",
        "_origin",
        "_path",
        "_transaction_start",
        "search_path",
        "time_zone",
    )

    def __init__(
        self,
        history: History,
        *,
        search_path: str,
        origin: int = 0,
        transaction_start: int | None = None,
        time_zone: str = "",
    ) -> None:
        super().__init__(history, history.version)
        self._origin = origin
        self._transaction_start = history.version if transaction_start is None else transaction_start
        self._path: tuple[str, ...] | None = None
        self._found_before: dict[Parts, Found] = {}
        self.search_path = search_path
        self.time_zone = time_zone

    @classmethod
    def of(cls, catalog: Catalog | None) -> Schema:
        """The schema before any statement."""
        path = catalog.session.search_path if catalog is not None else DEFAULT_SEARCH_PATH
        return cls(History(catalog), search_path=path)

    @property
    def known(self) -> bool:
        """Whether there is a catalog beneath: what is not found then does not exist."""
        return self._history.catalog is not None

    @property
    def login(self) -> str:
        """The role that new sessions have; empty where it is not known."""
        return "" if self._history.catalog is None else self._history.catalog.session.role

    @property
    def is_untouched(self) -> bool:
        """Whether no statement has changed anything: it is what the catalog says, or nothing."""
        return self._version == 0

    @property
    def server_version_num(self) -> int:
        """The catalog's; the newest without one. Where versions differ, rules take the worse one without a catalog."""
        return NEWEST_SERVER if self._history.catalog is None else self._history.catalog.server_version_num

    def history_to_write(self) -> History:
        """The history to go on with from this moment: its own when it is the newest, else a fork."""
        newest = self._version == self._history.version
        return self._history if newest else self._history.fork(self._version)

    def is_at(self, version: int, search_path: str, transaction_start: int | None, time_zone: str) -> bool:
        """Whether this is what the schema at that moment, with those circumstances, looks like."""
        start = version if transaction_start is None else transaction_start
        same = self._version == version and self.search_path == search_path and self._transaction_start == start
        return same and self.time_zone == time_zone

    @property
    def path(self) -> tuple[str, ...]:
        """The schemas that are searched, in order; ``pg_temp`` stands for the session's temporary schema."""
        if self._path is None:
            self._path = effective_path(self._history, self._version, self.search_path)
        return self._path

    @property
    def creation_schema(self) -> str:
        """The schema in which an unqualified new object is made."""
        return next((one for one in self.path if one not in ("pg_temp", "pg_catalog")), "public")

    # Names

    def find(self, name: Name) -> Found:
        """The relation, index or sequence that a name means."""
        parts = name_parts(name)
        found = self._found_before.get(parts)
        if found is None:
            found = self._found_before[parts] = self._look_for(parts)
        return found

    def _look_for(self, parts: Parts) -> Found:
        schema, relation, temporary = parts
        if schema is not None:
            return self._found((schema, relation))
        for place in ("pg_temp",) if temporary else self.path:
            if place == "pg_catalog":
                if self._is_system(relation):
                    return Found(qualified_name(place, relation), (place, relation), None, Presence.SYSTEM)
                continue
            key = (place, relation)
            found = self._history.get(Family.RELATION, key, self._version)
            if found is not None and found is not UNKNOWN:
                return self._as_found(key, found)
        if temporary:
            return self._found(("pg_temp", relation))
        # Without a catalog the first schema that does not say otherwise is taken.
        for place in self.path:
            if place not in ("pg_temp", "pg_catalog"):
                found = self._found((place, relation))
                if self.known or found.presence is not Presence.MISSING:
                    return found
        key = (self.creation_schema, relation)
        return Found(qualified_name(*key), key, None, Presence.MISSING) if self.known else self._found(key)

    def name_of(self, name: Name) -> str:
        """The qualified name, quoted as quote_ident does, of what a name means or would mean."""
        return self.find(name).name

    def new_key(self, name: Name) -> Key:
        """Schema and name of a relation that is to be made under a name."""
        schema, relation, temporary = name_parts(name)
        return (("pg_temp" if temporary else self.creation_schema) if schema is None else schema, relation)

    def relation(self, name: Name) -> Relation | None:
        """The table, view or other relation with columns of that name; ``None``: there is none, or nothing is known."""
        found = self.find(name)
        return found.relation if found.known else None

    def index(self, name: Name) -> Index | None:
        """The index of that name; ``None``: there is none, or nothing is known."""
        found = self.find(name)
        return found.object if isinstance(found.object, Index) and found.known else None

    def sequence(self, name: Name) -> Sequence | None:
        """The sequence of that name; ``None``: there is none, or nothing is known."""
        found = self.find(name)
        return found.object if isinstance(found.object, Sequence) and found.known else None

    def type(self, name: SequenceOf[str] | str) -> Type | None:
        """The user's type of that name (parts as stored, or written as in SQL); built-in ones are not listed."""
        found = self._named(Family.TYPE, split_name(name) if isinstance(name, str) else tuple(name))
        return found if found is not UNKNOWN else None

    @property
    def extension_made(self) -> bool:
        """Whether the files have made an extension: there may be types, functions and operators that nobody knows."""
        return self._history.get(Family.OTHER, EXTENSION_MADE, self._version) is True

    def type_missing(self, name: SequenceOf[str]) -> bool:
        """Whether there is certainly no type of the user's of that name."""
        if self.extension_made:
            return False  # what it brought is not known
        return self._named(Family.TYPE, tuple(name)) is None

    def routine(self, name: SequenceOf[str] | str, argument_types: str | None = None) -> Routine | None:
        """The user's routine of that name; with several and no argument types: ``None``."""
        found = self.routines(name)
        if argument_types is not None:
            found = tuple(one for one in found if one.argument_types == argument_types)
        return found[0] if len(found) == 1 else None

    def routines(self, name: SequenceOf[str] | str) -> tuple[Routine, ...]:
        """All of the user's routines of that name, of the first schema of the search path that has one."""
        parts = split_name(name) if isinstance(name, str) else tuple(name)
        places = parts[-2:-1] or self.path
        by_name = self._history.routine_names(parts[-1])
        for place in places:
            keys = sorted(key for key in by_name if key[0] == place)
            found = [self._history.get(Family.ROUTINE, key, self._version) for key in keys]
            found = [one for one in found if one is not None and one is not UNKNOWN]
            if found:
                return tuple(found)
        return ()

    def has_schema(self, name: str) -> bool | None:
        """Whether there is a schema of that name; ``None``: unknown."""
        if name in ("pg_temp", "pg_catalog", "information_schema"):
            return True
        found = self._history.get(Family.SCHEMA, (name,), self._version)
        return None if found is UNKNOWN else found is not None

    def namespace(self, name: str) -> SchemaObject | None:
        """The schema of that name; ``None``: there is none, or nothing is known of it."""
        found = self._history.get(Family.SCHEMA, (name,), self._version)
        return None if found is UNKNOWN else found

    def namespace_by_oid(self, oid: int) -> SchemaObject | None:
        """The schema with that oid."""
        found: SchemaObject | None = self._history.by_oid(Family.SCHEMA, oid, self._version)
        return found

    def other(self, kind: str, identity: str) -> Any:
        """An object of another kind, ``("extension", "citext")``; ``None``: there is none; ``UNKNOWN``: unknown."""
        return self._history.get(Family.OTHER, (kind, identity), self._version)

    # Since when

    def existed_before(self, name: str) -> bool:
        """Whether what now has that qualified name was there before the migration. What is missing was not."""
        found = self.find(name)
        return not found.missing and self.is_old(found.object)

    def created_in_transaction(self, name: str) -> bool:
        """Whether what now has that qualified name was made in the statement's own transaction."""
        found = self.find(name).object
        return found is not None and self._history.created_at(found.oid) > self._transaction_start

    def made_in_transaction(self, found: object) -> bool:
        """Whether an object was made in the statement's own transaction."""
        return self._history.created_at(getattr(found, "oid", 0)) > self._transaction_start

    def is_old(self, found: object) -> bool:
        """Whether an object was there before the migration; ``None`` is taken for what is assumed to exist."""
        return self._history.created_at(getattr(found, "oid", 0)) <= self._origin

    def is_partial(self, found: object) -> bool:
        """Whether only what files say of an object is known."""
        return self._history.is_partial(getattr(found, "oid", 0))

    def check_expression(self, constraint: Constraint) -> dict[str, Any] | None:
        """The syntax tree of a CHECK constraint; ``None`` where it cannot be read."""
        known = self._history.expressions.get(constraint.oid)
        if known is None and constraint.definition.startswith("CHECK"):
            parsed = parse(f"ALTER TABLE t ADD {constraint.definition}")
            if not isinstance(parsed, SyntaxProblem):
                known = parsed[1]["cmds"][0]["AlterTableCmd"]["def"]["Constraint"].get("raw_expr")
                if known is not None:
                    self._history.expressions[constraint.oid] = known
        return known

    # Inside

    def _found(self, key: Key) -> Found:
        schema, relation = key
        name = qualified_name(schema, relation)
        if schema in ("pg_catalog", "information_schema", "pg_toast"):
            return Found(name, key, None, Presence.SYSTEM)
        found = self._history.get(Family.RELATION, key, self._version)
        if found is None and self.catalog is not None and schema == "pg_temp":
            found = self.catalog.temporary.get(relation)
        if found is UNKNOWN and schema == "pg_temp":
            found = None
        if found is None:
            return Found(name, key, None, Presence.MISSING)
        if found is UNKNOWN:
            return Found(name, key, None, Presence.ASSUMED)
        return self._as_found(key, found)

    def _as_found(self, key: Key, found: AnyRelation) -> Found:
        """What exists, or is partly known, under a key."""
        presence = Presence.ASSUMED if self._history.is_partial(found.oid) else Presence.KNOWN
        return Found(found.qualified_name, key, found, presence)

    def _is_system(self, name: str) -> bool:
        return is_system_name(name) if self.catalog is None else name in self.catalog.system_names

    def _named(self, family: Family, parts: tuple[str, ...]) -> Any:
        """The object, ``None`` when it certainly does not exist, else ``UNKNOWN``."""
        if len(parts) > 1:
            return self._history.get(family, parts[-2:], self._version)
        answer: Any = None
        for place in self.path:
            found = self._history.get(family, (place, parts[-1]), self._version)
            if found is UNKNOWN:
                answer = UNKNOWN
            elif found is not None:
                return found
        return answer
