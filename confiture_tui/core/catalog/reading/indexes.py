"""Reads indexes."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

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
                NULLIF(quote_ident(c.relname), c.relname)
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
    # The same few vectors come again and again.
    key_of = cache(_numbers)
    opclasses_of = cache(lambda text: tuple(context.opclasses.get(number, "") for number in _numbers(text)))
    collations_of = cache(lambda text: tuple(context.collations.get(number) for number in _numbers(text)))
    descending_of = cache(lambda text: tuple(bool(flag & _DESCENDING) for flag in _numbers(text)))
    nulls_first_of = cache(lambda text: tuple(bool(flag & _NULLS_FIRST) for flag in _numbers(text)))
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
    ) in context.steadily(rows.get("indexes", ())):
        if relation not in context.relation_names:
            continue
        columns = context.columns_by_number.get(relation, {})
        key_numbers = key_of(key)
        indexes.append(
            _index(
                oid=oid,
                schema=schema,
                name=name,
                qualified_name=qualified_name,
                relation=context.relation_names[relation],
                relation_oid=relation,
                definition=definitions.get(oid) or asked.get(oid, ""),
                access_method=context.names.get(access_method, ""),
                key_columns=tuple(
                    [columns[number].name if number in columns else None for number in key_numbers[:key_count]]
                ),
                included_columns=tuple(
                    [column.name for column in context.column_objects(relation, key_numbers[key_count:])]
                ),
                expressions=tuple(expressions) if expressions else (),
                predicate=predicate,
                opclasses=opclasses_of(opclasses),
                collations=collations_of(collations),
                descending=descending_of(options),
                nulls_first=nulls_first_of(options),
                unique=unique,
                nulls_not_distinct=nulls_not_distinct,
                primary=primary,
                exclusion=exclusion,
                immediate=immediate,
                valid=valid,
                ready=ready,
                live=live,
                clustered=clustered,
                replica_identity=replica_identity,
                is_partitioned=kind == "I",
                parent=parents.get(oid),
                constraint=owners.get(oid),
                options=tuple(sorted(storage_options)) if storage_options else (),
                tablespace=context.names.get(tablespace),
                statistics_targets=tuple(targets[oid]) if oid in targets else (),
                rows=tuples,
                pages=pages,
                size=sizes[oid][0] if oid in sizes else None,
                scans=scans,
                comment=context.comment(PG_CLASS, oid),
            )
        )
    return indexes
