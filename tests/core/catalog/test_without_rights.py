"""A role without rights gets the definitions; what it may not see is listed, never silently empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

    Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def reader(server: EmbeddedServer, rich_database: Dsn) -> Iterator[Connection]:
    """A plain role's connection to the rich schema."""
    server.create_login("nobody_much")
    with connect(server.dsn(rich_database.parameters()["dbname"], "nobody_much")) as conn:
        yield conn


def test_definitions_are_the_same_as_a_superusers(rich: Connection, reader: Connection) -> None:
    everything = Catalog.load(rich)
    catalog = Catalog.load(reader)
    assert not everything.diff(catalog)
    assert catalog.fingerprint == everything.fingerprint
    assert catalog.session.role == "nobody_much"
    assert not catalog.session.is_superuser


def test_what_is_hidden_is_listed(rich: Connection, reader: Connection) -> None:
    rich.execute(
        "INSERT INTO sales.base VALUES (1); INSERT INTO sales.cache VALUES ('k'); ANALYZE sales.base, sales.cache"
    )
    rich.execute("GRANT SELECT ON sales.base TO nobody_much; GRANT SELECT ON sales.tickets TO nobody_much")
    rich.execute("SELECT nextval('sales.tickets')")
    catalog = Catalog.load(reader)
    hidden = {each.what: each.objects for each in catalog.not_visible}
    assert set(hidden) == {"column statistics", "last values of sequences"}
    assert "sales.cache" in hidden["column statistics"]
    assert "sales.base" not in hidden["column statistics"]
    assert hidden["last values of sequences"] == ("sales.customers_id_seq", "sales.orders_id_seq")
    assert catalog.sequences["sales", "tickets"].last_value is not None
    base, cache = catalog.table("sales.base"), catalog.table("sales.cache")
    assert base is not None
    assert cache is not None
    assert base.columns[0].statistics is not None
    assert cache.columns[0].statistics is None
    assert cache.statistics is not None
    assert cache.statistics.size == 8192
    superuser = Catalog.load(rich).table("sales.base")
    assert superuser is not None
    assert [each.statistics for each in superuser.columns] == [each.statistics for each in base.columns]
    rich.execute("REVOKE ALL ON sales.base, sales.tickets FROM nobody_much")


def test_row_security_hides_statistics_too(rich: Connection, reader: Connection) -> None:
    rich.execute("GRANT SELECT ON sales.customers TO nobody_much")
    catalog = Catalog.load(reader)
    (statistics,) = [each for each in catalog.not_visible if each.what == "column statistics"]
    assert "sales.customers" in statistics.objects
    rich.execute("REVOKE ALL ON sales.customers FROM nobody_much")


@pytest.mark.parametrize("inside", [False, True])
def test_a_hardened_server(rich: Connection, reader: Connection, inside: bool) -> None:
    expected = Catalog.load(rich)
    rich.execute("REVOKE SELECT ON pg_catalog.pg_proc, pg_catalog.pg_policy FROM PUBLIC")
    rich.execute("REVOKE EXECUTE ON FUNCTION pg_catalog.pg_relation_size(regclass) FROM PUBLIC")
    if inside:
        reader.execute("BEGIN")
    catalog = Catalog.load(reader)
    hidden = {each.what: each.why for each in catalog.not_visible}
    assert {"functions and procedures", "row security policies", "triggers"} <= set(hidden)
    assert "permission denied" in hidden["row security policies"]
    assert len(catalog.routines) == 0
    assert catalog.relations.keys() == expected.relations.keys()
    assert (
        catalog.indexes["sales", "customers_name"].definition == expected.indexes["sales", "customers_name"].definition
    )
    assert reader.execute("SELECT 1").fetchone() == (1,)
