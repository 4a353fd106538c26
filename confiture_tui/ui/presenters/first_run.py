"""What was looked for where there is nothing to be seen yet, and what can be done about it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.config import Settings
    from confiture_tui.ui.glyphs import Glyphs

_OFFERS = (
    ("open_files", "opens other migrations: a directory, or any SQL file"),
    ("connect", "connects to a database"),
    ("open_demo", "opens the demo: a shop with twelve migrations, some bad on purpose"),
    ("reload", "looks again"),
)


def looked_for(settings: Settings, glyphs: Glyphs) -> Content:
    """Each place that was looked at, and whether something is there."""
    # It loads the models: what is not needed for the first frame comes after it.
    from confiture_tui.config import CONFIG_FILE, DSN_VARIABLES, ENVIRONMENTS

    environment = settings.project_dir / ENVIRONMENTS / f"{settings.env}.yaml"
    places = [
        ("migrations", settings.migrations_dir, settings.migrations_dir.is_dir()),
        ("settings", settings.config_file or settings.project_dir / CONFIG_FILE, settings.config_file is not None),
        ("database", settings.environment_file or environment, settings.environment_file is not None),
    ]
    lines = [Content.styled("Looked for", style("heading"))]
    for name, path, found in places:
        sign = (f"{glyphs.ok} ", style("verdict-ok")) if found else (f"{glyphs.not_run} ", style("quiet"))
        lines.append(Content.assemble(sign, (f"{name:<12}", style("label")), safe_line(_short(path))))
    variables = [*DSN_VARIABLES, "PGHOST", "PGDATABASE", "PGSERVICE"]
    given = [name for name in variables if os.environ.get(name)]
    sign = (f"{glyphs.ok} ", style("verdict-ok")) if given else (f"{glyphs.not_run} ", style("quiet"))
    words = ", ".join(given) if given else f"none of {', '.join(variables)}"
    lines.append(Content.assemble(sign, (f"{'variables':<12}", style("label")), words))
    return Content("\n").join(lines)


def offers() -> Content:
    """What can be done now, a key each."""
    return Content("\n").join(
        [
            Content.styled("What you can do", style("heading")),
            *(Content.assemble((f"{key_of(action):>3}  ", style("key")), words) for action, words in _OFFERS),
        ]
    )


def _short(path: Path) -> str:
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
