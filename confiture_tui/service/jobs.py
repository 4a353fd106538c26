"""Jobs: one piece of synchronous work of the core, on a daemon thread of its own, awaited from the event loop.

Not asyncio's default thread pool: on that, quitting would wait for a thread that sleeps.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from confiture_tui.database.cancellation import CancelScope
from confiture_tui.database.failures import as_sentence
from confiture_tui.errors import Cancelled
from confiture_tui.events import Event, EventName, Level, Sink

T = TypeVar("T")

_REPEAT_S = 0.05
"""How often a cancel request is repeated: one that arrives between two statements is lost."""
_POLITE_S = 0.5
"""How long a job may take to notice that it is cancelled before its backends are terminated."""
_FORCED_S = 0.3
"""How long after that its thread is given up: together less than the second in which a cancel must be done."""

_ids = itertools.count(1)

_Emit = Callable[[EventName, "Job[Any]", str, Level], None]


@dataclass(frozen=True, slots=True)
class Ask:
    """What of the service was asked, so that somebody who keeps the answers can tell them apart.

    Attributes:
        what: the service's method.
        about: its arguments, JSON-able; never a secret.
    """

    what: str
    about: dict[str, Any]


class Witness(Protocol):
    """Sees what is asked and what is answered, for a recording. Called on the job's thread; must be quick."""

    def asked(self, job: Job[Any], ask: Ask) -> None:
        """The job begins."""

    def answered(self, job: Job[Any], ask: Ask, result: Any, error: BaseException | None) -> None:
        """The job has a result, or an error."""


class Job(Generic[T]):
    """One piece of work under way. Await it for its result.

    Attributes:
        id: unique within the process.
        title: what is being done, for a person: ``Dry run of 007_add_segment``.
        version: the migration concerned, if there is one.
        scope: what cancels it.
        started_at: when it was started, on the monotonic clock, in seconds.
    """

    def __init__(
        self,
        title: str,
        version: str | None,
        scope: CancelScope,
        emit: _Emit,
        told: Callable[[Job[T], Any, BaseException | None], None] | None = None,
    ) -> None:
        self.id = next(_ids)
        self.title = title
        self.version = version
        self.scope = scope
        self.started_at = time.monotonic()
        self._emit = emit
        self._told = told
        self._future: Future[T] = Future()
        # Running from the start: a future that is pending can be cancelled by whoever stops waiting for it.
        self._future.set_running_or_notify_cancel()
        self._cancelling = threading.Lock()
        self._settling = threading.Lock()
        self._ended = threading.Event()

    @property
    def done(self) -> bool:
        """Whether there is a result, or an error, to be had."""
        return self._future.done()

    @property
    def cancelling(self) -> bool:
        """Whether somebody asked for it to stop and it has not stopped yet."""
        return self.scope.requested and not self.done

    def cancel(self) -> None:
        """Ask for a stop and return at once; awaiting the job then raises ``Cancelled`` within a second.

        One that finishes all the same before it notices has its result.
        """
        if self.done or not self._cancelling.acquire(blocking=False):
            return
        self.scope.request()
        # Two threads: a server that does not answer holds up the one that presses, never the one that gives up.
        for work in (self._press, self._give_up):
            threading.Thread(target=work, name=f"cancel-job-{self.id}", daemon=True).start()

    def _press(self) -> None:
        """Cancel what runs until the work has ended; terminate its backends when that takes too long."""
        deadline = time.monotonic() + _POLITE_S
        while time.monotonic() < deadline:
            self.scope.cancel()
            if self._ended.wait(_REPEAT_S):
                return
        while not self._ended.is_set():
            self.scope.terminate()
            if self._ended.wait(_FORCED_S):
                return
            # Work that was abandoned and opens the next connection is met there by the scope's flag.
            if self.done:
                return

    def _give_up(self) -> None:
        if self._ended.wait(_POLITE_S + _FORCED_S):
            return
        told = f"{self.title}: cancelled; its thread did not stop and was abandoned."
        self._settle(EventName.JOB_CANCELLED, told, Level.WARNING, error=Cancelled(told))

    def _run(self, work: Callable[[CancelScope], T]) -> None:
        """The thread: do the work and set the outcome, whatever happens."""
        try:
            self._emit(EventName.JOB_STARTED, self, f"{self.title}: started", Level.DEBUG)
            result = work(self.scope)
        except BaseException as error:  # noqa: BLE001 - handed on to whoever awaits the job
            self._fail(error)
        else:
            self._settle(EventName.JOB_COMPLETED, f"{self.title}: done", Level.DEBUG, result=result)
        finally:
            self._ended.set()

    def _fail(self, error: BaseException) -> None:
        told = as_sentence(error, self.title)
        if not self.scope.requested:
            self._settle(EventName.JOB_FAILED, str(told) or type(told).__name__, Level.ERROR, error=told)
            return
        # What a cancelled job fails with (57014, a closed connection, …) is the cancel, not a failure; the event keeps
        # the words, should it have been something else.
        words = "" if isinstance(told, Cancelled) else f" ({told})"
        self._settle(
            EventName.JOB_CANCELLED,
            f"{self.title}: cancelled{words}",
            Level.WARNING,
            error=Cancelled(f"{self.title}: cancelled."),
        )

    def _settle(
        self,
        name: EventName,
        message: str,
        level: Level,
        *,
        result: T | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Say how it ended and set the outcome, once: one that was abandoned has its outcome already."""
        if not self._settling.acquire(blocking=False):
            return
        try:
            self._emit(name, self, message, level)
            if self._told is not None:
                self._told(self, result, error)
        finally:
            if error is not None:
                self._future.set_exception(error)
            else:
                self._future.set_result(result)  # type: ignore[arg-type]  # T may itself be Optional

    def __await__(self) -> Generator[Any, None, T]:
        # Shielded: giving up waiting must not be taken for cancelling the work.
        future = asyncio.wrap_future(self._future)
        # Whoever gave up waiting does not want to be told by asyncio that an error was never looked at.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return asyncio.shield(future).__await__()


class JobRunner:
    """Starts jobs, knows which are under way, and can cancel them all.

    Attributes:
        broken: what the sink raised, against its contract; the jobs went on.
        witness: who keeps what is asked and answered, if somebody does.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.witness: Witness | None = None
        self._jobs: dict[int, Job[Any]] = {}
        self._lock = threading.Lock()
        self.broken: list[Exception] = []

    @property
    def running(self) -> tuple[Job[Any], ...]:
        """The jobs under way, oldest first."""
        with self._lock:
            return tuple(job for job in self._jobs.values() if not job.done)

    def start(
        self, title: str, work: Callable[[CancelScope], T], *, version: str | None = None, ask: Ask | None = None
    ) -> Job[T]:
        """Start ``work`` on a daemon thread of its own; it gets the scope that cancels it.

        Args:
            ask: what of the service this answers, where a recording should have it.

        Raises:
            RuntimeError: the system gives no more threads.
        """
        witness = self.witness if ask is not None else None

        def told(ended: Job[T], result: Any, error: BaseException | None) -> None:
            if witness is not None and ask is not None:
                witness.answered(ended, ask, result, error)

        job: Job[T] = Job(title, version, CancelScope(), self._emit, told)

        def run() -> None:
            try:
                if witness is not None and ask is not None:
                    witness.asked(job, ask)
                job._run(work)
            finally:
                with self._lock:
                    self._jobs.pop(job.id, None)

        thread = threading.Thread(target=run, name=f"job-{job.id}", daemon=True)
        # Under the lock: who sees the job can cancel it, and one that never started is not seen.
        with self._lock:
            thread.start()
            self._jobs[job.id] = job
        return job

    def _emit(self, name: EventName, job: Job[Any], message: str, level: Level) -> None:
        elapsed = None if name is EventName.JOB_STARTED else (time.monotonic() - job.started_at) * 1000
        event = Event(
            name=name,
            message=message,
            level=level,
            migration=job.version,
            duration_ms=elapsed,
            data={"job": job.id},
        )
        try:
            self._sink(event)
        except Exception as error:  # noqa: BLE001 - kept in `broken`: a defect of a reader must not stop a job
            self.broken.append(error)

    async def close(self) -> None:
        """Cancel everything and wait until each job has stopped or has been abandoned: less than a second."""
        jobs = self.running
        for job in jobs:
            job.cancel()
        await asyncio.gather(*(asyncio.wrap_future(job._future) for job in jobs), return_exceptions=True)
