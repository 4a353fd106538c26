"""Reads indexes."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from confiture_tui.core.catalog.models.dependencies import PG_CLASS
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.reading.bulk import assembler
from confiture_tui.core.catalog.reading.query import USER_OR_OWN_TEMPORARY_SCHEMA, Query, Rows, qualified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_tui.core.catalog.reading.context import Context

_DESCENDING = 1
_NULLS_FIRST = 2
# INDOPTION_DESC and INDOPTION_NULLS_FIRST, src/include/catalog/pg_index.h.

# CREATE INDEX and REINDEX CONCURRENTLY hold SHARE UPDATE EXCLUSIVE on the table from end to end; so does VACUUM, but
# autovacuum, where this role may tell, is no reason to wait.
_WORKED_ON = """EXISTS (
                  SELECT FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                  WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock'
                    AND l.granted AND l.pid <> pg_backend_pid() AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
                    AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))"""

_index = assembler(Index)

QUERIES = (
    Query(
        "indexes",
        "indexes",
        # indnullsnotdistinct exists from 15 on.
        lambda target: (
            f"""SELECT i.indexrelid, n.nspname, c.relname, {qualified("n.nspname", "c.relname")},
                i.indrelid, c.relam, c.relkind, i.indnkeyatts,
                i.indkey::text, i.indclass::text, i.indcollation::text, i.indoption::text,
                CASE WHEN i.indexprs IS NOT NULL THEN ARRAY(
                  SELECT pg_get_indexdef(i.indexrelid, position::int, true)
                  FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS keys(number, position)
                  WHERE number = 0 ORDER BY position) END,
                pg_get_expr(i.indpred, i.indrelid), i.indisunique,
                {"i.indnullsnotdistinct" if target.version >= 150000 else "false"}, i.indisprimary, i.indisexclusion,
                i.indimmediate, i.indisvalid, i.indisready, i.indislive, i.indisclustered, i.indisreplident,
                c.reloptions, c.reltablespace, c.reltuples, c.relpages, pg_stat_get_numscans(c.oid),
                NULLIF(quote_ident(c.relname), c.relname), NOT i.indisvalid AND {_WORKED_ON}
            FROM pg_index i
            JOIN pg_class c ON c.oid = i.indexrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_class r ON r.oid = i.indrelid AND r.relkind <> 't'
            WHERE {USER_OR_OWN_TEMPORARY_SCHEMA}"""
        ),
    ),
)

STATISTICS_TARGETS = (
    Query(
        "index_statistics_targets",
        "statistics targets of indexes",
        """SELECT a.attrelid, a.attnum, a.attstattarget
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relkind IN ('i', 'I') AND a.attnum > 0 AND a.attstattarget >= 0
            ORDER BY a.attrelid, a.attnum""",
    ),
)


def names_by_oid(rows: Rows) -> dict[int, str]:
    """Qualified names of the indexes read, by oid."""
    return {row[0]: row[3] for row in rows.get("indexes", ())}


def constraint_names(rows: Rows) -> dict[int, str]:
    """Quoted names of the constraints that own an index, by the index's oid."""
    # A foreign key names the referenced table's index, which it does not own.
    return {row[18]: row[2] or row[1] for row in rows.get("constraints", ()) if row[18] and row[3] in "pux"}


class _Keys(NamedTuple):
    numbers: tuple[int, ...]
    included: tuple[int, ...]
    opclasses: tuple[str, ...]
    collations: tuple[str | None, ...]
    descending: tuple[bool, ...]
    nulls_first: tuple[bool, ...]


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of an int2vector or oidvector."""
    return tuple(int(number) for number in text.split())


def build(
    rows: Rows, context: Context, sizes: dict[int, tuple[int, int]], definitions: Mapping[int, str]
) -> list[Index]:
    """All indexes; ``sizes``: bytes by oid; ``definitions``: those that were written here, by oid."""
    asked: dict[int, str] = dict(rows.get("index_definitions", ()))
    targets: defaultdict[int, list[str]] = defaultdict(list)
    for index, position, target in rows.get("index_statistics_targets", ()):
        targets[index].append(f"{position}={target}")
    names = names_by_oid(rows)
    owners = constraint_names(rows)
    parents = {child: names.get(parent) for child, parent, _ in rows.get("inheritance", ())}
    comments = context.comments_on(PG_CLASS)

    @cache  # The same few vectors come again and again.
    def keys_of(key_count: int, key: str, opclasses: str, collations: str, options: str) -> _Keys:
        numbers, flags = _numbers(key), _numbers(options)
        return _Keys(
            numbers[:key_count],
            numbers[key_count:],
            tuple(context.opclasses.get(number, "") for number in _numbers(opclasses)),
            tuple(context.collations.get(number) for number in _numbers(collations)),
            tuple(bool(flag & _DESCENDING) for flag in flags),
            tuple(bool(flag & _NULLS_FIRST) for flag in flags),
        )

    indexes: list[Index] = []
    for (
        oid,
        schema,
        name,
        qualified_name,
        relation,
        access_method,
        kind,
        key_count,
        key,
        opclasses,
        collations,
        options,
        expressions,
        predicate,
        unique,
        nulls_not_distinct,
        primary,
        exclusion,
        immediate,
        valid,
        ready,
        live,
        clustered,
        replica_identity,
        storage_options,
        tablespace,
        tuples,
        pages,
        scans,
        _,
        being_built,
    ) in context.steadily(rows.get("indexes", ())):
        if (relation_name := context.relation_names.get(relation)) is None:
            continue
        columns = context.columns_by_number.get(relation, {})
        keys = keys_of(key_count, key, opclasses, collations, options)
        size = sizes.get(oid)
        indexes.append(
            _index(
                oid,
                schema,
                name,
                qualified_name,
                relation_name,
                relation,
                definitions.get(oid) or asked.get(oid, ""),
                context.names.get(access_method, ""),
                tuple([columns[number].name if number in columns else None for number in keys.numbers]),
                tuple([columns[number].name for number in keys.included if number in columns]) if keys.included else (),
                tuple(expressions) if expressions else (),
                predicate,
                keys.opclasses,
                keys.collations,
                keys.descending,
                keys.nulls_first,
                unique,
                nulls_not_distinct,
                primary,
                exclusion,
                immediate,
                valid,
                ready,
                live,
                clustered,
                replica_identity,
                kind == "I",
                parents.get(oid),
                owners.get(oid),
                tuple(sorted(storage_options)) if storage_options else (),
                context.names.get(tablespace),
                tuple(targets[oid]) if oid in targets else (),
                tuples,
                pages,
                size[0] if size else None,
                scans,
                comments.get(oid),
                being_built,
            )
        )
    return indexes
