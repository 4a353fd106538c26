"""Steps on the Run screen that several tests take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.screens.deliberate import DeliberateDialog
from confiture_tui.ui.screens.run import RunScreen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.fake_service import FakeService
    from tests.ui.driving import Driver


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
