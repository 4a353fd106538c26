"""Queries that the server refuses for what they give, group, sort or unite; and those beside them that it takes."""

from __future__ import annotations

from tests.core.effects.differential.form import group
from tests.core.effects.differential.worlds import SHOP

_COUNTED = "CREATE VIEW v AS SELECT {} FROM customers"

FORMS = (
    *group(
        "columns of a view",
        SHOP,
        {
            "twice": "CREATE VIEW v AS SELECT c.id, o.id FROM customers c, orders o",
            "twice, named": "CREATE VIEW v (a, b) AS SELECT c.id, o.id FROM customers c, orders o",
            "too many names": "CREATE VIEW v (a, b, c) AS SELECT c.id, o.id FROM customers c, orders o",
            "a star twice": "CREATE VIEW v AS SELECT * FROM orders JOIN reviews ON true",
            "a star of a join": "CREATE VIEW v AS SELECT * FROM lines JOIN ready ON true",
            "without names": "CREATE VIEW v AS SELECT 1, 2",
            "named after what is in them": "CREATE VIEW v AS SELECT (SELECT max(id) FROM orders), nullif(age, 1),"
            " age::text, CASE WHEN vip THEN 1 ELSE big END, CASE WHEN vip THEN 1 END, 5::text FROM customers",
            "of a table": "CREATE TABLE n AS SELECT id, id FROM customers",
            "of a table, too many": "CREATE TABLE n (a, b) AS SELECT id FROM customers",
            "ambiguous": "CREATE VIEW v AS SELECT id FROM customers, orders",
            "merged": "CREATE VIEW v AS SELECT customer_id FROM orders JOIN reviews USING (customer_id)",
            "ambiguous in update": "UPDATE plain SET a = age FROM customers, orders WHERE id = a",
        },
    ),
    *group(
        "grouped",
        SHOP,
        {
            "by nothing": _COUNTED.format("name, count(*)"),
            "by the key": _COUNTED.format("name, count(*)") + " GROUP BY id",
            "by another": _COUNTED.format("name, count(*)") + " GROUP BY age",
            "by place": _COUNTED.format("name, count(*)") + " GROUP BY 1",
            "by an expression": _COUNTED.format("upper(name) || 'x', count(*)") + " GROUP BY upper(name)",
            "by an alias": _COUNTED.format("upper(name) AS u, count(*)") + " GROUP BY u",
            "a star by the key": "CREATE VIEW v AS SELECT c.*, count(o.id) AS n FROM customers c"
            " LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id",
            "another star": "CREATE VIEW v AS SELECT o.*, count(o.id) AS n FROM customers c"
            " LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id",
            "having": _COUNTED.format("sum(id)") + " HAVING age > 1",
            "sorted": _COUNTED.format("age, count(*) AS n") + " GROUP BY age ORDER BY n, name",
            "in a window": _COUNTED.format("age, row_number() OVER (ORDER BY name)") + " GROUP BY age",
            "an aggregate in where": "SELECT id FROM customers WHERE sum(age) > 1",
            "an aggregate in update": "UPDATE customers SET age = count(*)",
            "distinct, sorted by what is not given": "SELECT DISTINCT age FROM customers ORDER BY name",
        },
    ),
    *group(
        "united",
        SHOP,
        {
            "widths": "CREATE VIEW v AS SELECT id FROM customers UNION SELECT id, total FROM orders",
            "types": "CREATE VIEW v AS SELECT id FROM customers UNION SELECT note FROM orders",
            "numbers": "CREATE VIEW v AS SELECT id FROM customers UNION ALL SELECT total FROM orders",
            "case": "CREATE VIEW v AS SELECT CASE WHEN vip THEN age ELSE name END FROM customers",
            "case of a literal": "CREATE VIEW v AS SELECT CASE WHEN vip THEN 1 ELSE 'x' END FROM customers",
            "values": "CREATE VIEW v AS SELECT * FROM (VALUES (1, 'a'), ('b', 2)) x",
            "insert of wrong types": "INSERT INTO plain (a, b) SELECT name, id FROM customers",
            "insert of too few": "INSERT INTO plain (a, b) SELECT id FROM customers",
            "insert of too many": "INSERT INTO plain (a) SELECT id, name FROM customers",
            "insert of a literal": "INSERT INTO plain (a) SELECT 'x'",
            "insert of an identity": "INSERT INTO orders (id, customer_id) SELECT id, id FROM customers",
            "array and literal": "UPDATE customers SET tags = tags || 'x'",
            "array and number": "UPDATE customers SET tags = array_remove(tags, 5)",
        },
    ),
)
