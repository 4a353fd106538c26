"""The backfill of a read model, on a real server."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from confiture_tui.core.hooks.builtin.backfill_progress import TABLE
from confiture_tui.core.hooks.context import HookContext
from confiture_tui.core.hooks.error import HookError
from confiture_tui.core.hooks.registry import HookRegistry
from confiture_tui.core.migrations.model import Migration
from confiture_tui.events import Event, EventName
from tests.core.hooks.shop import QUERY, VERIFY, Connection, backfill, one, run


def test_backfill_fills_the_read_model_in_batches(shop: Connection) -> None:
    events: list[Event] = []
    result = run(shop, "backfill_read_model", backfill(), context=HookContext(sink=events.append))
    assert result.rows_affected == 2000
    assert result.statistics["batches"] == 7
    assert len([event for event in events if event.name is EventName.HOOK_PROGRESS]) == 7
    assert one(shop, f"SELECT to_regclass('{TABLE}')") is None, "a finished backfill leaves nothing behind"
    assert run(shop, "verify_consistency", VERIFY).statistics["rows"] == 2000


@pytest.mark.parametrize("keys", [{}, {"keys_from": "w_order"}], ids=["its own keys", "the table's keys"])
@pytest.mark.parametrize("batch_rows", [1999, 2000, 2001])
def test_backfill_leaves_nothing_out_at_the_end_of_a_batch(
    shop: Connection, batch_rows: int, keys: dict[str, str]
) -> None:
    assert run(shop, "backfill_read_model", backfill(batch_rows=batch_rows, **keys)).rows_affected == 2000


def test_backfill_goes_by_keys_of_every_length(shop: Connection) -> None:
    shop.execute(
        "CREATE TABLE coded (code char(4) PRIMARY KEY); CREATE TABLE r_coded (code char(4) PRIMARY KEY);"
        "INSERT INTO coded SELECT lpad(n::text, 4, '0') FROM generate_series(1, 30) n"
    )
    options = {"query": "SELECT code FROM coded", "target": "r_coded", "key": "code", "batch_rows": 10, "pause_ms": 0}
    assert run(shop, "backfill_read_model", {**options, "on_conflict": "update"}).rows_affected == 30
    assert run(shop, "backfill_read_model", {**options, "on_conflict": "update"}).rows_affected == 0


def test_backfill_goes_on_where_a_failure_stopped_it(shop: Connection) -> None:
    shop.execute("ALTER TABLE r_order ADD CHECK (order_id <> 1500)")
    context = HookContext(migration=Migration.from_sql("", version="007"))
    with pytest.raises(HookError, match="What it had committed until then stands"):
        run(shop, "backfill_read_model", backfill(), context=context)
    assert one(shop, "SELECT count(*) FROM r_order") == 1200
    assert one(shop, f"SELECT last_key FROM {TABLE} WHERE migration = '007'") == "1200"
    run(shop, "backfill_read_model", backfill(key="order_id", on_conflict="update", query=f"{QUERY}\nWHERE false"))
    assert one(shop, f"SELECT count(*) FROM {TABLE}") == 1, "another backfill is still to be gone on with"
    shop.execute("ALTER TABLE r_order DROP CONSTRAINT r_order_order_id_check")
    assert run(shop, "backfill_read_model", backfill(), context=context).rows_affected == 800
    run(shop, "verify_consistency", VERIFY)


def test_backfill_keeps_what_the_application_has_written(shop: Connection) -> None:
    shop.execute("INSERT INTO r_order VALUES (7, 2, 0)")
    run(shop, "backfill_read_model", backfill())
    assert one(shop, "SELECT total FROM r_order WHERE order_id = 7") == 0
    run(shop, "backfill_read_model", backfill(on_conflict="update"))
    assert one(shop, "SELECT total FROM r_order WHERE order_id = 7") == 10.5
    with pytest.raises(HookError, match="23505"):
        run(shop, "backfill_read_model", backfill(on_conflict="error"))


def test_backfill_that_leaks_tenants_is_stopped_before_it_commits(shop: Connection) -> None:
    shop.execute("INSERT INTO r_order VALUES (650, 99, 0)")
    with pytest.raises(HookError, match="one tenant would see another's data"):
        run(shop, "backfill_read_model", backfill())
    assert one(shop, "SELECT count(*) FROM r_order") == 601, "two batches, and what was there"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"query": "DELETE FROM w_order RETURNING *"}, "not one SELECT"),
        ({"query": "SELECT 1; SELECT 2"}, "not one SELECT"),
        ({"query": "SELECT FROM WHERE"}, "syntax error"),
        ({"query": "SELECT order_id, order_id FROM w_order"}, "the name order_id"),
        ({"query": "SELECT * INTO x FROM w_order"}, "only read"),
        ({"query": "SELECT no_such FROM w_order"}, "no_such"),
        ({"key": "nothing"}, "does not give"),
        ({"tenant_column": "nothing"}, "does not give"),
        ({"target": "nowhere"}, "no table called nowhere"),
        ({"keys_from": "nowhere"}, "no table or view called nowhere"),
        ({"keys_from": '"Odd ""Name"'}, "order_id does not exist"),
        ({"query": "SELECT NULLIF(order_id, 5) AS order_id, tenant_id, total FROM w_order"}, "is NULL"),
    ],
)
def test_backfill_refuses_what_cannot_work(shop: Connection, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(HookError, match=why):
        run(shop, "backfill_read_model", backfill(**changes))
    assert one(shop, "SELECT count(*) FROM r_order") == 0
    assert one(shop, "SELECT count(*) FROM w_order") == 2000


def test_options_are_checked_before_anything_runs() -> None:
    kind = HookRegistry().load("backfill_read_model")
    with pytest.raises(ValidationError, match="batch_row"):
        kind.Options.model_validate(backfill(batch_row=3))
