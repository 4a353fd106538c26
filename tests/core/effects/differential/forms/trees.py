"""Partitioned tables of several levels, and foreign keys between them."""

from __future__ import annotations

from tests.core.effects.differential.form import group
from tests.core.effects.differential.worlds import TREE

FORMS = (
    *group(
        "tree",
        TREE,
        {
            "deferrable": "ALTER TABLE users ALTER CONSTRAINT to_targets DEFERRABLE",
            "attach with the same key": "ALTER TABLE users ATTACH PARTITION alike FOR VALUES IN (3)",
            "attach below": "ALTER TABLE users_2 ATTACH PARTITION alike FOR VALUES FROM (1000) TO (2000)",
            "attach a referenced one below": "ALTER TABLE targets_2 ATTACH PARTITION bare FOR VALUES FROM (1000) TO "
            "(2000)",
            "attach nothing": "ALTER TABLE targets ATTACH PARTITION bare FOR VALUES FROM ('2027-01-01') TO "
            "('2026-01-01')",
            "attach two values": "ALTER TABLE targets ATTACH PARTITION bare FOR VALUES FROM ('2026-01-01', 1) TO "
            "('2027-01-01', 1)",
            "create": "CREATE TABLE n PARTITION OF users FOR VALUES IN (3)",
            "create below": "CREATE TABLE n PARTITION OF targets_2 FOR VALUES FROM (1000) TO (2000)",
            "create a temporary one": "CREATE TEMP TABLE n PARTITION OF users FOR VALUES IN (3)",
            "create divided by no key column": "CREATE TABLE n PARTITION OF targets FOR VALUES FROM ('2026-01-01') TO "
            "('2027-01-01') PARTITION BY LIST (nonesuch)",
            "detach a referenced tree": "ALTER TABLE targets DETACH PARTITION targets_2",
            "detach a referencing tree": "ALTER TABLE users DETACH PARTITION users_2",
            "detach below": "ALTER TABLE users_2 DETACH PARTITION users_2a",
            "drop cascade": "DROP TABLE targets_2a CASCADE",
            "drop all cascade": "DROP TABLE targets CASCADE",
            "truncate cascade": "TRUNCATE targets_1 CASCADE",
            "truncate": "TRUNCATE targets_1",
            "type of a serial column": "ALTER TABLE users ALTER number TYPE bigint",
            "only a key": "ALTER TABLE ONLY users ADD UNIQUE (kind, id)",
            "select in the middle": "SELECT * FROM users_2",
            "delete": "DELETE FROM targets WHERE id = 5 AND day = '2024-01-06'",
            "drop the key": "ALTER TABLE users DROP CONSTRAINT to_targets",
            "index, attach": "ALTER INDEX users_day ATTACH PARTITION users_1_day",
            "index, attach another column's": "ALTER INDEX users_day ATTACH PARTITION users_1_id",
            "index, attach a partial one": "ALTER INDEX users_day ATTACH PARTITION users_1_some",
            "index, attach a second": "ALTER INDEX users_id ATTACH PARTITION users_1_id",
            "index, attach a table": "ALTER INDEX users_day ATTACH PARTITION users_1",
            "index, one descending is taken": "CREATE INDEX n ON users (day)",
        },
    ),
    *group(
        "tree",
        TREE,
        {
            "not enforced": "ALTER TABLE users ALTER CONSTRAINT to_targets NOT ENFORCED",
            "not enforced, from a plain table": "ALTER TABLE simple_user ALTER CONSTRAINT from_simple NOT ENFORCED",
        },
        since=18,
    ),
)
