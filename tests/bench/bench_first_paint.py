"""How long until the first frame, and until a project of 2,000 migrations can be worked with.

The app runs in a terminal of its own (a pty). First paint is from starting the process to the first bytes of a frame
that holds the app's own words; the median of 15. Beside it stands the same of a Textual app that shows one word and
nothing else, started in turn with ours: that is the floor. Of both there is the time on the clock and the processor's
time, which other work on the machine changes less; ``ours_above_bare`` is the ratio of the latter.

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


def paint(line: list[str]) -> tuple[float, float]:
    """Milliseconds from the start of a program to its first frame: on the clock, and of the processor."""
    before = _processor_s()
    with Terminal(line, columns=120, rows=36) as one:
        clock = seconds_until(one, b"Opening", b"Migrations")
    return clock * 1000, (_processor_s() - before) * 1000


def _processor_s() -> float:
    """Seconds of the processor that ended processes of ours have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds_until(terminal: Terminal, *words: bytes, limit: float = 120.0) -> float:
    """Seconds since the start until one of these words was written to the terminal."""
    while not any(word in terminal.raw for word in words):
        if terminal.read_raw(0.5) is None or time.monotonic() - terminal.started_at > limit:
            raise AssertionError(f"waited in vain for {words!r}:\n{bytes(terminal.raw[-400:])!r}")
    return time.monotonic() - terminal.started_at


def first_paint(directory: Path) -> dict[str, float]:
    """Milliseconds from the start to the first frame, of ours and of a bare one."""
    ours, bare = [], []
    for _ in range(TIMES + 1):
        bare.append(paint([sys.executable, "-c", BARE]))
        ours.append(paint(command(directory)))
    # The first one writes the compiled modules, and finds cold caches.
    clock, processor = zip(*sorted(ours[1:]), strict=True)
    bare_clock, bare_processor = zip(*bare[1:], strict=True)
    return {
        "first_paint_median_ms": round(statistics.median(clock)),
        "fastest_ms": round(clock[0]),
        "slowest_ms": round(clock[-1]),
        "processor_median_ms": round(statistics.median(processor)),
        "bare_median_ms": round(statistics.median(bare_clock)),
        "bare_processor_median_ms": round(statistics.median(bare_processor)),
        "ours_above_bare": round(statistics.median(processor) / statistics.median(bare_processor), 2),
        "times": len(clock),
    }


def large_project(directory: Path) -> dict[str, float]:
    """Seconds until the list of a large project is there, a key has moved in it, and assessments have come."""
    with Terminal(command(directory), columns=120, rows=36) as terminal:
        painted = seconds_until(terminal, b"Opening", b"Migrations")
        listed = seconds_until(terminal, b"0003_make_t0003")
        terminal.raw.clear()
        terminal.send("j")
        moved = seconds_until(terminal, b"0002_make_t0002")
        terminal.raw.clear()
        first = seconds_until(terminal, b"none 0", b"low ", b"medium ", limit=300)
    return {
        "migrations": MIGRATIONS,
        "painted_s": round(painted, 2),
        "listed_s": round(listed, 2),
        "key_moved_s": round(moved, 2),
        "first_assessments_s": round(first, 2),
    }


def main() -> int:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        small, large = Path(name) / "small", Path(name) / "large"
        project(small, 3)
        project(large, MIGRATIONS)
        sys.stdout.write(json.dumps(first_paint(small)) + "\n")
        sys.stdout.write(json.dumps(large_project(large)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
