"""Partitions by several columns, triggers that move rows away, and what belongs to the database system itself."""

from __future__ import annotations

from tests.core.effects.differential.form import group

_WORLD = """
CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.a := 99; RETURN NEW; END $$;
CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.c := 'x'; RETURN NEW; END $$;
CREATE TABLE p (a integer, b integer, c text) PARTITION BY RANGE (a, b);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0, 0) TO (10, 0);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10, 0) TO (10, 50);
CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20, MINVALUE) TO (30, MAXVALUE);
INSERT INTO p SELECT i % 10, 5, 'c' FROM generate_series(1, 100) i;
INSERT INTO p SELECT 20 + i % 10, i, 'c' FROM generate_series(1, 100) i;
INSERT INTO p VALUES (10, 5, 'z');
CREATE TABLE moving (a integer, c text) PARTITION BY RANGE (a);
CREATE TABLE moving_1 PARTITION OF moving FOR VALUES FROM (0) TO (10);
CREATE TABLE moving_2 PARTITION OF moving FOR VALUES FROM (90) TO (95);
INSERT INTO moving VALUES (1, 'x'), (91, 'x');
CREATE TRIGGER away BEFORE INSERT OR UPDATE ON moving_1 FOR EACH ROW EXECUTE FUNCTION away();
CREATE TRIGGER stay BEFORE INSERT ON moving_2 FOR EACH ROW EXECUTE FUNCTION stay();
CREATE TABLE halves (a integer, c text) PARTITION BY RANGE (a);
CREATE TABLE halves_1 PARTITION OF halves FOR VALUES FROM (0) TO (100);
INSERT INTO halves SELECT i, 'c' FROM generate_series(1, 90) i;
CREATE INDEX halves_only ON ONLY halves (c);
CREATE TABLE m (a integer);
CREATE VIEW v AS SELECT 1 AS one;
ANALYZE;
"""

FORMS = (
    *group(
        "several keys",
        _WORLD,
        {
            "insert": "INSERT INTO p VALUES (5, 5, 'x')",
            "insert at a lower bound": "INSERT INTO p VALUES (10, 0, 'x')",
            "insert beyond MINVALUE": "INSERT INTO p VALUES (20, -5, 'x')",
            "insert before MAXVALUE": "INSERT INTO p VALUES (30, 5, 'x')",
            "insert at an upper bound": "INSERT INTO p VALUES (10, 50, 'x')",
            "insert between": "INSERT INTO p VALUES (15, 5, 'x')",
            "insert NULL": "INSERT INTO p (a) VALUES (5)",
            "insert one that fits and one that does not": "INSERT INTO p VALUES (5, 5), (50, 5)",
            "update away": "UPDATE p SET b = 60 WHERE a = 10",
            "the first": "SELECT * FROM p WHERE a = 9",
            "the first, at a bound": "SELECT * FROM p WHERE a = 10",
            "both": "SELECT * FROM p WHERE a = 10 AND b = 20",
            "both, nowhere": "SELECT * FROM p WHERE a = 10 AND b = 60",
            "a range of the second": "SELECT * FROM p WHERE a = 10 AND b < 0",
            "a range of the first": "SELECT * FROM p WHERE a BETWEEN 3 AND 12",
            "below": "SELECT * FROM p WHERE a < 10",
            "some": "SELECT * FROM p WHERE a IN (10, 25) AND b = 60",
            "only the second": "SELECT * FROM p WHERE b = 5",
            "NULL": "SELECT * FROM p WHERE a IS NULL",
        },
    ),
    *group(
        "moved by a trigger",
        _WORLD,
        {
            "insert": "INSERT INTO moving VALUES (5, 'x')",
            "insert into the partition": "INSERT INTO moving_1 VALUES (5, 'x')",
            "insert beside": "INSERT INTO moving VALUES (92, 'y')",
            "update": "UPDATE moving_1 SET c = 'z'",
        },
    ),
    *group(
        "only",
        _WORLD,
        {
            "a type that needs no rewrite": "ALTER TABLE halves ALTER c TYPE varchar",
            "a type that does": "ALTER TABLE halves ALTER c TYPE integer USING 1",
        },
    ),
    *group(
        "system",
        _WORLD,
        {
            "move into pg_catalog": "ALTER TABLE m SET SCHEMA pg_catalog",
            "move a view into pg_catalog": "ALTER VIEW v SET SCHEMA pg_catalog",
            "move into pg_toast": "ALTER TABLE m SET SCHEMA pg_toast",
            "create in pg_catalog": "CREATE TABLE pg_catalog.n (a integer)",
            "index a catalog": "CREATE INDEX ON pg_catalog.pg_class (relpages)",
            "alter a catalog": "ALTER TABLE pg_class ADD x integer",
            "truncate a catalog": "TRUNCATE pg_catalog.pg_description",
            "drop pg_catalog": "DROP SCHEMA pg_catalog CASCADE",
            "drop plpgsql": "DROP EXTENSION plpgsql",
            "drop plpgsql cascade": "DROP EXTENSION plpgsql CASCADE",
            "drop language plpgsql": "DROP LANGUAGE plpgsql CASCADE",
            "collation of no locale": "CREATE COLLATION n (LOCALE = 'nonesuch')",
            "collation of half a locale": "CREATE COLLATION n (LC_COLLATE = 'C')",
            "collation not deterministic": "CREATE COLLATION n (LOCALE = 'C', DETERMINISTIC = false)",
            "collation of default": 'CREATE COLLATION n FROM "default"',
        },
    ),
)
