"""How often each fault was tried is counted, and printed at the end of the run."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest

_TRIED = pytest.StashKey[Counter[str]]()

Tried = Callable[[str], None]
"""Called once each time that a fault is tried, with its name."""


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TRIED] = Counter()


@pytest.fixture
def tried(pytestconfig: pytest.Config) -> Tried:
    counts = pytestconfig.stash.setdefault(_TRIED, Counter())

    def count(fault: str) -> None:
        counts[fault] += 1

    return count


@pytest.fixture
def chances(pytestconfig: pytest.Config) -> random.Random:
    """What chooses random moments: the same ones for the same ``--fault-seed``."""
    return random.Random(pytestconfig.getoption("--fault-seed"))


@pytest.fixture
def tries(pytestconfig: pytest.Config) -> int:
    """How often a fault is tried at random moments."""
    return int(pytestconfig.getoption("--fault-tries"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counts = config.stash.get(_TRIED, Counter())
    if counts:
        terminalreporter.section("faults, and how often each was tried")
        for fault, number in sorted(counts.items()):
            terminalreporter.write_line(f"{number:5}  {fault}")
