"""How long a key waits for its frame while 10,000 events a second arrive, and what 100,000 kept lines cost.

The rate of one event a second shows what the machine itself costs.

Run it: ``uv run python -m tests.bench.bench_log_flood``. It prints; it asserts nothing. The app runs in a terminal of
its own (a pty): the wait is from writing the key to reading the bytes that show what it did.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.ui import samples
from tests.ui.terminal import Terminal

RATE = 10_000
KEYS = 150
PAUSE_S = 0.05


def child(rate: int, memory_file: Path) -> int:
    """The app, flooded from its first frame on; writes what the log costs when 100,000 lines are kept."""
    import asyncio

    from confiture_tui.events import Event, EventName
    from confiture_tui.ui.app import ConfitureApp
    from confiture_tui.ui.terminal import full_collections_rare

    async def run() -> int:
        service = samples.service()
        app = ConfitureApp(service)  # type: ignore[arg-type]  # the fake has the parts that screens use

        def flood() -> None:
            while not app.session.statuses:
                time.sleep(0.01)
            before, number, begin = resident_mib(), 0, time.perf_counter()
            while True:
                due = int((time.perf_counter() - begin) * rate)
                while number < due:
                    message = f"row {number} of public.orders was looked at"
                    service.events(Event(name=EventName.SERVER_NOTICE, message=message))
                    number += 1
                if len(app.event_log) == 100_000 and not memory_file.exists():
                    memory_file.write_text(str(resident_mib() - before), encoding="ascii")
                time.sleep(0.005)

        threading.Thread(target=flood, daemon=True).start()
        with full_collections_rare():
            await app.run_async()
        return app.return_code or 0

    return asyncio.run(run())


def resident_mib() -> float:
    """The memory of this process that is in use now (its peak, where there is no ``/proc``)."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def measure(rate: int, memory_file: Path) -> dict[str, float]:
    """The figures at a rate of events a second, from the other side of the terminal."""
    names = [status.name.encode() for status in samples.statuses() if status.state == "pending"]
    waits: list[float] = []
    command = [sys.executable, "-m", "tests.bench.bench_log_flood", "--child", str(rate), str(memory_file)]
    with Terminal(command, columns=120, rows=36) as terminal:
        terminal.wait_for("public.orders was looked at")
        for number in range(KEYS):
            down = number % 2 == 0
            end = time.perf_counter() + PAUSE_S
            while time.perf_counter() < end:
                terminal.read_raw(0.01)
            terminal.raw.clear()
            pressed = time.perf_counter()
            terminal.send("j" if down else "k")
            while names[1 if down else 0] not in terminal.raw:
                terminal.read_raw(0.5)
            waits.append((time.perf_counter() - pressed) * 1000)
        while rate == RATE and not memory_file.exists():
            terminal.read_raw(0.1)
        terminal.send("\x11")
        terminal.wait_for_exit()
    waits.sort()
    return {
        "rate_per_s": rate,
        "keys": len(waits),
        "median_ms": round(statistics.median(waits), 1),
        "p95_ms": round(waits[int(len(waits) * 0.95)], 1),
        "max_ms": round(waits[-1], 1),
    } | (
        {"memory_of_100000_lines_mib": round(float(memory_file.read_text(encoding="ascii")), 1)}
        if memory_file.exists()
        else {}
    )


def main() -> int:
    """Measure and print."""
    if sys.argv[1:2] == ["--child"]:
        return child(int(sys.argv[2]), Path(sys.argv[3]))
    memory_file = Path(tempfile.gettempdir()) / f"bench-log-flood-{os.getpid()}"
    try:
        for rate in (1, RATE):
            sys.stdout.write(json.dumps(measure(rate, memory_file)) + "\n")
    finally:
        memory_file.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
