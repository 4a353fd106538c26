"""Text as Markdown: what it takes for a name, a sentence or SQL from anywhere to stay what it is."""

from __future__ import annotations

import re

from confiture_tui.terminal import one_line, safe_text

# What Markdown and GitHub's dialect of it would read as more than text; @ and # would call people and issues.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~@!&])")


def escaped(text: str) -> str:
    """Text as text, on one line."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def code(text: str) -> str:
    """Text as code on one line, also in a cell of a table, where a pipe ends the cell even inside code."""
    line = one_line(text).replace("|", "\\|")
    ticks = "`" * (_longest_run(line) + 1)
    padding = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{padding}{line}{padding}{ticks}"


def fenced(text: str, language: str = "sql") -> str:
    """Text as a block of code; ends with a line feed."""
    shown = safe_text(text).rstrip()
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}{language}\n{shown}\n{fence}\n"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
