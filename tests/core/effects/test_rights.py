"""What a role that is no superuser is refused is what the server at hand refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.model import Migration
from tests.core.effects.differential.bench import runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_tui.database.dsn import Dsn

SETUP = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rights_plain') THEN
    CREATE ROLE rights_plain LOGIN; CREATE ROLE rights_team; CREATE ROLE rights_other;
    GRANT rights_team TO rights_plain;
  END IF;
END $$;
CREATE SCHEMA mine AUTHORIZATION rights_plain;
CREATE SCHEMA theirs;
CREATE SCHEMA shared;
GRANT USAGE, CREATE ON SCHEMA shared TO rights_team;
GRANT USAGE ON SCHEMA theirs TO PUBLIC;
CREATE TABLE theirs.t (a integer PRIMARY KEY, b text);
CREATE TABLE theirs.readable (a integer PRIMARY KEY, b text);
GRANT SELECT ON theirs.readable TO rights_team;
CREATE TABLE theirs.some (a integer, b text);
GRANT SELECT (a) ON theirs.some TO rights_plain;
CREATE TABLE theirs.referenced (a integer PRIMARY KEY);
GRANT REFERENCES ON theirs.referenced TO PUBLIC;
CREATE TABLE shared.team (a integer, b text);
ALTER TABLE shared.team OWNER TO rights_team;
CREATE INDEX t_b ON theirs.t (b);
CREATE SEQUENCE theirs.numbers;
CREATE TYPE theirs.colour AS ENUM ('red');
CREATE FUNCTION theirs.one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TABLE mine.t (a integer PRIMARY KEY, b text);
ALTER TABLE mine.t OWNER TO rights_plain;
"""

STATEMENTS = [
    "ALTER TABLE mine.t ADD c integer",
    "ALTER TABLE theirs.t ADD c integer",
    "ALTER TABLE shared.team ADD c integer",
    "CREATE INDEX ON theirs.t (a, b)",
    "CREATE TABLE theirs.n (a integer)",
    "CREATE TABLE shared.n (a integer)",
    "CREATE TABLE mine.n (a integer REFERENCES theirs.t)",
    "CREATE TABLE mine.n (a integer REFERENCES theirs.referenced)",
    "CREATE TABLE mine.n (LIKE theirs.t)",
    "CREATE TABLE mine.n () INHERITS (theirs.t)",
    "CREATE TABLE mine.n AS SELECT * FROM theirs.t",
    "CREATE VIEW mine.v AS SELECT * FROM theirs.t",
    "SELECT * FROM theirs.t",
    "SELECT * FROM theirs.readable",
    "SELECT a FROM theirs.some",
    "WITH t AS (SELECT 1 AS a) SELECT * FROM t",
    "INSERT INTO theirs.readable VALUES (1)",
    "UPDATE theirs.readable SET b = 'x'",
    "DELETE FROM theirs.readable",
    "EXPLAIN SELECT * FROM theirs.t",
    "COPY theirs.t TO STDOUT",
    "LOCK TABLE theirs.readable IN ACCESS SHARE MODE",
    "LOCK TABLE theirs.readable",
    "TRUNCATE theirs.readable",
    "SELECT nextval('theirs.numbers')",
    "ALTER SEQUENCE theirs.numbers RESTART",
    "ALTER TYPE theirs.colour ADD VALUE 'blue'",
    "CREATE OR REPLACE FUNCTION theirs.one() RETURNS integer LANGUAGE sql AS 'SELECT 2'",
    "ALTER FUNCTION theirs.one() STABLE",
    "COMMENT ON TABLE theirs.t IS 'x'",
    "COMMENT ON COLUMN mine.t.a IS 'x'",
    "DROP TABLE theirs.t",
    "DROP TABLE mine.t",
    "DROP INDEX theirs.t_b",
    "DROP SCHEMA theirs CASCADE",
    "ALTER INDEX theirs.t_b RENAME TO n",
    "REINDEX INDEX theirs.t_b",
    "CREATE EVENT TRIGGER n ON sql_drop EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE FOREIGN DATA WRAPPER n",
    "CREATE ACCESS METHOD n TYPE INDEX HANDLER bthandler",
    "CREATE FUNCTION mine.n() RETURNS integer LANGUAGE internal AS 'int4in'",
    "CREATE FUNCTION mine.n() RETURNS integer LANGUAGE sql LEAKPROOF AS 'SELECT 1'",
    "CREATE ROLE rights_new",
    "DO 'BEGIN ALTER TABLE theirs.t ADD c integer; END'",
    "SET session_replication_role = replica",
]


@pytest.fixture
def conn_as_plain(database_from: Callable[[str], Dsn]) -> Iterator[psycopg.Connection]:
    """A connection of a role that owns one schema, and acts for a team."""
    with psycopg.connect(database_from(SETUP).conninfo(), autocommit=True) as conn:
        conn.execute("SET SESSION AUTHORIZATION rights_plain")
        yield conn


def test_the_roles_that_a_role_acts_for_are_known(conn_as_plain: psycopg.Connection) -> None:
    session = Catalog.load(conn_as_plain).session
    assert (session.role, session.is_superuser, session.acts_for) == ("rights_plain", False, ("rights_team",))


def test_a_superuser_acts_for_nobody(conn: psycopg.Connection) -> None:
    assert Catalog.load(conn).session.acts_for == ()


def test_what_is_refused_is_foreseen(conn_as_plain: psycopg.Connection) -> None:
    conn = conn_as_plain
    catalog = Catalog.load(conn)
    wrong: list[str] = []
    for sql in STATEMENTS:
        (forecast,) = simulate(Migration.from_sql(sql), catalog=catalog, profile=runner(wrapped=True)).forecasts
        effects = forecast.effects
        conn.execute("BEGIN")
        seen = None
        try:
            if sql.startswith("COPY"):
                with conn.cursor() as cursor, cursor.copy(sql.encode()) as copied:
                    list(copied)
            else:
                conn.execute(sql.encode())
        except psycopg.Error as error:
            seen = error.sqlstate
        conn.execute("ROLLBACK")
        certain = effects.fails.sqlstate if effects.fails is not None else None
        possible = {one.sqlstate for one in effects.may_fail or ()}
        if certain != seen and not (certain is None and (seen in possible or effects.opaque)):
            wrong.append(f"{sql}: certain {certain}, possible {sorted(possible)}, the server says {seen}")
    assert not wrong, "\n".join(wrong)


def test_a_role_that_was_taken_on_is_not_judged(conn_as_plain: psycopg.Connection) -> None:
    migration = Migration.from_sql("SET ROLE rights_other; ALTER TABLE theirs.t ADD c integer")
    forecasts = simulate(migration, catalog=Catalog.load(conn_as_plain), profile=runner(wrapped=True)).forecasts
    assert forecasts[1].effects.fails is None
