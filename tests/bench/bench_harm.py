"""Does the score rank migrations by the harm that they do to a live application?

    uv run python -m tests.bench.bench_harm [--rows 300000] [--only WORD] [--pg-bin DIR]

Every case gets a database of its own with an application on it (ten sessions, about a hundred transactions a second).
The migration is assessed, then run as its runner would run it, while one more session samples how many of the
application's sessions wait for a lock. Prints the seconds that they waited beside the score, and the rank correlation
(Spearman) of harm with the score of locking, with the whole score, and with the migration's duration. Asserts nothing.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import PROFILES, RunnerProfile, Wrapping
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.risk.model import Category, RiskAssessment
from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer
from tests.bench.harm_cases import CASES, SETUP, Case, Open

if TYPE_CHECKING:
    from confiture_tui.database.dsn import Dsn

SESSIONS = 10
PAUSE_SECONDS = 0.1
OPEN_SECONDS = 4.0


class Application:
    """Ten sessions that use the shop, and one that looks how many of them wait for a lock."""

    def __init__(self, dsn: Dsn, rows: int) -> None:
        self._dsn = dsn
        self._rows = rows
        self._ended = threading.Event()
        self.waited_seconds = 0.0
        self.transactions = 0
        self._watching = threading.Event()
        self._threads = [threading.Thread(target=self._use, args=(number,)) for number in range(SESSIONS)]
        self._threads.append(threading.Thread(target=self._look))

    def __enter__(self) -> Application:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def watch(self) -> None:
        """From now on waiting counts."""
        self._watching.set()

    def _use(self, number: int) -> None:
        chance = random.Random(number)
        with connect(self._dsn, application_name="app") as conn:
            while not self._ended.is_set():
                began = time.monotonic()
                order, customer = chance.randint(1, self._rows), chance.randint(1, self._rows // 10)
                try:
                    with conn.transaction():
                        kind = chance.random()
                        if kind < 0.5:
                            conn.execute("SELECT status, amount FROM orders WHERE id = %s", (order,))
                            conn.execute("SELECT name FROM customers WHERE id = %s", (customer,))
                        elif kind < 0.75:
                            conn.execute("UPDATE orders SET status = 'paid' WHERE id = %s", (order,))
                        elif kind < 0.9:
                            conn.execute("UPDATE customers SET visits = visits + 1 WHERE id = %s", (customer,))
                        else:
                            conn.execute("INSERT INTO audit VALUES ((random() * 2e9)::int, 'x') ON CONFLICT DO NOTHING")
                    self.transactions += 1
                except psycopg.errors.Error:
                    time.sleep(0.01)  # a deadlock, or a plan that no longer fits: the application tries again
                time.sleep(max(0.0, PAUSE_SECONDS - (time.monotonic() - began)))

    def _look(self) -> None:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'app' AND wait_event_type = 'Lock'"
        with connect(self._dsn, application_name="look") as conn:
            last = time.monotonic()
            while not self._ended.is_set():
                row = conn.execute(waiting).fetchone()
                now = time.monotonic()
                if row is not None and self._watching.is_set():
                    assert isinstance(row[0], int)
                    self.waited_seconds += row[0] * (now - last)
                last = now
                time.sleep(0.01)


class Somebody(threading.Thread):
    """A session that keeps a transaction open on ``orders`` and ``audit``, after reading them or writing a row."""

    def __init__(self, dsn: Dsn, what: Open) -> None:
        super().__init__()
        self._dsn = dsn
        self._what = what
        self.begun = threading.Event()

    def run(self) -> None:
        with connect(self._dsn, application_name="report") as conn, conn.transaction():
            if self._what is Open.READER:
                conn.execute("SELECT FROM orders LIMIT 1; SELECT FROM audit LIMIT 1")
            else:
                conn.execute("UPDATE orders SET note = note WHERE id = 1")
            self.begun.set()
            time.sleep(OPEN_SECONDS)


def run(conn: psycopg.Connection[Any], migration: Migration, profile: RunnerProfile) -> None:
    """As the runner would; it stops at the first error."""
    wrapped = profile.wrapping_of(migration.up) is not Wrapping.NONE
    if profile.lock_timeout_ms is not None:
        conn.execute(f"SET lock_timeout = {profile.lock_timeout_ms}".encode())
    try:
        if wrapped:
            conn.execute("BEGIN")
        for statement in migration.up.statements:
            conn.execute(statement.sql.encode())
        if wrapped:
            conn.execute("COMMIT")
    except psycopg.errors.Error as error:
        sys.stdout.write(f"  ({type(error).__name__})\n")
        if wrapped:
            conn.execute("ROLLBACK")


def harm(dsn: Dsn, case: Case, rows: int) -> tuple[float, float, RiskAssessment]:
    """Seconds that the application waited, the migration's own duration, and what was said before."""
    migration, profile = Migration.from_sql(case.sql), PROFILES[case.runner]
    with Application(dsn, rows) as application, connect(dsn) as conn:
        time.sleep(2.0)
        somebody = None if case.open is None else Somebody(dsn, case.open)
        if somebody is not None:
            somebody.start()
            somebody.begun.wait()
        catalog = Catalog.load(conn)
        said = RiskAssessmentEngine(catalog, connection=conn, runner=profile).assess(migration)
        application.watch()
        began = time.monotonic()
        run(conn, migration, profile)
        took = time.monotonic() - began
        time.sleep(0.3)
        if somebody is not None:
            somebody.join()
    return application.waited_seconds, took, said


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """The rank correlation, ties sharing their rank."""

    def ranks(values: Sequence[float]) -> list[float]:
        ordered = sorted(values)
        return [ordered.index(each) + (ordered.count(each) - 1) / 2 for each in values]

    one, other = ranks(first), ranks(second)
    middle = (len(one) - 1) / 2
    above = sum((a - middle) * (b - middle) for a, b in zip(one, other, strict=True))
    below = (sum((a - middle) ** 2 for a in one) * sum((b - middle) ** 2 for b in other)) ** 0.5
    return above / below if below else 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--pg-bin", type=Path)
    options = parser.parse_args()
    results: list[tuple[float, float, RiskAssessment]] = []
    with EmbeddedServer.start(pg_bin=options.pg_bin) as server:
        server.create_database("template_shop")
        with connect(server.dsn("template_shop")) as conn:
            conn.execute(SETUP.format(rows=options.rows).encode())
            conn.execute("VACUUM ANALYZE")
        sys.stdout.write("waited s   took s  locking score  case\n")
        for case in (each for each in CASES if options.only in each.name):
            server.create_database("shop", template="template_shop")
            waited, took, said = harm(server.dsn("shop"), case, options.rows)
            server.drop_database("shop")
            results.append((waited, took, said))
            locking = said.categories[Category.LOCKING]
            sys.stdout.write(f"{waited:8.2f} {took:8.2f} {locking:8} {said.score:5}  {case.name}\n")
            sys.stdout.flush()
    waited_each = [round(waited, 1) for waited, _, _ in results]
    for name, values in (
        ("the score of locking", [float(said.categories[Category.LOCKING]) for _, _, said in results]),
        ("the score", [float(said.score) for _, _, said in results]),
        ("the duration", [took for _, took, _ in results]),
    ):
        sys.stdout.write(f"Spearman of harm with {name}: {spearman(waited_each, values):.2f}\n")


if __name__ == "__main__":
    main()
