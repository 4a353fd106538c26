"""Indexes that a failed CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY leaves behind, invalid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.sql.statement import Statement

# An index of a partitioned table is invalid until each partition has one: that is as it should be. TOAST indexes go
# with the one on the table.
_INVALID = """
SELECT i.indexrelid, n.nspname::text, c.relname::text
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname <> 'pg_toast'
"""
_FIND = """
SELECT i.indexrelid, n.nspname::text, c.relname::text, i.indisvalid OR c.relkind <> 'i'
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.indexrelid = pg_catalog.to_regclass(%s)
"""
# REINDEX CONCURRENTLY leaves the new index, or the old one that it did not come to drop, under a name of its own
# (documentation of REINDEX, "Rebuilding Indexes Concurrently").
_OF_REINDEX = """
SELECT i.indexrelid, n.nspname::text, c.relname::text, false
FROM pg_catalog.pg_class given
LEFT JOIN pg_catalog.pg_index own ON own.indexrelid = given.oid
JOIN pg_catalog.pg_index i ON i.indrelid = coalesce(own.indrelid, given.oid) AND NOT i.indisvalid
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' AND c.relname ~ '_cc(new|old)[0-9]*$'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE given.oid = pg_catalog.to_regclass(%s)
"""


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """An index, and whether it is valid; one of a partitioned table counts as valid."""

    oid: int
    schema: str
    name: str
    valid: bool

    @property
    def label(self) -> str:
        """How it is shown."""
        return f"{self.schema}.{self.name}"


def invalid_indexes(conn: psycopg.Connection[Any]) -> frozenset[FoundIndex]:
    """All of them, in this database."""
    return frozenset(
        FoundIndex(oid, schema, name, valid=False) for oid, schema, name in conn.execute(_INVALID).fetchall()
    )


def drop(conn: psycopg.Connection[Any], index: FoundIndex) -> None:
    """Drop one, while everybody goes on.

    Raises:
        psycopg.Error: it could not be dropped.
    """
    conn.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(index.schema, index.name)))


def index_name(conn: psycopg.Connection[Any], statement: Statement) -> str | None:
    """The name of the index that a CREATE INDEX CONCURRENTLY makes, quoted; ``None`` for anything else.

    An index is made in its table's schema, so a name without one is looked for on the search_path, as the table is.
    """
    node = statement.node or {}
    if statement.node_kind != "IndexStmt" or not node.get("idxname") or not node.get("concurrent"):
        return None
    relation = node.get("relation", {})
    schema = [relation["schemaname"]] if relation.get("schemaname") else []
    return sql.Identifier(*schema, node["idxname"]).as_string(conn)


def find_index(conn: psycopg.Connection[Any], name: str) -> FoundIndex | None:
    """The index of that name; ``None`` where there is none."""
    row = conn.execute(_FIND, (name,)).fetchone()
    return FoundIndex(*row) if row is not None else None


def left_invalid_by(conn: psycopg.Connection[Any], statement: Statement) -> tuple[FoundIndex, ...]:
    """The indexes that a statement has left behind, invalid, when it did not come to its end: those that it names, or
    that bear a name which only it gives."""
    name = index_name(conn, statement)
    if name is not None:
        index = find_index(conn, name)
        return (index,) if index is not None and not index.valid else ()
    relation = (statement.node or {}).get("relation")
    if statement.node_kind != "ReindexStmt" or not relation:
        return ()
    schema = [relation["schemaname"]] if relation.get("schemaname") else []
    named = sql.Identifier(*schema, relation["relname"]).as_string(conn)
    return tuple(FoundIndex(*row) for row in conn.execute(_OF_REINDEX, (named,)).fetchall())
