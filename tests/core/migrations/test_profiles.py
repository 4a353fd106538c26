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
    found = {name: profile.wrapping_of(script) for name, profile in PROFILES.items()}
    expected = {"confiture": confiture, "confiture-tui": ours, "loose": loose}
    assert found == expected if sql else {**found, "loose": NONE} == expected


def test_only_our_runner_sets_a_lock_timeout() -> None:
    assert {name: profile.lock_timeout_ms for name, profile in PROFILES.items()} == {
        "confiture": None,
        "confiture-tui": 2000,
        "loose": None,
    }
    assert all(profile.name == name for name, profile in PROFILES.items())
