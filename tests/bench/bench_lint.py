"""How long all lint rules take on a large catalog, and how that grows.

    uv run python -m tests.bench.bench_lint [--tables 500 --tables 5000] [--pg-bin DIR] [--rules]

Prints; asserts nothing. The tables are those of ``bench_catalog``; every rule runs, also those that are off by default,
on a catalog that was never linted before. With ``--rules`` the slowest ones are told.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

import psycopg

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.lint.config import LintConfig, RuleSettings
from confiture_tui.core.lint.linter import SchemaLinter
from confiture_tui.core.lint.rules import RULES
from confiture_tui.database.embedded import EmbeddedServer
from tests.bench.bench_catalog import fill

OPTIONS = {
    "multi-tenant": {"tenant_table": "app_0.t_0", "column": "parent_id"},
    "mandatory-columns": {"columns": {"created_at": "timestamp with time zone", "token": "uuid"}},
    "documentation": {"columns": "all"},
    "reference-actions": {"on_delete": ["NO ACTION"]},
}
EVERYTHING = LintConfig(rules={rule.id: RuleSettings(enabled=True, options=OPTIONS.get(rule.id, {})) for rule in RULES})


def lint(dsn: str, config: LintConfig) -> tuple[float, float, float, float, int]:
    """Seconds to load a catalog, by the clock and of the processor, the same to lint it for the first time; violations.

    The processor's are those of this process: a loading server has its own.
    """
    with psycopg.connect(dsn, autocommit=True) as conn:
        times = [(time.perf_counter(), time.process_time())]
        catalog = Catalog.load(conn)
        times.append((time.perf_counter(), time.process_time()))
        report = SchemaLinter(config).run(catalog)
        times.append((time.perf_counter(), time.process_time()))
    (start, before), (loaded, made), (end, after) = times
    return loaded - start, made - before, end - loaded, after - made, len(report.violations)


def slowest(dsn: str) -> None:
    """Prints the rules that take longest, each with its share of the violations."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        catalog = Catalog.load(conn)
    linter = SchemaLinter(EVERYTHING)
    taken: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for rule in linter.rules:
        start = time.perf_counter()
        found[rule.id] = sum(1 for _ in rule.check(catalog, linter.options_of(rule.id)))
        taken[rule.id] = round((time.perf_counter() - start) * 1e6)
    for name, microseconds in taken.most_common(12):
        sys.stdout.write(f"  {name:30} {microseconds / 1000:8.1f} ms {found[name]:7,} violations\n")


def main() -> None:
    """Runs the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, action="append")
    parser.add_argument("--pg-bin", type=Path)
    parser.add_argument("--rules", action="store_true")
    arguments = parser.parse_args()
    with EmbeddedServer.start(pg_bin=arguments.pg_bin) as server:
        for tables in arguments.tables or [500, 5000]:
            name = f"bench_lint_{tables}"
            server.create_database(name)
            dsn = server.dsn(name).conninfo()
            with psycopg.connect(dsn, autocommit=True) as conn:
                fill(conn, tables)
            for words, config in (("all rules", EVERYTHING), ("the default rules", LintConfig())):
                runs = [lint(dsn, config) for _ in range(5)]
                load, made, took, computed = (statistics.median(run[place] for run in runs) for place in range(4))
                sys.stdout.write(
                    f"{tables} tables, {tables * 12} columns: loaded in {load:.3f} s (processor {made:.3f} s), "
                    f"{words} in {took:.3f} s "
                    f"(processor {computed:.3f} s, {computed / tables * 1e6:.0f} µs a table), "
                    f"{runs[0][4]:,} violations\n"
                )
            if arguments.rules:
                slowest(dsn)


if __name__ == "__main__":
    main()
