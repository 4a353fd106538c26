"""How carefully migrations are run."""

from __future__ import annotations

from pydantic import Field

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.traffic.model import GiveWayLimits


class RunPolicy(FrozenModel):
    """The limits of a run. All are on by default.

    Attributes:
        lock_timeout_ms: how long a statement may wait for a lock, in milliseconds. Short: everybody else queues behind
            a lock that is waited for.
        concurrent_lock_timeout_ms: the same for statements that run outside a transaction and hold up nobody while
            they wait (CREATE INDEX CONCURRENTLY); 0: without end, since a time-out leaves an invalid index behind.
        statement_timeout_ms: how long a statement may run; 0: without end.
        give_way: how much others may suffer from us before we let them through; ``None``: we never do.
        retries: how often a migration is begun again after a lock time-out, a deadlock, or giving way.
        pause_ms: the pause before the first retry, in milliseconds; each one is twice as long as the one before, and
            jittered, so that two operators do not meet again.
        longest_pause_ms: no pause is longer.
        outcome_wait_s: after a connection was lost during COMMIT, how long the server is asked how it ended.
    """

    lock_timeout_ms: int = Field(default=2_000, ge=0)
    concurrent_lock_timeout_ms: int = Field(default=0, ge=0)
    statement_timeout_ms: int = Field(default=0, ge=0)
    give_way: GiveWayLimits | None = GiveWayLimits()
    retries: int = Field(default=10, ge=0)
    pause_ms: int = Field(default=500, ge=0)
    longest_pause_ms: int = Field(default=30_000, ge=0)
    outcome_wait_s: float = Field(default=60.0, ge=0)
