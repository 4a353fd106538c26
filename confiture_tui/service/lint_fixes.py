"""Writes migrations that mend lint findings into the project, once they are proved on a shadow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.lint.comparison import compare_reports, with_figures_of
from confiture_tui.core.lint.fixing import FixMigration, FixPlan, plan_fixes
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.sql.script import Script
from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.lint.linter import SchemaLinter
    from confiture_tui.core.lint.model import Violation
    from confiture_tui.core.migrations.layouts import MigrationSet
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.service.linting import ShadowCatalog


class FixRisk(FrozenModel):
    """How dangerous a migration that mends is: its version, the score from 0 to 100, and the level's word."""

    version: str
    score: int
    level: str


class FixesWritten(FrozenModel):
    """What was written.

    Attributes:
        paths: the files, in the order in which they are to be applied, each up before its down.
        fixed: keys of the violations that they mend.
        left: how many fixes have to wait for the next time, because others change the same objects.
        not_offered: how many fixes are there that must be asked for, since they are to be reviewed.
        proof: what was seen on the shadow, a sentence each.
        risks: of each migration, as ``assess`` says without asking the data.
    """

    paths: tuple[Path, ...] = ()
    fixed: tuple[str, ...] = ()
    left: int = 0
    not_offered: int = 0
    proof: tuple[str, ...] = ()
    risks: tuple[FixRisk, ...] = ()


def write_fixes(
    violations: Sequence[Violation],
    migrations: MigrationSet,
    linter: SchemaLinter,
    before: Sequence[Migration],
    shadow: Callable[[Sequence[Migration]], ShadowCatalog],
    *,
    weights: Catalog,
    profile: RunnerProfile,
    review: bool,
) -> FixesWritten:
    """Mend violations by new migrations, which come after all that there are.

    Nothing is run on the target: the migrations are tried on the shadow, after those before them, and written only
    when every violation is gone there.

    Args:
        violations: what is to be mended.
        migrations: those that there are, and where.
        linter: finds the violations.
        before: the migrations that come first.
        shadow: the catalog of the shadow after some migrations.
        weights: the catalog whose sizes the risk is judged by.
        profile: how the migrations will be run.
        review: also take fixes that are to be reviewed.

    Raises:
        ConfitureError: a fix does not do what it should on the shadow, or the files cannot be written; then none is.
    """
    versions = [*(one.version for one in migrations.migrations), *(one.version for one in migrations.opaque)]
    plan = plan_fixes(violations, after=versions, review=review, now=datetime.now(UTC))
    offered = sum(one.fix is not None and one.fix.safety == "review" for one in violations)
    not_offered = 0 if review else offered
    if not plan.migrations or migrations.directory is None:
        return FixesWritten(left=len(plan.left), not_offered=not_offered)
    proof = _proved(plan, linter, before, shadow)
    there = with_figures_of(shadow(before).catalog, weights)
    assessed = RiskAssessmentEngine(there, runner=profile).assess_all(_migrations(plan))
    return FixesWritten(
        paths=_written(migrations.directory, plan.migrations),
        fixed=tuple(one.key for one in plan.fixed),
        left=len(plan.left),
        not_offered=not_offered,
        proof=proof,
        risks=tuple(FixRisk(version=one.version, score=one.score, level=str(one.level)) for one in assessed),
    )


def _proved(
    plan: FixPlan,
    linter: SchemaLinter,
    before: Sequence[Migration],
    shadow: Callable[[Sequence[Migration]], ShadowCatalog],
) -> tuple[str, ...]:
    ups = _migrations(plan)
    downs = [
        Migration.from_sql(one.down, version=one.version, name=f"{one.name}_down") for one in reversed(plan.migrations)
    ]
    old, new = shadow(before), shadow([*before, *ups])
    refused = [note for note in new.notes if note not in old.notes]
    if refused:
        raise ConfitureError(
            f"The fixes cannot be applied, so nothing was written: {refused[0]}",
            hint="Choose fewer of them with --rule, and please report this.",
        )
    old_report, new_report = linter.run(old.catalog, live=False), linter.run(new.catalog, live=False)
    compared = compare_reports(old_report, new_report)
    there = {one.key for one in new_report.violations}
    remain = [one for one in plan.fixed if one.key in there]
    if remain:
        raise ConfitureError(
            f"The fix of {remain[0].rule} on {remain[0].object} does not mend it on the shadow; nothing was written.",
            hint="Leave that rule out with --rule, and please report this.",
        )
    count = len(plan.fixed)
    said = [f"On the shadow {'the finding is' if count == 1 else f'all {count} findings are'} gone."]
    if compared.added:
        listed = ", ".join(f"{one.rule} on {one.object}" for one in compared.added[:3])
        said.append(f"Then there is more to do: {listed}.")
    back = shadow([*before, *ups, *downs])
    differences = old.catalog.diff(back.catalog).changes
    if any(note not in new.notes for note in back.notes):
        said.append("The way back fails on the shadow.")
    elif any(not one.order_only for one in differences):
        listed = ", ".join(sorted({one.name for one in differences if not one.order_only})[:3])
        said.append(f"The way back does not restore: {listed}.")
    else:
        said.append("The way back restores the schema.")
    return tuple(said)


def _migrations(plan: FixPlan) -> list[Migration]:
    return [
        Migration.from_sql(one.up, version=one.version, name=one.name).model_copy(
            update={"down": Script.from_text(one.down)}
        )
        for one in plan.migrations
    ]


def _written(directory: Path, migrations: Sequence[FixMigration]) -> tuple[Path, ...]:
    """Writes all files or none; one that is there already is never overwritten."""
    paths: list[Path] = []
    try:
        for one in migrations:
            for suffix, text in ((".up.sql", one.up), (".down.sql", one.down)):
                path = directory / f"{one.version}_{one.name}{suffix}"
                with path.open("x", encoding="utf-8", newline="\n") as file:
                    paths.append(path)
                    file.write(text)
    except OSError as error:
        for path in paths:
            path.unlink(missing_ok=True)
        raise ConfitureError(
            f"The migration cannot be written to {directory}: {error.strerror or error}.",
            hint="Check that the directory can be written to.",
        ) from error
    return tuple(paths)
