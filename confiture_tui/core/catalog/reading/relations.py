"""Reads tables, views and their like, their sizes and their traffic; puts together what belongs to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from confiture_tui.core.catalog.models.dependencies import PG_CLASS, PG_TYPE
from confiture_tui.core.catalog.models.relations import Partitioning, Persistence, Relation, RelationKind
from confiture_tui.core.catalog.models.statistics import RelationStatistics, RelationTraffic
from confiture_tui.core.catalog.reading.bulk import assembler
from confiture_tui.core.catalog.reading.options import option_texts
from confiture_tui.core.catalog.reading.query import (
    USER_OR_OWN_TEMPORARY_SCHEMA,
    Query,
    Row,
    Rows,
    array_numbers,
    qualified,
)

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.triggers import Policy, Rule, Trigger
    from confiture_tui.core.catalog.reading.context import Context

KINDS = {
    "r": RelationKind.TABLE,
    "p": RelationKind.PARTITIONED_TABLE,
    "v": RelationKind.VIEW,
    "m": RelationKind.MATERIALIZED_VIEW,
    "f": RelationKind.FOREIGN_TABLE,
    "c": RelationKind.COMPOSITE_TYPE,
}
PERSISTENCE = {"p": Persistence.PERMANENT, "u": Persistence.UNLOGGED, "t": Persistence.TEMPORARY}
REPLICA_IDENTITY = {"d": "default", "n": "nothing", "f": "full", "i": "index"}
STRATEGY = {"r": "range", "l": "list", "h": "hash"}
_MEASURED = {RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.MATERIALIZED_VIEW}

_assembled, _assembled_statistics = assembler(Relation), assembler(RelationStatistics)
_assembled_traffic = assembler(RelationTraffic)

SMALL = 1024 * 1024
"""Bytes. Indexes that held less when they were last vacuumed, analyzed or built, of tables that hold less now, are not
measured: opening each of tens of thousands of them would take longer than all the rest."""

NOT_LOCKED_BY_OTHERS = """c.oid <> ALL (ARRAY(SELECT l.relation FROM pg_locks l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))"""
"""pg_relation_size waits for a lock; what somebody holds, or waits for, exclusively is left out instead."""

QUERIES = (
    Query(
        "relations",
        "tables and views",
        f"""SELECT c.oid, n.nspname, c.relname, {qualified("n.nspname", "c.relname")}, c.relkind,
                c.relpersistence, pg_get_userbyid(c.relowner), c.relam, c.reltablespace, c.reloptions, toast.reloptions,
                c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relispartition,
                CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END,
                p.partstrat, CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END, p.partattrs::text,
                CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
                CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END, c.relispopulated,
                server.srvname, f.ftoptions, c.reltype,
                CASE WHEN c.relkind = 'c' THEN composite.typacl ELSE c.relacl END::text[]
            FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid
            LEFT JOIN pg_type composite ON composite.oid = c.reltype AND c.relkind = 'c'
            LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
            LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
            LEFT JOIN pg_foreign_server server ON server.oid = f.ftserver
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND {USER_OR_OWN_TEMPORARY_SCHEMA}""",
    ),
    Query(
        "inheritance",
        "inheritance",
        """SELECT inhrelid, inhparent, inhdetachpending FROM pg_inherits ORDER BY inhrelid, inhseqno""",
    ),
)

MEASURES = (
    Query(
        "relation_statistics",
        "sizes, statistics and traffic of tables",
        f"""SELECT c.oid, c.reltuples, c.relpages, c.relallvisible,
                CASE WHEN c.relfrozenxid <> '0'::xid THEN age(c.relfrozenxid) END,
                pg_stat_get_live_tuples(c.oid), pg_stat_get_dead_tuples(c.oid), pg_stat_get_mod_since_analyze(c.oid),
                pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid),
                pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid),
                pg_stat_get_numscans(c.oid), pg_stat_get_tuples_returned(c.oid), pg_stat_get_tuples_inserted(c.oid),
                pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'm') AND {USER_OR_OWN_TEMPORARY_SCHEMA}""",
    ),
    Query(
        "sizes",
        "sizes of tables and indexes",
        # pg_total_relation_size would measure every index a second time, and four forks of everything.
        # In three texts, so that the server need not wait for us in the middle of measuring.
        f"""WITH tables AS MATERIALIZED (
              SELECT c.oid, pg_relation_size(c.oid) AS size,
                CASE WHEN c.reltoastrelid <> 0 THEN pg_relation_size(c.reltoastrelid) ELSE 0 END AS toast
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'm') AND {USER_OR_OWN_TEMPORARY_SCHEMA} AND {NOT_LOCKED_BY_OTHERS}),
            indexes AS (
              SELECT c.oid, CASE WHEN t.size + t.toast < {SMALL} AND c.relpages < {SMALL} / 8192
                THEN c.relpages::bigint * current_setting('block_size')::bigint ELSE pg_relation_size(c.oid) END AS size
              FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid
              WHERE c.relkind = 'i' AND {NOT_LOCKED_BY_OTHERS})
            SELECT array_agg(oid)::text, array_agg(size)::text, array_agg(toast)::text
            FROM (SELECT oid, size, toast FROM tables UNION ALL SELECT oid, size, 0 FROM indexes) AS measured""",
    ),
)


class Parts(NamedTuple):
    """What belongs to relations, by the oid of the relation."""

    columns: dict[int, tuple[Column, ...]]
    constraints: dict[int, tuple[Constraint, ...]]
    indexes: dict[int, tuple[Index, ...]]
    triggers: dict[int, tuple[Trigger, ...]]
    rules: dict[int, tuple[Rule, ...]]
    policies: dict[int, tuple[Policy, ...]]


@dataclass(frozen=True, slots=True)
class _Inheritance:
    parents: tuple[int, ...]
    detach_pending: bool


def sizes(rows: Rows) -> dict[int, tuple[int, int]]:
    """Bytes of each relation that could be measured, and of its TOAST table."""
    columns = [array_numbers(text) for row in rows.get("sizes", ()) for text in row]
    # A relation dropped since the snapshot has no size.
    return {
        oid: (size, toast or 0)
        for oid, size, toast in zip(*columns, strict=True)
        if oid is not None and size is not None
    }


def build(rows: Rows, context: Context, parts: Parts, measured_sizes: dict[int, tuple[int, int]]) -> list[Relation]:
    """The relations with all that belongs to them; ``measured_sizes`` as ``sizes`` gives them."""
    inheritance = _inheritance(rows)
    measured = {row[0]: row for row in rows.get("relation_statistics", ())}
    return [
        _relation(row, context, parts, inheritance.get(row[0]), measured.get(row[0]), measured_sizes.get(row[0]))
        for row in rows.get("relations", ())
    ]


def _inheritance(rows: Rows) -> dict[int, _Inheritance]:
    parents: defaultdict[int, list[int]] = defaultdict(list)
    pending: set[int] = set()
    for child, parent, detach_pending in rows.get("inheritance", ()):
        parents[child].append(parent)
        if detach_pending:
            pending.add(child)
    return {child: _Inheritance(tuple(oids), child in pending) for child, oids in parents.items()}


def _relation(
    row: Row,
    context: Context,
    parts: Parts,
    inheritance: _Inheritance | None,
    measured: Row | None,
    size: tuple[int, int] | None,
) -> Relation:
    (
        oid,
        schema,
        name,
        qualified_name,
        kind_letter,
        persistence,
        owner,
        access_method,
        tablespace,
        options,
        toast_options,
        row_security,
        force_row_security,
        replica_identity,
        is_partition,
        bound,
        strategy,
        partition_key,
        partition_columns,
        of_type,
        definition,
        populated,
        server,
        fdw_options,
        row_type,
        acl,
    ) = row
    kind = KINDS[kind_letter]
    indexes = parts.indexes.get(oid, ())
    parent_oids = inheritance.parents if inheritance else ()
    class_oid, comment_oid = (PG_TYPE, row_type) if kind is RelationKind.COMPOSITE_TYPE else (PG_CLASS, oid)
    return _assembled(
        oid=oid,
        schema=schema,
        name=name,
        qualified_name=qualified_name,
        kind=kind,
        persistence=PERSISTENCE[persistence],
        owner=owner,
        access_method=context.names.get(access_method),
        tablespace=context.names.get(tablespace),
        options=tuple(sorted([*(options or ()), *(f"toast.{option}" for option in toast_options or ())])),
        row_security=row_security,
        force_row_security=force_row_security,
        replica_identity=REPLICA_IDENTITY[replica_identity],
        is_partition=is_partition,
        partition_bound=bound,
        partitioning=_partitioning(strategy, partition_key, partition_columns, context.columns_by_number.get(oid, {})),
        parents=tuple(context.relation_names.get(parent, str(parent)) for parent in parent_oids),
        parent_oids=parent_oids,
        detach_pending=inheritance.detach_pending if inheritance else False,
        of_type=of_type,
        definition=definition,
        populated=populated,
        server=server,
        fdw_options=option_texts(fdw_options),
        row_type_oid=row_type,
        extension=context.extension(class_oid, comment_oid),
        acl=context.acl("T" if kind is RelationKind.COMPOSITE_TYPE else "r", owner, acl),
        comment=context.comment(class_oid, comment_oid),
        columns=parts.columns.get(oid, ()),
        constraints=parts.constraints.get(oid, ()),
        indexes=indexes,
        triggers=parts.triggers.get(oid, ()),
        rules=parts.rules.get(oid, ()),
        policies=parts.policies.get(oid, ()),
        statistics=_statistics(measured, size, indexes) if kind in _MEASURED else None,
        traffic=_traffic(measured, indexes) if kind in _MEASURED else None,
    )


def _partitioning(
    strategy: str | None, key: str | None, numbers: str | None, columns: dict[int, Column]
) -> Partitioning | None:
    if strategy is None or key is None or numbers is None:
        return None
    return Partitioning(
        STRATEGY.get(strategy, strategy),
        key,
        tuple(columns[int(number)].name if int(number) in columns else None for number in numbers.split()),
    )


def _statistics(row: Row | None, size: tuple[int, int] | None, indexes: tuple[Index, ...]) -> RelationStatistics | None:
    if row is None:
        return None
    _, tuples, pages, visible, age, live, dead, changed, analyzed, autoanalyzed, vacuumed, autovacuumed, *_ = row
    index_sizes = [index.size for index in indexes if not index.is_partitioned]
    total = None if size is None or None in index_sizes else sum(size) + sum(each or 0 for each in index_sizes)
    return _assembled_statistics(
        rows=tuples,
        pages=pages,
        all_visible_pages=visible,
        size=size[0] if size else None,
        total_size=total,
        live_rows=live,
        dead_rows=dead,
        changed_since_analyze=changed,
        last_analyze=analyzed,
        last_autoanalyze=autoanalyzed,
        last_vacuum=vacuumed,
        last_autovacuum=autovacuumed,
        frozen_xid_age=age,
    )


def _traffic(row: Row | None, indexes: tuple[Index, ...]) -> RelationTraffic | None:
    if row is None:
        return None
    scans, read, inserted, updated, deleted = row[12:]
    return _assembled_traffic(scans, read, sum(index.scans for index in indexes), inserted, updated, deleted)


def names_by_oid(rows: Rows) -> dict[int, str]:
    """Qualified names of the relations read, by oid."""
    return {row[0]: row[3] for row in rows.get("relations", ())}


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


def group(owned: Iterable[tuple[int, N]]) -> dict[int, tuple[N, ...]]:
    """Objects by the oid of what they belong to, each group in the order of the names."""
    groups: defaultdict[int, list[N]] = defaultdict(list)
    for oid, each in sorted(owned, key=lambda pair: pair[1].name):
        groups[oid].append(each)
    return {oid: tuple(each) for oid, each in groups.items()}
