"""Syntax, options, settings and privileges that only newer servers know: older ones refuse them."""

from __future__ import annotations

from tests.core.effects.differential.form import group

_WORLD = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'differential_reader') THEN
    CREATE ROLE differential_reader; CREATE ROLE differential_writer;
  END IF;
END $$;
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE TABLE t (a integer PRIMARY KEY, b integer, c text, r int4range, j jsonb);
INSERT INTO t SELECT i, i, 'c', int4range(i, i + 1), '{}' FROM generate_series(1, 50) i;
CREATE TABLE u (a integer, b integer, c text);
CREATE TABLE pair (a integer, b integer, UNIQUE (a, b));
CREATE TABLE checked (a integer CONSTRAINT to_t REFERENCES t, CONSTRAINT positive CHECK (a > 0));
CREATE MATERIALIZED VIEW copied AS SELECT a FROM t;
CREATE SEQUENCE numbers;
CREATE DOMAIN dom AS integer;
CREATE STATISTICS both_columns ON a, b FROM t;
CREATE PUBLICATION news FOR TABLE t;
CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq);
ANALYZE;
"""

FORMS = (
    *group(
        "newer",
        _WORLD,
        {
            "nulls not distinct": "CREATE UNIQUE INDEX ON t (b) NULLS NOT DISTINCT",
            "nulls distinct": "ALTER TABLE t ADD UNIQUE NULLS DISTINCT (b)",
            "columns set null": "CREATE TABLE n (a integer, b integer, FOREIGN KEY (a, b) REFERENCES pair (a, b) "
            "ON DELETE SET NULL (b))",
            "access method": "ALTER TABLE t SET ACCESS METHOD heap",
            "grant on a parameter": "GRANT SET ON PARAMETER work_mem TO differential_reader",
            "publish a schema": "CREATE PUBLICATION x FOR TABLES IN SCHEMA public",
            "publish columns": "CREATE PUBLICATION x FOR TABLE t (a)",
            "publish rows": "ALTER PUBLICATION news SET TABLE t WHERE (a > 1)",
            "statistics without a name": "CREATE STATISTICS ON a, c FROM t",
            "storage of a column": "CREATE TABLE n (a text STORAGE external)",
            "default storage": "ALTER TABLE t ALTER c SET STORAGE DEFAULT",
            "default statistics": "ALTER TABLE t ALTER a SET STATISTICS DEFAULT",
            "inherited membership": "GRANT differential_reader TO differential_writer WITH INHERIT FALSE",
            "administered membership": "GRANT differential_reader TO differential_writer WITH ADMIN OPTION",
            "json object": "SELECT JSON_OBJECT('a': 1)",
            "json array": "SELECT JSON_ARRAY(1, 2)",
            "is json": "SELECT c IS JSON FROM t",
            "json table": "SELECT * FROM JSON_TABLE('[1]'::jsonb, '$[*]' COLUMNS (a integer PATH '$')) x",
            "no alias": "CREATE VIEW n AS SELECT * FROM (SELECT a FROM t)",
            "no alias in a body": "CREATE FUNCTION n() RETURNS SETOF integer LANGUAGE sql AS 'SELECT a FROM (TABLE t)'",
            "merge in a body": "CREATE FUNCTION n() RETURNS void LANGUAGE plpgsql AS 'BEGIN "
            "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE; END'",
            "merge never run": "DO 'BEGIN IF false THEN "
            "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE; END IF; END'",
            "merge by source": "MERGE INTO t USING u ON t.a = u.a WHEN NOT MATCHED BY SOURCE THEN DELETE",
            "at local": "SELECT now() AT LOCAL",
            "login": "CREATE EVENT TRIGGER n ON login EXECUTE FUNCTION watch()",
            "reindex fires": "CREATE EVENT TRIGGER n ON ddl_command_end WHEN TAG IN ('REINDEX') "
            "EXECUTE FUNCTION watch()",
            "maintain": "GRANT MAINTAIN ON t TO differential_reader",
            "hashes": "ALTER OPERATOR === (integer, integer) SET (RESTRICT = eqsel, HASHES)",
            "not enforced": "ALTER TABLE t ADD CONSTRAINT x CHECK (a > 0) NOT ENFORCED",
            "enforced": "ALTER TABLE t ADD CONSTRAINT x CHECK (a > 0) ENFORCED",
            "no longer enforced": "ALTER TABLE checked ALTER CONSTRAINT to_t NOT ENFORCED",
            "virtual": "CREATE TABLE n (a integer, b integer GENERATED ALWAYS AS (a))",
            "not null of a table": "CREATE TABLE n (a integer, NOT NULL a)",
            "not null of a domain": "ALTER DOMAIN dom ADD CONSTRAINT x NOT NULL",
            "without overlaps": "CREATE TABLE n (a int4range, PRIMARY KEY (a WITHOUT OVERLAPS))",
            "old and new": "UPDATE t SET b = 1 WHERE a = 1 RETURNING old.b, new.b",
            "named old": "UPDATE t SET b = 1 WHERE a = 1 RETURNING WITH (OLD AS o) o.b",
            "access method of a partitioned table": "CREATE TABLE n (a integer) PARTITION BY RANGE (a) USING heap",
            "unlogged sequence": "CREATE UNLOGGED SEQUENCE n",
            "indented xml": "SELECT XMLSERIALIZE(CONTENT c::xml AS text INDENT) FROM u",
            "setting": "SET LOCAL transaction_timeout = 0",
            "setting of a function": "CREATE FUNCTION n() RETURNS integer LANGUAGE sql SET transaction_timeout = 0 "
            "AS 'SELECT 1'",
            "setting that is gone": "SET force_parallel_mode = off",
            "view's option": "CREATE VIEW n WITH (security_invoker) AS SELECT 1 AS one",
            "explain": "EXPLAIN (GENERIC_PLAN) SELECT * FROM t WHERE a = 1",
            "copy": "COPY u FROM STDIN (DEFAULT 'x')",
            "copy a materialized view": "COPY copied TO STDOUT",
            "collation": "CREATE COLLATION n (PROVIDER = builtin, LOCALE = 'C')",
        },
    ),
    *group(
        "unknown",
        _WORLD,
        {
            "option of EXPLAIN": "EXPLAIN (NONESUCH) SELECT 1",
            "option of ANALYZE": "ANALYZE (NONESUCH) t",
            "option of COPY": "COPY t TO STDOUT (NONESUCH)",
            "privilege": "GRANT NONESUCH ON t TO differential_reader",
            "privilege of a table": "GRANT EXECUTE ON t TO differential_reader",
            "event": "CREATE EVENT TRIGGER n ON nonesuch EXECUTE FUNCTION watch()",
            "tag": "CREATE EVENT TRIGGER n ON sql_drop WHEN TAG IN ('NONESUCH') EXECUTE FUNCTION watch()",
            "tag that fires nothing": "CREATE EVENT TRIGGER n ON sql_drop WHEN TAG IN ('DROP ROLE') "
            "EXECUTE FUNCTION watch()",
        },
    ),
    *group(
        "newer alone",
        _WORLD,
        {"reindex": "REINDEX DATABASE", "vacuum only": "VACUUM ONLY t", "vacuum": "VACUUM (SKIP_DATABASE_STATS) t"},
        wrapped=False,
        until=15,
    ),
)
