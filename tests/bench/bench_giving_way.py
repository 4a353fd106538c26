"""How long does an application wait for a migration that has to wait for a long reader?

    uv run python -m tests.bench.bench_giving_way [--reader 8] [--wait-ms 1000] [--migration 008] [--pg-bin DIR]

The demo's shop, with its customers and with ten more sessions that do what they do and are timed. Somebody reads
``w_order`` in a transaction that stays open for some seconds. Then the same migration is run on it, once as
``psql -f FILE`` does it and once by ``MigrationRunner`` with its default limits. Prints how long the application's
transactions took, the worst wait for a lock that was seen of the demo's own customers, and how long the migration took.
Asserts nothing.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts import discover
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.core.traffic.model import GiveWayLimits
from confiture_tui.database.connection import connect
from confiture_tui.database.demo.shop import build_shop
from confiture_tui.database.demo.traffic import APPLICATION_NAME, Traffic
from confiture_tui.database.embedded import EmbeddedServer
from confiture_tui.database.embedded.binaries import find_binaries

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn

SESSIONS = 10
PAUSE_S = 0.02
QUIET_S = 2.0
"""Before and after the migration, while everybody works."""

_TRANSACTIONS = (
    "SELECT count(*) FROM (SELECT FROM w_order WHERE tenant_id = %(shop)s LIMIT 20) AS page",
    "SELECT order_number FROM w_order WHERE tenant_id = %(shop)s ORDER BY placed_at DESC LIMIT 1",
    "UPDATE w_order SET delivery_note = delivery_note WHERE (tenant_id, order_id) = "
    "(SELECT tenant_id, order_id FROM w_order WHERE tenant_id = %(shop)s ORDER BY order_id LIMIT 1 OFFSET %(mine)s)",
)
_WORST_WAIT = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - l.waitstart) * 1000), 0)::float8
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE NOT l.granted AND a.application_name = %s
"""


@dataclass
class Measured:
    """What the application saw: milliseconds of its transactions, and the worst wait of the demo's own customers."""

    times: list[float] = field(default_factory=list)
    customers: float = 0.0
    took_s: float = 0.0
    said: str = ""

    def line(self, name: str) -> str:
        """It as a line of the table."""
        ordered = sorted(self.times)
        p99 = ordered[int(len(ordered) * 0.99)]
        late = sum(one > 200 for one in ordered)
        return (
            f"{name:16} {self.took_s:6.1f} {len(ordered):12,} {p99:8.0f} {ordered[-1]:8.0f} {late:13,} "
            f"{self.customers:14.0f}  {self.said}\n"
        )


class Application:
    """Sessions that use ``w_order``, each transaction timed."""

    def __init__(self, dsn: Dsn, measured: Measured) -> None:
        self._dsn = dsn
        self._measured = measured
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._use, args=(number,)) for number in range(SESSIONS)]
        self._threads.append(threading.Thread(target=self._look))

    def __enter__(self) -> Application:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _use(self, number: int) -> None:
        with connect(self._dsn, application_name="timed") as conn:
            shops = [row[0] for row in conn.execute("SELECT tenant_id FROM tenant ORDER BY 1")]
            values = {"shop": shops[number % len(shops)], "mine": number}
            turn = number
            while not self._over.wait(PAUSE_S):
                turn += 1
                began = time.perf_counter()
                conn.execute(_TRANSACTIONS[turn % len(_TRANSACTIONS)].encode(), values)
                self._measured.times.append((time.perf_counter() - began) * 1000)

    def _look(self) -> None:
        with connect(self._dsn, application_name="look") as conn:
            while not self._over.wait(0.01):
                row = conn.execute(_WORST_WAIT, (APPLICATION_NAME,)).fetchone()
                self._measured.customers = max(self._measured.customers, float(row[0]) if row else 0.0)


def measured(dsn: Dsn, reader_s: float, migrate: Callable[[], str]) -> Measured:
    """Run a migration behind a long reader, and time what the application does meanwhile."""
    result = Measured()
    reading = threading.Event()

    def read() -> None:
        with connect(dsn, application_name="report") as conn, conn.transaction():
            conn.execute("SELECT count(*) FROM w_order")
            reading.set()
            time.sleep(reader_s)

    reader = threading.Thread(target=read)
    with Application(dsn, result):
        time.sleep(QUIET_S)
        reader.start()
        reading.wait()
        began = time.monotonic()
        result.said = migrate()
        result.took_s = time.monotonic() - began
        time.sleep(QUIET_S)
        reader.join()
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reader", type=float, default=8.0, help="seconds that the long reader's transaction is open")
    parser.add_argument("--wait-ms", type=int, default=GiveWayLimits().wait_ms, help="the limit of the runner")
    parser.add_argument("--migration", default="008")
    parser.add_argument("--pg-bin", type=Path)
    options = parser.parse_args()
    policy = RunPolicy(give_way=GiveWayLimits(wait_ms=options.wait_ms))
    psql = find_binaries(options.pg_bin).client("psql")
    assert psql is not None, "there is no psql beside the server"
    with EmbeddedServer.start(pg_bin=options.pg_bin) as server:
        shop = build_shop(server, pristine=False)
        migration = next(
            one for one in discover(shop.project_dir / "db/migrations").migrations if one.version == options.migration
        )
        assert migration.path is not None
        assert migration.down_path is not None

        def run_file(path: Path) -> str:
            command: list[str | Path] = [
                psql,
                "--no-psqlrc",
                "--quiet",
                "--dbname",
                shop.dsn.conninfo(),
                "--file",
                path,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            return "applied" if done.returncode == 0 and "ERROR" not in done.stderr else done.stderr.strip()

        def run_ours() -> str:
            with connect(shop.dsn) as conn:
                (one,) = MigrationRunner(conn, policy=policy).apply(migration, hooks=()).migrations
            return f"{one.outcome}, {one.attempts} attempts {one.error or ''}"

        traffic = Traffic(shop.dsn)
        traffic.start()
        sys.stdout.write(
            f"{migration.label} behind a reader of {options.reader:g} s; limit {options.wait_ms} ms; "
            f"{SESSIONS} timed sessions beside the demo's customers\n\n"
            "                 took s transactions   p99 ms   max ms  above 200 ms customers' max\n"
        )
        plain = measured(shop.dsn, options.reader, lambda: run_file(migration.path or Path()))
        sys.stdout.write(plain.line("psql -f"))
        run_file(migration.down_path)
        ours = measured(shop.dsn, options.reader, run_ours)
        sys.stdout.write(ours.line("confiture-tui"))
        traffic.stop()
    for name, one in (("psql -f", plain), ("confiture-tui", ours)):
        worst = max(*one.times, one.customers)
        word = "never longer than" if worst <= options.wait_ms else "longer than"
        sys.stdout.write(f"{name}: the application waited {worst:,.0f} ms at most: {word} the limit.\n")


if __name__ == "__main__":
    main()
