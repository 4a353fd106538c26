"""What the screens know, as Markdown: for a pull request, or a channel in which an incident is talked about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from confiture_tui.service.markdown import code, escaped, fenced
from confiture_tui.service.sql_diff import sql_diff
from confiture_tui.ui.presenters.figures import counted, duration
from confiture_tui.ui.presenters.migrations import label
from confiture_tui.ui.run_progress import stage_of

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.lint.model import Violation
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.risk.model import Risk, RiskAssessment
    from confiture_tui.service.linting import LintResult
    from confiture_tui.service.places import ProjectInfo, TargetInfo
    from confiture_tui.ui.session import Session


def risk_markdown(assessment: RiskAssessment, risk: Risk) -> str:
    """One finding: what, where, the facts, what to do, and the safe way as a difference."""
    return f"{_name(assessment)}\n\n{_risk(assessment, risk)}"


def migration_markdown(assessment: RiskAssessment, result: DryRunResult | None) -> str:
    """A migration: its level and score, what was tried, and each of its risks."""
    parts = [f"### {_name(assessment)}\n", f"{_summary(assessment, result)}\n"]
    parts += [_risk(assessment, risk) for risk in assessment.risks]
    if not assessment.risks:
        parts.append("Nothing speaks against it.\n")
    return "\n".join(parts)


def review_markdown(session: Session) -> str:
    """All pending migrations: a table of them, then each by itself."""
    pending = [one for one in session.statuses if one.state in ("pending", "interrupted")]
    parts = [
        f"## Migrations: {counted(len(pending), 'pending one')}\n",
        f"{_place(session.project, session.target)}\n",
        "| Migration | Risk | Dry run |\n| --- | --- | --- |\n" + "".join(_row(one, session) for one in pending),
    ]
    parts += [
        migration_markdown(session.assessments[one.version], session.results.get(one.version))
        for one in pending
        if one.version in session.assessments
    ]
    return "\n".join(parts)


def run_markdown(session: Session) -> str:
    """What came of a run: each migration, its time, its statements beside the estimate, its hooks, the way back."""
    result, estimates = session.run.result, session.run.estimates
    if result is None:
        return ""
    lines = ["| Migration | Outcome | Took | Its statements | Expected of them |", "| --- | --- | --- | --- | --- |"]
    told: list[str] = []
    for one in result.migrations:
        estimate = estimates.get(one.version)
        expected = f"{duration(estimate.low_ms)} to {duration(estimate.high_ms)}" if estimate is not None else ""
        took = duration(one.elapsed_ms) if one.attempts else ""
        spent = duration(one.statements_ms) if one.statements_ms is not None else ""
        attempts = f", {one.attempts} attempts" if one.attempts > 1 else ""
        name = code(label(one.version, one.name))
        lines.append(f"| {name} | {stage_of(one.outcome).value}{attempts} | {took} | {spent} | {expected} |")
        for hook in one.hooks:
            words = [hook.outcome.value.replace("_", " "), duration(hook.elapsed_ms)]
            if hook.rows_affected:
                words.append(counted(hook.rows_affected, "row"))
            told.append(f"- {name}: hook {code(hook.hook)} {', '.join(words)}")
        if one.error:
            told.append(f"- {name}: {escaped(one.error)}")
    parts = [
        f"## {'Cancelled run' if result.cancelled else 'Run'} of migrations\n",
        f"{_place(session.project, session.target)}\n",
    ]
    parts.append("\n".join(lines) + "\n")
    if told:
        parts.append("\n".join(told) + "\n")
    if result.undo:
        parts.append("To take it back:\n\n" + fenced("\n".join(result.undo), "sh"))
    return "\n".join(parts)


def violation_markdown(one: Violation, result: LintResult) -> str:
    """One finding of the linter, why it is one, and the SQL that mends it."""
    mark = " (the pending migrations add it)" if one.key in result.added else ""
    lines = [f"**{one.severity.value}** {code(one.rule)} {code(one.object)}{mark}\n", f"{escaped(one.message)}\n"]
    if one.rule in result.whys:
        lines.append(f"{escaped(result.whys[one.rule])}\n")
    if one.fix is not None:
        lines.append(fenced(one.fix.sql))
    return "\n".join(lines)


def violations_markdown(shown: Sequence[Violation]) -> str:
    """Findings of the linter as a table."""
    rows = [
        f"| {one.severity.value} | {code(one.rule)} | {code(one.object)} | {escaped(one.message)} |" for one in shown
    ]
    return "\n".join(["| Severity | Rule | Object | What |", "| --- | --- | --- | --- |", *rows]) + "\n"


def _name(assessment: RiskAssessment) -> str:
    return f"{code(label(assessment.version, assessment.name))}: {assessment.level.value} {assessment.score}"


def _summary(assessment: RiskAssessment, result: DryRunResult | None) -> str:
    analysed, total = assessment.analysed
    estimate = assessment.estimate
    facts = [
        f"{analysed} of {counted(total, 'statement')} analysed",
        f"confidence {assessment.confidence:.0%}",
        f"{duration(estimate.low_ms)} to {duration(estimate.high_ms)}",
        "no way back" if assessment.rollback.strategy == "none" else f"way back, data {assessment.rollback.data}",
        _tried(result),
    ]
    points = [f"{name.value.replace('_', ' ')} {number}" for name, number in assessment.categories.items() if number]
    return " · ".join(facts) + (f"  \n{', '.join(points)}" if points else "")


def _tried(result: DryRunResult | None) -> str:
    if result is None:
        return "not tried"
    if result.failure is not None:
        return f"dry run fails: {escaped(f'SQLSTATE {result.failure.sqlstate} {result.failure.message}')}"
    return f"dry run {result.verdict} on {'a shadow' if result.on == 'shadow' else 'the target'}"


def _risk(assessment: RiskAssessment, risk: Risk) -> str:
    statement = next((one for one in assessment.statements if one.index == risk.statement), None)
    where = f", statement {statement.index}, line {statement.line}" if statement is not None else ""
    lines = [f"**{risk.severity.value}** {code(risk.rule)}{where}\n", f"{escaped(risk.message)}\n"]
    if risk.evidence:
        lines.append("".join(f"- {escaped(fact)}\n" for fact in risk.evidence))
    if risk.recommendation:
        lines.append(f"What to do: {escaped(risk.recommendation)}\n")
    if risk.safe_sql:
        diff = sql_diff(statement.sql if statement is not None else "", risk.safe_sql)
        lines.append(fenced("\n".join(f"{sign} {line}".rstrip() for sign, line in diff), "diff"))
    return "\n".join(lines)


def _row(status: MigrationStatus, session: Session) -> str:
    assessment = session.assessments.get(status.version)
    level = f"{assessment.level.value} {assessment.score}" if assessment is not None else "not assessed"
    return f"| {code(label(status.version, status.name))} | {level} | {_tried(session.results.get(status.version))} |\n"


def _place(project: ProjectInfo | None, target: TargetInfo | None) -> str:
    facts = []
    if project is not None:
        facts.append(f"{escaped(project.name)}, {escaped(project.environment.upper())}")
    if target is not None:
        host = f" on {code(target.host)}" if target.host else ""
        facts.append(f"database {code(target.database)}{host}, PostgreSQL {escaped(target.server_version)}")
    else:
        facts.append("without a database")
    return ", ".join(facts)
