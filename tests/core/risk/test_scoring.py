"""The formula of the score, and what always holds for it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confiture_tui.core.risk import scoring
from confiture_tui.core.risk.model import Category, Level, Severity

points = st.integers(0, 100)
by_category = st.fixed_dictionaries(dict.fromkeys(Category, points))
seconds = st.floats(0.0001, 1e7)
rates = st.floats(0, 1e6)


@pytest.mark.parametrize(("waited", "expected"), [(1, 35), (10, 65), (600, 100), (0.001, 0), (0, 0)])
def test_locking_of_a_quiet_table(waited: float, expected: int) -> None:
    assert scoring.locking(waited) == expected


def test_locking_of_a_busy_table() -> None:
    assert scoring.locking(1, 99) == 55


@settings(deadline=None)
@given(seconds, seconds, rates, rates)
def test_longer_or_busier_is_never_less(first: float, second: float, one: float, other: float) -> None:
    assert scoring.locking(max(first, second), max(one, other)) >= scoring.locking(min(first, second), min(one, other))


@settings(deadline=None)
@given(st.sampled_from([10, 30]), seconds, seconds, rates, rates)
def test_a_floor_holds_and_leaves_its_level_to_nobody(
    floor: int, first: float, second: float, one: float, other: float
) -> None:
    low = scoring.at_least(floor, min(first, second), min(one, other))
    high = scoring.at_least(floor, max(first, second), max(one, other))
    assert floor <= low <= high <= floor + 9
    assert scoring.at_least(floor, first, None) == scoring.at_least(floor, first, 0) == floor


@settings(deadline=None)
@given(st.floats(0, 1e12), st.floats(0, 1e12), st.floats(0, 1e13))
def test_more_rows_are_never_less(first: float, second: float, wal: float) -> None:
    assert scoring.changed_rows(max(first, second), wal) >= scoring.changed_rows(min(first, second), wal)


@pytest.mark.parametrize(("rows", "expected"), [(9_999, 0), (10_000, 30), (1_000_000, 50), (0, 0)])
def test_rows_changed(rows: float, expected: int) -> None:
    assert scoring.changed_rows(rows) == expected


@pytest.mark.parametrize(("works", "expected"), [(0, 0), (0.5, 0), (1, 0), (10, 15), (60, 27), (3600, 53)])
def test_work_that_blocks_nobody(works: float, expected: int) -> None:
    assert scoring.unseen_work(works) == expected


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (0, Level.NONE),
        (9, Level.NONE),
        (10, Level.LOW),
        (29, Level.LOW),
        (30, Level.MEDIUM),
        (59, Level.MEDIUM),
        (60, Level.HIGH),
        (84, Level.HIGH),
        (85, Level.CRITICAL),
        (100, Level.CRITICAL),
    ],
)
def test_levels(value: int, level: Level) -> None:
    assert scoring.level_of(value) is level


@settings(deadline=None)
@given(by_category)
def test_the_level_is_that_of_the_worst_and_the_score_lies_in_it(categories: dict[Category, int]) -> None:
    score, level = scoring.score(categories)
    worst = max(categories.values())
    assert level is scoring.level_of(worst)
    assert scoring.level_of(score) is level
    assert score >= worst
    assert (score == 0) == (worst == 0)


@settings(deadline=None)
@given(by_category, st.sampled_from(Category), points)
def test_a_category_that_gets_worse_never_lowers_the_score(
    categories: dict[Category, int], category: Category, value: int
) -> None:
    worse = {**categories, category: max(value, categories[category])}
    assert scoring.score(worse)[0] >= scoring.score(categories)[0]


@given(by_category)
@settings(max_examples=30, deadline=None)
def test_the_score_is_the_chance_that_something_goes_wrong_up_to_its_level(categories: dict[Category, int]) -> None:
    score, level = scoring.score(categories)
    together = 100 * (1 - math.prod(1 - value / 100 for value in categories.values()))
    tops = {Level.NONE: 9, Level.LOW: 29, Level.MEDIUM: 59, Level.HIGH: 84, Level.CRITICAL: 100}
    assert score == min(round(together), tops[level])


def test_three_small_things_do_not_shout() -> None:
    three = scoring.categories_of([(Category.LOCKING, 25), (Category.COMPATIBILITY, 25), (Category.REVERSIBILITY, 20)])
    assert scoring.score(three) == (29, Level.LOW)


def test_a_category_is_the_worst_of_its_risks() -> None:
    found = scoring.categories_of([(Category.LOCKING, 10), (Category.LOCKING, 40), (Category.SECURITY, 5)])
    assert (found[Category.LOCKING], found[Category.SECURITY], found[Category.DATA_LOSS]) == (40, 5, 0)


@pytest.mark.parametrize("severity", list(Severity))
def test_security_goes_by_severity(severity: Severity) -> None:
    value = scoring.SECURITY_POINTS[severity]
    assert scoring.severity_of_points(Category.SECURITY, value) is severity


@settings(deadline=None)
@given(points, points)
def test_more_points_are_never_less_severe(first: int, second: int) -> None:
    order = list(Severity)
    for category in (Category.LOCKING, Category.SECURITY):
        low, high = (scoring.severity_of_points(category, each) for each in sorted((first, second)))
        assert order.index(low) <= order.index(high)
