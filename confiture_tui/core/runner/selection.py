"""Which migrations a run is about, and what speaks against it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.migrations.status import APPLIED, MigrationState, out_of_order
from confiture_tui.errors import UsageError
from confiture_tui.yaml_file import did_you_mean

if TYPE_CHECKING:
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.status import MigrationStatus


class ObjectionCode(StrEnum):
    """What can speak against a run; a person may allow each by name."""

    CHANGED = "changed"
    """The file of an applied migration is no longer the one that was applied."""
    MISSING = "missing"
    """An applied migration has no file."""
    OUT_OF_ORDER = "out-of-order"
    """A pending migration comes before one that is applied."""
    ABSENT = "absent"
    """A migration that is to count as applied makes something that the database does not have."""


class Objection(FrozenModel):
    """Something that speaks against a run, as a sentence that names the migration."""

    code: ObjectionCode
    version: str
    sentence: str


def to_apply(
    statuses: Sequence[MigrationStatus],
    *,
    to: str | None = None,
    skip: Collection[str] = (),
    steps: int | None = None,
) -> tuple[Migration, ...]:
    """The pending migrations in their order, up to and with the version ``to``, without those that are left out; of
    those only the first ``steps``.

    Raises:
        UsageError: there is no such version, one that is left out is not pending, or one of them is a program, which
            only ``confiture`` can run.
    """
    if to is not None:
        _known(statuses, to)
    for version in skip:
        if _known(statuses, version).state is not MigrationState.PENDING:
            raise UsageError(f"{version} is not pending, so it cannot be left out.", hint="Look at `status`.")
    chosen: list[Migration] = []
    for status in statuses:
        if steps is not None and len(chosen) == steps:
            break
        if status.state is MigrationState.PENDING and status.version not in skip:
            if status.migration is None or status.migration.program:
                raise UsageError(
                    f"{status.label} is a Python program, which is run by `confiture` itself.",
                    hint=f"Run `confiture migrate up --target {status.version}`, then go on here.",
                )
            chosen.append(status.migration)
        if status.version == to:
            break
    return tuple(chosen)


def to_take_back(
    statuses: Sequence[MigrationStatus], *, steps: int | None = None, to: str | None = None
) -> tuple[Migration, ...]:
    """The applied migrations to take back, the newest first: a number of them, or all that came after ``to``.

    Raises:
        UsageError: there is no such version, it is not applied, fewer are applied than are to be taken back, or one of
            them has no file that could be read.
    """
    applied = [one for one in statuses if one.state in APPLIED]
    if to is not None:
        if _known(statuses, to).state not in APPLIED:
            raise UsageError(f"{to} is not applied, so there is nothing to go back to.", hint="Look at `status`.")
        chosen = applied[[one.version for one in applied].index(to) + 1 :]
    else:
        count = 1 if steps is None else steps
        if count > len(applied):
            raise UsageError(
                f"{count} migrations are to be taken back, and {len(applied)} are applied.", hint="Look at `status`."
            )
        chosen = applied[len(applied) - count :]
    migrations = []
    for status in reversed(chosen):
        if status.migration is None or status.migration.program:
            raise UsageError(
                f"{status.label} has no SQL file here, so it cannot be taken back.",
                hint="Restore its files, or take it back with the tool that applied it.",
            )
        migrations.append(status.migration)
    return tuple(migrations)


def objections(statuses: Sequence[MigrationStatus], chosen: Sequence[Migration]) -> tuple[Objection, ...]:
    """What speaks against applying these migrations."""
    found = []
    for status in statuses:
        if status.state is MigrationState.CHANGED:
            what = "was applied, and its file is no longer the one that was"
            sentence = f"{status.label} {what}: restore it, or allow `changed`."
            found.append(Objection(code=ObjectionCode.CHANGED, version=status.version, sentence=sentence))
        elif status.state is MigrationState.MISSING:
            sentence = f"{status.label} is applied and has no file here: restore it, or allow `missing`."
            found.append(Objection(code=ObjectionCode.MISSING, version=status.version, sentence=sentence))
    versions = {migration.version for migration in chosen}
    for early, newest in out_of_order(statuses):
        if early.version in versions:
            sentence = (
                f"{early.label} comes before {newest.version}, which is applied already: "
                "give it a later version, or allow `out-of-order`."
            )
            found.append(Objection(code=ObjectionCode.OUT_OF_ORDER, version=early.version, sentence=sentence))
    return tuple(found)


def _known(statuses: Sequence[MigrationStatus], version: str) -> MigrationStatus:
    for status in statuses:
        if status.version == version:
            return status
    versions = [status.version for status in statuses]
    raise UsageError(f"There is no migration {version}.", hint=did_you_mean(version, versions, "Migrations"))
