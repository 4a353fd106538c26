"""Every key of the table of actions, pressed where it works: it does what the table says, and none is left out."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from confiture_tui.ui.actions import ACTIONS, Where
from confiture_tui.ui.screens.base import ConfitureScreen
from confiture_tui.ui.session import Phase
from tests.ui import overlay_steps, run_samples, samples, screen_steps
from tests.ui.driving import Driver, running
from tests.ui.scenes import Scene, Step, keys_of, play, reach

if TYPE_CHECKING:
    from pathlib import Path

SCENES = (*screen_steps.SCENES, *overlay_steps.SCENES)
HARMLESS = {"plan_forward": "it makes the plan that is shown already"}
"""What a key does where it is not offered."""
ELSEWHERE = {"suspend_process": "it needs a shell: test_suspend"}


def _name(one: object) -> str:
    if isinstance(one, Scene):
        return f"{one.name}: {one.steps[0].action if one.ends else len(one.steps)}"
    return one.action if isinstance(one, Step) else str(one)


async def keys_there(driver: Driver, step: Step) -> tuple[str | None, ...]:
    """The keys that do it here; where another action has them all, it is chosen in the palette."""
    action = next(one for one in ACTIONS if one.id == step.action)
    reached = keys_of(driver, step.action)
    if isinstance(driver.app.screen, ConfitureScreen) and not reached and action.palette:
        return (None,)
    return reached or action.keys


@pytest.mark.parametrize("scene", [scene for scene in SCENES if not scene.ends], ids=_name)
async def test_each_key_does_what_the_table_says(scene: Scene, tmp_path: Path) -> None:
    async with scene.open(tmp_path) as driver:
        await reach(driver, scene)
        for step in scene.steps:
            for key in await keys_there(driver, step):
                await play(driver, scene, step, key)


@pytest.mark.parametrize(
    ("scene", "step", "key"),
    [
        (scene, step, key)
        for scene in SCENES
        if scene.ends
        for step in scene.steps
        for key in next(one.keys for one in ACTIONS if one.id == step.action)
    ],
    ids=_name,
)
async def test_each_key_that_leaves_does_what_the_table_says(
    scene: Scene, step: Step, key: str, tmp_path: Path
) -> None:
    async with scene.open(tmp_path) as driver:
        await reach(driver, scene)
        await play(driver, scene, step, key)


def test_no_action_is_left_out() -> None:
    played = defaultdict(set)
    for scene in SCENES:
        for step in scene.steps:
            played[scene.name].add(step.action)
    everything = set().union(*played.values())
    assert {action.id for action in ACTIONS} - everything - set(ELSEWHERE) == set(), "add a step for these"
    everywhere = {one.id for one in ACTIONS if one.where is Where.EVERYWHERE} - set(ELSEWHERE)
    for name, kind in screen_steps.SCREENS.items():
        own = {one.id for one in ACTIONS if one.where is kind.PLACES[0]}  # type: ignore[attr-defined]
        not_there = {f"show_{name}"} | ({"toggle_log", "back_to_log"} if name == "log" else set())
        assert (own | everywhere) - not_there - played[name] == set(), f"add a step for these on {name}"
    lines = {one.id for one in ACTIONS if one.where is Where.LINES}
    for name in played:
        if name.startswith("lines of"):
            assert lines - played[name] == set(), f"add a step for these in {name}"


def _told(driver: Driver) -> tuple[object, ...]:
    """What a key that cannot do anything must leave as it is."""
    service = driver.service
    asked = [len(one) for one in (service.jobs, service.runs, service.planned, service.linted, service.marked)]
    return type(driver.app.screen), *asked, len(service.cleaned), driver.app.clipboard, driver.app.return_value


@pytest.mark.parametrize(("name", "key"), screen_steps.KEYS.items())
@pytest.mark.parametrize("empty", [False, True], ids=["with migrations", "with nothing"])
async def test_what_is_not_offered_cannot_be_done(name: str, key: str, empty: bool) -> None:
    target = samples.target(read_only=True)
    service = samples.service(target=target, left=[run_samples.left_over()], **({"statuses": []} if empty else {}))
    async with running(service, wait=False) as driver:
        await driver.until(lambda: driver.app.session.phase is not Phase.OPENING)
        await driver.press(key)
        await driver.until(lambda: driver.app.session.run.job is None)
        screen = driver.app.screen
        assert isinstance(screen, screen_steps.SCREENS[name])
        assert isinstance(screen, ConfitureScreen)
        for action in ACTIONS:
            if action.where not in screen.places or screen.offers(action) or action.id in HARMLESS:
                continue
            for one in keys_of(driver, action.id):
                before = _told(driver)
                await driver.press(one)
                assert _told(driver) == before, f"{action.id} by {one}"
