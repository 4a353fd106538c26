"""What stopped half-way, on the Run screen; and quitting in the middle of a run."""

from __future__ import annotations

import pytest

from confiture_tui.core.runner.recovery import LeftState
from confiture_tui.core.runner.result import MigrationRun, RunOutcome, RunResult
from confiture_tui.ui.screens.deliberate import DeliberateDialog
from tests.ui import run_samples, samples
from tests.ui.driving import SIZES, running
from tests.ui.run_steps import agreed, planned, wizard


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
