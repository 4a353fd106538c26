"""Functions and aggregates as they are made, event triggers that are there, and queries that the server refuses."""

from __future__ import annotations

from tests.core.effects.differential.form import group

_PLAIN = """
CREATE TABLE t (a integer PRIMARY KEY, b text);
INSERT INTO t SELECT i, 'b' FROM generate_series(1, 50) i;
CREATE VIEW v AS SELECT a FROM t;
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TYPE colour AS ENUM ('red');
ANALYZE;
"""
_WATCHED = (
    _PLAIN
    + """
CREATE TABLE log (what text);
CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (tg_tag); END $$;
CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', tg_tag; END $$;
CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION note();
CREATE EVENT TRIGGER no_drop ON sql_drop WHEN TAG IN ('DROP VIEW') EXECUTE FUNCTION forbid();
CREATE EVENT TRIGGER no_rewrite ON table_rewrite EXECUTE FUNCTION forbid();
CREATE EVENT TRIGGER no_sequence ON ddl_command_start WHEN TAG IN ('CREATE SEQUENCE') EXECUTE FUNCTION forbid();
CREATE EVENT TRIGGER asleep ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION forbid();
ALTER EVENT TRIGGER asleep DISABLE;
"""
)
_SQL = "CREATE FUNCTION n({}) RETURNS {} LANGUAGE sql AS '{}'"
_PLPGSQL = "CREATE FUNCTION n() RETURNS integer LANGUAGE plpgsql AS '{}'"

FORMS = (
    *group(
        "function",
        _PLAIN,
        {
            "syntax": _PLPGSQL.format("BEGIN SELEC 1; END"),
            "no end": _PLPGSQL.format("BEGIN IF true THEN RETURN 1; END"),
            "no variable": _PLPGSQL.format("BEGIN x := 1; END"),
            "rows of no table": _PLPGSQL.format("DECLARE x nonesuch%ROWTYPE; BEGIN RETURN 1; END"),
            "of a table that is not there yet": _PLPGSQL.format("BEGIN PERFORM 1 FROM nonesuch; RETURN 1; END"),
            "two columns": _SQL.format("", "integer", "SELECT 1, 2"),
            "nothing": _SQL.format("", "integer", ""),
            "nothing for nothing": _SQL.format("", "void", ""),
            "a write for a value": _SQL.format("", "integer", "DELETE FROM t"),
            "what a write gives": _SQL.format("", "integer", "DELETE FROM t RETURNING a"),
            "into no column": _SQL.format("", "void", "INSERT INTO t (nonesuch) VALUES (1)"),
            "a name twice": _SQL.format("a integer, a integer", "integer", "SELECT 1"),
            "no default after one": _SQL.format("a integer DEFAULT 1, b integer", "integer", "SELECT 1"),
            "default of another type": _SQL.format("a integer DEFAULT ''x''", "integer", "SELECT 1"),
            "variadic of one": _SQL.format("VARIADIC a integer", "integer", "SELECT 1"),
            "another result": _SQL.format("OUT a integer", "text", "SELECT 1"),
            "anything of nothing": _SQL.format("", "anyelement", "SELECT 1"),
            "a trigger": _SQL.format("", "trigger", "SELECT 1"),
            "no body": "CREATE FUNCTION n() RETURNS integer LANGUAGE sql",
            "no language": "CREATE FUNCTION n() RETURNS integer AS 'SELECT 1'",
            "no result": "CREATE FUNCTION n() LANGUAGE sql AS 'SELECT 1'",
            "two volatilities": "CREATE FUNCTION n() RETURNS integer LANGUAGE sql IMMUTABLE STABLE AS 'SELECT 1'",
            "rows of no set": "ALTER FUNCTION f() ROWS 5",
            "aggregate without a state": "CREATE AGGREGATE n (integer) (SFUNC = int4pl)",
        },
    ),
    *group(
        "watched",
        _WATCHED,
        {
            "create": "CREATE TABLE n (a integer)",
            "create with a sequence": "CREATE TABLE n (a serial)",
            "into": "SELECT 1 AS one INTO n",
            "sequence": "CREATE SEQUENCE n",
            "sequence in a schema": "CREATE SCHEMA n CREATE SEQUENCE q",
            "drop view": "DROP VIEW v",
            "rewrite": "ALTER TABLE t ALTER a TYPE bigint",
            "no rewrite": "ALTER TABLE t ADD z integer",
            "index": "CREATE INDEX ON t (b)",
            "grant": "GRANT SELECT ON t TO PUBLIC",
            "insert": "INSERT INTO t VALUES (100, 'x')",
            "truncate": "TRUNCATE t",
            "reindex": "REINDEX TABLE t",
            "on itself": "COMMENT ON EVENT TRIGGER noted IS 'x'",
            "switched on": "ALTER EVENT TRIGGER asleep ENABLE; CREATE INDEX ON t (b)",
            "dropped": "DROP EVENT TRIGGER no_sequence; CREATE SEQUENCE n",
        },
        bare=False,
    ),
    *group(
        "query",
        _PLAIN,
        {
            "star of another": "SELECT t.* FROM t x",
            "no such type": "SELECT a::nonesuch FROM t",
            "no such column in USING": "SELECT * FROM t JOIN v USING (nonesuch)",
            "two columns in an array": "SELECT ARRAY(SELECT a, b FROM t)",
            "two columns of a row": "SELECT * FROM t WHERE (a, b) = (SELECT a, b FROM t LIMIT 1)",
            "window function alone": "SELECT row_number() FROM t",
            "place that is not there": "SELECT * FROM t ORDER BY 5",
            "collation of a number": 'SELECT a COLLATE "C" FROM t',
            "of a type": "SELECT 'red'::colour",
        },
    ),
)
