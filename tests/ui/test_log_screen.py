"""The log at full height: every key, every state."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from confiture_tui.events import Event, EventName, Level
from confiture_tui.service.log_filter import LogFilter
from confiture_tui.ui.event_log import EventLog
from confiture_tui.ui.filtered_log import FilteredLog
from confiture_tui.ui.glyphs import UNICODE
from confiture_tui.ui.presenters.log_event import event_pane, event_text
from confiture_tui.ui.screens.log import LogScreen
from confiture_tui.ui.screens.review import ReviewScreen
from tests.support.fake_service import AT
from tests.ui import samples
from tests.ui.driving import Driver, running
from tests.ui.hostile import FORBIDDEN, SAMPLES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def event(message: str, level: Level = Level.INFO, **fields: object) -> Event:
    return Event(name=EventName.SERVER_NOTICE, message=message, level=level, at=AT, **fields)  # type: ignore[arg-type]


def message(driver: Driver) -> str:
    chosen = driver.log.lines.chosen
    assert chosen is not None
    return chosen.message


@asynccontextmanager
async def with_events(count: int) -> AsyncIterator[Driver]:
    """The log at full height, with this many events at its end."""
    async with running(samples.service()) as driver:
        for number in range(count):
            driver.service.events(event(f"event {number}"))
        await driver.press("6")
        await driver.until_text(f"event {count - 1}")
        yield driver


class TestLog:
    async def test_filter_level_and_clear(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            service.events(event("one thing"))
            service.events(event("another thing", Level.WARNING))
            await driver.press("6")
            await driver.until_text("another thing")
            await driver.press("v", "v")
            await driver.until_text("from warning on")
            assert "one thing" not in driver.text
            await driver.press("v", "v", "slash", *"one")
            await driver.until_text("1 shown")
            assert "another thing" not in driver.text
            await driver.press("escape")
            await driver.until_text("another thing")

    async def test_new_lines_come_through_the_filter(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await driver.press("6", "slash", *"apple", "enter")
            service.events(event("a pear"))
            service.events(event("an apple"))
            await driver.until_text("an apple")
            assert "a pear" not in driver.text
            await driver.press("1")
            await driver.until_text("a pear")

    async def test_the_pane_is_there_once(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("6")
            await driver.until_text("project_opened")
            assert driver.text.count("project_opened") == 1
            await driver.press("o", "1")
            assert not driver.review.log_pane.display

    @pytest.mark.parametrize(
        ("text", "passes"),
        [
            ("", True),
            ("moved", True),
            ("MOVED 008", True),
            ("moved absent", False),
            ("migration=008", True),
            ("migration=007", False),
            ("hook=analyze", True),
            ("level=info", True),
            ("statement=2", True),
            ("event=server", True),
            ("nothing=1", False),
        ],
    )
    def test_what_passes(self, text: str, passes: bool) -> None:
        one = event("rows moved", migration="008", statement=2, data={"hook": "analyze_tables"})
        assert LogFilter(text).lets_through(one) is passes

    def test_the_numbers_stay_when_the_oldest_go(self) -> None:
        log = EventLog(4)
        shown = FilteredLog(log)
        shown.refilter(LogFilter("even"))
        for number in range(11):
            log.extend([event(f"{'even' if number % 2 == 0 else 'odd'} {number}")])
            shown.sync()
        assert [shown[number].message for number in range(shown.first, shown.end)] == ["even 8", "even 10"]
        assert shown.end == 6
        with pytest.raises(IndexError):
            shown[shown.first - 1]


class TestLogFilter:
    def test_each_comes_with_those_around_it_once(self) -> None:
        log = EventLog(100)
        shown = FilteredLog(log)
        shown.refilter(LogFilter("hit", context=2))
        for number in range(20):
            log.extend([event(f"{'hit' if number in (4, 6, 15) else 'other'} {number}")])
            assert shown.sync()
        messages = [shown[number].message.split()[1] for number in range(shown.first, shown.end)]
        assert messages == ["2", "3", "4", "5", "6", "7", "8", "13", "14", "15", "16", "17"]

    @given(
        capacity=st.integers(1, 30),
        batches=st.lists(st.lists(st.booleans(), max_size=12), max_size=6),
        around=st.integers(0, 3),
    )
    def test_however_they_come_it_shows_what_passes_and_its_neighbours(
        self, capacity: int, batches: list[list[bool]], around: int
    ) -> None:
        log = EventLog(capacity)
        shown = FilteredLog(log)
        shown.refilter(LogFilter("hit", context=around))
        everything: list[bool] = []
        for batch in batches:
            start = len(everything)
            everything += batch
            log.extend([event(f"{'hit' if hit else 'other'} {start + at}") for at, hit in enumerate(batch)])
            shown.sync()
        numbers = [shown.serial(number) for number in range(shown.first, shown.end)]
        assert numbers == sorted(set(numbers))
        for serial in range(log.first, log.end):
            near = any(everything[max(serial - around, 0) : serial + around + 1])
            reaches = any(everything[max(serial - around, log.first) : serial + around + 1])
            assert not reaches or serial in numbers
            assert near or serial not in numbers

    def test_a_long_log_is_looked_at_in_slices(self) -> None:
        log = EventLog()
        shown = FilteredLog(log)
        log.extend([event(f"event {number}") for number in range(50_000)])
        shown.refilter(LogFilter("99"))
        slices = 1
        while not shown.sync():
            slices += 1
        assert slices > 1
        assert len(shown) == sum("99" in str(number) for number in range(50_000))


class TestLogScreen:
    async def test_the_last_line_is_chosen_until_another_is(self) -> None:
        async with with_events(30) as driver:
            lines = driver.log.lines
            assert message(driver) == "event 29"
            await driver.press("k", "k")
            driver.service.events(event("event 30"))
            await driver.until_text("+1 new")
            assert message(driver) == "event 27"
            await driver.press("g")
            assert message(driver) != "event 27"
            await driver.press("G")
            assert (message(driver), lines.follow) == ("event 30", True)

    @pytest.mark.parametrize(
        ("keys", "moved"), [(["up"], -1), (["pageup", "pagedown"], 0), (["up", "up", "down"], -1), (["home", "end"], 0)]
    )
    async def test_the_keys_move_the_choice(self, keys: list[str], moved: int) -> None:
        async with with_events(100) as driver:
            await driver.press(*keys)
            assert message(driver) == f"event {99 + moved}"

    async def test_a_click_chooses_and_a_second_one_opens(self) -> None:
        async with with_events(40) as driver:
            await driver.pilot.click("LogLines", offset=(5, 3))
            chosen = message(driver)
            assert chosen != "event 39"
            assert not driver.has_details()
            await driver.pilot.click("LogLines", offset=(5, 3))
            await driver.until(driver.has_details)
            assert message(driver) == chosen

    async def test_scrolling_away_keeps_the_choice(self) -> None:
        async with with_events(100) as driver:
            driver.log.lines.scroll_to(y=3, animate=False, immediate=True)
            driver.service.events(event("event 100"))
            await driver.until_text("+1 new")
            assert message(driver) == "event 99"

    async def test_the_details_are_a_tree_and_follow_the_choice(self) -> None:
        async with with_events(3) as driver:
            nested = {"hook": "backfill", "sizes": {"rows": 12, "pages": [1, 2]}}
            driver.service.events(event("the nested one", migration="003", statement=2, duration_ms=4.2, data=nested))
            await driver.until_text("the nested one")
            await driver.press("enter")
            text = driver.log.details.content.plain
            for line in ("├ migration  003", "├ statement  2", "├ took  4.2 ms", "└ data", "   ├ hook  backfill"):
                assert line in text, text
            assert "      └ pages" in text
            assert "         └ 2  2" in text
            await driver.press("k")
            assert "event 2" in driver.log.details.content.plain
            await driver.press("enter")
            assert not driver.has_details()
            await driver.press("enter", "escape")
            assert not driver.has_details()

    async def test_the_lines_around(self) -> None:
        async with with_events(20) as driver:
            await driver.press("slash", *"9", "enter")
            await driver.until_text("2 shown")
            await driver.press("c")
            await driver.until_text("8 shown, 2 around each")
            await driver.press("c")
            await driver.until_text("5 around each")
            await driver.press("c")
            await driver.until_text("2 shown")
            assert "around" not in driver.text

    async def test_filters_are_recalled(self) -> None:
        async with with_events(5) as driver:
            await driver.press("slash", *"first", "enter", "escape", "slash", *"second", "enter", "escape")
            await driver.press("slash", "up")
            assert driver.log.filter.value == "second"
            await driver.press("up", "up", "up")
            assert driver.log.filter.value == "first"
            await driver.press("down")
            assert driver.log.filter.value == "second"
            await driver.press("down", "down")
            assert driver.log.filter.value == ""

    async def test_only_its_migration_only_its_event(self) -> None:
        async with with_events(5) as driver:
            driver.service.events(event("of three", migration="003"))
            driver.service.events(event("of four", migration="004"))
            await driver.until_text("of four")
            await driver.press("m")
            await driver.until_text("1 shown")
            assert driver.log.filter.value == "migration=004"
            await driver.press("n")
            assert driver.log.filter.value == "migration=004 event=server_notice"
            await driver.press("escape", "n")
            assert driver.log.filter.value == "event=server_notice"
            await driver.until_text("7 shown")

    async def test_the_chosen_line_stays_chosen_under_another_filter(self) -> None:
        async with with_events(60) as driver:
            await driver.press(*["k"] * 10)
            assert message(driver) == "event 49"
            await driver.press("slash", *"9", "enter")
            assert message(driver) == "event 49"
            await driver.press("escape")
            assert message(driver) == "event 49"
            await driver.until_text("event 49")

    async def test_to_the_statement_and_back(self) -> None:
        async with with_events(3) as driver:
            driver.service.events(event("it speaks of it", migration="003", statement=2))
            driver.service.events(event("later"))
            await driver.until_text("later")
            await driver.press("t")
            await driver.until_text("speaks of no migration")
            await driver.press("k", "t")
            assert driver.on_top(ReviewScreen)
            await driver.until(lambda: driver.review.statements.row_count == 3)
            await driver.until(lambda: driver.review.statements.cursor == 1)
            assert driver.review.chosen is not None
            assert driver.review.chosen.version == "003"
            await driver.until_text("Back to log")
            await driver.press("backspace")
            assert driver.on_top(LogScreen)
            assert message(driver) == "it speaks of it"
            await driver.press("1")
            assert "Back to log" not in driver.text

    async def test_to_another_migration_whose_statements_are_known(self) -> None:
        async with with_events(1) as driver:
            await driver.press("1", "j")
            await driver.until(lambda: "003" in driver.review._previews and "004" in driver.review._previews)
            driver.service.events(event("back to the third", migration="003", statement=3))
            driver.service.events(event("to the whole", migration="004"))
            await driver.press("6")
            await driver.until_text("to the whole")
            await driver.press("k", "t")
            await driver.until(lambda: driver.review.statements.cursor == 2)
            await driver.press("backspace", "j", "t")
            assert driver.review.chosen is not None
            assert driver.review.chosen.version == "004"
            assert driver.focused == "migrations"

    async def test_of_a_migration_that_is_not_here(self) -> None:
        async with with_events(1) as driver:
            driver.service.events(event("gone", migration="[/x]99"))
            await driver.until_text("gone")
            await driver.press("t")
            await driver.until_text("There is no migration [/x]99 here.")
            assert driver.on_top(LogScreen)

    async def test_copying(self) -> None:
        async with with_events(2) as driver:
            driver.service.events(event("rows \x1b[2J moved", migration="003", rows_affected=5, data={"hook": "x"}))
            await driver.until_text("moved")
            await driver.press("y", "enter")
            line = driver.app.clipboard
            assert "rows ␛[2J moved migration=003 hook=x rows=5" in line
            await driver.press("slash", *"event", "enter", "y", "j", "enter")
            await driver.until_text("the 2 lines shown")
            assert len(driver.app.clipboard.splitlines()) == 2

    async def test_without_a_file_there_is_no_command_and_it_says_how_to_get_one(self, tmp_path: Path) -> None:
        async with with_events(12) as driver:
            await driver.press("C")
            await driver.until(lambda: any("exports it" in one.message for one in driver.app._notifications))
            assert driver.app.clipboard == ""
            await driver.press("e")
            path = tmp_path / "out.jsonl"
            driver.app.screen.query_one(Input).value = str(path)
            await driver.press("enter")
            await driver.until_text("events written")
            await driver.press("slash", *"event=server_notice 1", "enter", "v", "v", "c", "C")
            await driver.until(lambda: driver.app.clipboard != "")
            expected = f"confiture-tui log {path} event=server_notice 1 --log-level warning --context 2"
            assert driver.app.clipboard == expected

    async def test_export_writes_what_is_shown_and_overwrites_nothing(self, tmp_path: Path) -> None:
        async with with_events(12) as driver:
            path = tmp_path / "out.jsonl"
            await driver.press("slash", *"event=server_notice 1", "enter", "e")
            await driver.until_text("Write 3 events")
            typed = driver.app.screen.query_one(Input)
            typed.value = str(path)
            await driver.press("enter")
            await driver.until(path.exists)
            await driver.until_text("3 events written")
            assert [json.loads(line)["message"] for line in path.read_text().splitlines()] == [
                "event 1",
                "event 10",
                "event 11",
            ]
            assert path.stat().st_mode & 0o777 == 0o600
            before = path.read_bytes()
            await driver.press("e")
            driver.app.screen.query_one(Input).value = str(path)
            await driver.press("enter")
            await driver.until_text("exists already")
            assert path.read_bytes() == before
            await driver.press("e", "escape")
            assert driver.on_top(LogScreen)

    async def test_hostile_words_are_shown_in_the_details(self) -> None:
        for text in SAMPLES:
            pane = event_pane(event(text, migration=text, phase=text, data={text: {text: [text]}}), UNICODE)
            assert not FORBIDDEN & set(pane.plain.replace("\n", "").replace("\t", ""))
            assert not FORBIDDEN & set(event_text(event(text, data={text: text})))
