"""What can be said of migrations and files without trying them: previews and assessments."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.config import MIGRATIONS
from confiture_tui.core.catalog import Catalog
from confiture_tui.core.migrations.layouts import ConfitureLayout, LooseFiles
from confiture_tui.core.migrations.profiles import PROFILES
from confiture_tui.core.migrations.status import MigrationState
from confiture_tui.errors import UsageError
from confiture_tui.service.assessing import Assessed, AssessRequest, assess_loose, assess_pending, evidence_of
from confiture_tui.service.previews import preview_of, simulated
from confiture_tui.yaml_file import did_you_mean

if TYPE_CHECKING:
    from confiture_tui.config import Settings
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.database.cancellation import CancelScope
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
        with workspace.connected(scope) as conn:
            catalog = Catalog.load(conn)
    last = max((number for number, one in enumerate(pending) if one in chosen), default=-1)
    needed = pending[: last + 1]
    found = dict(zip((one.version for one in needed), simulated(needed, workspace.profile, catalog), strict=True))
    return tuple(preview_of(one, workspace.profile, found.get(one.version)) for one in chosen)


def preview_files(workspace: Workspace, paths: Sequence[Path]) -> tuple[MigrationPreview, ...]:
    """What files contain and do: a project's migration as its runner wraps it, any other as nobody does.

    For the other ones, too, a runner can be asked for.

    Raises:
        UsageError: a path does not exist.
    """
    return tuple(
        preview_of(one, PROFILES[profile], next(simulated([one], PROFILES[profile], None)))
        for one, profile in _loose(workspace, paths)
    )


def assess(workspace: Workspace, request: AssessRequest, scope: CancelScope) -> tuple[Assessed, ...]:
    """Assess the pending migrations that were asked for, on the target where there is one.

    Raises:
        UsageError: there is no such migration, or it is not pending.
        ConfitureError: the catalog cannot be read.
        Cancelled: the scope was cancelled.
    """
    statuses, profile = workspace.status(scope), workspace.profile
    with ExitStack() as stack:
        conn = stack.enter_context(workspace.connected(scope)) if workspace.has_target else None
        engine = evidence_of(request, conn, workspace.rates(conn)).engine_for(profile)
        return assess_pending(engine, statuses, request, profile)


def assess_files(
    workspace: Workspace, files: Sequence[Path | Migration], request: AssessRequest, scope: CancelScope
) -> tuple[Assessed, ...]:
    """Assess files, each by itself; on a database only where the command line names one.

    Raises:
        UsageError: a path does not exist, or a file cannot be read.
        ConnectError: the database that was named cannot be reached.
    """
    loose = _loose(workspace, files)
    found: dict[int, Assessed] = {}
    with ExitStack() as stack:
        conn = stack.enter_context(workspace.connected_as_asked(scope)) if workspace.settings.dsn is not None else None
        evidence = evidence_of(request, conn, workspace.rates(conn))
        for name in dict.fromkeys(profile for _one, profile in loose):
            mine = [number for number, (_one, profile) in enumerate(loose) if profile == name]
            engine = evidence.engine_for(PROFILES[name])
            assessed = assess_loose(engine, [loose[number][0] for number in mine], PROFILES[name])
            found |= dict(zip(mine, assessed, strict=True))
    return tuple(found[number] for number in range(len(loose)))


def _loose(workspace: Workspace, files: Sequence[Path | Migration]) -> list[tuple[Migration, str]]:
    """The migrations that files are, or that were read already, each with the profile in whose name it is judged."""
    own = workspace.profile.name
    loose = own if "runner" in workspace.settings.model_fields_set else "loose"
    found: list[tuple[Migration, str]] = []
    for file in files:
        if not isinstance(file, Path):
            found.append((file, loose))
        elif (migration := _migration_at(workspace.settings, file)) is not None:
            found.append((migration, own))
        else:
            found += ((one, loose) for one in LooseFiles().of_paths([file]).migrations)
    return found


def _migration_at(settings: Settings, path: Path) -> Migration | None:
    """The project's migration that a path names: this project's, or one that is laid out as usual."""
    directory = path.absolute().parent
    own = settings.migrations_dir
    usual = directory.parts[-len(MIGRATIONS.parts) :] == MIGRATIONS.parts
    if not usual and not (own.is_dir() and directory.resolve() == own.resolve()):
        return None
    return ConfitureLayout().migration_at(path)
