"""How a statement changes the simulated schema for those that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_CLASS, Dependency, ObjectAddress
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Persistence, Relation, RelationKind, Sequence
from confiture_tui.core.catalog.models.types import Type, TypeKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.history import UNKNOWN, Family, History
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.catalog import AnyRelation
    from confiture_tui.core.catalog.models.objects import Schema as SchemaObject
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.session import Session


class Changes:
    """Writes to the newest moment of a history. Objects are frozen: what changes is put anew as a changed copy."""

    __slots__ = ("_history", "_session")

    def __init__(self, history: History, session: Session) -> None:
        self._history = history
        self._session = session

    @property
    def version(self) -> int:
        """The number of the newest change."""
        return self._history.version

    def restore(self, version: int) -> None:
        """Make the schema what it was at that number, as ROLLBACK does."""
        self._history.restore(version)

    def new_oid(self) -> int:
        """The oid of something that the statement makes."""
        return self._history.new_oid()

    def put(self, relation: AnyRelation) -> None:
        """Put a relation, index or sequence, new or changed, under its name.

        An index is put into its table's list as well. What is new belongs to the current user.
        """
        if not isinstance(relation, Index) and self._is_ownerless(relation):
            relation = replace(relation, owner=self._session.role)
        if isinstance(relation, Relation) and relation.oid < 0 and not relation.row_type_oid:
            relation = replace(relation, row_type_oid=self._history.new_oid())
        self._history.put(Family.RELATION, (relation.schema, relation.name), relation)
        if isinstance(relation, Index):
            table = self._history.by_oid(Family.RELATION, relation.relation_oid, self._history.version)
            if isinstance(table, Relation):
                others = tuple(one for one in table.indexes if one.oid != relation.oid)
                self.put(replace(table, indexes=(*others, relation)))

    def remove(self, relation: AnyRelation) -> None:
        """Take a relation, index or sequence away; a table with its indexes, an index out of its table's list.

        What else goes with it (owned sequences, views, foreign keys of others) is the statement's business.
        """
        if isinstance(relation, Relation):
            for index in relation.indexes:
                self._end(index)
        self._end(relation)
        if isinstance(relation, Index):
            table = self._history.by_oid(Family.RELATION, relation.relation_oid, self._history.version)
            if isinstance(table, Relation):
                self.put(replace(table, indexes=tuple(one for one in table.indexes if one.oid != relation.oid)))

    def move(self, relation: AnyRelation, moved: AnyRelation) -> None:
        """Give a relation another name or schema; a table's indexes and columns are to name it by ``moved`` too."""
        self._history.put(Family.RELATION, (relation.schema, relation.name), None)
        self.put(moved)
        if isinstance(relation, Sequence):
            self._defaults_follow(f"'{relation.qualified_name}'", f"'{moved.qualified_name}'")

    def _defaults_follow(self, old: str, new: str) -> None:
        """Defaults draw from a sequence whatever it is called: the text of those that name it gets its new name."""
        version = self._history.version
        for key in list(self._history.names(Family.RELATION, version)):
            found = self._history.get(Family.RELATION, key, version)
            if isinstance(found, Relation) and any(old in (one.default or "") for one in found.columns):
                columns = tuple(
                    replace(one, default=one.default.replace(old, new)) if one.default is not None else one
                    for one in found.columns
                )
                self.put(replace(found, columns=columns))

    def missing(self, found: Found) -> None:
        """Note that what had that name is gone, though nothing was known of it."""
        self._history.put(Family.RELATION, found.key, None)

    def glimpse(self, found: Found, kind: RelationKind = RelationKind.TABLE) -> Relation:
        """What files say of a relation that is assumed to exist; begun with nothing, when they have said nothing yet.

        The result is put like any other; ``Schema.relation`` does not give it out, ``Found.relation`` does.
        """
        if found.relation is not None:
            return found.relation
        schema, name = found.key
        relation = blank_relation(
            self._history.new_oid(created=False, partial=True), schema, name, found.name, kind, Persistence.PERMANENT
        )
        self._history.put(Family.RELATION, found.key, relation)
        return relation

    def put_type(self, value: Type) -> None:
        """Put a type under its name; a new one belongs to the current user."""
        if self._is_ownerless(value):
            value = replace(value, owner=self._session.role)
        self._history.put(Family.TYPE, (value.schema, value.name), value)

    def remove_type(self, schema: str, name: str) -> None:
        """Take a type away."""
        self._history.put(Family.TYPE, (schema, name), None)

    def put_routine(self, value: Routine) -> None:
        """Put a routine under its name and argument types; a new one belongs to the current user."""
        if self._is_ownerless(value):
            value = replace(value, owner=self._session.role)
        self._history.put(Family.ROUTINE, (value.schema, value.name, value.argument_types), value)

    def remove_routine(self, schema: str, name: str, argument_types: str) -> None:
        """Take a routine away."""
        self._history.put(Family.ROUTINE, (schema, name, argument_types), None)

    def put_schema(self, value: SchemaObject) -> None:
        """Put a schema under its name; a new one belongs to the current user."""
        if self._is_ownerless(value):
            value = replace(value, owner=self._session.role)
        self._history.put(Family.SCHEMA, (value.name,), value)

    def remove_schema(self, name: str) -> None:
        """Take a schema away; what it holds is the statement's business."""
        self._history.put(Family.SCHEMA, (name,), None)

    def rename_schema(self, old: str, new: str) -> None:
        """Give a schema another name; what it holds is the statement's business."""
        found = self._history.get(Family.SCHEMA, (old,), self._history.version)
        self.remove_schema(old)
        if found is not None and found is not UNKNOWN:
            self.put_schema(replace(found, name=new, quoted_name=quote_identifier(new)))

    def put_other(self, kind: str, identity: str, value: Any) -> None:
        """Put an object of another kind (``None``: it is gone); with a catalog, of the catalog's own class."""
        self._history.put(Family.OTHER, (kind, identity), value)

    def depend(self, dependent: ObjectAddress, referenced: ObjectAddress, kind: str = "n") -> None:
        """Note that one object needs another; ``kind`` as in ``pg_depend.deptype``. A view depends as a whole."""
        self._history.depend(Dependency(dependent, referenced, kind))

    def remember_expression(self, constraint_oid: int, expression: dict[str, Any]) -> None:
        """Keep the syntax tree of a CHECK constraint, which ``Schema.check_expression`` gives out."""
        self._history.expressions[constraint_oid] = expression

    def forget_needs(self, dependent: ObjectAddress) -> None:
        """What an object (a view's rule, say) needed so far it no longer needs; what is noted afterwards counts."""
        self._history.bury(dependent)

    def _is_ownerless(self, value: Relation | Sequence | Type | Routine | SchemaObject) -> bool:
        """Whether it is new, and nobody was said to own it. What is only partly known was there before."""
        return not value.owner and value.oid < 0 and not self._history.is_partial(value.oid)

    def _end(self, relation: AnyRelation) -> None:
        self._history.put(Family.RELATION, (relation.schema, relation.name), None)
        self._history.bury(ObjectAddress(PG_CLASS, relation.oid))


def blank_relation(
    oid: int, schema: str, name: str, qualified_name: str, kind: RelationKind, persistence: Persistence
) -> Relation:
    """A relation without columns, as CREATE TABLE begins it."""
    return Relation(
        oid=oid,
        schema=schema,
        name=name,
        qualified_name=qualified_name,
        kind=kind,
        persistence=persistence,
        owner="",
        access_method="heap" if kind in (RelationKind.TABLE, RelationKind.MATERIALIZED_VIEW) else None,
        tablespace=None,
        options=(),
        row_security=False,
        force_row_security=False,
        replica_identity="default",
        is_partition=False,
        partition_bound=None,
        partitioning=None,
        parents=(),
        parent_oids=(),
        detach_pending=False,
        of_type=None,
        definition=None,
        populated=True,
        server=None,
        fdw_options=(),
        row_type_oid=0,
        extension=None,
        acl=None,
        comment=None,
        columns=(),
        constraints=(),
        indexes=(),
        triggers=(),
        rules=(),
        policies=(),
        statistics=None,
        traffic=None,
    )


def blank_type(oid: int, array_oid: int, schema: str, name: str, kind: TypeKind) -> Type:
    """A type of which only name and kind are known."""
    return Type(
        oid=oid,
        schema=schema,
        name=name,
        qualified_name=qualified_name(schema, name),
        kind=kind,
        owner="",
        array_oid=array_oid,
        multirange_oid=0,
        labels=(),
        base_type=None,
        base_type_oid=0,
        not_null=False,
        default=None,
        default_volatility=None,
        collation=None,
        constraints=(),
        subtype=None,
        multirange=None,
        properties=(),
        relation_oid=0,
        extension=None,
        acl=None,
        comment=None,
    )


def blank_sequence(oid: int, schema: str, name: str, qualified_name: str) -> Sequence:
    """A sequence as CREATE SEQUENCE without options makes it."""
    return Sequence(
        oid=oid,
        schema=schema,
        name=name,
        qualified_name=qualified_name,
        persistence=Persistence.PERMANENT,
        owner="",
        type="bigint",
        start=1,
        minimum=1,
        maximum=9223372036854775807,
        increment=1,
        cache=1,
        cycles=False,
        owned_by=None,
        owned_by_oid=0,
        owned_by_number=0,
        identity=False,
        last_value=None,
        extension=None,
        acl=None,
        comment=None,
    )
