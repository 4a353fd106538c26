"""What of a dry run may stand in the place of what was predicted.

Without the target's rows that is what does not depend on them: locks, rewrites, scans by their count, index builds,
drops, whether a statement can run inside a transaction block, and errors that no data decide. Rows, times, write-ahead
log, lost data and success that depends on data stay predicted or asked. With all rows it is everything.

Where rows decide what a statement does at all (a query, code, a cascade), an empty table proves only what was seen, not
what was not: that is added to the prediction and takes nothing away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from confiture_tui.core.dry_run.hooked import OF_DATA
from confiture_tui.core.dry_run.prediction import SCHEMA_COMMANDS, without_rows
from confiture_tui.core.dry_run.result import On, Outcome, Rows, Verdict
from confiture_tui.core.effects.model import Effects, Reach
from confiture_tui.core.effects.observing import Observation, Observed

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.result import DryRunResult, StatementObservation
    from confiture_tui.core.effects.forecast import Forecast

_INSUFFICIENT_PRIVILEGE: Final = "42501"
_OF_THE_ROLE: Final = frozenset({_INSUFFICIENT_PRIVILEGE})
"""What depends on who runs it: on a shadow that is the owner of everything, and of nothing else."""
_ROWS_DECIDE: Final = frozenset(
    {
        "CallStmt",
        "CopyStmt",
        "CreateTableAsStmt",
        "DeleteStmt",
        "DoStmt",
        "ExecuteStmt",
        "ExplainStmt",
        "InsertStmt",
        "MergeStmt",
        "RefreshMatViewStmt",
        "SelectStmt",
        "UpdateStmt",
        "VacuumStmt",
    }
)
"""Statements that may do less, or nothing, where there are no rows."""
_WITHOUT_ROWS: Final = ("locks", "rewrites", "scans", "builds", "rebuilds", "drops")
_WITH_ROWS: Final = (*_WITHOUT_ROWS, "creates", "invalid_indexes")


def observation_of(result: DryRunResult) -> Observation:
    """What of a dry run may count in an assessment of the same migration."""
    seen = {one.index: one for one in result.statements}

    def of(forecast: Forecast) -> Observed | None:
        one = seen.get(forecast.statement.index)
        # The file may have changed since.
        if one is None or one.sql != forecast.statement.sql:
            return None
        return _counts(one, forecast, result)

    trip = result.round_trip
    return Observation(of, schema_proved=trip.schema_proved if trip is not None else None)


def _counts(seen: StatementObservation, forecast: Forecast, result: DryRunResult) -> Observed | None:
    """What of one statement counts; ``None`` where it was not tried."""
    if seen.outcome is Outcome.FAILED:
        return _failed(seen, result)
    if seen.outcome is not Outcome.RAN or seen.locks is None:
        return None
    if result.rows is Rows.FULL:
        return _with_rows(seen, forecast, result)
    return _without_rows(seen, forecast)


def _failed(seen: StatementObservation, result: DryRunResult) -> Observed | None:
    """The failure, and the locks that it was seen to ask for; ``None`` where the target may not fail with it."""
    failure = seen.fails
    if failure is None or result.verdict is not Verdict.FAILS:
        return None
    if result.rows is not Rows.FULL and failure.sqlstate[:2] in OF_DATA:
        return None
    if result.on is On.SHADOW and failure.sqlstate in _OF_THE_ROLE:
        return None
    return Observed(Effects(fails=failure, locks=seen.locks, transactional=seen.transactional))


def _with_rows(seen: StatementObservation, forecast: Forecast, result: DryRunResult) -> Observed:
    effects = Effects(
        reach=seen.reach,
        locks=seen.locks,
        destroys_data=seen.destroys_data,
        changes_data=seen.changes_data,
        transactional=seen.transactional,
        opaque=False if forecast.effects.opaque and _is_whole(seen) else None,
        **{field: getattr(seen, field) for field in _WITH_ROWS if field != "locks"},
    )
    possible = forecast.effects.may_fail or ()
    return Observed(
        effects,
        whole=_whole(seen, _WITH_ROWS),
        succeeded=_contradicts(forecast, result),
        # What is deferred fails at the COMMIT.
        rules_out=frozenset(
            one.sqlstate for one in possible if one.sqlstate[:2] in OF_DATA and result.verdict is Verdict.OK
        ),
        elapsed_ms=seen.elapsed_ms,
        rows=seen.rows,
        wal_bytes=seen.wal_bytes,
    )


def _without_rows(seen: StatementObservation, forecast: Forecast) -> Observed | None:
    predicted, kind = forecast.effects, forecast.statement.node_kind
    fewer = without_rows(predicted, seen, kind)
    if fewer.basis is None:
        # It was to fail on rows: what it does where there are none is another statement's story.
        return None
    effects = Effects(
        reach=fewer.reach,
        transactional=fewer.transactional,
        **{field: getattr(fewer, field) for field in _WITHOUT_ROWS},
    )
    rows_decide = kind in _ROWS_DECIDE or predicted.opaque is not False
    certain = _WITHOUT_ROWS if kind in SCHEMA_COMMANDS else tuple(one for one in _WITHOUT_ROWS if one != "scans")
    failure = predicted.fails
    return Observed(
        effects,
        whole=frozenset() if rows_decide else _whole(seen, certain),
        succeeded=failure is not None and failure.sqlstate[:2] not in OF_DATA and failure.sqlstate not in _OF_THE_ROLE,
    )


def _is_whole(seen: StatementObservation) -> bool:
    return seen.reach is Reach.COMPLETE and not seen.cumulative


def _whole(seen: StatementObservation, fields: tuple[str, ...]) -> frozenset[str]:
    """Which lists are complete: locks that earlier statements of the transaction hold already were not seen."""
    if seen.reach is not Reach.COMPLETE:
        return frozenset()
    return frozenset(fields) - ({"locks"} if seen.cumulative else frozenset())


def _contradicts(forecast: Forecast, result: DryRunResult) -> bool:
    """Whether that it succeeded contradicts the failure that was said to be certain."""
    failure = forecast.effects.fails
    return failure is not None and (result.on is On.TARGET or failure.sqlstate not in _OF_THE_ROLE)
