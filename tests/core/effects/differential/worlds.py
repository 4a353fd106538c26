"""The worlds that forms run in. Each is a script for servers 14 to 18, run once a session by a superuser.

The big tables have some thousand rows and fresh statistics, so that a look-up by key is one by its index.
"""

from __future__ import annotations

SHOP = """
CREATE TYPE order_state AS ENUM ('new', 'paid', 'shipped');
CREATE DOMAIN plain_text AS text;
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE FUNCTION pick() RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 7';
CREATE FUNCTION steady() RETURNS integer LANGUAGE sql STABLE AS 'SELECT 7';
CREATE FUNCTION fixed(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT x + 1';
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE SEQUENCE tickets;
CREATE TABLE customers (
  id integer PRIMARY KEY, email text NOT NULL UNIQUE, name varchar(50), code char(4) DEFAULT 'abcd',
  score numeric(10, 2), age integer, big bigint, joined timestamp, seen timestamptz, born date,
  vip boolean DEFAULT false, tags text[], doc json, pause interval(3), net cidr, bits varbit(8),
  nothing text, twice integer GENERATED ALWAYS AS (age * 2) STORED
);
INSERT INTO customers (id, email, name, score, age, big, joined, seen, born, doc, net)
  SELECT i, 'm' || i, 'n' || i, i * 1.25, i % 90, i, timestamp '2024-01-01' + i * interval '1 hour',
         timestamptz '2024-01-01 00:00+00' + i * interval '1 hour', date '2000-01-01' + i, '{}', '10.0.0.0/24'
    FROM generate_series(1, 2000) i;
ALTER TABLE customers ADD CONSTRAINT age_range CHECK (age >= 0 AND age < 200);
ALTER TABLE customers ADD CONSTRAINT big_there CHECK (big IS NOT NULL);
ALTER TABLE customers ADD CONSTRAINT score_there CHECK (score IS NOT NULL) NOT VALID;
CREATE INDEX customers_name ON customers (name);
CREATE INDEX customers_age_score ON customers (age, score);
CREATE INDEX customers_lower ON customers (lower(email));
CREATE INDEX customers_young ON customers (born) WHERE age < 30;
CREATE UNIQUE INDEX customers_big ON customers (big);
CREATE INDEX customers_joined ON customers (joined);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id integer NOT NULL CONSTRAINT orders_customer REFERENCES customers ON DELETE CASCADE,
  state order_state DEFAULT 'new', total numeric(10, 2) CONSTRAINT total_positive CHECK (total >= 0),
  placed timestamptz DEFAULT now(), note text, qty positive, parent bigint CONSTRAINT orders_parent REFERENCES orders
);
INSERT INTO orders (customer_id, total, qty) SELECT 1 + i % 2000, i, 1 + i FROM generate_series(1, 3000) i;
CREATE INDEX orders_state ON orders (state);
CREATE TRIGGER stamp BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TABLE lines (
  order_id bigint CONSTRAINT lines_order REFERENCES orders ON DELETE CASCADE, position smallint, label varchar(20),
  price integer, PRIMARY KEY (order_id, position)
);
INSERT INTO lines SELECT 1 + i % 3000, i / 3000, 'l' || i, i FROM generate_series(1, 5000) i;
CREATE TABLE reviews (id serial PRIMARY KEY, customer_id integer, stars integer, body text);
INSERT INTO reviews (customer_id, stars, body) SELECT 1 + i % 2000, i % 5, 'b' FROM generate_series(1, 2000) i;
ALTER TABLE reviews ADD CONSTRAINT reviews_customer FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;
ALTER TABLE reviews ADD CONSTRAINT stars_range CHECK (stars >= 0) NOT VALID;
CREATE TABLE plain (a integer, b text, c integer, d numeric, during int4range);
INSERT INTO plain SELECT i, 'b' || i, i, i, int4range(i, i + 1) FROM generate_series(1, 1000) i;
CREATE TABLE empty (a integer, b text);
CREATE UNLOGGED TABLE cache (key text PRIMARY KEY, value text);
INSERT INTO cache SELECT i, 'v' FROM generate_series(1, 100) i;
CREATE TABLE audit (at timestamptz, what text);
CREATE TABLE ready (a integer NOT NULL, b integer NOT NULL, c integer, d integer);
INSERT INTO ready SELECT i, i, i, i FROM generate_series(1, 1000) i;
CREATE UNIQUE INDEX ready_a ON ready (a);
CREATE UNIQUE INDEX ready_c ON ready (c);
CREATE UNIQUE INDEX ready_some ON ready (d) WHERE d > 10;
CREATE INDEX ready_b ON ready (b);
ALTER TABLE ready CLUSTER ON ready_a;
CREATE VIEW order_totals AS SELECT c.id, c.name, sum(o.total) AS total
  FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.id;
CREATE VIEW big_totals AS SELECT * FROM order_totals WHERE total > 100;
CREATE VIEW open_orders AS SELECT id, customer_id, note FROM orders WHERE state = 'new';
CREATE MATERIALIZED VIEW spending AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id;
CREATE UNIQUE INDEX spending_key ON spending (customer_id);
CREATE MATERIALIZED VIEW stars AS SELECT stars, count(*) AS n FROM reviews GROUP BY stars;
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS one WITH NO DATA;
ANALYZE;
"""

PARTITIONS = """
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE kinds (id integer PRIMARY KEY);
INSERT INTO kinds SELECT i FROM generate_series(0, 9) i;
CREATE TABLE events (id integer NOT NULL, day date NOT NULL, kind integer, note text, amount numeric(10, 2),
  CONSTRAINT amount_positive CHECK (amount >= 0)) PARTITION BY RANGE (day);
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (kind);
CREATE TABLE events_2024_a PARTITION OF events_2024 FOR VALUES IN (0, 1, 2);
CREATE TABLE events_2024_b PARTITION OF events_2024 DEFAULT;
CREATE TABLE events_rest PARTITION OF events DEFAULT;
INSERT INTO events SELECT i, date '2023-01-01' + i, i % 10, 'n' || i, i FROM generate_series(1, 1200) i;
CREATE INDEX events_kind ON events (kind);
CREATE UNIQUE INDEX events_key ON events (id, day, kind);
CREATE INDEX events_2023_note ON events_2023 (note);
CREATE TABLE event_refs (id integer, event integer, day date, kind integer,
  CONSTRAINT refs_event FOREIGN KEY (event, day, kind) REFERENCES events (id, day, kind));
INSERT INTO event_refs SELECT id, id, day, kind FROM events WHERE day < '2024-01-01';
CREATE TABLE loose (id integer NOT NULL, day date NOT NULL, kind integer, note text, amount numeric(10, 2));
INSERT INTO loose SELECT i, date '2030-01-01' + i, i % 10, 'n', i FROM generate_series(1, 100) i;
CREATE TABLE fitting (LIKE loose, CONSTRAINT amount_positive CHECK (amount >= 0));
ALTER TABLE fitting ADD CONSTRAINT in_2031 CHECK (day >= '2031-01-01' AND day < '2032-01-01');
CREATE TABLE shards (id integer, v text) PARTITION BY HASH (id);
CREATE TABLE shards_0 PARTITION OF shards FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shards_1 PARTITION OF shards FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO shards SELECT i, 'v' FROM generate_series(1, 500) i;
CREATE INDEX shards_v ON ONLY shards (v);
CREATE INDEX shards_0_v ON shards_0 (v);
CREATE TABLE lists (id integer, state text, v integer) PARTITION BY LIST (state);
CREATE TABLE lists_a PARTITION OF lists FOR VALUES IN ('a');
CREATE TABLE lists_b PARTITION OF lists FOR VALUES IN ('b');
INSERT INTO lists SELECT i, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END, i FROM generate_series(1, 300) i;
CREATE TABLE lists_c (id integer, state text, v integer);
INSERT INTO lists_c SELECT i, 'c', i FROM generate_series(1, 50) i;
CREATE INDEX lists_c_v ON lists_c (v);
CREATE TABLE hollow (id integer, day date) PARTITION BY RANGE (day);
CREATE TABLE keyed (id integer, day date, ref integer REFERENCES kinds, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE keyed_1 PARTITION OF keyed FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE keyed_2 (id integer NOT NULL, day date NOT NULL, ref integer);
CREATE TRIGGER stamped BEFORE INSERT ON lists FOR EACH ROW EXECUTE FUNCTION stamp();
ANALYZE;
"""

FAMILY = """
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE things (id integer NOT NULL, label varchar(20), size integer CONSTRAINT size_ok CHECK (size > 0));
CREATE TABLE tools (weight integer) INHERITS (things);
CREATE TABLE drills (speed integer) INHERITS (tools);
CREATE TABLE toys (age integer) INHERITS (things);
CREATE TABLE orphan (id integer NOT NULL, label varchar(20), size integer CONSTRAINT size_ok CHECK (size > 0),
  x integer);
CREATE TABLE misfit (id text);
INSERT INTO things SELECT i, 'l', i FROM generate_series(1, 100) i;
INSERT INTO tools SELECT i, 'l', i, i FROM generate_series(1, 100) i;
INSERT INTO drills SELECT i, 'l', i, i, i FROM generate_series(1, 100) i;
INSERT INTO toys SELECT i, 'l', i, i FROM generate_series(1, 100) i;
CREATE INDEX tools_size ON tools (size);
CREATE INDEX things_label ON things (label);
ANALYZE;
"""

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE address AS (street text, number integer);
CREATE TYPE span AS RANGE (subtype = integer);
CREATE DOMAIN quantity AS integer CONSTRAINT positive CHECK (VALUE > 0) DEFAULT 1;
CREATE DOMAIN small_quantity AS quantity CHECK (VALUE < 1000);
CREATE DOMAIN label AS text;
CREATE DOMAIN checked AS integer;
ALTER DOMAIN checked ADD CONSTRAINT later CHECK (VALUE > 0) NOT VALID;
CREATE DOMAIN unused AS text;
CREATE TABLE stock (id integer PRIMARY KEY, qty quantity, few small_quantity, name label, feels mood, at address,
  sold span, state checked);
INSERT INTO stock SELECT i, i, 1 + i % 900, 'n', 'ok', ('s', i)::address, int4range(i, i + 2)::text::span, 1
  FROM generate_series(1, 500) i;
CREATE TABLE history (id integer, qty quantity, kept text) PARTITION BY RANGE (id);
CREATE TABLE history_1 PARTITION OF history FOR VALUES FROM (0) TO (1000);
INSERT INTO history SELECT i, i, 'x' FROM generate_series(1, 100) i;
CREATE TABLE houses OF address;
INSERT INTO houses SELECT 's', i FROM generate_series(1, 100) i;
CREATE INDEX stock_feels ON stock (feels);
CREATE VIEW moods AS SELECT id, feels FROM stock;
CREATE MATERIALIZED VIEW quantities AS SELECT id, qty FROM stock;
CREATE FUNCTION glad(mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1::text = 'happy' $$;
CREATE COLLATION folded FROM "C";
CREATE TABLE words (w text COLLATE folded);
ANALYZE;
"""

TYPES_IN_ROWS = (
    TYPES
    + """
CREATE TABLE copies (a stock, b address[], c label[]);
INSERT INTO copies SELECT s, ARRAY[s.at] FROM stock s;
"""
)
"""Types that other types hold, which keeps the server from altering them."""

PLACES = """
CREATE SCHEMA app;
CREATE SCHEMA "Odd Place";
CREATE TABLE t (id integer PRIMARY KEY, v text);
INSERT INTO t SELECT i, 'v' FROM generate_series(1, 100) i;
CREATE TABLE app.t (id integer PRIMARY KEY, v text, other integer CONSTRAINT to_public REFERENCES public.t);
INSERT INTO app.t SELECT i, 'v', i FROM generate_series(1, 100) i;
CREATE TABLE app.only_here (a integer, b text);
INSERT INTO app.only_here SELECT i, 'b' FROM generate_series(1, 100) i;
CREATE SEQUENCE app.numbers;
CREATE VIEW app.v AS SELECT id, v FROM app.t;
CREATE FUNCTION app.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TYPE app.kind AS ENUM ('a', 'b');
CREATE TABLE app.kinds (k app.kind);
CREATE TABLE "Odd Place"."Order Lines" ("Id" integer PRIMARY KEY, "select" text, "a""b" integer);
INSERT INTO "Odd Place"."Order Lines" SELECT i, 's', i FROM generate_series(1, 100) i;
CREATE INDEX "Odd.Index" ON "Odd Place"."Order Lines" ("select");
CREATE VIEW public."Über" AS SELECT "Id" FROM "Odd Place"."Order Lines";
CREATE TABLE public."user" ("order" integer, "Name" text);
CREATE TABLE crossing (id integer, line integer CONSTRAINT to_lines REFERENCES "Odd Place"."Order Lines");
INSERT INTO crossing SELECT i, i FROM generate_series(1, 100) i;
ANALYZE;
"""

OFFICE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'differential_clerk') THEN CREATE ROLE differential_clerk; END IF;
END $$;
CREATE SCHEMA archive;
CREATE SCHEMA owned;
CREATE TABLE accounts (id serial PRIMARY KEY, owner text, balance numeric);
INSERT INTO accounts (owner, balance) SELECT 'o' || i, i FROM generate_series(1, 100) i;
CREATE TABLE entries (id integer GENERATED BY DEFAULT AS IDENTITY, account integer REFERENCES accounts, amount numeric);
CREATE TABLE owned.papers (id integer PRIMARY KEY, body text);
INSERT INTO owned.papers SELECT i, 'b' FROM generate_series(1, 100) i;
ALTER TABLE owned.papers OWNER TO differential_clerk;
CREATE SEQUENCE owned.numbers;
ALTER SEQUENCE owned.numbers OWNER TO differential_clerk;
CREATE VIEW balances AS SELECT owner, balance FROM accounts;
CREATE MATERIALIZED VIEW totals AS SELECT sum(balance) AS total FROM accounts;
CREATE SEQUENCE invoices START 10;
CREATE SEQUENCE receipts;
ALTER SEQUENCE receipts OWNED BY accounts.id;
CREATE FUNCTION fee(amount numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT amount * 0.01';
CREATE FUNCTION fee(amount integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT amount / 100';
CREATE FUNCTION used(amount numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT amount';
CREATE TABLE with_used (amount numeric DEFAULT used(1), CONSTRAINT c CHECK (used(amount) > 0));
CREATE INDEX with_used_ix ON with_used (used(amount));
CREATE VIEW fees AS SELECT id, fee(balance) AS fee FROM accounts;
CREATE PROCEDURE tidy() LANGUAGE sql AS 'DELETE FROM entries WHERE amount = 0';
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE AGGREGATE largest(integer) (SFUNC = int4larger, STYPE = integer);
CREATE TRIGGER noted BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER also AFTER DELETE ON accounts FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE FUNCTION into_view() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER instead INSTEAD OF INSERT ON balances FOR EACH ROW EXECUTE FUNCTION into_view();
CREATE RULE keep AS ON DELETE TO entries DO INSTEAD NOTHING;
CREATE POLICY mine ON accounts USING (owner = current_user);
CREATE POLICY others ON accounts FOR SELECT USING (EXISTS (SELECT 1 FROM entries e WHERE e.account = accounts.id));
CREATE STATISTICS pairs ON owner, balance FROM accounts;
CREATE PUBLICATION news FOR TABLE accounts;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE remote (id integer, v text) SERVER far;
CREATE EXTENSION citext;
CREATE TABLE mails (id integer PRIMARY KEY, address citext, plain text);
INSERT INTO mails SELECT i, 'a' || i, 'p' FROM generate_series(1, 100) i;
CREATE INDEX mails_address ON mails (address);
CREATE OPERATOR ### (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4pl);
CREATE TEXT SEARCH CONFIGURATION wording (COPY = pg_catalog.english);
CREATE TEXT SEARCH DICTIONARY stops (TEMPLATE = pg_catalog.simple);
GRANT SELECT ON accounts TO differential_clerk;
ANALYZE;
"""

BONDS = """
CREATE TYPE grade AS ENUM ('low', 'high');
CREATE TYPE pair AS (a integer, b integer);
CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100);
CREATE FUNCTION graded(grade) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION doubled(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE FUNCTION initial() RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION allowed(integer) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT true';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION listed() RETURNS SETOF pair LANGUAGE sql AS 'SELECT 1, 2';
CREATE SEQUENCE numbers;
CREATE TABLE teams (id integer PRIMARY KEY, label text, level grade DEFAULT 'low', share percent);
INSERT INTO teams SELECT i, 'l' || i, 'low', i % 100 FROM generate_series(1, 500) i;
CREATE TABLE members (
  id integer PRIMARY KEY DEFAULT nextval('numbers'), team integer CONSTRAINT members_team REFERENCES teams,
  score integer DEFAULT initial(), twice integer GENERATED ALWAYS AS (doubled(id)) STORED,
  CONSTRAINT doubled_ok CHECK (doubled(score) >= 0), ends pair, level grade
);
INSERT INTO members (id, team, level) SELECT i, i, 'low' FROM generate_series(1, 500) i;
CREATE INDEX members_graded ON members (graded(level));
CREATE INDEX members_doubled ON members (doubled(score));
CREATE TABLE borrowed (id integer DEFAULT nextval('numbers'), team integer);
INSERT INTO borrowed (team) SELECT i FROM generate_series(1, 100) i;
CREATE POLICY of_team ON borrowed USING (team IN (SELECT id FROM teams));
CREATE POLICY by_function ON members USING (allowed(id));
CREATE TRIGGER touched BEFORE UPDATE ON members FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER touched BEFORE UPDATE ON borrowed FOR EACH ROW WHEN (NEW.team > 0) EXECUTE FUNCTION touch();
CREATE RULE mirror AS ON INSERT TO borrowed DO ALSO UPDATE teams SET label = 'x' WHERE id = NEW.team;
CREATE VIEW first AS SELECT id, label FROM teams;
CREATE VIEW second AS SELECT f.label, m.score FROM first f JOIN members m ON m.team = f.id;
CREATE MATERIALIZED VIEW third AS SELECT label, count(*) AS n FROM second GROUP BY label;
CREATE UNIQUE INDEX third_key ON third (label);
CREATE VIEW fourth AS SELECT * FROM third;
CREATE VIEW graded_view AS SELECT graded(level) AS g FROM teams;
CREATE VIEW of_rows AS SELECT t FROM teams t;
CREATE VIEW of_function AS SELECT * FROM listed();
CREATE TABLE loop_a (id integer PRIMARY KEY, b integer);
CREATE TABLE loop_b (id integer PRIMARY KEY, a integer CONSTRAINT to_a REFERENCES loop_a);
ALTER TABLE loop_a ADD CONSTRAINT to_b FOREIGN KEY (b) REFERENCES loop_b;
INSERT INTO loop_a SELECT i FROM generate_series(1, 100) i;
INSERT INTO loop_b SELECT i, i FROM generate_series(1, 100) i;
CREATE TABLE pages (id integer, region text, team integer CONSTRAINT pages_team REFERENCES teams)
  PARTITION BY LIST (region);
CREATE TABLE pages_eu PARTITION OF pages FOR VALUES IN ('eu');
CREATE TABLE pages_rest PARTITION OF pages DEFAULT;
INSERT INTO pages SELECT i, CASE i % 2 WHEN 0 THEN 'eu' ELSE 'us' END, 1 + i % 100 FROM generate_series(1, 200) i;
CREATE INDEX pages_id ON pages (id);
CREATE VIEW page_teams AS SELECT p.id, t.label FROM pages p JOIN teams t ON t.id = p.team;
CREATE STATISTICS members_stats ON team, score FROM members;
CREATE PUBLICATION news FOR TABLE teams, members;
ANALYZE;
"""

TREE = """
CREATE TABLE targets (id integer, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE targets_1 PARTITION OF targets FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE targets_2 PARTITION OF targets FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY RANGE (id);
CREATE TABLE targets_2a PARTITION OF targets_2 FOR VALUES FROM (0) TO (1000);
INSERT INTO targets SELECT i, date '2024-01-01' + i FROM generate_series(1, 600) i;
CREATE TABLE users (kind integer, id integer, day date, number serial,
  CONSTRAINT to_targets FOREIGN KEY (id, day) REFERENCES targets) PARTITION BY LIST (kind);
CREATE TABLE users_1 PARTITION OF users FOR VALUES IN (1);
CREATE TABLE users_2 PARTITION OF users FOR VALUES IN (2) PARTITION BY RANGE (id);
CREATE TABLE users_2a PARTITION OF users_2 FOR VALUES FROM (0) TO (1000);
INSERT INTO users SELECT 1 + i % 2, i, date '2024-01-01' + i FROM generate_series(1, 600) i;
CREATE TABLE simple_user (id integer, day date,
  CONSTRAINT from_simple FOREIGN KEY (id, day) REFERENCES targets ON DELETE CASCADE);
INSERT INTO simple_user SELECT i, date '2024-01-01' + i FROM generate_series(1, 600) i;
CREATE TABLE alike (LIKE users INCLUDING DEFAULTS,
  CONSTRAINT to_targets FOREIGN KEY (id, day) REFERENCES targets);
CREATE TABLE bare (id integer, day date NOT NULL);
CREATE INDEX users_day ON ONLY users (day);
CREATE INDEX users_1_day ON users_1 (day DESC);
CREATE INDEX users_1_id ON users_1 (id);
CREATE INDEX users_1_some ON users_1 (day) WHERE id > 5;
CREATE INDEX users_id ON users (id);
ANALYZE;
"""
"""Partitions of partitions on both sides of a foreign key."""
