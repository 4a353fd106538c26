"""Where the styles are: inside the package in an installed wheel, beside it in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import confiture_tui
from confiture_tui.errors import UsageError

# What Textual loads: each later file may refine an earlier one.
SHEETS = (
    "app.tcss",
    "header.tcss",
    "keys.tcss",
    "lines.tcss",
    "log.tcss",
    "review.tcss",
    "run.tcss",
    "lint.tcss",
    "history.tcss",
    "log_screen.tcss",
    "dialogs.tcss",
)


@cache
def styles_directory() -> Path:
    """The directory of the ``.tcss`` files.

    Raises:
        UsageError: the installation is incomplete.
    """
    package = Path(confiture_tui.__file__).parent
    for candidate in (package / "_styles", package.parent / "styles"):
        if (candidate / "theme.tcss").is_file():
            return candidate
    raise UsageError(
        "The styles of the screens are not where the package is installed.",
        hint="Install confiture-tui again from a complete wheel.",
    )


def style_sheets() -> list[Path]:
    """The style sheets of the app, in the order in which Textual is to read them."""
    return [styles_directory() / name for name in SHEETS]
