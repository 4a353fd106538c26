"""Themes and the meaning of colours, read from ``styles/``: no colour is written in Python.

``styles/theme.tcss`` gives each meaning (a risk, a severity, an environment, …) a colour in terms of a theme's own
colours, so that it works with every theme of Textual; ``styles/themes/*.tcss`` are our own themes, which may also
override a meaning. Both hold only lines of the form ``$name: value;`` and comments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Final

from confiture_tui.ui.style_files import styles_directory

if TYPE_CHECKING:
    from pathlib import Path

    from textual.theme import Theme

DEFAULT_THEME: Final = "confiture-dark"
OWN_THEMES: Final = {
    "confiture-dark": "Dark: what you get without a choice.",
    "confiture-light": "Light.",
    "confiture-contrast": "High contrast: every text at 7:1.",
    "confiture-cb-dark": "Dark, safe for colour-blind eyes (deuteranopia and protanopia).",
    "confiture-cb-light": "Light, safe for colour-blind eyes (deuteranopia and protanopia).",
}
"""What the themes in ``styles/themes/`` are for, in the order in which they are offered."""

_DECLARATION = re.compile(r"^\s*\$([a-z][a-z0-9-]*)\s*:\s*([^;]+?)\s*;", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_REFERENCE = re.compile(r"\$([a-z][a-z0-9-]*)")
_THEME_COLOURS = (
    "primary",
    "secondary",
    "warning",
    "error",
    "success",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "boost",
)


def read_variables(path: Path) -> dict[str, str]:
    """The variables that a file declares, by name without the dollar sign; values may name other variables."""
    return dict(_DECLARATION.findall(_COMMENT.sub("", path.read_text(encoding="utf-8"))))


@cache
def meanings() -> Mapping[str, str]:
    """The variables of ``theme.tcss``: what each risk, severity, lock and environment looks like by default."""
    return read_variables(styles_directory() / "theme.tcss")


def resolve(variables: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """The variables with every reference replaced by the value that it stands for.

    Args:
        variables: what is to be resolved; they may refer to each other and to ``known``.
        known: variables that are resolved already, such as those that Textual makes from a theme.

    Raises:
        ValueError: a variable refers to one that does not exist, or to itself.
    """
    resolved: dict[str, str] = {}

    def value_of(name: str, path: tuple[str, ...]) -> str:
        if name in resolved:
            return resolved[name]
        if name not in variables:
            if name in known:
                return known[name]
            raise ValueError(f"the style variable ${name} is not defined (it is used by ${path[-1]})")
        if name in path:
            raise ValueError(f"the style variable ${name} refers to itself")
        text = _REFERENCE.sub(lambda match: value_of(match[1], (*path, name)), variables[name])
        resolved[name] = text
        return text

    for name in variables:
        value_of(name, ())
    return resolved


def own_themes() -> list[Theme]:
    """Our own themes, one for each file of ``styles/themes``."""
    from textual.theme import Theme

    themes = []
    for path in sorted((styles_directory() / "themes").glob("*.tcss")):
        variables = read_variables(path)
        colours = {name: variables.pop(name) for name in _THEME_COLOURS if name in variables}
        dark = variables.pop("dark", "true") == "true"
        themes.append(Theme(name=path.stem, dark=dark, variables=variables, **colours))  # type: ignore[arg-type]
    return themes
