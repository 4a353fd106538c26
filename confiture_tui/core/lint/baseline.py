"""What a baseline lets pass of a lint report, and a new baseline from one."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from confiture_tui.core.baselines import Baseline, BaselineEntry, BaselineUpdate, renewed
from confiture_tui.core.lint.model import LintReport, Suppressed

if TYPE_CHECKING:
    from confiture_tui.core.lint.config import LintConfig


def with_baseline(report: LintReport, baseline: Baseline, config: LintConfig) -> LintReport:
    """The report without what the baseline has, and with what the baseline has and is found no more.

    Of rules that did not run, and of schemas that were not judged, nothing is said to be gone.
    """
    known = {entry.key for entry in baseline.violations}
    passed = tuple(Suppressed(violation=one, by="baseline") for one in report.violations if one.key in known)
    found = {one.key for one in report.violations} | {one.violation.key for one in report.suppressed}
    gone = tuple(
        entry.key for entry in baseline.violations if entry.key not in found and _was_judged(entry, report, config)
    )
    return report.model_copy(
        update={
            "violations": tuple(one for one in report.violations if one.key not in known),
            "suppressed": (*report.suppressed, *passed),
            "gone": gone,
        }
    )


def updated(
    baseline: Baseline | None, report: LintReport, config: LintConfig, *, database: str, server_version: int | None
) -> tuple[Baseline, BaselineUpdate]:
    """The baseline that lets pass everything in a report that no baseline has been applied to.

    Entries of rules that did not run, and of schemas that were not judged, stay.
    """
    old = baseline.violations if baseline else ()
    return renewed(
        old,
        (
            BaselineEntry(key=one.key, rule=one.rule, schema_name=one.schema_name, object=one.object)
            for one in report.violations
        ),
        command="lint",
        database=database,
        server_version=server_version,
        stays=[entry for entry in old if not _was_judged(entry, report, config)],
    )


def _was_judged(entry: BaselineEntry, report: LintReport, config: LintConfig) -> bool:
    if entry.rule not in report.rules:
        # A rule that is no longer there, or is off, is not coming back by itself: only a selection is partial.
        return not config.select and entry.rule not in {one.rule for one in report.skipped}
    return not config.schemas or any(fnmatchcase(entry.schema_name, glob) for glob in config.schemas)
