"""Which objects of a catalog are the user's to judge, and the look-ups that several rules share."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.dependencies import PG_CLASS, PG_REWRITE, ObjectAddress
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.models.types import TypeKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.relations import Sequence
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.catalog.models.types import Type

TABLES = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED_TABLE})
VIEWS = frozenset({RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW})

LEDGERS = frozenset(
    {
        *("tb_confiture", "tb_confiture_journal", "tb_confiture_backfill", "confiture_lock_holder"),
        *("schema_migrations", "ar_internal_metadata", "goose_db_version", "__diesel_schema_migrations"),
        *("_sqlx_migrations", "flyway_schema_history", "_prisma_migrations", "schema_migration", "pgmigrations"),
        *("river_migration", "alembic_version", "atlas_schema_revisions", "django_migrations", "__drizzle_migrations"),
        *("knex_migrations", "knex_migrations_lock", "databasechangelog", "databasechangeloglock"),
        *("SequelizeMeta", "typeorm_migrations", "_yoyo_migration", "_yoyo_log", "_yoyo_version", "yoyo_lock"),
    }
)
"""Tables in which migration tools keep what they applied: theirs, not the user's to mend."""

LEDGER_SCHEMAS = frozenset({"sqitch", "graphile_migrate", "supabase_migrations", "pgroll", "drizzle"})


class Own:
    """The user's own objects: neither an extension's, nor a partition (its parent stands for it), nor a ledger."""

    def __init__(self, catalog: Catalog) -> None:
        self._relations = catalog.relations
        self._sequences = catalog.sequences
        self._types = catalog.types
        self._routines = catalog.routines
        self._dependencies = catalog.dependencies
        self.children: defaultdict[int, list[Relation]] = defaultdict(list)
        for relation in catalog.relations.values():
            for parent in relation.parent_oids:
                self.children[parent].append(relation)

    @cached_property
    def tables(self) -> tuple[Relation, ...]:
        """Tables and partitioned tables."""
        return tuple(one for one in self.relations if one.kind in TABLES)

    @cached_property
    def views(self) -> tuple[Relation, ...]:
        """Views and materialized views."""
        return tuple(one for one in self.relations if one.kind in VIEWS)

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """Everything with columns."""
        return tuple(one for one in self._relations.values() if not one.is_partition and _is_own(one))

    @cached_property
    def stored(self) -> tuple[Relation, ...]:
        """What has rows of its own: tables that are not partitioned, partitions, materialized views."""
        kinds = (RelationKind.TABLE, RelationKind.MATERIALIZED_VIEW)
        return tuple(one for one in self._relations.values() if one.kind in kinds and _is_own(one))

    @cached_property
    def columns(self) -> tuple[tuple[Relation, Column], ...]:
        """The columns of tables; those that an inheriting table has from its parent stand with the parent."""
        return tuple(
            (table, column) for table in self.tables for column in table.columns if column.is_local or not table.parents
        )

    @cached_property
    def columns_by_type(self) -> dict[str, list[tuple[Relation, Column]]]:
        """The same by the column's type, with its modifiers, as format_type writes it: there are few of them."""
        return _grouped(self.columns, attrgetter("type"))

    @cached_property
    def columns_by_name(self) -> dict[str, list[tuple[Relation, Column]]]:
        """The same by the column's name, as stored: very many columns share few names."""
        return _grouped(self.columns, attrgetter("name"))

    @cached_property
    def indexes(self) -> tuple[tuple[Relation, Index], ...]:
        """The indexes of tables and materialized views."""
        return tuple((one, index) for one in self.relations for index in one.indexes)

    @cached_property
    def constraints(self) -> tuple[tuple[Relation, Constraint], ...]:
        """The constraints of tables; inherited ones stand with the parent."""
        return tuple(
            (table, constraint)
            for table in self.tables
            for constraint in table.constraints
            if (constraint.is_local or not constraint.inherited) and not constraint.parent_oid
        )

    @cached_property
    def foreign_keys(self) -> tuple[tuple[Relation, Constraint], ...]:
        """The foreign keys of tables."""
        return tuple((table, one) for table, one in self.constraints if one.kind is ConstraintKind.FOREIGN_KEY)

    @cached_property
    def sequences(self) -> tuple[Sequence, ...]:
        """All sequences, those behind columns too."""
        return tuple(
            one
            for one in self._sequences.values()
            if one.extension is None and one.schema not in LEDGER_SCHEMAS and not self._behind_a_ledger(one)
        )

    @cached_property
    def types(self) -> tuple[Type, ...]:
        """Types and domains."""
        return tuple(one for one in self._types.values() if one.extension is None and one.kind is not TypeKind.SHELL)

    @cached_property
    def routines(self) -> tuple[Routine, ...]:
        """Functions, procedures, aggregates."""
        return tuple(
            one for one in self._routines.values() if one.extension is None and one.schema not in LEDGER_SCHEMAS
        )

    @cached_property
    def reads(self) -> dict[int, frozenset[int]]:
        """The oids of the relations that each view's query names, by the view's oid."""
        # A view's rule is an internal part of it, and it is the rule that needs what the query names
        # (PostgreSQL documentation, 52.18).
        found: dict[int, frozenset[int]] = {}
        for view in self._relations.values():
            if view.kind not in VIEWS:
                continue
            rules = [
                edge.dependent
                for edge in self._dependencies.dependents(ObjectAddress(PG_CLASS, view.oid))
                if edge.dependent.class_oid == PG_REWRITE and edge.kind == "i"
            ]
            found[view.oid] = frozenset(
                edge.referenced.oid
                for rule in rules
                for edge in self._dependencies.references(rule)
                if edge.referenced.class_oid == PG_CLASS and edge.referenced.oid != view.oid
            )
        return found

    def leaves(self, table: Relation) -> tuple[Relation, ...]:
        """The partitions of a partitioned table that have rows, at every depth; the table itself if it has some."""
        if table.kind is not RelationKind.PARTITIONED_TABLE:
            return (table,)
        return tuple(leaf for child in self.children.get(table.oid, ()) for leaf in self.leaves(child))

    def rows(self, table: Relation) -> float | None:
        """The planner's estimate of a table's rows, its partitions together; ``None`` when it is not known."""
        known = [leaf.statistics.rows if leaf.statistics else -1 for leaf in self.leaves(table)]
        return None if any(rows < 0 for rows in known) else sum(known)

    def _behind_a_ledger(self, sequence: Sequence) -> bool:
        owner = self._relations.by_oid(sequence.owned_by_oid)
        return owner is not None and not _is_own(owner)


def _grouped(
    columns: tuple[tuple[Relation, Column], ...], text_of: Callable[[Column], str]
) -> dict[str, list[tuple[Relation, Column]]]:
    found: defaultdict[str, list[tuple[Relation, Column]]] = defaultdict(list)
    for pair in columns:
        found[text_of(pair[1])].append(pair)
    return dict(found)


_OWN: WeakKeyDictionary[Catalog, Own] = WeakKeyDictionary()


def own(catalog: Catalog) -> Own:
    """The user's own objects in a catalog; worked out once for each."""
    found = _OWN.get(catalog)
    if found is None:
        found = _OWN[catalog] = Own(catalog)
    return found


def _is_own(relation: Relation) -> bool:
    return relation.extension is None and relation.name not in LEDGERS and relation.schema not in LEDGER_SCHEMAS


def type_name(text: str) -> str:
    """A column's type as format_type writes it, without its modifiers: ``character varying(20)`` is that of (20)."""
    base, parenthesis, rest = text.partition("(")
    return base + rest.partition(")")[2] if parenthesis else text
