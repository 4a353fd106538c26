"""The readers of the event stream that write: the log file (JSON Lines) and the console (rendered by structlog).

Whoever emits never waits for a disk or a terminal: each reader only puts the event on a queue, and a thread of its own
renders and writes. While the full-screen app runs, nobody but the app may write to the terminal: no console reader is
attached then, and ``terminal_left_alone`` keeps other people's log records back until the app has ended.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import stat
import sys
import threading
from collections import deque
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TextIO, TypeVar

from confiture_tui.errors import UsageError
from confiture_tui.events import Event, EventName, Level
from confiture_tui.masking import redacted
from confiture_tui.terminal import one_line, safe_json, wants_colour

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MAX_BYTES: Final = 10 * 1024 * 1024
"""Size in bytes at which the log file is rotated."""
BACKUPS: Final = 5
"""How many rotated files (``FILE.1`` is the newest) are kept."""
NARRATED: Final = frozenset(
    {
        EventName.SERVER_STARTED,
        EventName.CONNECTED,
        EventName.DEMO_BUILDING,
        EventName.DEMO_READY,
        EventName.SHADOW_BUILDING,
        EventName.SHADOW_READY,
        EventName.DRY_RUN_START,
        EventName.MIGRATION_START,
        EventName.MIGRATION_APPLIED,
        EventName.MIGRATION_ROLLED_BACK,
        EventName.EXECUTING_HOOKS,
        EventName.HOOK_PROGRESS,
    }
)
"""What the console tells of below the level ``warning`` when no level was asked for."""
RETOLD: Final = frozenset(
    {
        EventName.JOB_FAILED,
        EventName.JOB_CANCELLED,
        EventName.DRY_RUN_COMPLETED,
        EventName.DRY_RUN_FAILED,
        EventName.SHADOW_INCOMPLETE,
        EventName.STATEMENT_FAILED,
        EventName.HOOK_FAILED,
        EventName.MIGRATION_FAILED,
        EventName.MIGRATION_INTERRUPTED,
        EventName.RUN_COMPLETED,
    }
)
"""What the console leaves out then, though it is a warning or an error: the result, or the error that ends the
command, says it again."""


Item = TypeVar("Item")
_Taken = TypeVar("_Taken", contravariant=True)


class _Writes(Protocol[_Taken]):
    """What a ``BackgroundReader`` drives: ``write`` and ``finish`` are only ever called from the reader's thread."""

    def write(self, item: _Taken, /) -> None:
        """Render one event, or what else it is given, and write it; whatever it raises ends that."""

    def finish(self) -> None:
        """Everything is written."""


class BackgroundReader(Generic[Item]):
    """A reader of the event stream that renders and writes on a thread of its own.

    Attributes:
        problem: why it stopped writing (a full disk, a closed pipe); ``None`` as long as nothing went wrong.
    """

    def __init__(self, writes: _Writes[Item], *, name: str) -> None:
        self.problem: Exception | None = None
        self._writes = writes
        self._queue: queue.SimpleQueue[Item | threading.Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self._closed = False

    def __call__(self, item: Item) -> None:
        """Take an event, or whatever else it writes; returns at once."""
        if not self._closed:
            self._queue.put(item)

    def flush(self, timeout: float | None = 5.0) -> bool:
        """Wait until everything emitted so far is written; false when ``timeout`` seconds were not enough."""
        written = threading.Event()
        self._queue.put(written)
        return not self._thread.is_alive() or written.wait(timeout)

    def close(self, timeout: float | None = 5.0) -> bool:
        """Write what is left and end the thread; false when ``timeout`` seconds were not enough. Idempotent."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def __enter__(self) -> BackgroundReader[Item]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                if isinstance(item, threading.Event):
                    item.set()
                elif self.problem is None:
                    try:
                        self._writes.write(item)
                    except Exception as error:  # noqa: BLE001 - kept in `problem`, which the application tells
                        self.problem = error
        finally:
            try:
                self._writes.finish()
            except Exception as error:  # noqa: BLE001 - as above
                self.problem = self.problem or error


def log_file(
    path: Path, *, level: Level = Level.INFO, max_bytes: int = MAX_BYTES, backups: int = BACKUPS
) -> BackgroundReader[Event]:
    """A reader that appends each event of at least ``level`` to the file ``path``, as one line of JSON.

    The file and its rotated predecessors are readable by their owner only (0600).

    Raises:
        UsageError: the file cannot be opened for writing.
    """
    try:
        file = _PrivateFile(path, maxBytes=max_bytes, backupCount=backups, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(
            f"The log file {path} cannot be written: {error.strerror}.",
            hint="Give another --log-file, in a directory that exists and that you may write to.",
        ) from None
    return BackgroundReader(_JsonLines(file, level), name="confiture-log-file")


def console(
    stream: TextIO,
    *,
    level: Level | None = None,
    retold: frozenset[EventName] = frozenset(),
    environ: Mapping[str, str] | None = None,
) -> BackgroundReader[Event]:
    """A reader that writes events to a terminal (or wherever ``stream``, usually stderr, goes), a line each, aligned.

    Never attach it while the app runs. Without a ``level`` it tells of the long steps (``NARRATED``), and of warnings
    and errors that nobody else will tell (they are neither in ``RETOLD`` nor in ``retold``); with one, of everything of
    at least that level. Coloured only on a terminal (see ``wants_colour``).
    """
    colours = wants_colour(stream, os.environ if environ is None else environ)
    return BackgroundReader(_Console(stream, level, RETOLD | retold, colours=colours), name="confiture-console")


def export_events(events: Iterable[Event], path: Path) -> int:
    """Write events as JSON Lines into a new file that only its owner may read (0600); returns how many.

    Raises:
        UsageError: the file exists already, or cannot be written.
    """
    count = 0
    with new_private_file(path) as file:
        try:
            for event in events:
                file.write(json_line(event) + "\n")
                count += 1
            file.flush()
        except OSError as error:
            raise _unwritable(path, error) from None
    return count


def write_events(events: Iterable[Event], stream: TextIO, *, as_json: bool, colours: bool) -> None:
    """Write events as the console has them, or each as a line of JSON."""
    if as_json:
        stream.writelines(json_line(event) + "\n" for event in events)
        return
    writes = _Console(stream, Level.DEBUG, frozenset(), colours=colours)
    for event in events:
        writes.write(event)
    writes.finish()


def new_private_file(path: Path) -> TextIO:
    """A new file to write text into, which only its owner may read (0600).

    Raises:
        UsageError: the file exists already, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{path} exists already.", hint="Choose another name; nothing was overwritten.") from None
    except OSError as error:
        raise _unwritable(path, error) from None
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n")


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written: {error.strerror}.", hint="Choose another place.")


def json_line(event: Event) -> str:
    """The event as one line of JSON; ``Event.from_record`` reads it back without loss."""
    return safe_json(json.dumps(event.to_record(), ensure_ascii=False, default=str))


@contextmanager
def terminal_left_alone(*, keep: int = 200) -> Iterator[deque[logging.LogRecord]]:
    """Nothing that logs through Python's ``logging`` or warns writes to the terminal inside this context.

    The newest ``keep`` records of at least level ``WARNING`` are kept, yielded, and written to stderr at the end.
    """
    kept: deque[logging.LogRecord] = deque(maxlen=keep)
    root = logging.getLogger()
    handlers = root.handlers[:]
    root.handlers[:] = [_Keep(kept)]
    logging.captureWarnings(True)
    try:
        yield kept
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        for record in kept:
            # The first line: asyncio adds the whole repr of a task, and of the exception in it.
            first = record.getMessage().strip().partition("\n")[0]
            sys.stderr.write(f"{record.name}: {one_line(redacted(first))}\n")


class _Keep(logging.Handler):
    """Keeps records instead of writing them."""

    def __init__(self, kept: deque[logging.LogRecord]) -> None:
        super().__init__(logging.WARNING)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record)


class _PrivateFile(RotatingFileHandler):
    """A rotated file that only its owner may read; errors are raised, not printed."""

    def _open(self) -> Any:
        stream = open(  # noqa: SIM115 - closed by the handler; Path.open takes no opener
            self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=_open_private, newline="\n"
        )
        # A file that was there before keeps its mode otherwise. Only files: never a terminal, a pipe or /dev/null.
        if os.name == "posix" and stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            os.fchmod(stream.fileno(), 0o600)
        return stream

    def handleError(self, record: logging.LogRecord) -> None:
        _kind, error, _traceback = sys.exc_info()
        if error is not None:
            raise error


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _JsonLines:
    """Each event as one line of JSON."""

    def __init__(self, file: _PrivateFile, level: Level) -> None:
        self._file = file
        self._level = level

    def write(self, event: Event) -> None:
        if event.level >= self._level:
            self._file.emit(logging.makeLogRecord({"msg": json_line(event)}))

    def finish(self) -> None:
        self._file.close()


class _Console:
    """Each event as one aligned line for a person."""

    def __init__(self, stream: TextIO, level: Level | None, retold: frozenset[EventName], *, colours: bool) -> None:
        self._stream = stream
        self._level = level
        self._retold = retold
        self._colours = colours
        self._renderer: Any = None

    def write(self, event: Event) -> None:
        if self._level is not None:
            wanted = event.level >= self._level
        else:
            wanted = event.name in NARRATED or (event.level >= Level.WARNING and event.name not in self._retold)
        if not wanted:
            return
        if self._renderer is None:
            self._renderer = _console_renderer(colours=self._colours)
        line: str = self._renderer(None, "", _console_columns(event))
        self._stream.write(line.rstrip() + "\n")
        self._stream.flush()

    def finish(self) -> None:
        """Nothing: the stream is not ours to close."""


def _console_columns(event: Event) -> dict[str, Any]:
    """What the console shows of an event, in the order in which it is shown."""
    message = one_line(event.message)
    if event.duration_ms is not None:
        message += f" ({event.duration_ms:,.0f} ms)"
    where = event.migration or ""
    if event.statement is not None:
        where += f"#{event.statement}"
    return {
        "at": event.at.astimezone().strftime("%H:%M:%S"),
        "level": event.level.word,
        "event": str(event.name),
        "where": one_line(where),
        "message": message,
    }


def _console_renderer(*, colours: bool) -> Any:
    # Imported at the first line that is written, on the writer's thread: it takes a fifth of a second.
    from structlog.dev import Column, ConsoleRenderer, KeyValueColumnFormatter, LogLevelColumnFormatter

    reset, dim, bold = ("\x1b[0m", "\x1b[2m", "\x1b[1m") if colours else ("", "", "")
    red, yellow, green = ("\x1b[31m", "\x1b[33m", "\x1b[32m") if colours else ("", "", "")

    def column(style: str, width: int) -> KeyValueColumnFormatter:
        return KeyValueColumnFormatter(None, style, reset, str, width=width)

    levels = {"debug": dim, "info": green, "warning": yellow, "error": red}
    return ConsoleRenderer(
        columns=[
            Column("", column("", 0)),
            Column("at", column(dim, 8)),
            Column("level", LogLevelColumnFormatter(levels, reset, 7)),
            Column("event", column(bold, 19)),
            Column("where", column("", 5)),
            Column("message", column("", 0)),
        ]
    )
