"""Findings as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from confiture_tui.cli.output.units import plural
from confiture_tui.service.markdown import code, escaped, fenced

if TYPE_CHECKING:
    from confiture_tui.cli.output.reported import Reported

_NOUNS = frozenset({"error", "warning"})
_WORST_FIRST = ("critical", "high", "medium", "low", "error", "warning", "info")
_WORDS = {"new": "new", "unchanged": "", "absent": "fixed"}


def markdown(title: str, findings: Sequence[Reported], *, notes: Iterable[str] = ()) -> str:
    """A heading, a table of the findings, the help of each that has some, and notes."""
    parts = [f"## {escaped(title)}\n"]
    if findings:
        parts.append(_table(findings))
    parts += [_help(one) for one in findings if one.help]
    listed = "".join(f"- {escaped(note)}\n" for note in notes)
    if listed:
        parts.append(listed)
    return "\n".join(parts)


def heading(findings: Sequence[Reported]) -> str:
    """``3 findings: 1 error, 2 warnings``, or ``2 critical, 1 low``, the worst first; or that there are none."""
    words = [one.severity for one in findings]
    counts = [
        plural(words.count(word), word) if word in _NOUNS else f"{words.count(word)} {word}"
        for word in _WORST_FIRST
        if word in words
    ]
    return f"{plural(len(findings), 'finding')}: {', '.join(counts)}" if findings else "No findings"


def _table(findings: Iterable[Reported]) -> str:
    lines = ["| Severity | Rule | Where | What |", "| --- | --- | --- | --- |"]
    for one in findings:
        place = f"{one.file}:{one.line}" if one.file and one.line else one.file or ""
        where = " ".join(code(text) for text in (one.object, place) if text)
        state = _WORDS.get(one.state or "unchanged", "")
        severity = f"{one.severity} ({state})" if state else one.severity
        lines.append(f"| {severity} | {code(one.rule)} | {where} | {escaped(one.message)} |")
    return "\n".join(lines) + "\n"


def _help(one: Reported) -> str:
    summary = escaped(f"{one.rule}: {one.object or one.file or 'what to do'}")
    return f"<details><summary>{summary}</summary>\n\n{fenced(one.help)}\n</details>\n"
