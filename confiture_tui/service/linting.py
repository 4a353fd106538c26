"""Linting a project: its database, or the schema that its files make, and what pending migrations change in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from confiture_tui.core.baselines import Baseline, BaselineUpdate, read_baseline, write_baseline
from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.lint.baseline import updated, with_baseline
from confiture_tui.core.lint.comparison import LintComparison, compare_reports, with_figures_of
from confiture_tui.core.lint.config_file import lint_config_of
from confiture_tui.core.lint.linter import SchemaLinter
from confiture_tui.core.lint.model import LintReport, Severity, Violation, worst_first
from confiture_tui.core.lint.origins import Origin, origin_of, origins_of
from confiture_tui.core.migrations.status import MigrationState
from confiture_tui.errors import UsageError
from confiture_tui.service.lint_fixes import FixesWritten, write_fixes
from confiture_tui.yaml_file import YamlFile

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.lint.config import LintConfig
    from confiture_tui.core.migrations.layouts import MigrationSet
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.core.migrations.status import MigrationStatus


class LintRequest(FrozenModel):
    """What is asked of a run.

    Attributes:
        rules: run only these, by id or category; none given: those that are on.
        schemas: globs of the schemas to judge; none given: all.
        pending: also say what the pending migrations would add and fix.
        since: without a database: the migrations from this version on are the change to be told of.
        baseline: the baseline's file; that of the settings unless given.
        update_baseline: write it anew.
        fix: write migrations that mend what can safely be mended.
        review_fixes: also those that are to be reviewed.
    """

    rules: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    pending: bool = True
    since: str | None = None
    baseline: Path | None = None
    update_baseline: bool = False
    fix: bool = False
    review_fixes: bool = False


class Place(FrozenModel):
    """Where something stands: a file, and a 1-based line in it."""

    path: Path
    line: int


class LintResult(FrozenModel):
    """What a run found.

    Attributes:
        basis: ``database``, or ``files`` when the schema was built from the migrations.
        report: what is wrong now. Without a database: after all migrations.
        comparison: what the pending migrations, or those since a version, add and fix; ``None`` when not asked for.
        changes: the migrations that ``comparison`` is about, as they are shown.
        places: where the objects of violations come from, by the violation's key, as far as files tell.
        titles: what each rule that found something is about, by its id; ``whys``: why that matters.
        fail_on: from which severity on a run fails, where the settings say so.
        baseline: the baseline's file, when one was used or written; ``updated`` what writing it changed.
        fixes: what was written to mend violations.
        notes: what is to be said besides.
    """

    basis: Literal["database", "files"]
    report: LintReport
    comparison: LintComparison | None = None
    changes: tuple[str, ...] = ()
    places: dict[str, Place] = Field(default_factory=dict)
    titles: dict[str, str] = Field(default_factory=dict)
    whys: dict[str, str] = Field(default_factory=dict)
    fail_on: Severity | None = None
    baseline: Path | None = None
    updated: BaselineUpdate | None = None
    fixes: FixesWritten | None = None
    notes: tuple[str, ...] = ()

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What is wrong now and what the changes would add to it, the worst first."""
        added = self.comparison.added if self.comparison is not None else ()
        known = {one.key for one in self.report.violations}
        new = (one for one in added if one.key not in known)
        return tuple(sorted((*self.report.violations, *new), key=worst_first))

    @property
    def added(self) -> frozenset[str]:
        """Keys of the violations that the changes add."""
        return frozenset(one.key for one in self.comparison.added) if self.comparison else frozenset()

    @property
    def fixed(self) -> frozenset[str]:
        """Keys of the violations that the changes fix."""
        return frozenset(one.key for one in self.comparison.fixed) if self.comparison else frozenset()


class ShadowCatalog(NamedTuple):
    """The catalog of a shadow after some migrations, and what is to be said of it."""

    catalog: Catalog
    notes: tuple[str, ...]


class Sources(NamedTuple):
    """What a run works on.

    Attributes:
        live: reads the database's catalog; ``None`` without a database.
        shadow: the catalog of the database, or of nothing, after these migrations.
        migrations: the files; ``statuses``: where each of them stands.
        directory: the project's.
        config_file: ``confiture.yaml``, where there is one.
        production: this is production.
        profile: how the migrations will be run.
    """

    live: Callable[[], Catalog] | None
    shadow: Callable[[Sequence[Migration]], ShadowCatalog]
    migrations: MigrationSet
    statuses: Sequence[MigrationStatus]
    directory: Path
    config_file: Path | None
    production: bool
    profile: RunnerProfile


def lint_project(request: LintRequest, sources: Sources) -> LintResult:
    """Run the linter as asked.

    Raises:
        UsageError: the settings, the request or the baseline cannot be used.
        ConfitureError: the database cannot be read, or the shadow not be made.
    """
    config = _config(request, sources)
    linter = SchemaLinter(config)
    baseline_file = _baseline_file(request, config, sources)
    baseline = _baseline(request, baseline_file)
    look = _of_files if sources.live is None else _of_database
    seen = look(request, sources, linter)
    report, change = seen.report, None
    if request.update_baseline and baseline_file is not None:
        now = seen.catalog
        baseline, change = updated(
            baseline, report, config, database=now.database, server_version=now.server_version_num
        )
        write_baseline(baseline_file, baseline)
    elif baseline is not None and (other := _made_on(baseline, seen.catalog, live=sources.live is not None)):
        seen = seen._replace(notes=(*seen.notes, f"{baseline_file} was made on another {other}."))
    if baseline is not None:
        report = with_baseline(report, baseline, config)
    comparison = _without(seen.comparison, baseline, report)
    result = LintResult(
        basis="database" if sources.live is not None else "files",
        report=report,
        comparison=comparison,
        changes=seen.changes,
        fail_on=config.fail_on,
        baseline=baseline_file if baseline is not None else None,
        updated=change,
        notes=seen.notes,
    )
    shown = result.violations
    origins = origins_of(sources.migrations.migrations if shown else ())
    rules = {one.rule: linter.known[one.rule] for one in (*shown, *(comparison.fixed if comparison else ()))}
    result = result.model_copy(
        update={
            "places": _places(shown, origins),
            "titles": {name: rule.title for name, rule in rules.items()},
            "whys": {name: rule.why for name, rule in rules.items()},
        }
    )
    if request.fix:
        to_mend = tuple(one for one in shown if one.key not in result.fixed)
        fixes = write_fixes(
            to_mend,
            sources.migrations,
            linter,
            seen.later,
            sources.shadow,
            weights=seen.catalog,
            profile=sources.profile,
            review=request.review_fixes,
        )
        result = result.model_copy(update={"fixes": fixes})
    return result


class _Seen(NamedTuple):
    catalog: Catalog
    report: LintReport
    comparison: LintComparison | None
    changes: tuple[str, ...]
    notes: tuple[str, ...]
    later: tuple[Migration, ...]
    """The migrations that come before one that is written now."""


def _of_database(request: LintRequest, sources: Sources, linter: SchemaLinter) -> _Seen:
    assert sources.live is not None
    if request.since is not None:
        raise UsageError(
            "--since is for a project without a database.", hint="With one, the pending migrations are the change."
        )
    live = sources.live()
    report = linter.run(live)
    later, notes = _usable(sources.statuses)
    if not request.pending:
        return _Seen(live, report, None, (), (), later)
    if not later:
        return _Seen(live, report, LintComparison(unchanged=report.violations), (), notes, later)
    # The shadow has neither the target's owners nor its figures: it is compared with itself.
    before, after = sources.shadow(()), sources.shadow(later)
    compared = compare_reports(
        linter.run(with_figures_of(before.catalog, live)), linter.run(with_figures_of(after.catalog, live))
    )
    now = {one.key for one in report.violations}
    comparison = LintComparison(
        added=tuple(one for one in compared.added if one.key not in now),
        fixed=tuple(one for one in report.violations if one.key in {each.key for each in compared.fixed}),
        unchanged=tuple(one for one in report.violations if one.key not in {each.key for each in compared.fixed}),
    )
    changes = tuple(migration.label for migration in later)
    return _Seen(live, report, comparison, changes, (*notes, *_about(after.notes)), later)


def _of_files(request: LintRequest, sources: Sources, linter: SchemaLinter) -> _Seen:
    history, notes = _usable(sources.statuses)
    whole = sources.shadow(history)
    report = linter.run(whole.catalog, live=False)
    notes = ("There is no database: the schema is what the migrations build.", *notes, *_about(whole.notes))
    if request.since is None:
        return _Seen(whole.catalog, report, None, (), notes, history)
    versions = [migration.version for migration in history]
    if request.since not in versions:
        known = ", ".join(versions[-8:])
        raise UsageError(
            f"There is no migration {request.since} to begin with.",
            hint=f"The newest ones are: {known}." if known else "There are no migrations at all.",
        )
    place = versions.index(request.since)
    before = linter.run(sources.shadow(history[:place]).catalog, live=False)
    changes = tuple(migration.label for migration in history[place:])
    return _Seen(whole.catalog, report, compare_reports(before, report), changes, notes, history)


def _about(notes: Sequence[str]) -> tuple[str, ...]:
    """What a shadow's notes say of its schema: rows are of no concern here."""
    return tuple(note for note in notes if "has no rows" not in note and not note.startswith("There is no database"))


def _usable(statuses: Sequence[MigrationStatus]) -> tuple[tuple[Migration, ...], tuple[str, ...]]:
    """The pending migrations that can be applied to a shadow, and a note on each that cannot."""
    found: list[Migration] = []
    notes: list[str] = []
    for status in statuses:
        if status.state is not MigrationState.PENDING:
            continue
        label = status.label
        if status.migration is None:
            notes.append(f"{label} is a program: what it does to the schema is not known.")
        elif status.migration.has_errors:
            notes.append(f"{label} was left out: its file has errors.")
        else:
            found.append(status.migration)
    return tuple(found), tuple(notes)


def _config(request: LintRequest, sources: Sources) -> LintConfig:
    file = YamlFile.read(sources.config_file) if sources.config_file is not None else None
    config = lint_config_of(file)
    return config.model_copy(
        update={
            "select": request.rules,
            "schemas": request.schemas,
            "production": config.production or sources.production,
        }
    )


def _baseline_file(request: LintRequest, config: LintConfig, sources: Sources) -> Path | None:
    if request.baseline is not None:
        return request.baseline
    if config.baseline is not None:
        return sources.directory / config.baseline
    if request.update_baseline:
        raise UsageError(
            "There is no baseline to update.", hint="Name its file: --baseline FILE, or `baseline:` under `linting:`."
        )
    return None


def _baseline(request: LintRequest, path: Path | None) -> Baseline | None:
    if path is None or (request.update_baseline and not path.exists()):
        return None
    return read_baseline(path, "lint")


def _made_on(baseline: Baseline, catalog: Catalog, *, live: bool) -> str:
    """What the baseline was made on that is another one here, in words; empty for the same.

    A schema that the files make is in a database whose name is of no account.
    """
    major = None if baseline.server_version is None else baseline.server_version // 10000
    if major not in (None, catalog.server_version_num // 10000):
        return f"major version of PostgreSQL ({major})"
    if live and baseline.database not in ("", catalog.database):
        return f"database ({baseline.database})"
    return ""


def _without(comparison: LintComparison | None, baseline: Baseline | None, report: LintReport) -> LintComparison | None:
    """The comparison without what the baseline lets pass."""
    if comparison is None or baseline is None:
        return comparison
    known = {entry.key for entry in baseline.violations}

    def left(some: tuple[Violation, ...]) -> tuple[Violation, ...]:
        return tuple(one for one in some if one.key not in known)

    return LintComparison(
        added=left(comparison.added), fixed=left(comparison.fixed), unchanged=left(comparison.unchanged)
    )


def _places(violations: Sequence[Violation], origins: Mapping[str, Origin]) -> dict[str, Place]:
    places = {}
    for one in violations:
        origin = origin_of(one, origins)
        if origin is not None:
            places[one.key] = Place(path=origin.path, line=origin.line)
    return places
