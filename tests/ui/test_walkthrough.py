"""The walkthrough of the demo, gone through on the real demo: what it speaks of is on the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_tui.config import Settings
from confiture_tui.service import MigrationService
from confiture_tui.ui.walkthrough import STEPS
from confiture_tui.ui.walkthrough_app import WalkthroughApp
from tests.ui import run_samples, samples
from tests.ui.driving import Driver

SHOWN = (
    ("12 pending", "critical"),
    ("009_jar_seal", "ACCESS EXCLUSIVE"),
    ("locking",),
    ("nothing of it stayed",),
    ("Lint",),
    ("008_gift_note",),
    ("1 applied",),
    ("008_gift_note", "applied"),
    ("migration=008",),
    ("11 pending",),
)
"""What must be on the screen at each step."""


@pytest.mark.timeout(300)
async def test_each_step_shows_what_it_speaks_of(tmp_path: Path) -> None:
    service = MigrationService(Settings(project_dir=tmp_path, migrations_dir=tmp_path), demo=True)
    app = WalkthroughApp(service)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        driver = Driver(app, pilot, service)  # type: ignore[arg-type]
        for number, words in enumerate(SHOWN):
            await driver.until(lambda number=number: app.number == number and app.arrived)  # type: ignore[misc]
            for word in (f"{number + 1}/{len(STEPS)}", *words):
                await driver.until_text(word)
            await driver.press("space")
        assert app.number == len(STEPS) - 1


async def test_it_goes_on_when_asked_and_not_before_it_has_arrived() -> None:
    service = samples.service(lint_outcome=run_samples.lint_result())
    app = WalkthroughApp(service)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        driver = Driver(app, pilot, service)
        await driver.until_text("one moment")
        await driver.press("space")
        assert app.number == 0
        await driver.press("question_mark")
        await driver.until_text("Go on with the walkthrough.")


async def test_it_can_be_ended() -> None:
    service = samples.service()
    app = WalkthroughApp(service)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        driver = Driver(app, pilot, service)
        await driver.until_text("1/10")
        await driver.press("E")
        await driver.until(lambda: "1/10" not in driver.text)
        await driver.until_text("order_note")


async def test_a_space_that_is_typed_is_a_space() -> None:
    service = samples.service()
    app = WalkthroughApp(service)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        driver = Driver(app, pilot, service)
        await driver.until_text("order_note")
        await driver.press("6", "slash", "a", "space", "b")
        assert driver.log.filter.value == "a b"


def test_every_step_is_tested_and_no_picture_is_drawn_twice() -> None:
    assert len(SHOWN) == len(STEPS)
    pictures = [step.picture for step in STEPS if step.picture is not None]
    assert len(set(pictures)) == len(pictures)
