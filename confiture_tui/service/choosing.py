"""Which migration is meant, whether it can be tried, and which ones come before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.findings import too_large
from confiture_tui.core.migrations.status import MigrationState, MigrationStatus
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts import MigrationSet
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.profiles import RunnerProfile


def migration_of(migrations: MigrationSet, version: str) -> Migration:
    """The migration with this version.

    Raises:
        UsageError: there is none, or it is a program.
    """
    migration = migrations.get(version)
    if migration is not None:
        return migration
    program = next((one for one in migrations.opaque if one.version == version), None)
    if program is not None:
        raise UsageError(
            f"{program.label} is a program: what it does is not known without running it.",
            hint=f"Read {program.path.name} itself.",
        )
    known = ", ".join(migration.version for migration in migrations.migrations[-8:])
    raise UsageError(
        f"There is no migration {version} in {migrations.directory}.",
        hint=f"The newest ones are: {known}." if known else "There are no migrations at all.",
    )


def error_in(migration: Migration) -> str | None:
    """What makes its file useless, if anything does."""
    oversize = too_large(migration)
    findings = (*migration.findings, *((oversize,) if oversize is not None else ()))
    return next((finding.message for finding in findings if finding.level == "error"), None)


def refuse_to_try(migration: Migration, state: MigrationState, *, ours: bool) -> None:
    """Refuse to try what the schema has, or half has, already, and what cannot be used.

    Args:
        migration: the one that is to be tried.
        state: where it stands.
        ours: it is this program that runs it: of another tool's it is not known how far it came.

    Raises:
        UsageError: it cannot be tried.
    """
    if state in (MigrationState.APPLIED, MigrationState.CHANGED):
        raise UsageError(
            f"{migration.label} is applied already: the schema has what it makes.", hint="Try a pending one."
        )
    if state is MigrationState.INTERRUPTED and ours:
        raise UsageError(
            f"{migration.label} stopped half-way: part of what it makes is there, so that it cannot be tried from its "
            "start.",
            hint="Resume or settle it first: `confiture-tui status` says what can be done.",
        )
    wrong = error_in(migration)
    if wrong is not None:
        raise UsageError(f"{migration.label} cannot be tried: {wrong}", hint="Mend the file first.")


def refuse_without_schema(migration: Migration, profile: RunnerProfile) -> None:
    """Refuse to try, on nothing, a file that works on what must be there: that it fails there would say nothing of it.

    Raises:
        UsageError: it works on something that it does not make itself.
    """
    from confiture_tui.core.effects.simulation import simulate_all

    forecasts = (one for simulation in simulate_all([migration], profile=profile) for one in simulation.forecasts)
    there = list(dict.fromkeys(lock.relation for one in forecasts for lock in one.locks))
    if there:
        named = ", ".join(there[:3]) + (f" and {len(there) - 3} more" if len(there) > 3 else "")
        raise UsageError(
            f"{migration.label} works on {named}, and there is no database that has it: it cannot be tried.",
            hint="Name the database that the file is for, with --dsn or from within the app: it is only read.",
        )


def pending_before(migration: Migration, statuses: Sequence[MigrationStatus]) -> tuple[list[Migration], list[str]]:
    """The migrations that a runner would apply first, and a note on each that cannot be applied to a shadow."""
    before, notes = [], []
    for status in statuses:
        if status.version == migration.version:
            break
        if status.state is not MigrationState.PENDING:
            continue
        if status.migration is None:
            label = f"{status.version}_{status.name}"
            notes.append(f"{label} comes first and is a program: what it does is not on the shadow.")
            continue
        wrong = error_in(status.migration)
        if wrong is not None:
            notes.append(f"{status.migration.label} comes first and was left out here: {wrong}")
            continue
        before.append(status.migration)
    return before, notes
