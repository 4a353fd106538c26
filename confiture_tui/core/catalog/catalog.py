"""A frozen snapshot of one database's schema and statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as SequenceOf
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import Dependencies, ObjectAddress
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, Sequence
from confiture_tui.core.catalog.names import Objects, split_name, split_search_path

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.catalog.definition import Definition
    from confiture_tui.core.catalog.diff import SchemaDiff
    from confiture_tui.core.catalog.models.access import DefaultPrivileges
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.objects import Extension, OtherObject, Schema
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.catalog.models.session import NotVisible, Session
    from confiture_tui.core.catalog.models.triggers import EventTrigger
    from confiture_tui.core.catalog.models.types import Type

AnyRelation = Relation | Index | Sequence
"""Whatever shares the namespace of relations: tables, views, indexes, sequences."""


_oid: Callable[[Any], int] = attrgetter("oid")
_schema_and_name: Callable[[Any], tuple[str, str]] = attrgetter("schema", "name")


class Catalog:
    """A frozen snapshot of one database.

    PostgreSQL's own objects, temporary objects and TOAST tables are left out. Members of extensions are there, marked
    with the extension's name; ``diff`` and ``fingerprint`` pass them over and compare the extension and its version.

    Attributes:
        server_version_num, server_version: ``180006``, ``18.6``.
        database, encoding: name and encoding of the database (``encoding`` ``None`` when not visible).
        session: what was found on the connection: search_path, TimeZone, role, time-outs.
        not_visible: what could not be read and why; whatever is not listed there was read, even where it is empty.
        statistics_reset: since when the traffic counters count; ``None``: since they began.
        schemas: by ``(name,)``.
        relations: tables, views, materialized and foreign tables, composite types, by ``(schema, name)``.
        indexes, sequences, types: by ``(schema, name)``.
        routines: by ``(schema, name, argument types)``.
        extensions, event_triggers: by ``(name,)``.
        others: by ``(kind, identity)``: operators, casts, publications, foreign servers, …
        default_privileges: of ALTER DEFAULT PRIVILEGES.
        dependencies: what depends on what.
        temporary: the session's own temporary relations, by name: they hide others of the same name.
        system_names: names of the relations in pg_catalog, which hide others as well.
    """

    def __init__(
        self,
        *,
        server_version_num: int,
        server_version: str,
        database: str,
        encoding: str | None,
        session: Session,
        not_visible: tuple[NotVisible, ...] = (),
        statistics_reset: datetime | None = None,
        schemas: Iterable[Schema] = (),
        relations: Iterable[Relation] = (),
        indexes: Iterable[Index] = (),
        sequences: Iterable[Sequence] = (),
        types: Iterable[Type] = (),
        routines: Iterable[Routine] = (),
        extensions: Iterable[Extension] = (),
        event_triggers: Iterable[EventTrigger] = (),
        others: Iterable[OtherObject] = (),
        default_privileges: Iterable[DefaultPrivileges] = (),
        dependencies: Dependencies | None = None,
        temporary: Mapping[str, AnyRelation] | None = None,
        system_names: frozenset[str] = frozenset(),
    ) -> None:
        self.server_version_num = server_version_num
        self.server_version = server_version
        self.database = database
        self.encoding = encoding
        self.session = session
        self.not_visible = not_visible
        self.statistics_reset = statistics_reset
        self.schemas = Objects(schemas, key=lambda each: (each.name,), oid=_oid)
        self.relations = Objects(relations, key=_schema_and_name, oid=_oid)
        self.indexes = Objects(indexes, key=_schema_and_name, oid=_oid)
        self.sequences = Objects(sequences, key=_schema_and_name, oid=_oid)
        self.types = Objects(types, key=_schema_and_name, oid=_oid)
        self.routines = Objects(routines, key=lambda each: (each.schema, each.name, each.argument_types), oid=_oid)
        self.extensions = Objects(extensions, key=lambda each: (each.name,), oid=_oid)
        self.event_triggers = Objects(event_triggers, key=lambda each: (each.name,), oid=_oid)
        self.others = Objects(others, key=lambda each: (each.kind, each.identity), oid=_oid)
        self.default_privileges = tuple(default_privileges)
        self.dependencies = dependencies or Dependencies()
        self.temporary: Mapping[str, AnyRelation] = temporary or {}
        self.system_names = system_names
        self._complete = True

    def __setattr__(self, name: str, value: object) -> None:
        if "_complete" in self.__dict__:
            raise AttributeError(f"A catalog is frozen: {name} cannot be set.")
        super().__setattr__(name, value)

    @classmethod
    def load(cls, conn: psycopg.Connection[Any]) -> Catalog:
        """Reads the catalog of the database that ``conn`` is connected to.

        On an idle connection: one snapshot, in a read-only transaction of its own that is rolled back. Inside a
        transaction: in a savepoint, so that the transaction's own uncommitted changes are seen; it takes the
        transaction's isolation, so in READ COMMITTED others may commit in between. The connection is left as it was
        found, with its settings, autocommit, transaction and locks, also when reading fails.

        Raises:
            ConnectError: the connection is closed or was lost.
            ConfitureError: the transaction has failed already, the connection is busy, the server is too old, or
                another session's lock did not go away within two seconds.
        """
        from confiture_tui.core.catalog.load import load

        return load(conn)

    def diff(self, other: Catalog) -> SchemaDiff:
        """How ``other`` (after) differs from this catalog (before), in every definition, in a stable order."""
        from confiture_tui.core.catalog.compare import compare
        from confiture_tui.core.catalog.definitions import definitions_that_differ

        return compare(*definitions_that_differ(self, other))

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """Every object as its defining texts: what ``fingerprint`` sums up, and ``diff`` where objects differ."""
        from confiture_tui.core.catalog.definitions import definitions_of

        return definitions_of(self)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of all definitions: equal for two catalogs exactly when their ``diff`` is empty."""
        from confiture_tui.core.catalog.compare import fingerprint

        return fingerprint(self.definitions)

    def table(self, name: str) -> Relation | None:
        """The table, view or other relation with columns that a name means; see ``resolve``."""
        found = self.resolve(name)
        return found if isinstance(found, Relation) else None

    def resolve(self, name: str, *, search_path: SequenceOf[str] | None = None) -> AnyRelation | None:
        """The relation that a name means, as written in SQL: ``orders``, ``sales."Order Lines"``.

        An unqualified name is looked for as the server does: in the temporary schema and in pg_catalog first, unless
        the search_path names them, then in the schemas of the search_path that exist and that the role may use.

        Args:
            name: possibly qualified, with the quotes that SQL needs.
            search_path: schemas to use instead of the recorded ``session.search_path``.

        Returns:
            ``None`` when there is no such relation, or when it is one of PostgreSQL's own.

        Raises:
            ValueError: the text is not a name.
        """
        parts = split_name(name)
        if len(parts) == 3 and parts[0] == self.database:
            parts = parts[1:]
        if len(parts) == 2:
            schema, relation = parts
            return self.temporary.get(relation) if schema == "pg_temp" else self._relation(schema, relation)
        if len(parts) != 1:
            return None
        relation = parts[0]
        for schema in self.effective_search_path(search_path):
            if schema == "pg_temp":
                if relation in self.temporary:
                    return self.temporary[relation]
            elif schema == "pg_catalog":
                if relation in self.system_names:
                    return None
            elif (found := self._relation(schema, relation)) is not None:
                return found
        return None

    def effective_search_path(self, search_path: SequenceOf[str] | None = None) -> tuple[str, ...]:
        """The schemas that are searched, in order (PostgreSQL documentation, ``search_path``).

        ``pg_temp`` stands for the session's temporary schema. Left out is what does not exist or may not be used.
        """
        listed = split_search_path(self.session.search_path) if search_path is None else tuple(search_path)
        implicit = tuple(schema for schema in ("pg_temp", "pg_catalog") if schema not in listed)
        effective: list[str] = []
        for entry in implicit + listed:
            schema = self.session.role if entry == "$user" else entry
            known = self.schemas.get((schema,))
            usable = schema in ("pg_temp", "pg_catalog") or (known is not None and known.usable)
            if usable and schema not in effective:
                effective.append(schema)
        return tuple(effective)

    def columns_of_type(self, type_oid: int) -> tuple[Column, ...]:
        """The columns of tables, views and composite types whose declared type is this one."""
        return tuple(
            column for relation in self.relations.values() for column in relation.columns if column.type_oid == type_oid
        )

    def describe(self, address: ObjectAddress) -> tuple[str, str] | None:
        """Kind and qualified name of the object at an address; ``None`` for what a catalog does not list."""
        return self._addresses.get(address)

    @cached_property
    def _addresses(self) -> Mapping[ObjectAddress, tuple[str, str]]:
        from confiture_tui.core.catalog.addresses import addresses_of

        return addresses_of(self)

    def _relation(self, schema: str, name: str) -> AnyRelation | None:
        key = (schema, name)
        return self.relations.get(key) or self.indexes.get(key) or self.sequences.get(key)

    def __repr__(self) -> str:
        return f"<Catalog of {self.database} ({self.server_version}), {len(self.relations)} relations>"
