"""Findings as the workflow commands that GitHub turns into annotations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.terminal import safe_text

if TYPE_CHECKING:
    from confiture_tui.cli.output.reported import Reported

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def github(findings: Iterable[Reported]) -> str:
    """One line for each finding: ``::error file=…,line=…,title=…::message``."""
    return "".join(f"{_line(one)}\n" for one in findings)


def _line(one: Reported) -> str:
    properties = [("file", one.file), ("line", str(one.line) if one.line is not None else None)]
    properties.append(("title", f"{one.rule} ({one.severity})"))
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties if value)
    where = f"{one.object}: " if one.object and one.object not in one.message else ""
    text = f"{where}{one.message}"
    return f"::{_COMMANDS[one.level]} {listed}::{_data(f'{text}{chr(10)}{chr(10)}{one.help}' if one.help else text)}"


def _data(text: str) -> str:
    """As the runner's own toolkit escapes a message: a line break would end the command."""
    return safe_text(text).rstrip().replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """The same for a property, where colon and comma mean something too."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
