"""Giving way: a second connection looks who waits behind our session, and stops it when they wait too long.

While we wait for a lock, everybody who wants even a weaker one queues behind us; while we hold one, they wait for our
transaction's end. No time-out of ours knows of them: only the lock table does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from confiture_tui.core.traffic.model import GaveWay, GiveWayLimits, Waiter, session_label
from confiture_tui.core.traffic.queue import Waiting, behind, read_queue, sessions
from confiture_tui.errors import ConfitureError
from confiture_tui.events import Event, EventName, Level, Sink, discard

if TYPE_CHECKING:
    from types import TracebackType

    import psycopg

_ACT_AT = 0.8
"""The share of the limit at which we act: a cancel and a rollback take a moment too."""
_TELL_AFTER_MS = 20.0
"""A wait that is shorter is nobody's trouble, and not told."""
_STOP_S = 3.0
"""How long the end waits for the last question to the server, which has a time-out of its own."""

_SETTINGS = b"""
SET application_name = 'confiture-tui watcher'; SET statement_timeout = '2s'; SET lock_timeout = '1s';
SET search_path = ''; SET default_transaction_read_only = on; SET idle_in_transaction_session_timeout = '10s'
"""
_STATE = "SELECT a.state FROM pg_catalog.pg_stat_activity a WHERE a.pid = %s"
_CANCEL = "SELECT pg_catalog.pg_cancel_backend(%s)"
_TERMINATE = "SELECT pg_catalog.pg_terminate_backend(%s)"


class TrafficWatcher:
    """Watches one session of ours from a connection and a thread of its own, between ``start`` and ``stop``.

    Past a limit it sets ``gave_way``, and cancels what our session runs for as long as others still wait. A session
    that runs nothing cannot be cancelled: whoever drives it looks at ``gave_way`` between its statements and ends the
    transaction; if that does not happen in time, its backend is terminated.

    A cancel that was sent may meet the next statement of the session: after ``stop``, one statement that does nothing
    meets it for certain.

    Args:
        connect: opens a connection to the same server, in autocommit mode, as a role that may cancel our session.
        backend_pid: our session's process on the server, as the server itself calls it.
        limits: how much others may suffer.
        on_yield: called once, on the watcher's thread, when it gives way and before anything is cancelled.
        sink: where ``lock_wait`` and ``gave_way`` go.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        backend_pid: int,
        limits: GiveWayLimits | None = None,
        *,
        on_yield: Callable[[GaveWay], None] | None = None,
        sink: Sink = discard,
    ) -> None:
        self._connect = connect
        self._pid = backend_pid
        self.limits = limits or GiveWayLimits()
        self._on_yield = on_yield
        self._sink = sink
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._control: psycopg.Connection[Any] | None = None
        self._blocked: tuple[Waiter, ...] = ()
        self._since: dict[int, float] = {}
        self._looked_at = 0.0
        self._told: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())
        self._waited_for: str | None = None
        self._gave_way: GaveWay | None = None
        self._gave_way_at = 0.0

    @property
    def gave_way(self) -> GaveWay | None:
        """Why we must stop; ``None`` as long as we need not."""
        return self._gave_way

    @property
    def waited_for(self) -> str | None:
        """Whom our session was last seen waiting for, in words; ``None`` when it never waited."""
        return self._waited_for

    def blocked(self) -> tuple[Waiter, ...]:
        """Who waits behind us, as last seen, the longest first."""
        return self._blocked

    def start(self) -> Self:
        """Connect, and begin to look.

        Raises:
            psycopg.Error, ConnectError: there is no second connection: whatever ``connect`` raises.
        """
        self._control = self._open()
        self._looked_at = time.monotonic()
        self._thread = threading.Thread(target=self._watch, name=f"watch-{self._pid}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Look no more; from here on nothing is cancelled. Idempotent."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_STOP_S)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _open(self) -> psycopg.Connection[Any]:
        control = self._connect()
        try:
            control.execute(_SETTINGS)
        except BaseException:
            control.close()
            raise
        return control

    def _watch(self) -> None:
        """The thread: look, act, and wait until the next look."""
        import psycopg

        try:
            pause = 0.0
            while not self._ended.wait(pause):
                try:
                    pause = self._once()
                except psycopg.Error as error:
                    if not self._again():
                        self._go_blind(error)
                        return
                except Exception as error:  # noqa: BLE001 - whatever it is, nobody looks any more, and that must be known
                    self._go_blind(error)
                    return
        finally:
            if self._control is not None:
                self._control.close()

    def _once(self) -> float:
        """One look, and what follows from it; seconds until the next."""
        control = self._control
        if control is None:
            raise AssertionError("the watcher has not been started")
        queue = read_queue(control)
        now = time.monotonic()
        self._blocked = self._waiters(behind(self._pid, queue), now)
        self._tell(control, queue)
        if self._gave_way is None and self._too_much():
            self._yield(GaveWay(waiters=self._blocked, reason=self._reason()))
        if self._gave_way is not None and self._blocked:
            self._press(control, now)
        self._looked_at = now
        longest = max((one.waited_ms for one in self._blocked), default=0.0)
        left_ms = self._act_at_ms - longest if self._gave_way is None else self.limits.poll_ms
        return min(self.limits.poll_ms, max(left_ms, 1.0)) / 1000

    @property
    def _act_at_ms(self) -> float:
        return self.limits.wait_ms * _ACT_AT

    def _waiters(self, found: tuple[Waiting, ...], now: float) -> tuple[Waiter, ...]:
        """Those behind us, with how long they can have been: not before the last look at which they were not."""
        waiters: dict[int, Waiter] = {}
        since = {one.pid: self._since.get(one.pid, self._looked_at) for one in found}
        for one in found:
            waiters[one.pid] = Waiter(
                pid=one.pid,
                role=one.role,
                application=one.application,
                waited_ms=min(one.waited_ms, (now - since[one.pid]) * 1000),
                relation=one.relation,
                mode=one.mode,
            )
        self._since = since
        return tuple(sorted(waiters.values(), key=lambda one: -one.waited_ms))

    def _too_much(self) -> bool:
        waiters = self._blocked
        return bool(waiters) and (waiters[0].waited_ms >= self._act_at_ms or len(waiters) > self.limits.sessions)

    def _reason(self) -> str:
        waiters = self._blocked
        number = len(waiters)
        who = "1 session" if number == 1 else f"{number} sessions"
        first = waiters[0]
        what = f", {first.relation}" if first.relation else ""
        return (
            f"{who} waited behind it, {first.label} for {first.waited_ms:.0f} ms{what}; "
            f"the limits are {self.limits.wait_ms} ms and {self.limits.sessions} sessions."
        )

    def _yield(self, why: GaveWay) -> None:
        self._gave_way_at = time.monotonic()
        self._gave_way = why
        self._sink(
            Event(
                name=EventName.GAVE_WAY,
                message=f"Giving way: {why.reason}",
                level=Level.WARNING,
                data={"waiters": [one.model_dump(mode="json") for one in why.waiters], "blind": why.blind},
            )
        )
        if self._on_yield is not None:
            self._on_yield(why)

    def _press(self, control: psycopg.Connection[Any], now: float) -> None:
        """Cancel what runs; end the session when it runs nothing, or does not listen, for longer than the grace."""
        if self._ended.is_set():
            return
        late = (now - self._gave_way_at) * 1000 > self.limits.grace_ms
        row = control.execute(_STATE, (self._pid,)).fetchone()
        running = row is not None and row[0] == "active"
        if late:
            control.execute(_TERMINATE, (self._pid,))
        elif running:
            control.execute(_CANCEL, (self._pid,))

    def _again(self) -> bool:
        """Connect anew after a failed look; whether that went well."""
        import psycopg

        if self._control is not None:
            self._control.close()
        if self._ended.is_set():
            return False
        try:
            self._control = self._open()
            return True
        except (psycopg.Error, ConfitureError):
            return False

    def _go_blind(self, error: Exception) -> None:
        """Nobody can be seen any more: we stop, for they may be waiting."""
        if self._ended.is_set() or self._gave_way is not None:
            return
        self._yield(
            GaveWay(blind=True, reason=f"who waits behind it could not be seen any more ({type(error).__name__}).")
        )

    def _tell(self, control: psycopg.Connection[Any], queue: tuple[Waiting, ...]) -> None:
        """Say who waits behind us, and whom we wait for, whenever that changes."""
        ours = next((one for one in queue if one.pid == self._pid), None)
        in_front = ours.behind if ours is not None else frozenset()
        others = frozenset(one.pid for one in self._blocked if one.waited_ms >= _TELL_AFTER_MS)
        told_front, told_others = self._told
        if in_front - told_front and ours is not None and ours.waited_ms >= _TELL_AFTER_MS:
            self._waited_for = self._in_words(control, in_front)
            what = f"{ours.mode} on {ours.relation}" if ours.mode and ours.relation else "a lock"
            self._say(f"Waiting for {what}, behind {self._waited_for}.", in_front, "ours")
            told_front = in_front
        if others - told_others:
            names = ", ".join(one.label for one in self._blocked if one.pid in others)
            self._say(f"Behind us: {names}.", others, "others", Level.WARNING)
        self._told = (told_front & in_front, others)

    @staticmethod
    def _in_words(control: psycopg.Connection[Any], pids: frozenset[int]) -> str:
        known = sessions(control, pids)
        labels = [session_label(pid, *known.get(pid, (None, ""))) for pid in sorted(pids) if pid]
        if 0 in pids:
            labels.append("a prepared transaction")
        return ", ".join(labels)

    def _say(self, message: str, pids: frozenset[int], who: str, level: Level = Level.INFO) -> None:
        self._sink(
            Event(
                name=EventName.LOCK_WAIT,
                message=message,
                level=level,
                data={
                    "waiting": who,
                    "pids": sorted(pids),
                    "waiters": [one.model_dump(mode="json") for one in self._blocked],
                },
            )
        )
