"""Rates: measured, kept, corrected."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.risk.calibration import calibrate
from confiture_tui.core.risk.rates import DEFAULT_RATES, Rates, load_rates, save_rates
from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    import psycopg


def test_what_is_kept_is_found_again_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "rates.json"
    slower = DEFAULT_RATES.corrected_by([(100, 300)])
    save_rates(180006, DEFAULT_RATES, path)
    save_rates(140023, slower, path)
    found = load_rates(180006, path)
    assert found is not None
    assert (found.rates, found.server_version_num, found.is_fresh) == (DEFAULT_RATES, 180006, True)
    nearest = load_rates(150000, path)
    assert nearest is not None
    assert nearest.rates == slower, "with a server of another version it is about the same machine"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_another_machine_s_rates_and_old_ones_are_not_today_s(tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    save_rates(180006, DEFAULT_RATES, path)
    ((machine, kept),) = json.loads(path.read_text()).items()
    path.write_text(json.dumps({f"not {machine}": kept}))
    assert load_rates(180006, path) is None
    kept["180006"]["measured_at"] = "2001-01-01T00:00:00+00:00"
    path.write_text(json.dumps({machine: kept}))
    old = load_rates(180006, path)
    assert old is not None
    assert not old.is_fresh


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"1": 2}', '{"1": {"overhead": 1}}'])
def test_a_file_that_is_not_ours_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "rates.json"
    path.write_text(content)
    assert load_rates(1, path) is None
    save_rates(1, DEFAULT_RATES, path)
    assert load_rates(1, path) is not None


@pytest.mark.parametrize(
    ("name", "value"), [("scan_row", "fast"), ("scan_row", -1), ("spread", 0), ("source", 1), ("more", 1)]
)
def test_nonsense_in_the_file_is_not_believed(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "rates.json"
    save_rates(1, DEFAULT_RATES, path)
    ((machine, kept),) = json.loads(path.read_text()).items()
    kept["1"]["rates"][name] = value
    path.write_text(json.dumps({machine: kept}))
    assert load_rates(1, path) is None


def test_earlier_runs_correct_the_rates_by_the_median() -> None:
    corrected = DEFAULT_RATES.corrected_by([(100, 200), (100, 300), (100, 100_000), (1, 999)])
    assert corrected.scan_row == pytest.approx(3 * DEFAULT_RATES.scan_row)
    assert corrected.spread == DEFAULT_RATES.spread
    assert "3 earlier runs" in corrected.source
    assert DEFAULT_RATES.corrected_by([(1, 2)]) is DEFAULT_RATES


def test_a_run_gone_mad_corrects_tenfold_at_most() -> None:
    assert DEFAULT_RATES.corrected_by([(100, 1e9)]).scan_row == pytest.approx(10 * DEFAULT_RATES.scan_row)


def test_calibration_measures_everything_and_leaves_nothing(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    rates = calibrate(conn)
    costs = {each.name: getattr(rates, each.name) for each in fields(Rates) if each.name != "source"}
    assert all(cost > 0 for cost in costs.values()), costs
    assert "measured" in rates.source
    assert conn.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'confiture%'").fetchone() == (0,)


def test_calibration_touches_nothing_that_is_there(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    conn.execute("CREATE SCHEMA confiture_calibration")
    with pytest.raises(ConfitureError, match="throw-away"):
        calibrate(conn)
    assert conn.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'confiture_calibration'").fetchone() == (1,)


def test_calibration_wants_a_connection_to_itself(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    conn.autocommit = False
    conn.execute("SELECT 1")
    with pytest.raises(ConfitureError, match="idle"):
        calibrate(conn)
