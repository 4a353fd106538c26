"""The engine, on real SQL, with a real database and without one."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.model import Basis
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import PROFILES
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.risk.model import Category, Level, RiskAssessment
from confiture_tui.core.sql.script import Script
from confiture_tui.database.connection import connect
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_tui.database.dsn import Dsn

Connection = psycopg.Connection[tuple[object, ...]]

SHOP = """
CREATE TABLE customers (id int PRIMARY KEY, email text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int, note text, amount numeric(10, 2));
CREATE TABLE empty (id int PRIMARY KEY, v int);
INSERT INTO customers SELECT i, 'c' || i FROM generate_series(1, 100) i;
ALTER TABLE orders ALTER note SET STORAGE PLAIN;
INSERT INTO orders SELECT i, i % 150, repeat('x', 2000), i FROM generate_series(1, 8000) i;
"""


@pytest.fixture
def shop(database_from: Callable[[str], Dsn]) -> Iterator[Connection]:
    with connect(database_from(SHOP)) as conn:
        conn.execute("ANALYZE")
        # Statistics reach the views late, in 14 by way of a process of their own.
        seen = "SELECT last_analyze IS NOT NULL FROM pg_stat_user_tables WHERE relname = 'customers'"
        deadline = time.monotonic() + 60
        while conn.execute(seen).fetchone() != (True,) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield conn


@pytest.fixture
def catalog(shop: Connection) -> Catalog:
    return Catalog.load(shop)


def migration(sql: str, down: str | None = "SELECT 1") -> Migration:
    plain = Migration.from_sql(sql, version="001", name="test")
    return plain if down is None else plain.model_copy(update={"down": Script.from_text(down)})


def assess(sql: str, down: str | None = "SELECT 1", **options: Any) -> RiskAssessment:
    options.setdefault("runner", "confiture")
    options.setdefault("rules", ())
    options.setdefault("traffic_seconds", 0)
    return RiskAssessmentEngine(options.pop("catalog", None), **options).assess(migration(sql, down))


def points(found: RiskAssessment) -> dict[str, int]:
    return {category.value: value for category, value in found.categories.items() if value}


def test_the_document_is_the_contract() -> None:
    found = RiskAssessmentEngine(runner="confiture").assess(migration("ALTER TABLE orders ALTER id TYPE bigint"))
    document = json.loads(json.dumps(found.model_dump(mode="json")))
    promised = {
        "version", "name", "path", "score", "level", "confidence", "analysed", "categories", "statements", "risks",
        "rollback",
    }  # fmt: skip
    assert promised <= set(document)
    assert list(document["categories"]) == [
        "locking", "performance", "data_loss", "integrity", "compatibility", "reversibility", "security",
    ]  # fmt: skip
    assert document["analysed"] == [1, 1]
    (statement,) = document["statements"]
    assert {
        "index", "line", "tag", "sql", "basis", "reach", "locks", "rewrites", "scans", "builds", "rebuilds", "creates",
        "drops", "invalid_indexes", "destroys_data", "changes_data", "transactional", "opaque", "fails", "may_fail",
        "estimate",
    } <= set(statement)  # fmt: skip
    assert statement["locks"] == [{"relation": "public.orders", "mode": "ACCESS EXCLUSIVE"}]
    assert statement["rewrites"] == ["public.orders"]
    assert set(statement["estimate"]) == {"low_ms", "expected_ms", "high_ms", "source"}
    assert {
        "rule", "category", "severity", "statement", "message", "evidence", "recommendation", "safe_sql",
    } <= set(document["risks"][0])  # fmt: skip
    assert set(document["rollback"]) >= {"strategy", "schema_proved", "data"}
    assert document["rollback"]["strategy"] == "down_file"
    assert isinstance(document["score"], int)


def test_without_a_database_a_minute_for_each_piece_of_work() -> None:
    found = assess("ALTER TABLE orders ADD CHECK (amount > 0)")
    assert found.basis is Basis.ASSUMED
    assert found.categories[Category.LOCKING] == 88
    assert found.confidence < 0.7


def test_with_a_catalog_the_size_decides(shop: Connection) -> None:
    shop.execute("ALTER TABLE customers SET (autovacuum_enabled = off)")
    found = assess("SET lock_timeout = '1s'; ALTER TABLE customers ADD CHECK (id > 0)", catalog=Catalog.load(shop))
    assert found.basis is Basis.CATALOG
    assert found.categories[Category.LOCKING] == 10, found.risks
    big = assess("SET lock_timeout = '1s'; ALTER TABLE orders ADD CHECK (amount > 0)", catalog=Catalog.load(shop))
    assert 30 <= big.categories[Category.LOCKING] < 60


def test_what_nobody_bounds_is_worse() -> None:
    sql = "ALTER TABLE orders ALTER amount SET DEFAULT 1"
    assert points(assess(sql))["locking"] == 30
    assert points(assess(f"SET lock_timeout = '2s'; {sql}"))["locking"] == 10
    assert points(assess(sql, runner="confiture-tui"))["locking"] == 10
    assert points(assess(f"SET lock_timeout = 0; {sql}", runner="confiture-tui"))["locking"] == 30


def test_wrapping_decides_how_long_a_lock_is_held() -> None:
    sql = "ALTER TABLE orders ALTER amount SET DEFAULT 1; CREATE INDEX i ON customers (email)"
    wrapped, apart = assess(sql), assess(sql, runner="loose")
    of_orders = [
        next(each.held_ms for each in found.exposure if each.relation == "public.orders") for found in (wrapped, apart)
    ]
    assert of_orders[0] > 60_000 > 1_000 > of_orders[1]


def test_data_decide_whether_it_fails(shop: Connection) -> None:
    sql = "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers"
    unasked = assess(sql, catalog=Catalog.load(shop))
    assert unasked.categories[Category.INTEGRITY] == 30
    asked = assess(sql, connection=shop)
    assert asked.categories[Category.INTEGRITY] == 95
    (statement,) = asked.statements
    assert statement.fails is not None
    assert statement.fails.sqlstate == "23503"
    assert statement.fails.message.startswith("there are at least 1,000 rows of public.orders")
    shop.execute("DELETE FROM orders WHERE customer_id NOT IN (SELECT id FROM customers)")
    fine = assess(sql, connection=shop)
    assert fine.categories[Category.INTEGRITY] == 0
    assert all(each.checked for each in fine.statements[0].may_fail or ())


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers", 2650),
        ("ALTER TABLE orders ADD UNIQUE (customer_id)", 150),
        ("ALTER TABLE orders ADD CHECK (amount < 100)", 7901),
    ],
)
def test_the_rows_that_make_it_fail_can_be_looked_at(shop: Connection, sql: str, count: int) -> None:
    (risk,) = (each for each in assess(sql, connection=shop, rules=None).risks if each.rule == "fails-on-existing-data")
    (query,) = (each.partition(": ")[2] for each in risk.evidence if each.startswith("This finds them: "))
    found = shop.execute(query.encode()).fetchall()
    assert len(found) == count
    assert found[0], "with columns"


def test_an_index_that_is_valid_can_be_built_anew(shop: Connection) -> None:
    for sql in ("REINDEX TABLE orders", "REINDEX TABLE CONCURRENTLY orders"):
        found = assess(sql, connection=shop)
        assert found.categories[Category.INTEGRITY] == 0
        assert all(each.checked for each in found.statements[0].may_fail or ())


@pytest.mark.parametrize(
    ("rows", "sure"),
    [
        ("(id, n) VALUES (1, 'a'), (2, 'b')", True),
        ("(id, n) VALUES (1, 'a')", True),
        ("(n, id) VALUES ('a', 1), ('b', 1)", False),
        ("(id, n) VALUES (1, 'a'), (2, 'a')", False),
        ("(id, n) VALUES (1, 'a'), (1 + 1, 'b')", False),
        ("(n) VALUES ('a'), ('b')", False),
        ("SELECT 1, 'a'", False),
    ],
)
def test_first_rows_of_constants_need_no_asking(rows: str, sure: bool) -> None:
    made = "CREATE TABLE made (id int DEFAULT 1 PRIMARY KEY, n text UNIQUE); CREATE TABLE other (id int PRIMARY KEY)"
    insert = f"INSERT INTO made {rows}"
    found = assess(f"{made}; INSERT INTO other VALUES (1); {insert}")
    assert (found.categories[Category.INTEGRITY] < 30) is sure
    again = assess(f"{made}; {insert}; {insert}")
    assert again.categories[Category.INTEGRITY] == 30, "by then the table has rows"


def test_a_check_that_the_migration_itself_adds_is_asked_for(shop: Connection) -> None:
    sql = "ALTER TABLE orders ADD CONSTRAINT k CHECK (amount < {}) NOT VALID; ALTER TABLE orders VALIDATE CONSTRAINT k"
    assert assess(sql.format(100), connection=shop).categories[Category.INTEGRITY] == 95
    assert assess(sql.format(1_000_000), connection=shop).categories[Category.INTEGRITY] == 0


def test_what_the_migration_itself_changes_is_not_asked_for(shop: Connection) -> None:
    shop.execute("UPDATE customers SET email = NULL WHERE id = 1")
    sql = "UPDATE customers SET email = '' WHERE email IS NULL; ALTER TABLE customers ALTER email SET NOT NULL"
    found = assess(sql, connection=shop)
    assert found.statements[1].fails is None
    assert found.categories[Category.INTEGRITY] == 30


def test_an_empty_table_has_nothing_to_lose(shop: Connection) -> None:
    assert points(assess("DROP TABLE empty", connection=shop))["data_loss"] == 10
    assert points(assess("DROP TABLE customers", connection=shop))["data_loss"] == 95
    assert points(assess("DROP TABLE empty", catalog=Catalog.load(shop)))["data_loss"] == 95


def test_who_reads_now_is_waited_for(shop: Connection) -> None:
    sql = "ALTER TABLE customers ALTER email SET DEFAULT ''"
    quiet = assess(sql, connection=shop)
    with psycopg.connect(shop.info.dsn, autocommit=True) as reader, reader.transaction():
        reader.execute("SELECT FROM customers")
        busy = assess(sql, connection=shop)
    assert quiet.exposure[0].queue_ms == 0
    assert busy.exposure[0].queue_ms > 0


def test_each_migration_finds_what_the_earlier_ones_leave() -> None:
    first = migration("CREATE TABLE made (id int)", "DROP TABLE made")
    second = migration("CREATE INDEX i ON made (id)", "DROP INDEX i")
    engine = RiskAssessmentEngine(runner="confiture-tui", rules=())
    _, later = engine.assess_all([first, second])
    assert later.statements[0].fails is None
    assert later.categories[Category.INTEGRITY] == 0


HISTORY = (
    "CREATE TABLE made (id int, other int); INSERT INTO made VALUES (1, NULL)",
    "ALTER TABLE made ADD CHECK (other IS NOT NULL) NOT VALID",
    "ALTER TABLE made ALTER other SET NOT NULL; SELCT 1",
    "UPDATE elsewhere SET x = 1",
    "ALTER TABLE elsewhere ALTER x SET NOT NULL; CREATE UNIQUE INDEX ON elsewhere (x)",
    "DO $$ BEGIN EXECUTE 'SELECT 1'; END $$",
    "ALTER TABLE third ALTER y SET NOT NULL; DROP TABLE made",
)
"""Each of what the ones before it change: rows, constraints, whatever a program does."""


def test_files_alone_are_assessed_in_turn_as_they_are_together() -> None:
    engine = RiskAssessmentEngine(runner="confiture")
    together = engine.assess_all([migration(sql) for sql in HISTORY])
    assert tuple(engine.assess_in_turn([migration(sql) for sql in HISTORY])) == together


def test_the_first_of_many_files_does_not_wait_for_the_others() -> None:
    first, second = (migration(sql) for sql in HISTORY[:2])
    assessed = RiskAssessmentEngine(runner="confiture").assess_in_turn([first, second])
    assert next(iter(assessed)).statements[0].creates == ("public.made",)
    assert second.up._parsed is None


def test_migrations_that_have_nothing_to_do_with_each_other_find_the_database_as_it_is(shop: Connection) -> None:
    filling = migration("CREATE TABLE made (id int); UPDATE customers SET email = NULL")
    needing = migration("ALTER TABLE customers ALTER email SET NOT NULL; ALTER TABLE made ADD x int")
    engine = RiskAssessmentEngine(connection=shop, runner="confiture", rules=(), traffic_seconds=0)
    _, after = engine.assess_all([filling, needing])
    assert [each.fails for each in after.statements] == [None, None]
    _, apart = engine.assess_each([filling, needing])
    assert all(each.checked for each in apart.statements[0].may_fail or ())
    assert apart.statements[1].fails is not None


def test_one_bad_file_costs_only_itself() -> None:
    bad, good = migration("SELCT 1; ALTER TABLE t ADD c int; {{ template }}"), migration("CREATE TABLE fine (id int)")
    first, second = RiskAssessmentEngine(rules=()).assess_all([bad, good])
    assert first.analysed == (1, 3)
    assert first.level is Level.CRITICAL
    assert first.statements[0].fails is not None
    assert (second.score, second.level) == (5, Level.NONE), "it is not known whether there is such a table already"


def test_nothing_at_all() -> None:
    found = assess("", None)
    assert (found.score, found.level, found.analysed, found.confidence) == (0, Level.NONE, (0, 0), 1)


def test_new_things_only_and_a_way_back_is_zero(shop: Connection) -> None:
    sql = """CREATE TABLE made (id int PRIMARY KEY, v text); CREATE INDEX i ON made (v); COMMENT ON TABLE made IS 'x';
             ALTER TABLE made ADD w int NOT NULL; GRANT SELECT ON made TO PUBLIC"""
    assert assess(sql, "DROP TABLE made", catalog=Catalog.load(shop)).score == 0
    assert points(assess(sql, None, catalog=Catalog.load(shop))) == {"reversibility": 20}


def test_ignored_risks_do_not_count() -> None:
    sql = "-- risk: ignore blocking-lock: at night\nALTER TABLE orders ALTER amount SET DEFAULT 1"
    found = assess(sql)
    assert found.categories[Category.LOCKING] <= 10
    assert [(each.risk.rule, each.reason) for each in found.ignored] == [("blocking-lock", "at night")]
    assert assess(sql.partition("\n")[2], allow=["blocking-lock"]).categories == found.categories


def test_an_unknown_runner_is_refused() -> None:
    with pytest.raises(UsageError, match="no runner 'nobody'"):
        RiskAssessmentEngine(runner="nobody")


def test_a_connection_in_use_is_left_as_it_was(shop: Connection) -> None:
    shop.autocommit = False
    shop.execute("CREATE TABLE mine (v int)")
    found = RiskAssessmentEngine(connection=shop, rules=(), traffic_seconds=0).assess(migration("DROP TABLE mine"))
    assert found.statements[0].fails is None
    assert shop.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS
    shop.rollback()
    shop.autocommit = True


def test_an_idle_connection_has_no_transaction_open_afterwards(shop: Connection) -> None:
    with psycopg.connect(shop.info.dsn) as mine:
        found = RiskAssessmentEngine(Catalog.load(mine), connection=mine, traffic_seconds=0.01)
        assert found.assess(migration("ALTER TABLE orders ADD COLUMN n int")).score
        assert mine.info.transaction_status is psycopg.pq.TransactionStatus.IDLE


def test_a_connection_that_is_lost_costs_its_answers_and_nothing_else(shop: Connection) -> None:
    with psycopg.connect(shop.info.dsn, autocommit=True) as lost:
        catalog = Catalog.load(lost)
        shop.execute("SELECT pg_terminate_backend(%s, 10000)", (lost.info.backend_pid,))
        found = RiskAssessmentEngine(catalog, connection=lost).assess(
            migration("ALTER TABLE orders ALTER COLUMN note SET NOT NULL")
        )
    assert found.categories[Category.INTEGRITY] >= 30
    assert any("could not be asked" in note for note in found.notes)


STATEMENTS = (
    "ALTER TABLE orders ADD COLUMN c int",
    "ALTER TABLE orders ALTER id TYPE bigint",
    "CREATE INDEX i ON orders (note)",
    "UPDATE orders SET note = 'x'",
    "DROP TABLE customers",
    "ALTER TABLE orders ADD CONSTRAINT k CHECK (amount > 0) NOT VALID",
    "CREATE TABLE made (id int)",
    "DO $$ BEGIN PERFORM 1; END $$",
    "ALTER TABLE customers RENAME COLUMN email TO mail",
    "TRUNCATE customers",
)


@given(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=4), st.sampled_from(STATEMENTS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_one_more_statement_never_lowers_the_score(listed: list[str], one_more: str) -> None:
    before, after = assess(";\n".join(listed)), assess(";\n".join([*listed, one_more]))
    assert after.score >= before.score
    assert all(after.categories[each] >= before.categories[each] for each in Category)


@given(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=4), st.sampled_from(["orders", "customers"]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_comments_layout_and_names_change_nothing(listed: list[str], renamed: str) -> None:
    plain = assess(";\n".join(listed))
    rewritten = ";\n\n  -- a remark; with 'quotes'\n".join(each.replace(" ", " /* x */  ") for each in listed)
    other_names = rewritten.replace(renamed, '"Odd ""name. é"')
    for sql in (rewritten, other_names):
        found = assess(sql)
        assert (found.score, found.level, points(found)) == (plain.score, plain.level, points(plain))


NEW = (
    ("CREATE TABLE a1 (id int PRIMARY KEY)", "DROP TABLE a1"),
    (
        "CREATE TABLE a2 (id int PRIMARY KEY, t text); CREATE INDEX ON a2 (t); ALTER TABLE a2 ADD c int DEFAULT 1",
        "DROP TABLE a2",
    ),
    ("CREATE TABLE a3 (id int PRIMARY KEY, n text UNIQUE); INSERT INTO a3 VALUES (1, 'x'), (2, 'y')", "DROP TABLE a3"),
    ("CREATE TYPE e1 AS ENUM ('x')", "DROP TYPE e1"),
    ("CREATE VIEW v1 AS SELECT 1 AS x", "DROP VIEW v1"),
    ("CREATE TEMP TABLE t1 (id int); UPDATE t1 SET id = 1; DROP TABLE t1", "SELECT 1"),
)
TOUCHING = (
    "COMMENT ON TABLE orders IS 'x'",
    "ANALYZE orders",
    "INSERT INTO empty VALUES (1, 1)",
    "SELECT FROM orders",
    "GRANT SELECT ON orders TO PUBLIC",
    "CREATE VIEW v2 AS SELECT id FROM orders",
    "DROP TABLE empty",
)
FAILING = (
    "ALTER TABLE nowhere ADD c int",
    "CREATE TABLE orders (id int)",
    "CREATE INDEX CONCURRENTLY i ON orders (id)",
)


@given(
    st.lists(st.sampled_from(NEW), min_size=1, unique=True),
    st.one_of(st.none(), st.sampled_from(TOUCHING), st.sampled_from(FAILING)),
    st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_zero_exactly_when_nothing_existing_is_touched_nothing_fails_and_there_is_a_way_back(
    catalog: Catalog, harmless: list[tuple[str, str]], other: str | None, has_down: bool
) -> None:
    sql = "; ".join([*(up for up, _ in harmless), *([other] if other else [])])
    down = "; ".join(back for _, back in reversed(harmless))
    found = assess(sql, down if has_down else None, catalog=catalog, rules=None)
    assert (found.score == 0) is (other is None and has_down), [each.message for each in found.risks if each.points]


def test_profiles_are_taken_as_they_are() -> None:
    profile = PROFILES["confiture"].model_copy(update={"name": "mine", "lock_timeout_ms": 5})
    assert points(assess("ALTER TABLE t ALTER c SET DEFAULT 1", runner=profile))["locking"] == 10
