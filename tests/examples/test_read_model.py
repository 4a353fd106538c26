"""The example project: a read model of many shops, added, filled and verified while they sell, and taken back."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.hooks.hook import Hook
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.registry import HookRegistry
from confiture_tui.core.hooks.result import HookResult
from confiture_tui.core.migrations.layouts import discover
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.core.runner.result import RunOutcome
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.database.connection import connect
from confiture_tui.events import Event, EventName
from tests.support.processes import until

if TYPE_CHECKING:
    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.database.dsn import Dsn

Connection = psycopg.Connection[Any]
QUICK = RunPolicy(pause_ms=10)

SHOPS = """
INSERT INTO tenant SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'shop ' || n FROM generate_series(1, 3) n;
INSERT INTO w_order (tenant_id, customer)
SELECT ('00000000-0000-0000-0000-00000000000' || 1 + n % 3)::uuid, 'customer ' || n % 50
FROM generate_series(1, 2000) n;
INSERT INTO w_order_line
SELECT tenant_id, order_id, line, 1 + line, 390 FROM w_order, generate_series(1, 2) line
"""
DIFFERENCES = """
SELECT count(*) FROM (SELECT tenant_id, order_id, customer, status, line_count, total_cents::bigint FROM v_order_list) s
FULL JOIN r_order_list r USING (tenant_id, order_id)
WHERE (s.customer, s.status, s.line_count, s.total_cents)
      IS DISTINCT FROM (r.customer, r.status, r.line_count, r.total_cents)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Path(__file__).parent / "read_model", tmp_path / "project"))


@pytest.fixture
def shops(conn: Connection, project: Path) -> tuple[Migration, Migration]:
    """The example's two migrations, the first of them applied, with some orders of three shops."""
    first, second = discover(project / "db/migrations").migrations
    assert MigrationRunner(conn, policy=QUICK).apply(first).ok
    conn.execute(SHOPS.encode())
    return first, second


class Selling:
    """The shops sell: orders are placed, get their lines, and are shipped."""

    def __init__(self, database: Dsn) -> None:
        self._database = database
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._sell, args=(number,)) for number in (1, 2, 3)]
        self.sold = [0, 0, 0, 0]
        self.errors: list[Exception] = []

    def __enter__(self) -> Selling:
        for thread in self._threads:
            thread.start()
        until(lambda: all(self.sold[1:]), "every shop sells")
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _sell(self, number: int) -> None:
        shop = f"00000000-0000-0000-0000-00000000000{number}"
        try:
            with connect(self._database, application_name="shop") as conn:
                while not self._over.wait(0.01):
                    with conn.transaction():
                        row = conn.execute(
                            "INSERT INTO w_order (tenant_id, customer) VALUES (%s, 'new') RETURNING order_id", (shop,)
                        ).fetchone()
                        assert row is not None
                        conn.execute("INSERT INTO w_order_line VALUES (%s, %s, 1, 2, 410)", (shop, row[0]))
                    conn.execute(
                        "UPDATE w_order SET status = 'shipped' WHERE tenant_id = %s AND order_id = %s",
                        (shop, row[0] - self.sold[number] * 7 % 1500),
                    )
                    self.sold[number] += 1
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.errors.append(error)


def count(conn: Connection, query: str) -> int:
    row = conn.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_it_is_added_filled_and_verified_while_the_shops_sell_and_taken_back(
    conn: Connection, database: Dsn, project: Path, shops: tuple[Migration, Migration]
) -> None:
    events: list[Event] = []
    runner = MigrationRunner(conn, policy=QUICK, sink=events.append, settings_file=project / "confiture.yaml")
    with Selling(database) as selling:
        result = runner.apply(shops[1])
        assert result.ok, result.migrations[0].error
        before = list(selling.sold)
        until(lambda: all(now > then for now, then in zip(selling.sold[1:], before[1:], strict=True)), "all go on")
        assert count(conn, DIFFERENCES) == 0
    assert selling.errors == []
    assert count(conn, DIFFERENCES) == 0
    assert count(conn, "SELECT count(DISTINCT tenant_id) FROM r_order_list") == 3
    hooks = {(one.hook, one.phase): one for one in result.migrations[0].hooks}
    backfill = hooks["backfill_read_model", HookPhase.AFTER_DDL]
    assert backfill.statistics["batches"] >= 4
    assert backfill.rows_affected >= 1990
    verified = hooks["verify_consistency", HookPhase.AFTER_VALIDATION].statistics
    assert (verified["tenants"], verified["missing"], verified["other tenant"]) == (3, 0, 0)
    assert ("lint_schema", HookPhase.AFTER_VALIDATION) in hooks
    assert [event.phase for event in events if event.name is EventName.PHASE_COMPLETED] == [
        "BEFORE_VALIDATION",
        "BEFORE_DDL",
        "AFTER_DDL",
        "AFTER_VALIDATION",
        "CLEANUP",
    ]
    with Selling(database) as selling:
        back = runner.rollback(shops[1])
    assert [one.outcome for one in back.migrations] == [RunOutcome.ROLLED_BACK], back.migrations[0].error
    assert selling.errors == []
    assert conn.execute("SELECT to_regclass('r_order_list')").fetchone() == (None,)
    (dumped,) = back.migrations[0].hooks
    assert dumped.statistics["tables"] == ["public.r_order_list"]
    assert Path(dumped.statistics["file"]).parent == project / "db/backups"


class LeakyBackfill(Hook):
    """Fills the read model and gives some rows of the first shop to the second."""

    name = "leaky_backfill"
    phase = HookPhase.AFTER_DDL

    def execute(self, conn: Connection, context: HookContext) -> HookResult:
        count = conn.execute(
            "INSERT INTO r_order_list SELECT CASE WHEN order_id % 100 = 0 "
            "THEN '00000000-0000-0000-0000-000000000002' ELSE tenant_id END, "
            "order_id, customer, status, line_count, total_cents FROM v_order_list"
        ).rowcount
        return HookResult(rows_affected=count)


@pytest.mark.parametrize("transactional", [True, False])
def test_a_hook_that_leaks_tenants_is_caught_by_verification(
    conn: Connection, project: Path, shops: tuple[Migration, Migration], transactional: bool
) -> None:
    declared = project / "db/migrations/002_order_list.hooks.yaml"
    leak = "  - hook: leaky_backfill\n"
    text = declared.read_text()
    begin, end = text.index("  # Makes transactions"), text.index("  - hook: verify_consistency")
    declared.write_text(text[:begin] + leak + text[end:])
    registry = HookRegistry()
    registry.register(type("Leaky", (LeakyBackfill,), {"transactional": transactional}))
    runner = MigrationRunner(conn, policy=QUICK, registry=registry, settings_file=project / "confiture.yaml")
    (one,) = runner.apply(shops[1]).migrations
    assert "of another tenant" in (one.error or "")
    assert "tenant_id 00000000-0000-0000-0000-000000000001" in (one.error or "")
    assert one.outcome is (RunOutcome.FAILED if transactional else RunOutcome.INTERRUPTED)
    there = conn.execute("SELECT to_regclass('r_order_list') IS NOT NULL").fetchone()
    assert there == (not transactional,)


def test_a_grave_finding_stops_it_before_it_begins(
    conn: Connection, project: Path, shops: tuple[Migration, Migration]
) -> None:
    conn.execute("CREATE TABLE w_note (tenant_id uuid NOT NULL, text text)")
    runner = MigrationRunner(conn, policy=QUICK, settings_file=project / "confiture.yaml")
    (one,) = runner.apply(shops[1]).migrations
    assert one.outcome is RunOutcome.FAILED
    assert "w_note" in (one.error or "")
    assert conn.execute("SELECT to_regclass('r_order_list')").fetchone() == (None,)
