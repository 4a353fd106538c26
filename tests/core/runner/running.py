"""Short ways to run migrations, and to look at what has become of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from confiture_tui.core.hooks.hook import Hook
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookResult
from confiture_tui.core.migrations.ledger import read_ledger
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.runner.journal import TABLE
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.core.sql.script import Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.runner.result import RunOutcome, RunResult


Connection = psycopg.Connection[Any]
QUICK = RunPolicy(lock_timeout_ms=300, pause_ms=10, retries=2, outcome_wait_s=5)


def migration(up: str, down: str | None = None, *, version: str = "001", name: str = "step") -> Migration:
    """A migration of SQL."""
    made = Migration.from_sql(up, version=version, name=name)
    return made.model_copy(update={"down": Script(down)}) if down is not None else made


def apply(conn: Connection, *migrations: Migration, policy: RunPolicy = QUICK, **rest: Any) -> RunResult:
    """Apply migrations, with short pauses; ``rest`` goes to the runner."""
    hooks = rest.pop("hooks", None)
    return MigrationRunner(conn, policy=policy, **rest).apply(migrations, hooks=hooks)


def outcomes(result: RunResult) -> list[RunOutcome]:
    """What became of each."""
    return [one.outcome for one in result.migrations]


def exists(conn: Connection, name: str) -> bool:
    """Whether there is a relation of that name."""
    row = conn.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone()
    return bool(row and row[0])


def applied(conn: Connection) -> list[str]:
    """The versions in the ledger."""
    ledger = read_ledger(conn)
    return [row.version for row in ledger.migrations] if ledger else []


def states(conn: Connection) -> list[str]:
    """The states in the journal, in its order."""
    return [row[0] for row in conn.execute(f"SELECT state FROM {TABLE} ORDER BY id").fetchall()]


def a_hook(
    work: Callable[[Connection, HookContext], Any],
    phase: HookPhase = HookPhase.AFTER_DDL,
    *,
    name: str = "probe",
    transactional: bool = True,
    idempotent: bool = False,
) -> Hook:
    """A hook that does some work in a phase."""

    def execute(_self: Hook, conn: Connection, context: HookContext) -> HookResult | None:
        found = work(conn, context)
        return found if isinstance(found, HookResult) else None

    members = {
        "name": name,
        "phase": phase,
        "transactional": transactional,
        "idempotent": idempotent,
        "execute": execute,
    }
    kind: type[Hook] = type("Probe", (Hook,), members)
    return kind()


def fail(_conn: Connection, _context: HookContext) -> None:
    """What a hook may do."""
    raise ValueError("it does not fit")
