"""The wizard on a service without a server: every key and every state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Button, Input

from confiture_tui.core.runner.recovery import LeftState
from confiture_tui.core.runner.result import MigrationRun, RunOutcome, RunResult
from confiture_tui.errors import UsageError
from confiture_tui.service.running import PlanChanged, RunRequest
from confiture_tui.ui.presenters.as_markdown import run_markdown
from confiture_tui.ui.run_progress import MigrationProgress
from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.screens.confirm import ConfirmDialog
from confiture_tui.ui.screens.deliberate import DeliberateDialog
from confiture_tui.ui.screens.run import RunScreen
from tests.support.fake_service import FakeService, status
from tests.ui import risk_samples, run_samples, samples
from tests.ui.driving import SIZES, Driver, running

if TYPE_CHECKING:
    from collections.abc import Sequence


def wizard(driver: Driver) -> RunScreen:
    screen = driver.app._screen_stacks["run"][0]
    assert isinstance(screen, RunScreen)
    return screen


async def planned(driver: Driver) -> RunScreen:
    """The wizard, with its plan shown."""
    await driver.press("4")
    await driver.until(lambda: driver.app.session.run.phase in (RunPhase.PLANNED, RunPhase.REFUSED))
    return wizard(driver)


async def agreed(driver: Driver) -> None:
    """The plan is run, after a deliberate yes."""
    await driver.press("a")
    await driver.until(lambda: driver.on_top(DeliberateDialog))
    await driver.press("tab", "enter")
    await driver.until(lambda: driver.app.session.run.job is not None)


def versions(service: FakeService) -> Sequence[str]:
    request = service.planned[-1]
    return [request.direction, request.to or "", str(request.steps or "")]


class TestPlan:
    @pytest.mark.parametrize("size", SIZES)
    async def test_what_will_be_run_and_how_is_shown(self, size: tuple[int, int]) -> None:
        service = samples.service(hooks=run_samples.HOOKS, preflight=[run_samples.LONG_TRANSACTION])
        async with running(service, size=size) as driver:
            await planned(driver)
            await driver.until_text("applies 4 migrations")
            for words in ("003_order_note", "4711"):
                assert words in driver.text

    async def test_hooks_limits_and_target_are_told(self) -> None:
        async with running(samples.service(hooks=run_samples.HOOKS), size=(120, 36)) as driver:
            await planned(driver)
            for words in ("AFTER_DDL", "backfill_read_model", "transactions of its own", "waits 2.0 s", "shop_owner"):
                await driver.until_text(words)

    async def test_nothing_is_run_by_looking(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await driver.press("j", "enter", "escape", "1", "4")
            assert service.runs == []
            assert len(service.planned) == 1

    async def test_it_goes_as_far_as_the_operator_says(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await driver.press("j", "t")
            await driver.until_text("applies 2 migrations")
            assert versions(service) == ["forward", "004", ""]
            assert driver.text.count("not now") == 2
            await driver.press("G", "t")
            await driver.until_text("applies 4 migrations")
            assert versions(service) == ["forward", "", ""]

    async def test_back_and_forth(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await driver.press("b")
            await driver.until_text("takes back 1 migration from")
            assert versions(service) == ["backward", "", "1"]
            await driver.press("G", "t")
            await driver.until_text("takes back 2 migrations from")
            await driver.press("f")
            await driver.until_text("applies 4 migrations")

    async def test_nothing_pending(self) -> None:
        async with running(samples.service(statuses=samples.statuses()[:2])) as driver:
            await planned(driver)
            await driver.until_text("Nothing is pending.")
            await driver.until_text("Run  nothing to apply to shop")
            await driver.press("a")
            assert not driver.on_top(DeliberateDialog)

    async def test_no_database(self) -> None:
        error = UsageError("There is no database to run anything on.", hint="Give --dsn.")
        async with running(samples.service(plan_error=error, target=None)) as driver:
            await planned(driver)
            await driver.until_text("There is no database to run anything on.")
            await driver.press("a")
            assert not driver.on_top(DeliberateDialog)

    async def test_read_only_says_why_it_runs_nothing(self) -> None:
        service = samples.service(target=samples.target(read_only=True))
        async with running(service, size=(120, 36)) as driver:
            await planned(driver)
            await driver.until_text("start without --read-only")
            await driver.press("a")
            assert not driver.on_top(DeliberateDialog)
            assert "a Run it" not in driver.text

    async def test_what_speaks_against_it_must_be_allowed_first(self) -> None:
        statuses = [*samples.statuses(), status("007", "later", "applied", "SELECT 1;")]
        service = samples.service(statuses=statuses)
        async with running(service) as driver:
            await planned(driver)
            await driver.until_text("refused: 4 things speak against it")
            await driver.press("a")
            assert not driver.on_top(DeliberateDialog)
            await driver.press("w")
            await driver.until_text("comes before 007")
            await driver.press("enter")
            assert len(service.planned) == 1
            await driver.press("w", "tab", "enter")
            await driver.until_text("a applies")
            assert service.planned[-1].allowed == {"out-of-order"}
            assert service.runs == []

    @pytest.mark.parametrize("size", SIZES)
    async def test_the_keys_that_have_room_are_whole(self, size: tuple[int, int]) -> None:
        async with running(samples.service(), size=size) as driver:
            await planned(driver)
            await driver.until_text("a applies 4 migrations up to 006_unique_customer_email")
            assert driver.text.split("\n")[2].strip() in (
                "a applies 4 migrations up to 006_unique_customer_email",
                "a applies 4 migrations up to 006_unique_customer_email   p asks for each",
                "a applies 4 migrations up to 006_unique_customer_email   p asks for each   t goes only to 003   "
                "x leaves 003 out",
            )

    async def test_planning_can_be_stopped(self) -> None:
        service = samples.service(hold_plan=True)
        async with running(service, size=(60, 20)) as driver:
            await driver.press("4")
            await driver.until_text("planning")
            assert "esc stops" in driver.text
            # What belongs to the plan is not known yet: nothing is "not now".
            assert "○ pending     003_order_note" in driver.text
            assert "not now" not in driver.text
            await driver.press("escape")
            await driver.until_text("no plan yet")
            service.hold_plan = False
            await driver.press("r")
            await driver.until_text("applies 4 migrations")

    async def test_y_copies_the_command(self) -> None:
        async with running(samples.service()) as driver:
            await planned(driver)
            await driver.press("j", "t")
            await driver.until_text("applies 2 migrations")
            await driver.press("C")
            assert driver.app.clipboard == "confiture-tui apply --to 004"


class TestYes:
    async def test_cancel_has_the_focus(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            for answer in ("enter", "escape", "q"):
                await driver.press("a")
                await driver.until(lambda: driver.on_top(DeliberateDialog))
                assert "Apply 4 migrations to shop on db.example" in driver.text
                await driver.press(answer)
                assert not driver.on_top(DeliberateDialog)
            assert service.runs == []

    async def test_the_plan_that_was_shown_is_the_one_that_is_run(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            prepared = driver.app.session.run.prepared
            await agreed(driver)
            assert prepared is not None
            assert service.runs[0][0] == RunRequest()
            assert service.digest == prepared.plan.digest

    async def test_production_wants_the_name_of_the_database(self) -> None:
        service = samples.service(project=samples.project("production", production=True))
        async with running(service) as driver:
            await planned(driver)
            await driver.press("a")
            await driver.until_text("PRODUCTION")
            assert driver.focused == "no"
            yes = driver.app.screen.query_one("#yes", Button)
            assert yes.disabled
            await driver.press("tab")
            assert isinstance(driver.app.focused, Input)
            await driver.press(*"shopp", "enter")
            assert driver.on_top(DeliberateDialog)
            assert yes.disabled
            await driver.press("backspace")
            await driver.until(lambda: not yes.disabled)
            await driver.press("enter")
            await driver.until(lambda: service.runs)
            assert service.runs[0][0] == RunRequest(confirmation="shop")

    async def test_another_plan_is_shown_again(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await agreed(driver)
            service.plan_salt = "another schema"
            prepared = await service.prepare_run(RunRequest())
            service.runs[0][1].future.set_exception(PlanChanged(prepared))
            await driver.until_text("the plan has changed since it was shown")
            await agreed(driver)
            assert service.digest == prepared.plan.digest


class TestRunning:
    @pytest.mark.parametrize("size", SIZES)
    async def test_it_is_seen_as_it_happens(self, size: tuple[int, int]) -> None:
        service = samples.service(hooks=run_samples.HOOKS)
        async with running(service, size=size) as driver:
            await planned(driver)
            await driver.press("G")
            await agreed(driver)
            for event in run_samples.run_events():
                service.events(event)
            await driver.until_text("300 of 1,000")
            chosen = wizard(driver).rows.chosen
            assert chosen is not None
            assert chosen.version == "003"
            assert "3 of 3" in driver.text

    async def test_who_waits_is_told(self) -> None:
        service = samples.service()
        async with running(service, size=(120, 36)) as driver:
            await planned(driver)
            await agreed(driver)
            for event in run_samples.run_events():
                service.events(event)
            await driver.until_text("Behind us: session 78")
            assert "gave way" in driver.text

    async def test_the_result_with_its_undo(self) -> None:
        service = samples.service()
        async with running(service, size=(120, 36)) as driver:
            await planned(driver)
            await agreed(driver)
            service.runs[0][1].future.set_result(run_samples.run_result())
            await driver.until_text("confiture-tui rollback --steps 1")
            assert "1 applied" in driver.text
            assert "1 failed" in driver.text
            assert "2 not begun" in driver.text
            await driver.press("j")
            await driver.until_text("SQLSTATE 55P03")
            await driver.press("y", "enter")
            assert driver.app.clipboard == "confiture-tui rollback --steps 1"
            await driver.press("b")
            await driver.until_text("takes back 1 migration")

    async def test_only_the_statements_are_held_against_what_was_expected(self) -> None:
        service = samples.service(assessments=[risk_samples.note()])
        async with running(service, size=(120, 36)) as driver:
            await planned(driver)
            await driver.until_text("low 10")
            await agreed(driver)
            service.runs[0][1].future.set_result(run_samples.run_result())
            await driver.until_text("took        940 ms; 2 attempts")
            assert "statements  210 ms; 10 ms to 400 ms were expected" in driver.text
            assert "ended on shop" in driver.text
            assert "| 940 ms | 210 ms | 10 ms to 400 ms |" in run_markdown(driver.app.session)

    @pytest.mark.parametrize("key", ["escape", "c"])
    async def test_it_can_be_cancelled(self, key: str) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await agreed(driver)
            assert "esc Cancel" in driver.text
            await driver.press(key)
            await driver.until(lambda: driver.app.session.run.job is None)
            await driver.until_text("cancelled")
            assert "esc Cancel" not in driver.text

    async def test_one_that_could_not_begin_says_why(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await agreed(driver)
            service.runs[0][1].future.set_exception(UsageError("Another run holds the lock."))
            await driver.until_text("Another run holds the lock.")

    async def test_quitting_asks(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await agreed(driver)
            await driver.press("1", "q")
            assert driver.on_top(ConfirmDialog)
            assert "is being run on the target" in driver.text
            await driver.press("enter")
            assert driver.app.session.busy

    async def test_it_goes_on_while_another_screen_is_shown(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await agreed(driver)
            await driver.press("1")
            done = MigrationRun(version="003", name="order_note", outcome=RunOutcome.APPLIED, elapsed_ms=3, attempts=1)
            service.runs[0][1].future.set_result(RunResult(migrations=(done,)))
            await driver.until(lambda: driver.app.session.run.job is None)
            await driver.press("4")
            await driver.until_text("1 applied")


@pytest.mark.parametrize(
    ("ago", "done", "words"),
    [
        (0.0, 1, "statement 2 of 3"),
        (15.5, 1, "statement 2 of 3 for 15 s"),
        (125.5, 1, "statement 2 of 3 for 2 min 05 s"),
        (125.5, 2, "statement 2 of 3"),
    ],
)
def test_a_long_statement_says_for_how_long(monkeypatch: pytest.MonkeyPatch, ago: float, done: int, words: str) -> None:
    monkeypatch.setattr("confiture_tui.ui.run_progress.time.monotonic", lambda: 1000.0 + ago)
    assert MigrationProgress("003", "note", 3, statement=2, since=1000.0, done=done).place == words


class TestLeftOvers:
    @pytest.mark.parametrize("size", SIZES)
    async def test_what_is_half_way_comes_first(self, size: tuple[int, int]) -> None:
        async with running(samples.service(left=[run_samples.left_over()]), size=size) as driver:
            await planned(driver)
            await driver.until_text("stopped half-way")
            chosen = wizard(driver).rows.chosen
            assert chosen is not None
            assert chosen.left is not None
            assert "s Resume" in driver.text

    async def test_nothing_else_is_run_before(self) -> None:
        service = samples.service(left=[run_samples.left_over()])
        async with running(service) as driver:
            await planned(driver)
            await driver.press("j", "a")
            await driver.until_text("nothing else is run before that is settled")
            assert not driver.on_top(DeliberateDialog)
            assert "a Run it" not in driver.text

    async def test_it_is_resumed_after_a_question(self) -> None:
        service = samples.service(left=[run_samples.left_over()])
        async with running(service) as driver:
            await planned(driver)
            await driver.press("s")
            await driver.until_text("Go on with 006_unique_customer_email")
            await driver.press("enter")
            assert service.runs == []
            await driver.press("s", "tab", "enter")
            await driver.until(lambda: service.runs)
            assert service.runs[0][0] == "006"

    async def test_what_is_committed_counts_as_done_while_its_hooks_are_resumed(self) -> None:
        committed = run_samples.entry("006", "unique_customer_email", state="hooks_pending", hooks_after=True)
        service = samples.service(left=[run_samples.left_over(entry=committed, state=LeftState.HOOKS_PENDING)])
        async with running(service, size=(120, 36)) as driver:
            await planned(driver)
            await driver.until_text("3 of 3 known done")
            await driver.press("s", "tab", "enter")
            await driver.until(lambda: service.runs)
            progress = driver.app.session.run.progress
            assert progress is not None
            assert [one.done for one in progress.migrations] == [3]
            done = MigrationRun(version="006", name="unique_customer_email", outcome=RunOutcome.APPLIED, attempts=1)
            service.runs[0][1].future.set_result(RunResult(migrations=(done,)))
            await driver.until_text("1 applied")
            assert "half-way" not in driver.text

    @pytest.mark.parametrize(("key", "applied"), [("m", True), ("M", False)])
    async def test_it_is_marked_after_a_question(self, key: str, applied: bool) -> None:
        service = samples.service(left=[run_samples.left_over()])
        async with running(service) as driver:
            await planned(driver)
            await driver.press(key, "enter")
            assert service.marked == []
            await driver.press(key, "tab", "enter")
            await driver.until(lambda: service.marked)
            assert service.marked == [("006", applied, None)]
            await driver.until(lambda: not driver.app.session.run.left)

    async def test_what_it_left_invalid_is_dropped_after_a_question(self) -> None:
        left = run_samples.left_over(
            actions=("resume", "clean_up", "mark_applied", "mark_pending"), invalid=("shop.w_orders_email_idx",)
        )
        service = samples.service(left=[left])
        async with running(service, size=(120, 36)) as driver:
            await planned(driver)
            await driver.until_text("u  drops the invalid indexes that it has left")
            await driver.press("u")
            await driver.until_text("Drop shop.w_orders_email_idx")
            await driver.press("enter")
            assert service.cleaned == []
            await driver.press("u", "tab", "enter")
            await driver.until(lambda: service.cleaned)
            assert service.cleaned == [("006", None)]
            await driver.until(lambda: not driver.app.session.run.left)

    async def test_only_what_can_be_done_is_offered(self) -> None:
        service = samples.service(left=[run_samples.left_over(actions=("wait",))])
        async with running(service) as driver:
            await planned(driver)
            await driver.until_text("look again later")
            await driver.press("s")
            assert not driver.on_top(DeliberateDialog)
            assert "s Resume" not in driver.text

    async def test_read_only_marks_nothing(self) -> None:
        service = samples.service(left=[run_samples.left_over()], target=samples.target(read_only=True))
        async with running(service) as driver:
            await planned(driver)
            await driver.press("m")
            assert not driver.on_top(DeliberateDialog)


class TestQuittingARun:
    @pytest.mark.parametrize(
        ("result", "demo", "lines", "code"),
        [
            (
                run_samples.run_result(),
                False,
                [
                    "The run on shop was stopped by quitting: 1 applied, 1 stopped and undone, 2 not begun.",
                    "What is applied, and what can be done:",
                    "  confiture-tui status",
                ],
                4,
            ),
            (
                RunResult(migrations=(MigrationRun(version="3", name="x", outcome=RunOutcome.INTERRUPTED),)),
                True,
                [
                    "The run on shop was stopped by quitting: 1 interrupted.",
                    "3_x stopped half-way: part of it stands.",
                    "The demo's database is gone with it.",
                ],
                5,
            ),
            (
                RunResult(migrations=(MigrationRun(version="3", name="x", outcome=RunOutcome.APPLIED),)),
                True,
                ["The run on shop had ended: 1 applied.", "The demo's database is gone with it."],
                0,
            ),
            (
                None,
                False,
                [
                    "The run on shop was stopped by quitting before it could say what stands; its journal knows.",
                    "What is applied, and what can be done:",
                    "  confiture-tui status",
                ],
                130,
            ),
        ],
    )
    async def test_what_stands_is_told_to_the_shell(
        self, result: RunResult | None, demo: bool, lines: list[str], code: int
    ) -> None:
        service = samples.service(is_demo=demo, project=None if demo else samples.project())
        async with running(service) as driver:
            await planned(driver)
            await agreed(driver)
            service.runs_end_with = result
            await driver.press("ctrl+q")
        assert driver.app.last_words == lines
        assert driver.app.return_code == code
