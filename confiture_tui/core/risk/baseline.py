"""What a baseline lets pass of an assessment, and the entries of a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from confiture_tui.core.baselines import BaselineEntry, identity
from confiture_tui.core.records import changed
from confiture_tui.core.risk import scoring
from confiture_tui.core.risk.model import IgnoredRisk, Risk, RiskAssessment, Severity
from confiture_tui.core.sql.parser import fingerprint

if TYPE_CHECKING:
    from confiture_tui.core.baselines import Baseline

_ORDER = list(Severity)
_ABOUT_COMMENTS = "unused-ignore"


def with_keys(assessment: RiskAssessment) -> RiskAssessment:
    """The assessment, each of whose risks has its identity.

    It rests on the migration, the rule and, unless the rule judges the file as a whole, on what the statement says:
    neither its place in the file, nor comments and formatting, nor constants in it change that, nor how bad it is on
    this database. The same statement a second time in one file has another.
    """
    of_files = _rules_of_files()
    texts = {each.index: each.sql for each in assessment.statements}
    prints: dict[int | None, str] = {None: ""}
    seen: Counter[tuple[str, str]] = Counter()

    def key_of(risk: Risk) -> str:
        if risk.statement not in prints:
            text = texts.get(risk.statement or 0, "")
            found = fingerprint(text)
            prints[risk.statement] = found if isinstance(found, str) else " ".join(text.split())
        said = "" if risk.rule in of_files else prints[risk.statement]
        seen[risk.rule, said] += 1
        return identity("risk", assessment.label, risk.rule, said, str(seen[risk.rule, said]))

    ours = [*assessment.risks, *(each.risk for each in assessment.ignored)]
    # In the order of statements: which of two is the worse is no part of who is who.
    keys = {id(risk): key_of(risk) for risk in sorted(ours, key=lambda each: each.statement or 0)}
    return assessment.model_copy(
        update={
            "risks": tuple(changed(each, key=keys[id(each)]) for each in assessment.risks),
            "ignored": tuple(
                changed(each, risk=changed(each.risk, key=keys[id(each.risk)])) for each in assessment.ignored
            ),
        }
    )


def with_baseline(assessment: RiskAssessment, baseline: Baseline) -> RiskAssessment:
    """The assessment, with keys, without the risks that a baseline lets pass: they do not count.

    One that is worse than when it was let pass counts.
    """
    known = {entry.key: entry.severity for entry in baseline.violations}
    passed = [each for each in assessment.risks if _lets_pass(known, each)]
    if not passed:
        return assessment
    left = tuple(each for each in assessment.risks if each not in passed)
    categories = scoring.categories_of((each.category, each.points) for each in left)
    score, level = scoring.score(categories)
    return assessment.model_copy(
        update={
            "risks": left,
            "ignored": (*assessment.ignored, *(IgnoredRisk(risk=each, by="baseline") for each in passed)),
            "categories": categories,
            "score": score,
            "level": level,
        }
    )


def gone(assessments: Iterable[RiskAssessment], baseline: Baseline) -> tuple[BaselineEntry, ...]:
    """The entries about these migrations that are found no more."""
    listed = list(assessments)
    found = {risk.key for each in listed for risk in (*each.risks, *(one.risk for one in each.ignored))}
    judged = {each.label for each in listed}
    return tuple(entry for entry in baseline.violations if entry.object in judged and entry.key not in found)


def entries_of(assessments: Iterable[RiskAssessment]) -> tuple[BaselineEntry, ...]:
    """The risks that count, as entries of a baseline; a comment that nothing needs is mended, not lived with."""
    return tuple(
        BaselineEntry(key=risk.key, rule=risk.rule, object=each.label, severity=risk.severity.value)
        for each in assessments
        for risk in each.risks
        if risk.rule != _ABOUT_COMMENTS
    )


@cache
def _rules_of_files() -> frozenset[str]:
    from confiture_tui.core.risk.rule import MigrationRule
    from confiture_tui.core.risk.rules import RULES

    return frozenset(rule.id for rule in RULES if isinstance(rule, MigrationRule))


def _lets_pass(known: Mapping[str, str], risk: Risk) -> bool:
    accepted = known.get(risk.key)
    if accepted is None:
        return False
    worst = Severity(accepted) if accepted in _ORDER else Severity.CRITICAL
    return _ORDER.index(risk.severity) <= _ORDER.index(worst)
