"""Driving the app in a test: wait for what is meant, never for a time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from confiture_tui.ui.app import ConfitureApp
from confiture_tui.ui.session import Phase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.pilot import Pilot
    from textual.screen import Screen

    from confiture_tui.ui.reopening import Reopening
    from confiture_tui.ui.screens.log import LogScreen
    from confiture_tui.ui.screens.review import ReviewScreen
    from tests.support.fake_service import FakeService

SIZES = [(60, 20), (80, 24), (120, 36), (160, 45), (200, 50)]


class Driver:
    """The running app, and what a test asks of it."""

    def __init__(self, app: ConfitureApp, pilot: Pilot[Reopening], service: FakeService) -> None:
        self.app = app
        self.pilot = pilot
        self.service = service

    @property
    def review(self) -> ReviewScreen:
        """The screen of the first mode, whichever is shown."""
        return cast("ReviewScreen", self.app._screen_stacks["review"][0])

    @property
    def log(self) -> LogScreen:
        """The screen of the log; it must be shown."""
        return cast("LogScreen", self.app.screen)

    def has_details(self) -> bool:
        """Whether the log shows what the chosen line holds."""
        return self.log.details.display

    @property
    def focused(self) -> str | None:
        """The id of what has the keys."""
        return self.app.focused.id if self.app.focused is not None else None

    def on_top(self, kind: type[Screen[Any]]) -> bool:
        """Whether the screen on top is of this kind."""
        return isinstance(self.app.screen, kind)

    def follows(self) -> bool:
        """Whether the log follows its end."""
        return self.review.log_pane.view.follow

    @property
    def text(self) -> str:
        """The screen as text."""
        return screen_text(self.app)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until the condition holds; the test's own limit ends a wait that never does."""
        while not condition():
            await asyncio.sleep(0.005)
        await self.pilot.pause()

    async def until_text(self, text: str) -> None:
        await self.until(lambda: text in self.text)


def screen_text(app: ConfitureApp) -> str:
    """What is on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips) + "\n"


@asynccontextmanager
async def running(
    service: FakeService, *, size: tuple[int, int] = (80, 24), wait: bool = True
) -> AsyncIterator[Driver]:
    """The app on this service; ready, if ``wait``, with the chosen migration read."""
    app = ConfitureApp(service)  # type: ignore[arg-type]  # the fake has the parts that screens use
    async with app.run_test(size=size, notifications=True) as pilot:
        driver = Driver(app, pilot, service)
        if wait:
            await driver.until(lambda: app.session.phase is not Phase.OPENING)
            if app.session.statuses:
                await driver.until(lambda: driver.review.statements.row_count)
            await driver.until(lambda: not app._arrived)
        yield driver
