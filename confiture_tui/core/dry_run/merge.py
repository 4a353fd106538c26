"""From the passes to one result: the verdict pass knows what happened, the observation pass knows what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.dry_run.hooked import OF_DATA
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
from confiture_tui.core.effects.model import Basis, Reach
from confiture_tui.core.migrations.profiles import Wrapping

if TYPE_CHECKING:
    from confiture_tui.core.catalog.diff import SchemaDiff
    from confiture_tui.core.dry_run.execution import Ran
    from confiture_tui.core.dry_run.hooked import HookRun
    from confiture_tui.core.dry_run.passes import Seen
    from confiture_tui.core.effects.model import Failure
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.sql.statement import Statement

_INSUFFICIENT_PRIVILEGE = "42501"
_INSUFFICIENT_RESOURCES = "53"
"""Class of SQLSTATE: disk full, out of memory, too many connections, a configured limit."""
_RAN_OUT = "What ran out is that of the shadow's own server (disk, memory, a limit): the target has another."
_FOR_WANT_OF_ROWS = ("23503", "P0")
"""A row that is referred to and is not there; what the body of a function raises, or found no data for."""
_MISSING = frozenset({"42704", "3D000", "3F000", "28000", "0LP01"})
"""Objects, databases, schemas, roles and grants that are not there: a statement that was not tried may make them."""
_ENDS_TRANSACTION = frozenset({"TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK", "TRANS_STMT_PREPARE"})


def merge_passes(
    migration: Migration,
    wrapping: Wrapping,
    rows: Rows,
    results: Sequence[Ran],
    seen: Sequence[Seen | None],
    cumulated: Mapping[int, Seen],
    *,
    schema_diff: SchemaDiff | None,
    proof: Proof,
    on: On = On.SHADOW,
    notes: Sequence[str] = (),
    round_trip: RoundTrip | None = None,
    hooks: HookRun | None = None,
    plain_for_superuser: bool = False,
) -> DryRunResult:
    """One result from the passes.

    Args:
        migration: what was tried.
        wrapping: how the verdict pass wrapped it.
        rows: what data was there.
        results: of the verdict pass, one for each statement that was tried.
        seen: of the observation pass, in the same order; ``None`` where the cumulative pass had to look.
        cumulated: of the cumulative pass, by statement index.
        schema_diff: what the verdict pass left behind.
        proof: that nothing stayed.
        on: where it ran.
        notes: what the reader must know.
        round_trip: up, down, compare.
        hooks: what the verdict pass has run around the statements.
        plain_for_superuser: a plain role ran it in place of the target's superuser: a right that was missing says
            nothing about the target.
    """
    statements = migration.up.statements
    observations = []
    for position, statement in enumerate(statements):
        if position >= len(results):
            reason = f"statement {statements[len(results) - 1].index} failed"
            if hooks is not None and hooks.failure is not None and not results:
                reason = "a hook before it failed"
            observations.append(_not_run(statement, reason))
            continue
        one = seen[position] if position < len(seen) else None
        observations.append(_observation(statement, results[position], one or cumulated.get(statement.index), rows, on))
    failure = results[-1].failure if results else None
    if failure is None and hooks is not None:
        failure = hooks.failure
    verdict = Verdict.FAILS if failure else Verdict.OK
    all_notes = list(notes)
    if any(one.skipped for one in results) and (failure is None or failure.sqlstate in _MISSING):
        # What was not tried may be what the rest needs, or what it would have failed on.
        verdict = Verdict.INCONCLUSIVE
    all_notes += [
        f"Line {one.line}: {one.tag} ends the runner's transaction; what follows is outside of it."
        for one in migration.up.transaction_control
        if (one.node or {}).get("kind") in _ENDS_TRANSACTION and wrapping is not Wrapping.NONE
    ]
    if failure is not None and failure.sqlstate == _INSUFFICIENT_PRIVILEGE and plain_for_superuser:
        verdict = Verdict.INCONCLUSIVE
        all_notes.append("The shadow runs as a plain role, and the target's role is a superuser: there it may succeed.")
    elif failure is not None and on is On.SHADOW and failure.sqlstate.startswith(_INSUFFICIENT_RESOURCES):
        verdict = Verdict.INCONCLUSIVE
        all_notes.append(
            "What ran out is that of the shadow's own server (disk, memory, a limit): the target has another."
        )
    elif failure is not None and (excuse := _missing_rows(failure, rows)) is not None:
        verdict = Verdict.INCONCLUSIVE
        all_notes.append(excuse)
    if hooks is not None and hooks.failure is not None:
        if hooks.committed:
            all_notes.append("The migration is committed when that hook runs: a run would stop half-way there.")
        if rows is not Rows.FULL and hooks.failure.sqlstate[:2] in OF_DATA:
            verdict = Verdict.INCONCLUSIVE
            all_notes.append("A hook failed that may depend on rows, and the shadow has not the target's.")
    if migration.up.meta_commands:
        # psql would run these before the server sees the rest: without them the verdict would be about another file.
        verdict = Verdict.INCONCLUSIVE
        lines = ", ".join(str(one.line) for one in migration.up.meta_commands)
        all_notes.append(f"psql meta-commands were not executed, the server does not know them: line {lines}.")
    return DryRunResult(
        version=migration.version,
        name=migration.name,
        on=on,
        rows=rows,
        ok=verdict is Verdict.OK,
        verdict=verdict,
        wrapping=str(wrapping),
        elapsed_ms=sum(result.elapsed_ms for result in results) if results else None,
        statements=tuple(observations),
        failure=failure,
        schema_diff=schema_diff,
        proof=proof,
        round_trip=round_trip,
        hooks=tuple(hooks.results) if hooks is not None else (),
        notes=tuple(all_notes),
        checksum=migration.checksum,
    )


def _missing_rows(failure: Failure, rows: Rows) -> str | None:
    """Why a failure may not come where the target's rows are; ``None`` where they make no difference."""
    if rows is Rows.SYNTHETIC and failure.sqlstate[:2] in OF_DATA:
        return "It fails on invented rows. Whether it does on the target's, those decide: `confiture-tui assess` asks."
    if rows is Rows.NONE and failure.sqlstate.startswith(_FOR_WANT_OF_ROWS):
        return "It may fail for want of the target's rows: what it refers to, or looks for, may be there."
    return None


def _not_run(statement: Statement, reason: str) -> StatementObservation:
    return StatementObservation(
        index=statement.index,
        line=statement.line,
        tag=statement.tag,
        sql=statement.sql,
        outcome=Outcome.NOT_RUN,
        reason=reason,
    )


def _observation(statement: Statement, ran: Ran, seen: Seen | None, rows: Rows, on: On) -> StatementObservation:
    if ran.skipped:
        return StatementObservation(
            index=statement.index,
            line=statement.line,
            tag=statement.tag,
            sql=statement.sql,
            outcome=Outcome.NOT_EXERCISED if on is On.SHADOW else Outcome.NOT_RUN,
            reason=ran.skipped,
            transactional=seen.transactional if seen else None,
        )
    sighting = seen.sighting if seen else None
    base = StatementObservation(
        index=statement.index,
        line=statement.line,
        tag=statement.tag,
        sql=statement.sql,
        basis=Basis.OBSERVED,
        outcome=Outcome.RAN if ran.ok else Outcome.FAILED,
        elapsed_ms=ran.elapsed_ms,
        error=ran.failure,
        fails=ran.failure,
        notices=ran.notices,
        transactional=seen.transactional if seen else None,
        cumulative=seen.cumulative if seen else False,
        locks=seen.locks if seen else None,
        evidence=seen.evidence if seen else (),
        schema_diff=seen.schema_diff if seen else None,
    )
    if sighting is None:
        return base
    return base.model_copy(
        update={
            "reach": Reach.COMPLETE if sighting.complete else Reach.UNKNOWN,
            "locks": sighting.locks,
            "rewrites": sighting.rewrites,
            "scans": sighting.scans,
            "builds": sighting.builds,
            "rebuilds": sighting.rebuilds,
            "creates": sighting.creates,
            "drops": sighting.drops,
            "invalid_indexes": sighting.invalid_indexes,
            "destroys_data": sighting.destroys_data,
            "changes_data": sighting.changes_data,
            "rows": sighting.rows if rows is Rows.FULL or (rows is Rows.NONE and sighting.rows) else None,
            "wal_bytes": sighting.wal_bytes if rows is Rows.FULL else None,
        }
    )
