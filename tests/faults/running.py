"""The migrations that are run while things go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.hooks.hook import Hook
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.registry import HookRegistry
from confiture_tui.core.hooks.result import HookResult
from confiture_tui.core.migrations.model import Migration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.hooks.context import HookContext

JOURNALLED = "public.tb_confiture_journal"


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
