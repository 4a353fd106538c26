"""Objects made in bulk are what their class would have made; the garbage collector is left as it was found."""

from __future__ import annotations

import dataclasses
import gc
import threading
from dataclasses import FrozenInstanceError, dataclass

import pytest

from confiture_tui.core.catalog.reading.bulk import assembler, collector_paused


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: str | None = None

    @property
    def doubled(self) -> int:
        return 2 * self.x


def test_an_assembled_object_is_an_ordinary_one() -> None:
    make = assembler(Point)
    for made, expected in ((make(1, "a"), Point(1, "a")), (make(x=2, y="b"), Point(2, "b"))):
        assert type(made) is Point
        assert made == expected
        assert hash(made) == hash(expected)
        assert repr(made) == repr(expected)
        assert made.doubled == 2 * made.x
        assert dataclasses.replace(made, x=9) == Point(9, made.y)
        with pytest.raises(FrozenInstanceError):
            made.x = 5  # type: ignore[misc]  # that it cannot be set is what is tested


def test_a_missing_field_is_an_error() -> None:
    with pytest.raises(TypeError):
        assembler(Point)()  # type: ignore[call-arg]  # likewise


def test_the_collector_is_paused_until_the_last_one_is_done() -> None:
    assert gc.isenabled()
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with collector_paused():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=other)
    with collector_paused():
        thread.start()
        inside.wait()
        assert not gc.isenabled()
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_error_sets_it_going_again() -> None:
    with pytest.raises(ValueError, match="x"), collector_paused():
        raise ValueError("x")
    assert gc.isenabled()
