"""Fixes on a real server: what a fix mends is gone after it, and its way back brings the schema back."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.lint.config import LintConfig, RuleSettings
from confiture_tui.core.lint.linter import SchemaLinter
from confiture_tui.core.lint.model import Fix, FixStep, Safety, Violation
from confiture_tui.core.lint.rules import RULES
from confiture_tui.core.sql.script import Script
from tests.core.lint.examples import build, schema_of, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.core.lint.rule import LintRule
    from confiture_tui.database.embedded import EmbeddedServer

UNMENDED = {
    "invalid-index": "its rows break the uniqueness",
    "rls-disabled": "the example's own grant stays",
    "stale-statistics": "nothing of the schema changes",
    "never-analyzed": "nothing of the schema changes",
    "xid-age": "every age is a finding in the example",
    "extension-in-public": "it needs a database of its own",
    "extension-outdated": "it needs a database of its own",
    "nullable-boolean": "tested below, with rows",
    "multi-tenant": "tested below, with rows",
}
"""Rules whose examples do not show their fixes at work."""

FIXABLE = [rule for rule in RULES if rule.id not in UNMENDED]


def run(conn: psycopg.Connection[Any], sql: str) -> None:
    """Run a fix as a runner would that wraps nothing."""
    for statement in Script.from_text(sql).statements:
        assert statement.problem is None, statement.sql
        conn.execute(statement.sql.encode())


def lint(conn: psycopg.Connection[Any], config: LintConfig) -> tuple[Violation, ...]:
    return SchemaLinter(config).run(Catalog.load(conn)).violations


@pytest.fixture(scope="module")
def shared(server: EmbeddedServer) -> Iterator[psycopg.Connection[Any]]:
    """A connection to a database in which every test has a schema of its own."""
    server.create_database("lint_fixes")
    try:
        with closing(psycopg.connect(server.dsn("lint_fixes").conninfo(), autocommit=True)) as conn:
            yield conn
    finally:
        server.drop_database("lint_fixes")


@pytest.mark.parametrize("rule", FIXABLE, ids=lambda rule: rule.id)
def test_a_fix_mends_what_it_is_for_and_can_be_taken_back(
    rule: type[LintRule], shared: psycopg.Connection[Any]
) -> None:
    schema = schema_of(rule, "bad")
    shared.execute(f"CREATE SCHEMA {schema}; SET search_path = {schema}".encode())
    try:
        build(shared, rule.bad)
        # As in a migration: names are found wherever search_path leads.
        shared.execute("SET search_path = public")
        before = Catalog.load(shared)
        config = settings(rule).model_copy(update={"schemas": (schema,)})
        for violation in SchemaLinter(config).run(before).violations:
            if violation.fix is not None and violation.fix.safety is not Safety.MANUAL:
                _prove(shared, config, before, violation, violation.fix)
    finally:
        shared.execute(f"DROP SCHEMA {schema} CASCADE".encode())


def _prove(conn: psycopg.Connection[Any], config: LintConfig, before: Catalog, violation: Violation, fix: Fix) -> None:
    for step in fix.steps:
        run(conn, step.up)
    assert violation.key not in {one.key for one in lint(conn, config)}, "still found"
    if not all(step.down for step in fix.steps):
        return
    for step in reversed(fix.steps):
        run(conn, step.down)
    changes = [one for one in before.diff(Catalog.load(conn)).changes if not one.order_only]
    assert not changes


TENANTS = """
CREATE TABLE tenant (tenant_id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
INSERT INTO tenant (name) VALUES ('north'), ('south');
CREATE TABLE purchase (tenant_id uuid NOT NULL REFERENCES tenant, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE INDEX ON purchase (tenant_id);
INSERT INTO purchase (tenant_id) SELECT tenant_id FROM tenant;
CREATE TABLE line (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, purchase_id bigint NOT NULL REFERENCES purchase);
INSERT INTO line (purchase_id) SELECT id FROM purchase, generate_series(1, 5);
CREATE TABLE parcel (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, weight int);
INSERT INTO parcel (weight) VALUES (1), (2);
"""


def _tenancy(**options: object) -> LintConfig:
    given = {"tenant_table": "tenant", "require_in_foreign_keys": False, **options}
    return LintConfig(rules={"multi-tenant": RuleSettings(options=given)}, select=("multi-tenant",))


def _of(violations: tuple[Violation, ...], name: str) -> Violation:
    found = [one for one in violations if one.object == name]
    assert len(found) == 1, [(one.object, one.detail) for one in violations]
    return found[0]


def test_a_tenant_column_is_added_to_a_table_with_rows_in_steps(conn: psycopg.Connection[Any]) -> None:
    run(conn, TENANTS)
    fix = _of(lint(conn, _tenancy()), "public.line").fix
    assert fix is not None
    # The one statement that everybody writes first fails on the first row.
    with pytest.raises(psycopg.errors.NotNullViolation):
        conn.execute("ALTER TABLE line ADD COLUMN tenant_id uuid NOT NULL REFERENCES tenant")
    assert "NOT NULL REFERENCES" not in fix.sql
    for step in fix.steps:
        run(conn, step.up)
    rows = conn.execute(
        "SELECT count(*) FROM line JOIN purchase ON purchase.id = line.purchase_id"
        " WHERE line.tenant_id = purchase.tenant_id"
    ).fetchone()
    assert rows == (10,)
    # What is left to do is an index.
    index = _of(tuple(one for one in lint(conn, _tenancy()) if one.relation == "public.line"), "public.line.tenant_id")
    assert index.detail == "index"
    assert index.fix is not None
    run(conn, index.fix.sql)
    assert not [one for one in lint(conn, _tenancy()) if one.relation == "public.line"]


def test_where_nothing_tells_the_tenant_the_steps_come_one_after_the_other(conn: psycopg.Connection[Any]) -> None:
    run(conn, TENANTS)
    fix = _of(lint(conn, _tenancy()), "public.parcel").fix
    assert fix is not None
    assert "UPDATE" not in fix.sql
    for step in fix.steps:
        run(conn, step.up)
    conn.execute("UPDATE parcel SET tenant_id = (SELECT min(tenant_id::text)::uuid FROM tenant)")
    left = [one for one in lint(conn, _tenancy(require_index=False)) if one.relation == "public.parcel"]
    assert [one.detail for one in left] == ["nullable"]
    assert left[0].fix is not None
    for step in left[0].fix.steps:
        run(conn, step.up)
    assert not [one for one in lint(conn, _tenancy(require_index=False)) if one.relation == "public.parcel"]
    constraints = conn.execute("SELECT conname FROM pg_constraint WHERE conrelid = 'parcel'::regclass").fetchall()
    assert not [name for (name,) in constraints if name.endswith("_not_null_check")]


def test_each_step_of_not_null_is_brief_but_the_one_that_blocks_nobody(conn: psycopg.Connection[Any]) -> None:
    """The proof that SET NOT NULL reads nothing: it holds on a table that another session reads from meanwhile."""
    conn.execute("CREATE TABLE t (id int PRIMARY KEY, done boolean); INSERT INTO t VALUES (1, true)")
    config = LintConfig(select=("nullable-boolean",))
    violation = _of(lint(conn, config), "public.t.done")
    assert violation.fix is not None
    steps = violation.fix.steps
    assert "NOT VALID" in steps[0].up
    assert "VALIDATE" in steps[1].up
    for step in steps:
        run(conn, step.up)
    assert not lint(conn, config)
    for step in reversed(steps):
        if step.down:
            run(conn, step.down)
    assert lint(conn, config)


@pytest.mark.parametrize("name", ['we"ird', "dotted.name", "naïve", "[markup]", "select", "Order Lines"])
def test_every_name_is_quoted(conn: psycopg.Connection[Any], name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    conn.execute(f"CREATE TABLE {quoted} (x int PRIMARY KEY)".encode())
    conn.execute(f"CREATE TABLE other (id int, {quoted} int NOT NULL REFERENCES {quoted}, b boolean)".encode())
    conn.execute(f'CREATE UNIQUE INDEX {quoted[:-1]}_u" ON other ({quoted}, id)'.encode())
    for rule in ("missing-index", "primary-key", "nullable-boolean", "naming", "documentation", "mandatory-columns"):
        options = {"mandatory-columns": {"columns": {name: "text"}}}.get(rule, {})
        config = LintConfig(rules={rule: RuleSettings(options=options)}, select=(rule,))
        for violation in lint(conn, config):
            for step in violation.fix.steps if violation.fix else ():
                with conn.transaction(force_rollback=True) as transaction:
                    if step.transactional and step is violation.fix.steps[0]:  # type: ignore[union-attr]
                        run(transaction.connection, step.up)
                assert all(one.problem is None for one in Script.from_text(step.up + step.down).statements)


def test_the_sql_of_several_steps_says_where_each_begins() -> None:
    steps = (FixStep(up="SELECT 1;\n"), FixStep(up="SELECT 2;\n"))
    sql = Fix(steps=steps, safety=Safety.REVIEW, note="Beware.\nReally.").sql
    assert [statement.sql for statement in Script.from_text(sql).statements] == ["SELECT 1", "SELECT 2"]
    assert sql.startswith("-- Beware.\n-- Really.\n-- Step 1")


def test_a_partitioned_table_gets_its_index_partition_by_partition(conn: psycopg.Connection[Any]) -> None:
    run(
        conn,
        """
        CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE p (id int, a_id int REFERENCES a) PARTITION BY LIST (id);
        CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1);
        CREATE TABLE p_2 PARTITION OF p FOR VALUES IN (2, 3) PARTITION BY LIST (id);
        CREATE TABLE p_22 PARTITION OF p_2 FOR VALUES IN (2);
        CREATE TABLE p_empty PARTITION OF p FOR VALUES IN (9) PARTITION BY LIST (id);
        """,
    )
    config = LintConfig(select=("missing-index",))
    before = Catalog.load(conn)
    (violation,) = lint(conn, config)
    assert violation.fix is not None
    run(conn, violation.fix.sql)
    assert not lint(conn, LintConfig(select=("missing-index", "partition-index-missing")))
    for step in violation.fix.steps:
        run(conn, step.down)
    assert not before.diff(Catalog.load(conn))
