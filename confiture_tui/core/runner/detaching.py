"""A partition that ALTER TABLE … DETACH PARTITION … CONCURRENTLY has begun to detach and did not come to detach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.sql.statement import Statement

_PENDING = """
SELECT true FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass(%s) AND inhdetachpending
"""


def is_detach_pending(conn: psycopg.Connection[Any], statement: Statement) -> bool:
    """Whether the partition that a statement detaches is half-way: no longer seen, and not yet a table of its own.

    Raises:
        psycopg.Error: the question failed.
    """
    for one in (statement.node or {}).get("cmds", ()):
        command = one.get("AlterTableCmd", {})
        if command.get("subtype") != "AT_DetachPartition":
            continue
        name = command["def"]["PartitionCmd"]["name"]
        schemas = [name["schemaname"]] if name.get("schemaname") else []
        named = sql.Identifier(*schemas, name["relname"]).as_string(conn)
        if conn.execute(_PENDING, (named,)).fetchone() is not None:
            return True
    return False
