"""The hooks that come with the house, on a real server."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.hooks.context import CancelFlag, HookContext
from confiture_tui.core.hooks.error import HookError
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookOutcome
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.sql.script import Script
from confiture_tui.database.connection import connect, connect_beside
from confiture_tui.database.embedded.binaries import find_binaries
from confiture_tui.errors import Cancelled
from tests.core.hooks.shop import VERIFY, Connection, backfill, one, run

if TYPE_CHECKING:
    from confiture_tui.events import Event
    from tests.support.databases import Databases


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("DELETE FROM r_order WHERE order_id = 3", "tenant_id 1: 1 missing"),
        ("INSERT INTO r_order VALUES (9999, 2, 0)", "tenant_id 2: 1 too many"),
        ("UPDATE r_order SET total = 0 WHERE order_id = 3", "1 different"),
        ("UPDATE r_order SET tenant_id = 3 WHERE order_id = 3", "of another tenant"),
    ],
)
def test_verification_finds_every_difference(shop: Connection, damage: str, why: str) -> None:
    run(shop, "backfill_read_model", backfill())
    shop.execute(damage.encode())
    with pytest.raises(HookError, match=why):
        run(shop, "verify_consistency", VERIFY)


def test_verification_finds_sums_that_differ_where_rows_are_not_compared(shop: Connection) -> None:
    run(shop, "backfill_read_model", backfill())
    shop.execute("UPDATE r_order SET total = total + 1 WHERE order_id = 3")
    only_keys = {**VERIFY, "columns": []}
    with pytest.raises(HookError, match=r"tenant_id 1: the sum of total is 999500\.5 and not 999499\.5"):
        run(shop, "verify_consistency", only_keys)
    assert run(shop, "verify_consistency", {**only_keys, "ignore_extra": True}).statistics["different"] == 0


def test_verification_adds_up(shop: Connection) -> None:
    run(shop, "backfill_read_model", backfill())
    statistics = run(shop, "verify_consistency", VERIFY).statistics
    assert statistics["tenants"] == 3
    total = str(one(shop, "SELECT sum(total) FROM w_order"))
    assert statistics["sum of total"] == {"source": total, "target": total}


def test_statistics_are_captured_and_compared(shop: Connection) -> None:
    context = HookContext()
    options = {"tables": ["r_order", '"Odd ""Name"'], "exact": True}
    run(shop, "capture_statistics", options, context=context)
    shop.execute("INSERT INTO r_order VALUES (1, 1, 1), (2, 1, 1)")
    result = run(shop, "capture_statistics", options, phase=HookPhase.AFTER_DDL, context=context)
    assert result.statistics["r_order"]["rows"] == 2
    assert "r_order: +2 rows" in result.message


def test_analyze_refreshes_statistics(shop: Connection) -> None:
    assert one(shop, "SELECT reltuples FROM pg_class WHERE relname = 'w_order'") == -1
    run(shop, "analyze_tables", {"tables": ["w_order"]})
    assert one(shop, "SELECT reltuples FROM pg_class WHERE relname = 'w_order'") == 2000
    with pytest.raises(HookError, match="no table called nowhere"):
        run(shop, "analyze_tables", {"tables": ["nowhere"]}, phase=HookPhase.AFTER_DDL)


def test_an_index_is_rebuilt_and_what_a_failure_left_is_dropped(shop: Connection) -> None:
    before = one(shop, "SELECT pg_relation_filenode('r_order_tenant')")
    shop.execute("CREATE INDEX r_order_tenant_ccnew ON r_order (tenant_id)")
    shop.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'r_order_tenant_ccnew'::regclass")
    result = run(shop, "rebuild_index", {"indexes": ["r_order_tenant"]}, phase=HookPhase.AFTER_DDL)
    assert result.statistics == {"indexes": 1, "left_overs_dropped": 1}
    assert one(shop, "SELECT pg_relation_filenode('r_order_tenant')") != before
    assert one(shop, "SELECT to_regclass('r_order_tenant_ccnew')") is None


def context_of(tmp_path: Path, text: str, **rest: Any) -> HookContext:
    """Of a migration whose file would be in a directory of its own."""
    path = tmp_path / "migrations" / "007_away.up.sql"
    return HookContext(migration=Migration.from_sql(text, version="007", name="away", path=path), **rest)


DESTROYS = 'ALTER TABLE w_order DROP COLUMN note;\nCREATE TABLE new (id int);\nDROP TABLE new, "Odd ""Name";'


def test_what_a_migration_destroys_is_dumped_and_can_be_had_back(
    shop: Connection, tmp_path: Path, databases: Databases
) -> None:
    result = run(shop, "backup_tables", {}, context=context_of(tmp_path, DESTROYS))
    assert result.statistics["tables"] == ['public."Odd ""Name"', "public.w_order"]
    file = Path(result.statistics["file"])
    assert file.parent == tmp_path / "backups"
    assert file.name.startswith("007_away-")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    place = databases.fresh()
    restore = find_binaries(None).client("pg_restore")
    assert restore is not None
    subprocess.run([restore, "--no-owner", f"--dbname={place.conninfo()}", file], check=True)
    with connect(place) as other:
        assert one(other, "SELECT count(note) FROM w_order") == 2000


def test_partitions_are_dumped_with_their_table_and_the_way_back_is_a_direction_too(
    shop: Connection, tmp_path: Path
) -> None:
    shop.execute(
        "CREATE TABLE diary (at date) PARTITION BY RANGE (at); CREATE TABLE diary_2026 PARTITION OF diary DEFAULT; "
        "CREATE MATERIALIZED VIEW sold AS SELECT 1 AS n"
    )
    context = context_of(tmp_path, "SELECT 1", direction="backward")
    assert context.migration is not None
    down = Script("DROP TABLE diary;\nTRUNCATE w_order;")
    context.migration = context.migration.model_copy(update={"down": down})
    result = run(shop, "backup_tables", {"directory": str(tmp_path)}, context=context)
    assert result.statistics["tables"] == ["public.diary", "public.diary_2026", "public.w_order"]
    named = run(shop, "backup_tables", {"directory": str(tmp_path), "tables": ["sold"]}, context=context)
    assert named.statistics["tables"] == ["public.sold"]


@pytest.mark.parametrize(
    "text", ["CREATE TABLE new (id int)", "UPDATE w_order SET note = NULL", "DROP TABLE IF EXISTS x"]
)
def test_where_nothing_is_destroyed_nothing_is_dumped(shop: Connection, tmp_path: Path, text: str) -> None:
    result = run(shop, "backup_tables", {}, context=context_of(tmp_path, text))
    assert result.statistics == {"tables": []}
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_told_must_be_named(shop: Connection, tmp_path: Path) -> None:
    shop.execute(
        "CREATE FUNCTION sweep(away text) RETURNS void LANGUAGE plpgsql AS $$BEGIN EXECUTE 'DROP TABLE ' || away; END$$"
    )
    context = context_of(tmp_path, "SELECT 1;\nSELECT sweep('r_order');")
    with pytest.raises(HookError, match="line 2: what SELECT destroys cannot be told beforehand: name the tables"):
        run(shop, "backup_tables", {}, context=context)
    result = run(shop, "backup_tables", {"tables": ["r_order"]}, context=context)
    assert result.statistics["tables"] == ["public.r_order"]


def test_a_dump_that_cannot_be_made_stops_the_migration_and_leaves_no_file(shop: Connection, tmp_path: Path) -> None:
    context = context_of(tmp_path, "DROP TABLE w_order")
    (tmp_path / "file").write_text("")
    with pytest.raises(HookError, match=r"cannot be used: (Not a directory|File exists)"):
        run(shop, "backup_tables", {"directory": str(tmp_path / "file" / "x")}, context=context)
    with pytest.raises(HookError, match="there is no table called nowhere"):
        run(shop, "backup_tables", {"tables": ["nowhere"]}, context=context)
    with connect_beside(shop) as other:
        other.execute("BEGIN; LOCK TABLE w_order")
        with pytest.raises(HookError, match="canceling statement due to lock timeout"):
            run(shop, "backup_tables", {}, context=context)
    assert not (tmp_path / "backups").exists()


def test_a_dump_needs_room(shop: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = SimpleNamespace(total=10**6, used=10**6 - 1_000, free=1_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: full)
    with pytest.raises(HookError, match=r"has 0\.0 MB free, and the tables take 0\.\d MB"):
        run(shop, "backup_tables", {}, context=context_of(tmp_path, "DROP TABLE w_order"))
    assert list((tmp_path / "backups").iterdir()) == []


def programs(tmp_path: Path, program: str, script: str) -> dict[str, str]:
    """Options that name PostgreSQL's programs, one of which is a script; ``{real}`` is where that one is."""
    real = find_binaries(None).directory
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    for name in ("initdb", "postgres", "pg_dump", "pg_restore"):
        (bin_dir / name).symlink_to(real / name)
    (tmp_path / "lib").symlink_to(real.parent / "lib")
    (tmp_path / "share").symlink_to(real.parent / "share")
    (bin_dir / program).unlink()
    (bin_dir / program).write_text(f"#!/bin/sh\n{script.format(real=real)}\n")
    (bin_dir / program).chmod(0o755)
    return {"pg_bin": str(bin_dir)}


@pytest.mark.parametrize(
    ("program", "script"),
    [
        ("pg_dump", '{real}/pg_dump "$@" | head -c 3000'),
        ("pg_restore", "{real}/pg_restore \"$@\" | grep -v 'TABLE DATA'"),
    ],
)
def test_a_dump_that_is_not_whole_is_found_out(shop: Connection, tmp_path: Path, program: str, script: str) -> None:
    """Programs that write, or read, only part of a dump: the file must not pass."""
    options = programs(tmp_path, program, script)
    with pytest.raises(HookError, match=r"cannot be read back|does not hold public\.w_order"):
        run(shop, "backup_tables", options, context=context_of(tmp_path, "DROP TABLE w_order"))
    assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.parametrize("program", ["pg_dump", "pg_restore"])
def test_a_program_that_does_not_end_can_be_cancelled(shop: Connection, tmp_path: Path, program: str) -> None:
    begun = tmp_path / "begun"
    options = programs(tmp_path, program, f"touch {begun}; exec sleep 100")
    context = context_of(tmp_path, "DROP TABLE w_order", cancelled=CancelFlag(begun.exists))
    with pytest.raises(Cancelled):
        run(shop, "backup_tables", options, context=context)
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_dry_run_makes_no_dump(shop: Connection, tmp_path: Path) -> None:
    context = context_of(tmp_path, "DROP TABLE w_order", dry_run=True, on_shadow=True)
    assert run(shop, "backup_tables", {}, context=context).outcome is HookOutcome.NOT_EXERCISED
    assert list(tmp_path.iterdir()) == []


SETTINGS = "linting:\n  rules:\n    primary-key: {severity: error}\n"


def test_a_schema_with_grave_findings_is_not_built_upon(shop: Connection, tmp_path: Path) -> None:
    settings = tmp_path / "confiture.yaml"
    settings.write_text(SETTINGS)
    context = HookContext(settings_file=settings)
    with pytest.raises(HookError, match=r"1 findings of severity error or graver: primary-key: .*Odd"):
        run(shop, "lint_schema", {}, context=context)
    shop.execute('ALTER TABLE "Odd ""Name" ADD PRIMARY KEY (id)')
    result = run(shop, "lint_schema", {}, context=context)
    assert result.statistics["error"] == 0
    with pytest.raises(HookError, match="severity info or graver"):
        run(shop, "lint_schema", {"fail_on": "info"}, context=context)


def test_only_what_the_migration_adds_can_be_meant(shop: Connection, tmp_path: Path) -> None:
    settings = tmp_path / "confiture.yaml"
    settings.write_text(SETTINGS)
    context = HookContext(settings_file=settings)
    with pytest.raises(HookError):
        run(shop, "lint_schema", {}, context=context)
    new = {"only_new": True, "rules": ["primary-key"]}
    assert run(shop, "lint_schema", new, phase=HookPhase.AFTER_VALIDATION, context=context).statistics["error"] == 0
    shop.execute("CREATE TABLE keyless (id int)")
    with pytest.raises(HookError, match=r"1 findings .*keyless"):
        run(shop, "lint_schema", new, phase=HookPhase.AFTER_VALIDATION, context=context)


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    file = tmp_path / "queries.sql"
    file.write_text("SELECT * FROM r_order WHERE order_id = $1;\n\n-- a list\nSELECT note FROM w_order;\n")
    return file


def test_application_queries_that_still_work(shop: Connection, queries: Path) -> None:
    result = run(shop, "test_application_queries", {"file": str(queries)})
    assert result.statistics["queries"] == 2
    assert list(result.statistics["plans"]) == ["queries.sql, line 1", "queries.sql, line 4"]


def test_planning_queries_leaves_the_migrations_settings_alone(shop: Connection, queries: Path) -> None:
    with shop.transaction():
        run(shop, "test_application_queries", {"file": str(queries)})
        assert one(shop, "SHOW plan_cache_mode") == "auto"


def test_an_application_query_that_a_migration_breaks_stops_it(shop: Connection, queries: Path) -> None:
    migration = Migration.from_sql("", version="8", path=queries.parent / "8_x.up.sql")
    shop.execute("BEGIN; ALTER TABLE w_order DROP COLUMN note")
    with pytest.raises(HookError, match=r"queries\.sql, line 4: .*does not work any more"):
        run(shop, "test_application_queries", {"file": "queries.sql"}, context=HookContext(migration=migration))
    shop.execute("ROLLBACK")


def test_a_plan_that_became_worse_is_told_and_can_stop_it(shop: Connection, queries: Path) -> None:
    events: list[Event] = []
    context = HookContext(sink=events.append)
    run(shop, "backfill_read_model", backfill())
    shop.execute("ANALYZE")
    run(shop, "test_application_queries", {"file": str(queries)}, phase=HookPhase.BEFORE_DDL, context=context)
    shop.execute("ALTER TABLE r_order DROP CONSTRAINT r_order_pkey")
    run(shop, "test_application_queries", {"file": str(queries)}, context=context)
    assert any("from end to end now: Seq Scan r_order" in event.message for event in events)
    context.statistics.clear()
    shop.execute("ALTER TABLE r_order ADD PRIMARY KEY (order_id)")
    run(shop, "test_application_queries", {"file": str(queries)}, phase=HookPhase.BEFORE_DDL, context=context)
    shop.execute("ALTER TABLE r_order DROP CONSTRAINT r_order_pkey")
    with pytest.raises(HookError, match="Seq Scan r_order"):
        run(shop, "test_application_queries", {"file": str(queries), "max_cost_factor": 1.5}, context=context)


@pytest.mark.parametrize(
    ("content", "why"),
    [("", "no query"), ("SELECT 1;\nSELEC 2", "line 2"), ("DROP TABLE w_order", "no query that can be planned")],
)
def test_a_file_of_queries_that_is_none_is_refused(shop: Connection, tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "queries.sql"
    file.write_text(content)
    with pytest.raises(HookError, match=why):
        run(shop, "test_application_queries", {"file": str(file)})
    with pytest.raises(HookError, match="cannot be read"):
        run(shop, "test_application_queries", {"file": str(tmp_path / "absent.sql")})
