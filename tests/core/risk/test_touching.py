"""What a statement touches of what was there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.touching import touches_existing

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn

OLD = """
CREATE TABLE t (id int PRIMARY KEY);
CREATE TYPE mood AS ENUM ('a');
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SCHEMA old;
"""
NEW = """
CREATE TABLE made (id int PRIMARY KEY); CREATE TYPE fresh AS ENUM ('a'); CREATE SCHEMA mine;
CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';
"""
TOUCHING = (
    "ALTER TABLE t ADD c int",
    "COMMENT ON TABLE t IS 'x'",
    "COMMENT ON COLUMN t.id IS 'x'",
    "COMMENT ON TYPE mood IS 'x'",
    "COMMENT ON FUNCTION f() IS 'x'",
    "COMMENT ON SCHEMA old IS 'x'",
    "GRANT SELECT ON t TO PUBLIC",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "ALTER TYPE mood ADD VALUE 'b'",
    "DROP FUNCTION f()",
    "DROP TYPE mood",
    "DROP TYPE IF EXISTS nothing, mood",
    "DROP SCHEMA old",
    "INSERT INTO t VALUES (1)",
    "ALTER ROLE CURRENT_USER SET work_mem = '1MB'",
)
NOT_TOUCHING = (
    "ALTER TABLE made ADD c int",
    "COMMENT ON TABLE made IS 'x'",
    "COMMENT ON COLUMN made.id IS 'x'",
    "COMMENT ON TYPE fresh IS 'x'",
    "COMMENT ON FUNCTION g() IS 'x'",
    "COMMENT ON SCHEMA mine IS 'x'",
    "GRANT SELECT ON made TO PUBLIC",
    "CREATE OR REPLACE FUNCTION h() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "CREATE INDEX ON made (id)",
    "ALTER TYPE fresh ADD VALUE 'b'",
    "INSERT INTO made VALUES (1)",
    "DROP TABLE made",
    "SET lock_timeout = '1s'",
    "DROP SCHEMA IF EXISTS nothing CASCADE",
    "DROP SCHEMA mine",
    "DROP TYPE IF EXISTS nothing",
    "DROP FUNCTION IF EXISTS nothing(int)",
)


@pytest.fixture
def catalog(database_from: Callable[[str], Dsn]) -> Catalog:
    with psycopg.connect(database_from(OLD).conninfo(), autocommit=True) as conn:
        return Catalog.load(conn)


@pytest.mark.parametrize("sql", TOUCHING)
def test_something_old_is_touched(catalog: Catalog, sql: str) -> None:
    assert touches_existing(simulate(Migration.from_sql(NEW + sql), catalog=catalog).forecasts[-1])


@pytest.mark.parametrize("sql", NOT_TOUCHING)
def test_only_what_is_new_is_touched(catalog: Catalog, sql: str) -> None:
    assert not touches_existing(simulate(Migration.from_sql(NEW + sql), catalog=catalog).forecasts[-1])
