"""Results as text: everything said, nothing invented, aligned at every width, harmless to a terminal."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from confiture_tui.cli.output import units
from confiture_tui.cli.output.dry_run import write_result, write_summary
from confiture_tui.cli.output.effects import write_effects, write_failure
from confiture_tui.cli.output.page import Page, Style
from confiture_tui.cli.output.preview import write_preview
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import Effects, Failure, RelationLock, StatementEffects
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import PROFILES
from confiture_tui.service.previews import preview_of
from tests.cli.samples import HOSTILE, failing, observed, result

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.result import DryRunResult

WIDTHS = [40, 60, 79, 80, 100, 160]


def rendered(one: DryRunResult, width: int, *, colour: bool = False) -> str:
    page = Page(width=width, colour=colour)
    write_result(page, one)
    return page.text()


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("good", [True, False])
def test_a_result_fits_its_width_and_shows_every_fact(width: int, good: bool) -> None:
    text = rendered(result(good=good), width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    said = words(text)
    for fact in (
        "007_add_note",
        "ACCESS EXCLUSIVE",
        "shop.orders blocks reads and writes",
        "SHARE ROW EXCLUSIVE",
        "shop.lines blocks writes",
        "ROW SHARE",
        "rewrites shop.orders",
        "scans shop.orders",
        "1.23 s",
        "1,234,567",
        "5.0 MB",
        "notice a notice",
        "locks nothing that was there before",
        "seen together with the statements before it",
        "not as predicted: rewrites",
        "proof nothing stayed behind",
        "The clone was dropped.",
        "note Times are those of this machine.",
    ):
        assert fact in said
    if not good:
        for fact in (
            "fails",
            "42703",
            "There is none.",
            "Look again.",
            "not run: an earlier one failed",
            "stayed: sequence shop.s moved from 1 to 2",
            "does not restore the schema",
        ):
            assert fact in said


@pytest.mark.parametrize("width", WIDTHS)
def test_the_strongest_lock_comes_first(width: int) -> None:
    text = rendered(result(), width)
    places = [text.index(mode) for mode in ("ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "ROW SHARE")]
    assert places == sorted(places)


def test_wide_figures_stand_in_columns() -> None:
    lines = rendered(result(), 100).splitlines()
    (heads,) = [line for line in lines if line.endswith("WAL")]
    figures = [line for line in lines if "1,234,567" in line]
    assert len(figures) == 2
    assert {line.index("1,234,567") + len("1,234,567") for line in figures} == {heads.index("rows") + len("rows")}
    assert {len(line) for line in (heads, *figures)} == {100}


def test_the_mark_stands_under_the_place_of_the_error() -> None:
    page = Page(width=80)
    statement = failing()
    assert statement.error is not None
    write_failure(page, statement, statement.error, indent=4)
    sql, mark = page.text().splitlines()[-2:]
    assert sql.strip() == "31 │   ON shop.orders (nope)"
    assert sql[mark.index("^") :].startswith("nope")


@given(st.text(), st.integers(min_value=-2), st.integers(40, 120))
def test_any_position_in_any_sql_can_be_shown(sql: str, position: int, width: int) -> None:
    page = Page(width=width)
    statement = StatementEffects(index=1, line=1, tag="SELECT", sql=sql)
    write_failure(page, statement, Failure(sqlstate="42601", message="no", position=position), indent=4)
    assert page.text()


def test_the_mark_of_a_long_line_is_still_on_the_page() -> None:
    sql = "SELECT " + "a, " * 200 + "nope, " + "b, " * 200
    page = Page(width=60)
    statement = StatementEffects(index=1, line=7, tag="SELECT", sql=sql)
    write_failure(page, statement, Failure(sqlstate="42703", message="no", position=sql.index("nope") + 1), indent=4)
    shown, mark = page.text().splitlines()[-2:]
    assert len(shown) <= 60
    assert shown[mark.index("^") :].startswith("nope")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_locks_of_a_partitioned_table_are_told_by_mode_and_all_named(width: int) -> None:
    names = [f"shop.event_{month:02}" for month in range(1, 25)]
    locks = [RelationLock(relation=name, mode=LockMode.ACCESS_EXCLUSIVE) for name in names]
    locks.append(RelationLock(relation="shop.orders", mode=LockMode.SHARE_ROW_EXCLUSIVE))
    page = Page(width=width)
    write_effects(page, Effects(locks=tuple(locks)), indent=6)
    said = words(page.text())
    assert max(cell_len(line) for line in page.text().splitlines()) <= width
    assert "ACCESS EXCLUSIVE 24 relations · blocks reads and writes" in said
    assert "SHARE ROW EXCLUSIVE blocks writes shop.orders" in said
    assert all(name in said for name in names)
    assert said.count("ACCESS EXCLUSIVE") == 1


def test_a_statement_of_ten_thousand_lines_shows_its_beginning() -> None:
    sql = "INSERT INTO jar VALUES\n" + ",\n".join(f"({number})" for number in range(10_000)) + ";"
    page = Page(width=80)
    write_preview(page, preview_of(Migration.from_sql(sql, version="1", name="data"), PROFILES["confiture"]))
    text = page.text()
    assert "(150)" in text
    assert "(250)" not in text
    assert "9,801 lines more" in text


def test_what_nobody_looked_at_is_not_shown_as_nothing() -> None:
    page = Page()
    write_effects(page, Effects(), indent=2)
    assert words(page.text()) == "effects not looked at"
    page = Page()
    write_effects(page, Effects(locks=(), rewrites=("shop.orders",)), indent=2)
    assert "locks nothing that was there before" in words(page.text())
    assert "not seen scans, builds, rebuilds, creates, drops, invalid" in words(page.text())


@pytest.mark.parametrize("colour", [True, False])
def test_hostile_text_is_shown_and_not_obeyed(colour: bool) -> None:
    text = rendered(result(good=False), 100, colour=colour)
    without_styles = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "[/foo]" in without_styles
    for bad in ("\x1b", "\x07", "\x9b", "\u202e"):
        assert bad not in without_styles
    assert ("\x1b[" in text) is colour


def test_colours_change_nothing_else() -> None:
    coloured = re.sub(r"\x1b\[[0-9;]*m", "", rendered(result(good=False), 100, colour=True))
    plain = rendered(result(good=False), 100)
    assert [line.rstrip() for line in coloured.splitlines()] == plain.splitlines()


def test_a_page_is_as_its_stream_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    ascii_file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    page = Page.for_stream(ascii_file)
    assert (page.width, page.colour) == (100, False)
    write_result(page, result(good=False).model_copy(update={"failure": None, "statements": ()}))
    assert page.text().isascii()
    monkeypatch.setenv("COLUMNS", "61")
    assert Page.for_stream(ascii_file).width == 61


def test_the_summary_counts() -> None:
    page = Page()
    write_summary(page, [result(), result(good=False)])
    whole = "2 migrations tried, 1 ok, 1 failing, nothing stayed behind, 2 differences from the prediction."
    assert words(page.text()) == whole
    left = result().model_copy(update={"proof": result().proof.model_copy(update={"nothing_persisted": False})})
    page = Page()
    write_summary(page, [left])
    assert "1 dry run LEFT SOMETHING BEHIND" in page.text()
    page = Page()
    write_summary(page, [])
    assert "nothing to try" in page.text()


def test_wide_characters_are_counted_in_cells() -> None:
    page = Page()
    assert cell_len(page.cell("注文", 10)) == 10
    assert cell_len(page.shortened("注文" * 20, 11)) <= 11
    assert page.shortened("short", 11) == "short"


@given(st.text(), st.integers(1, 80))
def test_a_shortened_line_fits(text: str, width: int) -> None:
    assert cell_len(Page().shortened(text, width)) <= width


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_paragraph_keeps_every_word(text: str) -> None:
    page = Page(width=60)
    page.paragraph(text + HOSTILE, indent=4, style=Style.BAD)
    assert "\x1b" not in page.text()
    assert "[/foo]" in page.text()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0.00 ms"),
        (0.417, "0.42 ms"),
        (9.999, "10.0 ms"),
        (12.34, "12.3 ms"),
        (999.96, "1.00 s"),
        (1_000, "1.00 s"),
        (59_999, "1 min 00 s"),
        (185_000, "3 min 05 s"),
        (3_599_400, "59 min 59 s"),
        (3_599_600, "1 h 00 min"),
        (14_400_000, "4 h 00 min"),
    ],
)
def test_milliseconds(value: float | None, text: str) -> None:
    assert units.milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 kB"), (1_048_575, "1.0 MB"), (3 * 2**40, "3.0 TB")],
)
def test_sizes(value: int | None, text: str) -> None:
    assert units.size(value) == text


def test_an_observation_without_figures_shows_none() -> None:
    one = result().model_copy(update={"statements": (observed(1, elapsed_ms=None, rows=None, wal_bytes=None),)})
    line = next(line for line in rendered(one, 100).splitlines() if "ALTER TABLE" in line)
    assert line.split()[-3:] == ["-", "-", "-"]
