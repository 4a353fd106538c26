"""Reads columns: one row each, with defaults and statistics joined here by relation and number."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from operator import itemgetter

from confiture_tui.core.catalog.models.columns import Column, Generated, Identity, Volatility
from confiture_tui.core.catalog.reading.bulk import assembler
from confiture_tui.core.catalog.reading.context import VOLATILITIES, Context
from confiture_tui.core.catalog.reading.options import option_texts
from confiture_tui.core.catalog.reading.query import (
    FIRST_USER_OID,
    USER_OR_OWN_TEMPORARY_SCHEMA,
    USER_SCHEMA,
    Query,
    Rows,
    Target,
    volatility_of,
)

STORAGE = {"p": "plain", "e": "external", "m": "main", "x": "extended"}
COMPRESSION = {"p": "pglz", "l": "lz4"}
GENERATED = {"s": Generated.STORED, "v": Generated.VIRTUAL}
NO_DEFAULT: tuple[None, None] = (None, None)
IDENTITY = {"a": Identity.ALWAYS, "d": Identity.BY_DEFAULT}

_RELATIONS = f"""(SELECT c.oid, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND {USER_OR_OWN_TEMPORARY_SCHEMA})"""


def _statistics(target: Target) -> str:
    # Where both exist, the figures for the table alone stand last and win over those that include children.
    if target.reads_pg_statistic:
        return f"""SELECT starelid, staattnum, stanullfrac, stadistinct, stawidth FROM pg_statistic
            WHERE starelid >= {FIRST_USER_OID} ORDER BY stainherit DESC"""
    return f"""SELECT c.oid, a.attnum, s.null_frac, s.n_distinct, s.avg_width
        FROM pg_stats s
        JOIN pg_namespace n ON n.nspname = s.schemaname
        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
        WHERE {USER_SCHEMA} ORDER BY s.inherited DESC"""


_column = assembler(Column)

QUERIES = (
    Query(
        "columns",
        "columns",
        # attstattarget is NULL for the default from 17 on, -1 before.
        f"""SELECT a.attrelid, a.attnum, a.attname, NULLIF(quote_ident(a.attname), a.attname),
                format_type(a.atttypid, a.atttypmod), a.atttypid, a.atttypmod, a.attnotnull,
                a.attidentity, a.attgenerated, CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation END,
                a.attstorage, a.attcompression, NULLIF(a.attstattarget, -1), a.attoptions, a.attfdwoptions,
                a.attislocal, a.attinhcount, a.atthasmissing, a.attacl::text[]
            FROM {_RELATIONS} AS c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            JOIN pg_type t ON t.oid = a.atttypid
            ORDER BY a.attrelid, a.attnum""",
    ),
)

DETAILS = (
    Query(
        "defaults",
        "column defaults",
        # Only generation expressions name columns; for all else pg_get_expr need neither look at the table nor lock it.
        # Defaults that read alike call the same functions, and are looked at once for their volatility. Generation
        # expressions, where columns' types choose among overloaded functions, are immutable by definition.
        f"""WITH defaults AS MATERIALIZED (
              SELECT d.oid, d.adrelid, d.adnum, a.attnum IS NOT NULL AS generated,
                pg_get_expr(d.adbin, CASE WHEN a.attnum IS NOT NULL THEN d.adrelid ELSE 0 END) AS expression
              FROM {_RELATIONS} AS c
              JOIN pg_attrdef d ON d.adrelid = c.oid
              LEFT JOIN (SELECT attrelid, attnum FROM pg_attribute WHERE attgenerated <> '') AS a
                ON a.attrelid = d.adrelid AND a.attnum = d.adnum),
            volatilities AS MATERIALIZED (
              SELECT texts.expression, {volatility_of("d.adbin::text")} AS volatility
              FROM (SELECT expression, min(oid) AS example FROM defaults WHERE NOT generated GROUP BY 1) AS texts
              JOIN pg_attrdef d ON d.oid = texts.example)
            SELECT d.adrelid, d.adnum, d.expression, CASE WHEN d.generated THEN 'i' ELSE v.volatility END
            FROM defaults d LEFT JOIN volatilities v ON v.expression = d.expression""",
    ),
    Query(
        "column_statistics",
        "column statistics",
        _statistics,
    ),
    Query(
        "hidden_statistics",
        "which tables may be read",
        # The condition of the view pg_stats: it leaves out, without a word, what the role may not select.
        lambda target: (
            f"""SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE NOT {str(target.reads_pg_statistic).lower()} AND c.relkind IN ('r', 'p', 'm', 'f') AND {USER_SCHEMA}
              AND (NOT has_any_column_privilege(c.oid, 'SELECT') OR c.relrowsecurity AND row_security_active(c.oid))
            ORDER BY 1"""
        ),
    ),
)


def build(rows: Rows, context: Context) -> dict[int, tuple[Column, ...]]:
    """The columns of each relation, in the order of their numbers."""
    defaults: defaultdict[int, dict[int, tuple[str, Volatility]]] = defaultdict(dict)
    for relation, number, text, letter in rows.get("defaults", ()):
        defaults[relation][number] = (text, VOLATILITIES[letter])
    statistics: defaultdict[int, dict[int, tuple[float, float, int]]] = defaultdict(dict)
    for relation, number, nulls, distinct, width in rows.get("column_statistics", ()):
        statistics[relation][number] = (nulls, distinct, width)
    # Few distinct types, very many columns: one string for each type.
    types: dict[str, str] = {}
    found: dict[int, tuple[Column, ...]] = {}
    for relation, its_rows in groupby(context.steadily(rows.get("columns", ())), key=itemgetter(0)):
        if (relation_name := context.relation_names.get(relation)) is None:
            continue
        its_defaults = defaults.get(relation, {})
        its_statistics = statistics.get(relation, {})
        its_comments = context.column_comments.get(relation, {})
        found[relation] = columns = tuple(
            _column(
                relation_name,
                number,
                name,
                quoted or name,
                types.setdefault(type_name, type_name),
                type_oid,
                modifier,
                not_null,
                (default := its_defaults.get(number, NO_DEFAULT))[0],
                default[1],
                GENERATED.get(generated) if generated else None,
                IDENTITY.get(identity) if identity else None,
                context.collations.get(collation) if collation else None,
                STORAGE[storage],
                COMPRESSION.get(compression) if compression else None,
                target,
                tuple(sorted(options)) if options else (),
                option_texts(fdw_options) if fdw_options else (),
                is_local,
                inherited,
                missing,
                context.parse(acl) or None if acl else None,
                its_comments.get(number),
                its_statistics.get(number),
            )
            for (
                _,
                number,
                name,
                quoted,
                type_name,
                type_oid,
                modifier,
                not_null,
                identity,
                generated,
                collation,
                storage,
                compression,
                target,
                options,
                fdw_options,
                is_local,
                inherited,
                missing,
                acl,
            ) in its_rows
        )
        context.columns_by_number[relation] = {column.number: column for column in columns}
    return found
