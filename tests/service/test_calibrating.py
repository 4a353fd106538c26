"""How fast a server works: measured once, kept, corrected by what runs really took."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.risk.rates import DEFAULT_RATES, Rates, load_rates, rates_file, save_rates
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.events import Event, Level, discard
from confiture_tui.service.calibrating import base_rates, measure_once, rates_for
from confiture_tui.service.servers import Servers, ShadowServer
from tests.cli.test_commands import run

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return rates_file()


def measured(**changes: Any) -> Rates:
    return Rates(**{**{name: getattr(DEFAULT_RATES, name) for name in Rates.__slots__}, **changes})


def test_a_server_is_measured_once_and_nothing_of_that_stays(
    server: EmbeddedServer, conn: psycopg.Connection[Any], cache: Path
) -> None:
    told: list[Event] = []
    measure_once(server, told.append)
    kept = load_rates(conn.info.server_version)
    assert kept is not None
    assert kept.is_fresh
    assert [event.level for event in told] == [Level.DEBUG]
    first = cache.read_bytes()
    measure_once(server, told.append)
    assert cache.read_bytes() == first, "it is measured again in a month"
    left = conn.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'confiture_cal%'").fetchone()
    assert left == (0,)


def test_what_cannot_be_kept_is_told_and_harms_nobody(server: EmbeddedServer, cache: Path) -> None:
    cache.parent.parent.mkdir(exist_ok=True)
    cache.parent.write_text("a file where the directory would be")
    told: list[Event] = []
    measure_once(server, told.append)
    assert [event.level for event in told] == [Level.WARNING]
    assert "could not be measured" in told[0].message


def test_measured_rates_of_this_machine_are_vaguer_for_another_server(conn: psycopg.Connection[Any]) -> None:
    version = conn.info.server_version
    assert rates_for(None) == base_rates(version) == DEFAULT_RATES
    save_rates(version, measured(scan_row=1.0, spread=3.0, source="measured"))
    assert base_rates(version, ours=True).spread == 3.0
    elsewhere = base_rates(version)
    assert (elsewhere.scan_row, elsewhere.spread) == (1.0, DEFAULT_RATES.spread)
    assert elsewhere.source.startswith("measured; ")


FILL = "CREATE TABLE filled AS SELECT n, repeat('x', 50) AS t FROM generate_series(1, 100000) n;\nANALYZE filled;\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    migrations = tmp_path / "project/db/migrations"
    migrations.mkdir(parents=True)
    (migrations / "001_index.up.sql").write_text("ALTER TABLE filled ADD COLUMN u uuid DEFAULT gen_random_uuid();\n")
    (migrations / "001_index.down.sql").write_text("ALTER TABLE filled DROP COLUMN u;\n")
    return migrations.parent.parent


def test_the_journal_keeps_what_was_expected_beside_what_it_took(
    project: Path, database: Dsn, conn: psycopg.Connection[Any]
) -> None:
    conn.execute(FILL.encode())
    done = run(project, "apply", "--yes", dsn=database)
    assert done.returncode == 0, done.stderr
    row = conn.execute("SELECT expected_ms, expected_by, took_ms FROM tb_confiture_journal").fetchone()
    assert row is not None
    expected, by, took = row
    assert by == DEFAULT_RATES.source
    assert expected > 10
    assert took > 1
    conn.execute("UPDATE tb_confiture_journal SET expected_ms = 100, took_ms = 300")
    corrected = rates_for(conn)
    assert corrected.rewrite_row == pytest.approx(3 * DEFAULT_RATES.rewrite_row)
    (project / "db/migrations/002_again.up.sql").write_text("ALTER TABLE filled ALTER n TYPE bigint;\n")
    document = json.loads(run(project, "assess", "--format", "json", dsn=database).stdout)
    assert "corrected by 1 earlier run" in document["migrations"][0]["estimate"]["source"]


def test_runs_that_other_rates_expected_correct_nothing(conn: psycopg.Connection[Any]) -> None:
    assert rates_for(conn) == DEFAULT_RATES, "there is no journal"
    conn.execute(
        "CREATE TABLE tb_confiture (version text, applied_at timestamptz);"
        "CREATE TABLE tb_confiture_journal (id int, state text)"
    )
    assert rates_for(conn) == DEFAULT_RATES, "it is of an older release"
    conn.execute(
        "ALTER TABLE tb_confiture_journal ADD expected_ms float, ADD expected_by text, ADD took_ms float;"
        "INSERT INTO tb_confiture_journal VALUES (1, 'done', 100, 'other rates', 300)"
    )
    assert rates_for(conn) == DEFAULT_RATES


def test_assess_measures_when_it_is_asked_to_and_not_otherwise(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "x.sql").write_text("SELECT 1;\n")
    assert run(tmp_path, "assess", "x.sql", XDG_CACHE_HOME=str(tmp_path / "cache")).returncode == 0
    assert not cache.exists()
    assert run(tmp_path, "assess", "x.sql", "--calibrate", XDG_CACHE_HOME=str(tmp_path / "cache")).returncode == 0
    assert cache.exists()


def test_what_is_done_with_a_shadow_s_server_besides_keeps_nobody_waiting() -> None:
    may_go_on, done = threading.Event(), threading.Event()

    def afterwards(server: EmbeddedServer) -> None:
        assert server.is_running
        if may_go_on.wait(60):
            done.set()

    servers = Servers(None)
    shadow = ShadowServer(
        servers, sink=discard, server_sink=discard, prepare=lambda _server: None, afterwards=afterwards
    )
    try:
        assert shadow.get(CancelScope()).is_running
        may_go_on.set()
        assert not done.is_set()  # nobody has what he needs yet: what is kept must not hold what is done besides
        shadow.served()
        assert done.wait(60)
    finally:
        servers.close()
