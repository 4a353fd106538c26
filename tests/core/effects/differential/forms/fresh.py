"""Queries and writes on tables that were filled and never analyzed, as migrations' own tests mostly find them."""

from __future__ import annotations

from tests.core.effects.differential.form import group

FRESH = """
CREATE TABLE t (id integer PRIMARY KEY, a integer, b text, c varchar(50), n numeric(10, 2), ts timestamp, flag boolean,
  p_id integer);
INSERT INTO t SELECT i, i % 100, 'b' || i, 'c' || i, i, timestamp '2024-01-01' + i * interval '1 hour', i % 2 = 0,
  1 + i % 10 FROM generate_series(1, 1000) i;
CREATE INDEX t_a ON t (a);
CREATE INDEX t_flag ON t (flag);
CREATE INDEX t_ts ON t (ts);
CREATE INDEX t_b_c ON t (b, c);
CREATE INDEX t_open ON t (c) WHERE flag;
CREATE TABLE p (id integer PRIMARY KEY, name text);
INSERT INTO p SELECT i, 'p' || i FROM generate_series(1, 10) i;
CREATE TABLE child (id integer PRIMARY KEY, p_id integer REFERENCES p ON DELETE CASCADE);
INSERT INTO child SELECT i, 1 + i % 10 FROM generate_series(1, 1000) i;
CREATE TABLE owned (id serial PRIMARY KEY, t_id integer REFERENCES t ON DELETE SET NULL);
INSERT INTO owned (t_id) SELECT i FROM generate_series(1, 500) i;
CREATE INDEX owned_t ON owned (t_id);
CREATE TABLE strict (id integer PRIMARY KEY, t_id integer REFERENCES t ON UPDATE CASCADE);
CREATE TABLE bare (k integer, v text);
INSERT INTO bare SELECT i, 'v' FROM generate_series(1, 20) i;
CREATE TABLE nobody (id integer PRIMARY KEY, v text);
CREATE TABLE secret (id integer PRIMARY KEY, owner text);
INSERT INTO secret SELECT i, 'o' FROM generate_series(1, 100) i;
CREATE TABLE docs (id integer PRIMARY KEY, doc jsonb, tags text[]);
INSERT INTO docs SELECT i, '{"k": 1}', '{a}' FROM generate_series(1, 500) i;
CREATE INDEX docs_doc ON docs USING gin (doc);
CREATE VIEW names AS SELECT p.id, p.name FROM p WHERE p.id > 0;
CREATE VIEW both_of AS SELECT t.id, p.name FROM t JOIN p ON p.id = t.p_id;
"""

FORMS = group(
    "fresh",
    FRESH,
    {
        "by key": "SELECT * FROM t WHERE id = 7",
        "by key of a small one": "SELECT * FROM p WHERE id = 7",
        "by index": "SELECT * FROM t WHERE a = 7",
        "by boolean": "SELECT * FROM t WHERE flag",
        "by not boolean": "SELECT * FROM t WHERE NOT flag",
        "by unindexed": "SELECT * FROM t WHERE n = 7",
        "greater": "SELECT * FROM t WHERE id > 500",
        "greater of a small one": "SELECT * FROM p WHERE id > 5",
        "between": "SELECT * FROM t WHERE id BETWEEN 5 AND 500",
        "a range of times": "SELECT * FROM t WHERE ts >= '2024-01-05' AND ts < '2024-01-06'",
        "older than": "DELETE FROM t WHERE ts < '2024-01-05'",
        "is null": "SELECT * FROM t WHERE a IS NULL",
        "is not null": "SELECT * FROM t WHERE a IS NOT NULL",
        "null of unindexed": "UPDATE t SET n = 0 WHERE n IS NOT NULL",
        "in": "SELECT * FROM t WHERE id IN (1, 2, 3)",
        "like": "SELECT * FROM t WHERE b LIKE '%7'",
        "first of two": "SELECT * FROM t WHERE b = 'b7'",
        "second of two": "SELECT * FROM t WHERE c = 'c7'",
        "both of two": "SELECT * FROM t WHERE b = 'b7' AND c = 'c7'",
        "partial": "SELECT * FROM t WHERE c = 'c7' AND flag",
        "different": "SELECT * FROM t WHERE id <> 7",
        "or": "SELECT * FROM t WHERE id = 7 OR a = 3",
        "cast": "SELECT * FROM t WHERE id::text = '7'",
        "function": "SELECT * FROM t WHERE lower(b) = 'b7'",
        "json": "SELECT * FROM docs WHERE doc @> '{\"k\": 2}'",
        "array": "SELECT * FROM docs WHERE tags @> '{b}'",
        "limit": "SELECT * FROM t LIMIT 5",
        "order and limit": "SELECT * FROM t ORDER BY id DESC LIMIT 5",
        "order by unindexed and limit": "SELECT * FROM t ORDER BY n LIMIT 5",
        "min and max": "SELECT min(id), max(id) FROM t",
        "coalesce max": "SELECT coalesce(max(id), 0) + 1 FROM t",
        "max of unindexed": "SELECT max(n) FROM t",
        "count": "SELECT count(*) FROM t",
        "distinct": "SELECT DISTINCT a FROM t",
        "group by": "SELECT p_id, count(*) FROM t GROUP BY p_id",
        "join": "SELECT * FROM t JOIN p ON p.id = t.p_id",
        "join by key": "SELECT * FROM t JOIN p ON p.id = t.p_id WHERE t.id = 7",
        "comma join": "SELECT * FROM t, p WHERE p.id = t.p_id AND t.id = 7",
        "view": "SELECT * FROM names WHERE id = 3",
        "join in a view": "SELECT * FROM both_of WHERE id = 3",
        "update all": "UPDATE t SET flag = true",
        "update by key": "UPDATE t SET flag = true WHERE id = 5",
        "update half": "UPDATE t SET flag = true WHERE id < 500",
        "update from": "UPDATE t SET b = p.name FROM p WHERE p.id = t.p_id",
        "update from values": "UPDATE t SET b = v.b FROM (VALUES (1, 'x'), (2, 'y')) AS v (id, b) WHERE t.id = v.id",
        "update a referenced key": "UPDATE t SET id = 5000 WHERE id = 1000",
        "update of a foreign key": "UPDATE child SET p_id = 3 WHERE id = 7",
        "update of a foreign key to null": "UPDATE child SET p_id = NULL WHERE id = 7",
        "update a small one": "UPDATE bare SET v = 'w' WHERE k = 3",
        "update nobody": "UPDATE nobody SET v = 'w'",
        "update through a view": "UPDATE names SET name = 'x' WHERE id = 3",
        "delete all children": "DELETE FROM child",
        "delete cascading": "DELETE FROM p WHERE id = 3",
        "delete setting null": "DELETE FROM t WHERE id = 3",
        "delete in": "DELETE FROM child WHERE p_id IN (SELECT id FROM p WHERE name = 'p3')",
        "delete using": "DELETE FROM child USING p WHERE p.id = child.p_id AND p.name = 'p3'",
        "delete nobody": "DELETE FROM nobody",
        "insert": "INSERT INTO bare VALUES (21, 'x')",
        "insert serial": "INSERT INTO owned (t_id) VALUES (5)",
        "insert several": "INSERT INTO child VALUES (2001, 1), (2002, 2)",
        "insert select": "INSERT INTO nobody SELECT id, b FROM t",
        "insert select join": "INSERT INTO bare SELECT t.id, p.name FROM t JOIN p ON p.id = t.p_id",
        "insert where not exists": "INSERT INTO bare (k, v) SELECT 1, 'x' WHERE NOT EXISTS "
        "(SELECT 1 FROM bare WHERE k = 99)",
        "upsert": "INSERT INTO p VALUES (3, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        "truncate and fill": "TRUNCATE bare; INSERT INTO bare SELECT id, name FROM p",
        "copy": "COPY bare FROM STDIN;\n1\tx\n\\.\n",
        "copy into a child": "COPY child (id, p_id) FROM STDIN;\n3001\t1\n\\.\n",
        "copy nothing": "COPY bare FROM STDIN;\n\\.\n",
        "row lock": "SELECT * FROM t WHERE id = 1 FOR UPDATE",
        "row lock of all": "SELECT id FROM bare FOR NO KEY UPDATE SKIP LOCKED",
        "lock, then update": "SELECT 1 FROM t WHERE id = 1 FOR UPDATE; UPDATE t SET a = 2 WHERE id = 1",
        "batch": "WITH batch AS (SELECT id FROM t WHERE flag IS NULL LIMIT 100) "
        "UPDATE t SET flag = false FROM batch WHERE t.id = batch.id",
        "moved rows": "WITH moved AS (DELETE FROM bare RETURNING *) INSERT INTO nobody SELECT * FROM moved",
        "new table filled": "CREATE TABLE made AS SELECT * FROM bare; UPDATE made SET v = 'x'; DELETE FROM made",
        "new column filled": "ALTER TABLE bare ADD COLUMN w text; UPDATE bare SET w = v WHERE w IS NULL",
        "backfill in a block": "DO $$ BEGIN FOR i IN 1..3 LOOP UPDATE t SET flag = true WHERE id = i; END LOOP; END $$",
        "advisory lock": "SELECT pg_advisory_xact_lock(1)",
        "sleep": "SELECT pg_sleep(0)",
        "set_config": "SELECT set_config('work_mem', '1MB', true)",
    },
)
