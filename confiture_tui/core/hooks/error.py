"""The failure of a hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    from confiture_tui.core.hooks.phase import HookPhase


class HookError(ConfitureError):
    """A hook failed, and with it the migration (exit code 4).

    Attributes:
        hook: the hook's name.
        phase: the phase in which it ran.
        cause: what it raised; ``None`` when it raised nothing and did what a hook must not do.
        undone: what became of its changes and of the migration's, as a sentence.
        transaction_ended: it ended the transaction that it was given, which is therefore not the runner's any more.
        committed: it ended it by a commit: what was done in it stands.
    """

    exit_code = 4

    def __init__(
        self,
        *,
        hook: str,
        phase: HookPhase,
        reason: str,
        undone: str,
        cause: BaseException | None = None,
        transaction_ended: bool = False,
        committed: bool = False,
        hint: str = "",
    ) -> None:
        super().__init__(f"The hook {hook} ({phase}) failed: {reason.rstrip('.')}. {undone}".rstrip(), hint=hint)
        self.hook = hook
        self.phase = phase
        self.reason = reason
        self.cause = cause
        self.undone = undone
        self.transaction_ended = transaction_ended
        self.committed = committed
