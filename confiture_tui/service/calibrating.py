"""How fast a server on this machine works: measured once a month on the shadow's server, kept, and read by `assess`."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from confiture_tui.core.migrations.ledger_forms import DEFAULT_TABLE
from confiture_tui.core.risk.calibration import calibrate
from confiture_tui.core.risk.rates import DEFAULT_RATES, Rates, load_rates, save_rates
from confiture_tui.database.connection import connect
from confiture_tui.database.failures import as_sentence
from confiture_tui.errors import ConfitureError
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.database.embedded import EmbeddedServer

_DATABASE = "confiture_calibration"
_one_at_a_time = threading.Lock()


def measure_once(server: EmbeddedServer, sink: Sink) -> None:
    """Measure how fast a server of ours works and keep that, unless it was done within the last month.

    A second or two, in a database of its own. What goes wrong is told and costs nothing else: without rates of their
    own, durations rest on cautious defaults.
    """
    import psycopg

    try:
        with _one_at_a_time, connect(server.dsn()) as conn:
            version = conn.info.server_version
            kept = load_rates(version)
            if kept is not None and kept.is_fresh and kept.server_version_num == version:
                return
            began = time.monotonic()
            rates = _measured(server)
            save_rates(version, rates)
    except (psycopg.Error, ConfitureError, OSError) as error:
        if server.is_running:
            message = f"How fast this machine's server works could not be measured: {as_sentence(error, 'Measuring')}"
            sink(Event(name=EventName.RATES_MEASURED, message=message, level=Level.WARNING))
        return
    elapsed = (time.monotonic() - began) * 1000
    message = "Measured how fast a server on this machine works: durations rest on that from now on."
    sink(Event(name=EventName.RATES_MEASURED, message=message, level=Level.DEBUG, duration_ms=elapsed))


def _measured(server: EmbeddedServer) -> Rates:
    server.drop_database(_DATABASE)  # a measurement that was cut off may have left it
    server.create_database(_DATABASE)
    try:
        with connect(server.dsn(_DATABASE)) as conn:
            return calibrate(conn)
    finally:
        if server.is_running:
            server.drop_database(_DATABASE)


def base_rates(server_version_num: int, *, ours: bool = False) -> Rates:
    """The rates before a look at earlier runs: what was measured on this machine, or cautious defaults.

    Args:
        server_version_num: of the target, for example 180006.
        ours: the target is a server of ours, on this machine, as the one that was measured.
    """
    kept = load_rates(server_version_num)
    if kept is None:
        return DEFAULT_RATES
    if ours:
        return kept.rates
    # Ours waits for no disk (fsync is off) and serves nobody else.
    spread, source = max(kept.rates.spread, DEFAULT_RATES.spread), f"{kept.rates.source}; the target may be slower"
    return replace(kept.rates, spread=spread, source=source)


def rates_for(conn: psycopg.Connection[Any] | None, *, ours: bool = False) -> Rates:
    """The rates for a target, corrected by what the runs that its journal knows really took.

    Args:
        conn: to the target; ``None`` without one: then no size is known, and no rate matters.
        ours: see ``base_rates``.
    """
    if conn is None:
        return DEFAULT_RATES
    # They bring the driver with them, which what reads files alone does without.
    from confiture_tui.core.runner.journal import TABLE, Journal
    from confiture_tui.core.runner.runner import ledger_place

    base = base_rates(conn.info.server_version, ours=ours)
    try:
        schema, _table = ledger_place(conn, DEFAULT_TABLE)
    except ConfitureError:
        return base  # no schema to look for a journal in
    return base.corrected_by(Journal(schema, TABLE).timed(conn, expected_by=base.source))
