"""Settings and their values, prepared statements and cursors, and what CREATE TABLE AS makes."""

from __future__ import annotations

from tests.core.effects.differential.form import group
from tests.core.effects.differential.worlds import SHOP

FORMS = (
    *group(
        "setting",
        SHOP,
        {
            "memory": "SET work_mem = '64MB'",
            "no memory": "SET work_mem = 'much'",
            "too little": "SET work_mem = -5",
            "no unit": "SET statement_timeout = '5 parsecs'",
            "too long": "SET LOCAL lock_timeout = '100d'",
            "a fraction": "SET statement_timeout = 5.5",
            "no truth value": "SET enable_seqscan = maybe",
            "an enum": "SET client_min_messages = WARNING",
            "no value of an enum": "SET bytea_output = 'nonsense'",
            "no tablespace": "SET default_tablespace = nonesuch",
            "no zone": "SET TIME ZONE 'Nonesuch/Place'",
            "of a function": "CREATE FUNCTION n() RETURNS integer LANGUAGE sql SET work_mem = 'much' AS 'SELECT 1'",
            "by a function": "SELECT set_config('work_mem', 'much', false)",
            "unknown, by a function": "SELECT set_config('nonesuch', '1', false)",
            "asked for": "SELECT current_setting('nonesuch')",
            "of a role": "ALTER ROLE CURRENT_USER SET nonesuch = 1",
            "of a role, no value": "ALTER ROLE CURRENT_USER SET work_mem = 'much'",
        },
    ),
    *group(
        "cursor",
        SHOP,
        {
            "held for update": "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM customers FOR UPDATE",
            "scroll for update": "DECLARE c SCROLL CURSOR FOR SELECT * FROM customers FOR UPDATE",
            "twice": "DECLARE c CURSOR FOR SELECT 1; DECLARE c CURSOR FOR SELECT 2",
            "current of none": "UPDATE customers SET name = 'x' WHERE CURRENT OF nonesuch",
            "prepared with too few": "PREPARE p (integer) AS SELECT $1; EXECUTE p",
            "explain of none": "EXPLAIN EXECUTE nonesuch",
        },
    ),
    *group(
        "made by a query",
        SHOP,
        {
            "unknown parameter": "CREATE TABLE n WITH (nonesuch = 50) AS SELECT 1 AS a",
            "unknown method": "CREATE TABLE n USING nonesuch AS SELECT 1 AS a",
            "unknown tablespace": "CREATE TABLE n TABLESPACE nonesuch AS SELECT 1 AS a",
            "a view's parameter": "CREATE MATERIALIZED VIEW n WITH (security_barrier) AS SELECT 1 AS a",
        },
    ),
    *group("system setting", SHOP, {"unknown": "ALTER SYSTEM SET nonesuch = 1"}, wrapped=False),
)
