"""Measuring how fast a server works. It makes tables: on a database of our own, never on a target."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.core.risk.rates import Rates
from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    import psycopg

_ROWS: Final = 60_000
_SCHEMA: Final = "confiture_calibration"
_SPREAD: Final = 3.0
_LEAST_SCAN_MB: Final = 1e-3
"""A gigabyte a second: the tables measured here are small enough for the processor's cache, a user's are not."""

_NARROW = f"""
CREATE TABLE {_SCHEMA}.narrow (id integer, ref integer);
INSERT INTO {_SCHEMA}.narrow SELECT i, i FROM generate_series(1, {_ROWS}) i;
"""
_WIDE = f"""
CREATE TABLE {_SCHEMA}.wide (id integer, filler text);
ALTER TABLE {_SCHEMA}.wide ALTER filler SET STORAGE PLAIN;
INSERT INTO {_SCHEMA}.wide SELECT i, repeat(md5(i::text), 25) FROM generate_series(1, {_ROWS // 6}) i;
"""


def calibrate(conn: psycopg.Connection[Any]) -> Rates:
    """The rates of the server that ``conn`` is connected to: about a second of work in a schema of its own.

    For the throw-away database of a shadow. The connection must be idle and in autocommit mode; the schema is dropped
    again.

    Raises:
        ConfitureError: the database holds a schema of that name already, or the connection is not idle.
        psycopg.Error: the server refused something.
    """
    from psycopg.pq import TransactionStatus

    if not conn.autocommit or conn.info.transaction_status is not TransactionStatus.IDLE:
        raise ConfitureError("Calibration needs an idle connection in autocommit mode.")
    if conn.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", (_SCHEMA,)).fetchone():
        raise ConfitureError(
            f"The database has a schema {_SCHEMA} already.", hint="Calibrate in a throw-away database of its own."
        )
    conn.execute(f"CREATE SCHEMA {_SCHEMA}".encode())
    try:
        for script in (_NARROW, _WIDE):
            conn.execute(script.encode())
        return _measure(conn)
    finally:
        if not conn.closed:
            conn.execute(f"DROP SCHEMA {_SCHEMA} CASCADE".encode())


def _measure(conn: psycopg.Connection[Any]) -> Rates:
    overhead = _seconds(conn, "ALTER TABLE {t} ALTER id SET DEFAULT 1", "narrow", times=5)
    narrow_mb, wide_mb = (_megabytes(conn, table) for table in ("narrow", "wide"))

    def costs(action: str, again: str) -> tuple[float, float]:
        """Seconds a row and seconds a megabyte, of the two tables that differ in how wide their rows are."""
        narrow = max(_seconds(conn, action, "narrow", again=again) - overhead, 1e-5)
        wide = max(_seconds(conn, action, "wide", again=again) - overhead, 1e-5)
        rows_n, rows_w = _ROWS, _ROWS // 6
        # narrow = rows_n*r + narrow_mb*m; wide = rows_w*r + wide_mb*m. Noise can make either come out at nothing:
        # neither is taken for less than a third of what its table would take if it were all there is.
        a_megabyte = (wide - narrow * rows_w / rows_n) / (wide_mb - narrow_mb * rows_w / rows_n)
        a_megabyte = max(a_megabyte, wide / wide_mb / 3)
        a_row = max((narrow - narrow_mb * a_megabyte) / rows_n, narrow / rows_n / 3)
        return a_row, a_megabyte

    scan = costs("ALTER TABLE {t} ADD CONSTRAINT c CHECK (id > 0)", "ALTER TABLE {t} DROP CONSTRAINT c")
    rewrite = costs("ALTER TABLE {t} ALTER id TYPE bigint", "ALTER TABLE {t} ALTER id TYPE integer")
    build = costs("CREATE INDEX i ON {t} (id)", f"DROP INDEX {_SCHEMA}.i")
    conn.execute(f"CREATE UNIQUE INDEX narrow_id ON {_SCHEMA}.narrow (id)".encode())
    reference = _seconds(
        conn,
        f"ALTER TABLE {{t}} ADD CONSTRAINT f FOREIGN KEY (ref) REFERENCES {_SCHEMA}.narrow (id)",
        "narrow",
        again="ALTER TABLE {t} DROP CONSTRAINT f",
    )
    write = _seconds(conn, "UPDATE {t} SET id = -id", "narrow")
    return Rates(
        overhead=overhead,
        scan_row=scan[0],
        scan_mb=max(scan[1], _LEAST_SCAN_MB),
        rewrite_row=rewrite[0],
        rewrite_mb=max(rewrite[1], 4 * _LEAST_SCAN_MB),
        build_row=build[0],
        build_mb=max(build[1], _LEAST_SCAN_MB),
        write_row=max(write - overhead, 1e-4) / _ROWS,
        reference_row=max(reference - overhead - _ROWS * scan[0], 1e-4) / _ROWS,
        spread=_SPREAD,
        source=f"rates measured on this machine with PostgreSQL {conn.info.parameter_status('server_version')}",
    )


def _seconds(
    conn: psycopg.Connection[Any], action: str, table: str, *, again: str | None = None, times: int = 3
) -> float:
    """What the action takes, the median of several tries; ``again`` takes it back before the next."""
    name = f"{_SCHEMA}.{table}"
    tries: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        conn.execute(action.format(t=name).encode())
        tries.append(time.perf_counter() - began)
        if again is not None:
            conn.execute(again.format(t=name).encode())
    return statistics.median(tries)


def _megabytes(conn: psycopg.Connection[Any], table: str) -> float:
    row = conn.execute(
        "SELECT pg_catalog.pg_relation_size(%s::pg_catalog.regclass)", (f"{_SCHEMA}.{table}",)
    ).fetchone()
    assert row is not None  # a SELECT without FROM gives one row
    return float(row[0]) / 1e6
