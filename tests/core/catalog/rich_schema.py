"""A schema with at least one object of nearly every kind that a catalog lists, for servers 14 to 18.

Not a subscription: it belongs to the cluster, is not copied with its database, and keeps it from being dropped.
"""

from __future__ import annotations

ROLES = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'catalog_reader') THEN CREATE ROLE catalog_reader LOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'Odd "role"=/x') THEN CREATE ROLE "Odd ""role""=/x"; END IF;
END $$;
"""

_EVERYWHERE = """
CREATE SCHEMA sales;
COMMENT ON SCHEMA sales IS 'what is sold';
GRANT USAGE ON SCHEMA sales TO catalog_reader, "Odd ""role""=/x";
CREATE EXTENSION citext SCHEMA public;
CREATE EXTENSION postgres_fdw;
COMMENT ON EXTENSION citext IS 'folds case';

CREATE TYPE sales.mood AS ENUM ('sad', 'it''s ok', 'happy');
ALTER TYPE sales.mood ADD VALUE 'so so' BEFORE 'it''s ok';
COMMENT ON TYPE sales.mood IS 'how they feel';
CREATE DOMAIN sales.email AS citext DEFAULT 'nobody@example.com'::citext NOT NULL
  CONSTRAINT has_at CHECK (VALUE ~ '@') CONSTRAINT "Not Long" CHECK (length(VALUE::text) < 200);
COMMENT ON DOMAIN sales.email IS 'where to';
COMMENT ON CONSTRAINT has_at ON DOMAIN sales.email IS 'at least that';
CREATE TYPE sales.address AS (street text COLLATE "C", number integer, tags sales.mood[]);
COMMENT ON COLUMN sales.address.street IS 'without number';
CREATE TYPE sales.span AS RANGE (subtype = float8, subtype_diff = float8mi);
REVOKE USAGE ON TYPE sales.span FROM PUBLIC;

CREATE SEQUENCE sales.tickets AS integer START 100 INCREMENT BY 5 MINVALUE 10 MAXVALUE 9000 CACHE 7 CYCLE;
COMMENT ON SEQUENCE sales.tickets IS 'numbers';
GRANT USAGE ON SEQUENCE sales.tickets TO catalog_reader;

CREATE FUNCTION sales.tax(amount numeric, rate numeric DEFAULT 0.2) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT
  PARALLEL SAFE COST 7 AS 'SELECT amount * rate';
COMMENT ON FUNCTION sales.tax(numeric, numeric) IS 'what the state takes';
CREATE FUNCTION sales.twice(x integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN x * 2;
CREATE FUNCTION sales.noise() RETURNS double precision LANGUAGE sql VOLATILE SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp SET work_mem = '1MB' AS 'SELECT random()';
REVOKE EXECUTE ON FUNCTION sales.noise() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sales.noise() TO catalog_reader WITH GRANT OPTION;
CREATE FUNCTION sales.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := now(); RETURN NEW; END $$;
CREATE PROCEDURE sales.clean(INOUT n integer) LANGUAGE plpgsql AS $$ BEGIN n := 0; END $$;
CREATE FUNCTION sales.lines(OUT a integer, OUT b text) RETURNS SETOF record LANGUAGE sql ROWS 3 AS 'SELECT 1, ''x''';
CREATE FUNCTION sales.concat2(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1 || $2';
CREATE AGGREGATE sales.joined(text) (SFUNC = sales.concat2, STYPE = text, INITCOND = '');
COMMENT ON AGGREGATE sales.joined(text) IS 'all in one';

CREATE TABLE sales.customers (
  id bigint GENERATED ALWAYS AS IDENTITY (START 1000) PRIMARY KEY,
  email sales.email,
  name text COLLATE "C" NOT NULL,
  feels sales.mood DEFAULT 'happy',
  lives sales.address,
  score double precision DEFAULT random(),
  since timestamptz NOT NULL DEFAULT now(),
  at_midnight timestamp DEFAULT '2024-01-01 00:00+02'::timestamptz,
  waits interval DEFAULT '1 day 02:03:04',
  shouted text GENERATED ALWAYS AS (upper(name)) STORED,
  vip boolean NOT NULL DEFAULT false,
  note varchar(40),
  touched timestamptz,
  CONSTRAINT "name not ""empty"" at all" CHECK (name <> ''),
  CONSTRAINT customers_email_key UNIQUE (email) DEFERRABLE INITIALLY DEFERRED
) WITH (fillfactor = 80, autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE sales.customers ALTER COLUMN note SET STORAGE EXTERNAL;
ALTER TABLE sales.customers ALTER COLUMN note SET STATISTICS 500;
ALTER TABLE sales.customers ALTER COLUMN note SET (n_distinct = -0.5);
ALTER TABLE sales.customers ALTER COLUMN name SET COMPRESSION pglz;
COMMENT ON TABLE sales.customers IS 'those who buy';
COMMENT ON COLUMN sales.customers.email IS E'line one\\nline two [red]';
COMMENT ON CONSTRAINT "name not ""empty"" at all" ON sales.customers IS 'or who is it';
ALTER TABLE sales.customers ADD CONSTRAINT note_short CHECK (length(note) < 30) NOT VALID;
ALTER TABLE sales.customers DROP COLUMN note;
ALTER TABLE sales.customers ADD COLUMN note text;
GRANT SELECT, INSERT ON sales.customers TO catalog_reader;
GRANT UPDATE (name) ON sales.customers TO "Odd ""role""=/x" WITH GRANT OPTION;
CREATE INDEX customers_name ON sales.customers (lower(name) text_pattern_ops DESC NULLS LAST, vip) INCLUDE (id)
  WITH (fillfactor = 70) WHERE vip;
ALTER INDEX sales.customers_name ALTER COLUMN 1 SET STATISTICS 300;
COMMENT ON INDEX sales.customers_name IS 'for the search box';
CREATE UNIQUE INDEX customers_since ON sales.customers (since);
ALTER TABLE sales.customers REPLICA IDENTITY USING INDEX customers_since;
ALTER TABLE sales.customers CLUSTER ON customers_pkey;
CREATE STATISTICS sales.names_and_moods (dependencies) ON name, feels FROM sales.customers;
ALTER STATISTICS sales.names_and_moods SET STATISTICS 50;
COMMENT ON STATISTICS sales.names_and_moods IS 'they go together';
CREATE TRIGGER touch BEFORE UPDATE OF name ON sales.customers
  FOR EACH ROW WHEN (NEW.vip) EXECUTE FUNCTION sales.touch();
COMMENT ON TRIGGER touch ON sales.customers IS 'when';
ALTER TABLE sales.customers DISABLE TRIGGER touch;
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON sales.customers DEFERRABLE FOR EACH ROW EXECUTE FUNCTION sales.touch();
ALTER TABLE sales.customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE sales.customers FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON sales.customers FOR SELECT TO catalog_reader USING (name = current_user);
CREATE POLICY "no [bold]" ON sales.customers AS RESTRICTIVE FOR UPDATE USING (true) WITH CHECK (vip);
COMMENT ON POLICY mine ON sales.customers IS 'own rows';
CREATE RULE quiet AS ON DELETE TO sales.customers WHERE OLD.vip DO INSTEAD NOTHING;
COMMENT ON RULE quiet ON sales.customers IS 'never those';

CREATE TABLE sales.orders (
  id serial, customer_id bigint REFERENCES sales.customers ON UPDATE CASCADE ON DELETE SET NULL,
  placed date NOT NULL, total numeric(10, 2) DEFAULT 0, PRIMARY KEY (id, placed)
) PARTITION BY RANGE (placed);
CREATE INDEX orders_customer ON sales.orders (customer_id);
CREATE TABLE sales.orders_2024 PARTITION OF sales.orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE sales.orders_2025 PARTITION OF sales.orders (CONSTRAINT positive CHECK (total >= 0))
  FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (placed);
CREATE TABLE sales.orders_june PARTITION OF sales.orders_2025 FOR VALUES IN ('2025-06-01');
CREATE TABLE sales.orders_rest PARTITION OF sales.orders DEFAULT;
CREATE TABLE sales.order_lines (order_id integer, placed date, position smallint,
  FOREIGN KEY (order_id, placed) REFERENCES sales.orders MATCH FULL, PRIMARY KEY (order_id, position));
CREATE TABLE sales.hashed (a integer) PARTITION BY HASH (a, (a + 1));
CREATE TABLE sales.hashed_0 PARTITION OF sales.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);

CREATE TABLE sales.base (a integer NOT NULL, b text DEFAULT 'b', CONSTRAINT a_positive CHECK (a > 0));
CREATE TABLE sales.derived (b text DEFAULT 'c', c integer) INHERITS (sales.base);
CREATE UNLOGGED TABLE sales.cache (key text PRIMARY KEY, value jsonb);
CREATE TABLE sales.addresses OF sales.address (PRIMARY KEY (number));
CREATE TABLE sales.rooms (room integer, during tsrange, EXCLUDE USING gist (during WITH &&) WHERE (room > 0));

CREATE VIEW sales.vips WITH (security_barrier = true) AS SELECT id, name FROM sales.customers WHERE vip;
ALTER VIEW sales.vips ALTER COLUMN name SET DEFAULT 'nobody';
COMMENT ON VIEW sales.vips IS 'the few';
COMMENT ON COLUMN sales.vips.name IS 'of one of the few';
CREATE MATERIALIZED VIEW sales.totals AS SELECT customer_id, sum(total) AS total FROM sales.orders GROUP BY 1;
REVOKE USAGE ON TYPE sales.address FROM PUBLIC;
CREATE UNIQUE INDEX totals_key ON sales.totals (customer_id);

CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', dbname 'x');
CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (user 'u', password 'hunter2');
CREATE FOREIGN TABLE sales.remote (id integer OPTIONS (column_name 'i') NOT NULL) SERVER elsewhere
  OPTIONS (table_name 'r');

CREATE COLLATION sales.plain (provider = libc, locale = 'C');
CREATE FUNCTION sales.equal_moods(sales.mood, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1::text = $2';
CREATE OPERATOR sales.=== (LEFTARG = sales.mood, RIGHTARG = text, FUNCTION = sales.equal_moods);
CREATE FUNCTION sales.mood_number(sales.mood) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT length($1::text)';
CREATE CAST (sales.mood AS integer) WITH FUNCTION sales.mood_number(sales.mood) AS ASSIGNMENT;
CREATE OPERATOR FAMILY sales.kin USING btree;
CREATE FUNCTION sales.compare(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2';
CREATE OPERATOR CLASS sales.upside FOR TYPE integer USING btree FAMILY sales.kin AS
  OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 sales.compare(integer, integer);
CREATE TEXT SEARCH CONFIGURATION sales.words (COPY = pg_catalog.english);
CREATE TEXT SEARCH DICTIONARY sales.stops (TEMPLATE = pg_catalog.simple, STOPWORDS = english);
ALTER TEXT SEARCH CONFIGURATION sales.words ALTER MAPPING FOR asciiword WITH sales.stops, english_stem;
CREATE CONVERSION sales.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE PUBLICATION chosen FOR TABLE sales.base, sales.orders WITH (publish = 'insert, update');
CREATE FUNCTION sales.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('DROP TABLE', 'ALTER TABLE') EXECUTE FUNCTION sales.on_ddl();
ALTER EVENT TRIGGER watch DISABLE;
ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT SELECT ON TABLES TO catalog_reader;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE SCHEMA "Odd ""schema"".x";
CREATE TABLE "Odd ""schema"".x"."tab.le [red] \u202e\u001b[31m" (
  "col ""u""mn" integer PRIMARY KEY, "sélect" text, "order" int);
COMMENT ON TABLE "Odd ""schema"".x"."tab.le [red] \u202e\u001b[31m" IS 'hostile';
CREATE INDEX "in.dex [/]" ON "Odd ""schema"".x"."tab.le [red] \u202e\u001b[31m" ("sélect");
ALTER TABLE sales.base OWNER TO "Odd ""role""=/x";
"""

_SINCE_15 = """
CREATE TABLE sales.once (a integer UNIQUE NULLS NOT DISTINCT, b integer);
CREATE PUBLICATION filtered FOR TABLE sales.once (b, a) WHERE (a > 0);
CREATE PUBLICATION whole FOR TABLES IN SCHEMA sales;
CREATE VIEW sales.invoked WITH (security_invoker = true) AS SELECT 1 AS one;
"""

_SINCE_18 = """
CREATE TABLE sales.modern (a integer CONSTRAINT a_is_there NOT NULL, b integer,
  c integer GENERATED ALWAYS AS (a + 1) VIRTUAL,
  CONSTRAINT trust CHECK (b > 0) NOT ENFORCED, d integer);
ALTER TABLE sales.modern ADD CONSTRAINT d_there NOT NULL d NOT VALID;
COMMENT ON CONSTRAINT a_is_there ON sales.modern IS 'must be';
CREATE TABLE sales.bookings (room int4range, during tsrange, PRIMARY KEY (room, during WITHOUT OVERLAPS));
"""


def script(server_version_num: int) -> str:
    """``ROLES`` and ``rich_schema`` in one."""
    return ROLES + rich_schema(server_version_num)


def rich_schema(server_version_num: int) -> str:
    """The script for a server of this version. A superuser runs it, in an empty database, after ``ROLES``."""
    script = _EVERYWHERE
    if server_version_num >= 150000:
        script += _SINCE_15
    if server_version_num >= 180000:
        script += _SINCE_18
    return script
