"""Jobs: results and errors reach the awaiter; a cancel ends what waits on a server and gives up what does not."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.errors import Cancelled, UsageError
from confiture_tui.events import Event, EventName, EventStream
from confiture_tui.service.jobs import JobRunner

if TYPE_CHECKING:
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.database.dsn import Dsn


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def runner(events: list[Event]) -> JobRunner:
    stream = EventStream()
    stream.subscribe(events.append)
    return JobRunner(stream)


def names(events: list[Event]) -> list[EventName]:
    return [event.name for event in events]


async def test_the_result_comes_from_another_thread(runner: JobRunner, events: list[Event]) -> None:
    job = runner.start("Where", lambda _scope: threading.current_thread())
    thread = await job
    assert thread is not threading.current_thread()
    assert thread.daemon, "a job must never keep the process alive"
    assert job.done
    assert names(events) == [EventName.JOB_STARTED, EventName.JOB_COMPLETED]


async def test_an_error_is_raised_where_the_job_is_awaited(runner: JobRunner, events: list[Event]) -> None:
    def fails(_scope: CancelScope) -> None:
        raise UsageError("No such thing.")

    with pytest.raises(UsageError, match="No such thing"):
        await runner.start("Fail", fails)
    assert names(events)[-1] is EventName.JOB_FAILED


async def test_two_may_await_one_job_and_giving_up_is_not_cancelling(runner: JobRunner) -> None:
    gate = threading.Event()
    job = runner.start("Wait", lambda _scope: gate.wait(30))
    impatient = asyncio.ensure_future(_result(job))
    await asyncio.sleep(0)
    impatient.cancel()
    assert not job.done
    gate.set()
    assert await job is True


async def _result(job: object) -> object:
    return await job  # type: ignore[misc]


async def test_cancel_stops_a_statement_on_the_server(runner: JobRunner, database: Dsn, events: list[Event]) -> None:
    running = threading.Event()

    def sleeps(scope: CancelScope) -> None:
        with psycopg.connect(database.conninfo()) as conn, scope.guard(conn):
            running.set()
            conn.execute("SELECT pg_sleep(60)")

    job = runner.start("Sleep", sleeps)
    await asyncio.to_thread(running.wait, 10)
    job.cancel()
    with pytest.raises(Cancelled):
        await job
    assert names(events)[-1] is EventName.JOB_CANCELLED
    with psycopg.connect(database.conninfo()) as conn:
        row = conn.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'").fetchone()
    assert row == (0,)


async def test_python_code_that_does_not_notice_is_given_up_and_its_backend_ended(
    runner: JobRunner, database: Dsn
) -> None:
    running, release = threading.Event(), threading.Event()
    pids: list[int] = []

    def stubborn(scope: CancelScope) -> None:
        with psycopg.connect(database.conninfo()) as conn, scope.guard(conn):
            conn.execute("SELECT 1")
            pids.append(conn.info.backend_pid)
            running.set()
            release.wait(60)

    job = runner.start("Stubborn", stubborn)
    await asyncio.to_thread(running.wait, 10)
    job.cancel()
    with pytest.raises(Cancelled, match="abandoned"):
        await job
    with psycopg.connect(database.conninfo()) as conn:
        row = conn.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", (pids,)).fetchone()
    assert row == (0,)
    release.set()


async def test_closing_cancels_everything(runner: JobRunner) -> None:
    def waits(scope: CancelScope) -> None:
        while not scope.requested:
            threading.Event().wait(0.01)
        scope.check()

    jobs = [runner.start("Wait", waits) for _ in range(3)]
    await runner.close()
    assert all(job.done for job in jobs)
    assert runner.running == ()


async def test_a_sink_that_raises_hangs_nobody(database: Dsn) -> None:
    def broken(_event: Event) -> None:
        raise RuntimeError("a defect of a sink")

    def fails(_scope: CancelScope) -> None:
        raise UsageError("No such thing.")

    runner = JobRunner(broken)
    assert await asyncio.wait_for(_result(runner.start("Work", lambda _scope: 7)), 30) == 7
    with pytest.raises(UsageError, match="No such thing"):
        await asyncio.wait_for(_result(runner.start("Fail", fails)), 30)
    assert {str(error) for error in runner.broken} == {"a defect of a sink"}
    await runner.close()


async def test_a_thread_that_cannot_be_started_leaves_no_job(
    runner: JobRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError):
            runner.start("Work", lambda _scope: 7)
    assert runner.running == ()
    await asyncio.wait_for(runner.close(), 30)


async def test_giving_up_closing_takes_no_result_from_who_waits(runner: JobRunner) -> None:
    gate = threading.Event()
    job = runner.start("Wait", lambda _scope: gate.wait(30))
    closing = asyncio.ensure_future(runner.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    gate.set()
    assert await job is True


async def test_a_cancel_request_that_hangs_delays_nobody(runner: JobRunner, events: list[Event]) -> None:
    running, release = threading.Event(), threading.Event()

    class Frozen:
        """A connection whose server takes no request."""

        closed = False

        def cancel_safe(self, *, timeout: float) -> None:
            assert release.wait(60), timeout

    def works(scope: CancelScope) -> None:
        with scope.guard(Frozen()):  # type: ignore[arg-type]  # a real one gives up after a second
            running.set()
            release.wait(60)

    job = runner.start("Frozen", works)
    await asyncio.to_thread(running.wait, 10)
    job.cancel()
    assert job.cancelling
    with pytest.raises(Cancelled, match="abandoned"):
        await job
    assert not release.is_set()
    assert names(events) == [EventName.JOB_STARTED, EventName.JOB_CANCELLED]
    release.set()


async def test_an_abandoned_job_ends_once(runner: JobRunner, events: list[Event]) -> None:
    release, ended = threading.Event(), threading.Event()

    def stubborn(_scope: CancelScope) -> int:
        release.wait(60)
        ended.set()
        return 7

    job = runner.start("Stubborn", stubborn)
    job.cancel()
    with pytest.raises(Cancelled, match="abandoned"):
        await job
    release.set()
    await asyncio.to_thread(ended.wait, 10)
    while any(thread.name == f"job-{job.id}" for thread in threading.enumerate()):
        await asyncio.sleep(0)
    assert names(events) == [EventName.JOB_STARTED, EventName.JOB_CANCELLED]
    with pytest.raises(Cancelled):
        await job


async def test_what_a_cancelled_job_failed_with_is_kept_in_the_event(runner: JobRunner, events: list[Event]) -> None:
    def fails(scope: CancelScope) -> None:
        while not scope.requested:
            threading.Event().wait(0.01)
        raise UsageError("Something else.")

    job = runner.start("Fail", fails)
    job.cancel()
    with pytest.raises(Cancelled):
        await job
    assert "Something else." in events[-1].message


async def test_a_reader_that_raises_does_not_stop_the_job() -> None:
    stream, seen = EventStream(), list[Event]()

    def broken(_event: Event) -> None:
        raise RuntimeError("a defect of a reader")

    stream.subscribe(broken)
    stream.subscribe(seen.append)
    assert await JobRunner(stream).start("Work", lambda _scope: 7) == 7
    assert len(seen) == 2
    assert [str(error) for error in stream.broken] == ["a defect of a reader"]
