"""Lint and History: every key and every state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.lint.model import LintReport
from confiture_tui.errors import ConnectError, UsageError
from confiture_tui.events import Event, EventName
from confiture_tui.service.linting import LintResult
from confiture_tui.ui.run_progress import HookStage, MigrationProgress, RunProgress, Stage
from confiture_tui.ui.session import Phase
from tests.support.fake_service import AT
from tests.ui import run_samples, samples
from tests.ui.driving import SIZES, running

if TYPE_CHECKING:
    from tests.support.fake_service import FakeService


def linted() -> FakeService:
    return samples.service(lint_outcome=run_samples.lint_result())


class TestLint:
    @pytest.mark.parametrize("size", SIZES)
    async def test_findings_are_grouped_by_severity(self, size: tuple[int, int]) -> None:
        async with running(linted(), size=size) as driver:
            await driver.press("3")
            await driver.until_text("missing-primary-key")
            assert driver.text.index("missing-primary-key") < driver.text.index("missing-index")

    async def test_the_chosen_one_is_told_with_its_fix(self) -> None:
        async with running(linted(), size=(120, 36)) as driver:
            await driver.press("3")
            await driver.until_text("is not as missing-primary-key wants it")
            await driver.press("j", "j")
            await driver.until_text("CREATE INDEX CONCURRENTLY")
            assert "005_lines_reference_orders.up.sql:1" in driver.text
            await driver.press("y", "enter")
            assert driver.app.clipboard == "CREATE INDEX CONCURRENTLY ON shop.w_lines (order_id);\n"

    async def test_filter_as_it_is_typed(self) -> None:
        async with running(linted()) as driver:
            await driver.press("3")
            await driver.until_text("missing-primary-key")
            await driver.press("slash", *"NOTE")
            await driver.until_text("shop.w_orders.note")
            assert "missing-primary-key" not in driver.text
            assert "1 shown" in driver.text
            await driver.press("enter")
            assert driver.focused == "findings"
            await driver.press("escape")
            await driver.until_text("missing-primary-key")

    async def test_a_filter_that_nothing_matches(self) -> None:
        async with running(linted()) as driver:
            await driver.press("3")
            await driver.until_text("missing-primary-key")
            await driver.press("slash", *"zzz")
            await driver.until_text("Nothing matches.")

    async def test_only_what_pending_migrations_add(self) -> None:
        async with running(linted()) as driver:
            await driver.press("3")
            await driver.until_text("missing-primary-key")
            await driver.press("n")
            await driver.until_text("only new")
            assert "missing-primary-key" not in driver.text
            assert "missing-index" in driver.text
            await driver.press("n")
            await driver.until_text("missing-primary-key")

    async def test_groups(self) -> None:
        async with running(linted()) as driver:
            await driver.press("3")
            await driver.until_text("by severity")
            for grouping in ("rule", "object", "severity"):
                await driver.press("v")
                await driver.until_text(f"by {grouping}")

    async def test_nothing_is_wrong(self) -> None:
        service = samples.service(lint_outcome=LintResult(basis="database", report=LintReport(checked={"tables": 3})))
        async with running(service) as driver:
            await driver.press("3")
            await driver.until_text("Nothing is wrong with the schema.")
            await driver.until_text("3 tables")

    async def test_an_error_is_a_sentence(self) -> None:
        async with running(samples.service(lint_outcome=UsageError("There is no rule 'x'.", hint="y?"))) as driver:
            await driver.press("3")
            await driver.until_text("There is no rule 'x'.")

    async def test_it_can_be_stopped_and_begun_again(self) -> None:
        service = samples.service(lint_outcome=run_samples.lint_result(), hold_lint=True)
        async with running(service) as driver:
            await driver.press("3")
            await driver.until_text("being read and judged")
            await driver.press("escape")
            await driver.until_text("Stopped before")
            await driver.press("1", "3")
            assert len(service.lints) == 1
            service.hold_lint = False
            await driver.press("r")
            await driver.until_text("missing-primary-key")

    async def test_it_lints_once(self) -> None:
        service = linted()
        async with running(service) as driver:
            await driver.press("3", "1", "3", "enter", "enter")
            await driver.until_text("missing-primary-key")
            assert len(service.lints) == 1


class TestLettingPass:
    async def test_a_finding_for_a_reason(self) -> None:
        service = linted()
        async with running(service, size=(120, 36)) as driver:
            await driver.press("3")
            await driver.until_text("missing-primary-key")
            await driver.press("j", "j", "i")
            await driver.until_text("with the reason:")
            await driver.press("escape")
            await driver.press("i")
            await driver.until_text("with the reason:")
            await driver.press("enter")
            assert service.ignored == []
            await driver.press("i")
            await driver.until_text("with the reason:")
            await driver.press(*"small", "enter")
            await driver.until(lambda: len(service.linted) == 2)
            assert service.ignored == [("missing-index", "shop.w_lines.lines_order_fk", "small")]

    async def test_all_that_is_found_now_after_a_question(self) -> None:
        service = linted()
        async with running(service, size=(120, 36)) as driver:
            await driver.press("3")
            await driver.until_text("missing-primary-key")
            await driver.press("B")
            await driver.until_text("Let the")
            await driver.press("enter")
            assert len(service.linted) == 1
            await driver.press("B")
            await driver.until_text("Let the")
            await driver.press("tab", "enter")
            await driver.until(lambda: len(service.linted) == 2)
            assert service.linted[1].update_baseline

    async def test_where_nothing_can_be_written_it_is_told(self) -> None:
        service = linted()
        service.settings_error = UsageError("The file [/x] cannot be written.", hint="Why?")
        async with running(service, size=(120, 36)) as driver:
            await driver.press("3")
            await driver.until_text("missing-primary-key")
            await driver.press("i")
            await driver.until_text("with the reason:")
            await driver.press("x", "enter")
            await driver.until_text("The file [/x] cannot be written.")
            assert len(service.linted) == 1


class TestHistory:
    @pytest.mark.parametrize("size", SIZES)
    async def test_runs_the_newest_first_with_the_ledger(self, size: tuple[int, int]) -> None:
        async with running(samples.service(entries=run_samples.history()), size=size) as driver:
            await driver.press("5")
            await driver.until_text("006_unique_customer_email")
            assert driver.text.index("interrupted") < driver.text.index("taken back")
            assert "3 runs in the journal" in driver.text

    async def test_one_in_full(self) -> None:
        async with running(samples.service(entries=run_samples.history()), size=(120, 36)) as driver:
            await driver.press("5")
            await driver.until_text("shows what can be done about it")
            await driver.press("j", "j")
            await driver.until_text("permission denied")
            await driver.press("j")
            await driver.until_text("the journal knows no run of it")
            await driver.press("enter")
            assert driver.focused == "past-run"
            await driver.press("escape")
            assert driver.focused == "past"

    async def test_nothing_was_run(self) -> None:
        async with running(samples.service(statuses=samples.statuses()[2:])) as driver:
            await driver.press("5")
            await driver.until_text("Nothing was run here yet.")

    async def test_an_error_is_a_sentence(self) -> None:
        error = UsageError("There is no database to run anything on.")
        service = samples.service(history_error=error, statuses=samples.statuses()[2:])
        async with running(service) as driver:
            await driver.press("5")
            await driver.until_text("There is no database to run anything on.")
            service.history_error = None
            await driver.press("r")
            await driver.until_text("Nothing was run here yet.")


class TestProgress:
    def test_a_retry_begins_again(self) -> None:
        progress = RunProgress([MigrationProgress("003", "order_note", 3)])
        changed = [progress.apply(one) for one in run_samples.run_events()]
        one = progress.migrations[0]
        assert all(changed)
        assert (one.stage, one.retries, one.gave_way, one.done) == (Stage.RUNNING, 1, 1, 3)
        assert [(hook.name, hook.stage) for hook in one.hooks] == [
            ("capture_statistics", HookStage.OK),
            ("backfill_read_model", HookStage.RUNNING),
        ]

    def test_a_dry_run_of_the_same_migration_is_another_matter(self) -> None:
        progress = RunProgress([MigrationProgress("003", "order_note", 3)])
        verdict = Event(
            name=EventName.STATEMENT_COMPLETED, message="", migration="003", phase="verdict", statement=3, at=AT
        )
        assert not progress.apply(verdict)
        assert not progress.apply(Event(name=EventName.SERVER_NOTICE, message="of no migration", at=AT))
        assert progress.migrations[0].done == 0


@pytest.mark.parametrize("key", ["3", "4", "5"])
async def test_the_key_that_looks_again_does_so_where_nothing_could_be_read(key: str) -> None:
    service = samples.service(open_error=ConnectError("No server listens."))
    async with running(service, wait=False) as driver:
        await driver.until_text("No server listens.")
        assert "not reached" in driver.text
        await driver.press(key)
        await driver.until_text("No server listens.")
        service.open_error = None
        await driver.press("r")
        await driver.until(lambda: driver.app.session.phase is Phase.READY)
        await driver.until(lambda: "No server listens." not in driver.text)
