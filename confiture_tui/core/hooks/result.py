"""What came of a hook."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.hooks.phase import HookPhase


class HookOutcome(StrEnum):
    """How a hook ended."""

    OK = "ok"
    FAILED = "failed"
    NOT_EXERCISED = "not_exercised"
    """A dry run did not run it: what it does could not be taken back, or was not to be tried there."""


class HookResult(FrozenModel):
    """What a hook did. A hook returns the first three; who runs it fills in the rest.

    Attributes:
        rows_affected: rows inserted, updated or deleted; 0 when it counts none.
        statistics: what it found out: JSON-able values by name. Later hooks of the same run find them in
            ``HookContext.statistics`` under this hook's name.
        message: one sentence for a person, or nothing.
        hook: its name.
        phase: the phase in which it ran.
        outcome: how it ended.
        elapsed_ms: how long it took, in milliseconds.
        error: why it failed, or was not exercised.
    """

    rows_affected: int = Field(default=0, ge=0)
    statistics: dict[str, Any] = Field(default_factory=dict)
    message: str = ""
    hook: str = ""
    phase: HookPhase | None = None
    outcome: HookOutcome = HookOutcome.OK
    elapsed_ms: float = 0.0
    error: str | None = None
