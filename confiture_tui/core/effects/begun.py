"""What an earlier run has done of a migration that stopped half-way: only the rest of it is still to come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Begun:
    """How far a run came whose statements are transactions of their own.

    Attributes:
        done: how many of the first statements are done.
        left: invalid indexes, qualified and quoted, that the statement under way has left, and that are dropped before
            it is run again.
    """

    done: int
    left: tuple[str, ...] = ()
