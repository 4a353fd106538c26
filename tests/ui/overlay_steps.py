"""What keys do in lists and text, in questions, in a replay and in the walkthrough: steps of ``test_every_action``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.widgets import Tree

from confiture_tui.events import Event, EventName
from confiture_tui.service.recording.replay import ReplayService
from confiture_tui.ui.replay_app import ReplayApp
from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.screens.choose import ChooseDialog
from confiture_tui.ui.screens.deliberate import DeliberateDialog
from confiture_tui.ui.screens.help import HelpScreen
from confiture_tui.ui.screens.step import StepDialog
from confiture_tui.ui.walkthrough_app import WalkthroughApp
from confiture_tui.ui.widgets.log_lines import LogLines
from confiture_tui.ui.widgets.row_list import RowList
from confiture_tui.ui.widgets.sql_view import SqlView
from tests.support.fake_service import AT, FakeService, status
from tests.support.recordings import session, written
from tests.ui import samples
from tests.ui.driving import Driver
from tests.ui.scenes import Look, Scene, Step, served

LONG_SQL = "\n".join(f"CREATE TABLE t{number} (id bigint);" for number in range(200))


# Lists and text


def _position(driver: Driver) -> int:
    """Where what has the keys is: its chosen line, or the first in view."""
    focused: Any = driver.app.focused
    if isinstance(focused, RowList | LogLines):
        return int(focused.cursor)
    if isinstance(focused, SqlView):
        return int(focused._cursor)
    if isinstance(focused, Tree):
        return int(focused.cursor_line)
    return int(focused.scroll_y)


def _end(driver: Driver) -> int:
    focused: Any = driver.app.focused
    if isinstance(focused, RowList):
        return int(focused.row_count - 1)
    if isinstance(focused, LogLines):
        return int(focused._shown.end - 1)
    if isinstance(focused, SqlView):
        return len(focused._lines) - 1
    if isinstance(focused, Tree):
        return int(focused.last_line)
    return int(focused.max_scroll_y)


LINES = (
    Step("line_down", lambda d: _position(d) == 1, first=("g",)),
    Step("line_up", lambda d: _position(d) == 1, first=("g", "j", "j")),
    Step("page_down_lines", lambda d: _position(d) > 1, first=("g",)),
    Step("page_up_lines", lambda d: _position(d) < _end(d) - 1, first=("G",)),
    Step("first_line", lambda d: _position(d) == 0, first=("G",)),
    Step("last_line", lambda d: _position(d) == _end(d) > 0, first=("g",)),
)


def _long() -> FakeService:
    """More of everything than fits, and a dry run that changes much."""
    many = [status(f"{number:03}", "long", "pending", LONG_SQL) for number in range(3, 63)]
    tried = samples.safe_result()
    assert tried.schema_diff is not None
    (change,) = tried.schema_diff.changes
    changes = tuple(
        change.model_copy(update={"name": f"shop.t{number}.note", "parent": f"shop.t{number}"}) for number in range(40)
    )
    diff = tried.schema_diff.model_copy(update={"changes": changes})
    notes = tuple(f"Note {number}." for number in range(60))
    tried = tried.model_copy(update={"schema_diff": diff, "notes": notes})
    return samples.service(statuses=many, outcomes={"003": tried})


def _focused(name: str) -> Look:
    return lambda driver: driver.focused == name and _end(driver) > 0


def _pane(steps: int) -> tuple[str, ...]:
    return ("d", "enter", *["right_square_bracket"] * steps)


def _log_lines(driver: Driver) -> bool:
    if driver.app.event_log.total < 50:
        for number in range(60):
            driver.service.events(Event(name=EventName.SERVER_NOTICE, message=f"event {number}", at=AT))
        driver.app._drain()
    return isinstance(driver.app.focused, LogLines) and not driver.app._arrived


def _line_scene(name: str, keys: tuple[str, ...], ready: Look) -> Scene:
    return Scene(f"lines of {name}", served(_long), LINES, keys=keys, ready=ready)


OF_LINES = (
    _line_scene("the list", (), _focused("migrations")),
    _line_scene("the statements", ("enter",), _focused("statement-list")),
    _line_scene("the SQL", _pane(2), _focused("sql-view")),
    _line_scene("a text", _pane(3), _focused("report-text")),
    _line_scene("the schema's tree", _pane(4), _focused("schema-tree")),
    _line_scene("the log", ("6",), _log_lines),
    _line_scene("the help", ("question_mark",), _focused("help-text")),
)


# Questions


def _on_dialog(kind: type) -> Look:
    return lambda driver: isinstance(driver.app.screen, kind)


def _gone(kind: type) -> Look:
    return lambda driver: not isinstance(driver.app.screen, kind)


def _dialog(
    name: str, kind: type, make: Callable[[], FakeService], keys: tuple[str, ...], *steps: Step, ends: bool = True
) -> Scene:
    return Scene(f"question: {name}", served(make), steps, keys=keys, ready=_on_dialog(kind), ends=ends)


_CLOSE = "dismiss_dialog"
QUESTIONS = (
    _dialog("help", HelpScreen, samples.service, ("question_mark",), Step(_CLOSE, _gone(HelpScreen))),
    _dialog(
        "copy",
        ChooseDialog,
        samples.service,
        ("y",),
        Step(_CLOSE, _gone(ChooseDialog)),
        Step("pick_choice", lambda d: d.app.clipboard.startswith("## Migrations: 4 pending")),
    ),
    _dialog(
        "apply",
        DeliberateDialog,
        samples.service,
        ("4", "a"),
        Step(_CLOSE, _gone(DeliberateDialog)),
        Step("pick_choice", _gone(DeliberateDialog)),
        Step("next_answer", lambda d: d.focused == "yes"),
        Step("previous_answer", lambda d: d.focused == "no", first=("right",)),
    ),
    _dialog(
        "one by one",
        StepDialog,
        samples.service,
        ("4", "p"),
        Step(_CLOSE, lambda d: not d.on_top(StepDialog) and d.app.session.run.phase is RunPhase.PLANNED),
        Step("step_preview", lambda d: d.app.screen.sql.display),
        Step("step_details", lambda d: d.app.screen.details.display, first=("v",)),
        Step("step_skip", lambda d: d.service.planned[-1].skip == {"003"}),
        Step("step_proceed", lambda d: d.service.runs and d.service.runs[0][0].steps == 1),
    ),
)


# Replay and walkthrough


@asynccontextmanager
async def _replaying(directory: Path) -> AsyncIterator[Driver]:
    app = ReplayApp(ReplayService(written(directory / "kept.jsonl", await session())), paused=True)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        yield Driver(app, pilot, app.service)  # type: ignore[arg-type]


def _player(driver: Any) -> Any:
    return driver.app.player


def _speed(speed: float) -> Look:
    return lambda driver: setattr(_player(driver), "speed", speed)


def _at(position: float) -> Look:
    def go(driver: Any) -> None:
        _player(driver).paused = True
        driver.app._seek(position)

    return go


REPLAY = Scene(
    "replay",
    _replaying,
    (
        Step("replay_pause", lambda d: not _player(d).paused, back=("space",)),
        Step("replay_step", lambda d: _player(d).position == 1.0, prepare=_at(0.0)),
        Step("replay_slower", lambda d: _player(d).speed == 1.0, prepare=_speed(2.0)),
        Step("replay_faster", lambda d: _player(d).speed == 2.0, prepare=_speed(1.0)),
        Step("replay_forward", lambda d: _player(d).position == 10.0, prepare=_at(0.0)),
        Step("replay_back", lambda d: _player(d).position == 2.0, prepare=_at(12.0)),
        Step("replay_begin", lambda d: _player(d).position == 0.0, prepare=_at(12.0)),
        Step("replay_end", lambda d: _player(d).ended, prepare=_at(0.0)),
    ),
)


@asynccontextmanager
async def _led(_directory: Path) -> AsyncIterator[Driver]:
    service = samples.service()
    app = WalkthroughApp(service)  # type: ignore[arg-type]  # the fake has the parts that screens use
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        yield Driver(app, pilot, service)


def _arrived(driver: Driver) -> None:
    """What the first caption speaks of is on the screen: the samples have none of it."""
    app: Any = driver.app
    app.number = 0
    app._moves.clear()
    app._keys.clear()
    app.arrived = True


WALKTHROUGH = Scene(
    "walkthrough",
    _led,
    (
        Step("next_caption", lambda d: d.app.number == 1, prepare=_arrived),
        Step("end_walkthrough", lambda d: "2/10" not in d.text and "order_note" in d.text),
    ),
    ready=lambda d: "/10" in d.text,
)

SCENES = (*OF_LINES, *QUESTIONS, REPLAY, WALKTHROUGH)
