"""Review: a risk, its statement and a line of the SQL are chosen together; the list is sorted; the schema a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.service.models import PreviewedHook
from tests.ui import risk_samples, samples
from tests.ui.driving import Driver, running

if TYPE_CHECKING:
    import pytest

    from tests.support.fake_service import FakeService


def assessed(**changes: object) -> FakeService:
    return samples.service(assessments=[risk_samples.note(), risk_samples.token()], **changes)


async def assessments(driver: Driver) -> None:
    await driver.until(lambda: not driver.app.session.assessing)


class TestList:
    async def test_badges_come_one_by_one(self) -> None:
        async with running(assessed()) as driver:
            await driver.until_text("▲ high 65")
            assert "• low 10" in driver.text

    async def test_worst_first_and_in_order_again(self) -> None:
        async with running(assessed()) as driver:
            await assessments(driver)
            await driver.press("s")
            await driver.until_text("worst first")
            assert driver.text.index("004_order_token") < driver.text.index("003_order_note")
            assert driver.review.chosen is not None
            assert driver.review.chosen.version == "004"
            await driver.press("s")
            await driver.until(lambda: driver.review.chosen is not None and driver.review.chosen.version == "003")
            assert "worst first" not in driver.text


class TestRisk:
    async def test_the_safe_way_is_a_difference(self) -> None:
        async with running(assessed(), size=(120, 50)) as driver:
            await assessments(driver)
            await driver.press("j", "n")
            await driver.until_text("- ALTER TABLE shop.w_orders ADD COLUMN token uuid")
            assert "+ ALTER TABLE shop.w_orders ADD COLUMN token uuid;" in driver.text

    async def test_the_next_one_and_the_one_before_and_their_statement(self) -> None:
        async with running(assessed()) as driver:
            await assessments(driver)
            await driver.press("n", "n")
            await driver.until(lambda: driver.review.statements.cursor == 1)
            await driver.press("j")
            await driver.until(lambda: driver.review.chosen is not None and driver.review.chosen.version == "004")
            names = []
            for key in ("n", "n", "N", "N"):
                await driver.press(key)
                chosen = driver.review.risk.chosen
                names.append(chosen.rule if chosen is not None else "")
            assert names == [
                "no-lock-timeout",
                "volatile-default-rewrite",
                "no-lock-timeout",
                "volatile-default-rewrite",
            ]

    async def test_a_click_chooses(self) -> None:
        async with running(assessed(), size=(120, 50)) as driver:
            await assessments(driver)
            await driver.press("j", "n")
            await driver.until_text("no-lock-timeout")
            lines = driver.text.splitlines()
            y = next(number for number, line in enumerate(lines) if "no-lock-timeout" in line)
            await driver.pilot.click(offset=(70, y))
            await driver.until(
                lambda: driver.review.risk.chosen is not None and driver.review.risk.chosen.rule == "no-lock-timeout"
            )

    async def test_without_risks_nothing_is_chosen(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("n", "n", "N")
            assert driver.review.risk.chosen is None


class TestSql:
    async def test_the_cursor_chooses_the_statement(self) -> None:
        async with running(samples.service()) as driver:
            await driver.press("right_square_bracket", "right_square_bracket", "enter")
            assert driver.focused == "sql-view"
            await driver.press("G")
            await driver.until(lambda: driver.review.statements.cursor == 2)
            await driver.press("k")
            await driver.until(lambda: driver.review.statements.cursor == 1)
            await driver.press("g", "j")
            await driver.until(lambda: driver.review.statements.cursor == 0)

    async def test_a_click_does_too(self) -> None:
        async with running(samples.service(), size=(120, 36)) as driver:
            await driver.press("right_square_bracket", "right_square_bracket")
            await driver.until_text("4 COMMENT")
            await driver.pilot.click("#sql-view", offset=(20, 3))
            await driver.until(lambda: driver.review.statements.cursor == 2)


class TestSchema:
    async def test_it_is_folded_and_unfolded(self) -> None:
        async with running(samples.service(), size=(120, 36)) as driver:
            await driver.press("d", "left_square_bracket", "left_square_bracket")
            await driver.until_text("+ column note")
            await driver.press("enter")
            assert driver.focused == "schema-tree"
            await driver.press("enter")
            await driver.until(lambda: "+ column note" not in driver.text)
            await driver.press("enter")
            await driver.until_text("+ column note")

    async def test_in_ascii(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TERM", "dumb")
        async with running(samples.service(), size=(80, 24)) as driver:
            await driver.press("d", "o", "left_square_bracket", "left_square_bracket")
            await driver.until_text("+ column note")
            assert driver.text.isascii()


class TestWay:
    async def test_hooks_stand_around_the_statements(self) -> None:
        service = assessed()
        hooks = (
            PreviewedHook(hook="verify_consistency", phase=HookPhase.AFTER_VALIDATION, direction="forward"),
            PreviewedHook(hook="capture_statistics", phase=HookPhase.BEFORE_DDL, direction="both"),
            PreviewedHook(hook="acme", phase=None, direction="forward"),
        )
        service.declared = {"003": hooks}
        async with running(service, size=(120, 36)) as driver:
            await driver.press("left_square_bracket")
            await driver.until_text("What runs, in this order")
            places = [
                driver.text.index(words)
                for words in ("BEGIN", "capture_statistics", "→ 3 statements", "verify_consistency", "COMMIT", "acme")
            ]
            assert places[1:] == sorted(places[1:])
            assert "also on the way back" in driver.text
            assert "There is none: no .down.sql." in driver.text
