"""Every screen while there is nothing, while it is on its way, when it went wrong, with much, and with hostile text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.lint.model import LintReport, Severity
from confiture_tui.core.runner.preflight import PreflightFinding
from confiture_tui.errors import ConnectError, UsageError
from confiture_tui.events import Event, EventName, Level
from confiture_tui.service.linting import LintResult
from tests.support.fake_service import AT, FakeService, status
from tests.ui import run_samples, samples
from tests.ui.driving import Driver, running
from tests.ui.hostile import FORBIDDEN, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MANY = 400
HOSTILE = [text.encode("utf-8", "replace").decode() for text in SAMPLES]
WRONG = UsageError("It went wrong [/here].", hint="Do this [b]instead[/b].")
KEYS = {"review": "1", "dry run": "2", "lint": "3", "run": "4", "history": "5", "log": "6"}
STATES = ("empty", "loading", "error", "long", "hostile")


@dataclass(frozen=True)
class State:
    """A state of a screen.

    Attributes:
        make: the service that brings it about.
        shown: words that must be on the screen.
        then: keys that are pressed once the first of them is there.
        after: words that must be there after them.
        not_shown: words that must not be there.
    """

    make: Callable[[], FakeService]
    shown: Sequence[str]
    then: Sequence[str] = ()
    after: Sequence[str] = ()
    not_shown: Sequence[str] = ()


def _many() -> FakeService:
    statuses = [status(f"{number:04}", f"change_{number}", "pending", "SELECT 1;") for number in range(MANY)]
    return samples.service(statuses=statuses)


def _hostile(**changes: Any) -> FakeService:
    statuses = [status(f"{number:03}", text, "pending", "SELECT 1;") for number, text in enumerate(HOSTILE)]
    return samples.service(**({"statuses": statuses} | changes))


def _tried(texts: Sequence[str]) -> FakeService:
    return samples.service(outcomes={"003": samples.safe_result().model_copy(update={"notes": tuple(texts)})})


def _found(names: Sequence[str]) -> FakeService:
    found = tuple(run_samples.violation(name, name, Severity.ERROR, fix=name) for name in names)
    return samples.service(lint_outcome=LintResult(basis="database", report=LintReport(violations=found)))


def _ran(texts: Sequence[str]) -> FakeService:
    entries = [run_samples.entry(f"{number:04}", text, id=number) for number, text in enumerate(texts)]
    return samples.service(entries=entries)


def _events(texts: Sequence[str], level: Level = Level.INFO) -> FakeService:
    service = samples.service()
    opened = service.open

    async def tell() -> None:
        await opened()
        for text in texts:
            service.events(Event(name=EventName.SERVER_NOTICE, message=text, level=level, at=AT))

    service.open = tell  # type: ignore[method-assign]
    return service


def _made(**changes: Any) -> Callable[[], FakeService]:
    return lambda: samples.service(**changes)


NUMBERS = [f"x{number}" for number in range(MANY)]
CASES: dict[tuple[str, str], State] = {
    ("review", "empty"): State(_made(statuses=[]), ["There are no migrations yet.", "What you can do"]),
    ("review", "loading"): State(_made(hold_open=True), ["Opening", "server_starting"]),
    ("review", "error"): State(_made(open_error=ConnectError("No server [/x].")), ["No server [/x].", "E  opens"]),
    ("review", "long"): State(_many, ["0000_change_0"], ["G"], ["0399_change_399"], ["0000_change_0"]),
    ("review", "hostile"): State(_hostile, ["a[b] c[1:2]"], ["j", "j", "G"]),
    ("dry run", "empty"): State(_made(), ["not tried yet", "press d"]),
    ("dry run", "loading"): State(_made(hold_dry_run=True), ["not tried yet"], ["d"], ["esc Cancel"], ["press d"]),
    ("dry run", "error"): State(_made(outcomes={"003": WRONG}), ["not tried"], ["d"], ["It went wrong [/here]."]),
    ("dry run", "long"): State(lambda: _tried(NUMBERS), ["not tried"], ["o", "d", "enter", "G"], ["x399"], ["x0 "]),
    ("dry run", "hostile"): State(lambda: _tried(HOSTILE), ["not tried"], ["o", "d", "enter", "G"], ["日本語の表"]),
    ("lint", "empty"): State(_made(), ["Nothing is wrong with the schema."]),
    ("lint", "loading"): State(_made(hold_lint=True), ["being read and judged"], not_shown=["Nothing is wrong"]),
    ("lint", "error"): State(_made(lint_outcome=WRONG), ["It went wrong [/here].", "Do this [b]instead[/b]."]),
    ("lint", "long"): State(lambda: _found(NUMBERS), ["x0"], ["G"], ["x99 is not as x99 wants it"]),
    ("lint", "hostile"): State(lambda: _found(HOSTILE), ["a[b] c[1:2]"], ["j", "j", "G"]),
    ("run", "empty"): State(_made(statuses=samples.statuses()[:2]), ["Nothing is pending."], not_shown=["a Run it"]),
    ("run", "loading"): State(_made(hold_plan=True), ["planning", "esc"], not_shown=["a Run it", "Nothing"]),
    ("run", "error"): State(_made(plan_error=WRONG), ["It went wrong [/here]."], not_shown=["a Run it"]),
    ("run", "long"): State(_many, ["applies 400 migrations"], ["G"], ["0399_change_399"]),
    ("run", "hostile"): State(
        lambda: _hostile(preflight=[PreflightFinding(code="x", level="warning", sentence=text) for text in HOSTILE]),
        ["a[b] c[1:2]"],
        ["j", "G"],
    ),
    ("history", "empty"): State(_made(statuses=samples.statuses()[2:]), ["Nothing was run here yet."]),
    ("history", "loading"): State(
        _made(hold_history=True, statuses=samples.statuses()[2:]),
        ["The journal is being read."],
        not_shown=["Nothing was run"],
    ),
    ("history", "error"): State(
        _made(history_error=WRONG, statuses=samples.statuses()[2:]), ["It went wrong [/here]."]
    ),
    ("history", "long"): State(lambda: _ran(NUMBERS), ["0000_x0"], ["G"], ["001_initial"], ["0000_x0"]),
    ("history", "hostile"): State(lambda: _ran(HOSTILE), ["a[b] c[1:2]"], ["j", "j", "G"]),
    ("log", "empty"): State(_made(), ["project_opened"], ["slash", "%", "%"], ["0 shown"], ["project_opened"]),
    ("log", "loading"): State(_made(hold_open=True), ["server_starting"], not_shown=["project_opened"]),
    ("log", "error"): State(lambda: _events(["It broke [/here]."], Level.ERROR), ["✗ error", "It broke [/here]."]),
    ("log", "long"): State(lambda: _events(NUMBERS), ["x399"], ["g"], ["server_starting"], ["x399"]),
    ("log", "hostile"): State(lambda: _events(HOSTILE), ["日本語の表"], ["k", "k", "enter"]),
}


def test_no_state_of_a_screen_is_left_out() -> None:
    assert set(CASES) == {(screen, state) for screen in KEYS for state in STATES}


async def shown(driver: Driver, words: Sequence[str]) -> None:
    for one in words:
        await driver.until_text(one)


@pytest.mark.parametrize(("screen", "state"), CASES, ids=lambda one: one)
async def test_it_says_what_it_is(screen: str, state: str) -> None:
    case = CASES[screen, state]
    async with running(case.make(), size=(100, 30), wait=False) as driver:
        if state != "loading":
            await driver.until(lambda: driver.app.session.phase != "opening")
        await driver.press(KEYS[screen])
        await shown(driver, case.shown)
        for key in case.then:
            assert not (FORBIDDEN - {"\n"}) & set(driver.text)
            await driver.press(key)
        await shown(driver, case.after)
        await driver.until(lambda: not [word for word in case.not_shown if word in driver.text])
        assert not (FORBIDDEN - {"\n"}) & set(driver.text)
        assert driver.app.return_code is None
