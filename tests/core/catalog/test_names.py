"""Names are taken apart, and resolved, as the server itself does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Sequence
from confiture_tui.core.catalog.names import split_name, split_search_path
from confiture_tui.database.connection import connect

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

    Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("orders", ("orders",)),
        ("Sales.Orders", ("sales", "orders")),
        ('"Sales" . "Order.Lines"', ("Sales", "Order.Lines")),
        ('"a ""b"""', ('a "b"',)),
        ("ÉTÉ", ("ÉtÉ",)),
        ("x" * 70, ("x" * 63,)),
        ("é" * 40, ("é" * 31,)),
        ("a.b.c", ("a", "b", "c")),
    ],
)
def test_split_name(text: str, parts: tuple[str, ...]) -> None:
    assert split_name(text) == parts


@pytest.mark.parametrize("text", ["", " ", "a.", ".a", '"a', "a b", '""', 'a"b"', "a..b"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"name|quote"):
        split_name(text)


@given(st.lists(st.text(st.characters(blacklist_characters="\0", codec="utf-8"), min_size=1, max_size=20), min_size=1))
def test_quoted_names_come_back(names: list[str]) -> None:
    quoted = ".".join('"' + name.replace('"', '""') + '"' for name in names)
    assert split_name(quoted) == tuple(name.encode()[:63].decode(errors="ignore") for name in names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('"$user", public', ("$user", "public")),
        ("", ()),
        ('""', ()),
        (' A,b , "C d",  "e""f"', ("a", "b", "C d", 'e"f')),
    ],
)
def test_split_search_path(text: str, names: tuple[str, ...]) -> None:
    assert split_search_path(text) == names


RESOLUTION = """
CREATE SCHEMA one; CREATE SCHEMA two; CREATE SCHEMA "Odd, ""one"" two"; CREATE SCHEMA postgres; CREATE SCHEMA hidden;
CREATE TABLE one.t (a int PRIMARY KEY); CREATE TABLE two.t (a int); CREATE TABLE public.t (a int);
CREATE TABLE two.u (a int); CREATE VIEW one.v AS SELECT 1; CREATE SEQUENCE two.s; CREATE INDEX i ON two.t (a);
CREATE TABLE "Odd, ""one"" two"."T t" (a int); CREATE TABLE postgres.mine (a int); CREATE TABLE hidden.t (a int);
CREATE TABLE public.pg_class (a int); CREATE TABLE public.u (a int);
"""
PATHS = [
    '"$user", public',
    "one, two",
    "two, one, public",
    '"Odd, ""one"" two", nowhere, two',
    "public, pg_catalog",
    "pg_catalog, public",
    "hidden, two",
    "two, pg_temp",
    "",
]
NAMES = ["t", "u", "v", "s", "i", '"T t"', "mine", "pg_class", "nothing", "one.t", "two.s", "pg_temp.u", "T", "t_pkey"]


@pytest.mark.parametrize("temporary", [False, True])
@pytest.mark.parametrize("path", PATHS)
def test_resolve_is_what_to_regclass_says(conn: Connection, path: str, temporary: bool) -> None:
    conn.execute(RESOLUTION)
    if temporary:
        conn.execute("CREATE TEMP TABLE u (a int PRIMARY KEY); CREATE TEMP SEQUENCE s")
    conn.execute("SELECT set_config('search_path', %s, false)", (path,))
    catalog = Catalog.load(conn)
    for name in NAMES:
        row = conn.execute("SELECT to_regclass(%s)::oid", (name,)).fetchone()
        assert row is not None
        found = catalog.resolve(name)
        expected = row[0] if row[0] is not None and row[0] >= 16384 else None
        assert (found.oid if found else None) == expected, name


def test_resolve_finds_all_kinds_that_share_the_namespace(conn: Connection) -> None:
    conn.execute(RESOLUTION)
    catalog = Catalog.load(conn)
    assert isinstance(catalog.resolve("two.s"), Sequence)
    assert isinstance(catalog.resolve("one.t_pkey"), Index)
    assert catalog.table("two.s") is None
    assert catalog.resolve(f"{catalog.database}.two.u") is catalog.resolve("two.u")
    assert catalog.resolve("other_database.two.u") is None
    found = catalog.resolve("u", search_path=("two", "public"))
    assert found is not None
    assert found.qualified_name == "two.u"


def test_a_schema_that_may_not_be_used_is_passed_over(server: EmbeddedServer, database: Dsn) -> None:
    server.create_login("catalog_reader")
    with connect(database) as conn:
        conn.execute(RESOLUTION)
        conn.execute("GRANT USAGE ON SCHEMA two TO catalog_reader")
        conn.execute("SET ROLE catalog_reader; SET search_path = hidden, one, two")
        catalog = Catalog.load(conn)
        assert catalog.effective_search_path() == ("pg_temp", "pg_catalog", "two")
        found = catalog.resolve("t")
        assert found is not None
        assert found.qualified_name == "two.t"


@settings(max_examples=200)
@given(st.text(alphabet='aB."é $_1,', max_size=12))
def test_splitting_agrees_with_itself_or_refuses(text: str) -> None:
    try:
        parts = split_name(text)
    except ValueError:
        return
    assert split_name(".".join('"' + part.replace('"', '""') + '"' for part in parts)) == parts
