"""Reads schemas, extensions, default privileges, and the database's own facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.access import DefaultPrivileges
from confiture_tui.core.catalog.models.dependencies import PG_EXTENSION, PG_NAMESPACE
from confiture_tui.core.catalog.models.objects import Extension, Schema
from confiture_tui.core.catalog.reading.query import USER_SCHEMA, Query, Rows

if TYPE_CHECKING:
    from confiture_tui.core.catalog.reading.context import Context

DEFAULT_PRIVILEGE_KINDS = {
    "r": "tables",
    "S": "sequences",
    "f": "functions",
    "T": "types",
    "n": "schemas",
    "L": "large objects",
}

QUERIES = (
    Query(
        "database",
        "the database's own facts",
        """SELECT pg_encoding_to_char(d.encoding), s.stats_reset,
                (SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema())
            FROM pg_database d LEFT JOIN pg_stat_database s ON s.datid = d.oid WHERE d.datname = current_database()""",
    ),
    Query(
        "schemas",
        "schemas",
        f"""SELECT n.oid, n.nspname, quote_ident(n.nspname), pg_get_userbyid(n.nspowner), n.nspacl::text[],
                has_schema_privilege(n.oid, 'USAGE')
            FROM pg_namespace n WHERE {USER_SCHEMA}""",
    ),
    Query(
        "extensions",
        "extensions",
        """SELECT e.oid, e.extname, quote_ident(e.extname), e.extversion, quote_ident(n.nspname),
                pg_get_userbyid(e.extowner)
            FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace""",
    ),
    Query(
        "available_extensions",
        "versions of extensions on offer",
        """SELECT name, default_version FROM pg_available_extensions()
            WHERE name IN (SELECT extname FROM pg_extension)""",
    ),
    Query(
        "default_privileges",
        "default privileges",
        """SELECT d.oid, pg_get_userbyid(d.defaclrole), quote_ident(n.nspname), d.defaclobjtype,
                d.defaclacl::text[]
            FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace""",
    ),
    Query(
        "system_names",
        "names of PostgreSQL's own relations",
        """SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace""",
    ),
)


def build_schemas(rows: Rows, context: Context) -> list[Schema]:
    """The schemas that are not PostgreSQL's own."""
    return [
        Schema(
            oid,
            name,
            quoted,
            owner,
            usable,
            context.extension(PG_NAMESPACE, oid),
            context.acl("n", owner, acl),
            context.comment(PG_NAMESPACE, oid),
        )
        for oid, name, quoted, owner, acl, usable in rows.get("schemas", ())
    ]


def build_extensions(rows: Rows, context: Context) -> list[Extension]:
    """The installed extensions."""
    offered: dict[str, str] = dict(rows.get("available_extensions", ()))
    return [
        Extension(oid, name, quoted, version, schema, owner, context.comment(PG_EXTENSION, oid), offered.get(name))
        for oid, name, quoted, version, schema, owner in rows.get("extensions", ())
    ]


def build_default_privileges(rows: Rows, context: Context) -> list[DefaultPrivileges]:
    """What ALTER DEFAULT PRIVILEGES has laid down."""
    return [
        DefaultPrivileges(oid, role, schema, DEFAULT_PRIVILEGE_KINDS.get(kind, str(kind)), context.parse(acl))
        for oid, role, schema, kind, acl in rows.get("default_privileges", ())
    ]
