"""What counts as a mismatch between prediction and observation, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from confiture_tui.core.effects.comparison import NAME_LISTS, compare
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import Basis, Effects, Failure, PossibleFailure, Reach, RelationLock

_LISTS: dict[str, tuple[Any, ...]] = dict.fromkeys(("locks", *NAME_LISTS), ())


def _predicted(**fields: Any) -> Effects:
    whole: dict[str, Any] = {"basis": Basis.CATALOG, "reach": Reach.COMPLETE, "opaque": False, **_LISTS}
    return Effects(**whole | {"transactional": True, "destroys_data": False, "changes_data": False} | fields)


def _observed(**fields: Any) -> Effects:
    whole: dict[str, Any] = {"basis": Basis.OBSERVED, "reach": Reach.COMPLETE, **_LISTS}
    return Effects(**whole | {"transactional": True, "destroys_data": False, "changes_data": False} | fields)


def _lock(name: str, mode: LockMode) -> tuple[RelationLock, ...]:
    return (RelationLock(relation=name, mode=mode),)


def test_the_same_is_no_mismatch() -> None:
    locks = _lock("public.t", LockMode.SHARE)
    assert compare(_predicted(locks=locks), _observed(locks=locks)) == ()


@pytest.mark.parametrize("field", NAME_LISTS)
def test_names_that_were_not_foreseen_understate_and_names_that_did_not_come_overstate(field: str) -> None:
    (more,) = compare(_predicted(), _observed(**{field: ("public.t",)}))
    assert (more.field, more.predicted, more.observed, more.understated) == (field, (), ("public.t",), True)
    (less,) = compare(_predicted(**{field: ("public.t",)}), _observed())
    assert (less.field, less.predicted, less.observed, less.understated) == (field, ("public.t",), (), False)


@pytest.mark.parametrize("side", ["predicted", "observed"])
@pytest.mark.parametrize("field", ["locks", *NAME_LISTS, "destroys_data", "changes_data", "transactional"])
def test_what_one_side_did_not_look_at_is_not_compared(field: str, side: str) -> None:
    locks = _lock("public.t", LockMode.SHARE)
    value = locks if field == "locks" else ("public.t",) if field in NAME_LISTS else field != "transactional"
    predicted, observed = _predicted(**{field: value}), _observed(**{field: value})
    if side == "predicted":
        assert compare(_predicted(**{field: None}), observed) == ()
    else:
        assert compare(predicted, _observed(**{field: None})) == ()


def test_a_stronger_lock_than_foreseen_understates_and_a_weaker_one_overstates() -> None:
    weak, strong = _lock("public.t", LockMode.SHARE), _lock("public.t", LockMode.ACCESS_EXCLUSIVE)
    (under,) = compare(_predicted(locks=weak), _observed(locks=strong))
    assert under.understated
    assert str(under) == "locks: predicted SHARE on public.t, observed ACCESS EXCLUSIVE on public.t"
    (over,) = compare(_predicted(locks=strong), _observed(locks=weak))
    assert not over.understated


def test_of_a_prediction_that_says_it_is_not_complete_more_is_no_mismatch_and_less_is() -> None:
    locks = _lock("public.t", LockMode.SHARE)
    assert compare(_predicted(reach=Reach.UNKNOWN), _observed(locks=locks, scans=("public.t",))) == ()
    assert compare(_predicted(reach=Reach.UNKNOWN, locks=locks), _observed())


def test_of_opaque_code_neither_more_nor_less_is_a_mismatch() -> None:
    locks = _lock("public.t", LockMode.SHARE)
    assert compare(_predicted(opaque=True), _observed(locks=locks, drops=("public.t",))) == ()
    assert compare(_predicted(opaque=True, locks=locks, drops=("public.t",)), _observed()) == ()


def test_of_an_observation_that_says_it_is_not_complete_less_is_no_mismatch_and_more_is() -> None:
    locks = _lock("public.t", LockMode.SHARE)
    assert compare(_predicted(locks=locks, scans=("public.t",)), _observed(reach=Reach.UNKNOWN)) == ()
    assert compare(_predicted(), _observed(reach=Reach.UNKNOWN, locks=locks))


def test_a_lock_that_an_earlier_statement_hides_is_no_mismatch() -> None:
    locks = _lock("public.t", LockMode.SHARE)
    assert compare(_predicted(locks=locks), _observed(), cumulative=True) == ()
    assert compare(_predicted(), _observed(locks=locks), cumulative=True)


def test_of_a_statement_that_failed_only_the_failure_is_compared() -> None:
    failure = Failure(sqlstate="42P07", message="relation exists")
    predicted = _predicted(fails=failure, locks=_lock("public.t", LockMode.SHARE), scans=("public.t",))
    assert compare(predicted, _observed(fails=failure, locks=())) == ()
    (other,) = compare(predicted, _observed(fails=Failure(sqlstate="42P01", message="no relation")))
    assert (other.field, other.predicted, other.observed) == ("fails", ("42P07",), ("42P01",))
    (none,) = compare(predicted, _observed())
    assert (none.field, none.understated) == ("fails", False)
    (unforeseen,) = compare(_predicted(), _observed(fails=failure))
    assert unforeseen.understated


def test_a_failure_that_was_said_to_be_possible_is_no_mismatch_whether_it_comes_or_not() -> None:
    predicted = _predicted(may_fail=(PossibleFailure(sqlstate="23502", why="there may be NULLs"),))
    assert compare(predicted, _observed()) == ()
    assert compare(predicted, _observed(fails=Failure(sqlstate="23502", message="null"))) == ()
    assert compare(predicted, _observed(fails=Failure(sqlstate="23505", message="duplicate")))


def test_data_that_are_lost_or_changed_against_the_prediction_understate_it() -> None:
    for field in ("destroys_data", "changes_data"):
        (under,) = compare(_predicted(), _observed(**{field: True}))
        assert (under.field, under.predicted, under.observed, under.understated) == (field, ("no",), ("yes",), True)
        (over,) = compare(_predicted(**{field: True}), _observed())
        assert not over.understated
    (refused,) = compare(_predicted(), _observed(transactional=False))
    assert (refused.field, refused.understated) == ("transactional", True)


def test_a_temporary_relation_has_the_name_of_its_session_on_the_server_only() -> None:
    assert compare(_predicted(creates=("pg_temp.t",)), _observed(creates=("pg_temp_12.t",))) == ()
    assert compare(_predicted(creates=("pg_temp.t",)), _observed(creates=("public.t",)))


def test_nothing_is_compared_with_what_nobody_looked_at() -> None:
    assert compare(Effects(), _observed(scans=("public.t",))) == ()
    assert compare(_predicted(scans=("public.t",)), Effects()) == ()
