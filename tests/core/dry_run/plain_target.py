"""A database that a plain role owns, and a dry run on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.executor import DryRunExecutor
from confiture_tui.core.migrations.model import Migration

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.result import DryRunResult

PLAIN_SCHEMA = """
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (id serial PRIMARY KEY, p_id int REFERENCES p DEFERRABLE INITIALLY DEFERRED);
INSERT INTO p VALUES (1);
INSERT INTO t (p_id) SELECT 1 FROM generate_series(1, 100);
GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;
"""


def run(conn: psycopg.Connection[Any], sql: str) -> DryRunResult:
    return DryRunExecutor().run(conn, Migration.from_sql(sql, version="007", name="test"))
