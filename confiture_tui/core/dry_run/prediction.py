"""Predicted beside observed: where what was said of a statement and what was seen of it differ.

What the rows of a database decide is held against a prediction only when the rows were there (``full``). On an empty
or synthetic shadow a constraint never fails on data, values have nothing to change, an index has no duplicates to be
invalid for, and the planner chooses other plans than on the target: their absence says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.counting import counted
from confiture_tui.core.dry_run.hooked import OF_DATA
from confiture_tui.core.dry_run.result import Outcome, Rows
from confiture_tui.core.effects.comparison import compare
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.findings import too_large
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.dry_run.result import DryRunResult, StatementObservation
    from confiture_tui.core.effects.comparison import Mismatch
    from confiture_tui.core.effects.forecast import Simulation
    from confiture_tui.core.effects.model import Effects
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.profiles import RunnerProfile

_AT_COMMIT = frozenset({"23503", "23505", "23P01"})
"""What a deferred constraint or constraint trigger fails with at the COMMIT, which counts as the last statement's."""
_INSUFFICIENT_PRIVILEGE = "42501"
SCHEMA_COMMANDS = frozenset({"AlterTableStmt", "AlterDomainStmt", "IndexStmt", "ReindexStmt", "ClusterStmt"})
"""Statements that read tables from end to end whatever a planner thinks of it."""
_FOREIGN_KEY_CHECKS = "AlterTableStmt"
"""Among those, the one that may also check a foreign key, which is a query: over an empty side it reads no other."""
_MOST_TOLD = 20
"""Differences that are told one by one in the notes; the rest is counted."""


def predict(migration: Migration, catalog: Catalog, profile: RunnerProfile) -> Simulation | None:
    """What the migration is expected to do to the schema that the dry run finds; ``None`` of one too large to read."""
    return None if too_large(migration) is not None else simulate(migration, catalog=catalog, profile=profile)


def touched_by(migration: Migration, catalog: Catalog) -> frozenset[str]:
    """The relations that a migration is expected to lock, which it must to do anything with them."""
    if too_large(migration) is not None:
        return frozenset()
    forecasts = simulate(migration, catalog=catalog).forecasts
    return frozenset(lock.relation for one in forecasts for lock in one.effects.locks or ())


def beside_prediction(
    result: DryRunResult, simulation: Simulation | None, *, plain_for_superuser: bool, sink: Sink
) -> DryRunResult:
    """The result with ``mismatch`` filled in for each statement that was seen, and a note for what differs.

    Args:
        result: of the passes.
        simulation: of the same migration, on the schema that the dry run found; ``None`` leaves all as it is.
        plain_for_superuser: a plain role ran it in place of the target's superuser: a right that was missing is no
            evidence against the prediction.
        sink: gets a warning for each statement with a mismatch.
    """
    if simulation is None:
        return result
    forecasts = {one.statement.index: (one.effects, one.statement.node_kind) for one in simulation.forecasts}
    deferred = {one.sqlstate for effects, _ in forecasts.values() for one in effects.may_fail or ()} & _AT_COMMIT
    statements, told = [], []
    for seen in result.statements:
        predicted, node_kind = forecasts.get(seen.index, (None, None))
        if predicted is None or predicted.basis is None or seen.outcome not in (Outcome.RAN, Outcome.FAILED):
            statements.append(seen)
            continue
        missing_right = seen.fails is not None and seen.fails.sqlstate == _INSUFFICIENT_PRIVILEGE
        failed_at_commit = seen is result.statements[-1] and seen.fails is not None and seen.fails.sqlstate in deferred
        found: tuple[Mismatch, ...] = ()
        if not (missing_right and plain_for_superuser) and not failed_at_commit:
            observed = seen if result.rows is Rows.FULL else without_rows(predicted, seen, node_kind)
            found = compare(predicted, observed, cumulative=seen.cumulative)
        differing: dict[str, object] = {"mismatch": tuple(one.field for one in found), "differences": found}
        statements.append(seen.model_copy(update=differing))
        if found:
            sink(_mismatched(seen, found))
            told += [f"Line {seen.line}, {seen.tag}: {one}.{_excuse(one, node_kind)}" for one in found]
    return result.model_copy(update={"statements": tuple(statements), "notes": (*result.notes, *_notes(told))})


def _excuse(mismatch: Mismatch, node_kind: str | None) -> str:
    """Why a query may well not read what was foreseen."""
    if mismatch.field != "scans" or mismatch.understated or node_kind in SCHEMA_COMMANDS:
        return ""
    return " Whether a query reads a table from end to end is the planner's choice, which was taken at its worst."


def _notes(told: list[str]) -> list[str]:
    if not told:
        return []
    notes = [f"The prediction and what was seen differ in {counted(len(told), 'place')}."]
    notes += told[:_MOST_TOLD]
    if len(told) > _MOST_TOLD:
        notes.append(f"At their statements: {counted(len(told) - _MOST_TOLD, 'more difference')}.")
    return notes


def _mismatched(seen: StatementObservation, found: tuple[Mismatch, ...]) -> Event:
    return Event(
        name=EventName.PREDICTION_MISMATCH,
        message=f"line {seen.line}: {seen.tag} is not as predicted: {'; '.join(map(str, found))}",
        level=Level.WARNING,
        statement=seen.index,
        data={"mismatch": [one.model_dump(mode="json") for one in found]},
    )


def without_rows(predicted: Effects, seen: StatementObservation, node_kind: str | None) -> Effects:
    """The observation without what only rows could have shown; what was not seen of it counts as not looked at."""
    unknown: dict[str, object] = {
        field: None
        for field in ("destroys_data", "changes_data")
        if getattr(predicted, field) and getattr(seen, field) is False
    }
    fewer = node_kind == _FOREIGN_KEY_CHECKS and set(seen.scans or ()) < set(predicted.scans or ())
    if fewer or node_kind not in SCHEMA_COMMANDS:
        unknown["scans"] = None
    if not seen.invalid_indexes:
        unknown["invalid_indexes"] = None
    expected = predicted.fails
    if expected is not None and seen.fails is None and expected.sqlstate[:2] in OF_DATA:
        # It would have failed on rows; what it did without them is another statement's story.
        unknown["basis"] = None
    return seen.model_copy(update=unknown)
