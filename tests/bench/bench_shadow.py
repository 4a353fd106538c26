"""How long a shadow takes to be made, and to be had again from what was kept; and what observing costs.

    uv run python -m tests.bench.bench_shadow [--tables 1000] [--statements 300] [--pg-bin DIR]

Prints; asserts nothing. The tables are those of the catalog's bench. What observing costs is what a dry run's
observation takes, statement by statement, above running the same statements plainly, each in its own transaction, on
another clone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.cache import ShadowCache, shadow_key
from confiture_tui.core.dry_run.clones import CloneMaker
from confiture_tui.core.dry_run.execution import run_statement
from confiture_tui.core.dry_run.passes import observation_pass, verdict_pass
from confiture_tui.core.dry_run.result import Rows
from confiture_tui.core.dry_run.session import SessionSettings
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.dry_run.stamps import Definitions, read_stamp
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import Wrapping
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.database.embedded import EmbeddedServer, find_binaries
from confiture_tui.events import discard
from tests.bench.bench_catalog import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROUNDS = 5

WARM_UP = Migration.from_sql("ALTER TABLE app_0.t_0 ADD COLUMN warm int;")


def tell(line: str) -> None:
    """A line of the figures."""
    sys.stdout.write(f"{line}\n")


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the block takes."""
    began = time.perf_counter()
    yield
    tell(f"{what:<64}{time.perf_counter() - began:>8.2f} s")


def shadows(target: EmbeddedServer, pg_bin: Path | None) -> None:
    """A shadow made, kept, and had again by another server."""
    cache = ShadowCache(Path(tempfile.mkdtemp(prefix="bench-shadow-")))
    with psycopg.connect(target.dsn("target").conninfo(), autocommit=True) as conn:
        with timed("reading the catalog and the key"):
            key = shadow_key(conn, Definitions.of(Catalog.load(conn)), find_binaries(pg_bin))
        assert key is not None
        with timed("asking twice whether it is the same as before"):
            assert read_stamp(conn) == read_stamp(conn)
        with timed("first: starting the server"):
            server = EmbeddedServer.start(pg_bin=pg_bin)
        with timed("first: making the shadow"):
            shadow = Shadow.of(conn, server=server)
        with timed("first: keeping it"):
            cache.keep(key, server, shadow, database="target")
        tell(f"{'the size of what is kept':<64}{cache.listed()[0].bytes / 2**20:>8.1f} MB")
        with timed("first: a dry run of one statement"):
            shadow.dry_run(WARM_UP)
        server.stop()
        with timed("again: the shadow, the start of its server included"):
            entry = cache.find(key)
            assert entry is not None
            server = EmbeddedServer.start(pg_bin=pg_bin, fill=entry.fill)
            entry.close()
            shadow = Shadow.kept(server, entry.description, settings=SessionSettings.read(conn))
        with timed("again: a dry run of one statement"):
            shadow.dry_run(WARM_UP)
        server.stop()
    cache.clear()
    cache.directory.rmdir()


def observing(target: EmbeddedServer, count: int, *, setting: bool) -> None:
    """What the observation of a statement costs above running it: the best of some rounds, taken in turns.

    Args:
        target: where.
        count: how many statements.
        setting: the migration begins with a SET, as most do: then each look needs settings of its own.
    """
    text = "SET lock_timeout = '5s';\n" if setting else ""
    text += "".join(f"ALTER TABLE app_{n % 10}.t_{n % 50} ALTER name SET DEFAULT '{n}';\n" for n in range(count))
    script = Migration.from_sql(text).up.statements
    scope = CancelScope()
    clones = CloneMaker(target, "postgres", SessionSettings())
    made = [clones.make("target")]
    with clones.connected(made[0], scope) as conn:
        results = verdict_pass(conn, script, Wrapping.TRANSACTION, scope=scope, sink=discard)

    def run_plainly(conn: psycopg.Connection[Any], _clone: str) -> None:
        for statement in script:
            conn.execute("BEGIN")
            run_statement(conn, statement, scope=scope)
            conn.execute("COMMIT")

    def observe(conn: psycopg.Connection[Any], clone: str) -> None:
        def administer() -> psycopg.Connection[Any]:
            return clones.administer(clone)

        wrapping, rows = Wrapping.TRANSACTION, Rows.NONE
        observation_pass(conn, administer, script, results, wrapping, rows, scope=scope, sink=discard)

    def seconds(run: Callable[[psycopg.Connection[Any], str], None], *, tracing: bool) -> float:
        made.append(clones.make("target"))
        with clones.connected(made[-1], scope, tracing=tracing) as conn:
            began = time.perf_counter()
            run(conn, made[-1])
            return time.perf_counter() - began

    rounds = [(seconds(run_plainly, tracing=False), seconds(observe, tracing=True)) for _ in range(_ROUNDS)]
    clones.drop(made)
    plain, observed = (min(column) for column in zip(*rounds, strict=True))
    each = (observed - plain) / count * 1000
    what = f"{count} statements{' after a SET' if setting else ''}"
    tell(f"{f'{what}, plainly, each in a transaction':<64}{plain:>8.2f} s")
    tell(f"{'the same, observed':<64}{observed:>8.2f} s")
    tell(f"{'observing, above running, a statement':<64}{each:>8.2f} ms")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--statements", type=int, default=300)
    parser.add_argument("--pg-bin", type=Path)
    given = parser.parse_args()
    with EmbeddedServer.start(pg_bin=given.pg_bin) as target:
        target.create_database("target")
        with psycopg.connect(target.dsn("target").conninfo(), autocommit=True) as conn:
            fill(conn, given.tables)
        tell(f"{given.tables} tables, PostgreSQL {target.version}")
        shadows(target, given.pg_bin)
        for setting in (False, True):
            observing(target, given.statements, setting=setting)


if __name__ == "__main__":
    main()
