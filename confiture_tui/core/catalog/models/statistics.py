"""What the server knows about the size of things and about how they are used. Never part of a definition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RelationStatistics:
    """Sizes and ages of a table, partitioned table or materialized view.

    Attributes:
        rows: ``reltuples``, the planner's estimate; ``-1`` when it was never vacuumed or analyzed.
        pages: ``relpages``, 8 kB pages (as of the last vacuum or analyze).
        all_visible_pages: ``relallvisible``.
        size: bytes of the main fork now (pg_relation_size); ``None`` when it could not be read.
        total_size: bytes of the main forks with the TOAST table and all indexes, which is pg_total_relation_size less
            the free space and visibility maps and the TOAST index; ``None`` when part of it could not be read.
        live_rows: ``n_live_tup``. ``dead_rows``: ``n_dead_tup``.
        changed_since_analyze: ``n_mod_since_analyze``.
        last_analyze, last_autoanalyze, last_vacuum, last_autovacuum: when, in UTC; ``None`` for never.
        frozen_xid_age: transactions since ``relfrozenxid``; ``None`` for relations without storage.
    """

    rows: float
    pages: int
    all_visible_pages: int
    size: int | None
    total_size: int | None
    live_rows: int
    dead_rows: int
    changed_since_analyze: int
    last_analyze: datetime | None
    last_autoanalyze: datetime | None
    last_vacuum: datetime | None
    last_autovacuum: datetime | None
    frozen_xid_age: int | None


@dataclass(frozen=True, slots=True)
class RelationTraffic:
    """How often a table was used since ``Catalog.statistics_reset`` (or since the server's counters began).

    Attributes:
        sequential_scans, sequential_rows: scans from end to end, and the rows they read.
        index_scans: scans of its indexes, summed.
        inserted, updated, deleted: rows.
    """

    sequential_scans: int
    sequential_rows: int
    index_scans: int
    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """What ANALYZE found in a column (view ``pg_stats``).

    Attributes:
        null_fraction: share of NULLs, 0 to 1.
        distinct: ``n_distinct``: a count when positive, a share of the rows, negated, when negative, 0 for unknown.
        average_width: bytes.
    """

    null_fraction: float
    distinct: float
    average_width: int
