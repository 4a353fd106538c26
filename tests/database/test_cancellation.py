"""A scope: a cancel reaches what runs under a guard, and nothing that runs after it."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.database.cancellation import CancelScope
from confiture_tui.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.database.dsn import Dsn


@pytest.fixture
def work(database: Dsn) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.conninfo(), autocommit=True) as conn:
        yield conn


class Slow:
    """A connection whose cancel requests take as long as the test wants."""

    def __init__(self) -> None:
        self.sending, self.let_go = threading.Event(), threading.Event()
        self.sent = 0

    def cancel_safe(self, *, timeout: float) -> None:
        self.sending.set()
        assert self.let_go.wait(30), timeout
        self.sent += 1


def test_a_running_statement_is_cancelled(work: psycopg.Connection[Any]) -> None:
    scope = CancelScope()
    done = threading.Event()

    def press() -> None:
        while not done.is_set():
            scope.cancel()

    thread = threading.Thread(target=press)
    with scope.guard(work):
        thread.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            work.execute("SELECT pg_sleep(60)")
    done.set()
    thread.join()
    with pytest.raises(Cancelled):
        scope.check()


def test_leaving_the_guard_waits_for_a_request_under_way_and_lets_no_other_through() -> None:
    scope, slow, left = CancelScope(), Slow(), threading.Event()

    def guarded() -> None:
        with scope.guard(slow):  # type: ignore[arg-type]  # a request that hangs cannot be had of a real one
            inside.set()
            assert slow.sending.wait(30)
        left.set()

    inside = threading.Event()
    worker = threading.Thread(target=guarded)
    worker.start()
    assert inside.wait(30)
    presser = threading.Thread(target=scope.cancel)
    presser.start()
    assert slow.sending.wait(30)
    scope.cancel()  # Does not wait for the other's request: one is enough.
    assert not left.is_set(), "the guard was left while a request was under way"
    slow.let_go.set()
    worker.join(30)
    presser.join(30)
    assert left.is_set()
    assert slow.sent == 1
    scope.cancel()
    assert slow.sent == 1


def test_a_guard_under_fire_can_be_left(work: psycopg.Connection[Any]) -> None:
    """Whoever presses without pause never keeps a guard from ending, and no request is sent after it has."""
    done = threading.Event()
    scope = CancelScope()

    def press() -> None:
        while not done.is_set():
            scope.cancel()

    presser = threading.Thread(target=press)
    requests: list[bool] = []
    real, guarded = work.cancel_safe, [False]

    def counting(*, timeout: float) -> None:
        requests.append(guarded[0])
        real(timeout=timeout)
        requests.append(guarded[0])

    work.cancel_safe = counting  # type: ignore[method-assign,assignment]
    for _ in range(50):
        scope = CancelScope()
        if not presser.is_alive():
            presser.start()
        guarded[0] = True
        try:
            with scope.guard(work):
                while not scope.requested:
                    work.execute("SELECT 1")
        except (psycopg.errors.QueryCanceled, Cancelled):
            pass
        guarded[0] = False
    done.set()
    presser.join()
    assert requests
    assert all(requests), "a request was under way outside the guard"


def test_a_scope_that_was_cancelled_lets_nothing_start(work: psycopg.Connection[Any]) -> None:
    scope = CancelScope()
    scope.cancel()
    with pytest.raises(Cancelled), scope.guard(work):
        pytest.fail("the block ran")


def test_terminating_ends_the_backend_of_the_guarded_connection_only(database: Dsn) -> None:
    scope = CancelScope()
    with psycopg.connect(database.conninfo(), autocommit=True) as before, scope.guard(before):
        pass
    other = psycopg.connect(database.conninfo(), autocommit=True)
    with other, psycopg.connect(database.conninfo(), autocommit=True) as guarded, scope.guard(guarded):
        scope.terminate()
        with pytest.raises(psycopg.OperationalError):
            guarded.execute("SELECT 1")
        assert other.execute("SELECT 1").fetchone() == (1,)


def test_neither_a_closed_connection_nor_a_child_that_ended_disturbs_a_cancel(work: psycopg.Connection[Any]) -> None:
    scope = CancelScope()
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait(30)
    with scope.guard(work), scope.guard_process(child):
        work.close()
        scope.cancel()
        scope.terminate()


def test_a_child_process_is_ended() -> None:
    scope = CancelScope()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child, scope.guard_process(child):
        scope.cancel()
        assert child.wait(30) != 0
