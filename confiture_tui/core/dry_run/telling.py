"""What a dry run on a shadow tells about itself: its events, and the proof that its clones are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.counting import counted
from confiture_tui.core.dry_run.result import DryRunResult, On, Proof, RoundTrip, Verdict
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    from confiture_tui.core.migrations.model import Migration


def pass_started(sink: Sink, name: str) -> None:
    """A pass begins."""
    sink(Event(name=EventName.PASS_STARTED, message=f"{name} pass, on a fresh clone", level=Level.DEBUG))


def proof_of_clones(clones: int, remaining: int) -> Proof:
    """That nothing stayed, of so many clones of which so many are still there."""
    return Proof(
        nothing_persisted=remaining == 0,
        checks=(
            f"Every statement ran on {'a disposable clone' if clones == 1 else f'one of {clones} disposable clones'}, "
            "never on the target.",
            "The clones are gone from the shadow's server."
            if remaining == 0
            else f"{counted(remaining, 'clone')} could not be dropped from the shadow's server.",
        ),
    )


def way_back(migration: Migration, trip: RoundTrip) -> Event:
    """What came of the round trip."""
    proved = trip.schema_proved and trip.again is not False
    text = "the way back restores the schema"
    if trip.schema_proved is None:
        text = "the way back could not be tried to the end"
    elif not trip.schema_proved:
        text = "the way back does not restore the schema"
    return Event(
        name=EventName.ROUND_TRIP_COMPLETED,
        message=f"{migration.label}: {text}",
        level=Level.INFO if proved else Level.WARNING,
        data=trip.model_dump(mode="json"),
    )


def completed(migration: Migration, result: DryRunResult) -> Event:
    """What came of the dry run as a whole."""
    if result.verdict is Verdict.OK:
        text, level = "succeeds", Level.INFO
    elif result.failure is not None:
        text, level = f"fails with {result.failure.sqlstate}: {result.failure.message}", Level.ERROR
    else:
        text, level = "is inconclusive", Level.WARNING
    return Event(
        name=EventName.DRY_RUN_COMPLETED,
        message=f"{migration.label}: {text}",
        level=level,
        duration_ms=result.elapsed_ms,
        data={
            "verdict": str(result.verdict),
            "on": str(On.SHADOW),
            "mismatches": sum(len(one.mismatch or ()) for one in result.statements),
        },
    )
