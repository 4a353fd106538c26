"""How far an assessment can be trusted: computed, never a constant."""

from __future__ import annotations

from confiture_tui.core.effects.model import Basis, Reach
from confiture_tui.core.risk.confidence import confidence
from confiture_tui.core.risk.sizes import TableSize
from tests.core.risk.forecasts import PossibleFailure, forecast


def size(*, fresh: bool, known: bool = True) -> TableSize:
    return TableSize("public.t", 1, 1, 0, known, fresh, False, False, "")


def test_nothing_to_doubt() -> None:
    assert confidence([], []) == 1


def test_the_better_the_basis_the_surer() -> None:
    values = [
        confidence([forecast(1, basis=basis).effects], [])
        for basis in (None, Basis.ASSUMED, Basis.CATALOG, Basis.OBSERVED)
    ]
    assert values == sorted(set(values))
    assert values[0] == 0


def test_every_doubt_costs() -> None:
    sure = confidence([forecast(1).effects], [size(fresh=True)])
    doubts = [
        confidence([forecast(1, opaque=True).effects], [size(fresh=True)]),
        confidence([forecast(1, reach=Reach.UNKNOWN).effects], [size(fresh=True)]),
        confidence([forecast(1, may_fail=(PossibleFailure(sqlstate="23502", why=""),)).effects], [size(fresh=True)]),
        confidence([forecast(1).effects], [size(fresh=False)]),
        confidence([forecast(1).effects, forecast(2, basis=None).effects], [size(fresh=True)]),
    ]
    assert all(0 < each < sure < 1 for each in doubts)


def test_a_table_that_is_not_known_is_not_stale() -> None:
    assert confidence([forecast(1).effects], [size(fresh=False, known=False)]) == confidence([forecast(1).effects], [])
