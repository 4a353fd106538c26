"""How long a large catalog takes to load, to compare and to sum up, and how that grows.

    uv run python -m tests.bench.bench_catalog [--tables 500 --tables 5000] [--pg-bin DIR]

Prints; asserts nothing. Loading is told in seconds of the clock and of this process's processor; beside them, what the
server needs for the queries alone, one after the other, when nothing is made of their rows: a load does both at once.
Every table has 12 columns, an identity, a primary key, a foreign key, two more indexes, a
check, a comment, some rows, and statistics.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.catalog.load import QUERIES
from confiture_tui.core.catalog.reading.transaction import reading, record_session, settle
from confiture_tui.database.embedded import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = """
CREATE TABLE app_{schema}.t_{number} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  parent_id bigint REFERENCES app_{parent_schema}.t_{parent},
  name text NOT NULL,
  "Label" varchar(80) NOT NULL DEFAULT 'none',
  amount numeric(12, 2) DEFAULT 0,
  quantity integer NOT NULL,
  active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz,
  data jsonb,
  kind text,
  token uuid DEFAULT gen_random_uuid(),
  CONSTRAINT quantity_positive CHECK (quantity >= 0)
);
CREATE INDEX t_{number}_name ON app_{schema}.t_{number} (name);
CREATE INDEX t_{number}_kind ON app_{schema}.t_{number} (lower(kind)) WHERE active;
CREATE INDEX t_{number}_parent ON app_{schema}.t_{number} (parent_id);
COMMENT ON TABLE app_{schema}.t_{number} IS 'table number {number}';
INSERT INTO app_{schema}.t_{number} (name, quantity) VALUES ('a', 1), ('b', 2);
"""

SCHEMAS = 10


def fill(conn: psycopg.Connection[tuple[object, ...]], tables: int) -> None:
    """Makes the tables, in batches that keep each transaction's locks few."""
    for schema in range(SCHEMAS):
        conn.execute(f"CREATE SCHEMA app_{schema}".encode())
    batch: list[str] = []
    for number in range(tables):
        parent = max(number - 1, 0)
        batch.append(
            TABLE.format(schema=number % SCHEMAS, number=number, parent_schema=parent % SCHEMAS, parent=parent)
        )
        if len(batch) == 50 or number == tables - 1:
            conn.execute("".join(batch).encode())
            batch.clear()
    conn.execute("ANALYZE")


def median(action: Callable[[], object], times: int = 5) -> float:
    """Seconds, the median of some runs after one that is not counted."""
    action()
    taken: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def load(dsn: str) -> tuple[float, float]:
    """Seconds to load the catalog on a connection of its own, as the first thing that it does: clock, processor."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        start, computing = time.perf_counter(), time.process_time()
        Catalog.load(conn)
        return time.perf_counter() - start, time.process_time() - computing


def queries_alone(dsn: str) -> float:
    """Seconds until the server has answered all queries that are known beforehand, one by one."""
    with psycopg.connect(dsn, autocommit=True) as conn, reading(conn) as cursor:
        _, target, *_ = record_session(cursor, inside=False)
        settle(cursor, target.version)
        start = time.perf_counter()
        for query in QUERIES:
            cursor.execute(query.text(target), prepare=False)
        return time.perf_counter() - start


def measure(conn: psycopg.Connection[tuple[object, ...]], dsn: str, tables: int) -> None:
    """Prints one line."""
    catalog = Catalog.load(conn)
    other = Catalog.load(conn)
    columns = sum(len(relation.columns) for relation in catalog.relations.values())
    loads = [load(dsn) for _ in range(5)]
    first, computed = (statistics.median(run[place] for run in loads) for place in range(2))
    server = statistics.median(queries_alone(dsn) for _ in range(5))
    again = median(lambda: Catalog.load(conn))
    start = time.perf_counter()
    definitions = len(catalog.definitions)
    made = time.perf_counter() - start
    start = time.perf_counter()
    same = catalog.fingerprint == other.fingerprint
    summed = time.perf_counter() - start
    compared = median(lambda: catalog.diff(other), 3)
    sys.stdout.write(
        f"{conn.info.parameter_status('server_version')}: {len(catalog.relations)} tables, {columns} columns, "
        f"{definitions} definitions ({tables} asked for): load {first:.3f} s on a new connection "
        f"(processor {computed:.3f} s; the server's queries alone {server:.3f} s), "
        f"{again:.3f} s on a used one, definitions {made:.3f} s, "
        f"two fingerprints and one set of definitions {summed:.3f} s (equal: {same}), diff {compared:.3f} s\n"
    )


def main() -> None:
    """Runs the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, action="append")
    parser.add_argument("--pg-bin", type=Path)
    arguments = parser.parse_args()
    with EmbeddedServer.start(pg_bin=arguments.pg_bin) as server:
        for tables in arguments.tables or [500, 5000]:
            name = f"bench_{tables}"
            server.create_database(name)
            with psycopg.connect(server.dsn(name).conninfo(), autocommit=True) as conn:
                fill(conn, tables)
                measure(conn, server.dsn(name).conninfo(), tables)


if __name__ == "__main__":
    main()
