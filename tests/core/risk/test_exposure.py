"""How long others wait: locks are held to the end of their transaction, and waited for before that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.risk.exposure import Exposure, Facts, exposures
from confiture_tui.core.risk.now import Traffic
from tests.core.risk.forecasts import forecast

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast

AE, S, SRE, SUE, RX = (
    LockMode.ACCESS_EXCLUSIVE,
    LockMode.SHARE,
    LockMode.SHARE_ROW_EXCLUSIVE,
    LockMode.SHARE_UPDATE_EXCLUSIVE,
    LockMode.ROW_EXCLUSIVE,
)


def exposed(
    forecasts: Sequence[Forecast],
    seconds: Mapping[int, float],
    *,
    waits: Mapping[str, float] | None = None,
    traffic: Mapping[str, Traffic] | None = None,
    growing: Mapping[int, tuple[str, ...]] | None = None,
    timeouts: Mapping[int, float] | None = None,
    rows: Mapping[int, Mapping[str, float]] | None = None,
) -> tuple[Exposure, ...]:
    return exposures(
        forecasts,
        Facts(
            seconds=lambda each: seconds.get(each.statement.index, 0.0),
            wait=lambda relation, _mode: (waits or {}).get(relation, 0.0),
            traffic=lambda relation: (traffic or {}).get(relation),
            growing=lambda each: (growing or {}).get(each.statement.index, ()),
            lock_timeout=lambda each: (timeouts or {}).get(each.statement.index),
            rows=lambda each: (rows or {}).get(each.statement.index, {}),
        ),
    )


def test_a_lock_is_held_to_the_end_of_its_transaction() -> None:
    (one,) = exposed([forecast(1), forecast(2, [("t", AE)]), forecast(3)], {1: 100, 2: 3, 3: 7})
    assert (one.statement, one.last, one.held_seconds, one.queue_seconds) == (2, 3, 10, 0)
    assert one.points == 65


def test_reindex_stops_readers_though_its_lock_on_the_table_does_not() -> None:
    busy = {"t": Traffic(99, 0, 0, 0, "")}
    (plain,) = exposed([forecast(1, [("t", S)], sql="REINDEX TABLE t")], {1: 10}, traffic=busy)
    (build,) = exposed([forecast(1, [("t", S)], sql="CREATE INDEX ON t (a)")], {1: 10}, traffic=busy)
    assert (plain.mode, plain.stops_readers, plain.points) == (S, True, 85)
    assert (build.mode, build.stops_readers, build.points) == (S, False, 65)
    assert exposed([forecast(1, [("t", SUE)], sql="REINDEX TABLE CONCURRENTLY t")], {1: 10}, traffic=busy) == ()


def test_statements_by_themselves_end_their_own_locks() -> None:
    alone = [forecast(1, [("t", AE)], transaction=None), forecast(2, [("t", AE)], transaction=5)]
    first, second = exposed(alone, {1: 4, 2: 6})
    assert (first.held_seconds, second.held_seconds) == (4, 6)
    assert max(first.points, second.points) == 65, "what others wait for one table adds up"


@pytest.mark.parametrize("mode", [SUE, RX, LockMode.ROW_SHARE, LockMode.ACCESS_SHARE])
def test_weak_locks_expose_nobody(mode: LockMode) -> None:
    assert exposed([forecast(1, [("t", mode)])], {1: 100}) == ()


def test_others_queue_behind_our_wait_and_lock_timeout_bounds_it() -> None:
    one = [forecast(1, [("t", AE)])]
    (waiting,) = exposed(one, {1: 0.001}, waits={"t": 30})
    (bounded,) = exposed(one, {1: 0.001}, waits={"t": 30}, timeouts={1: 2})
    assert (waiting.queue_seconds, bounded.queue_seconds) == (30, 2)
    assert waiting.points > bounded.points
    assert (waiting.bounded, bounded.bounded) == (False, True)


def test_who_waits_for_one_table_waits_on_while_we_wait_for_the_next() -> None:
    first, second = exposed([forecast(1, [("a", AE)]), forecast(2, [("b", AE)])], {1: 1, 2: 1}, waits={"b": 20})
    assert (first.relation, first.held_seconds) == ("a", 22)
    assert (second.relation, second.held_seconds, second.queue_seconds) == ("b", 1, 20)


def test_readers_wait_only_for_what_blocks_them() -> None:
    busy = {"t": Traffic(reads=1000, inserts=0, updates=0, deletes=0, source="")}
    (shared,) = exposed([forecast(1, [("t", S)])], {1: 10}, traffic=busy)
    (exclusive,) = exposed([forecast(1, [("t", AE)])], {1: 10}, traffic=busy)
    assert (shared.points, shared.waiting_per_second) == (65, 0)
    assert (exclusive.points, exclusive.waiting_per_second) == (95, 1000)


def test_a_lock_that_grows_stronger_lets_readers_wait_from_then_on() -> None:
    busy = {"t": Traffic(reads=1000, inserts=0, updates=0, deletes=0, source="")}
    (one,) = exposed([forecast(1, [("t", S)]), forecast(2, [("t", AE)])], {1: 100, 2: 0.1}, traffic=busy)
    assert one.mode is AE
    assert one.held_seconds == pytest.approx(100.1)
    (short,) = exposed([forecast(1, [("t", S)]), forecast(2, [("t", AE)])], {1: 1, 2: 1}, traffic=busy)
    assert short.held_seconds == 1, "the readers' second is worse than the writers' two"


def test_nobody_knows_the_traffic() -> None:
    assert exposed([forecast(1, [("t", AE)])], {1: 1})[0].waiting_per_second is None


def test_floors() -> None:
    brief = [forecast(1, [("t", AE)])]
    assert exposed(brief, {1: 0.001}, timeouts={1: 1})[0].points == 10
    assert exposed(brief, {1: 0.001})[0].points == 30
    (working,) = exposed(brief, {1: 0.001}, timeouts={1: 1}, growing={1: ("u",)})
    assert (working.points, working.work) == (30, ("u",))


def test_work_before_the_lock_is_none_of_its_business() -> None:
    both = [forecast(1), forecast(2, [("t", SRE)])]
    assert exposed(both, {2: 0.001}, timeouts={2: 1}, growing={1: ("u",)})[0].points == 10


def test_rows_that_others_update_stay_locked_to_the_end() -> None:
    busy = {"t": Traffic(reads=0, inserts=0, updates=9, deletes=0, source="")}
    both = [forecast(1), forecast(2)]
    (one,) = exposed(both, {1: 10, 2: 5}, rows={1: {"t": 1.0}}, traffic=busy)
    assert (one.mode, one.statement, one.last, one.held_seconds, one.waiting_per_second) == (RX, 1, 2, 15, 9)
    assert one.points == 80
    (few,) = exposed(both, {1: 10, 2: 5}, rows={1: {"t": 0.001}}, traffic=busy)
    assert few.points < 50


def test_nobody_waits_for_rows_that_nobody_updates() -> None:
    quiet = {"t": Traffic(reads=100, inserts=100, updates=0, deletes=0, source="")}
    assert exposed([forecast(1)], {1: 60}, rows={1: {"t": 1.0}}, traffic=quiet) == ()
    assert exposed([forecast(1)], {1: 60}, rows={1: {"t": 1.0}}) == ()


def test_thousands_of_statements_in_one_transaction() -> None:
    many = [forecast(1, [(f"t{number}", AE)]) for number in range(2_000)]
    assert len(exposed(many, {1: 0.001}, growing={1: ("u",)})) == 2_000
