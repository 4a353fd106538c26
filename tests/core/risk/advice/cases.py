"""Statements that have a safe rewrite, each on tables with rows."""

from __future__ import annotations

from dataclasses import dataclass

from confiture_tui.core.risk.rules import RULES
from confiture_tui.core.risk.rules.examples import EVENTS, SHOP


@dataclass(frozen=True)
class Case:
    """One statement, and what its safe rewrite must reach.

    Attributes:
        name: of the case.
        rule: whose safe SQL is meant.
        setup, sql: as the user has it.
        plain: what reaches the schema that is wanted, where ``sql`` itself fails or does nothing.
        same_schema: the rewrite reaches the same schema; false where it says itself that it cannot.
        same_data: and the same rows.
        put: what the user puts in the place that the rewrite leaves open.
        from_major: the first server that has the syntax.
    """

    name: str
    rule: str
    setup: str
    sql: str
    plain: str | None = None
    same_schema: bool = True
    same_data: bool = True
    put: str | None = None
    from_major: int = 14


def _example(rule: str, **more: object) -> Case:
    one = next(one for one in RULES if one.id == rule)
    return Case(rule, rule, one.setup, one.bad, **more)  # type: ignore[arg-type]


_QUOTED = '''
CREATE SCHEMA "Sales Dept";
CREATE TABLE "Sales Dept"."Order ""Lines""" (
    "Order" bigint, "no." int, "Größe" int, amount numeric, PRIMARY KEY ("Order", "no."));
INSERT INTO "Sales Dept"."Order ""Lines""" SELECT i, i % 3, i % 5, i FROM generate_series(1, 500) i;
'''.strip()
_TABLE = '"Sales Dept"."Order ""Lines"""'

_KEYLESS = (
    "CREATE TABLE plain (a int, b text, batch_page int);\n"
    "INSERT INTO plain SELECT i, 'b' || i, i FROM generate_series(1, 500) i;"
)

_RICH = """
CREATE TABLE kinds (name text PRIMARY KEY);
INSERT INTO kinds VALUES ('a'), ('b');
CREATE TABLE items (
    id bigint PRIMARY KEY, kind text NOT NULL DEFAULT 'a' REFERENCES kinds (name), size int NOT NULL DEFAULT 7,
    CONSTRAINT size_positive CHECK (size > 0), CONSTRAINT items_size_key UNIQUE (size, id));
CREATE INDEX items_size_ix ON items (size DESC, kind);
COMMENT ON COLUMN items.size IS 'in ''cm''';
INSERT INTO items SELECT i, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END, i FROM generate_series(1, 500) i;
""".strip()

CASES = (
    # New columns
    _example("add-column-volatile-default", same_data=False),
    Case(
        "volatile default, required, checked, unique, quoted",
        "add-column-volatile-default",
        _QUOTED,
        f"""ALTER TABLE {_TABLE} ADD COLUMN "Key" uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE
            CHECK ("Key" <> '00000000-0000-0000-0000-000000000000') -- a comment""",
        same_data=False,
    ),
    Case(
        "volatile default without a key",
        "add-column-volatile-default",
        _KEYLESS,
        "ALTER TABLE plain ADD c double precision DEFAULT random()",
        same_data=False,
    ),
    Case(
        "volatile default, partitioned",
        "add-column-volatile-default",
        EVENTS,
        "ALTER TABLE events ADD COLUMN token uuid DEFAULT gen_random_uuid() NOT NULL",
        same_data=False,
    ),
    _example("add-column-auto-increment"),
    Case(
        "identity column",
        "add-column-auto-increment",
        SHOP,
        "ALTER TABLE orders ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY (START WITH 10)",
        same_data=False,
    ),
    Case(
        "serial column", "add-column-auto-increment", _KEYLESS, "ALTER TABLE plain ADD COLUMN n serial", same_data=False
    ),
    _example("add-column-stored-generated", same_schema=False),
    _example("add-column-constrained-domain", same_schema=False),
    _example(
        "add-required-column",
        put="'web'",
        plain="ALTER TABLE orders ADD COLUMN channel text; "
        "UPDATE orders SET channel = 'web'; ALTER TABLE orders ALTER COLUMN channel SET NOT NULL",
    ),
    _example("add-column-inline-check"),
    Case(
        "two inline checks, one named",
        "add-column-inline-check",
        SHOP,
        "ALTER TABLE orders ADD COLUMN w int DEFAULT 1 CHECK (w > 0) CONSTRAINT small CHECK (w < 100)",
    ),
    _example("add-column-inline-unique"),
    _example("add-column-inline-reference"),
    Case(
        "inline reference, deferrable, named",
        "add-column-inline-reference",
        SHOP,
        "ALTER TABLE orders ADD owner_id bigint CONSTRAINT owner REFERENCES customers ON DELETE SET NULL "
        "DEFERRABLE INITIALLY DEFERRED",
    ),
    # Types
    _example("change-type-rewrite"),
    Case("type of a rich column", "change-type-rewrite", _RICH, "ALTER TABLE items ALTER COLUMN size TYPE bigint"),
    Case(
        "type of a primary key with a sequence",
        "change-type-rewrite",
        "CREATE TABLE t (id serial PRIMARY KEY, b text);\n"
        "INSERT INTO t (b) SELECT 'b' || i FROM generate_series(1, 500) i;",
        "ALTER TABLE t ALTER COLUMN id TYPE bigint",
    ),
    Case(
        "type of an identity column",
        "change-type-rewrite",
        "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, b text);\n"
        "INSERT INTO t (b) SELECT 'b' || i FROM generate_series(1, 500) i;",
        "ALTER TABLE t ALTER COLUMN id TYPE bigint",
    ),
    Case(
        "type with USING, quoted",
        "change-type-rewrite",
        _QUOTED,
        f"""ALTER TABLE {_TABLE} ALTER COLUMN "Größe" SET DATA TYPE text USING ('size ' || "Größe" || ' cm')""",
    ),
    _example("change-type-reindex"),
    _example("change-type-rechecks-constraint"),
    _example(
        "change-type-depends-on-timezone",
        plain="SET TimeZone = 'UTC'; ALTER TABLE orders ALTER COLUMN placed_at TYPE timestamptz",
    ),
    _example(
        "change-type-used-by-view",
        plain="DROP VIEW order_codes; ALTER TABLE orders ALTER COLUMN code TYPE text; "
        "CREATE VIEW order_codes AS SELECT id, code FROM orders",
    ),
    # Constraints
    _example("set-not-null-scan"),
    Case("not null, quoted", "set-not-null-scan", _QUOTED, f'ALTER TABLE {_TABLE} ALTER "Größe" SET NOT NULL'),
    Case("not null, partitioned", "set-not-null-scan", EVENTS, "ALTER TABLE events ALTER COLUMN payload SET NOT NULL"),
    _example("add-check-without-not-valid"),
    Case(
        "check without a name",
        "add-check-without-not-valid",
        SHOP,
        "ALTER TABLE orders ADD CHECK (total > 0 AND id > 0)",
    ),
    Case("check of one column", "add-check-without-not-valid", SHOP, "ALTER TABLE orders ADD CHECK (orders.total > 0)"),
    Case("check, partitioned", "add-check-without-not-valid", EVENTS, "ALTER TABLE events ADD CHECK (id > 0)"),
    _example("validate-in-same-transaction"),
    _example("add-foreign-key-without-not-valid"),
    Case(
        "foreign key without a name",
        "add-foreign-key-without-not-valid",
        SHOP,
        "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers ON UPDATE CASCADE",
    ),
    Case(
        "foreign key of a partitioned table",
        "add-foreign-key-without-not-valid",
        EVENTS + "\nCREATE TABLE sources (id bigint PRIMARY KEY);"
        "\nINSERT INTO sources SELECT generate_series(1, 1000);",
        "ALTER TABLE events ADD CONSTRAINT events_source FOREIGN KEY (id) REFERENCES sources",
    ),
    _example("drop-foreign-key-locks-parent"),
    _example("add-unique-without-index"),
    Case(
        "unique, deferrable, with INCLUDE",
        "add-unique-without-index",
        SHOP,
        "ALTER TABLE orders ADD UNIQUE (code, id) INCLUDE (status) WITH (fillfactor = 80) DEFERRABLE",
    ),
    Case(
        "unique, partitioned",
        "add-unique-without-index",
        EVENTS,
        "ALTER TABLE events ADD CONSTRAINT events_key UNIQUE (id, day)",
    ),
    _example("add-primary-key-without-index"),
    Case(
        "primary key on nullable columns",
        "add-primary-key-without-index",
        _KEYLESS,
        "ALTER TABLE plain ADD PRIMARY KEY (a, b)",
    ),
    _example("primary-key-using-nullable-index"),
    # Indexes
    _example("create-index-not-concurrent"),
    Case(
        "index without a name, with everything",
        "create-index-not-concurrent",
        _QUOTED,
        f"""CREATE INDEX ON {_TABLE} USING btree ("Größe" DESC NULLS LAST, (amount + 1)) INCLUDE ("Order")
            WITH (fillfactor = 70) WHERE amount > 1""",
    ),
    Case(
        "index, partitioned",
        "create-index-not-concurrent",
        EVENTS,
        "CREATE INDEX events_payload_ix ON events (payload)",
    ),
    Case(
        "index, partitioned twice",
        "create-index-not-concurrent",
        "CREATE TABLE m (a int, b int) PARTITION BY RANGE (a);\n"
        "CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (500) PARTITION BY RANGE (b);\n"
        "CREATE TABLE m1a PARTITION OF m1 FOR VALUES FROM (0) TO (1000);\n"
        "CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (500) TO (1000);\n"
        "INSERT INTO m SELECT i, i FROM generate_series(0, 999) i;",
        "CREATE INDEX ON m (b)",
    ),
    _example("drop-index-not-concurrent"),
    _example("concurrently-on-partitioned", plain="CREATE INDEX events_payload_ix ON events (payload)"),
    _example("concurrently-may-leave-invalid-index"),
    _example(
        "if-not-exists-hides-invalid-index",
        plain="DROP INDEX orders_status_ix; CREATE INDEX orders_status_ix ON orders (status)",
    ),
    _example("reindex-not-concurrent"),
    Case("reindex one index", "reindex-not-concurrent", SHOP, "REINDEX INDEX orders_pkey"),
    _example("refresh-matview-not-concurrent"),
    # Partitions
    _example("attach-partition-scan"),
    Case(
        "attach, list",
        "attach-partition-scan",
        "CREATE TABLE m (a int, b text) PARTITION BY LIST (b);\nCREATE TABLE m1 (a int, b text);\n"
        "INSERT INTO m1 SELECT i, 'x' FROM generate_series(1, 500) i;",
        "ALTER TABLE m ATTACH PARTITION m1 FOR VALUES IN ('x', 'y')",
    ),
    _example("attach-partition-scans-default"),
    _example("create-partition-locks-parent"),
    Case(
        "create partition beside a default",
        "create-partition-locks-parent",
        EVENTS + "\nCREATE TABLE events_rest PARTITION OF events DEFAULT;"
        "\nINSERT INTO events SELECT i, date '2030-01-01', 'r' FROM generate_series(1, 500) i;"
        "\nCREATE INDEX ON events (payload);",
        "CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    ),
    _example("detach-partition-not-concurrent"),
    # Types of the user's own
    _example("domain-constraint-scan"),
    # Transactions
    _example("brief-access-exclusive"),
    _example("statement-while-holding-lock"),
    _example("missing-lock-timeout"),
    _example("lock-timeout-too-short-for-concurrently"),
    # Drops
    _example("drop-table-locks-parent"),
    Case("drop a partition", "drop-table-locks-parent", EVENTS, "DROP TABLE events_2025"),
    _example("drop-cascades-to-columns"),
    _example("truncate-cascade"),
    # Rows
    _example("backfill-in-migration"),
    Case(
        "delete in batches, with an alias",
        "backfill-in-migration",
        "CREATE TABLE logs (id bigint, at int, PRIMARY KEY (at, id));\n"
        "INSERT INTO logs SELECT i, i % 7 FROM generate_series(1, 20000) i;\nANALYZE logs;",
        "DELETE FROM logs AS l WHERE l.at < 3 OR l.id % 2 = 0 -- old ones",
    ),
    Case(
        "update without a condition",
        "backfill-in-migration",
        "CREATE TABLE logs (batch_last_1 bigint PRIMARY KEY, at int);\n"
        "INSERT INTO logs SELECT i, i % 7 FROM generate_series(1, 20000) i;\nANALYZE logs;",
        "UPDATE logs SET at = logs.at + 1",
    ),
    _example("delete-cascades-unindexed", plain="CREATE INDEX ON orders (customer_id)", same_data=False),
    _example("foreign-key-without-index", plain="CREATE INDEX ON orders (customer_id)"),
    _example("sequence-reset-or-drop"),
    # Names
    _example("rename-column"),
    Case("rename column, quoted", "rename-column", _QUOTED, f'ALTER TABLE {_TABLE} RENAME "Größe" TO "Weite"'),
    _example("rename-table"),
    # Security
    _example(
        "security-definer-exposed",
        plain="CREATE FUNCTION purge() RETURNS void LANGUAGE sql SECURITY DEFINER "
        "SET search_path = '' AS 'DELETE FROM public.orders WHERE false'; "
        "REVOKE EXECUTE ON FUNCTION purge() FROM PUBLIC",
    ),
    _example(
        "search-path-mutable",
        plain="CREATE FUNCTION purge() RETURNS void LANGUAGE sql SECURITY DEFINER "
        "SET search_path = pg_catalog, pg_temp AS 'DELETE FROM public.orders WHERE false'",
    ),
    _example(
        "security-definer-view",
        plain="CREATE VIEW all_notes WITH (security_invoker = true) AS SELECT * FROM notes",
        from_major=15,
    ),
)
