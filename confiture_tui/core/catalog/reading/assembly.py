"""Puts the families of a catalog together from the rows of all queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import Dependencies
from confiture_tui.core.catalog.reading import (
    columns,
    constraints,
    index_definitions,
    indexes,
    objects,
    others,
    relations,
    routines,
    sequences,
    triggers,
    types,
)
from confiture_tui.core.catalog.reading.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confiture_tui.core.catalog.catalog import AnyRelation
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.catalog.reading.query import Query, Row, Rows


class Assembly:
    """The making of a catalog, step by step, so that one can go on here while the server works on the rows of another.

    ``rows`` is filled in between: each step needs the rows of the lots of ``load`` that its docstring names.

    Args:
        rows: by the names of their queries.
        take_in: reads what the server has sent meanwhile, without waiting.
    """

    def __init__(self, rows: Rows, take_in: Callable[[], object]) -> None:
        self.rows = rows
        self._take_in = take_in
        self._sizes: dict[int, tuple[int, int]] | None = None
        self._context = Context()
        self._columns: dict[int, tuple[Column, ...]] = {}
        self._constraints: list[Constraint] = []
        self._index_definitions: dict[int, str] | None = None
        self._indexes: list[Index] = []
        self._relations: list[Relation] | None = None

    def make_columns(self) -> None:
        """The context and the columns, of ``COLUMNS`` and ``OF_COLUMNS``."""
        self._context = Context.of(self.rows, self._take_in)
        self._context.relation_names = relations.names_by_oid(self.rows)
        self._columns = columns.build(self.rows, self._context)

    def make_constraints(self) -> None:
        """The constraints, of ``KEYS``."""
        self._constraints = constraints.build(self.rows, self._context)

    def last_query(self) -> Query:
        """A query for what is still missing: the definitions of those indexes of ``KEYS`` that are not plain."""
        if self._index_definitions is None:
            self._index_definitions = index_definitions.definitions_here(self.rows, self._context)
        return index_definitions.definitions_query(self.rows, self._index_definitions)

    def make_indexes(self) -> None:
        """The indexes, of ``MEASURES`` and ``last_query``."""
        self._indexes = indexes.build(self.rows, self._context, self.sizes, self._index_definitions or {})

    def make_relations(self) -> None:
        """The relations with all that belongs to them, of ``THE_REST``; else ``finish`` makes them."""
        self._relations = self._all_relations()

    def _all_relations(self) -> list[Relation]:
        rows, context = self.rows, self._context
        parts = relations.Parts(
            columns=self._columns,
            constraints=constraints.by_relation(self._constraints),
            indexes=relations.group((index.relation_oid, index) for index in self._indexes),
            triggers=relations.group(triggers.build_triggers(rows, context)),
            rules=relations.group(triggers.build_rules(rows, context)),
            policies=relations.group(triggers.build_policies(rows, context)),
        )
        return relations.build(rows, context, parts, self.sizes)

    @property
    def sizes(self) -> dict[int, tuple[int, int]]:
        """Bytes of each relation that was measured, and of its TOAST table, by oid."""
        if self._sizes is None:
            self._sizes = relations.sizes(self.rows)
        return self._sizes

    def finish(self, last_values: Mapping[int, int | None]) -> dict[str, Any]:
        """The families, by the names of ``Catalog``'s arguments; ``last_values`` of sequences by oid."""
        rows, context = self.rows, self._context
        all_relations = self._all_relations() if self._relations is None else self._relations
        all_indexes = self._indexes
        all_sequences = sequences.build(rows, context, last_values)
        everything: list[AnyRelation] = [*all_relations, *all_indexes, *all_sequences]
        database: Row = next(iter(rows.get("database", ())), (None, None, None))
        encoding, statistics_reset, temporary_schema = database
        return {
            "encoding": encoding,
            "statistics_reset": statistics_reset,
            "temporary": {each.name: each for each in everything if each.schema == temporary_schema},
            "system_names": frozenset(name for (name,) in rows.get("system_names", ())),
            "schemas": objects.build_schemas(rows, context),
            "relations": [each for each in all_relations if each.schema != temporary_schema],
            "indexes": [each for each in all_indexes if each.schema != temporary_schema],
            "sequences": [each for each in all_sequences if each.schema != temporary_schema],
            "types": types.build(rows, context, constraints.by_domain(self._constraints)),
            "routines": routines.build(rows, context),
            "extensions": objects.build_extensions(rows, context),
            "event_triggers": triggers.build_event_triggers(rows, context),
            "default_privileges": objects.build_default_privileges(rows, context),
            "others": others.build(rows, context),
            "dependencies": Dependencies(rows.get("dependencies", ())),
        }
