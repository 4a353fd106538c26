"""A few whole screens with their colours, as SVG. ``pytest tests/ui --update-goldens`` writes them anew: look at them.

What Textual makes of a screen has the names of a random number in it, and the places of letters in fractions of a
pixel; both are written plainly before they are compared. The text goldens say what moved, these that a colour did.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.ui import risk_samples, run_samples, samples
from tests.ui.driving import Driver, running
from tests.ui.test_goldens import planned, settled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.fake_service import FakeService

GOLDENS = Path(__file__).parent / "goldens"
SIZE = (120, 36)


def normal(svg: str) -> str:
    """The picture with the same names each time, and no blank at the end of a line."""
    names = dict.fromkeys(re.findall(r"terminal-\d+", svg))
    for number, name in enumerate(names):
        svg = svg.replace(name, f"terminal-{number}")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


async def _review(driver: Driver) -> None:
    await driver.until(lambda: not driver.app.session.assessing)
    await driver.press("j", "n")
    await driver.until_text("no-lock-timeout")


async def _run(driver: Driver) -> None:
    await planned(driver)


async def _lint(driver: Driver) -> None:
    await driver.press("3")
    await driver.until_text("missing-primary-key")
    await driver.press("j", "j")
    await driver.until_text("CREATE INDEX")


async def _log(driver: Driver) -> None:
    for event in run_samples.run_events():
        driver.service.events(event)
    await driver.press("6", "enter")
    await driver.until_text("Behind us")


SCREENS: dict[str, tuple[Callable[[], FakeService], Callable[[Driver], Awaitable[None]]]] = {
    "review": (lambda: samples.service(assessments=[risk_samples.note(), risk_samples.token()]), _review),
    "run": (
        lambda: samples.service(
            project=samples.project("production", production=True),
            hooks=run_samples.HOOKS,
            preflight=[run_samples.LONG_TRANSACTION],
        ),
        _run,
    ),
    "lint": (lambda: samples.service(lint_outcome=run_samples.lint_result()), _lint),
    "log": (samples.service, _log),
}


@pytest.mark.parametrize("theme", ["confiture-dark", "confiture-contrast"])
@pytest.mark.parametrize("screen", SCREENS)
async def test_the_colours(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, screen: str, theme: str
) -> None:
    monkeypatch.setenv("TEXTUAL_THEME", theme)
    make, arrive = SCREENS[screen]
    async with running(make(), size=SIZE) as driver:
        await arrive(driver)
        await settled(driver)
        picture = normal(driver.app.export_screenshot(title=screen))
    path = GOLDENS / f"{screen}-{theme}.svg"
    if request.config.getoption("--update-goldens", default=False):
        path.write_text(picture, encoding="utf-8")
    assert picture == path.read_text(encoding="utf-8"), f"the colours of {screen} in {theme} are others"


def test_a_picture_is_told_by_its_colours() -> None:
    """Two pictures that differ in a colour only are not the same, and two in a name only are."""
    one = '<g class="terminal-123-r1" fill="#ff0000">x</g>'
    assert normal(one) == normal(one.replace("123", "77"))
    assert normal(one) != normal(one.replace("ff0000", "ff0001"))
