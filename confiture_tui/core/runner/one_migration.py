"""One migration of a run, from its first hook to what came of it."""

from __future__ import annotations

import time
from contextlib import nullcontext
from importlib import metadata
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.execution import QUERY_CANCELED
from confiture_tui.core.hooks.context import CancelFlag, HookContext
from confiture_tui.core.hooks.error import HookError
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookOutcome, HookResult
from confiture_tui.core.runner.after_commit import run_after_commit
from confiture_tui.core.runner.failures import RETRIED, HalfWay, LetThrough, StatementFailed
from confiture_tui.core.runner.in_transaction import attempt
from confiture_tui.core.runner.journal import JournalEntry, JournalState
from confiture_tui.core.runner.result import MigrationRun, RunOutcome
from confiture_tui.core.runner.retry import pause
from confiture_tui.core.runner.stepwise import run_stepwise
from confiture_tui.errors import Cancelled, ConfitureError
from confiture_tui.events import EventName, Level

if TYPE_CHECKING:
    from confiture_tui.core.runner.job import MigrationJob
    from confiture_tui.core.runner.run import Run


class OneMigration:
    """One migration of a run."""

    def __init__(self, run: Run, job: MigrationJob, run_id: str, going_on: JournalEntry | None) -> None:
        self._run = run
        self._job = job
        self._run_id = run_id
        self._going_on = going_on
        self._started = time.perf_counter()
        self._results: list[HookResult] = []
        self._attempts = 0
        self._entry = going_on.id if going_on is not None else 0
        self._committed = going_on is not None and going_on.state == JournalState.HOOKS_PENDING
        self.cancelled = False
        self._context = HookContext(
            migration=job.migration,
            direction=job.direction,
            sink=run.sink,
            cancelled=CancelFlag(lambda: run.scope is not None and run.scope.requested),
            settings_file=run.settings_file,
        )

    def run(self) -> MigrationRun:
        """Run it, and tell what came of it. Whatever goes wrong is in the result."""
        job, run = self._job, self._run
        version = job.migration.version
        run.emit(EventName.MIGRATION_START, f"{job.migration.label} begins.", migration=version)
        try:
            run.living_control()
            if self._going_on is None:
                if job.has_hooks(HookPhase.BEFORE_VALIDATION):
                    self._run_phase(HookPhase.BEFORE_VALIDATION)
                self._entry = self._begin_entry()
            self._until_committed()
            self._note_time()
            self._after_commit()
        except HalfWay as error:
            return self._interrupted(error, self._stands(self._statements_done() or 0))
        except (ConfitureError, _driver_error()) as error:
            return self._failed(error)
        self._clean_up()
        outcome, name = (
            (RunOutcome.APPLIED, EventName.MIGRATION_APPLIED)
            if job.direction == "forward"
            else (RunOutcome.ROLLED_BACK, EventName.MIGRATION_ROLLED_BACK)
        )
        word = "applied" if outcome is RunOutcome.APPLIED else "taken back"
        run.emit(name, f"{job.migration.label} is {word}.", migration=version, duration_ms=self._elapsed)
        return self._result(outcome)

    def _begin_entry(self) -> int:
        migration = self._job.migration
        return self._run.journal.begin(
            self._run.control,
            run_id=self._run_id,
            version=migration.version,
            name=migration.name,
            direction=self._job.direction,
            checksum=migration.checksum,
            transactional=self._job.transactional,
            statements=len(self._job.script.statements),
            tool_version=metadata.version("confiture-tui"),
            expected=self._job.expected,
        )

    def _until_committed(self) -> None:
        going_on, run, job = self._going_on, self._run, self._job
        if self._committed:
            return
        if not job.transactional:
            self._attempts = 1
            run.worked_ms = 0.0
            first = going_on.statement_done + 1 if going_on is not None else 1
            unsure = going_on.statement_begun if going_on is not None else 0
            run_stepwise(run, job, self._entry, self._context, self._results, self._started, first=first, unsure=unsure)
            self._committed = True
            return
        before = len(self._results)
        while True:
            self._attempts += 1
            run.worked_ms = 0.0
            run.journal.update(run.control, self._entry, attempts=self._attempts)
            try:
                attempt(run, job, self._entry, self._context, self._results, self._started)
                break
            except (StatementFailed, LetThrough, HookError) as error:
                if not self._may_try_again(error, before):
                    raise
                del self._results[before:]
                pause(run, job, self._attempts, error.message)
        self._committed = True
        state = JournalState.HOOKS_PENDING if job.has_hooks_after_commit else JournalState.DONE
        self._note(state, None)

    def _may_try_again(self, error: StatementFailed | LetThrough | HookError, before: int) -> bool:
        if self._attempts > self._run.policy.retries or _sqlstate(error) not in (*RETRIED, None):
            return False
        if isinstance(error, HookError) and (error.transaction_ended or _sqlstate(error) is None):
            return False
        ran = {result.hook for result in self._results[before:]}
        # A hook that was under way when we gave way has run in part.
        ran |= {one.hook for one in (error, error.__cause__) if isinstance(one, HookError)}
        return all(hook.idempotent for hook in self._job.hooks if hook.hook_name() in ran)

    def _after_commit(self) -> None:
        done = frozenset(self._going_on.hooks_done) if self._going_on is not None else frozenset()
        run_after_commit(self._run, self._job, self._entry, self._context, self._results, done=done)

    def _clean_up(self) -> None:
        self._best_effort(HookPhase.CLEANUP)

    def _best_effort(self, phase: HookPhase) -> None:
        """Run the hooks of a phase that can fail nothing any more."""
        if not self._job.has_hooks(phase):
            return
        try:
            self._run_phase(phase)
        except (ConfitureError, _driver_error()) as error:
            self._run.emit(
                EventName.HOOK_FAILED,
                f"{phase} could not be run: {_words(error)}",
                level=Level.WARNING,
                migration=self._job.migration.version,
                phase=phase,
            )

    def _run_phase(self, phase: HookPhase) -> None:
        """Run the hooks of a phase outside the migration's transaction, while somebody looks who waits for them."""
        conn = self._run.session.clean()
        # What tidies up after a cancel must not be cancelled by it.
        guard = nullcontext() if phase is HookPhase.ON_ERROR else self._run.guarded()
        with guard, self._run.watched(self._job.migration.version):
            self._run.executor.execute_phase(conn, phase, self._job.hooks, self._context, done=self._results.append)

    def _failed(self, error: BaseException) -> MigrationRun:
        """It failed: nothing of it stands, unless it is half-way outside a transaction."""
        self._note_cancel(error)
        if self._committed:
            return self._interrupted(error)
        done = self._statements_done()
        if done or (not self._job.transactional and done is None):
            return self._half_way_outside_a_transaction(error, done)
        if isinstance(error, HookError) and error.committed:
            return self._interrupted(error)
        state = "Nothing of it stands."
        text = _sentence(error, state)
        self._note(JournalState.FAILED, text)
        self._on_error(error)
        self._run.emit(
            EventName.MIGRATION_FAILED,
            f"{self._job.migration.label}: {text}",
            level=Level.WARNING if self.cancelled else Level.ERROR,
            migration=self._job.migration.version,
            duration_ms=self._elapsed,
        )
        return self._result(RunOutcome.FAILED, error, text)

    def _note_cancel(self, error: BaseException) -> None:
        """A command of ours may be what was cancelled: then it is the driver's error that says so."""
        scope = self._run.scope
        ours = scope is not None and scope.requested and getattr(error, "sqlstate", None) == QUERY_CANCELED
        self.cancelled = self.cancelled or ours or isinstance(error, Cancelled)

    def _half_way_outside_a_transaction(self, error: BaseException, done: int | None) -> MigrationRun:
        unknown = "What it had done until then is not known: the journal could not be read."
        return self._interrupted(error, self._stands(done) or unknown)

    def _stands(self, done: int | None) -> str:
        """Which statements stand, of those that have no transaction in common; empty for none."""
        total = len(self._job.script.statements)
        return f"Statements 1 to {done} of {total} stand; the ones after it were not run." if done else ""

    def _interrupted(self, error: BaseException, stands: str = "") -> MigrationRun:
        self._note_cancel(error)
        if not stands and self._committed:
            stands = "The migration itself is committed; hooks after it are not done."
        text = _sentence(error, stands)
        keeps = JournalState.HOOKS_PENDING if self._committed else JournalState.INTERRUPTED
        if isinstance(error, HalfWay) and not self._committed and self._job.transactional:
            keeps = JournalState.COMMITTING
        self._note(keeps, text)
        self._on_error(error)
        self._run.emit(
            EventName.MIGRATION_INTERRUPTED,
            f"{self._job.migration.label}: {text}",
            level=Level.ERROR,
            migration=self._job.migration.version,
            duration_ms=self._elapsed,
        )
        return self._result(RunOutcome.INTERRUPTED, error, text)

    def _on_error(self, error: BaseException) -> None:
        self._context.error = error
        # The job may have been cancelled, and the hooks that tidy up after it must run all the same.
        self._context.cancelled = CancelFlag()
        self._best_effort(HookPhase.ON_ERROR)

    def _statements_done(self) -> int | None:
        """Statements that stand, outside a transaction; 0 in one; ``None`` where nobody can tell."""
        if self._job.transactional or not self._entry:
            return 0
        entry = self._read_entry()
        return entry.statement_done if entry is not None else None

    def _read_entry(self) -> JournalEntry | None:
        try:
            entries = self._run.journal.entries(self._run.living_control(), limit=50)
        except (_driver_error(), ConfitureError):
            return None
        return next((one for one in entries if one.id == self._entry), None)

    def _note_time(self) -> None:
        """Write down what the statements took, beside what was expected: later estimates learn from it."""
        if self._job.expected is not None and self._statements_ms is not None:
            self._write(took_ms=self._statements_ms)

    def _note(self, state: JournalState, text: str | None) -> None:
        """Write it down; where that is not possible, the next start finds the entry open and settles it."""
        if self._entry:
            self._write(state=state, error=text)

    def _write(self, **columns: Any) -> None:
        try:
            self._run.journal.update(self._run.living_control(), self._entry, **columns)
        except (_driver_error(), ConfitureError) as error:
            self._run.emit(
                EventName.CONNECTION_LOST,
                f"The journal could not be written: {_words(error)} The next start settles it.",
                level=Level.WARNING,
                migration=self._job.migration.version,
            )

    @property
    def _elapsed(self) -> float:
        return round((time.perf_counter() - self._started) * 1000, 3)

    @property
    def _statements_ms(self) -> float | None:
        return round(self._run.worked_ms, 3) if self._committed and self._going_on is None else None

    def _result(self, outcome: RunOutcome, error: BaseException | None = None, text: str | None = None) -> MigrationRun:
        failed = error if isinstance(error, StatementFailed) else None
        results = list(self._results)
        if isinstance(error, HookError):
            results.append(
                HookResult(hook=error.hook, phase=error.phase, outcome=HookOutcome.FAILED, error=error.reason)
            )
        return MigrationRun(
            version=self._job.migration.version,
            name=self._job.migration.name,
            outcome=outcome,
            elapsed_ms=self._elapsed,
            statements_ms=self._statements_ms,
            attempts=self._attempts,
            hooks=tuple(results),
            error=text,
            failure=failed.failure if failed else None,
            statement=failed.statement.index if failed and failed.statement else None,
        )


def _driver_error() -> type[Exception]:
    import psycopg

    return psycopg.Error


def _sqlstate(error: ConfitureError) -> str | None:
    import psycopg

    if isinstance(error, StatementFailed):
        return error.failure.sqlstate
    if isinstance(error, HookError) and isinstance(error.cause, psycopg.Error):
        return error.cause.sqlstate
    return None


def _words(error: BaseException) -> str:
    if isinstance(error, ConfitureError):
        return str(error)
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return f"{(primary or str(error) or type(error).__name__).strip().rstrip('.')}."


def _sentence(error: BaseException, stands: str) -> str:
    hint = error.hint if isinstance(error, ConfitureError) else ""
    what = error.message if isinstance(error, ConfitureError) else _words(error)
    return " ".join(part for part in (what, stands, hint) if part)
