"""What PostgreSQL 18 has first: keys over time, constraints that are not enforced, columns computed when read."""

from __future__ import annotations

from tests.core.effects.differential.form import group

_WORLD = """
CREATE EXTENSION btree_gist;
CREATE TABLE rooms (id integer, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS));
INSERT INTO rooms SELECT i, daterange(date '2024-01-01' + i, date '2024-01-02' + i) FROM generate_series(1, 30) i;
CREATE TABLE books (id integer, room integer, valid daterange);
CREATE TABLE computed (a integer, b integer GENERATED ALWAYS AS (a * 2) VIRTUAL);
INSERT INTO computed VALUES (1), (2);
CREATE TABLE referenced (id integer PRIMARY KEY);
CREATE TABLE loose (a integer CONSTRAINT to_referenced REFERENCES referenced NOT ENFORCED);
CREATE TABLE alone (a integer CONSTRAINT there NOT NULL NO INHERIT, b integer);
CREATE TABLE below () INHERITS (alone);
ANALYZE;
"""

FORMS = group(
    "newest",
    _WORLD,
    {
        "one column over time": "CREATE TABLE n (a daterange, UNIQUE (a WITHOUT OVERLAPS))",
        "no range over time": "CREATE TABLE n (a integer, b integer, UNIQUE (a, b WITHOUT OVERLAPS))",
        "key over time": "CREATE TABLE n (a integer, b daterange, PRIMARY KEY (a, b WITHOUT OVERLAPS))",
        "reference over time": "ALTER TABLE books ADD FOREIGN KEY (room, PERIOD valid) "
        "REFERENCES rooms (id, PERIOD valid)",
        "reference without PERIOD": "ALTER TABLE books ADD FOREIGN KEY (room, valid) REFERENCES rooms (id, valid)",
        "cascade over time": "ALTER TABLE books ADD FOREIGN KEY (room, PERIOD valid) "
        "REFERENCES rooms (id, PERIOD valid) ON DELETE CASCADE",
        "overlap": "INSERT INTO rooms VALUES (1, daterange('2024-01-02', '2024-01-03'))",
        "empty range": "INSERT INTO rooms VALUES (1, 'empty')",
        "validate what is not enforced": "ALTER TABLE loose VALIDATE CONSTRAINT to_referenced",
        "not null inherited": "ALTER TABLE alone ALTER CONSTRAINT there INHERIT",
        "index of an expression of a virtual column": "CREATE INDEX ON computed ((b + 1))",
        "index where a virtual column": "CREATE INDEX ON computed (a) WHERE b > 1",
        "statistics of a virtual column": "CREATE STATISTICS s ON a, b FROM computed",
        "virtual column that references": "CREATE TABLE n (a integer, b integer GENERATED ALWAYS AS (a) "
        "REFERENCES referenced)",
        "partitioned and unlogged": "CREATE UNLOGGED TABLE n (a integer) PARTITION BY LIST (a)",
        "old and new rows": "UPDATE computed SET a = 5 RETURNING WITH (OLD AS o, NEW AS n) o.a, n.b",
    },
    since=18,
)
