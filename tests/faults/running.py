"""The migrations that are run while things go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from confiture_tui.core.hooks.hook import Hook
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.registry import HookRegistry
from confiture_tui.core.hooks.result import HookResult
from confiture_tui.core.migrations.ledger import read_ledger
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.runner.journal import Journal
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.core.runner.recovery import mark, settle_journal
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.core.runner.session import APPLICATION_NAME
from confiture_tui.database.ledger_table import LedgerTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.hooks.context import HookContext

Connection = psycopg.Connection[Any]
JOURNALLED = "public.tb_confiture_journal"
POLICY = RunPolicy(lock_timeout_ms=500, pause_ms=10, retries=2, outcome_wait_s=30)

CHILD = """
import sys
import psycopg
from confiture_tui.core.runner.runner import MigrationRunner
from tests.faults.running import hooks_of, migrations

def tell(event):
    print(event.name, flush=True)
    sys.stdin.readline()

with psycopg.connect(sys.argv[1], autocommit=True) as conn:
    chosen = migrations(sys.argv[2])
    MigrationRunner(conn, sink=tell).apply(chosen, hooks=hooks_of(chosen))
print("over", flush=True)
"""
"""A process that applies a migration, and waits for a line after each event that it prints."""


@dataclass(frozen=True)
class Case:
    """A migration, and the relations that it makes."""

    sql: str
    made: tuple[str, ...]


MIGRATIONS = {
    "whole": Case("CREATE TABLE a (id int PRIMARY KEY);\nCREATE TABLE b (id int);\n", ("a", "b")),
    "backfill": Case("CREATE TABLE a (id int PRIMARY KEY);\n", ("a",)),
    "steps": Case(
        "CREATE TABLE IF NOT EXISTS a (id int PRIMARY KEY);\nCREATE INDEX CONCURRENTLY a_twice ON a (id);\n"
        "CREATE TABLE IF NOT EXISTS b (id int);\n",
        ("a", "a_twice", "b"),
    ),
}
_OTHERS = {
    "slow": "CREATE TABLE a (id int);\nSELECT pg_sleep(60);\n",
    "deadlock": "CREATE TABLE a (id int);\nLOCK TABLE x;\nLOCK TABLE y;\n",
    "disk": "CREATE TABLE a AS SELECT n FROM generate_series(1, 2000000) n ORDER BY random();\n",
}


class Note(Hook):
    """A hook that does nothing."""

    phase = HookPhase.BEFORE_DDL
    phases = frozenset(HookPhase)
    idempotent = True

    def execute(self, conn: Any, context: HookContext) -> HookResult:
        conn.execute("SELECT 1")
        return HookResult()


def migrations(kind: str) -> list[Migration]:
    """The one migration of that kind."""
    text = MIGRATIONS[kind].sql if kind in MIGRATIONS else _OTHERS[kind]
    return [Migration.from_sql(text, version="001", name=kind)]


def hooks_of(chosen: Sequence[Migration]) -> dict[str, list[Hook]]:
    """A hook in each phase of a run that goes well; the backfill makes transactions of its own."""
    hooks: list[Hook] = [Note(phase=phase) for phase in HookPhase if phase is not HookPhase.ON_ERROR]
    if chosen[0].name == "backfill":
        kind = HookRegistry().load("backfill_read_model")
        options = {
            "query": "SELECT n AS id FROM generate_series(1, 50) n",
            "target": "a",
            "key": "id",
            "batch_rows": 20,
            "pause_ms": 0,
        }
        hooks.append(kind(kind.Options.model_validate(options)))
    return {"001": hooks}


def sessions_are_gone(conn: Connection) -> bool:
    row = conn.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s", (f"{APPLICATION_NAME}%",)
    ).fetchone()
    return row == (0,)


def exists(conn: Connection, name: str) -> bool:
    row = conn.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone()
    return bool(row and row[0])


def in_ledger(conn: Connection) -> bool:
    ledger = read_ledger(conn)
    return ledger is not None and [row.version for row in ledger.migrations] == ["001"]


def bring_to_an_end(conn: Connection, kind: str) -> None:
    """What an operator would do: look, resume what can be resumed, mark what cannot as what it is, run what was not."""
    chosen = migrations(kind)
    left = settle_journal(conn, Journal("public")) if exists(conn, JOURNALLED) else ()
    for one in left:
        if "resume" in one.actions:
            assert MigrationRunner(conn, policy=POLICY).resume(chosen[0], one.entry, hooks=hooks_of(chosen)["001"]).ok
            continue
        stands = exists(conn, MIGRATIONS[kind].made[-1])
        assert "part of it stands" in one.sentence
        mark(conn, Journal("public"), LedgerTable("public"), one.entry, applied=stands)
    if not in_ledger(conn):
        assert MigrationRunner(conn, policy=POLICY).apply(chosen, hooks=hooks_of(chosen)).ok


def check_that_all_is_done(conn: Connection, kind: str) -> None:
    assert in_ledger(conn)
    assert settle_journal(conn, Journal("public")) == ()
    for name in MIGRATIONS[kind].made:
        assert exists(conn, name), name
    assert conn.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)
    if kind == "backfill":
        assert conn.execute("SELECT count(*), count(DISTINCT id) FROM a").fetchone() == (50, 50)
