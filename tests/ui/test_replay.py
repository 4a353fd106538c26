"""A recording in the app: what is shown when, and every key of the clock."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from confiture_tui.service.recording.entries import Answered, Asked
from confiture_tui.service.recording.replay import ReplayService
from confiture_tui.ui.player import Player
from confiture_tui.ui.presenters.replay import clock
from confiture_tui.ui.replay_app import ReplayApp
from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.screens.history import HistoryScreen
from confiture_tui.ui.screens.lint import LintScreen
from confiture_tui.ui.screens.review import ReviewScreen
from confiture_tui.ui.screens.run import RunScreen
from confiture_tui.ui.widgets.replay_bar import ReplayBar
from tests.support.recordings import session, written
from tests.ui.driving import Driver
from tests.ui.hostile import SAMPLES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


class Replayed(Driver):
    app: ReplayApp

    async def to(self, what: str, *, answered: bool = True, number: int = 0) -> None:
        """Play to where this was asked, or answered, for the first time (or a later one)."""
        found = [
            entry.at
            for entry in self.app.replay.recording.entries
            if (isinstance(entry, Answered) and answered and entry.asked.what == what)
            or (isinstance(entry, Asked) and not answered and entry.what == what)
        ]
        await self.at(found[number])

    async def at(self, position: float) -> None:
        self.app._seek(position)
        await self.until(lambda: self.app._held is None and self.app.replay.position <= position)
        await self.until(lambda: (self.app.replay.next_at or 1e9) > position)


@asynccontextmanager
async def replaying(tmp_path: Path, *, size: tuple[int, int] = (80, 24), whole: bool = True) -> AsyncIterator[Replayed]:
    """The app on the session of samples, standing still at its beginning."""
    entries = await session()
    recording = written(tmp_path / "kept.jsonl", entries if whole else entries[:-1])
    app = ReplayApp(ReplayService(recording), paused=True)
    async with app.run_test(size=size, notifications=True) as pilot:
        yield Replayed(app, pilot, app.service)  # type: ignore[arg-type]


async def test_it_begins_with_nothing_and_opens_in_its_time(tmp_path: Path) -> None:
    async with replaying(tmp_path) as driver:
        await driver.until_text("REPLAY  paused  0:00 of 0:2")
        assert not driver.app.session.statuses
        await driver.to("open")
        await driver.until(lambda: driver.app.service.project is not None)
        await driver.until_text("Opening")
        await driver.to("status")
        await driver.until_text("jam-shop")
        await driver.until_text("order_note")


async def test_a_dry_run_is_under_way_and_then_has_its_result(tmp_path: Path) -> None:
    async with replaying(tmp_path) as driver:
        await driver.to("dry_run", answered=False)
        await driver.until(lambda: driver.app.session.job is not None)
        assert driver.review.chosen is not None
        assert driver.review.chosen.version == "003"
        await driver.press("escape")
        assert driver.app.session.job is not None
        await driver.to("dry_run")
        await driver.until(lambda: driver.app.session.job is None)
        await driver.until_text("✓ ok")
        assert "003" in driver.app.session.results


async def test_the_screens_go_where_it_was_asked(tmp_path: Path) -> None:
    async with replaying(tmp_path, size=(120, 36)) as driver:
        await driver.to("lint")
        await driver.until_text("missing-primary-key")
        assert driver.on_top(LintScreen)
        await driver.to("prepare_run")
        await driver.until(lambda: driver.app.session.run.phase is RunPhase.PLANNED)
        assert driver.on_top(RunScreen)
        await driver.to("run", answered=False)
        await driver.until(lambda: driver.app.session.run.phase is RunPhase.RUNNING)
        await driver.to("run")
        await driver.until(lambda: driver.app.session.run.phase is RunPhase.ENDED)
        await driver.until_text("1 applied")
        await driver.to("history")
        await driver.until_text("1 half-way")
        assert driver.on_top(HistoryScreen)


async def test_straight_to_the_end_shows_the_same(tmp_path: Path) -> None:
    async with replaying(tmp_path, size=(120, 36)) as driver:
        await driver.press("right_curly_bracket")
        await driver.until_text("REPLAY  ended")
        await driver.until_text("1 half-way")
        await driver.press("4")
        await driver.until_text("1 applied")


async def test_back_is_as_it_was(tmp_path: Path) -> None:
    async with replaying(tmp_path) as driver:
        await driver.to("dry_run")
        await driver.until_text("✓ ok")
        total = driver.app.event_log.total
        await driver.to("status")
        assert driver.app.event_log.total < total
        assert not driver.app.session.results
        assert driver.app.session.job is None
        await driver.until_text("order_note")
        assert "✓ ok" not in driver.text
        await driver.to("dry_run")
        await driver.until(lambda: driver.app.event_log.total == total)
        await driver.until_text("✓ ok")
        await driver.press("left_curly_bracket")
        await driver.until(lambda: not driver.app.session.statuses)
        assert driver.app.event_log.total == 0
        await driver.press("6")
        await driver.until_text("Log  0 events")


async def test_step_by_step(tmp_path: Path) -> None:
    async with replaying(tmp_path) as driver:
        entries = driver.app.replay.recording.entries
        for number in range(1, 5):
            await driver.press("full_stop")
            assert driver.app.replay.position == entries[number - 1].at
        assert driver.app.player.paused


async def test_it_goes_by_itself_and_stops(tmp_path: Path) -> None:
    async with replaying(tmp_path) as driver:
        for _ in range(8):
            await driver.press("greater_than_sign")
        assert driver.app.player.speed == 64
        await driver.press("space")
        await driver.until(lambda: driver.app.player.ended)
        await driver.until_text("REPLAY  ended")
        await driver.press(*["less_than_sign"] * 9)
        assert driver.app.player.speed == 0.25
        await driver.press("space")
        assert driver.app.player.position < 1
        assert not driver.app.player.paused


async def test_ten_seconds(tmp_path: Path) -> None:
    async with replaying(tmp_path) as driver:
        await driver.press("right_parenthesis")
        assert driver.app.player.position == 10
        await driver.press("right_parenthesis", "left_parenthesis")
        assert driver.app.player.position == 10
        await driver.press("left_parenthesis", "left_parenthesis")
        assert driver.app.player.position == 0


async def test_a_click_on_the_bar_goes_there(tmp_path: Path) -> None:
    async with replaying(tmp_path, size=(120, 36)) as driver:
        await driver.until_text("━") if driver.app.player.position else await driver.until_text("─")
        line = driver.app.screen.query_one(ReplayBar).line(120).plain
        await driver.pilot.click(ReplayBar, offset=(line.index("─"), 0))
        assert driver.app.player.position == 0
        await driver.pilot.click(ReplayBar, offset=(line.rindex("─"), 0))
        await driver.until(lambda: driver.app.player.ended)


async def test_a_space_that_is_typed_is_a_space(tmp_path: Path) -> None:
    async with replaying(tmp_path) as driver:
        await driver.to("status")
        await driver.press("6", "slash", "a", "space", "b")
        assert driver.log.filter.value == "a b"


async def test_nothing_can_be_run(tmp_path: Path) -> None:
    async with replaying(tmp_path, size=(120, 36)) as driver:
        await driver.to("prepare_run")
        await driver.until(lambda: driver.app.session.run.phase is RunPhase.PLANNED)
        await driver.press("a", "tab", "enter")
        await driver.until_text("the recording has no answer to that yet")


async def test_one_that_was_cut_off_says_so(tmp_path: Path) -> None:
    async with replaying(tmp_path, size=(120, 36), whole=False) as driver:
        await driver.press("right_curly_bracket")
        await driver.until_text("cut off here: the session was not closed")


async def test_the_help_and_the_line_of_keys_have_its_keys(tmp_path: Path) -> None:
    async with replaying(tmp_path, size=(120, 36)) as driver:
        await driver.until_text("space Pause")
        await driver.press("question_mark")
        await driver.until_text("Stop the replay where it is, or go on.")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36), (160, 45)])
async def test_there_is_room_for_it(tmp_path: Path, size: tuple[int, int]) -> None:
    async with replaying(tmp_path, size=size) as driver:
        await driver.to("status")
        await driver.until_text("REPLAY")
        await driver.until_text("order_note")
        assert driver.on_top(ReviewScreen)
        assert "q Quit" in driver.text
        assert "d Dry run" not in driver.text


@pytest.mark.parametrize(
    "name", [text.replace("/", "-").replace("\x00", "-") for text in SAMPLES if "\ud800" not in text]
)
async def test_the_name_of_the_file_is_shown_and_not_obeyed(tmp_path: Path, name: str) -> None:
    recording = written(tmp_path / f"{name}.jsonl", (await session())[:2])
    bar = ReplayBar(Player(10.0), recording.path.name, ReplayApp(ReplayService(recording)).glyphs)
    assert "\x1b" not in bar.line(200).plain
    assert "jsonl" in bar.line(200).plain


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (67.9, "1:07"), (3723, "1:02:03")])
def test_times(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_the_clock_keeps_within_the_recording() -> None:
    player = Player(10.0)
    player.go_by(4)
    player.faster(2)
    player.go_by(2)
    assert (player.position, player.share, player.state) == (8.0, 0.8, "playing")
    player.go_by(100)
    assert (player.position, player.state) == (10.0, "ended")
    for _ in range(20):
        player.faster(0.5)
    assert player.speed == 0.25
    assert Player(0.0).share == 1.0
