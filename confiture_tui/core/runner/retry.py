"""The pause between two attempts, in which nothing is held."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

from confiture_tui.core.runner.session import check
from confiture_tui.events import EventName, Level

if TYPE_CHECKING:
    from confiture_tui.core.runner.job import MigrationJob
    from confiture_tui.core.runner.policy import RunPolicy
    from confiture_tui.core.runner.run import Run

_LOOK_S = 0.1


def length_ms(policy: RunPolicy, number: int) -> float:
    """How long the pause before the retry of this 1-based number is, in milliseconds: between a half and the whole of
    ``pause_ms * 2 ** (number - 1)``, and never longer than ``longest_pause_ms``."""
    whole = min(policy.pause_ms * 2.0 ** min(number - 1, 30), policy.longest_pause_ms)
    return whole * random.uniform(0.5, 1.0)


def pause(run: Run, job: MigrationJob, number: int, why: str) -> None:
    """Say why, and wait.

    Raises:
        Cancelled: somebody asked for a stop meanwhile.
    """
    length = length_ms(run.policy, number)
    run.emit(
        EventName.LOCK_TIMEOUT_RETRY,
        f"{job.migration.label}: retry {number} of {run.policy.retries} in {length / 1000:.1f} s. {why}",
        level=Level.WARNING,
        migration=job.migration.version,
        data={"retry": number, "pause_ms": round(length)},
    )
    end = time.monotonic() + length / 1000
    rest = threading.Event()
    while (left := end - time.monotonic()) > 0:
        rest.wait(min(left, _LOOK_S))
        check(run.scope)
