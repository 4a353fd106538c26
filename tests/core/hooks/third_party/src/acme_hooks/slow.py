"""A module whose import takes longer than a second."""

from __future__ import annotations

import threading
from typing import Any

from confiture_tui import Hook, HookContext, HookPhase, HookResult

threading.Event().wait(1.05)


class Slow(Hook):
    """A hook that is worth the wait."""

    name = "acme_slow"
    phase = HookPhase.AFTER_DDL

    def execute(self, conn: Any, context: HookContext) -> HookResult:
        return HookResult()
