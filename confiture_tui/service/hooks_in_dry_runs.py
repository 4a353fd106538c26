"""Which hooks run in a dry run, and what the reader must know of those that do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.dry_run.result import Verdict
from confiture_tui.core.hooks.declaration import make_hooks, read_declaration
from confiture_tui.core.hooks.result import HookOutcome, HookResult
from confiture_tui.errors import UsageError
from confiture_tui.service.running import registry_of

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.hooks.hook import Hook
    from confiture_tui.core.migrations.model import Migration


def hooks_to_try(migration: Migration, config_file: Path | None) -> tuple[tuple[Hook, ...], str | None]:
    """The hooks that a migration names, with their options, or why they cannot be had. This imports their code.

    The statements can be tried all the same: a reviewer may not have the package that a hook comes from.
    """
    try:
        if not read_declaration(migration):
            return (), None
        return make_hooks(migration, registry_of(config_file)), None
    except UsageError as error:
        return (), error.message


_ON_TARGET = (
    "A dry run on the target runs the statements alone: what a hook does may go beyond their transaction. "
    "Dry-run on the shadow to see it."
)


def hooks_left_out(migration: Migration) -> tuple[HookResult, ...]:
    """The hooks that a dry run on the target does not run, each with the reason. This imports nobody's code.

    Their phase is known where the declaration names it.
    """
    try:
        declared = read_declaration(migration)
    except UsageError as error:
        return (HookResult(hook="hooks", outcome=HookOutcome.NOT_EXERCISED, error=error.message),)
    return tuple(
        HookResult(hook=one.name, phase=one.phase, outcome=HookOutcome.NOT_EXERCISED, error=_ON_TARGET)
        for one in declared
        if one.direction != "backward"
    )


def with_hook_notes(
    result: DryRunResult, *, blocked: str | None, earlier: Sequence[Migration], notes: Sequence[str]
) -> DryRunResult:
    """The result with what must be said of hooks that were not run.

    Args:
        result: of the dry run.
        blocked: why the migration's own hooks cannot be had.
        earlier: the migrations that came first: their statements ran, and not their hooks.
        notes: what else is to be said.
    """
    said = list(notes)
    if blocked is not None:
        said.append(f"Its hooks were not run: {blocked}")
    before = [one.label for one in earlier if _has_hooks(one)]
    if before:
        said.append(f"Hooks of migrations that come first were not run: {', '.join(before)}.")
    if not said:
        return result
    update: dict[str, object] = {"notes": (*result.notes, *said)}
    if blocked is not None and result.verdict is Verdict.OK:
        update |= {"verdict": Verdict.INCONCLUSIVE, "ok": False}
    return result.model_copy(update=update)


def _has_hooks(migration: Migration) -> bool:
    try:
        return bool(read_declaration(migration))
    except UsageError:
        return True
