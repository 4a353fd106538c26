"""``lint`` as text, and its findings as other reports take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len

from confiture_tui.cli.output.page import Page, Style
from confiture_tui.cli.output.reported import Reported
from confiture_tui.cli.output.units import count, plural
from confiture_tui.core.lint.model import Severity, Violation
from confiture_tui.service.lint_documents import relative, status_of

if TYPE_CHECKING:
    from confiture_tui.service.linting import LintResult

_STYLES = {Severity.ERROR: Style.BAD, Severity.WARNING: Style.CAREFUL, Severity.INFO: Style.QUIET}
_STATES: dict[str, Literal["new", "unchanged", "absent"]] = {
    "added": "new",
    "unchanged": "unchanged",
    "fixed": "absent",
}
_KINDS = {
    "schemas": "schema",
    "tables": "table",
    "columns": "column",
    "indexes": "index",
    "constraints": "constraint",
    "views": "view",
    "functions": "function",
    "types": "type",
    "sequences": "sequence",
}
_LISTED = 20
_WIDEST_OBJECT = 48


def reported(violations: Sequence[Violation], result: LintResult, base: Path | None) -> tuple[Reported, ...]:
    """The findings for reports that are not text."""
    return tuple(_reported(violations, result, base))


def _reported(violations: Sequence[Violation], result: LintResult, base: Path | None) -> Iterator[Reported]:
    for one in violations:
        place = result.places.get(one.key)
        status = status_of(one, result)
        yield Reported(
            rule=one.rule,
            severity=str(one.severity),
            message=one.message,
            file=relative(place.path, base) if place else None,
            line=place.line if place else None,
            help=one.fix.sql if one.fix else "",
            title=result.titles.get(one.rule, ""),
            why=result.whys.get(one.rule, ""),
            object=one.object,
            kind=one.kind,
            key=one.key,
            state=_STATES[status] if status else None,
        )


def notes_of(result: LintResult) -> tuple[str, ...]:
    """What is to be said of a run besides its findings, a sentence each."""
    report = result.report
    rules: dict[str, list[str]] = {}
    for one in report.skipped:
        rules.setdefault(one.why, []).append(one.rule)
    skipped = (f"{_listed(names)} could not look at everything: {why}" for why, names in rules.items())
    return (*result.notes, *report.notes, *skipped)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def write_lint(
    page: Page, result: LintResult, violations: Sequence[Violation], *, fixes: bool = False, base: Path | None = None
) -> None:
    """Findings by severity and rule, aligned; what the changes fix; counts; notes.

    Args:
        page: to write on.
        result: of the run.
        violations: those to show.
        fixes: also print the SQL that mends each.
        base: paths inside it are written relative to it.
    """
    for severity, of_severity in groupby(violations, key=lambda one: one.severity):
        for rule, found in groupby(of_severity, key=lambda one: one.rule):
            page.blank()
            _write_rule(page, result, rule, severity, list(found), fixes=fixes, base=base)
    _write_fixed(page, result)
    page.blank()
    _write_counts(page, result, violations)
    _write_notes(page, result, base)


def _write_rule(
    page: Page,
    result: LintResult,
    rule: str,
    severity: Severity,
    found: Sequence[Violation],
    *,
    fixes: bool,
    base: Path | None,
) -> None:
    title = result.titles.get(rule, "")
    page.line(
        page.cell(str(severity), 9, _STYLES[severity]),
        page.styled(rule, Style.TITLE),
        page.styled(f" ({len(found)})", Style.QUIET),
    )
    page.paragraph(title, indent=9, first=" " * 9, style=Style.QUIET)
    shown = found if fixes else found[:_LISTED]
    names = min(max(cell_len(page.shortened(one.object, 200)) for one in shown), _WIDEST_OBJECT) + 2
    for one in shown:
        status = status_of(one, result)
        mark = {"added": "added  ", "fixed": "fixed  "}.get(status or "", "")
        place = result.places.get(one.key)
        where = f" ({relative(place.path, base)}:{place.line})" if place else ""
        text = f"{mark}{one.message}{where}"
        if page.is_narrow or cell_len(one.object) > _WIDEST_OBJECT:
            page.line("  ", page.styled(one.object))
            page.paragraph(text, indent=4, first="    ")
        else:
            page.paragraph(text, indent=2 + names, first=f"  {one.object}")
        if fixes and one.fix is not None:
            page.verbatim(one.fix.sql.splitlines(), indent=6, style=Style.QUIET)
    if len(shown) < len(found):
        rest = len(found) - len(shown)
        page.line("  ", page.styled(f"and {count(rest)} more; --fixes or --format json shows all.", Style.QUIET))


def _write_fixed(page: Page, result: LintResult) -> None:
    fixed = result.comparison.fixed if result.comparison is not None else ()
    if fixed:
        page.blank()
        page.line(page.styled(f"The pending migrations fix {plural(len(fixed), 'finding')}:", Style.GOOD_TITLE))
        for one in fixed:
            page.paragraph(f"{one.rule}: {one.message}", indent=4, first="  ")


def _write_counts(page: Page, result: LintResult, violations: Sequence[Violation]) -> None:
    found = [one.severity for one in violations]
    counts = [_counted(found.count(severity), severity) for severity in reversed(Severity) if severity in found]
    style = Style.BAD_TITLE if Severity.ERROR in found else Style.CAREFUL_TITLE if found else Style.GOOD_TITLE
    page.line(page.styled(f"Found: {', '.join(counts)}." if counts else "Nothing found.", style))
    if result.comparison is not None and result.changes:
        changes = f"{result.changes[0]} to {result.changes[-1]}" if len(result.changes) > 1 else result.changes[0]
        added, fixed = len(result.comparison.added), len(result.comparison.fixed)
        page.paragraph(f"Of these {changes} would add {count(added)}; they would fix {count(fixed)}.")
    checked = result.report.checked
    listed = ", ".join(
        f"{count(checked[kind])} {one if checked[kind] == 1 else kind}"
        for kind, one in _KINDS.items()
        if checked.get(kind)
    )
    page.paragraph(f"Checked {listed or 'nothing'} by {plural(len(result.report.rules), 'rule')}.", style=Style.QUIET)


def _counted(number: int, severity: Severity) -> str:
    return f"{count(number)} info" if severity is Severity.INFO else plural(number, str(severity))


def _write_notes(page: Page, result: LintResult, base: Path | None) -> None:
    report = result.report
    by = [one.by for one in report.suppressed]
    for word in ("exemption", "comment", "baseline"):
        if word in by:
            said = {"exemption": "by an exemption", "comment": "by a comment", "baseline": "by the baseline"}[word]
            page.paragraph(f"{plural(by.count(word), 'finding')} let pass {said}.", style=Style.QUIET)
    if report.gone:
        gone = plural(len(report.gone), "finding")
        page.paragraph(f"{gone} of the baseline gone: --update-baseline takes it out.", style=Style.GOOD)
    if result.updated is not None and result.baseline is not None:
        one = result.updated
        name = relative(result.baseline, base)
        page.paragraph(f"{name} now has {plural(one.total, 'finding')}: {one.added} new, {one.removed} gone.")
    if result.fixes is not None:
        _write_fixes(page, result, base)
    for note in notes_of(result):
        page.paragraph(note, indent=2, first="-", style=Style.QUIET)


def _write_fixes(page: Page, result: LintResult, base: Path | None) -> None:
    fixes = result.fixes
    assert fixes is not None
    if fixes.paths:
        page.line(page.styled(f"Written, to mend {plural(len(fixes.fixed), 'finding')}:", Style.GOOD_TITLE))
        for path in fixes.paths:
            page.line("  ", page.styled(relative(path, base)))
        for one in fixes.risks:
            page.paragraph(f"The risk of {one.version} is {one.level} ({one.score}).", indent=2, first="  ")
        for sentence in fixes.proof:
            page.paragraph(sentence, indent=2, first="  ")
    else:
        page.line(page.styled("There was nothing to write: no finding has a fix that is safe by itself.", Style.TITLE))
    if fixes.left:
        page.paragraph(f"{plural(fixes.left, 'fix')} must wait for the next time: others change the same object.")
    if fixes.not_offered:
        page.paragraph(f"{plural(fixes.not_offered, 'fix')} to be reviewed: --review-fixes writes them too.")
