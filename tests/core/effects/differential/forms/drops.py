"""DROP, where much depends on what is dropped; and what else reaches through dependencies."""

from __future__ import annotations

from tests.core.effects.differential.form import group
from tests.core.effects.differential.worlds import BONDS, TYPES

FORMS = (
    *group(
        "bonds",
        BONDS,
        {
            "table": "DROP TABLE teams",
            "table cascade": "DROP TABLE teams CASCADE",
            "referencing table cascade": "DROP TABLE members CASCADE",
            "table with a policy on another": "DROP TABLE borrowed",
            "partitioned": "DROP TABLE pages CASCADE",
            "partition": "DROP TABLE pages_eu",
            "default partition": "DROP TABLE pages_rest",
            "partition and whole": "DROP TABLE pages_eu, pages CASCADE",
            "circle": "DROP TABLE loop_a",
            "circle cascade": "DROP TABLE loop_a CASCADE",
            "both of a circle": "DROP TABLE loop_a, loop_b",
            "column in views": "ALTER TABLE teams DROP COLUMN label CASCADE",
            "column in a policy": "ALTER TABLE teams DROP COLUMN id CASCADE",
            "column in a trigger": "ALTER TABLE borrowed DROP COLUMN team",
            "column in a trigger cascade": "ALTER TABLE borrowed DROP COLUMN team CASCADE",
            "column of a view of rows": "ALTER TABLE teams DROP COLUMN share",
            "column in a generated one": "ALTER TABLE members DROP COLUMN id CASCADE",
            "column in a check": "ALTER TABLE members DROP COLUMN score CASCADE",
            "constraint": "ALTER TABLE teams DROP CONSTRAINT teams_pkey CASCADE",
            "type of a table change, view of rows": "ALTER TABLE teams ALTER COLUMN share TYPE bigint",
            "view": "DROP VIEW first",
            "view cascade": "DROP VIEW first CASCADE",
            "second view cascade": "DROP VIEW second CASCADE",
            "materialized view": "DROP MATERIALIZED VIEW third",
            "materialized view cascade": "DROP MATERIALIZED VIEW third CASCADE",
            "views in any order": "DROP VIEW first, second CASCADE",
            "all views": "DROP VIEW IF EXISTS of_rows, of_function, nonesuch",
            "type": "DROP TYPE grade CASCADE",
            "composite": "DROP TYPE pair",
            "composite cascade": "DROP TYPE pair CASCADE",
            "domain": "DROP DOMAIN percent CASCADE",
            "function of indexes": "DROP FUNCTION doubled(integer) CASCADE",
            "function of a view": "DROP FUNCTION graded(grade) CASCADE",
            "function of a view, restrict": "DROP FUNCTION graded(grade)",
            "function of a default": "DROP FUNCTION initial()",
            "function of a default cascade": "DROP FUNCTION initial() CASCADE",
            "function of a policy": "DROP FUNCTION allowed(integer)",
            "function of a policy cascade": "DROP FUNCTION allowed(integer) CASCADE",
            "function of triggers cascade": "DROP FUNCTION touch() CASCADE",
            "function in FROM": "DROP FUNCTION listed() CASCADE",
            "functions together": "DROP FUNCTION doubled(integer), initial() CASCADE",
            "sequence": "DROP SEQUENCE numbers",
            "sequence cascade": "DROP SEQUENCE numbers CASCADE",
            "index of a materialized view": "DROP INDEX third_key",
            "index of a key": "DROP INDEX teams_pkey CASCADE",
            "partitioned index": "DROP INDEX pages_id",
            "trigger": "DROP TRIGGER touched ON members",
            "rule": "DROP RULE mirror ON borrowed",
            "policy": "DROP POLICY of_team ON borrowed",
            "statistics": "DROP STATISTICS members_stats",
            "publication": "DROP PUBLICATION news",
            "schema": "DROP SCHEMA public",
            "schema cascade": "DROP SCHEMA public CASCADE",
            "collation missing": "DROP COLLATION IF EXISTS nonesuch",
            "schemas, one missing": "DROP SCHEMA IF EXISTS nonesuch, unheard",
            "routine": "DROP ROUTINE initial CASCADE",
            "truncate": "TRUNCATE teams CASCADE",
            "truncate a partition's parent": "TRUNCATE pages",
            "truncate circle": "TRUNCATE loop_a",
            "truncate circle cascade": "TRUNCATE loop_a CASCADE",
            "truncate both of a circle": "TRUNCATE loop_a, loop_b",
            "refresh": "REFRESH MATERIALIZED VIEW third",
            "refresh concurrently": "REFRESH MATERIALIZED VIEW CONCURRENTLY third",
            "lock a view of views": "LOCK TABLE second IN SHARE ROW EXCLUSIVE MODE",
            "lock a view of a function": "LOCK TABLE of_function",
            "analyze all": "ANALYZE",
            "comment on a domain's constraint": "COMMENT ON CONSTRAINT percent_check ON DOMAIN percent IS 'x'",
            "grant on all": "GRANT SELECT ON teams, members, first TO PUBLIC",
            "discard temporary": "CREATE TEMP TABLE tt (a integer); DISCARD TEMP",
            "drop, use the view": "DROP VIEW second CASCADE; REFRESH MATERIALIZED VIEW third",
            "drop twice": "DROP VIEW fourth; DROP VIEW fourth",
            "drop twice, if exists": "DROP VIEW fourth; DROP VIEW IF EXISTS fourth",
            "constraint, then table": "ALTER TABLE members DROP CONSTRAINT members_team; "
            "DROP VIEW second CASCADE; DROP TABLE members",
            "views, then column": "DROP VIEW first CASCADE; DROP VIEW page_teams; DROP VIEW of_rows; "
            "ALTER TABLE teams DROP COLUMN label",
            "replace view, then column": "CREATE OR REPLACE VIEW page_teams AS SELECT p.id, 'x'::text AS label FROM "
            "pages p; "
            "DROP VIEW first CASCADE; DROP VIEW of_rows; ALTER TABLE teams DROP COLUMN label",
            "new view, then column": "CREATE VIEW v AS SELECT region FROM pages; CREATE VIEW w AS SELECT region "
            "FROM v; "
            "ALTER TABLE pages DROP COLUMN id CASCADE; DROP VIEW v",
            "new view, then its table": "CREATE VIEW v AS SELECT id FROM loop_a; DROP TABLE loop_a",
            "new view, then its column": "CREATE VIEW v AS SELECT a.id FROM loop_a a JOIN loop_b b ON b.a = a.id; "
            "ALTER TABLE loop_a DROP COLUMN b; ALTER TABLE loop_b DROP COLUMN a",
            "new foreign key, then its table": "CREATE TABLE fk (t integer REFERENCES borrowed2 (id))",
            "new table referencing, then the referenced": "CREATE TABLE late (t integer REFERENCES loop_a); "
            "DROP TABLE loop_b CASCADE; DROP TABLE loop_a",
            "new index, then drop it": "CREATE INDEX ix ON loop_a (b); DROP INDEX ix; CREATE INDEX ix ON loop_b (a)",
            "new trigger, then its function": "CREATE TRIGGER t BEFORE INSERT ON loop_a FOR EACH ROW EXECUTE "
            "FUNCTION touch(); "
            "DROP FUNCTION touch() CASCADE; CREATE TRIGGER t BEFORE INSERT ON loop_a FOR EACH ROW EXECUTE FUNCTION "
            "touch()",
            "new trigger, dropped": "CREATE TRIGGER t BEFORE INSERT ON pages FOR EACH ROW EXECUTE FUNCTION touch(); "
            "DROP TRIGGER t ON pages",
            "new policy, twice": "CREATE POLICY p ON loop_a USING (true); CREATE POLICY p ON loop_a USING (true)",
            "new policy, dropped": "CREATE POLICY p ON loop_a USING (true); DROP POLICY p ON loop_a; "
            "DROP POLICY p ON loop_a",
            "new rule, dropped": "CREATE RULE r AS ON DELETE TO loop_a DO INSTEAD NOTHING; DROP RULE r ON loop_a",
            "new function, then drop": "CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS "
            "'SELECT 1'; "
            "DROP FUNCTION f(integer); DROP FUNCTION f(integer)",
            "new sequence as default, then drop": "CREATE SEQUENCE s; "
            "ALTER TABLE loop_a ALTER COLUMN b SET DEFAULT nextval('s'); DROP SEQUENCE s",
            "new type, then drop": "CREATE TYPE e AS ENUM ('a'); ALTER TABLE loop_a ADD COLUMN e e; DROP TYPE e "
            "CASCADE",
            "new domain, then check": "CREATE DOMAIN d AS integer; ALTER TABLE loop_a ADD COLUMN d d; "
            "ALTER DOMAIN d ADD CHECK (VALUE > 0); DROP DOMAIN d",
            "new schema, filled, dropped": "CREATE SCHEMA s; CREATE TABLE s.t (a integer); CREATE VIEW s.v AS "
            "SELECT a FROM s.t; "
            "DROP SCHEMA s CASCADE; CREATE SCHEMA s",
            "new schema, moved into, dropped": "CREATE SCHEMA s; ALTER TABLE borrowed SET SCHEMA s; DROP SCHEMA s "
            "CASCADE",
            "new materialized view": "CREATE MATERIALIZED VIEW m AS SELECT id FROM loop_a; "
            "CREATE UNIQUE INDEX mi ON m (id); REFRESH MATERIALIZED VIEW CONCURRENTLY m; DROP TABLE loop_a CASCADE",
            "new extension": "CREATE EXTENSION citext; ALTER TABLE loop_a ADD COLUMN c citext; DROP EXTENSION "
            "citext CASCADE",
            "new publication": "CREATE PUBLICATION p FOR TABLE loop_a; DROP TABLE loop_a CASCADE",
            "renamed, dropped": "ALTER TABLE borrowed RENAME TO lent; DROP TABLE lent",
            "renamed view, dropped": "ALTER VIEW fourth RENAME TO last; DROP VIEW last",
            "renamed type, dropped": "ALTER TYPE pair RENAME TO couple; DROP TYPE couple CASCADE",
            "renamed function, dropped": "ALTER FUNCTION allowed(integer) RENAME TO permitted; "
            "DROP FUNCTION permitted(integer) CASCADE",
            "renamed trigger, dropped": "ALTER TRIGGER touched ON members RENAME TO reached; DROP TRIGGER reached "
            "ON members",
            "renamed index, dropped": "ALTER INDEX members_doubled RENAME TO doubles; DROP INDEX doubles",
            "renamed sequence, dropped": "ALTER SEQUENCE numbers RENAME TO digits; DROP SEQUENCE digits CASCADE",
        },
    ),
    *group(
        "bonds",
        BONDS,
        {
            # It would give empty pages back under ACCESS EXCLUSIVE, if nobody uses the table just then.
            "vacuum all": "VACUUM (TRUNCATE FALSE)",
            "vacuum full a partition": "VACUUM FULL pages_eu",
            "reindex a database's": "REINDEX TABLE CONCURRENTLY teams",
            "reindex a partitioned table concurrently": "REINDEX TABLE CONCURRENTLY pages",
            "drop index concurrently of a key": "DROP INDEX CONCURRENTLY teams_pkey",
            "concurrently, duplicates": "CREATE UNIQUE INDEX CONCURRENTLY ix ON teams (share)",
            "drop concurrently, then again": "DROP INDEX CONCURRENTLY IF EXISTS members_doubled; "
            "DROP INDEX CONCURRENTLY IF EXISTS members_doubled",
        },
        wrapped=False,
    ),
    *group(
        "made anew",
        TYPES,
        {
            "enum": "DROP VIEW moods; DROP FUNCTION glad; CREATE TYPE other AS ENUM ('sad', 'ok', 'happy', 'x'); "
            "ALTER TABLE stock ALTER COLUMN feels TYPE other USING feels::text::other; DROP TYPE mood; "
            "ALTER TYPE other RENAME TO mood",
            "generated holds its base": "ALTER TABLE stock ADD COLUMN g integer GENERATED ALWAYS AS (id * 2) STORED; "
            "ALTER TABLE stock ALTER COLUMN id TYPE bigint",
            "generated holds its base, dropped": "CREATE TABLE n (a integer); ALTER TABLE n ADD COLUMN g integer "
            "GENERATED ALWAYS AS (a * 2) STORED; ALTER TABLE n DROP COLUMN a",
            "table with a foreign key": "CREATE TABLE n (id integer REFERENCES stock); INSERT INTO n VALUES (1); "
            "DROP TABLE n",
        },
    ),
)
