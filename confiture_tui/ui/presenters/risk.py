"""How dangerous a migration is: in two words for the list, in full for its pane, in words that can be read aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.service.sql_diff import sql_diff
from confiture_tui.ui.presenters.figures import counted, duration, size
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.presenters.verdict import error_text
from confiture_tui.ui.safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from confiture_tui.core.risk.model import Risk, RiskAssessment
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.session import Session

_CATEGORIES = (
    ("locking", "others wait"),
    ("performance", "load"),
    ("data_loss", "for good"),
    ("integrity", "may fail"),
    ("compatibility", "breaks code"),
    ("reversibility", "no way back"),
    ("security", "rights"),
)
_SEVERITIES = {"info": "none", "low": "low", "medium": "medium", "high": "high", "critical": "critical"}
_FIGURES = frozenset({"elapsed_ms", "rows", "wal_bytes"})
"""What is only ever seen, and stands with the statements."""
_PROVED = {True: ", proved", False: ", which does not restore the schema", None: ""}
_BAR = 15
"""Cells of a whole bar: with its words it fits beside the statements on a screen of 160."""


def level_badge(assessment: RiskAssessment, glyphs: Glyphs) -> Content:
    """The level with its sign, and the score: ``▲ high 65``."""
    level = assessment.level.value
    return Content.styled(f"{_sign(level, glyphs)} {level} {assessment.score}", style(f"risk-{level}"))


def risk_head(version: str, session: Session, glyphs: Glyphs) -> Content:
    """The score and a bar for each category; or why there is no assessment."""
    assessment = session.assessments.get(version)
    if assessment is None:
        if session.assess_error is not None:
            return error_text(session.assess_error)
        status = session.status_of(version)
        if status is not None and status.state not in ("pending", "interrupted"):
            return Content.styled("It is applied: there is nothing left to assess.", style("quiet"))
        words = "Is being assessed." if session.assessing else "Not assessed."
        return Content.styled(words, style("quiet"))
    return Content("\n").join(
        [_headline(assessment, glyphs), *_seen(assessment), Content(""), *_bars(assessment, glyphs)]
    )


def risk_end(assessment: RiskAssessment) -> Content:
    """What was accepted, how long it takes, who waits, the way back."""
    lines = []
    for ignored in assessment.ignored:
        why = f": {safe_line(ignored.reason)}" if ignored.reason else ""
        lines.append(Content.styled(f"accepted: {safe_line(ignored.risk.rule)}{why}", style("quiet")))
    return Content("\n").join([*lines, *_end(assessment)])


def _headline(assessment: RiskAssessment, glyphs: Glyphs) -> Content:
    analysed, total = assessment.analysed
    parts = [
        level_badge(assessment, glyphs),
        Content(f"{analysed} of {counted(total, 'statement')} analysed"),
        Content(f"confidence {assessment.confidence:.0%}"),
    ]
    return Content.styled(f" {glyphs.separator} ", style("quiet")).join(parts)


def _seen(assessment: RiskAssessment) -> list[Content]:
    """What is done already; whether the rest is what was predicted, or what a dry run has seen."""
    lines = []
    if assessment.done:
        total = len(assessment.statements)
        which = "statement 1 is" if assessment.done == 1 else f"statements 1 to {assessment.done} are"
        words = f"{which} done already, of {total}: only the rest counts"
        if assessment.done == total:
            words = "all of its statements are done already: none counts any more"
        lines.append(Content.styled(words, style("state-attention")))
    if assessment.predicted_score is None:
        return lines
    was = assessment.predicted_score
    words = "by what the dry run has seen; " + (
        "as predicted" if was == assessment.score else f"{was} was predicted without it"
    )
    return [*lines, Content.styled(words, style("quiet"))]


def _bars(assessment: RiskAssessment, glyphs: Glyphs) -> list[Content]:
    points = {category.value: number for category, number in assessment.categories.items()}
    found = [(name, words, points[name]) for name, words in _CATEGORIES if points.get(name)]
    if not found:
        return [Content.styled("Nothing speaks against it.", style("risk-none"))]
    full, empty = ("█", "░") if glyphs.fancy else ("#", ".")
    lines = []
    for name, words, number in sorted(found, key=lambda one: -one[2]):
        level = _level(number)
        filled = max(round(number / 100 * _BAR), 1)
        lines.append(
            Content.assemble(
                name.replace("_", " ").ljust(14),
                (f"{number:>3} ", style(f"risk-{level}")),
                (full * filled, style(f"risk-{level}")),
                (empty * (_BAR - filled), style("quiet")),
                (f" {words}", style("quiet")),
            )
        )
    return lines


def _level(points: int) -> str:
    """The level of a category's points, as the score's own table has it."""
    from confiture_tui.core.risk.scoring import level_of

    return level_of(points).value


def _sign(level: str, glyphs: Glyphs) -> str:
    return {
        "none": glyphs.ok,
        "low": glyphs.info,
        "medium": glyphs.blocks,
        "high": glyphs.warning,
        "critical": glyphs.fails,
    }[level]


def risk_block(risk: Risk, statement: str | None, glyphs: Glyphs, *, chosen: bool) -> Content:
    """A risk with its evidence, what to do, and the safe way as a difference to the statement's own SQL."""
    severity = risk.severity.value
    where = f"statement {risk.statement}" if risk.statement is not None else "the migration"
    name = style(f"risk-{_SEVERITIES[severity]}")
    lines = [
        Content.assemble(
            (f"{glyphs.cursor if chosen else ' '} ", style("key")),
            (f"{_sign(_SEVERITIES[severity], glyphs)} {severity}", name),
            "  ",
            (safe_line(risk.rule), style("strong")),
            (f"  {where}", style("quiet")),
        ),
        Content(safe_text(risk.message)),
    ]
    lines += [
        Content.assemble((f"  {glyphs.separator} ", style("quiet")), (safe_text(fact), style("quiet")))
        for fact in risk.evidence
    ]
    if risk.recommendation:
        lines.append(Content.assemble((f"{glyphs.arrow} ", style("key")), safe_text(risk.recommendation)))
    if risk.safe_sql:
        lines.append(Content.styled("  the safe way:", style("label")))
        looks = {
            "-": (glyphs.removed, style("diff-removed")),
            "+": (glyphs.added, style("diff-added")),
            " ": (" ", style("quiet")),
        }
        for sign, line in sql_diff(statement or "", risk.safe_sql):
            shown, look = looks[sign]
            lines.append(Content.assemble((f"  {shown} ", look), (safe_line(line), look)))
    return Content("\n").join(lines)


def _end(assessment: RiskAssessment) -> list[Content]:
    estimate = assessment.estimate
    took = f"{duration(estimate.low_ms)} to {duration(estimate.high_ms)}, about {duration(estimate.expected_ms)}"
    lines = [_labelled("time", f"{took} ({safe_line(estimate.source)})")]
    for one in assessment.exposure[:3]:
        queue = f", and up to {duration(one.queue_ms)} while it waits for the lock" if one.queue_ms else ""
        lines.append(
            _labelled("others wait", f"{duration(one.held_ms)} for {safe_line(one.relation)} ({one.mode}){queue}")
        )
    if assessment.wal_bytes:
        lines.append(_labelled("WAL", size(assessment.wal_bytes)))
    if assessment.disk_bytes:
        lines.append(_labelled("disk", f"{size(assessment.disk_bytes)} more while it runs"))
    lines += [_labelled("seen", safe_text(f"{one}")) for one in assessment.replaced if one.field not in _FIGURES]
    back = assessment.rollback
    text = "none" if back.strategy == "none" else f"by its down file{_PROVED[back.schema_proved]}; data {back.data}"
    lines.append(_labelled("way back", f"{text}. {safe_text(back.why)}".rstrip()))
    lines += [_labelled("note", safe_text(note)) for note in assessment.notes]
    return lines


def _labelled(label: str, text: str) -> Content:
    return Content.assemble((label.ljust(12), style("label")), text)
