"""Reads types: enums, domains, composite, range and base types."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.dependencies import PG_TYPE
from confiture_tui.core.catalog.models.types import Type, TypeKind
from confiture_tui.core.catalog.reading.context import VOLATILITIES, Context
from confiture_tui.core.catalog.reading.query import USER_SCHEMA, Query, Rows, qualified, volatility_of

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.constraints import Constraint

KINDS = {
    "b": TypeKind.BASE,
    "c": TypeKind.COMPOSITE,
    "d": TypeKind.DOMAIN,
    "e": TypeKind.ENUM,
    "r": TypeKind.RANGE,
    "p": TypeKind.SHELL,
}

_BASE_PROPERTIES = """ARRAY['input', t.typinput::text, 'output', t.typoutput::text, 'receive', t.typreceive::text,
    'send', t.typsend::text, 'modifier input', t.typmodin::text, 'modifier output', t.typmodout::text,
    'analyze', t.typanalyze::text, 'length', t.typlen::text, 'by value', t.typbyval::text,
    'alignment', t.typalign::text, 'storage', t.typstorage::text, 'category', t.typcategory::text,
    'preferred', t.typispreferred::text, 'delimiter', t.typdelim::text,
    'element', CASE WHEN t.typelem <> 0 THEN format_type(t.typelem, NULL) END,
    'collatable', (t.typcollation <> 0)::text, 'default', t.typdefault]"""

_RANGE_PROPERTIES = """ARRAY['operator class', r.rngsubopc::text, 'collation', r.rngcollation::text,
    'canonical', r.rngcanonical::text, 'difference', r.rngsubdiff::text]"""

QUERIES = (
    Query(
        "types",
        "types",
        # Left out: row types of tables (a stand-alone composite type has relkind c), arrays (somebody's typarray) and
        # multiranges (somebody's rngmultitypid): all three come and go with what they belong to.
        f"""SELECT t.oid, n.nspname, t.typname, {qualified("n.nspname", "t.typname")}, t.typtype,
                pg_get_userbyid(t.typowner), t.typarray, coalesce(r.rngmultitypid, 0),
                CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, t.typbasetype, t.typnotnull,
                CASE WHEN t.typtype = 'd' THEN coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault) END,
                CASE WHEN t.typtype = 'd' THEN {volatility_of("t.typdefaultbin::text")} END,
                CASE WHEN t.typtype = 'd' AND t.typcollation <> base.typcollation THEN t.typcollation END,
                format_type(r.rngsubtype, NULL), format_type(r.rngmultitypid, NULL),
                CASE t.typtype WHEN 'b' THEN {_BASE_PROPERTIES} WHEN 'r' THEN {_RANGE_PROPERTIES} END,
                t.typrelid, t.typacl::text[], r.rngsubopc, r.rngcollation
            FROM pg_type t
            JOIN pg_namespace n ON n.oid = t.typnamespace
            LEFT JOIN pg_type base ON base.oid = t.typbasetype
            LEFT JOIN pg_range r ON r.rngtypid = t.oid
            LEFT JOIN pg_class c ON c.oid = t.typrelid
            WHERE {USER_SCHEMA} AND (t.typrelid = 0 OR c.relkind = 'c') AND t.typtype <> 'm'
              AND NOT EXISTS (SELECT FROM pg_type item WHERE item.oid = t.typelem AND item.typarray = t.oid)""",
    ),
    Query(
        "labels",
        "labels of enums",
        """SELECT enumtypid, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder""",
    ),
)


def build(rows: Rows, context: Context, constraints: dict[int, tuple[Constraint, ...]]) -> list[Type]:
    """All types; ``constraints``: those of domains, by the domain's oid."""
    labels: defaultdict[int, list[str]] = defaultdict(list)
    for oid, label in rows.get("labels", ()):
        labels[oid].append(label)
    types: list[Type] = []
    for (
        oid,
        schema,
        name,
        qualified_name,
        kind,
        owner,
        array_oid,
        multirange_oid,
        base_type,
        base_type_oid,
        not_null,
        default,
        default_volatility,
        collation,
        subtype,
        multirange,
        properties,
        relation_oid,
        acl,
        range_opclass,
        range_collation,
    ) in rows.get("types", ()):
        named = dict(zip(properties[::2], properties[1::2], strict=True)) if properties else {}
        if kind == "r":
            named["operator class"] = context.opclasses.get(range_opclass)
            named["collation"] = context.collations.get(range_collation)
        types.append(
            Type(
                oid=oid,
                schema=schema,
                name=name,
                qualified_name=qualified_name,
                kind=KINDS[kind],
                owner=owner,
                array_oid=array_oid,
                multirange_oid=multirange_oid,
                labels=tuple(labels.get(oid, ())),
                base_type=base_type,
                base_type_oid=base_type_oid,
                not_null=not_null,
                default=default,
                default_volatility=VOLATILITIES[default_volatility] if default_volatility else None,
                collation=context.collations.get(collation) if collation else None,
                constraints=constraints.get(oid, ()),
                subtype=subtype,
                multirange=multirange,
                properties=tuple(f"{key}={value}" for key, value in named.items() if value is not None),
                relation_oid=relation_oid,
                extension=context.extension(PG_TYPE, oid),
                acl=context.acl("T", owner, acl),
                comment=context.comment(PG_TYPE, oid),
            )
        )
    return types
