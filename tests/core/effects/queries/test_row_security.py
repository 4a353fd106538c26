"""Policies read other tables: for those to whom they apply, and for nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.model import Migration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SETUP = """
CREATE TABLE members (name text, team integer);
INSERT INTO members VALUES (current_user, 1);
CREATE TABLE papers (id integer PRIMARY KEY, team integer);
INSERT INTO papers SELECT i, 1 FROM generate_series(1, 100) i;
ALTER TABLE papers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON papers USING (team IN (SELECT m.team FROM members m WHERE m.name = current_user));
GRANT ALL ON members, papers TO {role};
"""

STATEMENTS = [
    "SELECT * FROM papers",
    "UPDATE papers SET team = 2",
    "DELETE FROM papers WHERE id = 1",
    "INSERT INTO papers VALUES (101, 1)",
]


@pytest.fixture
def role(server: EmbeddedServer) -> Iterator[str]:
    server.create_login("reader_of_papers")
    yield "reader_of_papers"
    server.drop_login("reader_of_papers")


def _locked(conn: psycopg.Connection[Any], sql: str) -> set[str]:
    with conn.transaction(force_rollback=True):
        try:
            with conn.transaction():
                conn.execute(sql.encode())
                rows = conn.execute(
                    "SELECT c.relname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
                    "WHERE l.pid = pg_backend_pid() AND c.oid >= 16384 AND c.relkind = 'r'"
                ).fetchall()
        except psycopg.errors.InsufficientPrivilege:  # a new row that the policy does not allow
            return {"papers", "members"}
    return {row[0] for row in rows}


@pytest.mark.parametrize("user", ["postgres", "reader_of_papers"])
def test_policies_are_read_for_those_they_apply_to(database: Dsn, server: EmbeddedServer, role: str, user: str) -> None:
    with psycopg.connect(database.conninfo(), autocommit=True) as conn:
        conn.execute(SETUP.format(role=role).encode())
        name = conn.info.dbname
    with psycopg.connect(server.dsn(name, user=user).conninfo(), autocommit=True) as conn:
        catalog = Catalog.load(conn)
        for sql in STATEMENTS:
            effects = simulate(Migration.from_sql(sql), catalog=catalog).forecasts[0].effects
            found = {lock.relation.removeprefix("public.") for lock in effects.locks or ()}
            assert found == _locked(conn, sql), sql
    with psycopg.connect(database.conninfo(), autocommit=True) as conn:
        conn.execute(f"DROP OWNED BY {role}".encode())
