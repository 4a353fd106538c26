"""How long until the first frame, until the app's own, and until a project of 2,000 migrations can be worked with.

The app runs in a terminal of its own (a pty), with the compiled modules at hand, as after any earlier start, also where
this environment writes none. Times are from starting the process, medians of 15:

* ``first_frame``: the first words are there, drawn before Textual is loaded (confiture_tui/first_frame.py);
* ``app_frame``: the frame of the app itself, drawn by Textual: its words are there once more;
* ``bare``: the frame of a Textual app that shows one word and nothing else, started in turn with ours: the floor.

Of the latter two there is the time on the clock and the processor's time to the end of the process, which other work on
the machine changes less; ``ours_above_bare`` is the ratio of the latter.

The list is usable when it shows its migrations and a key has moved the choice; assessments come in after it.

Run it: ``uv run python -m tests.bench.bench_first_paint``. It prints; it asserts nothing.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.ui.terminal import Terminal

TIMES = 15
LARGE_TIMES = 5
TEXTUAL = b"\x1b[?1000h"
"""What Textual writes first of all: it asks for the mouse."""
BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("Opening")
Bare().run()
"""
MIGRATIONS = 2_000


def project(directory: Path, count: int) -> None:
    """Files of ordinary migrations, from 0001 on."""
    migrations = directory / "db" / "migrations"
    migrations.mkdir(parents=True)
    for number in range(1, count + 1):
        table = f"t{number:04d}"
        sql = f"CREATE TABLE {table} (id bigint PRIMARY KEY, note text);\nALTER TABLE {table} ADD COLUMN n integer;\n"
        (migrations / f"{number:04d}_make_{table}.up.sql").write_text(sql, encoding="utf-8")


def command(directory: Path) -> list[str]:
    """The app as its user starts it: in the project's directory, without an option."""
    return ["sh", "-c", 'cd "$1" && exec "$2" -m confiture_tui', "sh", str(directory), sys.executable]


def terminal_for(line: list[str], compiled: Path) -> Terminal:
    """A program in a terminal, its compiled modules in a directory of their own."""
    env = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(compiled)}
    return Terminal(line, columns=120, rows=36, env=env)


def paint(line: list[str], compiled: Path) -> tuple[float, float, float]:
    """Milliseconds from the start of a program to its first words and to Textual's first frame, and processor time."""
    before = _processor_s()
    with terminal_for(line, compiled) as one:
        words = seconds_until(one, b"Opening")
        own = seconds_until(one, b"Opening", b"Migrations", after=TEXTUAL)
    return words * 1000, own * 1000, (_processor_s() - before) * 1000


def _processor_s() -> float:
    """Seconds of the processor that ended processes of ours have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds_until(terminal: Terminal, *words: bytes, after: bytes = b"", limit: float = 120.0) -> float:
    """Seconds since the start until one of these words was written to the terminal, ``after`` something else."""
    while True:
        _before, found, rest = terminal.raw.partition(after) if after else (b"", b"-", terminal.raw)
        if found and any(word in rest for word in words):
            return time.monotonic() - terminal.started_at
        if terminal.read_raw(0.5) is None or time.monotonic() - terminal.started_at > limit:
            raise AssertionError(f"waited in vain for {words!r}:\n{bytes(terminal.raw[-400:])!r}")


def first_paint(directory: Path, compiled: Path) -> dict[str, float]:
    """Milliseconds from the start to the first frame, to the app's own, and to a bare app's."""
    ours, bare = [], []
    for _ in range(TIMES + 1):
        bare.append(paint([sys.executable, "-c", BARE], compiled))
        ours.append(paint(command(directory), compiled))
    # The first one writes the compiled modules, and finds cold caches.
    words, own, processor = zip(*ours[1:], strict=True)
    _words, bare_own, bare_processor = zip(*bare[1:], strict=True)
    return {
        "first_frame_median_ms": round(statistics.median(words)),
        "first_frame_slowest_ms": round(max(words)),
        "app_frame_median_ms": round(statistics.median(own)),
        "app_frame_fastest_ms": round(min(own)),
        "app_frame_slowest_ms": round(max(own)),
        "processor_median_ms": round(statistics.median(processor)),
        "bare_median_ms": round(statistics.median(bare_own)),
        "bare_processor_median_ms": round(statistics.median(bare_processor)),
        "ours_above_bare": round(statistics.median(processor) / statistics.median(bare_processor), 2),
        "times": TIMES,
    }


def large_project(directory: Path, compiled: Path) -> dict[str, float]:
    """Seconds until the list of a large project is there, a key has moved in it, and assessments have come."""
    found: list[tuple[float, ...]] = []
    for _ in range(LARGE_TIMES):
        with terminal_for(command(directory), compiled) as terminal:
            painted = seconds_until(terminal, b"Opening", b"Migrations", after=TEXTUAL)
            listed = seconds_until(terminal, b"0003_make_t0003")
            terminal.raw.clear()
            terminal.send("j")
            moved = seconds_until(terminal, b"0002_make_t0002")
            terminal.raw.clear()
            found.append((painted, listed, moved, seconds_until(terminal, b"none 0", b"low ", b"medium ", limit=300)))
    painted, listed, moved, first = (round(statistics.median(one), 2) for one in zip(*found, strict=True))
    return {
        "migrations": MIGRATIONS,
        "app_frame_s": painted,
        "listed_s": listed,
        "key_moved_s": moved,
        "first_assessments_s": first,
        "times": LARGE_TIMES,
    }


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        small, large, compiled = Path(name) / "small", Path(name) / "large", Path(name) / "compiled"
        project(small, 3)
        project(large, MIGRATIONS)
        sys.stdout.write(json.dumps(first_paint(small, compiled)) + "\n")
        sys.stdout.write(json.dumps(large_project(large, compiled)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
