"""Assessments as text, and as findings for the other formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.cli.output.effects import write_effects, write_failure
from confiture_tui.cli.output.header import write_findings
from confiture_tui.cli.output.page import Page, Style
from confiture_tui.cli.output.reported import Reported
from confiture_tui.cli.output.units import milliseconds, plural, size
from confiture_tui.core.risk.model import Category, Level, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from confiture_tui.core.effects.model import DurationEstimate, StatementEffects
    from confiture_tui.core.risk.model import Probe, Risk, RiskAssessment
    from confiture_tui.service.assessing import Assessed, BaselineUse

_LEVELS = {
    Level.NONE: Style.GOOD_TITLE,
    Level.LOW: Style.GOOD_TITLE,
    Level.MEDIUM: Style.CAREFUL_TITLE,
    Level.HIGH: Style.BAD_TITLE,
    Level.CRITICAL: Style.BAD_TITLE,
}
_SEVERITIES = {
    Severity.INFO: Style.QUIET,
    Severity.LOW: Style.PLAIN,
    Severity.MEDIUM: Style.CAREFUL,
    Severity.HIGH: Style.BAD,
    Severity.CRITICAL: Style.BAD_TITLE,
}
_BAR = 20
"""Cells of a whole bar."""
_EXPOSED = 3
"""Relations of which is said how long others wait for them."""
_WAYS_TO_FAIL = 4
"""Ways to fail that are listed for a statement; the JSON has all."""


def write_assessment(page: Page, assessed: Assessed, *, safe_sql: bool) -> None:
    """One migration: its score and where it comes from, its statements, its risks, its way back."""
    one = assessed.assessment
    page.line(
        page.styled(one.label, Style.TITLE),
        "  ",
        page.styled(f"{one.level.value} {one.score}", _LEVELS[one.level]),
        page.styled(f"  confidence {one.confidence:.0%}", Style.QUIET),
    )
    for category in Category:
        points = one.categories.get(category, 0)
        if points:
            _write_bar(page, category.value.replace("_", " "), points)
    write_findings(page, assessed.findings)
    for statement in one.statements:
        _write_statement(page, statement, done=statement.index <= one.done)
    for risk in one.risks:
        _write_risk(page, risk, safe_sql=safe_sql)
    for ignored in one.ignored:
        why = f": {ignored.reason}" if ignored.reason else ""
        by = {"comment": "in the file", "allowed": "by --allow", "baseline": "by the baseline"}[ignored.by]
        page.paragraph(f"accepted {by}: {ignored.risk.rule}{why}", indent=4, first="  ", style=Style.QUIET)
    page.blank()
    _write_end(page, one)


def _write_bar(page: Page, name: str, points: int) -> None:
    filled = round(points / 100 * _BAR)
    style = Style.BAD if points >= 60 else Style.CAREFUL if points >= 30 else Style.PLAIN
    bar = "#" * filled if page.glyphs.bar == "|" else "█" * filled
    page.line("  ", page.cell(name, 15), page.cell(f"{points}", 3, style, right=True), "  ", page.styled(bar, style))


def _write_statement(page: Page, statement: StatementEffects, *, done: bool) -> None:
    page.blank()
    if done:
        page.line(
            page.cell(f"{statement.index}", 4, right=True),
            page.cell(f"  line {statement.line}", 12, Style.QUIET),
            page.styled(statement.tag, Style.TITLE),
            page.styled("  done already, by the run that stopped half-way", Style.QUIET),
        )
        return
    page.line(
        page.cell(f"{statement.index}", 4, right=True),
        page.cell(f"  line {statement.line}", 12, Style.QUIET),
        page.styled(statement.tag, Style.TITLE),
        page.styled(f"  {in_words(statement.estimate)}" if statement.estimate is not None else "", Style.QUIET),
    )
    if statement.fails is not None:
        write_failure(page, statement, statement.fails, indent=6)
    else:
        _write_may_fail(page, statement)
    write_effects(page, statement, indent=6)


def _write_may_fail(page: Page, statement: StatementEffects) -> None:
    """How it may fail and what the data said to that; a trigger can have dozens of ways, and the first will do."""
    possible = sorted(statement.may_fail or (), key=lambda one: one.checked)
    for one in possible[:_WAYS_TO_FAIL]:
        words = "ruled out by the data" if one.checked else "may fail"
        asked = "" if one.checked else " (the data were not asked)"
        page.paragraph(f"{words}: {one.sqlstate} {one.why}{asked}", indent=8, first="      ", style=Style.QUIET)
    rest = possible[_WAYS_TO_FAIL:]
    if rest:
        states = ", ".join(dict.fromkeys(one.sqlstate for one in rest))
        page.paragraph(
            f"and {plural(len(rest), 'more way')} to fail: {states}", indent=8, first="      ", style=Style.QUIET
        )


def in_words(estimate: DurationEstimate) -> str:
    """An estimate as a range."""
    return f"{milliseconds(estimate.low_ms)} to {milliseconds(estimate.high_ms)}"


def _write_risk(page: Page, risk: Risk, *, safe_sql: bool) -> None:
    page.blank()
    where = f"statement {risk.statement}" if risk.statement is not None else "the migration"
    page.line(
        "  ",
        page.styled(risk.severity.value, _SEVERITIES[risk.severity]),
        "  ",
        page.styled(risk.rule, Style.TITLE),
        page.styled(f"  {where}", Style.QUIET),
    )
    page.paragraph(risk.message, indent=4, first="    ")
    for fact in risk.evidence:
        page.paragraph(fact, indent=6, first=f"    {page.glyphs.dot} ", style=Style.QUIET)
    if risk.recommendation:
        page.paragraph(risk.recommendation, indent=4, first="    ", style=Style.GOOD)
    if risk.safe_sql and safe_sql:
        page.verbatim(risk.safe_sql.rstrip().splitlines(), indent=6)


def _write_end(page: Page, one: RiskAssessment) -> None:
    analysed, total = one.analysed
    facts = [f"{analysed} of {plural(total, 'statement')} analysed", in_words(one.estimate)]
    if one.wal_bytes:
        facts.append(f"{size(one.wal_bytes)} WAL")
    if one.disk_bytes:
        facts.append(f"{size(one.disk_bytes)} more disk")
    page.paragraph(page.joined(*facts), indent=2, first="  ", style=Style.TITLE)
    page.paragraph(f"times by {one.estimate.source}", indent=2, first="  ", style=Style.QUIET)
    for each in one.exposure[:_EXPOSED]:
        waits = f", and {milliseconds(each.queue_ms)} while the lock is waited for" if each.queue_ms else ""
        page.paragraph(
            f"others wait about {milliseconds(each.held_ms)} for {each.relation}{waits}",
            indent=4, first="  ", style=Style.QUIET,
        )  # fmt: skip
    if one.probes:
        page.paragraph(_of_probes(one.probes), indent=2, first="  ", style=Style.QUIET)
    back = "no way back" if one.rollback.strategy == "none" else f"way back by file, data {one.rollback.data}"
    page.paragraph(page.joined(back, one.rollback.why), indent=2, first="  ", style=Style.QUIET)
    for note in one.notes:
        page.paragraph(note, indent=8, first="  note", style=Style.QUIET)


def _of_probes(probes: Sequence[Probe]) -> str:
    asked = [one for one in probes if one.sql is not None]
    silent = [one for one in probes if one.found is None]
    text = f"{plural(len(asked), 'question')} to the data, {milliseconds(sum(one.elapsed_ms for one in asked))}"
    if not silent:
        return text
    whys = "; ".join(dict.fromkeys(one.why_not for one in silent if one.why_not))
    return f"{text}; {len(silent)} without an answer ({whys})"


def write_summary(page: Page, assessed: Sequence[Assessed]) -> None:
    """How many migrations there are of each level, and how much was analysed."""
    if not assessed:
        page.line(page.styled("No migration is pending: nothing to assess.", Style.TITLE))
        return
    counts = [
        f"{number} {level.value}"
        for level in reversed(Level)
        if (number := sum(one.assessment.level is level for one in assessed))
    ]
    done = sum(one.assessment.analysed[0] for one in assessed)
    total = sum(one.assessment.analysed[1] for one in assessed)
    page.paragraph(
        f"{plural(len(assessed), 'migration')}: {', '.join(counts)}. {done} of {plural(total, 'statement')} analysed.",
        style=Style.TITLE,
    )


def reported(assessed: Sequence[Assessed]) -> tuple[Reported, ...]:
    """The risks as findings, in the order of the migrations."""
    from confiture_tui.core.risk.rules import RULES

    titles = {rule.id: (rule.title, rule.why) for rule in RULES}
    found = []
    for one in assessed:
        lines = {statement.index: statement.line for statement in one.assessment.statements}
        for risk in one.assessment.risks:
            title, why = titles.get(risk.rule, ("", ""))
            found.append(
                Reported(
                    rule=risk.rule,
                    severity=risk.severity.value,
                    message=risk.message,
                    file=one.assessment.path,
                    line=lines.get(risk.statement or 0),
                    help=risk.safe_sql or risk.recommendation,
                    title=title,
                    why=why,
                    key=risk.key,
                )
            )
    return tuple(found)


def write_baseline_use(page: Page, use: BaselineUse) -> None:
    """What the baseline let pass, what it has in vain, and what became of it."""
    for sentence in _of_baseline(use):
        page.paragraph(sentence, style=Style.QUIET)


def _of_baseline(use: BaselineUse) -> Iterator[str]:
    passed = sum(each.by == "baseline" for one in use.assessed for each in one.assessment.ignored)
    if use.updated is not None:
        one = use.updated
        yield f"{use.path.name} now has {plural(one.total, 'risk')}: {one.added} new, {one.removed} gone."
    elif passed:
        yield f"{plural(passed, 'risk')} let pass by the baseline {use.path.name}."
    if use.gone:
        yield f"{plural(len(use.gone), 'risk')} of the baseline found no more: --update-baseline takes it out."


def notes(assessed: Sequence[Assessed], use: BaselineUse | None = None) -> tuple[str, ...]:
    """What is to be said of the analysis itself: how much of each file it covers, what a baseline let pass."""
    said = list(_of_baseline(use)) if use is not None else []
    for one in (each.assessment for each in assessed):
        done, total = one.analysed
        said.append(f"{one.label}: {one.level.value} {one.score}, {done} of {plural(total, 'statement')} analysed")
    return tuple(said)
