"""The score: harm, not a count of findings. Pure functions; the formula is explained where it stands.

Every function gives points from 0 to 100. ``Category`` says what each is for; a category's score is that of its worst
risk, and ``score`` puts the categories together.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from confiture_tui.core.risk.model import Category, Level, Severity

BREAKS: Final = 60
"""Compatibility: code that runs now is certain to break."""
MAY_BREAK: Final = 20
"""Compatibility: code that runs now may break."""
NO_WAY_BACK: Final = 20
"""Reversibility: there is no way back for the schema."""
DATA_LOST: Final = 95
"""Data loss: rows or columns go that cannot be had back, or nobody can tell."""
NOTHING_TO_LOSE: Final = 10
"""Data loss: the same on a table that is proved empty."""
CERTAIN_FAILURE: Final = 95
"""Integrity: a statement fails for certain."""
NOT_ASKED: Final = 30
"""Integrity: data decide whether it fails, and nobody asked them."""
NAMES_NOT_KNOWN: Final = 5
"""Integrity: without a catalog nobody knows whether what a statement names is there, or is there already."""
BRIEF_LOCK: Final = 10
"""Locking: the least for a blocking lock, however brief."""
BRIEF_LOCK_WITHOUT_TIMEOUT: Final = 30
"""Locking: the same where nothing bounds the wait for it, in which everybody else queues behind."""
WORK_UNDER_LOCK: Final = 30
"""Locking: the least for work that grows with a table while a blocking lock is held."""
TOUCHED: Final = 1
"""Locking: something that existed is touched, and nobody waits for it."""
MANY_ROWS: Final = 10_000
"""Performance: from so many rows changed in one statement on it is at least ``MANY_ROWS_POINTS``."""
MANY_ROWS_POINTS: Final = 30

SECURITY_POINTS: Final[Mapping[Severity, int]] = MappingProxyType(
    {Severity.INFO: 0, Severity.LOW: 5, Severity.MEDIUM: 15, Severity.HIGH: 40, Severity.CRITICAL: 70}
)
"""Security: points by severity."""

_TOPS: Final = ((Level.NONE, 9), (Level.LOW, 29), (Level.MEDIUM, 59), (Level.HIGH, 84), (Level.CRITICAL, 100))
"""The highest score of each level."""
_TOP_OF: Final = dict(_TOPS)
_CATEGORIES: Final = tuple(Category)
_LEVELS: Final = tuple(level for level, _ in _TOPS)
_HIGHEST: Final = tuple(top for _, top in _TOPS)
_SEVERITIES: Final = tuple(Severity)
"""As many as there are levels, in the same order."""
_LEAST_FOR_SECURITY: Final = tuple(SECURITY_POINTS[severity] for severity in Severity)


@lru_cache(maxsize=1024)  # where nothing is known of tables and traffic, one wait is as bad as the other
def locking(seconds: float, waiting_per_second: float = 0.0) -> int:
    """For others that wait ``seconds``, while so many statements a second come that have to wait.

    ``35 + 30*log10(seconds) + 10*log10(1 + waiting)``: one quiet second is 35, ten are 65, ten minutes 100.
    """
    if seconds <= 0:
        return 0
    return _points(35 + 30 * math.log10(seconds) + 10 * math.log10(1 + max(waiting_per_second, 0.0)))


@lru_cache(maxsize=1024)  # as above
def at_least(floor: int, seconds: float, waiting_per_second: float | None) -> int:
    """A floor of locking, raised by up to nine points for traffic that is known to be hit, so that it still ranks.

    ``4*log10(1 + seconds*waiting)``: of two short waits the one that hits more statements is the worse.
    """
    hit = max(seconds, 0.0) * max(waiting_per_second or 0.0, 0.0)
    return floor + min(9, _points(4 * math.log10(1 + hit)))


def unseen_work(seconds: float) -> int:
    """For work that blocks nobody: ``15*log10(seconds)``; a minute is 27, an hour 53."""
    return _points(15 * math.log10(seconds)) if seconds > 1 else 0


def changed_rows(rows: float, wal_bytes: float = 0.0) -> int:
    """For rows changed by one statement: 30 from 10,000 on, and ten for each power of ten above.

    The write-ahead log that replicas and archive have to follow counts the same way, 40 for a gigabyte.
    """
    if rows < MANY_ROWS:
        return 0
    by_rows = MANY_ROWS_POINTS + 10 * math.log10(rows / MANY_ROWS)
    by_wal = 40 + 10 * math.log10(wal_bytes / 1e9) if wal_bytes >= 1 else 0.0
    return _points(max(by_rows, by_wal))


def level_of(points: int) -> Level:
    """The level of a score: 0-9 none, 10-29 low, 30-59 medium, 60-84 high, 85-100 critical."""
    return _LEVELS[bisect_left(_HIGHEST, points)]


@lru_cache(maxsize=1024)  # there are not so many
def severity_of_points(category: Category, points: int) -> Severity:
    """How bad a risk with these points is; security has a scale of its own."""
    if category is Category.SECURITY:
        return _SEVERITIES[bisect_right(_LEAST_FOR_SECURITY, points) - 1]
    return _SEVERITIES[bisect_left(_HIGHEST, points)]


def categories_of(points: Iterable[tuple[Category, int]]) -> dict[Category, int]:
    """The score of each category: the worst of its risks, 0 without one."""
    worst = dict.fromkeys(_CATEGORIES, 0)
    for category, value in points:
        if value > worst[category]:
            worst[category] = value
    return worst


def score(categories: Mapping[Category, int]) -> tuple[int, Level]:
    """The score and level of a migration.

    The level is that of the worst category. The score is ``100*(1 - prod(1 - s/100))`` over all categories, at most the
    top of that level: several small things never shout like one big one.
    """
    level = level_of(max(categories.values(), default=0))
    rest = math.prod([1 - value / 100 for value in categories.values()])
    return min(_points(100 * (1 - rest)), _TOP_OF[level]), level


def _points(value: float) -> int:
    return max(0, min(100, round(value)))
