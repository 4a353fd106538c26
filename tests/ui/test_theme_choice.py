"""Other colours, from the palette, and the next start with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from confiture_tui.config import Settings
from confiture_tui.ui.app import ConfitureApp
from confiture_tui.ui.themes import DEFAULT_THEME, OWN_THEMES, own_themes
from confiture_tui.user_files import user_config_file
from tests.ui import samples
from tests.ui.driving import Driver, running

if TYPE_CHECKING:
    from pathlib import Path


async def choose(driver: Driver, typed: str) -> None:
    driver.app.action_change_theme()
    await driver.until_text("confiture-contrast")
    await driver.press(*typed, "down", "enter")


async def told(driver: Driver, words: str) -> None:
    await driver.until(lambda: any(words in one.message for one in driver.app._notifications))


def test_each_of_ours_is_offered_with_a_word() -> None:
    assert set(OWN_THEMES) == {theme.name for theme in own_themes()}
    assert next(iter(OWN_THEMES)) == DEFAULT_THEME


async def test_the_next_start_has_it() -> None:
    file = user_config_file(os.environ)
    file.parent.mkdir(parents=True)
    file.write_text("# mine\nlog_level: debug  # all of it\n", encoding="utf-8")
    async with running(samples.service(), size=(120, 36)) as driver:
        await choose(driver, "contrast")
        await driver.until(lambda: driver.app.theme == "confiture-contrast")
        await told(driver, "is kept in")
    assert file.read_text(encoding="utf-8") == "# mine\nlog_level: debug  # all of it\ntheme: confiture-contrast\n"
    again = samples.service(settings=Settings.load(environ=os.environ))
    assert ConfitureApp(again).theme == "confiture-contrast"  # type: ignore[arg-type]


async def test_the_first_choice_makes_the_file() -> None:
    async with running(samples.service(), size=(120, 36)) as driver:
        await choose(driver, "cblight")
        await told(driver, "is kept in")
    file = user_config_file(os.environ)
    assert file.read_text(encoding="utf-8") == "theme: confiture-cb-light\n"
    assert file.stat().st_mode & 0o777 == 0o600


async def test_what_beats_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "confiture.yaml").write_text("theme: nord\n", encoding="utf-8")
    settings = Settings.load(project=tmp_path, environ={})
    async with running(samples.service(settings=settings), size=(120, 36)) as driver:
        assert driver.app.theme == "nord"
        await choose(driver, "contrast")
        await told(driver, "comes before it here")
        assert driver.app.theme == "confiture-contrast"


async def test_a_file_that_cannot_be_understood_is_left_alone() -> None:
    file = user_config_file(os.environ)
    file.parent.mkdir(parents=True)
    file.write_text("theme: [\n", encoding="utf-8")
    async with running(samples.service(), size=(120, 36)) as driver:
        await choose(driver, "contrast")
        await told(driver, "was not kept")
        assert driver.app.theme == "confiture-contrast"
    assert file.read_text(encoding="utf-8") == "theme: [\n"
