from __future__ import annotations

import asyncio
from functools import partial

import pytest

from confiture_tui.core.dry_run.result import Outcome, Verdict
from confiture_tui.errors import ConnectError, UsageError
from confiture_tui.events import Event, EventName
from confiture_tui.ui.screens.confirm import ConfirmDialog
from confiture_tui.ui.screens.help import HelpScreen
from confiture_tui.ui.session import Topic
from tests.support.fake_service import AT, FakeService, status
from tests.ui import samples
from tests.ui.driving import SIZES, running


def started(service: FakeService, version: str) -> bool:
    """Whether the dry run of this migration is the last that was started."""
    return bool(service.jobs) and service.jobs[-1].version == version


class TestOpening:
    async def test_the_first_screen_waits_for_nothing(self) -> None:
        service = samples.service(hold_open=True)
        async with running(service, wait=False) as driver:
            await driver.until_text("Opening")
            await driver.until_text("server_starting")
            service.go.set()
            await driver.until_text("003_order_note")
            assert "Opening" not in driver.text

    async def test_the_demo_says_what_it_does(self) -> None:
        async with running(samples.service(hold_open=True, is_demo=True), wait=False) as driver:
            await driver.until_text("Starting the demo's own server")

    async def test_an_error_is_a_sentence_and_can_be_tried_again(self) -> None:
        service = samples.service(open_error=ConnectError("No server listens on db.example:5432.", hint="Start it."))
        async with running(service) as driver:
            assert "No server listens on db.example:5432." in driver.text
            assert "Start it." in driver.text
            service.open_error = None
            await driver.press("r")
            await driver.until_text("003_order_note")
            assert "No server listens" not in driver.text

    async def test_no_migrations_says_where_it_looked(self) -> None:
        async with running(samples.service(statuses=[])) as driver:
            assert "There are no migrations yet." in driver.text
            assert "/project/db/migrations" in driver.text


class TestMoving:
    @pytest.mark.parametrize(("down", "up"), [("j", "k"), ("down", "up")])
    async def test_up_and_down(self, down: str, up: str) -> None:
        async with running(samples.service()) as driver:
            assert driver.review.chosen is not None
            assert driver.review.chosen.version == "003"
            await driver.press(down, down)
            assert driver.review.chosen.version == "005"
            await driver.press(up)
            assert driver.review.chosen.version == "004"

    @pytest.mark.parametrize(("last", "first"), [("G", "g"), ("end", "home")])
    async def test_ends(self, last: str, first: str) -> None:
        async with running(samples.service()) as driver:
            await driver.press(last)
            assert driver.review.chosen is not None
            assert driver.review.chosen.version == "001"
            await driver.press(first)
            assert driver.review.chosen.version == "003"
            await driver.press("k")
            assert driver.review.chosen.version == "003"

    async def test_pending_ones_come_first_and_applied_ones_newest_first(self) -> None:
        async with running(samples.service(), size=(80, 24)) as driver:
            places = [driver.text.index(name) for name in ("003_order_note", "006_unique", "002_read_side")]
            assert places == sorted(places)

    async def test_what_needs_attention_comes_before_all(self) -> None:
        statuses = [*samples.statuses(), status("007", "half", "interrupted", "SELECT 1;")]
        async with running(samples.service(statuses=statuses)) as driver:
            assert driver.review.chosen is not None
            assert driver.review.chosen.version == "007"

    async def test_the_chosen_one_is_shown(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("j")
            await driver.until_text("004_order_token · ○ pending · 1 statement")

    async def test_an_applied_one_is_not_offered_for_a_try(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("G")
            await driver.until_text("001_initial · ● applied")
            await driver.press(*["right_square_bracket"] * 3)
            await driver.until_text("It is applied already")
            assert "press d" not in driver.text

    async def test_what_stopped_half_way_is_settled_before_anything_is_tried(self) -> None:
        statuses = [*samples.statuses()[:-1], status("006", "unique_customer_email", "interrupted", "SELECT 1;")]
        async with running(samples.service(statuses=statuses), size=(60, 20)) as driver:
            await driver.until_text("stopped half-way: press 4 to resume or settle it")
            await driver.press(*["right_square_bracket"] * 3)
            await driver.until_text("What is left of it comes first")
            assert "press d" not in driver.text

    async def test_a_click_chooses(self) -> None:
        async with running(samples.service()) as driver:
            await driver.pilot.click("#migrations", offset=(20, 2))
            assert driver.review.chosen is not None
            assert driver.review.chosen.version == "005"

    async def test_holding_a_key_does_not_read_every_file(self) -> None:
        many = [status(f"{number:04}", "x", "pending", f"SELECT {number};") for number in range(400)]
        service = samples.service(statuses=many)
        async with running(service) as driver:
            before = service.previews
            for _ in range(20):
                driver.review.migrations.action_line_down()
            await driver.until(lambda: driver.review.chosen is not None and driver.review.chosen.version == "0020")
            await driver.until(lambda: driver.review.statements.row_count)
            assert service.previews - before == 1


class TestPanes:
    async def test_panes_go_round(self) -> None:
        async with running(samples.service()) as driver:
            seen = [driver.review.tabs.active]
            for _ in range(6):
                await driver.press("right_square_bracket")
                seen.append(driver.review.tabs.active)
            assert seen == ["statements", "risk", "sql", "report", "schema", "way", "statements"]
            await driver.press("left_square_bracket")
            assert driver.review.tabs.active == "way"

    async def test_the_sql_has_line_numbers_and_marks_the_statement(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("right_square_bracket", "right_square_bracket")
            await driver.until_text("3 ALTER TABLE shop.w_orders ADD COLUMN note text;")
            assert "[b]customer[/b]" in driver.text
            await driver.press("left_square_bracket", "left_square_bracket", "enter", "j")
            assert driver.review.statements.chosen is not None
            assert driver.review.statements.chosen.line == 3
            assert list(driver.review.sql._marked) == [2]

    async def test_colours_come(self) -> None:
        async with running(samples.service()) as driver:
            await driver.until(lambda: driver.review.sql.lines_shown)
            assert driver.review.sql._colourless  # nobody sees it: the list is not kept waiting for the lexer
            await driver.press("right_square_bracket", "right_square_bracket")
            await driver.until(lambda: driver.review.sql.is_coloured)

    async def test_enter_goes_into_the_pane_and_back(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("enter")
            assert driver.focused == "statement-list"
            await driver.press("enter")
            assert driver.focused == "migrations"
            await driver.press("enter", "escape")
            assert driver.focused == "migrations"

    async def test_a_title_can_be_clicked(self) -> None:
        async with running(samples.service()) as driver:
            await driver.pilot.click("#tabs", offset=(23, 0))
            assert driver.review.tabs.active == "sql"

    async def test_a_wide_terminal_shows_the_statements_beside_the_others(self) -> None:
        async with running(samples.service(), size=(200, 50)) as driver:
            for pane in ("risk", "sql", "report", "schema", "way"):
                await driver.until(partial(lambda name: driver.review.tabs.active == name, pane))
                for shown in ("statements", pane):
                    assert driver.review.query_one(f"#{shown}").region.area > 0
                await driver.press("right_square_bracket")
            await driver.until(lambda: driver.review.tabs.active == "risk")

    @pytest.mark.parametrize("size", SIZES)
    async def test_nothing_known_is_never_shown_as_nothing_there(self, size: tuple[int, int]) -> None:
        async with running(samples.service(), size=size) as driver:
            assert "not looked at yet" in driver.text

    async def test_what_is_not_known_says_why(self) -> None:
        async with running(samples.service(), size=(120, 36)) as driver:
            await driver.until_text("not looked at yet: press d")
            driver.app.session.assessing = True
            driver.app.changed.publish(Topic.RISK)
            await driver.until(lambda: driver.text.count("being assessed") > 1)
            assert "not looked at yet" not in driver.text
            await driver.press("G")
            await driver.until_text("applied already: not looked at")

    async def test_a_migration_without_a_file(self) -> None:
        service = samples.service(statuses=[status("001", "gone", "missing")])
        async with running(service, wait=False) as driver:
            await driver.until_text("There is no file of 001.")
            await driver.press("right_square_bracket", "right_square_bracket")
            await driver.until_text("only the ledger knows this migration")

    async def test_ten_thousand_lines(self) -> None:
        sql = "\n".join(f"INSERT INTO t VALUES ({number}, 'x');" for number in range(10_000))
        async with running(samples.service(statuses=[status("001", "long", "pending", sql)])) as driver:
            assert driver.review.statements.row_count == 10_000
            await driver.press("enter", "G")
            assert "10000" in driver.text
            await driver.press("right_square_bracket", "right_square_bracket")
            await driver.until_text("INSERT INTO t VALUES (9999, 'x');")
            await driver.until(lambda: driver.review.sql.is_coloured)


class TestDryRun:
    @pytest.mark.parametrize("size", SIZES)
    async def test_d_shows_what_was_observed(self, size: tuple[int, int]) -> None:
        async with running(samples.service(), size=size) as driver:
            await driver.press("j", "d")
            await driver.until_text("rewrites")
            assert "ACCESS EXCLUSIVE" in driver.text
            assert "not looked at yet" not in driver.text

    async def test_a_failure_is_shown_in_full(self) -> None:
        async with running(samples.service(), size=(120, 36)) as driver:
            await driver.press("j", "j", "j", "d")
            await driver.until_text("✗ fails")
            await driver.press("right_square_bracket", "right_square_bracket", "right_square_bracket")
            for words in ("SQLSTATE 23505", "is duplicated", "Left behind invalid", "nothing of it stayed"):
                assert words in driver.text

    async def test_the_schema_diff_is_shown(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("d", "left_square_bracket", "left_square_bracket")
            await driver.until_text("shop.w_orders")
            await driver.until_text("+ column note  note text")

    async def test_what_a_failing_migration_leaves_behind_is_not_shown_as_its_work(self) -> None:
        failed = samples.failed_result().model_copy(update={"schema_diff": samples.safe_result().schema_diff})
        async with running(samples.service(outcomes={"006": failed}), size=(120, 36)) as driver:
            await driver.press("j", "j", "j", "d")
            await driver.until_text("✗ fails")
            await driver.press("left_square_bracket", "left_square_bracket")
            await driver.until_text("The migration fails. What it leaves behind all the same:")

    async def test_all_pending_ones_in_order(self) -> None:
        service = samples.service(hold_dry_run=True)
        async with running(service) as driver:
            await driver.press("D")
            for version in ("003", "004", "005", "006"):
                await driver.until(partial(started, service, version))
                service.finish(service.jobs[-1])
            await driver.until(lambda: len(driver.app.session.results) == 4 and not driver.app.session.busy)
            assert [job.version for job in service.jobs] == ["003", "004", "005", "006"]

    async def test_pressing_d_twice_runs_once(self) -> None:
        service = samples.service(hold_dry_run=True)
        async with running(service) as driver:
            await driver.press("d", "d")
            assert [job.version for job in service.jobs] == ["003"]
            assert driver.app.session.queue == []

    @pytest.mark.parametrize("key", ["escape", "c"])
    async def test_it_can_be_cancelled_and_with_it_all_that_wait(self, key: str) -> None:
        service = samples.service(hold_dry_run=True)
        async with running(service) as driver:
            await driver.press("D")
            await driver.until_text("queued")
            assert "esc Cancel" in driver.text
            await driver.press(key)
            await driver.until(lambda: not driver.app.session.busy)
            assert len(service.jobs) == 1
            assert "queued" not in driver.text
            assert "esc Cancel" not in driver.text

    async def test_statements_are_marked_while_it_runs(self) -> None:
        service = samples.service(hold_dry_run=True)
        async with running(service) as driver:
            await driver.press("d")
            for name, statement in (
                (EventName.STATEMENT_COMPLETED, 1),
                (EventName.STATEMENT_START, 2),
            ):
                service.events(
                    Event(name=name, message="", migration="003", phase="verdict", statement=statement, at=AT)
                )
            await driver.until_text("verdict: statement 2")
            lines = [line for line in driver.text.splitlines() if " L" in line]
            assert "✓" in lines[0]
            assert "ran" in lines[0]
            assert "running" in lines[1]
            assert "waits" in lines[2]

    async def test_one_that_could_not_be_made_says_why(self) -> None:
        outcomes = {"003": UsageError("The shadow cannot be built.", hint="Give --pg-bin.")}
        async with running(samples.service(outcomes=outcomes)) as driver:
            await driver.press("d")
            await driver.until_text("The shadow cannot be built. Give --pg-bin.")
            assert "no result" in driver.text

    async def test_statements_that_were_not_run_say_so(self) -> None:
        skipped = samples.observation(
            samples.SAFE_SQL, 2, basis=None, outcome=Outcome.NOT_RUN, reason="the first failed"
        )
        outcome = samples.result("003", "order_note", skipped, verdict=Verdict.INCONCLUSIVE, ok=False)
        async with running(samples.service(outcomes={"003": outcome})) as driver:
            await driver.press("d")
            await driver.until_text("not run: the first failed")
            assert "unclear" in driver.text


class TestOverlays:
    async def test_help_opens_and_closes(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("question_mark")
            assert driver.on_top(HelpScreen)
            assert "Try the chosen migration" in driver.text
            await driver.press("escape")
            assert not driver.on_top(HelpScreen)
            await driver.press("question_mark", "question_mark")
            assert not driver.on_top(HelpScreen)

    async def test_the_palette_does_what_the_table_says(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("ctrl+p")
            await driver.press(*"dry run", "down")
            await driver.until_text("Dry run (d)")
            await driver.press("enter")
            await driver.until(lambda: "003" in driver.app.session.results)

    async def test_the_palette_begins_with_the_commands(self) -> None:
        async with running(samples.service(), size=(120, 36)) as driver:
            await driver.press("ctrl+p")
            await driver.until_text("Dry run (d)")
            assert "Go to 003_order_note" not in driver.text
            await driver.press(*"order_token")
            await driver.until_text("Go to 004_order_token")

    async def test_the_list_of_migrations_is_there_before_anything_is_typed(self) -> None:
        async with running(samples.service(), size=(120, 36)) as driver:
            await driver.press("slash")
            await driver.until_text("Go to 003_order_note")

    async def test_go_to_a_migration(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("slash")
            await driver.press(*"unique")
            await driver.until_text("Go to 006_unique_customer_email")
            await driver.press("enter")
            await driver.until(lambda: driver.review.chosen is not None and driver.review.chosen.version == "006")

    async def test_the_log_can_be_hidden(self) -> None:
        async with running(samples.service()) as driver:
            assert "project_opened" in driver.text
            await driver.press("o")
            assert "project_opened" not in driver.text
            await driver.press("o")
            await driver.until_text("project_opened")

    async def test_a_click_on_the_line_of_keys(self) -> None:
        async with running(samples.service()) as driver:
            line = driver.text.splitlines()[-1]
            await driver.pilot.click("KeyBar", offset=(line.index("o Log") + 2, 0))
            assert not driver.app.log_shown

    async def test_one_is_review(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("1")
            assert driver.app.screen is driver.review


class TestQuitting:
    @pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
    async def test_idle_it_quits_at_once_and_closes_the_service(self, key: str) -> None:
        service = samples.service()
        async with running(service) as driver:
            await driver.press(key)
        assert driver.app.return_code == 0
        assert service.closed

    @pytest.mark.parametrize("key", ["q", "ctrl+c"])
    async def test_while_a_job_runs_it_asks_and_enter_does_no_harm(self, key: str) -> None:
        service = samples.service(hold_dry_run=True)
        async with running(service) as driver:
            await driver.press("d", key)
            assert driver.on_top(ConfirmDialog)
            assert "003_order_note" in driver.text
            await driver.press("enter")
            assert not driver.on_top(ConfirmDialog)
            assert driver.app.session.busy
            await driver.press(key, "escape")
            assert driver.app.session.busy
            await driver.press(key, "tab", "enter")
        assert driver.app.return_code == 0
        assert service.closed

    async def test_ctrl_q_asks_nothing(self) -> None:
        service = samples.service(hold_dry_run=True)
        async with running(service) as driver:
            await driver.press("d", "q", "ctrl+q")
        assert driver.app.return_code == 0

    async def test_a_service_that_does_not_stop_is_not_waited_for(self) -> None:
        service = samples.service(close_takes_s=60.0)
        async with asyncio.timeout(30):
            async with running(service) as driver:
                await driver.press("q")
        assert not service.closed
        assert driver.app.last_words
