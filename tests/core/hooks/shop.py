"""A small shop with a read model, and how the hooks that come with the house are run on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from confiture_tui.core.hooks.context import HookContext
from confiture_tui.core.hooks.executor import HookExecutor
from confiture_tui.core.hooks.registry import HookRegistry

if TYPE_CHECKING:
    from confiture_tui.core.hooks.phase import HookPhase
    from confiture_tui.core.hooks.result import HookResult

Connection = psycopg.Connection[Any]

SCHEMA = """
CREATE TABLE w_order (order_id bigint PRIMARY KEY, tenant_id int NOT NULL, total numeric NOT NULL, note text);
INSERT INTO w_order SELECT n, 1 + n % 3, n * 1.5, 'order ' || n FROM generate_series(1, 2000) n;
CREATE TABLE r_order (order_id bigint PRIMARY KEY, tenant_id int NOT NULL, total numeric NOT NULL);
CREATE INDEX r_order_tenant ON r_order (tenant_id);
CREATE TABLE "Odd ""Name" (id int)
"""
QUERY = "SELECT order_id, tenant_id, total FROM w_order -- all of them, 100%"
VERIFY = {"query": QUERY, "target": "r_order", "key": ["order_id"], "tenant_column": "tenant_id", "sums": ["total"]}


def run(
    conn: Connection,
    name: str,
    options: dict[str, Any],
    *,
    phase: HookPhase | None = None,
    context: HookContext | None = None,
) -> HookResult:
    """Run a built-in hook by its name, in a phase that it allows."""
    kind = HookRegistry().load(name)
    hook = kind(kind.Options.model_validate(options), phase=phase)
    (result,) = HookExecutor().execute_phase(conn, hook.runs_in, [hook], context or HookContext())
    return result


def one(conn: Connection, query: str) -> Any:
    row = conn.execute(query.encode()).fetchone()
    return row[0] if row else None


def backfill(**changes: Any) -> dict[str, Any]:
    return {
        "query": QUERY,
        "target": "r_order",
        "key": "order_id",
        "tenant_column": "tenant_id",
        "batch_rows": 300,
        "pause_ms": 0,
        **changes,
    }
