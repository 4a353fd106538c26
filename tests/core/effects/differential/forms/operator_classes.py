"""Operator classes that indexes, exclusion constraints and partition keys name, or need."""

from __future__ import annotations

from tests.core.effects.differential.form import group

_WORLD = """
CREATE EXTENSION citext;
CREATE EXTENSION pg_trgm;
CREATE TYPE colour AS ENUM ('red');
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE span AS RANGE (subtype = integer);
CREATE DOMAIN words AS text;
CREATE DOMAIN document AS json;
CREATE SCHEMA apart;
CREATE OPERATOR CLASS apart.backwards FOR TYPE integer USING btree AS OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =,
  OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(integer, integer);
CREATE TABLE t (i integer, x text, v varchar(10), c char(4), j json, jb jsonb, p point, bx box, e colour, co pair,
  r int4range, ur span, d words, dj document, ci citext, ia integer[], spans span[], net inet, m money);
"""

FORMS = group(
    "operator class",
    _WORLD,
    {
        "missing": "CREATE INDEX ON t (x nonesuch_ops)",
        "of another type": "CREATE INDEX ON t (i text_pattern_ops)",
        "of a text beneath": "CREATE INDEX ON t (v text_pattern_ops)",
        "of a domain": "CREATE INDEX ON t (d text_pattern_ops)",
        "of another method": "CREATE INDEX ON t USING gin (x gist_trgm_ops)",
        "of an extension": "CREATE INDEX ON t USING gin (v gin_trgm_ops)",
        "of an extension, of another type": "CREATE INDEX ON t USING gin (i gin_trgm_ops)",
        "of an expression": "CREATE INDEX ON t (length(x) text_pattern_ops)",
        "in a schema": "CREATE INDEX ON t (i apart.backwards)",
        "not in the path": "CREATE INDEX ON t (i backwards)",
        "in no schema": "CREATE INDEX ON t (i nonesuch.backwards)",
        "none for json": "CREATE INDEX ON t (j)",
        "none for a domain over json": "CREATE INDEX ON t (dj)",
        "none for point": "CREATE INDEX ON t (p)",
        "none for text in gin": "CREATE INDEX ON t USING gin (x)",
        "none for a literal": "CREATE INDEX ON t (('x'))",
        "of an enum": "CREATE INDEX ON t USING hash (e)",
        "of a range of the user's": "CREATE INDEX ON t USING gist (ur)",
        "of an array of ranges": "CREATE INDEX ON t (spans)",
        "of an array of ranges in gist": "CREATE INDEX ON t USING gist (spans)",
        "of rows": "CREATE INDEX ON t (co)",
        "an order where there is none": "CREATE INDEX ON t USING hash (i DESC)",
        "exclude citext": "ALTER TABLE t ADD EXCLUDE USING gist (ci WITH =)",
        "exclude citext in btree": "ALTER TABLE t ADD EXCLUDE USING btree (ci WITH =)",
        "exclude with another class": "ALTER TABLE t ADD EXCLUDE USING gist (net inet_ops WITH &&)",
        "exclude by no operator": "ALTER TABLE t ADD EXCLUDE USING gist (p WITH =)",
        "exclude by one that has an order": "ALTER TABLE t ADD EXCLUDE USING gist (r WITH @>)",
        "exclude in gin": "ALTER TABLE t ADD EXCLUDE USING gin (jb WITH =)",
        "exclude some of unknown": "ALTER TABLE t ADD EXCLUDE (i WITH =) WHERE (nonesuch > 1)",
        "divided by json": "CREATE TABLE n (a json) PARTITION BY LIST (a)",
        "divided by hash of money": "CREATE TABLE n (a money) PARTITION BY HASH (a)",
        "divided by another type's": "CREATE TABLE n (a integer) PARTITION BY RANGE (a text_pattern_ops)",
        "another type under one": "CREATE INDEX x ON t USING gin (x gin_trgm_ops); ALTER TABLE t ALTER x TYPE integer "
        "USING 1",
        "statistics of json": "CREATE STATISTICS s ON j, i FROM t",
        "statistics of one expression": "CREATE STATISTICS s (ndistinct) ON (i + 1) FROM t",
        "statistics of too much": "CREATE STATISTICS s ON i, x, v, c, e, r, d, ci, net FROM t",
    },
)
