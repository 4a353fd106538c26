"""The record of a review as blocks, in the order in which a reader asks: how bad, what, why, tried, back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from confiture_tui.cli.output.blocks import Block, Facts, Heading, Items, Paragraph, Sql, Table
from confiture_tui.cli.output.units import milliseconds, plural
from confiture_tui.core.dry_run.result import On, Verdict
from confiture_tui.core.effects.observing import ONLY_SEEN
from confiture_tui.core.risk.model import Level

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.result import DryRunResult, StatementObservation
    from confiture_tui.core.effects.model import StatementEffects
    from confiture_tui.core.effects.observing import Replaced
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.service.review import ReviewedMigration
    from confiture_tui.service.review_documents import QualityDocument, ReportDocument

_LITERAL = frozenset({"file", "SHA-256", "way back, SHA-256", "schema", "digest"})


def title_of(document: ReportDocument) -> str:
    """What the record is called."""
    number = plural(len(document.migrations), "migration")
    worst = max((list(Level).index(one.assessment.level) for one in document.migrations), default=None)
    level = f": {list(Level)[worst].value}" if worst is not None else ""
    return f"Review of {number} of {document.project}{level}"


def outline(document: ReportDocument) -> Iterator[Block]:
    """The whole record."""
    yield Heading(title_of(document), 1)
    yield Facts(tuple(_head(document)), _LITERAL)
    if document.migrations:
        rows = tuple(_row(one) for one in document.migrations)
        yield Table(("migration", "level", "score", "dry run", "way back"), rows)
    else:
        yield Paragraph("No migration is pending: there was nothing to review.")
    for one in document.migrations:
        yield from _migration(one)
    if document.lint is not None:
        yield from _quality(document.lint)


def _head(document: ReportDocument) -> Iterator[tuple[str, str]]:
    environment = document.environment
    yield "environment", f"{environment} (PRODUCTION)" if document.production else environment
    target = document.target
    if target is None:
        yield "database", "none: the files alone were read"
    else:
        yield "database", f"{target.database} on {target.host or 'a local socket'}, as {target.role}"
        major, minor = divmod(target.server_version, 10_000)
        yield "server", f"PostgreSQL {major}.{minor}"
    yield "runner", document.runner
    yield "made", f"{document.generated_at:%Y-%m-%d %H:%M:%S} UTC by confiture-tui {document.tool_version}"
    if document.catalog is not None:
        yield "schema", document.catalog
    yield "digest", document.digest


def _row(one: ReviewedMigration) -> tuple[str, ...]:
    assessment = one.assessment
    was = assessment.predicted_score
    score = f"{assessment.score}" if was in (None, assessment.score) else f"{assessment.score}, {was} predicted"
    return (_label(one), assessment.level.value, score, _tried(one), _way_back(one))


def _label(one: ReviewedMigration) -> str:
    return "_".join(part for part in (one.assessment.version, one.assessment.name) if part)


def _tried(one: ReviewedMigration) -> str:
    if one.dry_run is not None:
        return one.dry_run.verdict.value
    return "could not be tried" if one.not_tried else "not tried"


def _way_back(one: ReviewedMigration) -> str:
    back = one.assessment.rollback
    if back.strategy == "none":
        return "none"
    trip = one.dry_run.round_trip if one.dry_run is not None else None
    proved = {True: "proved", False: "does not bring the schema back", None: "not proved"}
    return f"{proved[trip.schema_proved if trip is not None else None]}, data {back.data}"


def _migration(one: ReviewedMigration) -> Iterator[Block]:
    assessment = one.assessment
    yield Heading(f"{_label(one)}: {assessment.level.value} {assessment.score}", 2)
    yield Facts(tuple(_facts(one)), _LITERAL)
    if one.findings:
        yield Items(tuple(f"{finding.level}: {finding.message}" for finding in one.findings))
    if assessment.statements:
        rows = tuple(_statement(statement) for statement in assessment.statements)
        yield Table(("#", "line", "statement", "expected", "what it does"), rows)
    if assessment.risks:
        yield Heading("Risks", 3)
    for risk in assessment.risks:
        yield from _risk(risk)
    if assessment.ignored:
        yield Heading("Accepted", 3)
        accepted = (
            f"{ignored.risk.rule}, by {ignored.by}: {ignored.reason or 'no reason given'}"
            for ignored in assessment.ignored
        )
        yield Items(tuple(accepted))
    if one.dry_run is not None:
        yield from _dry_run(one.dry_run, assessment.replaced)
    elif one.not_tried:
        yield Heading("Dry run", 3)
        yield Paragraph(one.not_tried)


def _facts(one: ReviewedMigration) -> Iterator[tuple[str, str]]:
    assessment = one.assessment
    if assessment.path:
        yield "file", assessment.path
    yield "SHA-256", one.checksum
    if one.down_checksum is not None:
        yield "way back, SHA-256", one.down_checksum
    points = [f"{name.value.replace('_', ' ')} {score}" for name, score in assessment.categories.items() if score]
    yield "score", f"{assessment.score}" + (f": {', '.join(points)}" if points else "")
    was = assessment.predicted_score
    if was is not None:
        without = "as predicted" if was == assessment.score else f"{was} was predicted without it"
        yield "seen", f"the score is by what the dry run has seen; {without}"
    yield "confidence", f"{assessment.confidence:.0%}"
    analysed, total = assessment.analysed
    yield "analysed", f"{analysed} of {plural(total, 'statement')}"
    estimate = assessment.estimate
    yield "expected", f"{milliseconds(estimate.low_ms)} to {milliseconds(estimate.high_ms)}"
    yield "way back", _way_back(one)
    if one.hooks:
        yield "hooks", ", ".join(f"{hook.hook} ({hook.direction})" for hook in one.hooks)


def _statement(statement: StatementEffects) -> tuple[str, ...]:
    estimate = statement.estimate
    expected = milliseconds(estimate.expected_ms) if estimate is not None else "-"
    return (str(statement.index), str(statement.line), statement.tag, expected, _work(statement))


def _work(statement: StatementEffects) -> str:
    if statement.fails is not None:
        return f"fails with {statement.fails.sqlstate}: {statement.fails.message}"
    if statement.locks is None:
        return "not known"
    words = [f"{lock.mode} on {lock.relation}" for lock in statement.locks]
    for what in ("rewrites", "scans", "builds", "rebuilds", "creates", "drops"):
        names = getattr(statement, what)
        if names:
            words.append(f"{what} {', '.join(names)}")
    return "; ".join(words) or "nothing to what was there before"


def _risk(risk: Risk) -> Iterator[Block]:
    where = f", statement {risk.statement}" if risk.statement is not None else ""
    yield Heading(f"{risk.severity.value}: {risk.rule}{where}", 4)
    yield Paragraph(risk.message)
    if risk.evidence:
        yield Items(risk.evidence)
    if risk.recommendation:
        yield Paragraph(f"What to do: {risk.recommendation}")
    if risk.safe_sql:
        yield Sql(risk.safe_sql)


def _dry_run(result: DryRunResult, replaced: Sequence[Replaced]) -> Iterator[Block]:
    where = "on a shadow" if result.on is On.SHADOW else "on the target, rolled back"
    yield Heading(f"Dry run {where}: {result.verdict.value}", 3)
    if result.failure is not None:
        line = f" on line {result.failure.line}" if result.failure.line is not None else ""
        yield Paragraph(f"It fails{line} with {result.failure.sqlstate}: {result.failure.message}")
    elif result.verdict is Verdict.OK:
        yield Paragraph(f"It ran from the first to the last statement in {milliseconds(result.elapsed_ms)}.")
    differing = [_difference(one) for one in result.statements if one.mismatch]
    if differing:
        yield Items(tuple(differing))
    counted = [str(one) for one in replaced if one.field not in ONLY_SEEN]
    if counted:
        yield Paragraph("For the score, what was seen stands in the place of what was predicted:")
        yield Items(tuple(counted))
    stayed = {
        True: "Nothing stayed behind.",
        False: "SOMETHING STAYED BEHIND.",
        None: "Whether anything stayed behind could not be checked.",
    }
    yield Paragraph(stayed[result.proof.nothing_persisted])
    said = (*result.proof.checks, *(f"stayed: {one}" for one in result.proof.exceptions))
    if said:
        yield Items(said)
    trip = result.round_trip
    if trip is not None:
        yield Paragraph(
            {
                True: "Up, down, compare: the way back brings the schema back.",
                False: "Up, down, compare: the way back does not bring the schema back.",
                None: "The way back could not be tried to its end.",
            }[trip.schema_proved]
        )
        if trip.differences or trip.lesser:
            yield Items((*trip.differences, *trip.lesser))
    if result.notes:
        yield Items(result.notes)


def _difference(one: StatementObservation) -> str:
    return f"Statement {one.index} was not as predicted: {', '.join(one.mismatch or ())}"


def _quality(lint: QualityDocument) -> Iterator[Block]:
    yield Heading("Quality of the schema", 2)
    if lint.added is None or lint.fixed is None:
        yield Paragraph(f"{plural(lint.unchanged, 'finding')}; what the migrations change was not looked at.")
    else:
        yield Paragraph(
            f"The pending migrations add {plural(len(lint.added), 'finding')} and fix {len(lint.fixed)}; "
            f"{lint.unchanged} stay as they are."
        )
        rows = tuple(
            (change, one.severity.value, one.rule, one.message)
            for change, found in (("added", lint.added), ("fixed", lint.fixed))
            for one in found
        )
        if rows:
            yield Table(("", "severity", "rule", "what"), rows)
    if lint.notes:
        yield Items(lint.notes)
