"""What cannot run in a transaction block: the verdict of a server on each form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.sql.script import Script
from confiture_tui.core.sql.transaction_block import refusal_in_transaction_block

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn

SCHEMA = """
CREATE TABLE t (a int PRIMARY KEY); CREATE INDEX i ON t (a); CREATE TABLE parts (a int) PARTITION BY LIST (a);
CREATE TABLE part PARTITION OF parts FOR VALUES IN (1); CREATE TYPE e AS ENUM ('a');
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
CREATE UNIQUE INDEX mi ON m (a); ALTER TABLE t CLUSTER ON i; CREATE PROCEDURE p() LANGUAGE sql AS '';
"""
SUBSCRIPTION = "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION y WITH (connect = false, slot_name = NONE)"

REFUSED = [
    "VACUUM", "VACUUM t", "VACUUM (FULL, ANALYZE) t", "CREATE INDEX CONCURRENTLY ON t (a)", "DROP INDEX CONCURRENTLY i",
    "REINDEX INDEX CONCURRENTLY i", "REINDEX (CONCURRENTLY) TABLE t", "REINDEX (CONCURRENTLY on) TABLE t",
    "REINDEX SCHEMA public", "REINDEX SYSTEM postgres", "REINDEX DATABASE postgres", "CLUSTER", "CLUSTER VERBOSE",
    "ALTER TABLE parts DETACH PARTITION part CONCURRENTLY", "CREATE DATABASE x", "DROP DATABASE IF EXISTS x",
    "ALTER DATABASE postgres SET TABLESPACE pg_default", "CREATE TABLESPACE x LOCATION '/x'", "DROP TABLESPACE x",
    "ALTER SYSTEM SET work_mem = '4MB'", "ALTER SYSTEM RESET ALL", "DISCARD ALL", "COMMIT PREPARED 'x'",
    "ROLLBACK PREPARED 'x'", "CREATE SUBSCRIPTION x CONNECTION 'dbname=x' PUBLICATION y",
    "CREATE SUBSCRIPTION x CONNECTION 'dbname=x' PUBLICATION y WITH (create_slot = on)",
]  # fmt: skip

ACCEPTED = [
    "ANALYZE", "ANALYZE t", "CREATE INDEX ON t (a)", "DROP INDEX i", "REINDEX INDEX i", "REINDEX TABLE t",
    "REINDEX (CONCURRENTLY off) TABLE t", "REINDEX (VERBOSE) TABLE t", "CLUSTER t", "CLUSTER t USING i",
    "ALTER TABLE parts DETACH PARTITION part", "ALTER TYPE e ADD VALUE 'b'", "REFRESH MATERIALIZED VIEW m",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY m", "TRUNCATE t", "DISCARD PLANS", "DISCARD TEMP", "CHECKPOINT", "LISTEN x",
    "ALTER DATABASE postgres CONNECTION LIMIT -1", "CREATE SCHEMA x", "CALL p()", "DO 'BEGIN END'", "LOCK TABLE t",
    "CREATE SUBSCRIPTION x CONNECTION 'dbname=x' PUBLICATION y WITH (connect = false)",
    "CREATE SUBSCRIPTION x CONNECTION 'dbname=x' PUBLICATION y WITH (connect = 'OFF', slot_name = NONE)",
    "ALTER SUBSCRIPTION s SET PUBLICATION z WITH (refresh = false)",
    "ALTER SUBSCRIPTION s SET (synchronous_commit = off)",
    "ALTER SUBSCRIPTION s ADD PUBLICATION z WITH (refresh = 0)", "DROP TABLE t", "SAVEPOINT x", "SELECT 1",
]  # fmt: skip

# To refuse these a server needs a subscription with a publisher; from the documentation of ALTER SUBSCRIPTION.
DOCUMENTED = [
    "ALTER SUBSCRIPTION s REFRESH PUBLICATION", "ALTER SUBSCRIPTION s SET PUBLICATION z",
    "ALTER SUBSCRIPTION s ADD PUBLICATION z WITH (refresh)", "ALTER SUBSCRIPTION s DROP PUBLICATION z",
    "ALTER SUBSCRIPTION s SET (two_phase = true)", "ALTER SUBSCRIPTION s SET (failover = true)", "DROP SUBSCRIPTION s",
]  # fmt: skip


def refusal(sql: str) -> str | None:
    (statement,) = Script(sql).statements
    assert statement.problem is None
    return refusal_in_transaction_block(statement)


def servers_verdict(conn: psycopg.Connection[Any], sql: str) -> str | None:
    """The SQLSTATE of the statement inside a transaction block."""
    with conn.transaction(force_rollback=True):
        try:
            with conn.transaction():
                conn.execute(sql.encode())
        except psycopg.Error as error:
            return error.sqlstate
    return None


def test_the_server_is_of_the_same_opinion(database_from: Callable[[str], Dsn]) -> None:
    with psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn:
        conn.execute(SUBSCRIPTION)
        try:
            server = {sql: servers_verdict(conn, sql) for sql in (*REFUSED, *ACCEPTED)}
        finally:
            conn.execute("DROP SUBSCRIPTION s")
    assert {sql for sql, state in server.items() if state != "25001"} == set(ACCEPTED)
    assert {sql for sql, state in server.items() if state is not None} == set(REFUSED)


@pytest.mark.parametrize("sql", [*REFUSED, *DOCUMENTED])
def test_refused(sql: str) -> None:
    assert (refusal(sql) or "").endswith(" cannot run inside a transaction block.")


@pytest.mark.parametrize("sql", ACCEPTED)
def test_accepted(sql: str) -> None:
    assert refusal(sql) is None


def test_a_broken_statement_is_not_judged() -> None:
    (statement,) = Script("VACUUM VACUUM VACUUM").statements
    assert refusal_in_transaction_block(statement) is None
