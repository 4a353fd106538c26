"""Building the demo shop on a server: the database that the demo works on, and the pristine template beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_tui.database.connection import connect
from confiture_tui.database.demo.files import (
    PROJECT_DIR,
    SEEDED_AFTER,
    MigrationFile,
    applied_files,
    seed_files,
)
from confiture_tui.database.ledger_table import LedgerTable
from confiture_tui.errors import ConfitureError
from confiture_tui.events import Event, EventName, Sink, discard

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SHOP = "shop"
"""The demo's live database: what the application and the operator see."""

PRISTINE = "shop_pristine"
"""The shop as it was on opening day: a template that nobody can connect to, so that it can be cloned at any time."""

OWNER = "shop_owner"
"""Who owns both databases and everything in them: LOGIN NOSUPERUSER."""

_LEDGER = LedgerTable("public")

_ANALYZE_ALL = """
SELECT format('ANALYZE %s', string_agg(format('%I.%I', schemaname, relname), ', ' ORDER BY relname))
FROM (
    SELECT n.nspname AS schemaname, c.relname
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
) AS analysed
"""


_AS_TEMPLATE = f"ALTER DATABASE {PRISTINE} IS_TEMPLATE true ALLOW_CONNECTIONS false"
_STEPS = 3
"""Of the build, beside one for each file."""


@dataclass(frozen=True, slots=True)
class DemoShop:
    """A demo shop that has been built and can be worked on.

    Attributes:
        dsn: the live database, as its owner.
        pristine: the name of the template database on the same server, if it was wanted: the same schema, rows and
            statistics.
        project_dir: the project whose migrations the shop has run in part; read-only.
        environment: the name of the project's environment that stands for this database.
    """

    dsn: Dsn
    pristine: str | None
    project_dir: Path
    environment: str = "demo"


def build_shop(server: EmbeddedServer, *, pristine: bool = True, sink: Sink = discard) -> DemoShop:
    """Build the demo shop on ``server``: two to three seconds, 90 MB for each of its two databases.

    Without ``pristine`` only the live one is made.

    A shop that is there already is replaced.

    Everything but the two databases and the role themselves is made by the owner role, which is no superuser. The live
    database is built and analysed first, then copied to the template, so that the live one has fresh statistics in both
    senses: what the planner reads, and the counters that say when they were taken.

    Emits:
        ``DEMO_BUILDING`` before each step (``data``: ``step``, ``fraction`` from 0 to 1), then ``DEMO_READY`` with the
        duration (``data``: ``database``, ``pristine``, ``role``).

    Raises:
        ConfitureError: a step failed; the message names it and has the server's own words.
        ConnectError: the server cannot be reached.
    """
    started = time.perf_counter()
    progress = _Progress(sink, further=1 if pristine else 0)
    dsn = _build(server, progress)
    if pristine:
        with progress.step("Keeping a pristine copy"):
            server.create_database(PRISTINE, template=SHOP, owner=OWNER)
            with connect(server.dsn()) as admin:
                admin.execute(_AS_TEMPLATE)
    sink(
        Event(
            name=EventName.DEMO_READY,
            message=f"The demo shop is open: database {SHOP}, owned by {OWNER}.",
            duration_ms=(time.perf_counter() - started) * 1000,
            data={"database": SHOP, "pristine": PRISTINE if pristine else None, "role": OWNER},
        )
    )
    return DemoShop(dsn=dsn, pristine=PRISTINE if pristine else None, project_dir=PROJECT_DIR)


def build_pristine(server: EmbeddedServer, *, sink: Sink = discard) -> str:
    """Build the template alone, on a server where migrations are tried: apart from the live shop's.

    The superuser owns it, so that nothing that is tried as the shop's owner can rename or drop it.

    Returns:
        its name.

    Raises:
        ConfitureError: a step failed; the message names it and has the server's own words.
        ConnectError: the server cannot be reached.
    """
    from confiture_tui.database.embedded.server import SUPERUSER

    progress = _Progress(sink, further=1)
    _build(server, progress)
    with progress.step("Making the shop a template"), connect(server.dsn()) as admin:
        admin.execute(f"ALTER DATABASE {SHOP} RENAME TO {PRISTINE}")
        admin.execute(f"ALTER DATABASE {PRISTINE} OWNER TO {SUPERUSER}")
        admin.execute(_AS_TEMPLATE)
    return PRISTINE


def _build(server: EmbeddedServer, progress: _Progress) -> Dsn:
    """Make the role and the live database with everything in it; how to log in to it as its owner."""
    dsn = server.dsn(SHOP, OWNER)
    with progress.step("Making room for the shop"):
        server.create_login(OWNER)
        _drop_earlier(server)
        server.create_database(SHOP, owner=OWNER)
    with connect(dsn) as conn:
        conn.execute("SET TimeZone = 'UTC'")
        # ANALYZE reads 300 rows of a table for each unit of this. A fifth of the default is enough for a shop.
        conn.execute("SET default_statistics_target = 20")
        with progress.step("Opening the ledger"):
            _LEDGER.create(conn)
        for file in applied_files():
            with progress.step(f"Applying {file.version}_{file.name}"):
                _apply(conn, file)
            if file.version == SEEDED_AFTER:
                for path in seed_files():
                    with progress.step(f"Filling the shelves: {path.stem.partition('_')[2]}"), conn.transaction():
                        conn.execute(path.read_bytes())
        with progress.step("Counting the jars for the query planner"):
            _analyse(conn)
    return dsn


def _drop_earlier(server: EmbeddedServer) -> None:
    """Drop the databases of a shop that was built on this server before."""
    with connect(server.dsn()) as admin:
        there = {
            name
            for (name,) in admin.execute(
                "SELECT datname FROM pg_catalog.pg_database WHERE datname = ANY(%s)", ([SHOP, PRISTINE],)
            )
        }
        if PRISTINE in there:
            admin.execute(f"ALTER DATABASE {PRISTINE} IS_TEMPLATE false")
    for name in there:
        server.drop_database(name)


def _apply(conn: psycopg.Connection[Any], file: MigrationFile) -> None:
    """Run a migration and write its ledger row, in one transaction, as ``confiture`` does."""
    started = time.perf_counter()
    with conn.transaction():
        conn.execute(file.content)
        _LEDGER.record(
            conn,
            version=file.version,
            name=file.name,
            checksum=file.checksum,
            execution_time_ms=round((time.perf_counter() - started) * 1000),
        )


def _analyse(conn: psycopg.Connection[Any]) -> None:
    """ANALYZE the shop's own tables by name: the role owns no catalog, and would be warned about each.

    A session reports the rows that it changed up to a second late, and rows reported after an ANALYZE make its
    statistics look stale: so they are reported first. (Before 15 there is no way to ask for it.)
    """
    if conn.info.server_version >= 150000:
        conn.execute("SELECT pg_stat_force_next_flush()")
    row = conn.execute(_ANALYZE_ALL).fetchone()
    assert row is not None, "an aggregate without GROUP BY always has a row"
    conn.execute(row[0])


class _Progress:
    """Tells how far the build has come, and turns the server's errors into sentences that name the step."""

    def __init__(self, sink: Sink, *, further: int) -> None:
        self._sink = sink
        self._steps = len(applied_files()) + len(seed_files()) + _STEPS + further
        self._done = 0

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Announce a step and run it.

        Raises:
            ConfitureError: the server refused something in it.
        """
        import psycopg

        self._sink(
            Event(
                name=EventName.DEMO_BUILDING,
                message=f"{what}.",
                data={"step": what, "fraction": self._done / self._steps},
            )
        )
        try:
            yield
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error)
            raise ConfitureError(
                f'The demo shop could not be built: "{what}" failed: {said}.',
                hint="Start the demo again; if it fails in the same place, please report this message.",
            ) from error
        self._done += 1
