"""Files that hold both directions, told apart by lines of comment.

The tools look for these lines by themselves and know nothing of SQL, so that a line inside a string counts, too.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts.building import Divided, Section
from confiture_tui.core.migrations.model import Finding

if TYPE_CHECKING:
    from confiture_tui.core.migrations.files import SqlFile


def divide_at(
    file: SqlFile,
    path: Path,
    up: re.Pattern[str],
    down: re.Pattern[str],
    *,
    no_transaction: re.Pattern[str] | None = None,
    whole_without_marks: bool = False,
) -> Divided:
    """The sections of a file from the lines that match ``up`` and ``down`` to the next such line, or the file's end.

    Args:
        file: as it was read.
        path: the file's.
        up: a line that begins the way up.
        down: a line that begins the way down.
        no_transaction: what in the line that begins a section says that it is to run outside a transaction.
        whole_without_marks: a file without either line is a way up as a whole; else it is an error.
    """
    text = file.script.text
    marks = sorted(
        (found.start(), found.end(), is_up)
        for pattern, is_up in ((up, True), (down, False))
        for found in pattern.finditer(text)
    )
    sections: dict[bool, Section] = {}
    alone: dict[bool, bool | None] = {}
    findings: list[Finding] = []
    stops = [*(start for start, _end, _is_up in marks[1:]), len(text)]
    for (start, end, is_up), stop in zip(marks, stops, strict=False):
        if is_up in sections:
            findings.append(_twice(path, text, start, end))
            continue
        sections[is_up] = (start, stop)
        if no_transaction is not None and no_transaction.search(text[start:end]):
            alone[is_up] = False
    if not marks and whole_without_marks:
        sections[True] = (0, len(text))
    elif True not in sections and not file.script.is_blank:
        findings.append(_no_up(path))
    return Divided(sections.get(True), sections.get(False), alone.get(True), alone.get(False), tuple(findings))


def _twice(path: Path, text: str, start: int, end: int) -> Finding:
    line = text.count("\n", 0, start) + 1
    message = (
        f"{path.name}, line {line}: a second {text[start:end].strip()} in one file; what follows it was not looked at. "
        f"Make one section of them."
    )
    return Finding(code="section-twice", message=message, path=path, line=line, level="error")


def _no_up(path: Path) -> Finding:
    message = f"{path.name} has no line that begins the way up, so its tool refuses it. Write that line at its top."
    return Finding(code="no-up-section", message=message, path=path, line=1, level="error")
