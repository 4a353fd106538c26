"""Migrations whose harm to a live application is measured, and the shop that they are run on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

SETUP = """
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, visits int NOT NULL DEFAULT 0);
CREATE TABLE orders (
  id int PRIMARY KEY, customer_id int, status text, amount numeric(10, 2), placed timestamptz DEFAULT now(), note text
);
CREATE TABLE audit (id int PRIMARY KEY, what text, at timestamptz DEFAULT now());
CREATE TABLE archive (id int PRIMARY KEY, body text, v int);
CREATE TABLE settings (name text PRIMARY KEY, value text);
INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, {rows} / 10) i;
INSERT INTO orders SELECT i, 1 + i % ({rows} / 10), 'new', i % 1000, now(), repeat('note ', i % 20)
  FROM generate_series(1, {rows}) i;
INSERT INTO archive SELECT i, repeat('old ', 20), i FROM generate_series(1, {rows}) i;
INSERT INTO settings SELECT 'name' || i, 'value' FROM generate_series(1, 100) i;
ALTER TABLE orders ADD CONSTRAINT later CHECK (amount >= 0) NOT VALID;
CREATE INDEX orders_customer ON orders (customer_id);
"""


class Open(Enum):
    """What somebody does in a long transaction meanwhile."""

    READER = "reads orders"
    WRITER = "has written a row of orders"


@dataclass(frozen=True)
class Case:
    """One migration, how it is run, and what somebody does meanwhile."""

    name: str
    sql: str
    runner: str = "confiture"
    open: Open | None = None


TRIGGER = """
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER g BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION f();
"""

CASES = (
    Case("nothing existing", "CREATE TABLE fresh (id int)"),
    Case("comment", "COMMENT ON TABLE orders IS 'x'"),
    Case("brief alter, hot", "ALTER TABLE orders ALTER note SET DEFAULT 'x'"),
    Case("brief alter, quiet", "ALTER TABLE archive ALTER body SET DEFAULT 'x'"),
    Case("brief alter behind a reader", "ALTER TABLE orders ALTER note SET DEFAULT 'x'", open=Open.READER),
    Case(
        "the same, lock_timeout 200 ms",
        "SET lock_timeout = '200ms'; ALTER TABLE orders ALTER note SET DEFAULT 'x'",
        open=Open.READER,
    ),
    Case(
        "the same, lock_timeout 2 s", "ALTER TABLE orders ALTER note SET DEFAULT 'x'", "confiture-tui", open=Open.READER
    ),
    Case("brief alter of another table, reader", "ALTER TABLE customers ALTER name SET DEFAULT 'x'", open=Open.READER),
    Case("add column, constant", "ALTER TABLE orders ADD c int DEFAULT 1"),
    Case("add column, volatile", "ALTER TABLE orders ADD c uuid DEFAULT gen_random_uuid()"),
    Case("add column, volatile, quiet", "ALTER TABLE archive ADD c uuid DEFAULT gen_random_uuid()"),
    Case("add column, volatile, tiny", "ALTER TABLE settings ADD c uuid DEFAULT gen_random_uuid()"),
    Case("change type, hot", "ALTER TABLE orders ALTER customer_id TYPE bigint"),
    Case("change type, quiet", "ALTER TABLE archive ALTER v TYPE bigint"),
    Case("change type, smaller hot", "ALTER TABLE customers ALTER visits TYPE bigint"),
    Case("create index, hot", "CREATE INDEX i ON orders (note)"),
    Case("create index, quiet", "CREATE INDEX i ON archive (body)"),
    Case("create index behind a reader", "CREATE INDEX i ON orders (status)", open=Open.READER),
    Case("create index concurrently", "CREATE INDEX CONCURRENTLY i ON orders (note)"),
    Case("set not null", "ALTER TABLE orders ALTER status SET NOT NULL"),
    Case("add check", "ALTER TABLE orders ADD CHECK (amount < 100000)"),
    Case("add check not valid", "ALTER TABLE orders ADD CHECK (amount < 100000) NOT VALID"),
    Case("validate", "ALTER TABLE orders VALIDATE CONSTRAINT later"),
    Case("foreign key", "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id)"),
    Case("foreign key not valid", "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers NOT VALID"),
    Case("unique", "ALTER TABLE orders ADD UNIQUE (id, note)"),
    Case("vacuum full, hot", "VACUUM FULL orders"),
    Case("vacuum full, quiet", "VACUUM FULL archive"),
    Case(
        "alter, backfill, not null in one",
        "ALTER TABLE orders ADD c int; UPDATE orders SET c = 1; ALTER TABLE orders ALTER c SET NOT NULL",
    ),
    Case(
        "the same in three",
        "ALTER TABLE orders ADD c int; UPDATE orders SET c = 1; ALTER TABLE orders ALTER c SET NOT NULL",
        "loose",
    ),
    Case("backfill, hot", "UPDATE orders SET note = 'x'"),
    Case("backfill, quiet", "UPDATE archive SET v = v + 1"),
    Case("backfill of the smaller hot", "UPDATE customers SET visits = 0"),
    Case("one batch", "UPDATE orders SET note = 'x' WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT 1000)"),
    Case("alter hot, then work on quiet", "ALTER TABLE orders ADD c int; CREATE INDEX i ON archive (body)"),
    Case(
        "alter hot, then work on quiet, apart",
        "ALTER TABLE orders ADD c int; CREATE INDEX i ON archive (body)",
        "loose",
    ),
    Case("drop index", "DROP INDEX orders_customer"),
    Case("trigger behind a reader", TRIGGER, open=Open.READER),
    Case("truncate a quiet one", "TRUNCATE archive"),
    Case("drop a quiet one", "DROP TABLE archive"),
    Case("brief alter behind a writer", "ALTER TABLE orders ALTER note SET DEFAULT 'x'", open=Open.WRITER),
    Case("trigger behind a writer", TRIGGER.replace("audit", "orders"), open=Open.WRITER),
    Case(
        "foreign key not valid behind a writer",
        "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers NOT VALID",
        open=Open.WRITER,
    ),
    Case("create index behind a writer", "CREATE INDEX i ON orders (status)", open=Open.WRITER),
    Case("create index concurrently behind a writer", "CREATE INDEX CONCURRENTLY i ON orders (id)", open=Open.WRITER),
    Case("drop index behind a reader", "DROP INDEX orders_customer", open=Open.READER),
    Case("reindex, hot", "REINDEX TABLE orders"),
    Case("reindex concurrently, hot", "REINDEX TABLE CONCURRENTLY orders"),
    Case("cluster, hot", "CLUSTER orders USING orders_pkey"),
    Case("rename a column, hot", "ALTER TABLE orders RENAME note TO remark"),
    Case("longer type, tiny", "ALTER TABLE settings ALTER value TYPE varchar(200)"),
    Case("storage parameter, hot", "ALTER TABLE orders SET (fillfactor = 90)"),
    Case(
        "not valid and validate in one",
        "ALTER TABLE orders ADD CONSTRAINT c CHECK (amount < 100000) NOT VALID; "
        "ALTER TABLE orders VALIDATE CONSTRAINT c",
    ),
    Case(
        "not valid and validate apart",
        "ALTER TABLE orders ADD CONSTRAINT c CHECK (amount < 100000) NOT VALID; "
        "ALTER TABLE orders VALIDATE CONSTRAINT c",
        "loose",
    ),
    Case("cheap lock last", "CREATE INDEX i ON archive (body); ALTER TABLE orders ADD c int"),
    Case(
        "alter hot, then rows of quiet",
        "ALTER TABLE orders ADD c int; DELETE FROM archive WHERE id % 2 = 0",
    ),
    Case(
        "rows of hot, then work on quiet",
        "UPDATE orders SET note = 'x' WHERE id % 10 = 0; CREATE INDEX i ON archive (body)",
    ),
    Case("rows of hot, then alter", "UPDATE orders SET note = 'x' WHERE id % 10 = 0; ALTER TABLE orders ADD c int"),
    Case("copy hot into quiet", "INSERT INTO archive SELECT id + 1000000, note, 1 FROM orders"),
    Case("batches", "".join(f"UPDATE orders SET note = 'x' WHERE id = {n};\n" for n in range(1, 200)), "loose"),
    Case("view over hot", "CREATE VIEW v AS SELECT status, count(*) AS n FROM orders GROUP BY status"),
    Case("index of inserts only", "CREATE INDEX i ON audit (what)"),
    Case("lock, then work on quiet", "LOCK TABLE customers IN SHARE MODE; UPDATE archive SET v = 1 WHERE id % 3 = 0"),
)
