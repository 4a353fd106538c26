"""What will be run, and everything that it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.hooks.declaration import read_declaration
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.runner.job import MigrationJob
from confiture_tui.core.runner.losses import losses
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.core.runner.selection import Objection, objections

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.hooks.hook import Hook
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.status import MigrationStatus


class PlannedHook(FrozenModel):
    """A hook of a planned migration; ``transactional``: inside its transaction."""

    hook: str
    phase: HookPhase
    transactional: bool


class PlannedMigration(FrozenModel):
    """A migration of a plan.

    Attributes:
        version, name: of the migration.
        checksum: SHA-256 of the file that will be run, in hexadecimal.
        statements: how many there are.
        transactional: all of them in one transaction.
        hooks: in the order in which they run.
        notes: what is special about it, one sentence each.
    """

    version: str
    name: str
    checksum: str
    statements: int
    transactional: bool
    hooks: tuple[PlannedHook, ...] = ()
    notes: tuple[str, ...] = ()


class PlanTarget(FrozenModel):
    """Where it will be run, and as whom."""

    host: str
    database: str
    role: str
    server_version: str


class Plan(FrozenModel):
    """What will be run.

    Attributes:
        direction: forward applies, backward takes back.
        target: where.
        migrations: in the order in which they will be run.
        objections: what speaks against it and was not allowed; with any of them the plan is not run.
        policy: the limits.
        catalog: fingerprint of the schema that it was made for.
        digest: SHA-256 of all of the above and of the hooks' options, in hexadecimal: a plan with another digest is
            another plan, and must be shown again.
    """

    direction: Literal["forward", "backward"]
    target: PlanTarget
    migrations: tuple[PlannedMigration, ...]
    objections: tuple[Objection, ...] = ()
    policy: RunPolicy
    catalog: str
    digest: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to run."""
        return not self.migrations


def make_plan(
    migrations: Sequence[Migration],
    *,
    direction: Literal["forward", "backward"],
    statuses: Sequence[MigrationStatus],
    catalog: Catalog,
    host: str,
    hooks: Mapping[str, Sequence[Hook]],
    policy: RunPolicy,
    allowed: frozenset[str] = frozenset(),
) -> Plan:
    """The plan of a run. Nothing is run, and nothing but the files is read.

    Args:
        migrations: in the order in which they will be run.
        statuses: of all migrations.
        catalog: of the target.
        host: as the connection names it.
        hooks: by the migration's version.
        allowed: the codes of objections that a person has allowed.

    Raises:
        UsageError: a file cannot be run as it is written, or has no way back.
    """
    against = objections(statuses, migrations if direction == "forward" else ())
    jobs = [MigrationJob(one, direction, tuple(hooks.get(one.version, ()))) for one in migrations]
    for job in jobs:
        job.check()
    lost = losses(migrations, catalog) if direction == "backward" else ((),) * len(jobs)
    plan = Plan(
        direction=direction,
        target=PlanTarget(
            host=host,
            database=catalog.database,
            role=catalog.session.role,
            server_version=catalog.server_version,
        ),
        migrations=tuple(_planned(job, its_losses) for job, its_losses in zip(jobs, lost, strict=True)),
        objections=tuple(one for one in against if one.code not in allowed) if direction == "forward" else (),
        policy=policy,
        catalog=catalog.fingerprint,
    )
    return plan.model_copy(update={"digest": _digest(plan, migrations)})


def _planned(job: MigrationJob, its_losses: tuple[str, ...]) -> PlannedMigration:
    notes = [*its_losses]
    if not job.transactional:
        notes.append("Its statements run one by one: a failure in the middle leaves those before it.")
    if job.phases_after_commit and job.has_hooks(*job.phases_after_commit):
        phases = ", ".join(phase for phase in job.phases_after_commit if job.has_hooks(phase))
        notes.append(f"It is committed before the hooks of {phases}, which make transactions of their own.")
    if job.direction == "forward" and job.migration.down is None:
        notes.append("It has no way back.")
    notes += [finding.message for finding in job.migration.findings if finding.level == "warning"]
    return PlannedMigration(
        version=job.migration.version,
        name=job.migration.name,
        checksum=hashlib.sha256(job.script.text.encode()).hexdigest(),
        statements=len(job.script.statements),
        transactional=job.transactional,
        hooks=tuple(
            PlannedHook(hook=hook.hook_name(), phase=hook.runs_in, transactional=hook.transactional)
            for phase in HookPhase
            for hook in job.hooks
            if hook.runs_in is phase
        ),
        notes=tuple(notes),
    )


def _digest(plan: Plan, migrations: Sequence[Migration]) -> str:
    said = hashlib.sha256(plan.model_dump_json(exclude={"digest"}).encode())
    for migration in migrations:
        said.update(f"{migration.version} {migration.checksum}".encode())
        for hook in read_declaration(migration):
            said.update(repr((hook.name, hook.phase, hook.direction, sorted(map(str, hook.options.items())))).encode())
    return said.hexdigest()
