"""What is known of other sessions: who waits behind us, and how much of that we allow.

Names of roles and applications come from the server, where anybody can choose them: to a screen through ``safe_text``.
"""

from __future__ import annotations

from pydantic import Field

from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import FrozenModel


class GiveWayLimits(FrozenModel):
    """How much others may suffer from us.

    Attributes:
        wait_ms: how long, in milliseconds, one session may wait behind us; the cancel comes at four fifths of it, so
            that it and the rollback are over by then.
        sessions: how many sessions may wait behind us at once.
        poll_ms: how often we look, in milliseconds; a hundred at most.
        grace_ms: how long, in milliseconds, whoever runs the transaction may take to end it himself, after he has been
            told to, before its backend is terminated.
    """

    wait_ms: int = Field(default=1_000, gt=0)
    sessions: int = Field(default=20, ge=0)
    poll_ms: int = Field(default=100, gt=0, le=100)
    grace_ms: int = Field(default=500, ge=0)


class Waiter(FrozenModel):
    """A session that waits for a lock behind another one, directly or behind somebody who does.

    Attributes:
        pid: its process id.
        role: who it logged in as; ``None`` when it has ended meanwhile.
        application: how it calls itself.
        waited_ms: how long it has been waiting behind the other, in milliseconds.
        relation: what it wants to lock, as ``quote_ident`` writes it; ``None`` for what is no relation of this
            database, or not committed yet.
        mode: the mode it wants; ``None`` when it waits for a row or a transaction to end.
    """

    pid: int
    role: str | None
    application: str
    waited_ms: float
    relation: str | None = None
    mode: LockMode | None = None

    @property
    def label(self) -> str:
        """The session, in words."""
        return session_label(self.pid, self.role, self.application)


class GaveWay(FrozenModel):
    """Why we gave way.

    Attributes:
        waiters: who waited behind us, the longest first.
        blind: the watcher could not look any more, and stopped us for that.
        reason: it as a sentence.
    """

    waiters: tuple[Waiter, ...] = ()
    blind: bool = False
    reason: str


def session_label(pid: int | None, role: str | None, application: str) -> str:
    """A session, in words: ``session 4711 (web, role app)``."""
    known = ", ".join(part for part in (application, f"role {role}" if role else "") if part)
    return f"session {pid}{f' ({known})' if known else ''}"
