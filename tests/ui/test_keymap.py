"""The user's own keys: what a file may say, and that the app does it and tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_tui.errors import UsageError
from confiture_tui.ui.actions import ACTIONS, Action, key_of, use
from confiture_tui.ui.app import ConfitureApp
from confiture_tui.ui.keymap import keys_file_text, read_keymap, textual_keymap
from tests.ui import samples
from tests.ui.driving import Driver, screen_text


@pytest.fixture(autouse=True)
def _default_keys() -> object:
    yield
    use(ACTIONS)


def keys(tmp_path: Path, text: str) -> tuple[Action, ...]:
    file = tmp_path / "keys.yaml"
    file.write_text(text, encoding="utf-8")
    return read_keymap(file)


def test_keys_are_given_by_sign_by_name_and_in_lists(tmp_path: Path) -> None:
    table = {one.id: one.keys for one in keys(tmp_path, 'dry_run: f5\ntoggle_log: [L, ctrl+l]\nhelp: "!"\n')}
    assert table["dry_run"] == ("f5",)
    assert table["toggle_log"] == ("L", "ctrl+l")
    assert table["help"] == ("exclamation_mark",)
    assert table["quit"] == ("ctrl+q",)


def test_an_action_without_a_key_can_have_one(tmp_path: Path) -> None:
    assert textual_keymap(keys(tmp_path, "change_theme: ^t\n")) == {"change_theme": "ctrl+t"}


def test_two_actions_can_change_places(tmp_path: Path) -> None:
    table = {one.id: one.keys for one in keys(tmp_path, "dry_run: D\ndry_run_all: d\n")}
    assert (table["dry_run"], table["dry_run_all"]) == (("D",), ("d",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("help: f1\ndry_rum: x\n", r"line 2: there is no action 'dry_rum'"),
        ("dry_run: j\n", r"line 1: 'dry_run' would have the key j, which line_down has \(Lists and text\)"),
        ("help: f1\nshow_log: q\n", r"line 2: 'show_log' would have the key q, which request_quit has"),
        ("help: f1\n\ndry_run: D\n", r"line 3: 'dry_run' would have the key D, which dry_run_all has \(Review\)"),
        ("dry_run: spcae\n", r"line 1: 'dry_run' has a key that there is not: 'spcae'"),
        ("dry_run: strg+x\n", r"line 1: 'dry_run' has a key with a modifier that there is not: 'strg'"),
        ("dry_run: []\n", r"line 1: 'dry_run' has no key"),
        ("dry_run: {a: b}\n", r"line 1: 'dry_run' has no key"),
        ("- dry_run\n", r"not a mapping"),
        ("dry_run: d\ndry_run: e\n", r"line 2: the key 'dry_run' is there twice"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        keys(tmp_path, text)
    assert caught.value.hint


def test_the_file_that_the_app_writes_can_be_read_and_changed(tmp_path: Path) -> None:
    text = keys_file_text()
    assert keys(tmp_path, text) == ACTIONS
    uncommented = "\n".join(
        line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ") and ": " in line
    )
    lines = [line for line in uncommented.splitlines() if line.split(":")[0] in {one.id for one in ACTIONS}]
    # Those without a key have an empty list.
    assert keys(tmp_path, "\n".join(line for line in lines if ": []" not in line)) == ACTIONS


async def test_the_app_does_what_the_file_says_and_tells_it(tmp_path: Path) -> None:
    table = keys(tmp_path, "dry_run: f5\nshow_history: H\n")
    service = samples.service()
    app = ConfitureApp(service, actions=table)  # type: ignore[arg-type]  # the fake has the parts that screens use
    async with app.run_test(size=(120, 36)) as pilot:
        driver = Driver(app, pilot, service)
        await driver.until(lambda: driver.review.statements.row_count)
        assert key_of("dry_run") == "f5"
        assert "f5 Dry run" in screen_text(app)
        assert "press f5" in screen_text(app)
        await driver.press("d")
        assert service.jobs == []
        await driver.press("f5")
        await driver.until(lambda: len(service.jobs) == 1)
        await driver.press("H")
        await driver.until_text("History")


async def test_the_app_writes_the_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    service = samples.service()
    app = ConfitureApp(service)  # type: ignore[arg-type]  # the fake has the parts that screens use
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        driver = Driver(app, pilot, service)
        app.action_write_keys()
        await driver.until_text("Written:")
        file = tmp_path / "confiture-tui" / "keys.yaml"
        assert file.read_text(encoding="utf-8") == keys_file_text()
        file.write_text("help: f1\n", encoding="utf-8")
        app.action_write_keys()
        await driver.until_text("exists already")
        assert file.read_text(encoding="utf-8") == "help: f1\n"
