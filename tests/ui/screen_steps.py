"""What the keys of each screen do: the steps of ``test_every_action``, screen by screen."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from textual.command import CommandPalette
from textual.widgets import Button

from confiture_tui.events import Event, EventName, Level
from confiture_tui.ui.presenters.findings import Grouping
from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.screens.ask_line import LineDialog
from confiture_tui.ui.screens.choose import ChooseDialog
from confiture_tui.ui.screens.confirm import ConfirmDialog
from confiture_tui.ui.screens.deliberate import DeliberateDialog
from confiture_tui.ui.screens.help import HelpScreen
from confiture_tui.ui.screens.history import HistoryScreen
from confiture_tui.ui.screens.lint import LintScreen
from confiture_tui.ui.screens.log import LogScreen
from confiture_tui.ui.screens.review import ReviewScreen
from confiture_tui.ui.screens.run import RunScreen
from confiture_tui.ui.screens.step import StepDialog
from confiture_tui.user_files import user_keys_file
from tests.support.fake_service import AT, FakeService, status
from tests.ui import risk_samples, run_samples, samples
from tests.ui.scenes import Look, Scene, Step, served

if TYPE_CHECKING:
    from textual.screen import Screen

    from tests.ui.driving import Driver

SCREENS: dict[str, type[Screen[Any]]] = {
    "review": ReviewScreen,
    "lint": LintScreen,
    "run": RunScreen,
    "history": HistoryScreen,
    "log": LogScreen,
}
KEYS = {"review": "1", "lint": "3", "run": "4", "history": "5", "log": "6"}


def on(kind: type[Screen[Any]]) -> Look:
    return lambda driver: driver.on_top(kind)


def _review() -> FakeService:
    return samples.service(assessments=[risk_samples.note(), risk_samples.token()])


def _trying() -> FakeService:
    return samples.service(hold_dry_run=True)


def _fewer(driver: Driver) -> None:
    driver.service.statuses = driver.service.statuses[:-1]


REVIEW = Scene(
    "review",
    served(_review),
    ready=lambda driver: driver.on_top(ReviewScreen) and not driver.app.session.assessing,
    steps=(
        Step("next_pane", lambda d: d.review.tabs.active == "risk", back=("left_square_bracket",)),
        Step("previous_pane", lambda d: d.review.tabs.active == "way", back=("right_square_bracket",)),
        Step("open_detail", lambda d: d.focused == "statement-list", back=("escape",)),
        Step("cancel", lambda d: d.focused == "migrations", first=("enter",)),
        Step("next_risk", lambda d: d.review.tabs.active == "risk", back=("left_square_bracket",)),
        Step(
            "next_risk",
            lambda d: d.review.risk.chosen.rule == "no-lock-timeout",
            first=("g", "j", "n"),
            back=("N", "g", "left_square_bracket"),
        ),
        Step(
            "previous_risk",
            lambda d: d.review.risk.chosen.rule == "volatile-default-rewrite",
            first=("g", "j", "n", "n"),
            back=("g", "left_square_bracket"),
        ),
        Step("sort_migrations", lambda d: d.review.chosen.version == "004", first=("g",), back=("s",)),
        Step("reload", lambda d: "006" not in [one.version for one in d.app.session.statuses], prepare=_fewer),
        Step("dry_run", lambda d: [job.version for job in d.service.jobs] == ["003"], first=("g",)),
    ),
)
REVIEW_TRYING = Scene(
    "review",
    served(_trying),
    ready=on(ReviewScreen),
    steps=(
        Step("dry_run_all", lambda d: d.app.session.busy and len(d.app.session.queue) == 3, back=("escape",)),
        Step("cancel", lambda d: not d.app.session.busy, first=("d",)),
    ),
)


def _planned(driver: Driver) -> bool:
    return driver.on_top(RunScreen) and driver.app.session.run.phase is RunPhase.PLANNED


def _asked_to(answer: str) -> Look:
    """A deliberate question is asked, whose yes is this."""
    return lambda driver: (
        driver.on_top(DeliberateDialog) and driver.app.screen.query_one("#yes", Button).label.plain == answer
    )


def _last(driver: Driver) -> Any:
    return driver.service.planned[-1] if driver.service.planned else None


RUN = Scene(
    "run",
    served(samples.service),
    keys=("4",),
    ready=_planned,
    steps=(
        Step("run_plan", _asked_to("Apply"), back=("escape",)),
        Step("step_through", on(StepDialog), back=("escape",)),
        Step("open_run_detail", lambda d: d.focused == "run-detail", back=("enter",)),
        Step("cancel_run", lambda d: d.focused == "run-list", first=("enter",)),
        Step("plan_again", lambda d: len(d.service.planned) == 1, prepare=lambda d: d.service.planned.clear()),
        Step("skip_chosen", lambda d: _last(d).skip == {"003"}, back=("x",)),
        Step("limit_here", lambda d: _last(d).to == "004", first=("g", "j")),
        Step("plan_backward", lambda d: _last(d).direction == "backward"),
        Step("plan_forward", lambda d: _last(d).direction == "forward"),
    ),
)
RUN_OBJECTIONS = Scene(
    "run",
    served(lambda: samples.service(statuses=[*samples.statuses(), status("007", "later", "applied", "SELECT 1;")])),
    keys=("4",),
    ready=_planned,
    steps=(Step("allow_objections", _asked_to("Allow"), back=("escape",)),),
)


def _left() -> FakeService:
    left = run_samples.left_over(actions=("resume", "clean_up", "mark_applied", "mark_pending"))
    return samples.service(left=[left])


RUN_LEFT = Scene(
    "run",
    served(_left),
    keys=("4",),
    ready=_planned,
    steps=(
        Step("resume_left", _asked_to("Resume"), back=("escape",)),
        Step("clean_up_left", _asked_to("Drop"), back=("escape",)),
        Step("mark_applied", _asked_to("Mark applied"), back=("escape",)),
        Step("mark_pending", _asked_to("Mark pending"), back=("escape",)),
    ),
)
RUN_YES = tuple(
    Scene(
        "run",
        served(_left),
        keys=("4",),
        ready=_planned,
        ends=True,
        steps=(Step("pick_choice", shows, first=(key, "tab")),),
    )
    for key, shows in (
        ("s", lambda d: d.service.runs and d.service.runs[0][0] == "006"),
        ("u", lambda d: d.service.cleaned == [("006", None)]),
        ("m", lambda d: d.service.marked == [("006", True, None)]),
        ("M", lambda d: d.service.marked == [("006", False, None)]),
    )
)
RUN_UNDER_WAY = Scene(
    "run",
    served(samples.service),
    keys=("4", "a", "tab", "enter"),
    ready=lambda driver: driver.app.session.run.phase is RunPhase.RUNNING,
    ends=True,
    steps=(Step("cancel_run", lambda d: d.service.runs[0][1].cancelling),),
)
RUN_PLANNING = Scene(
    "run",
    served(lambda: samples.service(hold_plan=True)),
    keys=("4",),
    ready=lambda driver: driver.app.session.run.phase is RunPhase.PLANNING,
    ends=True,
    steps=(Step("cancel_run", lambda d: d.app.session.run.phase is RunPhase.IDLE),),
)


def _ended(driver: Driver) -> None:
    job = driver.service.runs[0][1]
    if not job.done:
        job.future.set_result(run_samples.run_result())


RUN_ENDED = Scene(
    "run",
    served(samples.service),
    keys=("4", "a", "tab", "enter"),
    ready=lambda driver: bool(driver.service.runs),
    ends=True,
    steps=(
        Step(
            "export_summary",
            lambda d: d.on_top(LineDialog) and "summary" in d.text,
            prepare=_ended,
            first=("j", "k"),
        ),
    ),
)

LINT = Scene(
    "lint",
    served(lambda: samples.service(lint_outcome=run_samples.lint_result())),
    keys=("3",),
    ready=lambda driver: driver.on_top(LintScreen) and driver.app.session.lint.result is not None,
    steps=(
        Step("filter_findings", lambda d: d.focused == "lint-filter", back=("escape",)),
        Step("only_added", lambda d: d.app.screen.only_added and "only new" in d.text, back=("n",)),
        Step("group_findings", lambda d: d.app.screen.grouping is Grouping.RULE, back=("v", "v")),
        Step("open_finding", lambda d: d.focused == "finding", back=("enter",)),
        Step(
            "leave_findings", lambda d: not d.app.screen.filter.display and not d.app.screen.words, first=("slash", "x")
        ),
        Step("ignore_finding", on(LineDialog), back=("escape",)),
        Step("baseline_findings", on(ConfirmDialog), back=("escape",)),
        Step("lint_again", lambda d: len(d.service.linted) == 1, prepare=lambda d: d.service.linted.clear()),
    ),
)
LINT_UNDER_WAY = Scene(
    "lint",
    served(lambda: samples.service(hold_lint=True)),
    keys=("3",),
    ready=lambda driver: driver.on_top(LintScreen) and driver.app.session.lint.job is not None,
    ends=True,
    steps=(Step("leave_findings", lambda d: d.app.session.lint.cancelled),),
)


def _no_history(driver: Driver) -> None:
    driver.app.session.history.entries = ()


HISTORY = Scene(
    "history",
    served(lambda: samples.service(entries=run_samples.history())),
    keys=("5",),
    ready=lambda driver: driver.on_top(HistoryScreen) and driver.app.session.history.entries is not None,
    steps=(
        Step("open_run", lambda d: d.focused == "past-run", back=("escape",)),
        Step("leave_run", lambda d: d.focused == "past", first=("enter",)),
        Step("history_again", lambda d: len(d.app.session.history.entries) == 3, prepare=_no_history),
    ),
)


def _with_lines(make: Callable[[], FakeService]) -> Callable[[], FakeService]:
    def made() -> FakeService:
        service = make()
        service.settings = replace(service.settings, record=Path("/project/kept.jsonl"))
        return service

    return made


def _tell(driver: Driver) -> None:
    """Lines of which the last speaks of a migration."""
    if driver.app.event_log.total < 10:
        for number in range(60):
            driver.service.events(Event(name=EventName.SERVER_NOTICE, message=f"event {number}", at=AT))
        driver.service.events(
            Event(name=EventName.STATEMENT_START, message="of it", migration="003", statement=2, at=AT)
        )
        driver.app._drain()


def _log_ready(driver: Driver) -> bool:
    if not driver.on_top(LogScreen):
        return False
    _tell(driver)
    lines = driver.log.lines
    return lines.chosen is not None and lines.chosen.message == "of it"


def _level(driver: Driver, level: Level) -> None:
    log = driver.log
    log._let_through(replace(log.shown.filter, level=level))


LOG = Scene(
    "log",
    served(_with_lines(samples.service)),
    keys=("6",),
    ready=_log_ready,
    steps=(
        Step("filter_log", lambda d: d.focused == "log-filter", back=("escape",)),
        Step("log_level", lambda d: d.log.shown.filter.level is Level.DEBUG, prepare=lambda d: _level(d, Level.ERROR)),
        Step("log_details", lambda d: d.has_details(), back=("enter",)),
        Step("log_context", lambda d: d.log.shown.filter.context == 2, back=("c", "c")),
        Step("only_migration", lambda d: d.log.filter.value == "migration=003", back=("escape",)),
        Step("only_event", lambda d: d.log.filter.value == "event=statement_start", back=("escape",)),
        Step("leave_log_filter", lambda d: d.log.shown.filter.is_empty, first=("m",)),
        Step("export_log", lambda d: d.on_top(LineDialog) and "61 events" not in d.text, back=("escape",)),
        Step("log_go_to", lambda d: d.on_top(ReviewScreen) and d.review.chosen.version == "003", back=("6",)),
    ),
)


def _everywhere(name: str) -> tuple[Step, ...]:
    """What works on this screen as on every other; the way back to it is its own key."""
    back = (KEYS[name],)
    words = {"review": "assess 003", "lint": "lint", "run": "apply", "history": "status", "log": "log /project"}[name]
    steps = [
        *(Step(f"show_{other}", on(kind), back=back) for other, kind in SCREENS.items() if other != name),
        Step(
            "show_dry_run",
            lambda d: d.on_top(ReviewScreen) and d.review.tabs.active == "report",
            back=("right_square_bracket", "right_square_bracket", "right_square_bracket", *back),
        ),
        Step("copy", on(ChooseDialog), back=("escape",)),
        Step(
            "copy_command",
            lambda d: d.app.clipboard.startswith(f"confiture-tui {words}"),
            prepare=lambda d: d.app.copy_to_clipboard(""),
        ),
        Step("follow_log", lambda d: d.app.screen.log_view.follow, prepare=_look_back),
        Step("go_to_migration", lambda d: "Go to 003_order_note" in d.text, back=("escape",)),
        Step("open_files", lambda d: d.on_top(LineDialog) and "Open a directory" in d.text, back=("escape",)),
        Step("connect", lambda d: d.on_top(LineDialog) and "Connect to" in d.text, back=("escape",)),
        Step("help", on(HelpScreen), back=("escape",)),
        Step("command_palette", on(CommandPalette), back=("escape",)),
        Step("change_theme", lambda d: "confiture-contrast" in d.text, back=("escape",)),
        Step("write_keys", _keys_file_is_there, prepare=lambda _: _keys_file().unlink(missing_ok=True)),
    ]
    if name != "log":
        steps += [
            Step("toggle_log", lambda d: not cast("Any", d.app.screen).log_pane.display, back=("o",)),
            Step("back_to_log", on(LogScreen), prepare=_come_from_log, back=back),
        ]
    return tuple(steps)


def _look_back(driver: Driver) -> None:
    screen: Any = driver.app.screen
    screen.log_view.follow = False


def _come_from_log(driver: Driver) -> None:
    driver.app.came_from_log = True


def _keys_file() -> Path:
    return user_keys_file(os.environ)


def _keys_file_is_there(_driver: Driver) -> bool:
    return _keys_file().exists()


_OF_SCREENS = {"review": REVIEW, "lint": LINT, "run": RUN, "history": HISTORY, "log": LOG}
EVERYWHERE = tuple(replace(scene, steps=_everywhere(name)) for name, scene in _OF_SCREENS.items())
LEAVING = tuple(
    replace(
        scene,
        ends=True,
        steps=(
            Step("request_quit", lambda d: d.app.return_code == 0),
            Step("quit", lambda d: d.app.return_code == 0),
            Step("open_demo", lambda d: d.app.return_value is not None and d.app.return_value.demo),
        ),
    )
    for scene in _OF_SCREENS.values()
)

SCENES = (
    *(REVIEW, REVIEW_TRYING, RUN, RUN_OBJECTIONS, RUN_LEFT, *RUN_YES, RUN_UNDER_WAY, RUN_PLANNING, RUN_ENDED),
    *(LINT, LINT_UNDER_WAY, HISTORY, LOG, *EVERYWHERE, *LEAVING),
)
