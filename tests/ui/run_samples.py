"""Plans, runs, findings and histories for the screens that show them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.model import Failure
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookOutcome, HookResult
from confiture_tui.core.lint.comparison import LintComparison
from confiture_tui.core.lint.model import Fix, FixStep, LintReport, Safety, Severity, Violation, key_of
from confiture_tui.core.runner.journal import JournalEntry
from confiture_tui.core.runner.plan import PlannedHook
from confiture_tui.core.runner.preflight import PreflightFinding
from confiture_tui.core.runner.recovery import LeftOver, LeftState
from confiture_tui.core.runner.result import MigrationRun, RunOutcome, RunResult
from confiture_tui.events import Event, EventName, Level
from confiture_tui.service.linting import LintResult, Place
from tests.support.fake_service import AT

if TYPE_CHECKING:
    from collections.abc import Iterator

HOOKS = {
    "003": (
        PlannedHook(hook="capture_statistics", phase=HookPhase.BEFORE_DDL, transactional=True),
        PlannedHook(hook="backfill_read_model", phase=HookPhase.AFTER_DDL, transactional=False),
        PlannedHook(hook="verify_consistency", phase=HookPhase.AFTER_VALIDATION, transactional=True),
    )
}
LONG_TRANSACTION = PreflightFinding(
    code="long-transaction",
    level="warning",
    sentence="The transaction of session 4711 (report, role analyst) on shop.w_orders has been open for 94 s: "
    "a lock has to wait for it.",
)


def entry(version: str = "004", name: str = "order_token", **changes: Any) -> JournalEntry:
    values: dict[str, Any] = {
        "id": 1,
        "run_id": "7b0f4a52-2f5b-4c9e-9d0c-6f1f4c1f2a11",
        "version": version,
        "name": name,
        "direction": "forward",
        "checksum": "9f86d081884c7d659a2feaa0c55ad015",
        "state": "done",
        "transactional": True,
        "statements": 3,
        "statement_begun": 0,
        "statement_done": 0,
        "hooks_after": False,
        "hooks_done": [],
        "transaction_id": None,
        "backend_pid": None,
        "attempts": 1,
        "error": None,
        "run_by": "shop_owner",
        "started_at": AT,
        "changed_at": AT + timedelta(milliseconds=812),
    }
    return JournalEntry(**(values | changes))


def left_over(**changes: Any) -> LeftOver:
    values: dict[str, Any] = {
        "entry": entry(
            "006",
            "unique_customer_email",
            state="interrupted",
            transactional=False,
            statement_begun=2,
            statement_done=1,
            error="The connection was lost.",
        ),
        "state": LeftState.PARTLY_DONE,
        "sentence": "006_unique_customer_email stopped half-way: statement 1 stands, of 3. Statement 2 was begun, "
        "and how it ended is not known.",
        "actions": ("resume", "mark_applied", "mark_pending"),
    }
    return LeftOver(**(values | changes))


def run_events() -> Iterator[Event]:
    """The beginning of a run of 003 that waits, gives way, and is in its backfill now."""

    def one(name: EventName, message: str = "", **fields: Any) -> Event:
        return Event(name=name, message=message, migration="003", at=AT, **fields)

    yield one(EventName.MIGRATION_START, "003_order_note begins.")
    yield from _attempt(one)
    yield one(
        EventName.GAVE_WAY,
        "Giving way: 1 session waited behind it, session 77 (web, role app) for 801 ms, shop.w_orders; the limits are "
        "1000 ms and 20 sessions.",
        level=Level.WARNING,
    )
    yield one(
        EventName.LOCK_TIMEOUT_RETRY,
        "003_order_note: retry 1 of 10 in 0.4 s. Others waited behind it.",
        level=Level.WARNING,
    )
    yield from _attempt(one)
    yield one(EventName.STATEMENT_COMPLETED, "Statement 2: ALTER TABLE.", statement=2, duration_ms=1.2)
    yield one(EventName.STATEMENT_START, "Statement 3: COMMENT.", statement=3)
    yield one(EventName.STATEMENT_COMPLETED, "Statement 3: COMMENT.", statement=3, duration_ms=0.2)
    hook = {"hook": "backfill_read_model"}
    yield one(EventName.HOOK_START, "backfill_read_model starts.", phase="AFTER_DDL", data=hook)
    yield one(
        EventName.HOOK_PROGRESS,
        "backfill_read_model: 300 of 1000",
        phase="AFTER_DDL",
        data={**hook, "done": 300, "total": 1000},
    )
    yield one(EventName.LOCK_WAIT, "Behind us: session 78 (web, role app).", data={"waiting": "others"})


def end_events() -> Iterator[Event]:
    """The end of a run of which 004 failed."""
    for version, name, end in (
        ("003", EventName.MIGRATION_APPLIED, "003_order_note is applied."),
        ("004", EventName.MIGRATION_FAILED, "004_order_token: Nothing of it stands."),
    ):
        yield Event(name=EventName.MIGRATION_START, message=f"{version} begins.", migration=version, at=AT)
        yield Event(name=name, message=end, migration=version, at=AT, duration_ms=940.0)


def _attempt(one: Any) -> Iterator[Event]:
    hook = {"hook": "capture_statistics"}
    yield one(EventName.HOOK_START, "capture_statistics starts.", phase="BEFORE_DDL", data=hook)
    yield one(
        EventName.HOOK_COMPLETED,
        "capture_statistics is complete.",
        phase="BEFORE_DDL",
        duration_ms=3.0,
        rows_affected=12,
        data=hook,
    )
    yield one(EventName.STATEMENT_START, "Statement 1: SET.", statement=1)
    yield one(EventName.STATEMENT_COMPLETED, "Statement 1: SET.", statement=1, duration_ms=0.1)
    yield one(EventName.STATEMENT_START, "Statement 2: ALTER TABLE.", statement=2)


def run_result() -> RunResult:
    hook = HookResult(
        hook="capture_statistics", phase=HookPhase.BEFORE_DDL, outcome=HookOutcome.OK, elapsed_ms=3.0, rows_affected=12
    )
    failure = Failure(sqlstate="55P03", message="canceling statement due to lock timeout")
    return RunResult(
        migrations=(
            MigrationRun(
                version="003",
                name="order_note",
                outcome=RunOutcome.APPLIED,
                elapsed_ms=940.0,
                statements_ms=210.0,
                attempts=2,
                hooks=(hook,),
            ),
            MigrationRun(
                version="004",
                name="order_token",
                outcome=RunOutcome.FAILED,
                elapsed_ms=2100.0,
                attempts=11,
                error="Statement 1 of 004_order_token failed: canceling statement due to lock timeout. "
                "Nothing of it stands.",
                failure=failure,
                statement=1,
            ),
            MigrationRun(version="005", name="lines_reference_orders", outcome=RunOutcome.SKIPPED),
            MigrationRun(version="006", name="unique_customer_email", outcome=RunOutcome.SKIPPED),
        ),
        undo=("confiture-tui rollback --steps 1",),
    )


def violation(rule: str, name: str, severity: Severity, *, fix: str = "", kind: str = "table") -> Violation:
    return Violation(
        rule=rule,
        category="design",
        severity=severity,
        object=name,
        kind=kind,
        relation=name,
        schema_name="shop",
        message=f"{name} is not as {rule} wants it.",
        fix=Fix(steps=(FixStep(up=fix),), safety=Safety.SAFE) if fix else None,
        key=key_of(rule, kind, name),
    )


def lint_result() -> LintResult:
    missing = violation(
        "missing-index",
        "shop.w_lines.lines_order_fk",
        Severity.WARNING,
        fix="CREATE INDEX CONCURRENTLY ON shop.w_lines (order_id);\n",
        kind="constraint",
    )
    key = violation("missing-primary-key", "shop.w_log", Severity.ERROR)
    fixed = violation("missing-comment", "shop.w_orders.note", Severity.INFO, kind="column")
    other = violation("missing-comment", "shop.w_orders.id", Severity.INFO, kind="column")
    report = LintReport(
        violations=(key, fixed, other), checked={"tables": 4, "columns": 31}, rules=("missing-index",), notes=()
    )
    return LintResult(
        basis="database",
        report=report,
        comparison=LintComparison(added=(missing,), fixed=(fixed,), unchanged=(key, other)),
        changes=("003_order_note", "005_lines_reference_orders"),
        places={missing.key: Place(path=Path("/project/db/migrations/005_lines_reference_orders.up.sql"), line=1)},
        titles={"missing-index": "A foreign key has no index"},
        whys={"missing-index": "Deleting a row of the other table reads this whole table."},
    )


def history() -> tuple[JournalEntry, ...]:
    return (
        entry("006", "unique_customer_email", id=4, state="interrupted", transactional=False, statement_done=1),
        entry("002", "read_side", id=3, direction="backward", started_at=AT - timedelta(hours=1)),
        entry(
            "002",
            "read_side",
            id=2,
            state="failed",
            error="Statement 1 failed: permission denied. Nothing of it stands.",
            started_at=AT - timedelta(hours=2),
            changed_at=AT - timedelta(hours=2, milliseconds=-41),
        ),
    )
