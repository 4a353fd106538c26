"""What can be said of migrations and files without trying them: previews and assessments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.migrations.profiles import PROFILES
from confiture_tui.core.migrations.status import MigrationState
from confiture_tui.errors import UsageError
from confiture_tui.service.assessing import Assessed, assess_loose, assess_pending, evidence_of
from confiture_tui.service.previews import preview_of, simulated
from confiture_tui.yaml_file import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.effects.begun import Begun
    from confiture_tui.core.migrations.layouts.marked import SqlText
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.service.assess_request import AssessRequest
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.service.workspace import Workspace


def previews(workspace: Workspace, versions: Sequence[str], scope: CancelScope) -> tuple[MigrationPreview, ...]:
    """What migrations contain and do, each on what the pending ones before it leave; all pending ones by default.

    What an applied one does is not asked: the schema has it already.

    Raises:
        UsageError: there is no such migration.
        ConfitureError: the catalog cannot be read.
    """
    statuses = workspace.status(scope)
    known = {one.version: one.migration for one in statuses if one.migration is not None}
    for version in versions:
        if version not in known:
            raise UsageError(f"There is no migration {version}.", hint=did_you_mean(version, known, "Migrations"))
    pending = [one.migration for one in statuses if one.migration and one.state is MigrationState.PENDING]
    chosen = [known[version] for version in versions] if versions else pending
    catalog = None
    if workspace.has_target:
        with workspace.reaching.connected(scope) as conn:
            catalog = Catalog.load(conn)
    last = max((number for number, one in enumerate(pending) if one in chosen), default=-1)
    needed = pending[: last + 1]
    found = dict(zip((one.version for one in needed), simulated(needed, workspace.profile, catalog), strict=True))
    return tuple(preview_of(one, workspace.profile, found.get(one.version)) for one in chosen)


def preview_files(workspace: Workspace, files: Sequence[Path | SqlText]) -> tuple[MigrationPreview, ...]:
    """What files contain and do: a tool's migration as that tool wraps it, any other as nobody does.

    Raises:
        UsageError: a path does not exist.
    """
    return tuple(
        preview_of(one, PROFILES[profile], next(simulated([one], PROFILES[profile], None)))
        for one, profile in workspace.given_files().migrations(files)
    )


def assess(
    workspace: Workspace,
    request: AssessRequest,
    scope: CancelScope,
    on_each: Callable[[Assessed], None] | None = None,
    results: Mapping[str, DryRunResult] | None = None,
) -> tuple[Assessed, ...]:
    """Assess the pending migrations that were asked for, on the target where there is one.

    Args:
        results: of dry runs, by version: what they have seen counts as far as it may.
        on_each: is given each of them as soon as it is made.

    Raises:
        UsageError: there is no such migration, or it is not pending.
        ConfitureError: the catalog cannot be read.
        Cancelled: the scope was cancelled.
    """
    # Whoever asks for this has mostly just been told what there is.
    statuses, profile = workspace.status(scope, reads_anew=False), workspace.profile
    with ExitStack() as stack:
        conn = stack.enter_context(workspace.reaching.connected(scope)) if workspace.has_target else None
        begun = _begun(conn, statuses) if conn is not None else {}
        engine = evidence_of(request, conn, workspace.rates(conn)).engine_for(profile, results, begun)
        return assess_pending(engine, statuses, request, profile, on_each)


def _begun(conn: psycopg.Connection[Any], statuses: Sequence[MigrationStatus]) -> dict[str, Begun]:
    """How far those came that stopped half-way, by their versions."""
    files = [one.migration for one in statuses if one.state is MigrationState.INTERRUPTED and one.migration is not None]
    if not files:
        return {}
    from confiture_tui.core.migrations.ledger_forms import DEFAULT_TABLE
    from confiture_tui.core.runner.journal import TABLE, Journal
    from confiture_tui.core.runner.recovery import begun_by, left_overs
    from confiture_tui.core.runner.runner import ledger_place

    known = {one.version: one for one in files}
    left = left_overs(conn, Journal(ledger_place(conn, DEFAULT_TABLE)[0], TABLE), files)
    found = (
        (one.entry.version, begun_by(conn, one, known[one.entry.version])) for one in left if one.entry.version in known
    )
    return {version: begun for version, begun in found if begun is not None}


def assess_files(
    workspace: Workspace, files: Sequence[Path | SqlText], request: AssessRequest, scope: CancelScope
) -> tuple[Assessed, ...]:
    """Assess files, each by itself; on a database only where the command line names one.

    Raises:
        UsageError: a path does not exist, or a file cannot be read.
        ConnectError: the database that was named cannot be reached.
    """
    loose = list(workspace.given_files().migrations(files))
    found: dict[int, Assessed] = {}
    with ExitStack() as stack:
        conn = (
            stack.enter_context(workspace.reaching.connected_as_asked(scope))
            if workspace.settings.dsn is not None
            else None
        )
        evidence = evidence_of(request, conn, workspace.rates(conn))
        for name in dict.fromkeys(profile for _one, profile in loose):
            mine = [number for number, (_one, profile) in enumerate(loose) if profile == name]
            engine = evidence.engine_for(PROFILES[name])
            assessed = assess_loose(engine, [loose[number][0] for number in mine], PROFILES[name])
            found |= dict(zip(mine, assessed, strict=True))
    return tuple(found[number] for number in range(len(loose)))
