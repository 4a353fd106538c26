"""In which order the hooks of a migration run around its commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.hooks.phase import HookPhase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.hooks.hook import Hook

AFTER_STATEMENTS = (HookPhase.AFTER_DDL, HookPhase.AFTER_VALIDATION)
"""The phases between the last statement and the end, in their order."""


def phases_after_commit(hooks: Iterable[Hook], *, transactional: bool) -> tuple[HookPhase, ...]:
    """Those of ``AFTER_STATEMENTS`` whose hooks run after the commit.

    From the first phase on that has a hook which makes transactions of its own; all of them where the migration's
    statements have no transaction in common.
    """
    first = len(AFTER_STATEMENTS) if transactional else 0
    for hook in hooks:
        if not hook.transactional and hook.runs_in in AFTER_STATEMENTS:
            first = min(first, AFTER_STATEMENTS.index(hook.runs_in))
    return AFTER_STATEMENTS[first:]
