"""Durations: ranges with a source, that grow with the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.forecast import Work
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.duration import ASSUMED_SECONDS, OPAQUE_SECONDS, Durations, together
from confiture_tui.core.risk.rates import DEFAULT_RATES
from confiture_tui.core.risk.sizes import Sizes
from confiture_tui.core.risk.words import bytes_in_words, seconds_in_words
from confiture_tui.database.connection import connect
from tests.core.risk.forecasts import GivenSizes, WorkKind, forecast

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn

kinds = st.sampled_from(WorkKind)


@settings(deadline=None)
@given(kinds, st.integers(0, 10**13), st.integers(0, 10**13))
def test_a_bigger_table_takes_longer(kind: WorkKind, first: int, second: int) -> None:
    small, big = (
        Durations(GivenSizes({"public.t": size}), DEFAULT_RATES).of_work(Work(kind, "public.t", None, ""))
        for size in sorted((first, second))
    )
    assert small.expected <= big.expected
    assert small.low <= small.expected <= small.high
    assert (small.wal or 0) <= (big.wal or 0)


def test_without_a_catalog_a_minute_for_each_piece_of_work() -> None:
    works = [(WorkKind.SCAN, "public.t"), (WorkKind.BUILD, "public.t")]
    cost = Durations(Sizes(None), DEFAULT_RATES).of(forecast(1, works=works))
    assert cost.expected == pytest.approx(2 * ASSUMED_SECONDS, rel=0.01)
    assert (cost.wal, cost.disk) == (None, None)
    assert "assumed" in cost.source


def test_a_statement_is_never_free_and_names_its_source() -> None:
    cost = Durations(GivenSizes({}), DEFAULT_RATES).of(forecast(1))
    assert 0 < cost.low < cost.expected < cost.high
    assert "default rates" in cost.source


def test_what_cannot_be_read_may_take_long() -> None:
    cost = Durations(GivenSizes({}), DEFAULT_RATES).of(forecast(1, opaque=True))
    assert cost.expected > OPAQUE_SECONDS
    assert cost.high > 30
    assert cost.wal is None


def test_an_index_of_another_kind_takes_longer() -> None:
    sizes = GivenSizes({"public.t": 10**9})
    work = [(WorkKind.BUILD, "public.t")]
    plain, inverted, concurrent = (
        Durations(sizes, DEFAULT_RATES).of(forecast(1, works=work, sql=sql)).expected
        for sql in (
            "CREATE INDEX ON t (v)",
            "CREATE INDEX ON t USING gin (v)",
            "CREATE INDEX CONCURRENTLY i ON t (v)",
        )
    )
    assert plain < concurrent < inverted


def test_what_copies_nothing_takes_no_longer_for_a_bigger_table() -> None:
    durations = Durations(GivenSizes({"public.t": 10**12}), DEFAULT_RATES)
    work = [(WorkKind.REWRITE, "public.t")]
    emptied = durations.of(forecast(1, works=[*work, (WorkKind.REBUILD, "public.t")], sql="TRUNCATE t"))
    assert emptied.expected == durations.of(forecast(1)).expected
    assert durations.of(forecast(1, works=work)).expected > 60


def test_one_pass_checks_everything() -> None:
    durations = Durations(GivenSizes({"public.t": 10**10}), DEFAULT_RATES)
    scan, rewrite = (WorkKind.SCAN, "public.t"), (WorkKind.REWRITE, "public.t")
    assert durations.of(forecast(1, works=[scan, scan])).expected == durations.of(forecast(1, works=[scan])).expected
    assert (
        durations.of(forecast(1, works=[rewrite, scan])).expected == durations.of(forecast(1, works=[rewrite])).expected
    )


def test_parts_add_up_and_what_one_does_not_know_is_unknown() -> None:
    durations = Durations(GivenSizes({"public.t": 10**9}), DEFAULT_RATES)
    one = durations.of_work(Work(WorkKind.REWRITE, "public.t", None, ""))
    both = together([one, one])
    assert both.expected == 2 * one.expected
    assert both.wal == 2 * (one.wal or 0)
    unknown = Durations(Sizes(None), DEFAULT_RATES).of_work(Work(WorkKind.SCAN, "public.t", None, ""))
    assert together([one, unknown]).disk is None


ROWS = 1_000_000


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("INSERT INTO t VALUES (1), (2), (3)", 3),
        ("INSERT INTO t DEFAULT VALUES", 1),
        ("INSERT INTO t SELECT 1", 1),
        ("INSERT INTO t SELECT generate_series(1, 500)", 500),
        ("INSERT INTO t SELECT i FROM generate_series(1, 2000000, 2) AS i", 1_000_000),
        ("INSERT INTO t SELECT v FROM u LIMIT 50", 50),
        ("INSERT INTO t SELECT v FROM u", ROWS),
        ("UPDATE t SET v = 1", ROWS),
        ("UPDATE t SET v = 1 WHERE true", ROWS),
        ("UPDATE t SET v = 1 WHERE v = 3", ROWS),
        ("WITH w AS (DELETE FROM u RETURNING 1) INSERT INTO t VALUES (1)", ROWS),
        ("DELETE FROM t", ROWS),
        ("MERGE INTO t USING u ON t.v = u.v WHEN MATCHED THEN DELETE", ROWS),
        ("COPY t FROM stdin;\n1\n2\n\\.\n", 2),
        ("COPY t FROM '/file'", ROWS),
    ],
)
def test_rows_changed_at_most(sql: str, rows: float) -> None:
    from dataclasses import replace

    from confiture_tui.core.sql.script import Script

    durations = Durations(GivenSizes({"public.t": ROWS * 100}), DEFAULT_RATES)
    one = forecast(1, works=[(WorkKind.WRITE, "public.t")], sql=sql.partition("\n")[0])
    one = replace(one, statement=Script.from_text(sql).statements[0])
    assert durations.rows(one) == rows


def test_no_write_no_rows() -> None:
    assert Durations(GivenSizes({}), DEFAULT_RATES).rows(forecast(1)) == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 ms"), (0.004, "4 ms"), (1.26, "1.3 s"), (34, "34 s"), (125, "2 min"), (7200, "2.0 h")],
)
def test_seconds_in_words(seconds: float, words: str) -> None:
    assert seconds_in_words(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(12, "12 bytes"), (3_200_000, "3.2 MB"), (14e9, "14 GB"), (999_600, "1 MB"), (2.5e12, "2.5 TB")],
)
def test_bytes_in_words(count: float, words: str) -> None:
    assert bytes_in_words(count) == words


KEYED = """
CREATE TABLE t (id int PRIMARY KEY, v int);
CREATE TABLE child (id int PRIMARY KEY, t_id int REFERENCES t ON DELETE CASCADE);
INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i;
INSERT INTO child SELECT i, 1 + i % 1000 FROM generate_series(1, 5000) i;
ANALYZE;
"""


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("UPDATE t SET v = 1 WHERE id = 7", 1),
        ("UPDATE t SET v = 1 WHERE v > 2 AND id IN (1, 2, 3)", 3),
        ("UPDATE t SET v = 1 WHERE id = 7 OR v = 1", 1000),
        ("UPDATE t SET v = 1 WHERE id IN (SELECT id FROM t ORDER BY id LIMIT 100)", 100),
        ("UPDATE t SET v = 1 WHERE v = 7", 1000),
        ("DELETE FROM child WHERE id = 1::int", 1),
        ("DELETE FROM t WHERE id = 7", 6),
    ],
)
def test_rows_chosen_by_a_key(database_from: Callable[[str], Dsn], sql: str, rows: float) -> None:
    with connect(database_from(KEYED)) as conn:
        catalog = Catalog.load(conn)
    (one,) = simulate(Migration.from_sql(sql), catalog=catalog).forecasts
    assert Durations(Sizes(catalog), DEFAULT_RATES).rows(one) == pytest.approx(rows)


TYPED = """
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int, s text);
INSERT INTO t (n, s) SELECT i, md5(i::text) FROM generate_series(1, 20000) i;
ANALYZE;
"""


def test_strings_take_longer_to_index_than_numbers_and_a_sequence_is_one_page(
    database_from: Callable[[str], Dsn],
) -> None:
    with connect(database_from(TYPED)) as conn:
        catalog = Catalog.load(conn)
    durations = Durations(Sizes(catalog), DEFAULT_RATES)

    def expected(sql: str) -> float:
        (one,) = simulate(Migration.from_sql(sql), catalog=catalog).forecasts
        return durations.of(one).expected

    for template in ("CREATE INDEX ON t ({})", "ALTER TABLE t ADD UNIQUE ({})"):
        assert expected(template.format("s")) > 1.5 * expected(template.format("n"))
        assert expected(template.format("n, s")) == expected(template.format("s"))
    assert expected("ALTER TABLE t ALTER id TYPE bigint") < 1, "it writes the table and the page of its sequence"
