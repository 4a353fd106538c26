"""What a loaded catalog says about columns and their defaults, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.catalog.models.columns import Generated, Identity, Volatility
from tests.core.catalog.lookups import column, table

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]


def test_columns(catalog: Catalog) -> None:
    key = column(catalog, "sales.customers", "id")
    assert (key.type, key.not_null, key.identity) == ("bigint", True, Identity.ALWAYS)
    name = column(catalog, "sales.customers", "name")
    assert name.collation == 'pg_catalog."C"'
    assert name.compression == "pglz"
    assert name.acl is not None
    assert (name.acl[0].grantee, name.acl[0].grantable) == ('Odd "role"=/x', ("UPDATE",))
    shouted = column(catalog, "sales.customers", "shouted")
    assert (shouted.generated, shouted.default) == (Generated.STORED, "upper(name)")
    assert column(catalog, "sales.customers", "email").type == "sales.email"
    assert column(catalog, "sales.orders", "total").type == "numeric(10,2)"
    note = column(catalog, "sales.customers", "note")
    assert note.number > len(table(catalog, "sales.customers").columns), "a dropped column leaves a gap"
    assert note.qualified_name == "sales.customers.note"
    derived = table(catalog, "sales.derived")
    assert [(each.name, each.is_local, each.inherited) for each in derived.columns] == [
        ("a", False, 1),
        ("b", True, 1),
        ("c", True, 0),
    ]


def test_defaults_are_written_the_same_whatever_the_session(rich: Connection, catalog: Catalog) -> None:
    rich.execute("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601'")
    rich.execute("SET search_path = sales, public; SET quote_all_identifiers = on; SET extra_float_digits = -5")
    elsewhere = Catalog.load(rich)
    assert elsewhere.fingerprint == catalog.fingerprint
    assert elsewhere.session.time_zone == "Asia/Tokyo"
    assert elsewhere.session.search_path == "sales, public"
    assert column(catalog, "sales.customers", "waits").default == "'1 day 02:03:04'::interval"


@pytest.mark.parametrize(
    ("relation", "name", "volatility"),
    [
        ("sales.customers", "score", Volatility.VOLATILE),
        ("sales.customers", "since", Volatility.STABLE),
        ("sales.customers", "vip", Volatility.IMMUTABLE),
        ("sales.customers", "shouted", Volatility.IMMUTABLE),
        ("sales.customers", "lives", None),
        ("sales.orders", "id", Volatility.VOLATILE),
    ],
)
def test_volatility_of_defaults(catalog: Catalog, relation: str, name: str, volatility: Volatility | None) -> None:
    assert column(catalog, relation, name).default_volatility is volatility


@pytest.mark.parametrize(
    ("expression", "volatility"),
    [
        ("clock_timestamp()", Volatility.VOLATILE),
        ("gen_random_uuid()::text::bytea", Volatility.VOLATILE),
        ("CURRENT_TIMESTAMP", Volatility.STABLE),
        ("now() + '1 day'", Volatility.STABLE),
        ("'today'::text::date", Volatility.STABLE),
        ("lower('X') || 'y'", Volatility.IMMUTABLE),
        ("ARRAY[1, 2 + 3]", Volatility.IMMUTABLE),
        ("COALESCE(NULL, nextval('s'))", Volatility.VOLATILE),
        ("wild(1)", Volatility.VOLATILE),
    ],
)
def test_volatility_is_that_of_the_worst_function(conn: Connection, expression: str, volatility: Volatility) -> None:
    conn.execute("CREATE SEQUENCE s; CREATE FUNCTION wild(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'")
    kind = conn.execute(f"SELECT pg_typeof({expression})::text".encode()).fetchone()
    assert kind is not None
    conn.execute(f"CREATE TABLE t (a {kind[0]} DEFAULT {expression})".encode())
    assert column(Catalog.load(conn), "t", "a").default_volatility is volatility


def test_a_fast_default_leaves_a_missing_value(conn: Connection) -> None:
    conn.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN b int DEFAULT 7")
    catalog = Catalog.load(conn)
    assert column(catalog, "t", "b").has_missing_value
    assert not column(catalog, "t", "a").has_missing_value
