"""How versions are compared, and what is said of numbers that a reader may take for something else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.core.migrations.versions import VersionOrder, duplicates, order_findings

TEXT, NUMBER, DOTTED, LISTED = VersionOrder


@dataclass(frozen=True)
class File:
    version: str

    @property
    def path(self) -> Path:
        return Path(f"{self.version}_x.sql")


def codes(order: VersionOrder, *versions: str) -> list[str]:
    return [one.code for one in order_findings([File(version) for version in versions], order)]


@pytest.mark.parametrize(
    ("order", "versions"),
    [
        (TEXT, ["010", "10", "2", "9"]),
        (NUMBER, ["2", "009", "10", "0100"]),
        (DOTTED, ["1", "1.1", "1.9", "1.10", "2_1", "10", "R__a", "R__b"]),
    ],
)
def test_order(order: VersionOrder, versions: list[str]) -> None:
    shuffled = versions[::2] + versions[1::2]
    assert sorted(shuffled, key=order.key) == versions


@pytest.mark.parametrize(
    ("order", "one", "other", "same"),
    [
        (TEXT, "9", "09", False),
        (NUMBER, "9", "0009", True),
        (NUMBER, "0", "000", True),
        (DOTTED, "2", "2.0.0", True),
        (DOTTED, "1.2", "1_02", True),
        (DOTTED, "1.2", "12", False),
        (DOTTED, "0", "0.0", True),
    ],
)
def test_which_versions_are_the_same(order: VersionOrder, one: str, other: str, same: bool) -> None:
    assert (order.key(one) == order.key(other)) is same


@given(st.integers(0, 10**40), st.integers(0, 10**40), st.integers(0, 5))
def test_numbers_of_any_length_compare_as_numbers(one: int, other: int, zeros: int) -> None:
    assert (NUMBER.key("0" * zeros + str(one)) < NUMBER.key(str(other))) is (one < other)
    assert (DOTTED.key("0" * zeros + str(one)) < DOTTED.key(str(other))) is (one < other)


def test_every_way_to_write_a_version_that_is_used_twice_is_known() -> None:
    found = duplicates([File("1"), File("01"), File("2")], NUMBER)
    assert set(found) == {"1", "01"}
    assert found["1"] == found["01"]
    assert "1_x.sql and 01_x.sql" in found["1"].message
    assert duplicates([File("1"), File("01")], TEXT) == {}


def test_what_is_said_of_numbers() -> None:
    assert codes(TEXT, "9", "10") == ["text-order"]
    assert codes(NUMBER, "9", "10") == ["mixed-widths"]
    assert codes(NUMBER, "001", "002", "003", "005") == ["version-gap"]
    assert codes(TEXT, "001", "002", "003", "005") == ["version-gap"]


@pytest.mark.parametrize("order", [TEXT, NUMBER])
def test_dates_and_rare_numbers_have_no_gaps(order: VersionOrder) -> None:
    assert codes(order, "20240101000000", "20240301000000", "20250101000000") == []
    assert codes(order, "001", "010", "100") == []
    assert codes(LISTED, "b", "a") == []


def test_dates_of_several_lengths_are_in_order_as_text() -> None:
    assert codes(TEXT, "202512291102420000", "20260120162913") == []


def test_a_gap_names_its_neighbours_and_few_of_them() -> None:
    versions = [f"{number:03}" for number in range(1, 40) if number % 7]
    (finding,) = order_findings([File(version) for version in versions], NUMBER)
    assert "between 006 and 008, between 013 and 015, between 020 and 022 and in 2 more places" in finding.message
