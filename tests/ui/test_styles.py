from __future__ import annotations

import ast
import itertools
import math
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


def test_high_contrast_is_seven_to_one() -> None:
    """WCAG 2.1, 1.4.6."""
    (theme,) = (one for one in own_themes() if one.name == "confiture-contrast")
    variables = variables_of(theme)
    texts = [name for name in meanings() if not name.startswith(("env-", "pill", "cursor", "rule"))]
    for text in (*texts, "foreground"):
        for ground in ("background", "surface", "panel", "cursor-focus"):
            assert contrast(Color.parse(variables[text]), Color.parse(variables[ground])) >= 7, (text, ground)


# How the colours of linear light are seen by the two commonest kinds of colour blindness: Machado, Oliveira and
# Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), severity 1.0.
EYES = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("theme", ["confiture-cb-dark", "confiture-cb-light"])
def test_severities_stay_apart_in_every_pair_of_eyes(theme: str, eyes: str) -> None:
    """A distance of 20 in CIELAB (1976) is plain to see; the least that can just be seen is about 2.3."""
    variables = variables_of(next(one for one in own_themes() if one.name == theme))
    for group in (
        ("severity-error", "severity-warning", "severity-info", "verdict-ok"),
        ("risk-none", "risk-low", "risk-medium", "risk-high"),
        ("diff-added-colour", "diff-removed-colour"),
    ):
        names = {"diff-added-colour": "text-success", "diff-removed-colour": "text-error"}
        seen = {name: lab(Color.parse(variables[names.get(name, name)]), EYES[eyes]) for name in group}
        for one, other in itertools.combinations(group, 2):
            assert math.dist(seen[one], seen[other]) >= 20, (one, other)


def lab(colour: Color, eyes: tuple[tuple[float, ...], ...]) -> tuple[float, float, float]:
    """CIELAB of a colour as these eyes see it (white point D65)."""
    light = [_linear(value) for value in (colour.r, colour.g, colour.b)]
    red, green, blue = (
        min(max(sum(part * value for part, value in zip(row, light, strict=True)), 0.0), 1.0) for row in eyes
    )
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _linear(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.03928 else float(((part + 0.055) / 1.055) ** 2.4)


def luminance(colour: Color) -> float:
    return 0.2126 * _linear(colour.r) + 0.7152 * _linear(colour.g) + 0.0722 * _linear(colour.b)


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
