"""Objects without storage: text search, casts, operators, foreign data, rules, grants on all of them, COPY."""

from __future__ import annotations

from tests.core.effects.differential.form import group

_WORLD = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'differential_guest') THEN CREATE ROLE differential_guest; END IF;
END $$;
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE colour AS ENUM ('red');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE FUNCTION one(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION number(text) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION same(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR === (LEFTARG = pair, RIGHTARG = pair, FUNCTION = same);
CREATE TEXT SEARCH CONFIGURATION words (COPY = english);
CREATE TEXT SEARCH DICTIONARY plain (TEMPLATE = simple);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE remote (a integer) SERVER far;
CREATE TABLE t (a integer PRIMARY KEY, b text);
INSERT INTO t SELECT i, 'b' FROM generate_series(1, 50) i;
CREATE TABLE u (a integer, b text);
CREATE TABLE divided (a integer, b text) PARTITION BY LIST (a);
CREATE TABLE divided_1 PARTITION OF divided FOR VALUES IN (1);
CREATE MATERIALIZED VIEW copied AS SELECT a FROM t;
CREATE SEQUENCE numbers;
ANALYZE;
"""

FORMS = (
    *group(
        "text search",
        _WORLD,
        {
            "copy of none": "CREATE TEXT SEARCH CONFIGURATION n (COPY = nonesuch)",
            "of no parser": "CREATE TEXT SEARCH CONFIGURATION n (PARSER = nonesuch)",
            "there": "CREATE TEXT SEARCH CONFIGURATION words (COPY = simple)",
            "dictionary without a template": "CREATE TEXT SEARCH DICTIONARY n (STOPWORDS = english)",
            "dictionary of no template": "CREATE TEXT SEARCH DICTIONARY n (TEMPLATE = nonesuch)",
            "mapping with none": "ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR word WITH nonesuch",
            "mapping": "ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR word WITH plain, simple",
            "drop one of PostgreSQL's": "DROP TEXT SEARCH CONFIGURATION english",
            "drop another": "DROP TEXT SEARCH DICTIONARY simple",
        },
    ),
    *group(
        "cast and operator",
        _WORLD,
        {
            "cast by another's function": "CREATE CAST (integer AS text) WITH FUNCTION number(text)",
            "cast to another type": "CREATE CAST (text AS colour) WITH FUNCTION number(text)",
            "cast to itself": "CREATE CAST (text AS text) WITHOUT FUNCTION",
            "cast": "CREATE CAST (text AS integer) WITH FUNCTION number(text)",
            "drop one of PostgreSQL's": "DROP CAST (integer AS bigint)",
            "operator of nothing": "CREATE OPERATOR ### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = nonesuch)",
            "operator of one side": "CREATE OPERATOR ### (LEFTARG = integer, FUNCTION = one)",
            "alter none": "ALTER OPERATOR === (integer, pair) SET (RESTRICT = eqsel)",
            "alter another thing": "ALTER OPERATOR === (pair, pair) SET (LEFTARG = text)",
            "drop PostgreSQL's operator": "DROP OPERATOR + (integer, integer)",
            "class of no method": "CREATE OPERATOR CLASS n FOR TYPE integer USING nonesuch AS OPERATOR 1 <",
            "drop PostgreSQL's class": "DROP OPERATOR CLASS int4_ops USING btree",
            "drop a method": "DROP ACCESS METHOD btree",
            "transform in no language": "CREATE TRANSFORM FOR integer LANGUAGE nonesuch "
            "(FROM SQL WITH FUNCTION one(integer))",
            "unknown operator": "SELECT a <<<< 1 FROM t",
        },
    ),
    *group(
        "foreign",
        _WORLD,
        {
            "read without a handler": "SELECT * FROM remote",
            "write without a handler": "INSERT INTO remote VALUES (1)",
            "key": "CREATE FOREIGN TABLE n (a integer PRIMARY KEY) SERVER far",
            "add a key": "ALTER FOREIGN TABLE remote ADD UNIQUE (a)",
            "option twice": "CREATE SERVER n FOREIGN DATA WRAPPER nowhere OPTIONS (a 'b', a 'c')",
            "import from none": "IMPORT FOREIGN SCHEMA x FROM SERVER nonesuch INTO public",
            "mapping of no role": "CREATE USER MAPPING FOR differential_nobody SERVER far",
        },
    ),
    *group(
        "rule",
        _WORLD,
        {
            "NEW of DELETE": "CREATE RULE r AS ON DELETE TO t DO ALSO DELETE FROM u WHERE a = NEW.a",
            "OLD of INSERT": "CREATE RULE r AS ON INSERT TO t WHERE OLD.a > 1 DO ALSO NOTHING",
            "no such column": "CREATE RULE r AS ON UPDATE TO t WHERE NEW.nonesuch > 1 DO ALSO NOTHING",
            "inserts into no column": "CREATE RULE r AS ON INSERT TO t DO ALSO INSERT INTO u (nonesuch) VALUES (1)",
            "of a materialized view": "CREATE RULE r AS ON INSERT TO copied DO ALSO NOTHING",
        },
    ),
    *group(
        "granted",
        _WORLD,
        {
            "on no language": "GRANT USAGE ON LANGUAGE nonesuch TO differential_guest",
            "on C": "GRANT USAGE ON LANGUAGE c TO differential_guest",
            "on no server": "GRANT USAGE ON FOREIGN SERVER nonesuch TO differential_guest",
            "usage of a table": "GRANT USAGE ON t TO differential_guest",
            "usage of a sequence": "GRANT USAGE ON numbers TO differential_guest",
            "a type as a domain": "GRANT USAGE ON DOMAIN pair TO differential_guest",
            "options to all": "GRANT SELECT ON t TO PUBLIC WITH GRANT OPTION",
            "by another": "GRANT SELECT ON t TO differential_guest GRANTED BY differential_guest",
            "to itself": "GRANT differential_guest TO differential_guest",
            "on PostgreSQL's function": "REVOKE EXECUTE ON FUNCTION lower(text) FROM PUBLIC",
            "schemas in a schema": "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SCHEMAS TO PUBLIC",
        },
    ),
    *group(
        "copied",
        _WORLD,
        {
            "nothing returned": "COPY (DELETE FROM t) TO STDOUT",
            "two marks": "COPY t TO STDOUT (DELIMITER 'ab')",
            "a quote in text": "COPY t TO STDOUT (QUOTE '\"')",
            "a mark in binary": "COPY t TO STDOUT (FORMAT binary, DELIMITER ',')",
            "quotes around none": "COPY t TO STDOUT (FORMAT csv, FORCE_QUOTE (nonesuch))",
            "what only reading has": "COPY t TO STDOUT (FORMAT csv, FORCE_NULL (a))",
            "a format twice": "COPY t TO STDOUT (FORMAT csv, FORMAT text)",
            "to a relative file": "COPY t TO 'relative'",
            "a row without a partition": "COPY divided FROM PROGRAM 'printf \"9\\tx\\n\"'",
        },
    ),
)
