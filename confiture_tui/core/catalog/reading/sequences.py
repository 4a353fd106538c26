"""Reads sequences. Their last values are read apart, see ``last_values``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.dependencies import PG_CLASS
from confiture_tui.core.catalog.models.relations import Sequence
from confiture_tui.core.catalog.reading.bulk import assembler
from confiture_tui.core.catalog.reading.query import USER_OR_OWN_TEMPORARY_SCHEMA, Query, Rows, qualified
from confiture_tui.core.catalog.reading.relations import PERSISTENCE

if TYPE_CHECKING:
    from confiture_tui.core.catalog.reading.context import Context

_sequence = assembler(Sequence)

QUERIES = (
    Query(
        "sequences",
        "sequences",
        f"""SELECT c.oid, n.nspname, c.relname, {qualified("n.nspname", "c.relname")}, c.relpersistence,
                pg_get_userbyid(c.relowner), format_type(s.seqtypid, NULL), s.seqstart, s.seqmin, s.seqmax,
                s.seqincrement, s.seqcache, s.seqcycle, d.refobjid, d.refobjsubid, d.deptype, c.relacl::text[],
                has_sequence_privilege(c.oid, 'SELECT, USAGE')
            FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_sequence s ON s.seqrelid = c.oid
            LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
              AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
            WHERE c.relkind = 'S' AND {USER_OR_OWN_TEMPORARY_SCHEMA}""",
    ),
)


def build(rows: Rows, context: Context, last_values: Mapping[int, int | None]) -> list[Sequence]:
    """All sequences; ``last_values`` by oid."""
    sequences: list[Sequence] = []
    for (
        oid,
        schema,
        name,
        qualified_name,
        persistence,
        owner,
        type_name,
        start,
        minimum,
        maximum,
        increment,
        cache,
        cycles,
        owning_relation,
        owning_number,
        dependency,
        acl,
        _,
    ) in rows.get("sequences", ()):
        column = context.columns_by_number.get(owning_relation, {}).get(owning_number)
        sequences.append(
            _sequence(
                oid,
                schema,
                name,
                qualified_name,
                PERSISTENCE[persistence],
                owner,
                type_name,
                start,
                minimum,
                maximum,
                increment,
                cache,
                cycles,
                column.qualified_name if column else None,
                owning_relation or 0,
                owning_number or 0,
                dependency == "i",
                last_values.get(oid),
                context.extension(PG_CLASS, oid),
                context.acl("s", owner, acl),
                context.comment(PG_CLASS, oid),
            )
        )
    return sequences
