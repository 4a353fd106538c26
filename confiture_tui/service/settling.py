"""What earlier runs left half-way and what is done about it; and a database that has the schema already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.hooks.declaration import make_hooks
from confiture_tui.core.migrations.ledger_forms import DEFAULT_TABLE
from confiture_tui.core.runner import recovery
from confiture_tui.core.runner.baseline import mark_all_applied, what_is_absent
from confiture_tui.core.runner.journal import TABLE, Journal, JournalEntry
from confiture_tui.core.runner.recovery import LeftOver, clean_up, left_overs, mark
from confiture_tui.core.runner.runner import ledger_place
from confiture_tui.core.runner.selection import Objection, ObjectionCode, objections, to_apply
from confiture_tui.core.runner.settings import read_run_policy
from confiture_tui.database.ledger_table import LedgerTable
from confiture_tui.errors import UsageError
from confiture_tui.service.command_lines import with_options
from confiture_tui.service.foreign import refuse_foreign
from confiture_tui.service.running import RunSources, refuse_unless_allowed, registry_of, runner_of

if TYPE_CHECKING:
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.service.running import RunRequest


def what_is_left(sources: RunSources) -> tuple[LeftOver, ...]:
    """What earlier runs left half-way. Changes nothing.

    Nothing where the migrations are none of this program's: what is left is not of them.
    """
    if sources.layout.apply_command is not None:
        return ()
    files = tuple(one.migration for one in sources.statuses() if one.migration is not None)
    with sources.connected() as conn:
        return left_overs(conn, Journal(ledger_place(conn, DEFAULT_TABLE)[0], TABLE), files)


def resume(sources: RunSources, version: str, confirmation: str | None, scope: CancelScope) -> RunResult:
    """Go on with the run of a migration that stopped half-way.

    Raises:
        UsageError: there is nothing to resume, or it is not allowed here.
    """
    refuse_unless_allowed(sources, confirmation)
    left = _left_of(sources, version, "resume")
    migration = _file_of(sources, left)
    hooks = make_hooks(migration, registry_of(sources.config_file), direction=left.entry.direction)
    with sources.writable() as conn:
        runner = runner_of(sources, conn, read_run_policy(sources.config_file), scope)
        result = runner.resume(migration, left.entry, hooks=hooks)
    return with_options(result, sources.options)


def settle_by_hand(sources: RunSources, version: str, confirmation: str | None, *, applied: bool) -> None:
    """Mark a migration that stopped half-way as applied, or as pending.

    Raises:
        UsageError: there is nothing to mark, or it is not allowed here.
    """
    refuse_unless_allowed(sources, confirmation)
    left = _left_of(sources, version, "mark_applied" if applied else "mark_pending")
    with sources.writable() as conn:
        schema, table = ledger_place(conn, DEFAULT_TABLE)
        mark(conn, Journal(schema, TABLE), LedgerTable(schema, table), left.entry, applied=applied)


class CleanedUp(FrozenModel):
    """What was dropped, by its qualified names, and whether the migration counts as pending again."""

    dropped: tuple[str, ...]
    pending: bool


def clean_up_after(sources: RunSources, version: str, confirmation: str | None) -> CleanedUp:
    """Drop the invalid indexes that a migration has left behind which stopped half-way.

    Raises:
        UsageError: it has left none, or it is not allowed here.
    """
    refuse_unless_allowed(sources, confirmation)
    left = _left_of(sources, version, "clean_up")
    with sources.writable() as conn:
        journal = Journal(ledger_place(conn, DEFAULT_TABLE)[0], TABLE)
        dropped = clean_up(conn, journal, left.entry, _file_of(sources, left))
    return CleanedUp(dropped=tuple(one.label for one in dropped), pending=not left.entry.statement_done)


def history(sources: RunSources) -> tuple[JournalEntry, ...]:
    """The runs that the journal knows, the newest first."""
    with sources.connected() as conn:
        return recovery.history(conn, Journal(ledger_place(conn, DEFAULT_TABLE)[0], TABLE))


class Marked(FrozenModel):
    """A migration that is to count as applied."""

    version: str
    name: str


class PreparedBaseline(FrozenModel):
    """Which migrations are to count as applied without being run, and what speaks against it."""

    migrations: tuple[Marked, ...]
    objections: tuple[Objection, ...] = ()

    def refuse_objections(self) -> None:
        """Refuse it where something speaks against it.

        Raises:
            UsageError: something does; it says what.
        """
        if self.objections:
            raise UsageError(" ".join(one.sentence for one in self.objections), hint="Nothing was marked.")


def prepare_baseline(sources: RunSources, request: RunRequest) -> PreparedBaseline:
    """What would be marked. Changes nothing.

    Raises:
        UsageError: there is no such version, or the migrations are another tool's.
    """
    refuse_foreign(sources.layout, sources.directory)
    return _prepare(sources, request)[0]


def baseline(sources: RunSources, request: RunRequest, agreed: PreparedBaseline) -> None:
    """Mark the pending migrations as applied, up to and with ``request.to``, if they are those that were agreed on.

    Raises:
        UsageError: they are others now, something speaks against it, or it is not allowed here.
        LockHeld, ConfitureError: see ``mark_all_applied``.
    """
    refuse_unless_allowed(sources, request.confirmation)
    prepared, migrations = _prepare(sources, request)
    if prepared.migrations != agreed.migrations:
        raise UsageError("The migrations have changed since they were shown.", hint="Nothing was marked. Look again.")
    prepared.refuse_objections()
    with sources.writable() as conn:
        schema, table = ledger_place(conn, DEFAULT_TABLE)
        mark_all_applied(conn, migrations, ledger=LedgerTable(schema, table), journal=Journal(schema, TABLE))


def _prepare(sources: RunSources, request: RunRequest) -> tuple[PreparedBaseline, tuple[Migration, ...]]:
    statuses = sources.statuses()
    chosen = to_apply(statuses, to=request.to, steps=request.steps)
    with sources.connected() as conn:
        absent = what_is_absent(chosen, Catalog.load(conn))
    # That one comes before another that is applied is what a baseline may well mend.
    found = [one for one in objections(statuses, chosen) if one.code is not ObjectionCode.OUT_OF_ORDER]
    prepared = PreparedBaseline(
        migrations=tuple(Marked(version=one.version, name=one.name) for one in chosen),
        objections=tuple(one for one in (*found, *absent) if one.code not in request.allowed),
    )
    return prepared, chosen


def _left_of(sources: RunSources, version: str, action: str) -> LeftOver:
    for one in what_is_left(sources):
        if one.entry.version == version:
            if action not in one.actions:
                words = ", ".join(name.replace("_", " ") for name in one.actions)
                raise UsageError(f"{one.sentence} This cannot be done with it.", hint=f"What can be done: {words}.")
            return one
    raise UsageError(f"Nothing is left half-way of {version}.", hint="Look at `status`.")


def _file_of(sources: RunSources, left: LeftOver) -> Migration:
    for status in sources.statuses():
        if status.version == left.entry.version and status.migration is not None:
            return status.migration
    raise UsageError(f"The file of {left.entry.label} is not here.", hint="Restore it, or mark the migration.")
