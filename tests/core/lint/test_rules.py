"""Every rule on a real server: it finds its bad schema, and is silent on its good one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.lint.linter import SchemaLinter
from confiture_tui.core.lint.rules import RULES
from tests.core.lint.examples import build, schema_of, settings
from tests.support.processes import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.core.lint.model import Violation
    from confiture_tui.core.lint.rule import LintRule
    from confiture_tui.database.embedded import EmbeddedServer

OF_DATABASES = ("extension-in-public", "extension-outdated")
"""Rules about what a schema does not hold: each of their examples needs a database of its own."""

NOT_BEFORE_15 = ("view-not-security-invoker", "stale-statistics")
"""Rules whose good example needs a newer server: security_invoker, and counters that one can wait for."""


def is_possible(rule: type[LintRule], quality: str, server: EmbeddedServer) -> bool:
    return quality == "bad" or rule.id not in NOT_BEFORE_15 or server.version_num >= 150000


def found(rule: type[LintRule], catalog: Catalog, schema: str | None = None) -> tuple[Violation, ...]:
    violations = SchemaLinter(settings(rule)).run(catalog).violations
    return tuple(one for one in violations if schema in (None, one.schema_name))


def _counted(conn: psycopg.Connection[Any]) -> bool:
    """Whether the changes that make statistics stale have reached the server's counters."""
    conn.execute("SELECT 1")
    row = conn.execute(
        "SELECT n_mod_since_analyze FROM pg_stat_user_tables WHERE schemaname = 'bad_stale_statistics'"
    ).fetchone()
    return row is not None and row[0] >= 10


@pytest.fixture(scope="module")
def catalog(server: EmbeddedServer) -> Iterator[Catalog]:
    """All examples in one database, a schema each."""
    server.create_database("lint_examples")
    try:
        with psycopg.connect(server.dsn("lint_examples").conninfo(), autocommit=True) as conn:
            for rule in RULES:
                if rule.id in OF_DATABASES:
                    continue
                for quality, sql in (("bad", rule.bad), ("good", rule.good)):
                    if not is_possible(rule, quality, server):
                        continue
                    schema = schema_of(rule, quality)
                    conn.execute(f"CREATE SCHEMA {schema}; SET search_path = {schema}".encode())
                    build(conn, sql)
            until(lambda: _counted(conn), "the counters of bad_stale_statistics")
        with psycopg.connect(server.dsn("lint_examples").conninfo(), autocommit=True) as conn:
            yield Catalog.load(conn)
    finally:
        server.drop_database("lint_examples")


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.id not in OF_DATABASES], ids=lambda rule: rule.id)
def test_a_rule_finds_its_bad_example_and_is_silent_on_its_good_one(rule: type[LintRule], catalog: Catalog) -> None:
    bad = found(rule, catalog, schema_of(rule, "bad"))
    assert bad, "nothing found in the bad example"
    assert {one.rule for one in bad} == {rule.id}
    # On an older server the good schema is empty where it cannot be made.
    assert not [one.message for one in found(rule, catalog, schema_of(rule, "good"))]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.id in OF_DATABASES], ids=lambda rule: rule.id)
@pytest.mark.parametrize("quality", ["bad", "good"])
def test_the_rules_of_extensions(rule: type[LintRule], quality: str, conn: psycopg.Connection[Any]) -> None:
    build(conn, getattr(rule, quality))
    assert bool(found(rule, Catalog.load(conn))) == (quality == "bad")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_it_is_for(rule: type[LintRule]) -> None:
    assert rule.title.endswith(".")
    assert len(rule.why) > 20
    assert rule.bad
    assert rule.good
    assert rule.__doc__
    assert rule.options.__doc__


def test_every_id_is_there_once() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_no_two_violations_have_one_key(catalog: Catalog) -> None:
    for rule in RULES:
        keys = [one.key for one in rule().check(catalog, SchemaLinter(settings(rule)).options_of(rule.id))]
        assert len(set(keys)) == len(keys), rule.id
