"""Views and materialized views."""

from __future__ import annotations

from tests.core.effects.differential.form import group
from tests.core.effects.differential.worlds import SHOP

FORMS = (
    *group(
        "view",
        SHOP,
        {
            "create": "CREATE VIEW v AS SELECT id, name FROM customers",
            "create of a join": "CREATE VIEW v AS SELECT c.id FROM customers c JOIN orders o ON o.customer_id = c.id",
            "create of a view": "CREATE VIEW v AS SELECT * FROM big_totals",
            "create with a sub-query": "CREATE VIEW v AS SELECT (SELECT max(total) FROM orders) m, id FROM customers",
            "create with a CTE": "CREATE VIEW v AS WITH x AS (SELECT id FROM orders) SELECT * FROM x",
            "create of a materialized view": "CREATE VIEW v AS SELECT * FROM spending",
            "create without tables": "CREATE VIEW v AS SELECT 1 AS one",
            "create of unknown": "CREATE VIEW v AS SELECT * FROM nonesuch",
            "create of unknown column": "CREATE VIEW v AS SELECT nonesuch FROM customers",
            "create there": "CREATE VIEW open_orders AS SELECT 1 AS one",
            "create recursive": "CREATE RECURSIVE VIEW v (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM v WHERE n < 5",
            "create temporary": "CREATE TEMP VIEW v AS SELECT id FROM customers",
            "create of a sequence": "CREATE VIEW v AS SELECT last_value FROM tickets",
            "replace, new": "CREATE OR REPLACE VIEW v AS SELECT id FROM customers",
            "replace": "CREATE OR REPLACE VIEW open_orders AS SELECT id, customer_id, note FROM orders",
            "replace with more columns": "CREATE OR REPLACE VIEW open_orders AS "
            "SELECT id, customer_id, note, total FROM orders",
            "replace with another table": "CREATE OR REPLACE VIEW open_orders AS "
            "SELECT o.id, o.customer_id, c.name::text AS note FROM orders o JOIN customers c ON c.id = o.customer_id",
            "replace with fewer columns": "CREATE OR REPLACE VIEW open_orders AS SELECT id FROM orders",
            "replace with another type": "CREATE OR REPLACE VIEW open_orders AS "
            "SELECT id::text AS id, customer_id, note FROM orders",
            "replace with another name": "CREATE OR REPLACE VIEW open_orders AS "
            "SELECT id AS number, customer_id, note FROM orders",
            "replace a table": "CREATE OR REPLACE VIEW orders AS SELECT 1 AS one",
            "drop": "DROP VIEW open_orders",
            "drop used": "DROP VIEW order_totals",
            "drop used, cascade": "DROP VIEW order_totals CASCADE",
            "drop unknown": "DROP VIEW nonesuch",
            "drop unknown, if exists": "DROP VIEW IF EXISTS nonesuch",
            "drop a table as view": "DROP VIEW orders",
            "drop a table as view, if exists": "DROP VIEW IF EXISTS orders",
            "drop two": "DROP VIEW big_totals, order_totals",
            "options": "ALTER VIEW open_orders SET (security_barrier = true)",
            "owner": "ALTER VIEW open_orders OWNER TO CURRENT_USER",
            "schema": "CREATE SCHEMA s; ALTER VIEW open_orders SET SCHEMA s",
            "comment": "COMMENT ON VIEW open_orders IS 'x'",
            "table of which is dropped": "DROP TABLE lines; DROP VIEW open_orders",
            "drop table used": "DROP TABLE customers",
            "drop table used, cascade": "DROP TABLE customers CASCADE",
            "drop, alter, create": "DROP VIEW open_orders; ALTER TABLE orders ALTER COLUMN note TYPE varchar(100); "
            "CREATE VIEW open_orders AS SELECT id, customer_id, note FROM orders WHERE state = 'new'",
            "table renamed": "ALTER TABLE orders RENAME TO purchases; SELECT count(*) FROM open_orders",
        },
    ),
    *group(
        "materialized view",
        SHOP,
        {
            "create": "CREATE MATERIALIZED VIEW m AS SELECT age, count(*) FROM customers GROUP BY age",
            "create with no data": "CREATE MATERIALIZED VIEW m AS SELECT age, count(*) FROM customers GROUP BY age "
            "WITH NO DATA",
            "create if not exists, there": "CREATE MATERIALIZED VIEW IF NOT EXISTS stars AS SELECT 1 AS one",
            "create there": "CREATE MATERIALIZED VIEW stars AS SELECT 1 AS one",
            "create of a join": "CREATE MATERIALIZED VIEW m AS "
            "SELECT c.id FROM customers c, orders o WHERE c.id = o.customer_id",
            "create of a view": "CREATE MATERIALIZED VIEW m AS SELECT * FROM order_totals",
            "refresh": "REFRESH MATERIALIZED VIEW spending",
            "refresh without index": "REFRESH MATERIALIZED VIEW stars",
            "refresh with no data": "REFRESH MATERIALIZED VIEW spending WITH NO DATA",
            "refresh concurrently": "REFRESH MATERIALIZED VIEW CONCURRENTLY spending",
            "refresh concurrently without unique index": "REFRESH MATERIALIZED VIEW CONCURRENTLY stars",
            "refresh concurrently unfilled": "REFRESH MATERIALIZED VIEW CONCURRENTLY unfilled",
            "refresh unfilled": "REFRESH MATERIALIZED VIEW unfilled",
            "refresh a view": "REFRESH MATERIALIZED VIEW open_orders",
            "refresh unknown": "REFRESH MATERIALIZED VIEW nonesuch",
            "drop": "DROP MATERIALIZED VIEW spending",
            "drop as view": "DROP VIEW spending",
            "options": "ALTER MATERIALIZED VIEW spending SET (fillfactor = 70)",
            "cluster on": "ALTER MATERIALIZED VIEW spending CLUSTER ON spending_key",
            "rename": "ALTER MATERIALIZED VIEW spending RENAME TO spent",
            "statistics": "ALTER MATERIALIZED VIEW spending ALTER COLUMN total SET STATISTICS 10",
            "index": "CREATE UNIQUE INDEX ix ON stars (stars); REFRESH MATERIALIZED VIEW CONCURRENTLY stars",
            "source dropped": "DROP TABLE reviews CASCADE",
        },
    ),
)
