"""CREATE TABLE, and migrations of several statements."""

from __future__ import annotations

from tests.core.effects.differential.form import group
from tests.core.effects.differential.worlds import SHOP

FORMS = (
    *group(
        "create table",
        SHOP,
        {
            "plain": "CREATE TABLE n (a integer, b text)",
            "keys": "CREATE TABLE n (a serial PRIMARY KEY, b text UNIQUE, c integer, UNIQUE (b, c))",
            "identity": "CREATE TABLE n (a bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
            "references": "CREATE TABLE n (a integer PRIMARY KEY, b integer REFERENCES customers ON DELETE CASCADE)",
            "references two": "CREATE TABLE n (b integer REFERENCES customers, c bigint REFERENCES orders)",
            "references itself": "CREATE TABLE n (a integer PRIMARY KEY, b integer REFERENCES n)",
            "references unknown": "CREATE TABLE n (b integer REFERENCES nonesuch)",
            "references a unique column": "CREATE TABLE n (b text REFERENCES customers (email))",
            "references no key": "CREATE TABLE n (b integer REFERENCES customers (age))",
            "like": "CREATE TABLE n (LIKE customers)",
            "like all": "CREATE TABLE n (LIKE customers INCLUDING ALL)",
            "like view": "CREATE TABLE n (LIKE open_orders)",
            "as": "CREATE TABLE n AS SELECT * FROM customers",
            "as of a view": "CREATE TABLE n AS SELECT * FROM order_totals",
            "as with no data": "CREATE TABLE n AS SELECT * FROM customers WITH NO DATA",
            "as values": "CREATE TABLE n AS VALUES (1), (2)",
            "as if not exists, there": "CREATE TABLE IF NOT EXISTS plain AS SELECT 1 AS one",
            "there": "CREATE TABLE plain (a integer)",
            "there, if not exists": "CREATE TABLE IF NOT EXISTS plain (a integer)",
            "named as a view": "CREATE TABLE open_orders (a integer)",
            "named as a type": "CREATE TABLE order_state (a integer)",
            "temporary": "CREATE TEMP TABLE n (a integer PRIMARY KEY)",
            "unlogged": "CREATE UNLOGGED TABLE n (a integer)",
            "with check": "CREATE TABLE n (a integer CHECK (a > 0), b positive)",
            "with exclude": "CREATE TABLE n (d int4range, EXCLUDE USING gist (d WITH &&))",
            "unknown type": "CREATE TABLE n (a nonesuch)",
            "twice a column": "CREATE TABLE n (a integer, a text)",
            "two primary keys": "CREATE TABLE n (a integer PRIMARY KEY, b integer PRIMARY KEY)",
            "partitioned": "CREATE TABLE n (a integer, b date) PARTITION BY RANGE (b)",
            "unlogged references permanent": "CREATE UNLOGGED TABLE n (b integer REFERENCES customers)",
            "permanent references unlogged": "CREATE TABLE n (b text REFERENCES cache)",
            "inherits": "CREATE TABLE n (z integer) INHERITS (plain)",
        },
    ),
    *group(
        "script",
        SHOP,
        {
            "create and change": "CREATE TABLE n (a integer, b text); CREATE INDEX n_a ON n (a); "
            "ALTER TABLE n ADD PRIMARY KEY (a); ALTER TABLE n ALTER COLUMN b TYPE varchar(10); DROP TABLE n",
            "create, fill, reference": "CREATE TABLE n (a integer PRIMARY KEY); INSERT INTO n SELECT id FROM "
            "customers; "
            "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES n",
            "backfill": "ALTER TABLE plain ADD COLUMN x integer; UPDATE plain SET x = a; "
            "ALTER TABLE plain ALTER COLUMN x SET NOT NULL",
            "backfill with proof": "ALTER TABLE plain ADD COLUMN x integer; UPDATE plain SET x = a; "
            "ALTER TABLE plain ADD CONSTRAINT p CHECK (x IS NOT NULL) NOT VALID; "
            "ALTER TABLE plain VALIDATE CONSTRAINT p; ALTER TABLE plain ALTER COLUMN x SET NOT NULL; "
            "ALTER TABLE plain DROP CONSTRAINT p",
            "not valid, validate": "ALTER TABLE plain ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES customers NOT VALID; "
            "ALTER TABLE plain VALIDATE CONSTRAINT f",
            "rename, then old name": "ALTER TABLE plain RENAME TO renamed; ALTER TABLE plain ADD COLUMN x integer",
            "rename, then new name": "ALTER TABLE plain RENAME TO renamed; ALTER TABLE renamed ADD COLUMN x integer",
            "rename, make anew": "ALTER TABLE plain RENAME TO old_plain; CREATE TABLE plain (LIKE old_plain); "
            "ALTER TABLE plain ADD CHECK (a > 0); ALTER TABLE old_plain ADD CHECK (a > 0)",
            "rename column, then old name": "ALTER TABLE plain RENAME COLUMN a TO x; "
            "ALTER TABLE plain ALTER COLUMN a SET NOT NULL",
            "rename column, then new name": "ALTER TABLE plain RENAME COLUMN a TO x; "
            "ALTER TABLE plain ALTER COLUMN x SET NOT NULL",
            "drop, then use": "DROP TABLE plain; ALTER TABLE plain ADD COLUMN x integer",
            "drop and create": "DROP TABLE plain; CREATE TABLE plain (a integer)",
            "drop column, then use": "ALTER TABLE plain DROP COLUMN a; CREATE INDEX ix ON plain (a)",
            "create twice": "CREATE TABLE n (a integer); CREATE TABLE n (a integer)",
            "create twice, if not exists": "CREATE TABLE n (a integer); CREATE TABLE IF NOT EXISTS n (a integer)",
            "index, then constraint": "CREATE UNIQUE INDEX ix ON plain (a); "
            "ALTER TABLE plain ADD CONSTRAINT u UNIQUE USING INDEX ix",
            "index of a new column": "ALTER TABLE plain ADD COLUMN x integer; CREATE INDEX ix ON plain (x); DROP "
            "INDEX ix",
            "type after type": "ALTER TABLE plain ALTER COLUMN b TYPE varchar(50); "
            "ALTER TABLE plain ALTER COLUMN b TYPE varchar(100); ALTER TABLE plain ALTER COLUMN b TYPE text",
            "view of a new table": "CREATE TABLE n (a integer); CREATE VIEW v AS SELECT a FROM n; "
            "ALTER TABLE n ALTER COLUMN a TYPE bigint",
            "drop view, drop column": "DROP VIEW open_orders; ALTER TABLE orders DROP COLUMN note",
            "function, then default": "CREATE FUNCTION fresh() RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 1'; "
            "ALTER TABLE plain ADD COLUMN x integer DEFAULT fresh()",
            "stable function, then default": "CREATE FUNCTION fresh() RETURNS integer LANGUAGE sql STABLE AS "
            "'SELECT 1'; "
            "ALTER TABLE plain ADD COLUMN x integer DEFAULT fresh()",
            "function made volatile": "ALTER FUNCTION steady() VOLATILE; "
            "ALTER TABLE plain ADD COLUMN x integer DEFAULT steady()",
            "domain, then column": "CREATE DOMAIN d AS integer; ALTER TABLE plain ADD COLUMN x d; "
            "ALTER DOMAIN d ADD CHECK (VALUE > 0)",
            "domain, then checked column": "CREATE DOMAIN d AS integer CHECK (VALUE > 0); "
            "ALTER TABLE plain ADD COLUMN x d",
            "lock first": "LOCK TABLE plain IN ACCESS EXCLUSIVE MODE; ALTER TABLE plain ADD COLUMN x integer",
            "savepoint": "SAVEPOINT s; ALTER TABLE plain ADD COLUMN x integer; ROLLBACK TO SAVEPOINT s; "
            "ALTER TABLE plain ADD COLUMN x integer",
            "own transaction": "BEGIN; ALTER TABLE plain ADD COLUMN x integer; CREATE INDEX ix ON plain (x); COMMIT",
            "foreign key dropped, table dropped": "ALTER TABLE lines DROP CONSTRAINT lines_order; "
            "DROP TABLE orders CASCADE",
            "column dropped with its index": "ALTER TABLE customers DROP COLUMN big; CREATE INDEX customers_big "
            "ON customers (id)",
            "type dropped": "ALTER TABLE cache ADD COLUMN state order_state; DROP TYPE order_state",
            "sequence default": "CREATE SEQUENCE s; ALTER TABLE plain ALTER COLUMN a SET DEFAULT nextval('s'); "
            "ALTER SEQUENCE s OWNED BY plain.a; DROP TABLE plain",
            "trigger, then drop function": "CREATE TRIGGER x BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION "
            "stamp(); "
            "DROP TRIGGER x ON plain; DROP TRIGGER stamp ON orders; DROP FUNCTION stamp()",
            "statistics only": "ANALYZE plain; ANALYZE customers",
            "set not null, then key": "ALTER TABLE plain ALTER COLUMN a SET NOT NULL; "
            "CREATE UNIQUE INDEX ix ON plain (a); ALTER TABLE plain ADD PRIMARY KEY USING INDEX ix",
            "partitioned made": "CREATE TABLE n (a integer, d date) PARTITION BY RANGE (d); "
            "CREATE TABLE n1 PARTITION OF n FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); "
            "CREATE INDEX ix ON n (a); DROP TABLE n",
        },
    ),
    *group(
        "script",
        SHOP,
        {
            "concurrently, then key": "CREATE UNIQUE INDEX CONCURRENTLY ix ON ready (d); "
            "ALTER TABLE ready ADD CONSTRAINT u UNIQUE USING INDEX ix",
            "drop concurrently, create again": "DROP INDEX CONCURRENTLY customers_name; "
            "CREATE INDEX CONCURRENTLY customers_name ON customers (name, age)",
            "each by itself": "ALTER TABLE plain ADD COLUMN x integer; ALTER TABLE plain DROP COLUMN x",
            "set local without transaction": "SET LOCAL search_path = nonesuch; ALTER TABLE plain ADD COLUMN x integer",
            "lock without transaction": "LOCK TABLE plain",
            "savepoint without transaction": "SAVEPOINT s",
            "timestamps": "SET TimeZone = 'UTC'; ALTER TABLE customers ALTER COLUMN seen TYPE timestamp",
        },
        wrapped=False,
    ),
    *group(
        "table refused",
        SHOP,
        {
            "parameter unknown": "CREATE TABLE n (a integer) WITH (nonesuch = 1)",
            "method unknown": "CREATE TABLE n (a integer) USING nonesuch",
            "tablespace unknown": "CREATE TABLE n (a integer) TABLESPACE nonesuch",
            "not temporary": "CREATE TABLE n (a integer) ON COMMIT DROP",
            "divided by no column": "CREATE TABLE n (a integer) PARTITION BY RANGE (nonesuch)",
            "listed by two": "CREATE TABLE n (a integer, b integer) PARTITION BY LIST (a, b)",
            "divided by a point": "CREATE TABLE n (a point) PARTITION BY RANGE (a)",
            "divided by chance": "CREATE TABLE n (a integer) PARTITION BY RANGE ((a + random()::integer))",
            "of an enum": "CREATE TABLE n OF order_state",
        },
    ),
)
