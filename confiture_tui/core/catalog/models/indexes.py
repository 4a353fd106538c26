"""Indexes."""

from __future__ import annotations

from dataclasses import dataclass

from confiture_tui.core.records import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True)
class Index:
    """One index.

    Attributes:
        schema, name, qualified_name: as stored; the last as quote_ident writes both.
        relation, relation_oid: the table or materialized view.
        definition: as pg_get_indexdef writes it.
        access_method: ``btree``, ``gin``, …
        key_columns: column names in key order; ``None`` where the key is an expression.
        included_columns: of INCLUDE.
        expressions: the expression keys, in order. ``predicate``: of a partial index; ``None`` otherwise.
        opclasses: qualified quoted names, one a key. ``collations``: ``None`` where there is none, one a key.
        descending, nulls_first: one a key.
        unique, nulls_not_distinct, primary, exclusion, immediate: as they are called.
        valid, ready, live: ``indisvalid``, ``indisready``, ``indislive``.
        clustered, replica_identity: chosen by CLUSTER ON, by REPLICA IDENTITY USING INDEX.
        is_partitioned: the index of a partitioned table, without storage.
        parent: qualified name of the partitioned index that it is attached to; ``None`` without.
        constraint: quoted name of the constraint that owns it; ``None`` without.
        options, tablespace: ``None`` for the database's tablespace.
        statistics_targets: ``position=target``, where set for an expression.
        rows, pages: the planner's estimates.
        size: bytes; of an index smaller than 1 MB on a table smaller than 1 MB as of the last vacuum, analyze or
            build; ``None`` when it could not be read.
        scans: since ``Catalog.statistics_reset``.
        comment: ``None`` without one.
        being_built: not valid, and another session works on its table as CREATE INDEX and REINDEX CONCURRENTLY do.
    """

    oid: int
    schema: str
    name: str
    qualified_name: str
    relation: str
    relation_oid: int
    definition: str
    access_method: str
    key_columns: tuple[str | None, ...]
    included_columns: tuple[str, ...]
    expressions: tuple[str, ...]
    predicate: str | None
    opclasses: tuple[str, ...]
    collations: tuple[str | None, ...]
    descending: tuple[bool, ...]
    nulls_first: tuple[bool, ...]
    unique: bool
    nulls_not_distinct: bool
    primary: bool
    exclusion: bool
    immediate: bool
    valid: bool
    ready: bool
    live: bool
    clustered: bool
    replica_identity: bool
    is_partitioned: bool
    parent: str | None
    constraint: str | None
    options: tuple[str, ...]
    tablespace: str | None
    statistics_targets: tuple[str, ...]
    rows: float
    pages: int
    size: int | None
    scans: int
    comment: str | None
    being_built: bool = False
