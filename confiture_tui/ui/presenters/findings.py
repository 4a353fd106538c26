"""What the linter found: rows under headings, the chosen finding in full, the line over them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.actions import key_of
from confiture_tui.ui.presenters.figures import counted, number
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.presenters.verdict import error_text
from confiture_tui.ui.safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.core.lint.model import Violation
    from confiture_tui.service.linting import LintResult
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.readings import LintState

_SEVERITIES = ("error", "warning", "info")


class Grouping(StrEnum):
    """What findings are put together by. The words are shown."""

    SEVERITY = "severity"
    RULE = "rule"
    OBJECT = "object"

    @property
    def next(self) -> Grouping:
        """The one that the key goes on to."""
        all_ = list(Grouping)
        return all_[(all_.index(self) + 1) % len(all_)]


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding, or the heading of a group (then ``violation`` is ``None`` and ``count`` how many it has)."""

    heading: str
    count: int
    violation: Violation | None = None


def chosen_findings(result: LintResult, words: str, *, only_added: bool) -> tuple[Violation, ...]:
    """The findings in which each of the words occurs, in any case; the worst first."""
    wanted = words.casefold().split()
    return tuple(
        one
        for one in result.violations
        if (not only_added or one.key in result.added)
        and all(
            word in f"{one.rule} {one.object} {one.message} {one.severity} {one.kind}".casefold() for word in wanted
        )
    )


def finding_rows(violations: tuple[Violation, ...], grouping: Grouping) -> tuple[FindingRow, ...]:
    """Each group under its heading: by severity the worst first, by rule or object in the order of their worst."""
    of: Callable[[Violation], str] = {
        Grouping.SEVERITY: lambda one: one.severity.value,
        Grouping.RULE: lambda one: one.rule,
        Grouping.OBJECT: lambda one: one.relation or one.object,
    }[grouping]
    groups: dict[str, list[Violation]] = {}
    for violation in violations:
        groups.setdefault(of(violation), []).append(violation)
    rows: list[FindingRow] = []
    for heading, members in groups.items():
        rows.append(FindingRow(heading, len(members)))
        rows += [FindingRow(heading, 1, one) for one in members]
    return tuple(rows)


def finding_row(row: FindingRow, result: LintResult, grouping: Grouping, *, width: int, glyphs: Glyphs) -> Content:
    """One row: sign and word, the rule, the object; what the pending migrations add or fix is marked."""
    if row.violation is None:
        name = style(f"severity-{row.heading}") if row.heading in _SEVERITIES else style("heading")
        line = Content.assemble((safe_line(row.heading), name), (f"  {number(row.count)}", style("quiet")))
        return line.truncate(width, ellipsis=glyphs.fancy)
    one, severity = row.violation, row.violation.severity.value
    mark = ""
    if one.key in result.added:
        mark = f"{glyphs.added}new "
    elif one.key in result.fixed:
        mark = f"{glyphs.removed}fixed "
    parts: list[tuple[str, str]] = [(f"  {getattr(glyphs, severity)} ", style(f"severity-{severity}"))]
    if grouping is not Grouping.SEVERITY:
        parts.append((f"{severity:<8}", style(f"severity-{severity}")))
    # What is new is the bad news here, and what is gone the good.
    parts.append((mark, style("verdict-fails" if one.key in result.added else "verdict-ok")))
    if grouping is not Grouping.RULE:
        parts.append((f"{safe_line(one.rule)} ", style("label")))
    parts.append((safe_line(one.object), style("relation")))
    return Content.assemble(*parts).truncate(width, ellipsis=glyphs.fancy)


def lint_title(
    state: LintState, shown: int, words: str, *, only_added: bool, grouping: Grouping, width: int, glyphs: Glyphs
) -> Content:
    """How many there are of each severity, and what of them is shown."""
    parts = [Content.styled("Lint", style("heading"))]
    if state.result is not None:
        result = state.result
        severities = [one.severity.value for one in result.violations]
        parts += [
            Content.styled(f"{getattr(glyphs, one)} {counted(severities.count(one), one)}", style(f"severity-{one}"))
            for one in _SEVERITIES[:2]
            if one in severities
        ]
        if "info" in severities:
            parts.append(Content.styled(f"{glyphs.info} {severities.count('info')} info", style("severity-info")))
        if not severities:
            parts.append(Content.styled(f"{glyphs.ok} nothing found", style("verdict-ok")))
        limits = [f"by {grouping.value}"]
        if only_added:
            limits.append("only new")
        if words or only_added:
            limits.append(f"{number(shown)} shown")
        parts.append(Content.styled(", ".join(limits), style("quiet")))
        if result.comparison is not None:
            parts.append(Content.styled(f"pending: {len(result.added)} new, {len(result.fixed)} fixed", style("quiet")))
    return Content("  ").join(parts).truncate(width, ellipsis=glyphs.fancy)


def finding_pane(row: FindingRow | None, state: LintState, glyphs: Glyphs, *, only_added: bool) -> Content:
    """The chosen finding with its fix; or why there is none."""
    result = state.result
    if state.job is not None and result is None:
        reading = f"The schema is being read and judged. {key_of('leave_findings')} stops."
        words = "stopping" if state.job.cancelling else reading
        return Content.styled(words, style("quiet"))
    if state.error is not None:
        return error_text(state.error)
    if result is None:
        return Content.assemble(
            ("Stopped before anything was found. ", style("quiet")),
            (key_of("lint_again"), style("key")),
            " lints again.",
        )
    if row is None:
        return _nothing(result, glyphs, only_added=only_added)
    if row.violation is None:
        return _about(result, row.heading, row.count, glyphs)
    return _finding(row.violation, result, glyphs)


def _nothing(result: LintResult, glyphs: Glyphs, *, only_added: bool) -> Content:
    if not result.violations:
        return Content.assemble(
            (f"{glyphs.ok} ", style("verdict-ok")), "Nothing is wrong with the schema.\n\n", _notes(result)
        )
    words = "The pending migrations add nothing that the rules do not like." if only_added else "Nothing matches."
    return Content.assemble(
        words,
        (f"\n\n{key_of('only_added')} shows all, {key_of('leave_findings')} clears the filter.", style("quiet")),
    )


def _about(result: LintResult, heading: str, count: int, glyphs: Glyphs) -> Content:
    lines = [Content.assemble((safe_line(heading), style("strong")), f"  {counted(count, 'finding')}")]
    if heading in result.titles:
        lines += [
            Content(safe_text(result.titles[heading])),
            Content(""),
            Content(safe_text(result.whys.get(heading, ""))),
        ]
    return Content("\n").join([*lines, Content(""), _notes(result)])


def _notes(result: LintResult) -> Content:
    checked = ", ".join(
        counted(count, "index" if kind == "indexes" else safe_line(kind).removesuffix("s"), safe_line(kind))
        for kind, count in result.report.checked.items()
        if count
    )
    lines = [Content.assemble(("looked at   ", style("label")), checked or "nothing")]
    if result.changes:
        lines.append(Content.assemble(("pending     ", style("label")), ", ".join(map(safe_line, result.changes))))
    if result.report.suppressed:
        lines.append(
            Content.assemble(("let pass    ", style("label")), counted(len(result.report.suppressed), "finding"))
        )
    lines += [
        Content.assemble(("note        ", style("label")), safe_text(note))
        for note in (*result.notes, *result.report.notes)
    ]
    lines += [
        Content.assemble(("not judged  ", style("label")), f"{safe_line(one.rule)}: {safe_text(one.why)}")
        for one in result.report.skipped
    ]
    return Content("\n").join(lines)


def _finding(one: Violation, result: LintResult, glyphs: Glyphs) -> Content:
    severity = one.severity.value
    lines = [
        Content.assemble(
            (f"{getattr(glyphs, severity)} {severity}", style(f"severity-{severity}")),
            "  ",
            (safe_line(one.rule), style("strong")),
            (f"  {safe_line(one.kind)} ", style("quiet")),
            (safe_line(one.object), style("relation")),
        ),
        Content(safe_text(one.message)),
    ]
    if one.key in result.added:
        lines.append(Content.styled(f"{glyphs.added} the pending migrations add it", style("verdict-fails")))
    elif one.key in result.fixed:
        lines.append(Content.styled(f"{glyphs.removed} the pending migrations fix it", style("verdict-ok")))
    place = result.places.get(one.key)
    if place is not None:
        lines.append(Content.assemble(("comes from  ", style("label")), safe_line(f"{place.path.name}:{place.line}")))
    lines += [Content(""), *_fix(one, glyphs)]
    if one.rule in result.whys:
        lines += [Content(""), Content.assemble(("why  ", style("label")), safe_text(result.whys[one.rule]))]
    return Content("\n").join(lines)


_SAFETIES = {
    "safe": "safe: nothing a client could notice, and it blocks nobody for long",
    "review": "to be reviewed: it may break clients, rewrite a table or be refused by the rows",
    "manual": "to be written: it holds text that a person must fill in, or mends this one database only",
}


def _fix(one: Violation, glyphs: Glyphs) -> list[Content]:
    if one.fix is None:
        return [Content.styled("There is no SQL that mends it by itself.", style("quiet"))]
    return [
        Content.assemble(("fix  ", style("heading")), (_SAFETIES[one.fix.safety.value], style("quiet"))),
        *(
            Content.assemble((f"{glyphs.added} ", style("diff-added")), (safe_line(line), style("diff-added")))
            for line in one.fix.sql.rstrip().splitlines()
        ),
    ]
