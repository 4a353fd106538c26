"""Tables, partitioned tables, views, materialized views, foreign tables; and sequences."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from confiture_tui.core.records import quickly_made

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.access import Acl
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.statistics import RelationStatistics, RelationTraffic
    from confiture_tui.core.catalog.models.triggers import Policy, Rule, Trigger


class RelationKind(StrEnum):
    """The kinds of relation that have columns."""

    __hash__ = str.__hash__  # this is asked for at every look-up

    TABLE = "table"
    PARTITIONED_TABLE = "partitioned table"
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized view"
    FOREIGN_TABLE = "foreign table"
    COMPOSITE_TYPE = "composite type"


class Persistence(StrEnum):
    """Whether a relation survives a crash, or the session."""

    PERMANENT = "permanent"
    UNLOGGED = "unlogged"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class Partitioning:
    """How a partitioned table is divided.

    Attributes:
        strategy: ``range``, ``list`` or ``hash``.
        key: as pg_get_partkeydef writes it, ``RANGE (created_at)``.
        columns: names of the key columns; ``None`` where the key is an expression.
    """

    strategy: str
    key: str
    columns: tuple[str | None, ...]


@quickly_made
@dataclass(frozen=True, slots=True)
class Relation:
    """One table, partitioned table, view, materialized view, foreign table or composite type.

    Attributes:
        schema, name, qualified_name: as stored; the last as quote_ident writes both.
        access_method: ``heap``, …; ``None`` where there is none. ``tablespace``: ``None`` for the database's own.
        options: reloptions, those of the TOAST table with the prefix ``toast.``.
        row_security, force_row_security: whether policies apply, also to the owner.
        replica_identity: ``default``, ``nothing``, ``full`` or ``index``.
        is_partition, partition_bound: the bound as SQL, ``FOR VALUES …``; ``None`` for what is no partition.
        parents, parent_oids: the partitioned table it belongs to, or the tables it inherits from, in order.
        detach_pending: a DETACH PARTITION CONCURRENTLY was not finished.
        of_type: of CREATE TABLE … OF; ``None`` otherwise.
        definition: a view's query, as pg_get_viewdef writes it; ``None`` for others.
        populated: a materialized view holds data.
        server, fdw_options: of a foreign table; ``None`` and empty for others.
        row_type_oid: the type of its rows.
        extension: the extension that owns it; ``None`` for the user's own.
        acl: ``None``: the defaults hold, the owner alone.
        columns, constraints, indexes, triggers, rules, policies: in the order of numbers, then of names.
        statistics, traffic: ``None`` for what has no storage of its own and is not partitioned.
    """

    oid: int
    schema: str
    name: str
    qualified_name: str
    kind: RelationKind
    persistence: Persistence
    owner: str
    access_method: str | None
    tablespace: str | None
    options: tuple[str, ...]
    row_security: bool
    force_row_security: bool
    replica_identity: str
    is_partition: bool
    partition_bound: str | None
    partitioning: Partitioning | None
    parents: tuple[str, ...]
    parent_oids: tuple[int, ...]
    detach_pending: bool
    of_type: str | None
    definition: str | None
    populated: bool
    server: str | None
    fdw_options: tuple[str, ...]
    row_type_oid: int
    extension: str | None
    acl: Acl | None
    comment: str | None
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...]
    indexes: tuple[Index, ...]
    triggers: tuple[Trigger, ...]
    rules: tuple[Rule, ...]
    policies: tuple[Policy, ...]
    statistics: RelationStatistics | None
    traffic: RelationTraffic | None

    def column(self, name: str) -> Column | None:
        """The column with this name (as stored, not quoted), or ``None``."""
        for column in self.columns:
            if column.name == name:
                return column
        return None

    def column_numbered(self, number: int) -> Column | None:
        """The column with this ``attnum``, or ``None``."""
        return next((column for column in self.columns if column.number == number), None)

    def constraint(self, name: str) -> Constraint | None:
        """The constraint with this name (as stored, not quoted), or ``None``."""
        for constraint in self.constraints:
            if constraint.name == name:
                return constraint
        return None

    @property
    def primary_key(self) -> Index | None:
        """The index of the primary key, or ``None``."""
        return next((index for index in self.indexes if index.primary), None)


@quickly_made
@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence.

    Attributes:
        type: ``bigint``, ``integer`` or ``smallint``.
        start, minimum, maximum, increment, cache, cycles: its parameters.
        owned_by: ``schema.table.column``, quoted; ``None`` without. ``owned_by_oid``, ``owned_by_number``: the same.
        identity: it is the sequence of an identity column.
        last_value: ``None`` when nothing was drawn yet, or it was not read (``Catalog.not_visible`` tells which).
    """

    oid: int
    schema: str
    name: str
    qualified_name: str
    persistence: Persistence
    owner: str
    type: str
    start: int
    minimum: int
    maximum: int
    increment: int
    cache: int
    cycles: bool
    owned_by: str | None
    owned_by_oid: int
    owned_by_number: int
    identity: bool
    last_value: int | None
    extension: str | None
    acl: Acl | None
    comment: str | None
