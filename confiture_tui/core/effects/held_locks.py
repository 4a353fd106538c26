"""What a transaction holds at each of its statements, without a copy for each: a file may lock ten thousand tables."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Lock


class TakenLocks:
    """The locks of one transaction in the order in which they are taken; it only grows.

    A relation is there once for each mode that was stronger than those before.

    Attributes:
        locks: all of them.
        places: of the locks on each relation, by its name.
        blocking: of the first lock on each relation for which others wait.
    """

    __slots__ = ("blocking", "locks", "places")

    def __init__(self, locks: Sequence[Lock] = ()) -> None:
        self.locks: list[Lock] = []
        self.places: dict[str, list[int]] = {}
        self.blocking: list[int] = []
        for lock in locks:
            self.add(lock)

    def add(self, lock: Lock) -> None:
        """A lock is taken, unless it is held already, or a stronger one is."""
        before = self.places.setdefault(lock.relation, [])
        strongest = self.locks[before[-1]].mode if before else None
        if strongest is not None and strongest.strength >= lock.mode.strength:
            return
        if lock.mode.blocks_writes and (strongest is None or not strongest.blocks_writes):
            self.blocking.append(len(self.locks))
        before.append(len(self.locks))
        self.locks.append(lock)


class HeldLocks(Sequence["Lock"]):
    """The locks that a transaction held at one moment: the first so many of those that it takes."""

    __slots__ = ("_count", "_taken")

    def __init__(self, taken: TakenLocks, count: int) -> None:
        self._taken = taken
        self._count = count

    def strongest(self, relation: str) -> Lock | None:
        """The strongest lock on a relation; ``None`` where none was held."""
        taken = self._taken
        for place in reversed(taken.places.get(relation, ())):
            if place < self._count:
                return taken.locks[place]
        return None

    def on(self, *relations: str) -> tuple[Lock, ...]:
        """All locks on some relations, in the order in which they were taken."""
        places = {place for name in relations for place in self._taken.places.get(name, ()) if place < self._count}
        return tuple(self._taken.locks[place] for place in sorted(places))

    @property
    def blocking(self) -> BlockingLocks:
        """The strongest lock on each relation for which others wait, in the order in which they began to."""
        return BlockingLocks(self, self._taken, bisect_left(self._taken.blocking, self._count))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Lock]:
        locks = self._taken.locks
        return (locks[place] for place in range(self._count))

    @overload
    def __getitem__(self, place: int) -> Lock: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Lock, ...]: ...
    def __getitem__(self, place: int | slice) -> Lock | tuple[Lock, ...]:
        if isinstance(place, slice):
            return tuple(self._taken.locks[one] for one in range(self._count)[place])
        return self._taken.locks[range(self._count)[place]]

    def __repr__(self) -> str:
        return f"<{self._count} locks>"


class BlockingLocks(Sequence["Lock"]):
    """See ``HeldLocks.blocking``; each is looked up when it is asked for."""

    __slots__ = ("_count", "_held", "_taken")

    def __init__(self, held: HeldLocks, taken: TakenLocks, count: int) -> None:
        self._held = held
        self._taken = taken
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Lock: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Lock, ...]: ...
    def __getitem__(self, place: int | slice) -> Lock | tuple[Lock, ...]:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(self._count)[place])
        first = self._taken.locks[self._taken.blocking[range(self._count)[place]]]
        return self._held.strongest(first.relation) or first


NOTHING_HELD = HeldLocks(TakenLocks(), 0)
"""What is held outside of any transaction."""
