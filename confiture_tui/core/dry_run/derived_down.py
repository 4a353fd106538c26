"""A way back for a migration that has none, as far as two catalogs tell how to undo what lies between them.

Objects are known again by their oids: the schema after is that of a copy of the database before, on which the migration
ran. What is derived promises nothing by itself; the round trip proves it, or names what does not come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.models.types import TypeKind

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.catalog import AnyRelation
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.constraints import Constraint

_WORDS: Final = {
    RelationKind.TABLE: "TABLE",
    RelationKind.PARTITIONED_TABLE: "TABLE",
    RelationKind.FOREIGN_TABLE: "FOREIGN TABLE",
    RelationKind.VIEW: "VIEW",
    RelationKind.MATERIALIZED_VIEW: "MATERIALIZED VIEW",
    RelationKind.COMPOSITE_TYPE: "TYPE",
}
_VIEWS: Final = (RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW)
_STATES: Final = {
    "origin": "ENABLE TRIGGER",
    "disabled": "DISABLE TRIGGER",
    "replica": "ENABLE REPLICA TRIGGER",
    "always": "ENABLE ALWAYS TRIGGER",
}


class _Known(Protocol):
    @property
    def oid(self) -> int: ...


_T = TypeVar("_T", bound=_Known)


def derive_down(before: Catalog, after: Catalog) -> tuple[str, ...]:
    """Statements that undo what was done between two catalogs, in the order in which they are to be run.

    What holds data that are gone (a dropped table, a dropped column) cannot be derived, and nothing is for it.
    """
    pair = _Pair(before, after)
    return tuple(
        dict.fromkeys(
            [
                *pair.dependents_that_go(),
                *pair.relations_that_go(),
                *pair.names_that_come_back(),
                *pair.columns_as_before(),
                *pair.objects_that_come_back(),
                *pair.comments_as_before(),
                *pair.what_others_needed(),
            ]
        )
    )


class _Pair:
    """Two catalogs, and what is in which of them."""

    def __init__(self, before: Catalog, after: Catalog) -> None:
        self._before, self._after = before, after
        self._were = {one.oid: one for one in before.relations.values()}
        self._are = {one.oid: one for one in after.relations.values() if one.extension is None}
        self._both = [(self._were[oid], now) for oid, now in self._are.items() if oid in self._were]

    def dependents_that_go(self) -> Iterator[str]:
        """Views, triggers, policies, constraints and indexes that were not there before."""
        for view in _newest(one for oid, one in self._are.items() if oid not in self._were and one.kind in _VIEWS):
            yield f"DROP {_WORDS[view.kind]} {view.qualified_name};"
        for was, now in self._both:
            for trigger in _added(was.triggers, now.triggers):
                if not trigger.parent_oid and not trigger.constraint_oid:
                    yield f"DROP TRIGGER {trigger.quoted_name} ON {now.qualified_name};"
            for policy in _added(was.policies, now.policies):
                yield f"DROP POLICY {policy.quoted_name} ON {now.qualified_name};"
            for constraint in _added(was.constraints, now.constraints):
                if _stands_alone(constraint) and not self._went_with_a_column(was, now, constraint):
                    yield f"ALTER TABLE {now.qualified_name} DROP CONSTRAINT {constraint.quoted_name};"
            for index in _added(was.indexes, now.indexes):
                if index.constraint is None and index.parent is None:
                    yield f"DROP INDEX {index.qualified_name};"

    def relations_that_go(self) -> Iterator[str]:
        """Columns, tables and sequences that were not there before."""
        for was, now in self._both:
            known = {column.number for column in was.columns}
            for column in now.columns:
                if column.number not in known and column.is_local:
                    yield f"ALTER TABLE {now.qualified_name} DROP COLUMN {column.quoted_name};"
        for made in _newest(one for oid, one in self._are.items() if oid not in self._were and one.kind not in _VIEWS):
            yield f"DROP {_WORDS[made.kind]} {made.qualified_name};"
        sequences = {one.oid for one in self._before.sequences.values()}
        for sequence in self._after.sequences.values():
            if sequence.oid not in sequences and sequence.owned_by is None and not sequence.identity:
                yield f"DROP SEQUENCE {sequence.qualified_name};"

    def names_that_come_back(self) -> Iterator[str]:
        """Renames, and moves to other schemas, the other way round."""
        for was, now in self._both:
            word = _WORDS[now.kind]
            part = "ATTRIBUTE" if now.kind is RelationKind.COMPOSITE_TYPE else "COLUMN"
            yield from self._renamed(word, was, now)
            for then, column in _columns_of_both(was, now):
                if then.name != column.name and column.is_local:
                    yield (
                        f"ALTER {word} {was.qualified_name} RENAME {part} {column.quoted_name} TO {then.quoted_name};"
                    )
            for earlier, constraint in _of_both(was.constraints, now.constraints):
                if earlier.name != constraint.name and _stands_alone(constraint):
                    yield (
                        f"ALTER TABLE {was.qualified_name} "
                        f"RENAME CONSTRAINT {constraint.quoted_name} TO {earlier.quoted_name};"
                    )
        for old, new in _of_both(self._before.indexes.values(), self._after.indexes.values()):
            if new.constraint is None and old.schema == new.schema:
                yield from self._renamed("INDEX", old, new)
        for first, second in _of_both(self._before.sequences.values(), self._after.sequences.values()):
            if second.owned_by is None or first.schema == second.schema:
                yield from self._renamed("SEQUENCE", first, second)

    def columns_as_before(self) -> Iterator[str]:
        """Types, defaults and NOT NULL of columns that were there before."""
        for was, now in self._both:
            if now.kind in _VIEWS or now.kind is RelationKind.COMPOSITE_TYPE:
                continue
            for then, column in _columns_of_both(was, now):
                alter = f"ALTER TABLE {was.qualified_name} ALTER COLUMN {then.quoted_name}"
                if then.default != column.default and column.default is not None and column.generated is None:
                    yield f"{alter} DROP DEFAULT;"
                if then.type != column.type:
                    yield f"{alter} TYPE {then.type} USING {then.quoted_name}::{then.type};"
                if then.default != column.default and then.default is not None and then.generated is None:
                    yield f"{alter} SET DEFAULT {then.default};"
                if then.not_null != column.not_null:
                    yield f"{alter} {'SET' if then.not_null else 'DROP'} NOT NULL;"

    def objects_that_come_back(self) -> Iterator[str]:
        """Indexes, constraints, views, triggers and routines that are gone or are others now."""
        for was, now in self._both:
            if was.row_security != now.row_security:
                yield f"ALTER TABLE {was.qualified_name} {_able(was.row_security)} ROW LEVEL SECURITY;"
            if was.kind is RelationKind.VIEW and was.definition != now.definition:
                yield f"CREATE OR REPLACE VIEW {was.qualified_name} AS {_ended(was.definition or '')}"
            owned = {one.index for one in was.constraints}
            gone = {column.name for column in was.columns} - {then.name for then, _now in _columns_of_both(was, now)}
            for index in _added(now.indexes, was.indexes):
                if gone & {*index.key_columns, *index.included_columns}:
                    continue
                if index.constraint is None and index.parent is None and index.qualified_name not in owned:
                    yield f"{index.definition};"
            for constraint in sorted(_added(now.constraints, was.constraints), key=_referring_last):
                if _stands_alone(constraint) and not gone & set(constraint.columns):
                    yield (
                        f"ALTER TABLE {was.qualified_name} "
                        f"ADD CONSTRAINT {constraint.quoted_name} {constraint.definition};"
                    )
        for view in sorted((one for oid, one in self._were.items() if oid not in self._are), key=lambda one: one.oid):
            if view.kind in _VIEWS and view.extension is None and not self._something_is_lost():
                yield f"CREATE {_WORDS[view.kind]} {view.qualified_name} AS {_ended(view.definition or '')}"
        yield from self._routines_as_before()
        for was, now in self._both:
            for trigger in _added(now.triggers, was.triggers):
                if not trigger.parent_oid and not trigger.constraint_oid:
                    yield f"{trigger.definition};"
            for then, trigger in _of_both(was.triggers, now.triggers):
                if then.enabled != trigger.enabled:
                    yield f"ALTER TABLE {was.qualified_name} {_STATES[then.enabled]} {then.quoted_name};"

    def comments_as_before(self) -> Iterator[str]:
        """Comments of tables, views and columns."""
        for was, now in self._both:
            if was.comment != now.comment:
                yield f"COMMENT ON {_WORDS[was.kind]} {was.qualified_name} IS {_literal(was.comment)};"
            for then, column in _columns_of_both(was, now):
                if then.comment != column.comment:
                    place = f"{was.qualified_name}.{then.quoted_name}"
                    yield f"COMMENT ON COLUMN {place} IS {_literal(then.comment)};"

    def what_others_needed(self) -> Iterator[str]:
        """Routines, types, extensions and schemas that were not there before: nothing uses them by now."""
        routines = {one.oid for one in self._before.routines.values()}
        for routine in _newest(self._after.routines.values()):
            if routine.oid not in routines and routine.extension is None:
                yield f"DROP ROUTINE {routine.signature};"
        types = {one.oid for one in self._before.types.values()}
        for kind in _newest(self._after.types.values()):
            if kind.oid not in types and kind.extension is None and kind.kind is not TypeKind.COMPOSITE:
                yield f"DROP {'DOMAIN' if kind.kind is TypeKind.DOMAIN else 'TYPE'} {kind.qualified_name};"
        for extension in self._after.extensions.values():
            if extension.oid not in {one.oid for one in self._before.extensions.values()}:
                yield f"DROP EXTENSION {extension.quoted_name};"
        for schema in self._after.schemas.values():
            if schema.oid not in {one.oid for one in self._before.schemas.values()} and schema.extension is None:
                yield f"DROP SCHEMA {schema.quoted_name};"

    def _routines_as_before(self) -> Iterator[str]:
        for was, now in _of_both(self._before.routines.values(), self._after.routines.values()):
            if was.definition != now.definition and was.definition.startswith("CREATE"):
                yield _ended(was.definition)
        known = {one.oid for one in self._after.routines.values()}
        for gone in self._before.routines.values():
            if gone.oid not in known and gone.extension is None and gone.definition.startswith("CREATE"):
                yield _ended(gone.definition)

    def _renamed(self, word: str, was: AnyRelation, now: AnyRelation) -> Iterator[str]:
        name = now.qualified_name
        if was.schema != now.schema:
            yield f"ALTER {word} {name} SET SCHEMA {self._schema(self._before, was)};"
            name = f"{self._schema(self._before, was)}.{self._own_name(self._after, now)}"
        if was.name != now.name:
            yield f"ALTER {word} {name} RENAME TO {self._own_name(self._before, was)};"

    def _schema(self, catalog: Catalog, named: AnyRelation) -> str:
        return catalog.schemas[(named.schema,)].quoted_name

    def _own_name(self, catalog: Catalog, named: AnyRelation) -> str:
        return named.qualified_name.removeprefix(f"{self._schema(catalog, named)}.")

    def _something_is_lost(self) -> bool:
        """Whether a table or a column is gone: a view that is to come back may rest on it."""
        tables = any(oid not in self._are and one.kind not in _VIEWS for oid, one in self._were.items())
        return tables or any(len(list(_columns_of_both(was, now))) < len(was.columns) for was, now in self._both)

    def _went_with_a_column(self, was: Relation, now: Relation, constraint: Constraint) -> bool:
        """Whether dropping the columns that were added takes the constraint along."""
        known = {column.number for column in was.columns}
        added = {column.name for column in now.columns if column.number not in known}
        return bool(added & set(constraint.columns))


def _added(before: Iterable[_T], after: Iterable[_T]) -> Iterator[_T]:
    """Those after whose oid is not among those before."""
    known = {one.oid for one in before}
    return (one for one in after if one.oid not in known)


def _of_both(before: Iterable[_T], after: Iterable[_T]) -> Iterator[tuple[_T, _T]]:
    """The same object as it was and as it is."""
    were = {one.oid: one for one in before}
    return ((were[one.oid], one) for one in after if one.oid in were)


def _newest(objects: Iterable[_T]) -> list[_T]:
    """What was made last first: it may rest on what was made before."""
    return sorted(objects, key=lambda one: one.oid, reverse=True)


def _columns_of_both(was: Relation, now: Relation) -> Iterator[tuple[Column, Column]]:
    were = {column.number: column for column in was.columns}
    return ((were[column.number], column) for column in now.columns if column.number in were)


def _stands_alone(constraint: Constraint) -> bool:
    """Whether ALTER TABLE adds and drops it by itself: NOT NULL is the column's, a partition's is the whole table's."""
    kinds = (ConstraintKind.NOT_NULL, ConstraintKind.TRIGGER)
    return constraint.kind not in kinds and not constraint.parent_oid and constraint.is_local


def _referring_last(constraint: Constraint) -> bool:
    """Keys come before the foreign keys that refer to them."""
    return constraint.kind is ConstraintKind.FOREIGN_KEY


def _able(state: bool) -> str:
    return "ENABLE" if state else "DISABLE"


def _ended(text: str) -> str:
    return f"{text.rstrip().removesuffix(';')};"


def _literal(text: str | None) -> str:
    if text is None:
        return "NULL"
    quoted = text.replace("'", "''")
    return "E'{}'".format(quoted.replace("\\", "\\\\")) if "\\" in text else f"'{quoted}'"
