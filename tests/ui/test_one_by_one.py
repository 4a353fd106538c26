"""The wizard that asks for each migration: proceed, skip, look, stop; and what is left out of a plan."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Button, Input

from confiture_tui.core.runner.result import MigrationRun, RunOutcome, RunResult
from confiture_tui.service.running import RunRequest
from confiture_tui.ui.messages import AssessEnded
from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.screens.step import StepDialog
from tests.support.fake_service import FakeService, status
from tests.ui import risk_samples, run_samples, samples
from tests.ui.driving import SIZES, Driver, running


async def planned(driver: Driver) -> None:
    await driver.press("4")
    await driver.until(lambda: driver.app.session.run.phase is RunPhase.PLANNED)


async def asked(driver: Driver, version: str) -> StepDialog:
    """The question for this migration is on the screen."""
    await driver.until(lambda: driver.on_top(StepDialog) and f"Apply {version}_" in driver.text)
    screen = driver.app.screen
    assert isinstance(screen, StepDialog)
    return screen


def end(service: FakeService, outcome: RunOutcome = RunOutcome.APPLIED, **more: object) -> None:
    """The run under way is over, and the ledger has what it applied."""
    request, job = service.runs[-1]
    assert isinstance(request, RunRequest)
    version = next(
        one.version for one in service.statuses if one.state == "pending" and one.version not in request.skip
    )
    name = next(one.name for one in service.statuses if one.version == version)
    if outcome is RunOutcome.APPLIED:
        service.statuses = [
            status(one.version, one.name, "applied", "SELECT 1;") if one.version == version else one
            for one in service.statuses
        ]
    run = MigrationRun(version=version, name=name, outcome=outcome, elapsed_ms=5.0, attempts=1)
    job.future.set_result(RunResult(migrations=(run,), undo=("confiture-tui rollback --steps 1",)))


class TestSkip:
    async def test_a_migration_is_left_out_and_taken_in_again(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await driver.press("j", "x")
            await driver.until_text("applies 3 migrations")
            assert service.planned[-1].skip == {"004"}
            assert "– left out" in driver.text
            assert "It is left out this time" in driver.text
            await driver.press("C")
            assert driver.app.clipboard == "confiture-tui apply --skip 004"
            await driver.press("t")
            await driver.until(lambda: service.planned[-1].to == "004")
            assert service.planned[-1].skip == frozenset()
            await driver.until(lambda: driver.app.session.run.phase is RunPhase.PLANNED)
            await driver.press("x")
            await driver.until(lambda: service.planned[-1].skip == {"004"})

    async def test_backward_nothing_can_be_left_out(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await driver.press("b")
            await driver.until_text("takes back 1 migration")
            before = len(service.planned)
            await driver.press("x")
            assert len(service.planned) == before


class TestOneByOne:
    @pytest.mark.parametrize("size", SIZES)
    async def test_what_each_key_will_do_is_written_there(self, size: tuple[int, int]) -> None:
        async with running(samples.service(hooks=run_samples.HOOKS), size=size) as driver:
            await planned(driver)
            await driver.press("p")
            await asked(driver, "003")
            for words in ("runs its 3 statements", "leaves it out", "shows its SQL", "stops here", "Proceed"):
                assert words in driver.text

    async def test_a_risk_that_is_known_only_after_the_question_is_told_in_it(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await driver.press("p")
            await asked(driver, "003")
            assert "high 66" not in driver.text
            late = risk_samples.assessment("003", "order_note", samples.SAFE_SQL, 66, risk_samples.risk("late"))
            driver.app.post_message(AssessEnded((late,)))
            await driver.until_text("What late is about.")
            assert "high 66" in driver.text
            assert driver.on_top(StepDialog)

    async def test_enter_stops_and_runs_nothing(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            for key in ("enter", "escape"):
                await driver.press("p")
                dialog = await asked(driver, "003")
                assert dialog.focused is dialog.query_one("#stop", Button)
                await driver.press(key)
                await driver.until(lambda: not driver.on_top(StepDialog))
            assert service.runs == []
            assert driver.app.session.run.phase is RunPhase.PLANNED

    async def test_proceed_skip_proceed_and_stop(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await driver.press("p")
            await asked(driver, "003")
            await driver.press("p")
            await driver.until(lambda: len(service.runs) == 1)
            assert service.runs[0][0] == RunRequest(steps=1)
            end(service)
            await asked(driver, "004")
            await driver.press("x")
            await asked(driver, "005")
            await driver.press("p")
            await driver.until(lambda: len(service.runs) == 2)
            assert service.runs[1][0] == RunRequest(steps=1, skip=frozenset({"004"}))
            end(service)
            await asked(driver, "006")
            assert "2 migrations of this run so far" in driver.text
            await driver.press("escape")
            await driver.until_text("2 applied")
            result = driver.app.session.run.result
            assert result is not None
            assert [one.version for one in result.migrations] == ["003", "005"]
            assert result.undo == ("confiture-tui rollback --steps 1",) * 2

    async def test_after_the_last_one_it_is_summed_up(self) -> None:
        service = samples.service(statuses=samples.statuses()[:3])
        async with running(service) as driver:
            await planned(driver)
            await driver.press("p")
            await asked(driver, "003")
            await driver.press("p")
            await driver.until(lambda: len(service.runs) == 1)
            end(service)
            await driver.until_text("1 applied")
            assert driver.app.session.run.scope is None

    async def test_a_failure_ends_it(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await driver.press("p")
            await asked(driver, "003")
            await driver.press("p")
            await driver.until(lambda: len(service.runs) == 1)
            end(service, RunOutcome.FAILED)
            await driver.until_text("1 failed")
            assert not driver.on_top(StepDialog)
            assert driver.app.session.run.scope is None

    async def test_what_has_changed_since_it_was_shown_is_asked_again(self) -> None:
        service = samples.service()
        async with running(service) as driver:
            await planned(driver)
            await driver.press("p")
            await asked(driver, "003")
            service.plan_salt = "another schema"
            await driver.press("p")
            await driver.until_text("It has changed since it was shown")
            assert service.runs == []

    async def test_preview_and_details(self) -> None:
        async with running(samples.service(), size=(120, 36)) as driver:
            await planned(driver)
            await driver.press("p")
            dialog = await asked(driver, "003")
            await driver.press("v")
            await driver.until(lambda: dialog.sql.display and "ADD COLUMN note text" in driver.text)
            await driver.press("d")
            await driver.until(lambda: dialog.details.display and not dialog.sql.display)

    async def test_production_wants_its_name_for_each(self) -> None:
        service = samples.service(project=samples.project("production", production=True))
        async with running(service, size=(120, 36)) as driver:
            await planned(driver)
            await driver.press("p")
            dialog = await asked(driver, "003")
            await driver.press("p")
            assert service.runs == []
            assert dialog.focused is dialog.query_one(Input)
            await driver.press(*"shop", "enter")
            await driver.until(lambda: len(service.runs) == 1)
            assert service.runs[0][0] == RunRequest(steps=1, confirmation="shop")


async def test_the_summary_is_written_into_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    service = samples.service()
    async with running(service, size=(120, 36)) as driver:
        await planned(driver)
        await driver.press("a", "tab", "enter")
        await driver.until(lambda: service.runs)
        service.runs[0][1].future.set_result(run_samples.run_result())
        await driver.until_text("1 applied")
        for says in ("Written:", "exists already"):
            await driver.press("e")
            await driver.until_text("Write the summary")
            driver.app.screen.query_one(Input).value = "out.md"
            await driver.press("enter")
            await driver.until_text(says)
        assert (tmp_path / "out.md").stat().st_mode & 0o777 == 0o600
        text = (tmp_path / "out.md").read_text(encoding="utf-8")
        assert "| `003_order_note` | applied" in text
        assert "To take it back" in text
