"""The multi-tenant rule, finding by finding, on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.lint.config import LintConfig, RuleSettings
from confiture_tui.core.lint.linter import SchemaLinter

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn

SCHEMA = """
CREATE TABLE tenants (id uuid PRIMARY KEY, name text UNIQUE);
CREATE TABLE country (code text PRIMARY KEY);
CREATE TABLE w_customer (tenant_id uuid NOT NULL REFERENCES tenants, id int, PRIMARY KEY (tenant_id, id));
CREATE TABLE w_order (tenant_id uuid NOT NULL, id int, customer_id int, PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, customer_id) REFERENCES w_customer);
CREATE TABLE no_column (id int PRIMARY KEY);
CREATE TABLE may_be_null (tenant_id uuid REFERENCES tenants, id int, UNIQUE (tenant_id, id));
CREATE TABLE other_type (tenant_id text NOT NULL, id int, PRIMARY KEY (tenant_id, id));
CREATE TABLE unbound (tenant_id uuid NOT NULL, id int, PRIMARY KEY (tenant_id, id));
CREATE TABLE no_index (tenant_id uuid NOT NULL REFERENCES tenants, id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE shared_key (tenant_id uuid NOT NULL REFERENCES tenants, sku text UNIQUE, PRIMARY KEY (tenant_id, sku));
CREATE TABLE crossing (tenant_id uuid NOT NULL REFERENCES tenants, id int, no_index_id int REFERENCES no_index,
  PRIMARY KEY (tenant_id, id));
CREATE TABLE r_order (tenant_id uuid NOT NULL, order_id int, PRIMARY KEY (tenant_id, order_id));
CREATE TABLE r_country (code text PRIMARY KEY, customers int);
CREATE TABLE w_country (code text PRIMARY KEY);
CREATE MATERIALIZED VIEW r_sales AS SELECT tenant_id, count(*) FROM w_order GROUP BY 1;
"""
OPTIONS = {
    "tenant_table": "tenants",
    "exempt": ["country", "w_country"],
    "read_models": ["r_*"],
    "write_prefix": "w_",
    "read_prefix": "r_",
}
FOUND = {
    ("public.no_column", "missing"),
    ("public.may_be_null.tenant_id", "nullable"),
    ("public.other_type.tenant_id", "type"),
    ("public.other_type.tenant_id", "reference"),
    ("public.unbound.tenant_id", "reference"),
    ("public.no_index.tenant_id", "index"),
    ("public.shared_key.shared_key_sku_key", "unique"),
    ("public.crossing.crossing_no_index_id_fkey", "crossing"),
    ("public.r_sales.tenant_id", "index"),
}


@pytest.fixture
def catalog(database_from: Callable[[str], Dsn]) -> Catalog:
    with psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn:
        return Catalog.load(conn)


def found(catalog: Catalog, **options: Any) -> set[tuple[str, str]]:
    rules = {"multi-tenant": RuleSettings(options=options)}
    report = SchemaLinter(LintConfig(rules=rules, select=("multi-tenant",))).run(catalog)
    return {(one.object, one.detail) for one in report.violations}


def test_each_way_in_which_a_table_fails_to_keep_tenants_apart(catalog: Catalog) -> None:
    assert found(catalog, **OPTIONS) == FOUND


@pytest.mark.parametrize(
    ("option", "details"),
    [
        ("require_not_null", {"nullable"}),
        ("require_foreign_key", {"reference"}),
        ("require_index", {"index"}),
        ("require_in_unique", {"unique"}),
        ("require_in_foreign_keys", {"crossing"}),
    ],
)
def test_each_demand_can_be_dropped(catalog: Catalog, option: str, details: set[str]) -> None:
    assert found(catalog, **OPTIONS, **{option: False}) == {one for one in FOUND if one[1] not in details}


def test_without_settings_it_says_nothing(catalog: Catalog) -> None:
    assert found(catalog) == set()


@pytest.mark.parametrize("option", ["column", "required_column"])
def test_a_column_alone_is_enough_to_know(catalog: Catalog, option: str) -> None:
    alone = found(catalog, exempt=["tenants", "*country"], read_models=["r_*"], **{option: "tenant_id"})
    assert {detail for _, detail in alone} == {"missing", "nullable", "index", "unique", "crossing"}


def test_a_table_of_tenants_that_is_not_there_is_told(catalog: Catalog) -> None:
    assert ("shops", "") in found(catalog, tenant_table="shops")


def test_surrogate_keys_may_be_asked_to_hold_the_tenant_too(catalog: Catalog) -> None:
    strict = found(catalog, **OPTIONS, surrogate_keys_alone=False)
    assert strict - FOUND == {("public.no_index.no_index_pkey", "unique")}


def test_row_level_security_is_asked_for_when_wanted(conn: psycopg.Connection[Any]) -> None:
    conn.execute(
        """
        CREATE TABLE tenants (id uuid PRIMARY KEY);
        CREATE TABLE off (tenant_id uuid PRIMARY KEY REFERENCES tenants);
        CREATE TABLE blind (tenant_id uuid PRIMARY KEY REFERENCES tenants, old_tenant_id uuid);
        CREATE TABLE kept (tenant_id uuid PRIMARY KEY REFERENCES tenants);
        ALTER TABLE blind ENABLE ROW LEVEL SECURITY;
        ALTER TABLE kept ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p ON blind USING (old_tenant_id IS NULL);
        CREATE POLICY p ON kept USING (tenant_id = current_setting('app.tenant')::uuid);
        """
    )
    catalog = Catalog.load(conn)
    assert found(catalog, tenant_table="tenants", require_rls=True) == {
        ("public.off", "rls"),
        ("public.blind", "policy"),
    }


def test_a_long_chain_of_references_is_followed(conn: psycopg.Connection[Any]) -> None:
    conn.execute("CREATE TABLE tenants (tenant_id int PRIMARY KEY)")
    for number in range(60):
        parent = f"t_{number - 1}" if number else "tenants"
        columns = "(tenant_id, id)" if number else "(tenant_id)"
        conn.execute(
            f"CREATE TABLE t_{number} (tenant_id int NOT NULL, id int, PRIMARY KEY (tenant_id, id),"
            f" FOREIGN KEY {columns} REFERENCES {parent})".encode()
        )
    assert found(Catalog.load(conn), tenant_table="tenants") == set()
