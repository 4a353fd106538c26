"""The scenes in which keys are pressed, and how one is played: what a step is, and what its keys must do.

A step names an action of the one table of actions, says what must be so after its key and was not so before it, and
how to come back. ``scene_steps`` and ``screen_steps`` are the table; ``test_every_action`` plays it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.command import CommandList, CommandPalette

from confiture_tui.ui.actions import ACTIONS, Where, reachable_at
from confiture_tui.ui.screens.base import ConfitureScreen
from tests.ui.driving import Driver, running

if TYPE_CHECKING:
    from tests.support.fake_service import FakeService

Look = Callable[[Any], Any]
"""Takes the ``Driver``; it looks at parts of a screen or an app that only who knows the scene can name."""
Open = Callable[[Path], AbstractAsyncContextManager[Driver]]
PATIENCE_S = 20.0
"""How long what a key does may take: much longer than it ever does, so that waiting in vain says for what."""


@dataclass(frozen=True)
class Step:
    """An action's keys, pressed one after the other.

    Attributes:
        action: its id.
        shows: what must be so after each of its keys, and not before.
        first: keys that lead there.
        prepare: leads there where no key does.
        back: the keys that undo it.
    """

    action: str
    shows: Look
    first: tuple[str, ...] = ()
    prepare: Look = lambda _: None
    back: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scene:
    """The app in one state.

    Attributes:
        name: of the screen, or of what is over it or has the keys.
        open: the app, as it begins.
        steps: what is pressed.
        keys: lead to where the steps begin.
        ready: whether it is there; awaited before each key.
        ends: each key leaves the state for good: each has an app of its own.
    """

    name: str
    open: Open
    steps: tuple[Step, ...]
    keys: tuple[str, ...] = ()
    ready: Look = lambda _: True
    ends: bool = False


def served(make: Callable[[], FakeService], *, size: tuple[int, int] = (120, 36)) -> Open:
    """The app on a service, which is made anew each time."""

    @asynccontextmanager
    async def open_it(_directory: Path) -> AsyncIterator[Driver]:
        async with running(make(), size=size) as driver:
            yield driver

    return open_it


def keys_of(driver: Driver, action: str) -> tuple[str, ...]:
    """The keys that do this action where the app is."""
    screen = driver.app.screen
    places: tuple[Where, ...] = (Where.STEP, Where.DIALOG, Where.LINES)
    if isinstance(screen, ConfitureScreen):
        places = (*screen.places, Where.LINES)
    return next((one.keys for one in reachable_at(*places) if one.id == action), ())


async def soon(driver: Driver, look: Callable[[], Any], what: str) -> None:
    """Wait until it is so.

    Raises:
        AssertionError: it never was; with the screen.
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            await driver.until(look)
    except TimeoutError:
        raise AssertionError(f"waited in vain for {what}:\n{driver.text}") from None


async def reach(driver: Driver, scene: Scene) -> None:
    """Go to where its steps begin."""
    for key in scene.keys:
        await driver.press(key)
    await soon(driver, lambda: scene.ready(driver), f"{scene.name} to be ready")


async def play(driver: Driver, scene: Scene, step: Step, key: str | None) -> None:
    """Press the key, or choose the action in the palette, and see what it does."""
    what = f"{step.action} by {key or 'the palette'} on {scene.name}"
    await soon(driver, lambda: scene.ready(driver), f"{scene.name} to be ready for {what}")
    step.prepare(driver)
    for one in step.first:
        await driver.press(one)
    await soon(driver, lambda: not step.shows(driver), f"the opposite of {what}")
    if key is not None:
        await driver.press(key)
    else:
        await from_palette(driver, step.action)
    await soon(driver, lambda: step.shows(driver), what)
    for one in step.back:
        await driver.press(one)


async def from_palette(driver: Driver, action: str) -> None:
    """Choose the action in the palette."""
    one = next(one for one in ACTIONS if one.id == action)
    await driver.press("ctrl+p")

    def number() -> int | None:
        """Of the action in the list."""
        offered: Any = driver.app.screen.query_one(CommandList).options if driver.on_top(CommandPalette) else ()
        return next((at for at, command in enumerate(offered) if command.hit.text == one.label), None)

    await soon(driver, lambda: number() is not None, f"{one.label} in the palette")
    driver.app.screen.query_one(CommandList).highlighted = number()
    await driver.press("enter")
