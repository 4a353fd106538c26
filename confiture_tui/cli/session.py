"""One command's use of the service: opened, listened to, cancelled by signals, always closed."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from confiture_tui.cli.output.stdout import write_out
from confiture_tui.errors import Cancelled
from confiture_tui.events import EventName
from confiture_tui.observability import BackgroundReader, console, log_file
from confiture_tui.service import MigrationService

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from confiture_tui.config import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with.

    Attributes:
        service: the open service.
        settle: waits until what was narrated so far is on stderr.
    """

    service: MigrationService
    settle: Callable[[], None]

    def print(self, text: str) -> None:
        """Print a piece of the result, after the narration that led to it."""
        self.settle()
        write_out(text)


def with_service(
    settings: Settings,
    work: Callable[[Session], Awaitable[T]],
    *,
    demo: bool = False,
    traffic: bool = False,
    opens: bool = True,
    tells_findings: bool = False,
) -> T:
    """Open the service, do ``work`` with it, close it, whatever happens; events go to stderr and to the log file.

    Args:
        demo: on the demo shop.
        traffic: the demo shop has customers meanwhile.
        opens: false for work that needs neither a project nor a database.
        tells_findings: the result itself says what is wrong with the project's files.

    Raises:
        ConfitureError: what the service or the work said.
        Cancelled: Ctrl-C, SIGTERM or SIGHUP; everything under way has been stopped.
    """
    try:
        service = MigrationService(settings, demo=demo, traffic=traffic)
        return asyncio.run(_run(service, work, opens=opens, tells_findings=tells_findings))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Cancelled("Cancelled.", hint="What was under way has been stopped.") from None


async def _run(
    service: MigrationService, work: Callable[[Session], Awaitable[T]], *, opens: bool, tells_findings: bool
) -> T:
    retold = frozenset({EventName.PROJECT_FINDING} if tells_findings else ())
    with listening(service, service.settings, retold=retold) as settle, _signals_cancel():
        try:
            if opens:
                await service.open()
            return await work(Session(service, settle))
        finally:
            await service.close()


@contextmanager
def listening(
    service: MigrationService,
    settings: Settings,
    *,
    on_console: bool = True,
    retold: frozenset[EventName] = frozenset(),
) -> Iterator[Callable[[], None]]:
    """Events go to the log file, the recording, and stderr; ``on_console`` is false while the app has the screen.

    What is in ``retold`` the command itself will say: stderr has it only when a level was asked for.

    Yields a function that waits until everything so far is written.

    Raises:
        UsageError: the log file, or the recording, cannot be written.
    """
    readers: list[tuple[str, BackgroundReader[Any]]] = []

    def settle() -> None:
        for _name, reader in readers:
            reader.flush()

    try:
        with ExitStack() as stack:
            if settings.log_file is not None:
                reader = stack.enter_context(log_file(settings.log_file, level=settings.log_level))
                readers.append((f"The log file {settings.log_file}", reader))
            if on_console:
                asked = settings.log_level if settings.is_given("log_level") else None
                reader = stack.enter_context(console(sys.stderr, level=asked, retold=retold))
                readers.append(("The log on stderr", reader))
            for _name, reader in readers:
                stack.callback(service.events.subscribe(reader))
            if settings.record is not None:
                from confiture_tui.service.recording.recorder import recording

                kept = stack.enter_context(recording(service, settings.record))
                readers.append((f"The recording {settings.record}", kept))
            yield settle
    finally:
        for name, reader in readers:
            if reader.problem is not None:
                sys.stderr.write(f"{name} is not complete: {reader.problem}\n")
        for broken in service.events.broken:
            sys.stderr.write(f"A reader of the events failed and was detached: {type(broken).__name__}.\n")


@contextmanager
def _signals_cancel() -> Iterator[None]:
    """SIGTERM and SIGHUP cancel the command as Ctrl-C does, so that servers are stopped and shadows are dropped."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    names = ("SIGTERM", "SIGHUP")
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    handled = []
    for number in signals:
        # Windows has neither; a thread other than the main one may not handle signals.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            if task is not None:
                loop.add_signal_handler(number, task.cancel)
                handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
