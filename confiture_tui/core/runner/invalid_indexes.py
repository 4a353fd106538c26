"""Indexes that a failed CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY leaves behind, invalid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.sql.statement import Statement

_FIND = """
SELECT i.indexrelid, n.nspname::text, c.relname::text, i.indisvalid OR c.relkind <> 'i'
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.indexrelid = pg_catalog.to_regclass(%s)
"""
# The indexes of a table, given by its oid or by that of one of its indexes, and of its partitions; or of all tables.
# TOAST indexes go with the one on the table; an index of a partitioned table is invalid until each partition has one,
# and that is as it should be. One that another session is at work on, which holds SHARE UPDATE EXCLUSIVE on its table
# all the while, is not valid yet, and not ours to judge.
_INVALID = """
WITH given AS (
  SELECT coalesce(own.indrelid, c.oid) AS oid
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_index own ON own.indexrelid = c.oid
  WHERE c.oid = %(relation)s
)
SELECT i.indexrelid, n.nspname::text, c.relname::text, false
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i' AND n.nspname <> 'pg_toast'
  AND (%(relation)s::pg_catalog.oid IS NULL
       OR i.indrelid IN (SELECT oid FROM given
                         UNION ALL SELECT t.relid FROM given, pg_catalog.pg_partition_tree(given.oid) AS t))
  AND (%(schema)s::text IS NULL OR n.nspname = %(schema)s)
  AND (%(name)s::text IS NULL OR c.relname = %(name)s)
  AND (NOT %(rebuilt)s OR c.relname ~ '_cc(new|old)[0-9]*$')
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'relation' AND l.relation = i.indrelid AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
      AND l.pid <> pg_catalog.pg_backend_pid() AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()))
ORDER BY n.nspname, c.relname
"""
_NOWHERE = 0
"""No relation has this oid (InvalidOid)."""


@dataclass(frozen=True, slots=True)
class FoundIndex:
    """An index, and whether it is valid; one of a partitioned table counts as valid."""

    oid: int
    schema: str
    name: str
    valid: bool

    @property
    def label(self) -> str:
        """How it is shown, as ``quote_ident`` writes it."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"


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


@dataclass(frozen=True, slots=True)
class Leavings:
    """Where a statement leaves indexes behind, invalid, when it does not come to its end, and what they are called.

    Attributes:
        relation: the oid of the table, or of an index of it; ``None``: any table's.
        schema: theirs; ``None``: any.
        name: theirs; ``None``: the server gives it.
        rebuilt: they bear the names that REINDEX CONCURRENTLY gives to the new index, and to the old one that it did
            not come to drop (documentation of REINDEX, "Rebuilding Indexes Concurrently").
    """

    relation: int | None
    schema: str | None = None
    name: str | None = None
    rebuilt: bool = False

    @classmethod
    def of(cls, conn: psycopg.Connection[Any], statement: Statement) -> Leavings:
        """Of a statement as this session would run it now: its search_path says which table is meant.

        Raises:
            psycopg.Error: the question failed.
        """
        node = statement.node or {}
        rebuilt = statement.node_kind == "ReindexStmt"
        if not rebuilt and not (statement.node_kind == "IndexStmt" and node.get("concurrent")):
            return cls(_NOWHERE)
        name = None if rebuilt else node.get("idxname")
        relation = node.get("relation")
        if not relation:
            schema = node.get("name") if node.get("kind") == "REINDEX_OBJECT_SCHEMA" else None
            return cls(None, schema, name, rebuilt)
        schemas = [relation["schemaname"]] if relation.get("schemaname") else []
        named = sql.Identifier(*schemas, relation["relname"]).as_string(conn)
        row = conn.execute("SELECT pg_catalog.to_regclass(%s)::pg_catalog.oid", (named,)).fetchone()
        return cls(row[0] if row is not None and row[0] is not None else _NOWHERE, None, name, rebuilt)

    def found(self, conn: psycopg.Connection[Any]) -> tuple[FoundIndex, ...]:
        """The invalid indexes that there are, but none that another session is at work on.

        Raises:
            psycopg.Error: the question failed.
        """
        asked = {"relation": self.relation, "schema": self.schema, "name": self.name, "rebuilt": self.rebuilt}
        return tuple(FoundIndex(*row) for row in conn.execute(_INVALID, asked).fetchall())


def left_invalid_by(conn: psycopg.Connection[Any], statement: Statement) -> tuple[FoundIndex, ...]:
    """The indexes that a statement has left behind, invalid.

    Raises:
        psycopg.Error: the question failed.
    """
    return Leavings.of(conn, statement).found(conn)
