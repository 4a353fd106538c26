"""Assessing migrations: with the target's catalog and data where there is one, from the text alone where not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from confiture_tui.core.baselines import BaselineEntry, BaselineUpdate, read_baseline, renewed, write_baseline
from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.migrations.findings import script_findings, too_large
from confiture_tui.core.migrations.model import Finding
from confiture_tui.core.migrations.status import MigrationState
from confiture_tui.core.risk.baseline import entries_of, gone, with_baseline, with_keys
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.risk.model import RiskAssessment
from confiture_tui.core.risk.probes import BUDGET_SECONDS
from confiture_tui.errors import UsageError
from confiture_tui.yaml_file import did_you_mean

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.effects.begun import Begun
    from confiture_tui.core.effects.observing import Observation
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.risk.rates import Rates
    from confiture_tui.service.assess_request import AssessRequest
    from confiture_tui.service.places import TargetInfo


class Assessed(FrozenModel):
    """An assessment, and what is to be said of the file."""

    assessment: RiskAssessment
    findings: tuple[Finding, ...] = ()
    runner: str


class BaselineUse(FrozenModel):
    """What a baseline made of some assessments.

    Attributes:
        path: of its file.
        assessed: without what it lets pass.
        gone: its entries about these migrations that are found no more.
        updated: what writing it changed; ``None`` when it was only read.
    """

    path: Path
    assessed: tuple[Assessed, ...]
    gone: tuple[BaselineEntry, ...] = ()
    updated: BaselineUpdate | None = None


def by_baseline(
    assessed: Sequence[Assessed], path: Path, *, update: bool, complete: bool, target: TargetInfo | None
) -> BaselineUse:
    """Let pass what a baseline has, or write it anew first.

    Args:
        path: of its file.
        update: write it anew, with every risk that counts.
        complete: these are all migrations that matter; otherwise what it says of others stays.
        target: where they were assessed.

    Raises:
        UsageError: it cannot be read or written, or is no baseline of risks.
    """
    listed = [one.assessment for one in assessed]
    old = None if update and not path.exists() else read_baseline(path, "assess")
    change = None
    if update:
        before = old.violations if old is not None else ()
        judged = {one.label for one in listed}
        old, change = renewed(
            before,
            entries_of(listed),
            command="assess",
            database=target.database if target is not None else "",
            server_version=target.server_version_num if target is not None else None,
            stays=[entry for entry in before if not complete and entry.object not in judged],
        )
        write_baseline(path, old)
    assert old is not None  # read above, or just made
    left = tuple(one.model_copy(update={"assessment": with_baseline(one.assessment, old)}) for one in assessed)
    return BaselineUse(path=path, assessed=left, gone=gone(listed, old), updated=change)


class Evidence(NamedTuple):
    """What the assessments of one request rest on.

    Attributes:
        request: what is asked for.
        connection: to the target, for questions; ``None`` without one.
        catalog: of the target.
        rates: how fast it works.
    """

    request: AssessRequest
    connection: psycopg.Connection[Any] | None
    catalog: Catalog | None
    rates: Rates

    def engine_for(
        self,
        profile: RunnerProfile,
        results: Mapping[str, DryRunResult] | None = None,
        begun: Mapping[str, Begun] | None = None,
    ) -> RiskAssessmentEngine:
        """The engine that judges in the name of a runner, by what dry runs have seen, where there were any.

        ``begun``: how far runs came that stopped half-way, by version.
        """
        return RiskAssessmentEngine(
            self.catalog,
            connection=self.connection,
            runner=profile,
            allow=self.request.allow,
            rates=self.rates,
            probe_seconds=BUDGET_SECONDS if self.request.asks_data else 0.0,
            observed=_observations(results or {}),
            begun=begun,
        )


def _observations(results: Mapping[str, DryRunResult]) -> dict[str, Observation]:
    if not results:
        return {}
    from confiture_tui.core.dry_run.replacing import observation_of  # what has made a dry run has loaded it already

    return {version: observation_of(result) for version, result in results.items()}


def evidence_of(request: AssessRequest, connection: psycopg.Connection[Any] | None, rates: Rates) -> Evidence:
    """The evidence for one request; it reads the catalog through the connection, if there is one."""
    catalog = Catalog.load(connection) if connection is not None else None
    return Evidence(request, connection, catalog, rates)


def assess_pending(
    engine: RiskAssessmentEngine,
    statuses: Sequence[MigrationStatus],
    request: AssessRequest,
    profile: RunnerProfile,
    on_each: Callable[[Assessed], None] | None = None,
) -> tuple[Assessed, ...]:
    """The pending migrations, each on what the ones before it leave; those that were asked for.

    Args:
        on_each: is given each of them as soon as it is made.

    Raises:
        UsageError: there is no such migration, it is applied already, or it is a program.
    """
    known = {status.version: status for status in statuses}
    for version in request.versions:
        if version not in known:
            raise UsageError(f"There is no migration {version}.", hint=did_you_mean(version, known, "Migrations"))
        status = known[version]
        if status.state in (MigrationState.APPLIED, MigrationState.CHANGED, MigrationState.MISSING):
            raise UsageError(f"{version}_{status.name} is applied already: there is nothing to assess.")
        if status.migration is None:
            raise UsageError(f"{version}_{status.name} is a program, not SQL: it cannot be read without running it.")
    pending = [
        status.migration
        for status in statuses
        if status.migration is not None and status.state in (MigrationState.PENDING, MigrationState.INTERRUPTED)
    ]
    if request.versions:
        last = max(number for number, one in enumerate(pending) if one.version in request.versions)
        pending = pending[: last + 1]
    readable = [one for one in pending if too_large(one) is None]
    wanted = frozenset(request.versions) or frozenset(one.version for one in pending)
    made: list[Assessed] = []
    assess = engine.assess_all if on_each is None else engine.assess_in_turn
    for migration, one in zip(readable, assess(readable), strict=True):
        if migration.version in wanted:
            made.append(_assessed(one, migration, profile))
            if on_each is not None:
                on_each(made[-1])
    return tuple(made)


def assess_loose(
    engine: RiskAssessmentEngine, migrations: Sequence[Migration], profile: RunnerProfile
) -> tuple[Assessed, ...]:
    """Files, each by itself: nothing is known of their order.

    Raises:
        UsageError: a file cannot be read, or is too large to be taken apart.
    """
    for migration in migrations:
        oversize = too_large(migration)
        for finding in (*migration.findings, *((oversize,) if oversize is not None else ())):
            if finding.code == "unreadable-file" or finding is oversize:
                raise UsageError(finding.message)
    return tuple(
        _assessed(assessment, one, profile)
        for one, assessment in zip(migrations, engine.assess_each(migrations), strict=True)
    )


def relative_to(assessed: Assessed, base: Path) -> Assessed:
    """The same with its path as seen from a directory, where it lies below it."""
    return assessed.model_copy(update={"assessment": shorter_path(assessed.assessment, base)})


def shorter_path(assessment: RiskAssessment, base: Path) -> RiskAssessment:
    """The assessment with its path as seen from a directory, where it lies below it."""
    path = assessment.path
    if path is None or not Path(path).is_absolute() or not Path(path).is_relative_to(base):
        return assessment
    return assessment.model_copy(update={"path": Path(path).relative_to(base).as_posix()})


def _assessed(assessment: RiskAssessment, migration: Migration, profile: RunnerProfile) -> Assessed:
    findings = (*migration.findings, *script_findings(migration, profile.wrapping_of(migration.up)))
    return Assessed(assessment=with_keys(assessment), findings=findings, runner=profile.name)
