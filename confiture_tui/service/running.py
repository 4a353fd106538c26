"""Running migrations on the target: the plan that is shown, and the run that follows a yes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.effects.simulation import simulate_all
from confiture_tui.core.hooks.declaration import make_hooks
from confiture_tui.core.hooks.registry import HookInfo, HookRegistry
from confiture_tui.core.migrations.status import MigrationState
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.runner.job import PROFILE
from confiture_tui.core.runner.journal import ExpectedTime
from confiture_tui.core.runner.plan import Plan, make_plan
from confiture_tui.core.runner.preflight import PreflightFinding, preflight
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.core.runner.selection import to_apply, to_take_back
from confiture_tui.core.runner.settings import read_hook_policy, read_run_policy
from confiture_tui.errors import ConfitureError, UsageError
from confiture_tui.service.calibrating import base_rates
from confiture_tui.service.command_lines import with_options
from confiture_tui.service.foreign import refuse_foreign

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from confiture_tui.core.hooks.hook import Hook
    from confiture_tui.core.migrations.layouts import Layout
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.runner.policy import RunPolicy
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.events import Sink


class RunRequest(FrozenModel):
    """What is to be run.

    Attributes:
        direction: forward applies, backward takes back.
        to: forward: the last version to apply, all pending ones without it; backward: the version to go back to.
        skip: forward: versions that are left out this time; they stay pending.
        steps: forward: how many to apply, all without it; backward: how many to take back, one without it.
        allowed: objections that a person allows: ``changed``, ``missing``, ``out-of-order``.
        confirmation: the database's name as the operator typed it; on production nothing runs without it.
    """

    direction: Literal["forward", "backward"] = "forward"
    to: str | None = None
    skip: frozenset[str] = frozenset()
    steps: int | None = None
    allowed: frozenset[str] = frozenset()
    confirmation: str | None = None


class PreparedRun(FrozenModel):
    """A plan, and what a look at the target found just now."""

    plan: Plan
    preflight: tuple[PreflightFinding, ...]


class PlanChanged(ConfitureError):
    """Something that the plan rests on has changed since it was shown (exit code 2); ``prepared`` is the new one."""

    exit_code = 2

    def __init__(self, prepared: PreparedRun) -> None:
        super().__init__(
            "Something has changed since the plan was shown: a file, the schema, the server or the settings.",
            hint="Nothing was run. Look at the new plan.",
        )
        self.prepared = prepared


@dataclass(frozen=True, slots=True)
class RunSources:
    """What a run needs of the project.

    Attributes:
        connected: a connection to the target, read-only, for looking.
        writable: a connection to the target that leads the runner there.
        statuses: of all migrations, as they are now.
        config_file: ``confiture.yaml``.
        host: as the connection names it.
        database: the target's name.
        read_only: nothing may change the target.
        is_production: the environment is production.
        is_ours: the target is on a server that this program started, as the demo's is.
        sink: where events go.
        layout: whose migrations they are.
        directory: where they are.
        options: of a command line that reaches this project and this target.
    """

    connected: Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
    writable: Callable[[], AbstractContextManager[psycopg.Connection[Any]]]
    statuses: Callable[[], tuple[MigrationStatus, ...]]
    config_file: Path | None
    host: str
    database: str
    read_only: bool
    is_production: bool
    is_ours: bool
    sink: Sink
    layout: Layout
    directory: Path
    options: list[str]


def prepare(sources: RunSources, request: RunRequest) -> PreparedRun:
    """The plan, and a look at the target. Changes nothing, and imports the code of the hooks that it names.

    Raises:
        UsageError: what is asked for cannot be run as it is.
        ConnectError: the target cannot be reached.
    """
    refuse_foreign(sources.layout, sources.directory, request.direction)
    return _prepare(sources, request).shown


def run(sources: RunSources, request: RunRequest, digest: str, scope: CancelScope) -> RunResult:
    """Run the plan that was shown, if it is still the same.

    Args:
        digest: of the plan that was said yes to.

    Raises:
        PlanChanged: it is another plan now.
        UsageError: the session is read-only, the name was not typed on production, or an objection stands.
        LockHeld, ConnectError, ConfitureError: see ``MigrationRunner.apply``.
    """
    refuse_unless_allowed(sources, request.confirmation, request.direction)
    ready = _prepare(sources, request)
    if ready.shown.plan.digest != digest:
        raise PlanChanged(ready.shown)
    refuse_objections(ready.shown)
    expected = _expected(sources, ready)
    with sources.writable() as conn:
        runner = runner_of(sources, conn, ready.shown.plan.policy, scope)
        if request.direction == "backward":
            result = runner.rollback(ready.migrations, hooks=ready.hooks)
        else:
            result = runner.apply(ready.migrations, hooks=ready.hooks, expected=expected)
    return with_options(result, sources.options)


class _Ready(NamedTuple):
    """What is shown before a run, and what it was made from."""

    shown: PreparedRun
    migrations: tuple[Migration, ...]
    hooks: dict[str, tuple[Hook, ...]]
    catalog: Catalog


def _expected(sources: RunSources, ready: _Ready) -> dict[str, ExpectedTime]:
    """How long the statements of each migration should take, by the rates that no earlier run has corrected.

    Nothing is said of a migration with code that cannot be read.
    """
    rates = base_rates(ready.catalog.server_version_num, ours=sources.is_ours)
    engine = RiskAssessmentEngine(ready.catalog, runner=PROFILE, rates=rates, rules=())
    return {
        one.version: ExpectedTime(one.estimate.expected_ms, rates.source)
        for one in engine.assess_all(ready.migrations)
        if not any(statement.opaque or statement.basis is None for statement in one.statements)
    }


def refuse_objections(prepared: PreparedRun) -> None:
    """Refuse a plan that something speaks against.

    Raises:
        UsageError: something does; it says what.
    """
    sentences = [one.sentence for one in prepared.plan.objections]
    sentences += [one.sentence for one in prepared.preflight if one.level == "refuse"]
    if sentences:
        raise UsageError(" ".join(sentences), hint="Nothing was run.")


def refuse_unless_allowed(
    sources: RunSources, confirmation: str | None, direction: Literal["forward", "backward"] = "forward"
) -> None:
    """Refuse to change a target that must not be changed, or not without its name, or not by this program.

    Raises:
        UsageError: the session is read-only, the environment is production and the name is not the database's, or the
            migrations are another tool's.
    """
    refuse_foreign(sources.layout, sources.directory, direction)
    if sources.read_only:
        raise UsageError("This session is read-only: nothing may change the target.", hint="Leave out --read-only.")
    if sources.is_production and confirmation != sources.database:
        given = "was not given" if confirmation is None else "is another"
        raise UsageError(
            f"This is production: the name of the database must be typed, and it {given}.",
            hint=f"Type {sources.database}, or give --confirm {sources.database}.",
        )


def runner_of(
    sources: RunSources, conn: psycopg.Connection[Any], policy: RunPolicy, scope: CancelScope
) -> MigrationRunner:
    """The runner for this target, with this project's settings."""
    return MigrationRunner(conn, policy=policy, sink=sources.sink, scope=scope, settings_file=sources.config_file)


def registry_of(config_file: Path | None) -> HookRegistry:
    """The hooks that this project may use.

    Raises:
        UsageError: its settings have a mistake.
    """
    return HookRegistry(read_hook_policy(config_file))


def list_hooks(config_file: Path | None) -> tuple[HookInfo, ...]:
    """All hooks that there are; loads those that are not denied."""
    return registry_of(config_file).list()


def with_interrupted(statuses: Sequence[MigrationStatus], left: Sequence[LeftOver]) -> tuple[MigrationStatus, ...]:
    """The statuses, with those that a run left half-way marked as interrupted."""
    versions = {one.entry.version for one in left}
    interrupted = {"state": MigrationState.INTERRUPTED}
    return tuple(one.model_copy(update=interrupted) if one.version in versions else one for one in statuses)


def _prepare(sources: RunSources, request: RunRequest) -> _Ready:
    statuses = sources.statuses()
    policy: RunPolicy = read_run_policy(sources.config_file)
    if request.direction == "forward":
        migrations = to_apply(statuses, to=request.to, skip=request.skip, steps=request.steps)
    else:
        migrations = to_take_back(statuses, steps=request.steps, to=request.to)
    registry = registry_of(sources.config_file)
    hooks = {one.version: make_hooks(one, registry, direction=request.direction) for one in migrations}
    with sources.connected() as conn:
        catalog = Catalog.load(conn)
        plan = make_plan(
            migrations,
            direction=request.direction,
            statuses=statuses,
            catalog=catalog,
            host=sources.host,
            hooks=hooks,
            policy=policy,
            allowed=request.allowed,
        )
        found = preflight(conn, _locked(migrations, catalog) if request.direction == "forward" else ())
    return _Ready(PreparedRun(plan=plan, preflight=found), tuple(migrations), hooks, catalog)


def _locked(migrations: Sequence[Migration], catalog: Catalog) -> tuple[str, ...]:
    """The relations that these migrations lock, as far as can be told beforehand."""
    simulations = simulate_all(migrations, catalog=catalog, profile=PROFILE)
    names = (lock.relation for one in simulations for forecast in one.forecasts for lock in forecast.locks)
    return tuple(dict.fromkeys(names))
