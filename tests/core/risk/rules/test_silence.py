"""What the catalog, or the file itself, proves harmless is not reported; what nobody knows is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.risk.model import Category
from confiture_tui.core.risk.rules.examples import EVENTS, SHOP

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.core.catalog import Catalog

_NEW = "CREATE TABLE n (id bigint PRIMARY KEY, a int, b varchar(10), p_id bigint);\n"
_LINKED = SHOP + "\nALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;"
_MERGE = "MERGE INTO customers c USING orders o ON c.id = o.id WHEN MATCHED THEN"
_LOCKING_WORK = {
    "add-column-volatile-default",
    "add-column-auto-increment",
    "add-column-stored-generated",
    "add-column-constrained-domain",
    "add-required-column",
    "add-column-inline-check",
    "add-column-inline-unique",
    "change-type-rewrite",
    "change-type-reindex",
    "change-type-rechecks-constraint",
    "change-type-used-by-view",
    "change-type-breaks-prepared-statements",
    "set-not-null-scan",
    "add-check-without-not-valid",
    "add-foreign-key-without-not-valid",
    "add-unique-without-index",
    "add-primary-key-without-index",
    "add-exclusion-constraint",
    "create-index-not-concurrent",
    "drop-index-not-concurrent",
    "drop-foreign-key-locks-parent",
    "brief-access-exclusive",
    "missing-lock-timeout",
    "missing-statement-timeout",
    "statement-while-holding-lock",
    "several-alters-of-one-table",
    "backfill-in-migration",
    "new-write-restriction",
    "fails-on-existing-data",
    "drop-table",
    "drop-column",
    "truncate",
    "write-without-where",
    "rename-column",
    "rename-table",
    "set-default",
    "drop-default",
    "drop-not-null",
    "drop-constraint",
    "disable-trigger",
}


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX ON n (a)",
        "ALTER TABLE n ADD COLUMN u uuid DEFAULT gen_random_uuid() NOT NULL UNIQUE",
        "ALTER TABLE n ADD COLUMN s serial",
        "ALTER TABLE n ALTER COLUMN a TYPE bigint",
        "ALTER TABLE n ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE n ADD CHECK (a > 0)",
        "ALTER TABLE n ADD UNIQUE (a)",
        "ALTER TABLE n RENAME COLUMN a TO c",
        "ALTER TABLE n DROP COLUMN a",
        "ALTER TABLE n ALTER a SET DEFAULT 5; ALTER TABLE n ALTER a DROP DEFAULT",
        "ALTER TABLE n ADD CONSTRAINT k CHECK (a > 0) NOT VALID; ALTER TABLE n VALIDATE CONSTRAINT k",
        "CREATE INDEX nix ON n (a); DROP INDEX nix",
        "UPDATE n SET a = 1",
        "TRUNCATE n",
        "DROP TABLE n",
        "ALTER TABLE n RENAME TO m",
    ],
)
@pytest.mark.parametrize("with_catalog", [True, False])
def test_a_table_that_is_new_bears_everything(
    sql: str, with_catalog: bool, catalog_of: Callable[[str], Catalog]
) -> None:
    catalog = catalog_of(SHOP) if with_catalog else None
    assert not _told(f"BEGIN;\n{_NEW}{sql};\nCOMMIT;", catalog) & _LOCKING_WORK


@pytest.mark.parametrize(
    ("setup", "sql", "rule"),
    [
        (SHOP, "ALTER TABLE orders ADD COLUMN c timestamptz DEFAULT now()", "add-column-volatile-default"),
        (SHOP, "ALTER TABLE orders ADD COLUMN c timestamptz DEFAULT CURRENT_TIMESTAMP", "add-column-volatile-default"),
        (SHOP, "ALTER TABLE orders ADD COLUMN c int NOT NULL DEFAULT 5", "add-required-column"),
        (SHOP, "ALTER TABLE orders ADD COLUMN c bigint REFERENCES customers", "add-foreign-key-without-not-valid"),
        (SHOP, "ALTER TABLE orders ALTER COLUMN code TYPE text", "change-type-rewrite"),
        (SHOP, "ALTER TABLE orders ALTER COLUMN code TYPE varchar(60)", "change-type-rewrite"),
        (SHOP, "ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,2)", "change-type-rewrite"),
        (SHOP, "ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,2)", "change-type-lossy"),
        (SHOP, "ALTER TABLE orders ALTER COLUMN quantity TYPE bigint", "change-type-lossy"),
        (SHOP, "ALTER TABLE orders ALTER COLUMN code TYPE text", "change-type-used-by-view"),
        (SHOP, "ALTER TABLE orders ALTER COLUMN id SET NOT NULL", "set-not-null-scan"),
        (SHOP, "ALTER TABLE orders ADD CHECK (total > 0), ALTER COLUMN id SET NOT NULL", "set-not-null-scan"),
        (
            SHOP,
            "ALTER TABLE orders ADD CHECK (total > 0), ADD FOREIGN KEY (customer_id) REFERENCES customers NOT VALID",
            "add-foreign-key-without-not-valid",
        ),
        (
            SHOP + "\nALTER TABLE orders ADD CHECK (status IS NOT NULL AND total > 0);",
            "ALTER TABLE orders ALTER COLUMN status SET NOT NULL",
            "set-not-null-scan",
        ),
        (SHOP, "ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0) NOT VALID", "validate-in-same-transaction"),
        (SHOP, "ALTER TABLE orders DROP CONSTRAINT orders_pkey", "drop-foreign-key-locks-parent"),
        (SHOP, "DROP TABLE orders", "drop-table-locks-parent"),
        (SHOP, "DROP TABLE orders CASCADE", "cascade-hits-other-objects"),
        (SHOP, "DROP TABLE IF EXISTS nowhere", "drop-table"),
        (SHOP, "TRUNCATE orders CASCADE", "truncate-cascade"),
        (SHOP, "CREATE INDEX CONCURRENTLY i ON orders (status)", "create-index-not-concurrent"),
        (SHOP, "CREATE INDEX CONCURRENTLY i ON orders (status)", "concurrently-on-partitioned"),
        (SHOP, "CREATE INDEX CONCURRENTLY i ON orders (status)", "concurrently-in-transaction"),
        (SHOP, "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (status)", "if-not-exists-hides-invalid-index"),
        (SHOP, "UPDATE orders SET status = 'x' WHERE id = 7", "write-without-where"),
        (SHOP, "DELETE FROM orders USING customers c WHERE c.id = customer_id", "write-without-where"),
        (SHOP, "DELETE FROM customers WHERE id = 1", "delete-cascades-unindexed"),
        (_LINKED, f"{_MERGE} UPDATE SET email = o.status", "delete-cascades-unindexed"),
        (_LINKED, "UPDATE customers SET email = 'x' WHERE id = 1", "delete-cascades-unindexed"),
        (SHOP, "CREATE MATERIALIZED VIEW m AS SELECT 1 AS one; DROP MATERIALIZED VIEW m", "drop-table"),
        (SHOP + "\nCREATE TYPE mood AS ENUM ('a');", "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'a'", "add-enum-value"),
        (SHOP + "\nCREATE MATERIALIZED VIEW m AS SELECT 1 AS one;", "DROP MATERIALIZED VIEW m", "drop-table"),
        (SHOP, "CREATE OR REPLACE VIEW fresh AS SELECT 1 AS one", "replace-view-or-function"),
        (SHOP, "DROP FUNCTION IF EXISTS nothing(int)", "drop-function"),
        (EVENTS, "CREATE INDEX i ON ONLY events (payload)", "create-index-not-concurrent"),
        (
            EVENTS,
            "CREATE TABLE e26 (LIKE events); "
            "ALTER TABLE events ATTACH PARTITION e26 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
            "attach-partition-scan",
        ),
        (EVENTS, "DROP TABLE events", "drop-table-locks-parent"),
    ],
)
def test_what_is_harmless_is_not_told(setup: str, sql: str, rule: str, catalog_of: Callable[[str], Catalog]) -> None:
    assert rule not in _told(sql, catalog_of(setup))


@pytest.mark.parametrize(
    ("setup", "sql", "rule"),
    [
        (
            SHOP,
            "ALTER TABLE orders ADD COLUMN a int, ADD COLUMN u uuid DEFAULT gen_random_uuid()",
            "add-column-volatile-default",
        ),
        (SHOP, "ALTER TABLE orders ALTER status SET NOT NULL, ADD CHECK (total > 0)", "add-check-without-not-valid"),
        (SHOP, "ALTER TABLE orders ALTER quantity TYPE bigint, ALTER status SET NOT NULL", "set-not-null-scan"),
        (
            SHOP,
            "ALTER TABLE orders ADD CHECK (total > 0), ADD FOREIGN KEY (customer_id) REFERENCES customers",
            "add-foreign-key-without-not-valid",
        ),
        (SHOP, "ALTER TABLE orders ADD number bigint DEFAULT nextval('s')", "add-column-auto-increment"),
        (SHOP, "ALTER TABLE orders ALTER placed_at TYPE date", "change-type-lossy"),
        (SHOP, "ALTER TABLE orders ALTER quantity TYPE smallint", "change-type-lossy"),
        (SHOP, "WITH gone AS (DELETE FROM orders RETURNING 1) SELECT count(*) FROM gone", "write-without-where"),
        (SHOP, "UPDATE orders SET status = 'x' WHERE true", "write-without-where"),
        (SHOP, "DELETE FROM orders WHERE 1 = 1", "write-without-where"),
        (SHOP, "DELETE FROM orders USING customers", "write-without-where"),
        (SHOP, "UPDATE orders SET status = email FROM customers", "write-without-where"),
        (_LINKED, f"{_MERGE} DELETE", "delete-cascades-unindexed"),
        (_LINKED, f"{_MERGE} UPDATE SET id = o.id", "delete-cascades-unindexed"),
        (
            "CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree)",
            "DELETE FROM tree WHERE id = 1",
            "delete-cascades-unindexed",
        ),
        (SHOP, "ALTER TABLE orders SET SCHEMA pg_catalog", "rename-table"),
        (SHOP, "ALTER TABLE customers DROP COLUMN email, DROP COLUMN id CASCADE", "drop-column"),
        (SHOP, "SELECT setval('orders_id_seq', 1)", "sequence-reset-or-drop"),
        (SHOP, "DROP INDEX orders_pkey_2, orders_pkey", "drop-index-not-concurrent"),
        (SHOP, "REINDEX (VERBOSE) TABLE orders", "reindex-not-concurrent"),
        (SHOP, "VACUUM (FULL, ANALYZE) orders", "vacuum-full-or-cluster"),
        (SHOP, "ALTER TABLE orders SET LOGGED, SET UNLOGGED", "rewrite-by-storage-change"),
        (SHOP, "COMMIT; SELECT 1", "transaction-control-in-migration"),
    ],
)
def test_other_ways_to_write_it_are_found(
    setup: str, sql: str, rule: str, catalog_of: Callable[[str], Catalog]
) -> None:
    told = _told(sql, catalog_of(setup)) | _told(sql, None)
    assert rule in told


@pytest.mark.parametrize(("before", "told"), [("", False), ("SET lock_timeout = '1s';\n", True)])
def test_our_own_runner_cuts_nothing_off_that_holds_up_nobody(before: str, told: bool) -> None:
    text = f"{before}CREATE INDEX CONCURRENTLY i ON orders (status);"
    assessment = RiskAssessmentEngine(None, runner="confiture-tui").assess(Migration.from_sql(text))
    assert ("lock-timeout-too-short-for-concurrently" in {one.rule for one in assessment.risks}) is told


def test_style_never_counts() -> None:
    text = "CREATE TABLE t (id serial PRIMARY KEY, a json, b timestamp, c varchar(5), d char(3), e regproc)"
    assessment = RiskAssessmentEngine(None, runner="loose").assess(Migration.from_sql(text))
    assert assessment.categories[Category.COMPATIBILITY] == 0
    assert {"prefer-jsonb", "prefer-timestamptz", "prefer-text", "avoid-char"} <= {one.rule for one in assessment.risks}


def _told(sql: str, catalog: Catalog | None) -> set[str]:
    assessment = RiskAssessmentEngine(catalog, runner="loose").assess(Migration.from_sql(sql))
    assert not [note for note in assessment.notes if note.startswith("The rule")], assessment.notes
    return {risk.rule for risk in assessment.risks}
