"""The command line that does what the wizard shows."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.ui.run_state import RunState


def command_of(state: RunState) -> str:
    """What takes the last run back where it was undone by commands; else the plan as a command line, safe to show."""
    if state.result is not None and state.result.undo:
        return safe_line(" && ".join(state.result.undo))
    request = state.request
    words = ["confiture-tui", "rollback" if state.is_backward else "apply"]
    if request is not None:
        if request.to is not None:
            words += ["--to", request.to]
        if request.steps is not None:
            words += ["--steps", str(request.steps)]
        if request.allowed:
            words += ["--allow", ",".join(sorted(request.allowed))]
    return safe_line(shlex.join(words))
