"""The wizard on a service without a server: every key and every state."""

from __future__ import annotations

import pytest
from textual.widgets import Button, Input

from confiture_tui.core.runner.result import MigrationRun, RunOutcome, RunResult
from confiture_tui.errors import UsageError
from confiture_tui.service.running import PlanChanged, RunRequest
from confiture_tui.ui.presenters.as_markdown import run_markdown
from confiture_tui.ui.run_progress import MigrationProgress
from confiture_tui.ui.screens.confirm import ConfirmDialog
from confiture_tui.ui.screens.deliberate import DeliberateDialog
from tests.support.fake_service import status
from tests.ui import risk_samples, run_samples, samples
from tests.ui.driving import SIZES, running
from tests.ui.run_steps import agreed, planned, versions, wizard


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


async def test_a_wait_that_the_run_bounds_itself_is_no_risk_of_the_run() -> None:
    bounded = risk_samples.risk("missing-lock-timeout", message="Nothing bounds the wait.")
    one = risk_samples.assessment("003", "order_note", samples.SAFE_SQL, 30, bounded, risk_samples.risk("brief-lock"))
    async with running(samples.service(assessments=[one]), size=(120, 36)) as driver:
        await driver.until(lambda: "003" in driver.app.session.assessments)
        await planned(driver)
        await driver.until_text("waits 2.0 s for a lock")
        assert "medium 30" in driver.text
        assert "Nothing bounds the wait." not in driver.text
