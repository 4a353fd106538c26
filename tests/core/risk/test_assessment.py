"""What the facts alone say: every point has its fact, and worse facts never give fewer points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import Reach
from confiture_tui.core.risk.context import Live
from confiture_tui.core.risk.model import Category, Level, Risk, Severity
from confiture_tui.core.risk.now import OpenTransaction, Traffic
from confiture_tui.core.risk.rule import RiskRule, RuleContext
from tests.core.risk.forecasts import Failure, PossibleFailure, WorkKind, assess, context, forecast

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast

AE = LockMode.ACCESS_EXCLUSIVE
relations = st.sampled_from(["public.a", "public.b", "public.c"])
locks = st.lists(st.tuples(relations, st.sampled_from(LockMode)), max_size=3)
works = st.lists(st.tuples(st.sampled_from(WorkKind), relations), max_size=3)
effects = st.fixed_dictionaries(
    {},
    optional={
        "destroys_data": st.sampled_from([True, False, None]),
        "opaque": st.booleans(),
        "reach": st.sampled_from(Reach),
        "fails": st.just(Failure(sqlstate="42P01", message="no")),
        "may_fail": st.just((PossibleFailure(sqlstate="23502", why="NULLs"),)),
        "drops": st.just(("public.a",)),
    },
)
statement = st.tuples(locks, works, effects, st.sampled_from([0, 0, 0, 1, None]))
sizes = st.dictionaries(relations, st.integers(0, 10**12))


def made(listed: Iterable[tuple[Any, Any, Any, Any]]) -> list[Forecast]:
    """The statements, with transactions one after the other."""
    found: list[Forecast] = []
    latest = 0
    for index, (taken, done, others, transaction) in enumerate(listed, start=1):
        latest = latest if transaction == 0 else index
        number = None if transaction is None else latest
        found.append(forecast(index, taken, done, transaction=number, **others))
    return found


@given(st.lists(statement, max_size=4), sizes)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_point_names_its_risk_its_statement_and_its_fact(listed: list[Any], given_sizes: dict[str, int]) -> None:
    found = assess(made(listed), given_sizes)
    for category, value in found.categories.items():
        worst = max((risk.points for risk in found.risks if risk.category is category), default=0)
        assert value == worst
    for risk in found.risks:
        assert risk.message
        assert risk.category is Category.REVERSIBILITY or risk.statement in range(1, len(listed) + 1)


@given(st.lists(statement, min_size=1, max_size=4), sizes, relations, st.integers(0, 10**12))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_bigger_table_never_lowers_a_score(
    listed: list[Any], given_sizes: dict[str, int], relation: str, more: int
) -> None:
    before = assess(made(listed), given_sizes)
    after = assess(made(listed), {**given_sizes, relation: given_sizes.get(relation, 0) + more})
    assert after.score >= before.score
    assert all(after.categories[each] >= before.categories[each] for each in Category)


@given(st.lists(statement, min_size=1, max_size=4), sizes, relations, st.floats(0, 1e5), st.floats(0, 1e5))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_busier_table_never_lowers_a_score(
    listed: list[Any], given_sizes: dict[str, int], relation: str, reads: float, writes: float
) -> None:
    quiet = Live({}, {relation: Traffic(1, 1, 0, 0, "")})
    reader = OpenTransaction(relation, LockMode.ACCESS_SHARE, 1, writes, "active", "", False)
    busy = Live({relation: (reader,)}, {relation: Traffic(1 + reads, 1 + writes, 0, 0, "")})
    before, after = (assess(made(listed), given_sizes, live=live) for live in (quiet, busy))
    assert after.score >= before.score


@given(st.lists(statement, max_size=4), statement, sizes)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_one_more_statement_never_lowers_a_score(listed: list[Any], one_more: Any, given_sizes: dict[str, int]) -> None:
    before, after = assess(made(listed), given_sizes), assess(made([*listed, one_more]), given_sizes)
    assert after.score >= before.score
    assert all(after.categories[each] >= before.categories[each] for each in Category)


def test_nothing_touched_nothing_failing_and_a_way_back_is_zero() -> None:
    found = assess([forecast(1, sql="CREATE TABLE new (v int)", creates=("public.new",))])
    assert (found.score, found.level, found.risks) == (0, Level.NONE, ())


def test_without_a_way_back_it_is_not() -> None:
    found = assess([forecast(1, sql="CREATE TABLE new (v int)")], down=[])
    assert found.categories[Category.REVERSIBILITY] == 20
    failing = forecast(1, fails=Failure(sqlstate="42P01", message="no"))
    assert assess([forecast(1, sql="CREATE TABLE n (v int)")], down=[failing]).score == 20


def test_what_is_touched_is_never_nothing() -> None:
    found = assess([forecast(1, [("public.a", LockMode.SHARE_UPDATE_EXCLUSIVE)])])
    assert (found.score, found.level, found.categories[Category.LOCKING]) == (1, Level.NONE, 1)


def test_data_loss() -> None:
    gone = forecast(1, [("public.a", AE)], sql="TRUNCATE a", destroys_data=True)
    assert assess([gone]).categories[Category.DATA_LOSS] == 95
    assert assess([gone], empty=["public.a"]).categories[Category.DATA_LOSS] == 10
    unknown = forecast(1, [("public.a", AE)], sql="DO ''", destroys_data=None, opaque=True)
    assert assess([unknown], empty=["public.a"]).categories[Category.DATA_LOSS] == 95


def test_integrity() -> None:
    certain = forecast(1, fails=Failure(sqlstate="42P01", message="no"))
    assert assess([certain]).categories[Category.INTEGRITY] == 95
    perhaps = PossibleFailure(sqlstate="23502", why="NULLs")
    assert assess([forecast(1, may_fail=(perhaps,))]).categories[Category.INTEGRITY] == 30
    asked = perhaps.model_copy(update={"checked": True})
    assert assess([forecast(1, may_fail=(asked,))]).categories[Category.INTEGRITY] == 0


def test_what_cannot_be_read_is_never_safe() -> None:
    found = assess([forecast(1, sql="DO ''", opaque=True, reach=Reach.UNKNOWN, destroys_data=None)])
    assert found.categories[Category.LOCKING] >= 30
    assert found.level is Level.CRITICAL
    assert found.confidence < 0.5


class Loud(RiskRule):
    id = "loud"
    category = Category.LOCKING
    severity = Severity.HIGH
    title = why = alternative = bad = good = "words"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        for exposure in context.exposures(forecast):
            yield self.risk(context, forecast, "said better", relation=exposure.relation)


class Broken(Loud):
    id = "broken"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        raise LookupError(self.id)


def test_a_rule_gives_a_fact_its_words_and_not_its_points() -> None:
    one = [forecast(1, [("public.a", AE)])]
    told, untold = assess(one, rules=[Loud()]), assess(one)
    assert [(each.rule, each.message) for each in told.risks] == [("loud", "said better")]
    assert told.categories == untold.categories
    assert told.risks[0].severity is Severity.MEDIUM, "it follows from the points"


def test_a_rule_that_breaks_is_told_of_and_costs_nothing_else() -> None:
    found = assess([forecast(1, [("public.a", AE)])], rules=[Broken(), Loud()])
    assert [each.rule for each in found.risks] == ["loud"]
    assert any("broken" in note and "LookupError" in note for note in found.notes)


def test_points_of_a_statement_under_somebody_elses_lock() -> None:
    both = [forecast(1, [("public.a", AE)]), forecast(2, works=[(WorkKind.SCAN, "public.b")])]
    facts = context(both, {"public.b": 10**10})
    assert facts.points(Category.LOCKING, both[1]) == facts.points(Category.LOCKING, both[0]) > 30
    assert facts.points(Category.LOCKING, both[1], "public.a") > 30
    assert facts.points(Category.LOCKING, both[1], "public.b") == 0
    assert facts.points(Category.LOCKING) == facts.points(Category.LOCKING, both[0])
