"""Runs migrations: one after the other, each with its hooks, until one fails."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

from confiture_tui.core.hooks.declaration import make_hooks
from confiture_tui.core.hooks.registry import HookRegistry
from confiture_tui.core.migrations.ledger import read_ledger
from confiture_tui.core.migrations.ledger_forms import DEFAULT_TABLE
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.versions import VersionOrder
from confiture_tui.core.runner import advisory_lock
from confiture_tui.core.runner.failures import HalfWay
from confiture_tui.core.runner.job import MigrationJob
from confiture_tui.core.runner.journal import TABLE, ExpectedTime, Journal, JournalEntry
from confiture_tui.core.runner.one_migration import OneMigration
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.core.runner.recovery import refuse_unless_as_it_was, settle_journal
from confiture_tui.core.runner.result import MigrationRun, RunOutcome, RunResult
from confiture_tui.core.runner.run import Run
from confiture_tui.core.runner.session import APPLICATION_NAME, RunSession, make_durable
from confiture_tui.database.connection import connect_beside, identify
from confiture_tui.database.ledger_table import LedgerTable
from confiture_tui.database.pooler import is_transaction_pooled
from confiture_tui.errors import ConfitureError, UsageError
from confiture_tui.events import EventName, Level, Sink, discard

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from confiture_tui.core.hooks.hook import Hook
    from confiture_tui.database.cancellation import CancelScope

Migrations = Migration | Iterable[Migration]
"""One migration, or several in the order in which they are run."""
Hooks = Mapping[str, Sequence["Hook"]] | Sequence["Hook"]
"""The hooks of each migration, by its version; or those of every migration."""


class MigrationRunner:
    """Applies migrations and takes them back.

    >>> with psycopg.connect(dsn) as conn:
    ...     result = MigrationRunner(conn).apply([Migration.from_sql(text, version="001", name="orders")])
    ...     print(result.migrations[0].outcome)

    The connection given only says where and as whom: the run has three connections of its own beside it, one for the
    migrations, one for the advisory lock and the journal, one that looks who waits.

    Args:
        conn: leads to the target.
        policy: the limits.
        ledger: the name of the table of applied migrations, with its schema or without.
        sink: where events go.
        scope: who may cancel the run.
        registry: where the hooks that a migration declares are found; all that are installed, unless given.
        settings_file: the project's ``confiture.yaml``, for hooks that read it.
    """

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        *,
        policy: RunPolicy | None = None,
        ledger: str = DEFAULT_TABLE,
        sink: Sink = discard,
        scope: CancelScope | None = None,
        registry: HookRegistry | None = None,
        settings_file: Path | None = None,
    ) -> None:
        self._conn = conn
        self._policy = policy or RunPolicy()
        self._ledger_name = ledger
        self._sink = sink
        self._scope = scope
        self._registry = registry or HookRegistry()
        self._settings_file = settings_file

    def apply(
        self,
        migrations: Migrations,
        *,
        hooks: Hooks | None = None,
        expected: Mapping[str, ExpectedTime] | None = None,
    ) -> RunResult:
        """Apply migrations in the order given; the first that fails stops the run.

        Args:
            hooks: those that run with them; what each declares in its ``.hooks.yaml``, unless given.
            expected: how long the statements of each are expected to take, by version: the journal keeps it beside what
                they took.

        Raises:
            UsageError: a file cannot be run as it is written, or the target cannot be migrated (a standby, a
                transaction pooler); nothing was begun.
            LockHeld: another run is under way.
            ConnectError: there is no connection.
            ConfitureError: an earlier run was left half-way: see ``confiture_tui.core.runner.recovery``.
        """
        jobs = self._jobs(migrations, "forward", hooks)
        return self._run([replace(job, expected=(expected or {}).get(job.migration.version)) for job in jobs])

    def rollback(self, migrations: Migrations, *, hooks: Hooks | None = None) -> RunResult:
        """Take migrations back in the order given, the newest first; the first that fails stops the run.

        Raises:
            As ``apply``; also UsageError: a migration has no way back.
        """
        return self._run(self._jobs(migrations, "backward", hooks))

    def resume(self, migration: Migration, entry: JournalEntry, *, hooks: Sequence[Hook] | None = None) -> RunResult:
        """Go on with a run that stopped half-way: the statements, or the hooks, that are not done.

        Raises:
            As ``apply``; also UsageError: the file is no longer the one that was run.
        """
        if migration.checksum != entry.checksum:
            raise UsageError(
                f"{migration.label} is no longer the file that was run: what is left of it is not known.",
                hint="Restore the file as it was, or mark the migration by hand.",
            )
        return self._run(self._jobs(migration, entry.direction, hooks), going_on=entry)

    def _jobs(
        self, migrations: Migrations, direction: Literal["forward", "backward"], hooks: Hooks | None
    ) -> list[MigrationJob]:
        def hooks_of(migration: Migration) -> Sequence[Hook]:
            if hooks is None:
                return make_hooks(migration, self._registry, direction=direction)
            return hooks.get(migration.version, ()) if isinstance(hooks, Mapping) else hooks

        chosen = [migrations] if isinstance(migrations, Migration) else migrations
        return [MigrationJob(one, direction, tuple(hooks_of(one))) for one in chosen]

    def _run(self, jobs: list[MigrationJob], *, going_on: JournalEntry | None = None) -> RunResult:
        import psycopg

        for job in jobs:
            job.check()
        run = self._open()
        database = run.control.info.dbname
        try:
            advisory_lock.take(run.control, database)
            run.ledger.create(run.control)
            run.journal.create(run.control)
            self._refuse_unsettled(run, going_on)
            return self._each(run, jobs, going_on)
        finally:
            run.session.close()
            # Given back by name: the session's end, which would do it too, is not waited for by anybody.
            with suppress(psycopg.Error):
                advisory_lock.release(run.control, database)
            run.control.close()

    def _open(self) -> Run:
        """The connections and tables of a run.

        Raises:
            ConnectError, UsageError: see ``apply``.
        """

        def connect() -> psycopg.Connection[Any]:
            made = connect_beside(self._conn, application_name=APPLICATION_NAME)
            # DISCARD ALL between migrations takes prepared statements away, which the driver would not know.
            made.prepare_threshold = None
            make_durable(made)
            return made

        control = connect()
        session = RunSession(connect)
        try:
            if identify(control).in_recovery:
                raise UsageError("The target is a standby, which cannot be written to.", hint="Connect to the primary.")
            if is_transaction_pooled(control, session.connection):
                raise UsageError(
                    "A transaction pooler is between us and the server: locks and settings would not be ours.",
                    hint="Give the server's own address, not the pooler's (--dsn).",
                )
            schema, name = ledger_place(control, self._ledger_name)
        except BaseException:
            session.close()
            control.close()
            raise
        return Run(
            control=control,
            session=session,
            connect=connect,
            ledger=LedgerTable(schema, name),
            journal=Journal(schema, TABLE),
            policy=self._policy,
            sink=self._sink,
            scope=self._scope,
            settings_file=self._settings_file,
        )

    def _refuse_unsettled(self, run: Run, going_on: JournalEntry | None) -> None:
        if going_on is not None:
            refuse_unless_as_it_was(run.control, run.journal, going_on)
        left = [
            one for one in settle_journal(run.control, run.journal) if going_on is None or one.entry.id != going_on.id
        ]
        if left:
            raise HalfWay(
                " ".join(one.sentence for one in left),
                hint="Settle it first: resume, clean up, or mark (see `status`).",
            )

    def _each(self, run: Run, jobs: list[MigrationJob], going_on: JournalEntry | None) -> RunResult:
        run_id = str(uuid.uuid4())
        done: list[MigrationRun] = []
        stopped = cancelled = False
        names = ", ".join(job.migration.label for job in jobs)
        run.emit(EventName.RUN_STARTED, f"Runs {names}." if jobs else "Nothing to run.", data={"run_id": run_id})
        for job in jobs:
            if stopped:
                skipped = RunOutcome.SKIPPED
                done.append(MigrationRun(version=job.migration.version, name=job.migration.name, outcome=skipped))
                continue
            one = OneMigration(run, job, run_id, going_on)
            done.append(one.run())
            cancelled = cancelled or one.cancelled
            stopped = done[-1].outcome in (RunOutcome.FAILED, RunOutcome.INTERRUPTED)
        result = RunResult(migrations=tuple(done), undo=_undo(run, jobs, done), cancelled=cancelled)
        level = Level.INFO if result.ok else Level.ERROR
        run.emit(EventName.RUN_COMPLETED, _summary(done), level=level, data={"exit_code": result.exit_code})
        return result


def ledger_place(conn: psycopg.Connection[Any], table: str) -> tuple[str, str]:
    """Schema and name of the ledger: where it is, or where it would be made.

    Raises:
        ConfitureError: it may not be read, or the session has no schema to make it in.
    """
    found = read_ledger(conn, table=table)
    if found is not None:
        return found.schema, found.table
    schema, _, name = table.rpartition(".")
    if not schema:
        row = conn.execute("SELECT pg_catalog.current_schema()").fetchone()
        schema = row[0] if row is not None and row[0] is not None else ""
    if not schema:
        raise UsageError(
            "There is no schema in which the table of applied migrations could be made: the search_path names none.",
            hint="Set the role's search_path, or name the table with its schema.",
        )
    return schema, name


def _undo(run: Run, jobs: list[MigrationJob], done: list[MigrationRun]) -> tuple[str, ...]:
    """The command lines that take back what was done; none where none would take back just that.

    ``rollback`` begins with the newest in the order of versions, and goes no further than there is a way back.
    """
    back = [one.version for one in done if one.outcome is RunOutcome.ROLLED_BACK]
    if back:
        return (f"confiture-tui apply --to {back[0]}",)
    applied = [job.migration for job, one in zip(jobs, done, strict=True) if one.outcome is RunOutcome.APPLIED]
    by_key = VersionOrder.TEXT.key
    newest_first = sorted(applied, key=lambda one: by_key(one.version), reverse=True)
    with_a_way = list(takewhile(lambda one: one.down is not None, newest_first))
    if not with_a_way or _newest(run) != with_a_way[0].version:
        return ()
    return (f"confiture-tui rollback --steps {len(with_a_way)}",)


def _newest(run: Run) -> str | None:
    """The greatest version in the ledger; ``None`` where it cannot be asked any more: what was done is done."""
    import psycopg

    try:
        return run.ledger.newest(run.living_control())
    except (psycopg.Error, ConfitureError):
        return None


def _summary(done: list[MigrationRun]) -> str:
    counts = {outcome: sum(one.outcome is outcome for one in done) for outcome in RunOutcome}
    words = [f"{count} {outcome.words}" for outcome, count in counts.items() if count]
    return f"The run is over: {', '.join(words) or 'nothing to do'}."
