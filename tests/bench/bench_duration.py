"""How near the predicted durations come to the real ones.

    uv run python -m tests.bench.bench_duration [--rows 100000 --rows 1000000] [--pg-bin DIR]

Prints every statement with its range and what it took, then the share inside the range and the median factor, once
with rates measured by ``calibrate`` on the same server and once with the cautious defaults. Asserts nothing.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.calibration import calibrate
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.risk.rates import DEFAULT_RATES, Rates
from confiture_tui.database.connection import connect
from confiture_tui.database.embedded import EmbeddedServer

if TYPE_CHECKING:
    import psycopg

SETUP = """
CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL);
CREATE TABLE orders (
  id int PRIMARY KEY, customer_id int, status text, amount numeric(10, 2), placed timestamptz, note text, data jsonb
);
CREATE INDEX orders_placed ON orders (placed);
CREATE TABLE narrow (id int, v int);
INSERT INTO customers SELECT i, 'customer' || i || '@example.org' FROM generate_series(1, {rows} / 10) i;
INSERT INTO orders
  SELECT i, 1 + i % ({rows} / 10), (ARRAY['new', 'paid', 'sent'])[1 + i % 3], i % 1000, now() - i * interval '1 minute',
         repeat('note ', i % 20), jsonb_build_object('a', i % 100, 'b', 'x' || i % 7)
    FROM generate_series(1, {rows}) i;
INSERT INTO narrow SELECT i, i % 1000 FROM generate_series(1, {rows}) i;
CREATE MATERIALIZED VIEW sums AS SELECT customer_id, max(note) AS longest FROM orders GROUP BY customer_id;
CREATE UNIQUE INDEX ON sums (customer_id);
ALTER TABLE orders ADD CONSTRAINT later CHECK (amount >= 0) NOT VALID;
"""
STATEMENTS = (
    "ALTER TABLE narrow ALTER v SET DEFAULT 1",
    "ALTER TABLE narrow ALTER v SET NOT NULL",
    "ALTER TABLE narrow ADD CHECK (v >= 0)",
    "ALTER TABLE narrow ALTER v TYPE bigint",
    "CREATE INDEX narrow_v ON narrow (v)",
    "ALTER TABLE narrow ADD PRIMARY KEY (id)",
    "UPDATE narrow SET v = v + 1",
    "ALTER TABLE orders ADD CHECK (amount < 100000)",
    "ALTER TABLE orders VALIDATE CONSTRAINT later",
    "ALTER TABLE orders ALTER status SET NOT NULL",
    "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id)",
    "CREATE INDEX orders_customer ON orders (customer_id)",
    "CREATE INDEX CONCURRENTLY orders_status ON orders (status)",
    "CREATE INDEX orders_note ON orders (note)",
    "CREATE INDEX orders_data ON orders USING gin (data)",
    "ALTER TABLE orders ADD token uuid DEFAULT gen_random_uuid()",
    "ALTER TABLE orders ALTER id TYPE bigint",
    "ALTER TABLE orders ALTER amount TYPE numeric(12, 2)",
    "REFRESH MATERIALIZED VIEW sums",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY sums",
    "CREATE TABLE copy_of_orders AS SELECT * FROM orders",
    "ANALYZE orders",
    "REINDEX TABLE orders",
    "VACUUM FULL orders",
    "CLUSTER orders USING orders_pkey",
    "UPDATE orders SET status = 'old' WHERE status = 'sent'",
    "DELETE FROM orders WHERE id % 2 = 0",
    "TRUNCATE narrow",
)


def measure(
    conn: psycopg.Connection[Any], rows: int, kinds: Iterable[Rates]
) -> list[tuple[str, list[tuple[float, float, float]], float]]:
    """For each statement: low, expected, high by each kind of rates, and what it took; in milliseconds."""
    conn.execute(SETUP.format(rows=rows).encode())
    found: list[tuple[str, list[tuple[float, float, float]], float]] = []
    for sql in STATEMENTS:
        conn.execute("VACUUM ANALYZE")
        conn.execute("CHECKPOINT")
        catalog = Catalog.load(conn)
        ranges: list[tuple[float, float, float]] = []
        for rates in kinds:
            estimate = RiskAssessmentEngine(catalog, rates=rates, rules=()).assess(Migration.from_sql(sql)).estimate
            ranges.append((estimate.low_ms, estimate.expected_ms, estimate.high_ms))
        began = time.perf_counter()
        conn.execute(sql.encode())
        found.append((sql, ranges, (time.perf_counter() - began) * 1000))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--pg-bin", type=Path)
    options = parser.parse_args()
    with EmbeddedServer.start(pg_bin=options.pg_bin) as server:
        server.create_database("calibration")
        with connect(server.dsn("calibration")) as conn:
            measured = calibrate(conn)
        kinds = {"measured": measured, "default": DEFAULT_RATES}
        sys.stdout.write(f"{measured}\n")
        everything: dict[str, list[tuple[bool, float]]] = {kind: [] for kind in kinds}
        for rows in options.rows or (100_000, 1_000_000):
            server.create_database(f"rows_{rows}")
            with connect(server.dsn(f"rows_{rows}")) as conn:
                found = measure(conn, rows, kinds.values())
            sys.stdout.write(f"\n{rows:,} rows: low / expected / high, took (ms)\n")
            for sql, ranges, took in found:
                line = ""
                for kind, (low, expected, high) in zip(kinds, ranges, strict=True):
                    inside = low <= took <= high
                    everything[kind].append((inside, max(took / expected, expected / took)))
                    line += f"{low:9.1f}{expected:9.1f}{high:9.1f}{' ' if inside else '!'}"
                sys.stdout.write(f"{line}{took:9.1f}  {sql}\n")
        for kind, results in everything.items():
            share = sum(inside for inside, _ in results) / len(results)
            factor = statistics.median(each for _, each in results)
            sys.stdout.write(f"{kind} rates: {share:.0%} inside the range, median factor {factor:.2f}\n")


if __name__ == "__main__":
    main()
