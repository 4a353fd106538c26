"""``dry-run`` as text: what was seen of each statement, the verdict, and the proof that nothing stayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.cli.output.effects import write_effects, write_failure
from confiture_tui.cli.output.page import Page, Style
from confiture_tui.cli.output.units import count, milliseconds, plural, size
from confiture_tui.core.dry_run.result import DataAfter, On, Outcome, Rows, Verdict
from confiture_tui.core.effects.observing import ONLY_SEEN
from confiture_tui.core.hooks.result import HookOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from confiture_tui.core.dry_run.result import DerivedDown, DryRunResult, RoundTrip, StatementObservation
    from confiture_tui.core.hooks.result import HookResult
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.risk.model import RiskAssessment

_VERDICTS = {
    Verdict.OK: Style.GOOD_TITLE,
    Verdict.FAILS: Style.BAD_TITLE,
    Verdict.INCONCLUSIVE: Style.CAREFUL_TITLE,
}
_WRAPPING = {
    "transaction": "in one transaction",
    "own": "in its own BEGIN and COMMIT",
    "none": "each statement by itself",
}
_ROWS = {Rows.NONE: "without rows", Rows.SYNTHETIC: "with synthetic rows", Rows.FULL: "with all rows"}
_DATA = {
    DataAfter.KEPT: "the rows from before are kept",
    DataAfter.LOST: "rows or columns from before are lost",
    DataAfter.UNKNOWN: "whether values are as before is unknown",
}
_FIGURES = (11, 10, 11)
"""Cells of the columns of times, rows and WAL."""
_INDENT = 6


def write_result(page: Page, result: DryRunResult) -> None:
    """One migration: a line with the verdict, each statement with what was seen, then verdict and proof in words."""
    label = "_".join(part for part in (result.version, result.name) if part)
    page.line(
        page.styled(label, Style.TITLE),
        "  ",
        page.styled(f"{_glyph(page, result)} {result.verdict.value}", _VERDICTS[result.verdict]),
    )
    where = "on a shadow" if result.on is On.SHADOW else "on the target, rolled back"
    how = _WRAPPING.get(result.wrapping, result.wrapping)
    page.paragraph(
        page.joined(f"{where} {_ROWS[result.rows]}", how, milliseconds(result.elapsed_ms)),
        indent=2,
        first="  ",
        style=Style.QUIET,
    )
    if not page.is_narrow:
        _write_columns(page)
    for statement in result.statements:
        _write_statement(page, statement)
    page.blank()
    _write_hooks(page, result.hooks)
    _write_verdict(page, result)
    _write_proof(page, result)
    for note in result.notes:
        page.paragraph(note, indent=12, first="  note", style=Style.QUIET)


def write_summary(
    page: Page,
    results: Sequence[DryRunResult],
    skipped: Sequence[MigrationStatus] = (),
    assessments: Mapping[str, RiskAssessment] | None = None,
) -> None:
    """How dangerous the migrations are by what was seen, how many were tried, what became of them, and which were not,
    because they are programs."""
    for status in skipped:
        text = f"{status.version}_{status.name} was not tried: it is a program, not SQL."
        page.paragraph(text, style=Style.CAREFUL)
    if assessments:
        _write_risks(page, assessments.values())
    if skipped and not results:
        return
    if not results:
        page.line(page.styled("No migration is pending: nothing to try.", Style.TITLE))
        return
    parts = [f"{plural(len(results), 'migration')} tried"]
    for verdict, words in ((Verdict.OK, "ok"), (Verdict.FAILS, "failing"), (Verdict.INCONCLUSIVE, "inconclusive")):
        number = sum(result.verdict is verdict for result in results)
        parts += [f"{number} {words}"] if number else []
    stayed = [result for result in results if result.proof.nothing_persisted is False]
    parts.append("nothing stayed behind" if not stayed else f"{plural(len(stayed), 'dry run')} LEFT SOMETHING BEHIND")
    unforeseen = sum(len(one.mismatch or ()) for result in results for one in result.statements)
    if unforeseen:
        parts.append(f"{plural(unforeseen, 'difference')} from the prediction")
    bad = stayed or any(result.verdict is Verdict.FAILS for result in results)
    page.paragraph(", ".join(parts) + ".", style=Style.BAD_TITLE if bad else Style.TITLE)


def _write_risks(page: Page, assessments: Iterable[RiskAssessment]) -> None:
    """The score of each by what was seen, and what that replaced; figures stand beside the statements already."""
    page.line(page.styled("Risk by what was seen", Style.TITLE))
    for one in assessments:
        text = f"{one.label}: {one.level.value} {one.score}"
        if one.predicted_score is not None and one.predicted_score != one.score:
            text += f", where {one.predicted_score} was predicted"
        page.paragraph(text, indent=4, first="  ")
        for replaced in one.replaced:
            if replaced.field not in ONLY_SEEN:
                page.paragraph(f"{replaced}", indent=6, first="    ", style=Style.QUIET)
    page.blank()


def _glyph(page: Page, result: DryRunResult) -> str:
    signs = {Verdict.OK: page.glyphs.good, Verdict.FAILS: page.glyphs.bad, Verdict.INCONCLUSIVE: page.glyphs.unsure}
    return signs[result.verdict]


def _write_columns(page: Page) -> None:
    page.blank()
    figures = [
        page.cell(title, width, Style.QUIET, right=True)
        for title, width in zip(("time", "rows", "WAL"), _FIGURES, strict=True)
    ]
    page.line(page.cell("   #   line  statement", page.width - sum(_FIGURES), Style.QUIET), *figures)


def _write_statement(page: Page, statement: StatementObservation) -> None:
    ran = statement.outcome in (Outcome.RAN, Outcome.FAILED)
    style = {Outcome.RAN: Style.TITLE, Outcome.FAILED: Style.BAD_TITLE}.get(statement.outcome, Style.QUIET)
    times = (milliseconds(statement.elapsed_ms), count(statement.rows), size(statement.wal_bytes))
    if page.is_narrow:
        page.blank()
        page.line(
            page.cell(f"{statement.index}", 4, right=True),
            page.styled(f"  line {statement.line}  ", Style.QUIET),
            page.styled(statement.tag, style),
        )
        if ran:
            known = [
                times[0] if statement.elapsed_ms is not None else "",
                f"{times[1]} rows" if statement.rows is not None else "",
                f"{times[2]} WAL" if statement.wal_bytes is not None else "",
            ]
            page.paragraph(page.joined(*known), indent=_INDENT, first=" " * _INDENT)
    else:
        head = [page.cell(f"{statement.index}", 4, right=True), page.cell(f"{statement.line}", 7, right=True), "  "]
        room = page.width - 13 - sum(_FIGURES)
        figures = [page.cell(text, width, right=True) for text, width in zip(times, _FIGURES, strict=True)]
        page.line(*head, page.cell(statement.tag, room, style), *(figures if ran else []))
    indent = _INDENT if page.is_narrow else 13
    if statement.outcome is Outcome.FAILED and statement.error is not None:
        write_failure(page, statement, statement.error, indent=indent)
    if not ran:
        words = "not run" if statement.outcome is Outcome.NOT_RUN else "not exercised"
        reason = f": {statement.reason}" if statement.reason else ""
        page.paragraph(f"{words}{reason}", indent=indent, first=" " * indent, style=Style.QUIET)
    else:
        write_effects(page, statement, indent=indent)
    if statement.cumulative and ran:
        page.paragraph(
            "seen together with the statements before it", indent=indent, first=" " * indent, style=Style.QUIET
        )
    if statement.mismatch:
        texts = [f"{one}" for one in statement.differences] or statement.mismatch
        page.paragraph(f"not as predicted: {'; '.join(texts)}", indent=indent, first=" " * indent, style=Style.CAREFUL)
    for notice in statement.notices:
        page.paragraph(notice, indent=indent + 10, first=" " * indent + "notice", style=Style.QUIET)
    for words in statement.evidence:
        page.paragraph(words, indent=indent + 10, first=" " * indent + "server", style=Style.QUIET)


def _write_hooks(page: Page, hooks: Sequence[HookResult]) -> None:
    """Each hook with its phase and what came of it."""
    for hook in hooks:
        style = Style.BAD_TITLE if hook.outcome is HookOutcome.FAILED else Style.PLAIN
        figures = [milliseconds(hook.elapsed_ms), plural(hook.rows_affected, "row")]
        said = [hook.outcome.value.replace("_", " "), *(figures if hook.outcome is HookOutcome.OK else [])]
        name = f"{hook.hook} ({hook.phase})" if hook.phase is not None else hook.hook
        page.paragraph(page.joined(name, *said), indent=12, first="  hook", style=style)
        for text in (hook.message, hook.error):
            if text:
                page.paragraph(text, indent=12, first=" " * 12, style=Style.QUIET)


def _write_verdict(page: Page, result: DryRunResult) -> None:
    if result.verdict is Verdict.OK:
        text = "it runs from the first to the last statement"
    elif result.failure is not None:
        line = f" on line {result.failure.line}" if result.failure.line is not None else ""
        text = f"it fails{line} with {result.failure.sqlstate}: {result.failure.message}"
    elif result.verdict is Verdict.FAILS:
        text = "it fails"
    else:
        text = "not all of it could be tried"
    page.paragraph(text, indent=12, first="  verdict", style=_VERDICTS[result.verdict])


def _write_proof(page: Page, result: DryRunResult) -> None:
    proof = result.proof
    if proof.nothing_persisted is None:
        head, style = "could not be checked", Style.CAREFUL_TITLE
    elif proof.nothing_persisted:
        head, style = "nothing stayed behind", Style.GOOD_TITLE
    else:
        head, style = "SOMETHING STAYED BEHIND", Style.BAD_TITLE
    page.paragraph(head, indent=12, first="  proof", style=style)
    for check in proof.checks:
        page.paragraph(check, indent=12, first=" " * 12, style=Style.QUIET)
    for exception in proof.exceptions:
        page.paragraph(f"stayed: {exception}", indent=12, first=" " * 12, style=Style.CAREFUL)
    if result.round_trip is not None:
        _write_round_trip(page, result.round_trip)
    if result.derived_down is not None:
        _write_derived_down(page, result.derived_down)


def _write_derived_down(page: Page, derived: DerivedDown) -> None:
    """A way back that nobody has written: what trying it has shown, and its statements."""
    page.paragraph("there is no down file; this one was derived and tried:", indent=12, first="  way back")
    for line in derived.sql.splitlines():
        page.paragraph(line, indent=12, first=" " * 12, style=Style.QUIET)
    _write_round_trip(page, derived.round_trip)


def _write_round_trip(page: Page, trip: RoundTrip) -> None:
    """Whether the schema comes back, what of it does not, and what becomes of the rows."""
    if trip.schema_proved is None:
        text = "the way back could not be checked"
    elif trip.schema_proved:
        text = "the way back restores the schema"
    else:
        text = "the way back does not restore the schema"
    good = trip.schema_proved is True and trip.again is not False
    page.paragraph(
        page.joined(text, _DATA[trip.data] if trip.schema_proved is not None else ""),
        indent=12,
        first="  way back",
        style=Style.PLAIN if good else Style.CAREFUL,
    )
    for difference in trip.differences:
        page.paragraph(difference, indent=12, first=" " * 12, style=Style.CAREFUL)
    for difference in trip.lesser:
        page.paragraph(f"lesser: {difference}", indent=12, first=" " * 12, style=Style.QUIET)
