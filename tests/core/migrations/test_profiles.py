"""How each runner wraps a file."""

from __future__ import annotations

import pytest

from confiture_tui.core.migrations.profiles import PROFILES, Wrapping
from confiture_tui.core.sql.script import Script

TRANSACTION, OWN, NONE = Wrapping.TRANSACTION, Wrapping.OWN, Wrapping.NONE


@pytest.mark.parametrize(
    ("sql", "confiture", "ours", "loose"),
    [
        ("SELECT 1; ALTER TABLE a ADD b int", TRANSACTION, TRANSACTION, NONE),
        ("BEGIN; SELECT 1; COMMIT", OWN, OWN, OWN),
        ("BEGIN; CREATE INDEX CONCURRENTLY ON a (b); COMMIT", OWN, OWN, OWN),
        ("BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT", TRANSACTION, TRANSACTION, NONE),
        ("SELECT 1; CREATE INDEX CONCURRENTLY ON a (b)", NONE, NONE, NONE),
        ("DROP INDEX CONCURRENTLY a", NONE, NONE, NONE),
        ("REINDEX TABLE CONCURRENTLY a", NONE, NONE, NONE),
        ("VACUUM a", NONE, NONE, NONE),
        ("CREATE DATABASE a", NONE, NONE, NONE),
        ("DROP DATABASE a", NONE, NONE, NONE),
        ("CLUSTER", NONE, NONE, NONE),
        # confiture does without a transaction where PostgreSQL would not ask for it …
        ("ALTER TYPE a ADD VALUE 'b'", NONE, TRANSACTION, NONE),
        ("ANALYZE a", NONE, TRANSACTION, NONE),
        ("CLUSTER a", NONE, TRANSACTION, NONE),
        # … and tries with one where PostgreSQL refuses.
        ("ALTER SYSTEM SET work_mem = '4MB'", TRANSACTION, NONE, NONE),
        ("ALTER TABLE a DETACH PARTITION b CONCURRENTLY", TRANSACTION, NONE, NONE),
        ("DISCARD ALL", TRANSACTION, NONE, NONE),
        # It reads the whole file or nothing.
        ("CREATE INDEX CONCURRENTLY ON a (b); brok en", TRANSACTION, NONE, NONE),
        ("SELECT 'CREATE INDEX CONCURRENTLY' -- VACUUM", TRANSACTION, TRANSACTION, NONE),
        ("", TRANSACTION, TRANSACTION, NONE),
    ],
)
def test_wrapping(sql: str, confiture: Wrapping, ours: Wrapping, loose: Wrapping) -> None:
    script = Script(sql)
    found = {name: PROFILES[name].wrapping_of(script) for name in ("confiture", "confiture-tui", "loose")}
    expected = {"confiture": confiture, "confiture-tui": ours, "loose": loose}
    assert found == expected if sql else {**found, "loose": NONE} == expected


def test_only_our_runner_sets_a_lock_timeout() -> None:
    given = {name: one.lock_timeout_ms for name, one in PROFILES.items() if one.lock_timeout_ms is not None}
    assert given == {"confiture-tui": 2000}
    assert all(profile.name == name for name, profile in PROFILES.items())


SEVERAL = "ALTER TABLE a ADD b int; CREATE INDEX CONCURRENTLY ON a (b)"
ALONE = "CREATE INDEX CONCURRENTLY ON a (b)"


@pytest.mark.parametrize(
    ("name", "plain", "alone", "marked"),
    [
        ("goose", TRANSACTION, TRANSACTION, NONE),
        ("atlas", TRANSACTION, TRANSACTION, NONE),
        # A file that is sent as one query is one transaction as soon as it has two statements.
        ("dbmate", TRANSACTION, TRANSACTION, TRANSACTION),
        ("diesel", TRANSACTION, TRANSACTION, TRANSACTION),
        ("sqlx", TRANSACTION, TRANSACTION, TRANSACTION),
        ("golang-migrate", TRANSACTION, NONE, NONE),
        ("prisma", TRANSACTION, NONE, NONE),
        ("flyway", TRANSACTION, NONE, NONE),
        ("supabase", NONE, NONE, NONE),
        ("sqitch", NONE, NONE, NONE),
    ],
)
def test_what_other_tools_wrap(name: str, plain: Wrapping, alone: Wrapping, marked: Wrapping) -> None:
    profile = PROFILES[name]
    assert profile.wrapping_of(Script(SEVERAL)) is plain
    assert profile.wrapping_of(Script(ALONE)) is alone
    assert profile.wrapping_of(Script(SEVERAL, transactional=False)) is marked
    assert profile.wrapping_of(Script(ALONE, transactional=False)) is NONE
    assert profile.wrapping_of(Script(f"BEGIN; {SEVERAL}; COMMIT")) is Wrapping.OWN


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK", "END"])
def test_a_query_that_ends_transactions_itself_is_no_one_transaction(end: str) -> None:
    script = Script(f"BEGIN; SELECT 1; {end}; SELECT 2")
    assert PROFILES["prisma"].wrapping_of(script) is NONE
    assert PROFILES["prisma"].wrapping_of(Script("SAVEPOINT a; SELECT 1; ROLLBACK TO a")) is TRANSACTION
