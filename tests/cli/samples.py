"""Results as the core makes them, for the tests of what is printed."""

from __future__ import annotations

from confiture_tui.core.dry_run.result import (
    DryRunResult,
    On,
    Outcome,
    Proof,
    RoundTrip,
    Rows,
    StatementObservation,
    Verdict,
)
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import Basis, Failure, Reach, RelationLock

HOSTILE = "\x1b]0;owned\x07 [/foo] \u202edrop\x9b2J"


def observed(index: int, **fields: object) -> StatementObservation:
    """A statement that ran, with everything looked at; ``fields`` replace what it says."""
    facts: dict[str, object] = {
        "basis": Basis.OBSERVED,
        "reach": Reach.COMPLETE,
        "index": index,
        "line": index * 10,
        "tag": "ALTER TABLE",
        "sql": "ALTER TABLE shop.orders ADD COLUMN note text",
        "locks": (RelationLock(relation="shop.orders", mode=LockMode.ACCESS_EXCLUSIVE),),
        "rewrites": (),
        "scans": (),
        "builds": (),
        "rebuilds": (),
        "creates": (),
        "drops": (),
        "invalid_indexes": (),
        "outcome": Outcome.RAN,
        "elapsed_ms": 1234.5,
        "rows": 1234567,
        "wal_bytes": 5 * 1024 * 1024,
    }
    return StatementObservation.model_validate(facts | fields)


def failing() -> StatementObservation:
    """A statement that the server refused, pointing into its second line."""
    sql = "CREATE UNIQUE INDEX i\n  ON shop.orders (nope)"
    return observed(
        3,
        tag="CREATE INDEX",
        sql=sql,
        locks=None,
        outcome=Outcome.FAILED,
        rows=None,
        wal_bytes=None,
        error=Failure(
            sqlstate="42703",
            message=f'column "nope" does not exist {HOSTILE}',
            detail="There is none.",
            hint="Look again.",
            position=sql.index("nope") + 1,
            line=31,
        ),
    )


def result(*, good: bool = True) -> DryRunResult:
    """A dry run that went well, or one that failed and left a sequence moved."""
    first = observed(
        1,
        rewrites=("shop.orders",),
        scans=("shop.orders",),
        locks=(
            RelationLock(relation="shop.customers", mode=LockMode.ROW_SHARE),
            RelationLock(relation="shop.orders", mode=LockMode.ACCESS_EXCLUSIVE),
            RelationLock(relation="shop.lines", mode=LockMode.SHARE_ROW_EXCLUSIVE),
        ),
        notices=("a notice",),
    )
    second = observed(2, locks=(), cumulative=True, mismatch=("rewrites",))
    later = observed(4, outcome=Outcome.NOT_RUN, reason="an earlier one failed", locks=None, elapsed_ms=None, rows=None)
    failure = failing()
    return DryRunResult(
        version="007",
        name="add_note",
        on=On.SHADOW,
        rows=Rows.FULL,
        ok=good,
        verdict=Verdict.OK if good else Verdict.FAILS,
        wrapping="transaction",
        elapsed_ms=2345.6,
        statements=(first, second) if good else (first, second, failure, later),
        failure=None if good else failure.error,
        proof=Proof(
            nothing_persisted=True,
            checks=("The clone was dropped.",),
            exceptions=() if good else ("sequence shop.s moved from 1 to 2",),
        ),
        round_trip=RoundTrip(schema_proved=good, differences=() if good else ("shop.i is missing",)),
        notes=("Times are those of this machine.",),
    )
