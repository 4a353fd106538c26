"""Names: styles that are told and written, patterns for schemas and prefixes, globs for objects."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.lint.config import LintConfig, RuleSettings
from confiture_tui.core.lint.linter import SchemaLinter
from confiture_tui.core.lint.patterns import matches
from confiture_tui.core.lint.rules.names import RESERVED
from confiture_tui.core.lint.styles import has_style, in_style, styles_kept
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.lint.model import LintReport

STYLES = ("snake_case", "camelCase", "PascalCase", "lowercase")
words = st.lists(st.from_regex(r"[a-z]{2,6}", fullmatch=True), min_size=1, max_size=4)


def naming(catalog: Catalog, **options: Any) -> LintReport:
    rules = {"naming": RuleSettings(options=options)}
    return SchemaLinter(LintConfig(rules=rules, select=("naming",))).run(catalog)


@settings(max_examples=100, deadline=None)
@given(words, st.sampled_from(STYLES))
def test_a_name_written_in_a_style_has_it(parts: list[str], style: str) -> None:
    name = in_style("_".join(parts), style)
    assert name is not None
    assert has_style(name, style)


@settings(max_examples=100, deadline=None)
@given(words, st.sampled_from(["camelCase", "PascalCase"]))
def test_words_survive_the_way_to_another_style_and_back(parts: list[str], style: str) -> None:
    there = in_style("_".join(parts), style)
    assert there is not None
    assert in_style(there, "snake_case") == "_".join(parts)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=12), st.sampled_from(STYLES))
def test_any_text_can_be_asked_about(name: str, style: str) -> None:
    has_style(name, style)
    written = in_style(name, style)
    assert written is None or written


@pytest.mark.parametrize(
    ("name", "snake"),
    [("HTTPServer", "http_server"), ("order2Items", "order2_items"), ("Order Lines", "order_lines"), ("__x", "_x")],
)
def test_words_are_told_apart(name: str, snake: str) -> None:
    assert in_style(name, "snake_case") == snake


def test_the_styles_of_a_schema_are_those_that_a_good_part_of_its_names_have() -> None:
    snake = [f"order_{number}_line" for number in range(20)]
    camel = [f"order{number}Line" for number in range(20)]
    assert styles_kept({}) == ("snake_case",)
    assert styles_kept(Counter(["OrderLines", "unitPrice"])) == ("snake_case",)
    assert styles_kept(Counter(camel)) == ("camelCase",)
    assert styles_kept(Counter([*snake, *camel])) == ("snake_case", "camelCase")
    assert styles_kept(Counter([*snake, *camel[:4]])) == ("snake_case",)
    assert styles_kept(Counter(["orders", "lines"] * 20)) == ("snake_case",)


@pytest.mark.parametrize(
    ("glob", "name", "meant"),
    [
        ("public.orders", "public.orders", True),
        ("orders", "public.orders", True),
        ("orders", "public.orders.note", True),
        ("orders.note", "public.orders.note", True),
        ("orders", "public.orders_old", False),
        ("note", "public.orders.note", False),
        ("*.note", "public.orders.note", True),
        ("public.w_*", "public.w_order.id", True),
        ("sales.Order Lines", 'sales."Order Lines"', True),
        ('sales."Order Lines"', 'sales."Order Lines"', True),
        ("f(integer)", "public.f(integer)", True),
        ("public", "public.orders", False),
        ("[markup]", 'public."[markup]"', False),
        ("public", "public", True),
    ],
)
def test_globs_name_objects_and_what_belongs_to_them(glob: str, name: str, meant: bool) -> None:
    assert matches(glob, name) is meant


def test_patterns_for_schemas_and_prefixes(conn: psycopg.Connection[Any]) -> None:
    conn.execute(
        "CREATE SCHEMA write; CREATE SCHEMA read; CREATE TABLE write.w_order (id int PRIMARY KEY);"
        "CREATE TABLE write.customer (id int PRIMARY KEY); CREATE TABLE read.r_order (id int PRIMARY KEY);"
        "CREATE TABLE public.tb_log (id int PRIMARY KEY); CREATE TABLE public.tb_2 (id int PRIMARY KEY)"
    )
    patterns = [
        {"schemas": ["write"], "pattern": "^w_"},
        {"schemas": ["read"], "pattern": "^r_"},
        {"prefix": "tb_", "pattern": "^tb_[a-z]+$"},
    ]
    report = naming(Catalog.load(conn), patterns=patterns)
    assert {one.object for one in report.violations} == {"write.customer", "public.tb_2"}


def test_every_kind_of_name_is_judged_and_none_twice(conn: psycopg.Connection[Any]) -> None:
    conn.execute(
        """
        CREATE SCHEMA "Sales";
        CREATE TABLE "Sales"."Order" ("Id" int PRIMARY KEY, CONSTRAINT "BadCheck" CHECK ("Id" > 0));
        CREATE INDEX "OrderById" ON "Sales"."Order" ("Id");
        CREATE INDEX "Order_Id_idx" ON "Sales"."Order" ("Id");
        CREATE VIEW "Sales"."OrderView" AS SELECT 1 AS x;
        CREATE FUNCTION "Sales"."DoIt"(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE TYPE "Sales"."Mood" AS ENUM ('a');
        CREATE SEQUENCE "Sales"."Numbers";
        CREATE TRIGGER "BadTrigger" BEFORE UPDATE ON "Sales"."Order"
          FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
        """
    )
    before = Catalog.load(conn)
    report = naming(before)
    assert {(one.kind, one.object) for one in report.violations} == {
        ("schema", '"Sales"'),
        ("table", '"Sales"."Order"'),
        ("column", '"Sales"."Order"."Id"'),
        ("constraint", '"Sales"."Order"."BadCheck"'),
        ("index", '"Sales"."OrderById"'),
        ("view", '"Sales"."OrderView"'),
        ("function", '"Sales"."DoIt"(integer)'),
        ("type", '"Sales"."Mood"'),
        ("sequence", '"Sales"."Numbers"'),
        ("trigger", '"Sales"."Order"."BadTrigger"'),
    }
    # Each new name is tried, and taken back. "order" is a reserved word: it comes out in quotes.
    for one in report.violations:
        assert one.fix is not None, one.object
        for step in one.fix.steps:
            conn.execute(step.up.encode())
            assert one.key not in {each.key for each in naming(Catalog.load(conn)).violations}
            conn.execute(step.down.encode())
    assert not before.diff(Catalog.load(conn))


def test_names_of_any_style_that_need_quotes_and_names_that_are_too_long(conn: psycopg.Connection[Any]) -> None:
    conn.execute('CREATE TABLE "Plain" (id int PRIMARY KEY); CREATE TABLE "a b" (a_rather_long_name int PRIMARY KEY)')
    catalog = Catalog.load(conn)
    report = naming(catalog, tables="any", max_length=10, constraints="any", indexes="any")
    assert {(one.object, one.detail) for one in report.violations} >= {
        ('public."a b"', "quoted"),
        ('public."a b".a_rather_long_name', "length"),
    }
    assert 'public."Plain"' not in {one.object for one in report.violations}
    allowed = naming(catalog, tables="any", constraints="any", allow_quoted=True)
    assert not allowed.violations


def test_reserved_words_are_those_of_the_server(conn: psycopg.Connection[Any]) -> None:
    rows = conn.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')").fetchall()
    reserved = {word for (word,) in rows}
    assert not {word for word in RESERVED if quote_identifier(word) == word}
    # Each major has a few more than the one before.
    assert reserved <= RESERVED
    if conn.info.server_version >= 180000:
        assert reserved == RESERVED
