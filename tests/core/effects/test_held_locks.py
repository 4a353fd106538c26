"""What a transaction held at one moment, whatever it takes later."""

from __future__ import annotations

from confiture_tui.core.effects.forecast import Lock
from confiture_tui.core.effects.held_locks import NOTHING_HELD, HeldLocks, TakenLocks
from confiture_tui.core.effects.lock_modes import LockMode

AS, RX, SUE, S, AE = (
    LockMode.ACCESS_SHARE,
    LockMode.ROW_EXCLUSIVE,
    LockMode.SHARE_UPDATE_EXCLUSIVE,
    LockMode.SHARE,
    LockMode.ACCESS_EXCLUSIVE,
)
TAKEN = (("a", AS), ("b", AE), ("a", RX), ("a", AS), ("c", SUE), ("a", S), ("b", S), ("c", AE), ("a", AE))


def held_after(count: int) -> HeldLocks:
    """What is held after so many locks were asked for, seen when all of them are."""
    taken, moment = TakenLocks(), 0
    for place, (relation, mode) in enumerate(TAKEN, start=1):
        taken.add(Lock(relation, mode, "a test"))
        moment = len(taken.locks) if place == count else moment
    return HeldLocks(taken, moment)


def test_only_what_is_stronger_is_taken_anew() -> None:
    assert [(lock.relation, lock.mode) for lock in held_after(len(TAKEN))] == [
        *[("a", AS), ("b", AE), ("a", RX), ("c", SUE), ("a", S), ("c", AE), ("a", AE)]
    ]


def test_a_moment_is_what_it_was_when_more_is_taken() -> None:
    for count in range(1, len(TAKEN) + 1):
        held = held_after(count)
        seen = [(lock.relation, lock.mode) for lock in held]
        strongest = dict(seen)
        for relation in "abcd":
            found = held.strongest(relation)
            assert (found.mode if found else None) == strongest.get(relation)
        assert [(lock.relation, lock.mode) for lock in held.on("a", "c")] == [one for one in seen if one[0] != "b"]
        waited_for = dict.fromkeys(relation for relation, mode in seen if mode.blocks_writes)
        assert [(lock.relation, lock.mode) for lock in held.blocking] == [(one, strongest[one]) for one in waited_for]
        assert list(held.blocking[:1]) == list(held.blocking)[:1]
        assert len(held) == len(seen)


def test_nothing_is_held_outside_of_a_transaction() -> None:
    assert not NOTHING_HELD
    assert not NOTHING_HELD.blocking
    assert NOTHING_HELD.strongest("a") is None
    assert NOTHING_HELD.on("a") == ()
