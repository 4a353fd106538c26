"""What a migration contains, before anything is tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.effects.model import Failure, StatementEffects
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.hooks.declaration import declaration_path, read_declaration
from confiture_tui.core.hooks.registry import phase_of_built_in
from confiture_tui.core.migrations.findings import script_findings, too_large
from confiture_tui.core.migrations.model import Finding
from confiture_tui.core.migrations.profiles import Wrapping
from confiture_tui.errors import UsageError
from confiture_tui.service.models import MigrationPreview, PreviewedHook

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.effects.forecast import Simulation
    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.core.sql.statement import Statement


def preview_of(migration: Migration, profile: RunnerProfile, simulation: Simulation | None = None) -> MigrationPreview:
    """What a migration contains, and what it does as far as a simulation says; without one nothing is claimed.

    Of one that is too large to be taken apart there is only the finding that says so.
    """
    oversize = too_large(migration)
    if oversize is not None:
        return MigrationPreview(
            version=migration.version,
            name=migration.name,
            path=migration.path,
            wrapping=str(Wrapping.TRANSACTION if profile.wraps != "never" else Wrapping.NONE),
            analysed=(0, 0),
            statements=(),
            findings=(*migration.findings, oversize),
            has_down=migration.down is not None,
            runner=profile.name,
        )
    if simulation is not None:
        statements = tuple(one.effects for one in simulation.forecasts)
    else:
        statements = tuple(
            StatementEffects(index=one.index, line=one.line, tag=one.tag, sql=one.sql, fails=_syntax_error(one))
            for one in migration.up.statements
        )
    wrapping = profile.wrapping_of(migration.up)
    hooks, mistakes = _declared(migration)
    return MigrationPreview(
        version=migration.version,
        name=migration.name,
        path=migration.path,
        wrapping=str(wrapping),
        analysed=(sum(one.basis is not None for one in statements), len(statements)),
        statements=statements,
        findings=(*migration.findings, *script_findings(migration, wrapping), *mistakes),
        has_down=migration.down is not None,
        runner=profile.name,
        hooks=hooks,
    )


def _declared(migration: Migration) -> tuple[tuple[PreviewedHook, ...], tuple[Finding, ...]]:
    """The hooks that a migration declares; where the declaration cannot be read, what is wrong with it."""
    try:
        declared = read_declaration(migration)
    except UsageError as error:
        return (), (Finding(code="hooks-file", message=error.message, path=declaration_path(migration), level="error"),)
    # A hook of somebody else's has its phase in code, which a look at a migration does not import.
    hooks = (
        PreviewedHook(hook=one.name, phase=one.phase or phase_of_built_in(one.name), direction=one.direction)
        for one in declared
    )
    return tuple(hooks), ()


def simulated(
    migrations: Sequence[Migration], profile: RunnerProfile, catalog: Catalog | None
) -> Iterator[Simulation | None]:
    """What migrations do that run one after the other; ``None`` for one that is too large to be taken apart."""
    start: Schema | None = None
    for migration in migrations:
        if too_large(migration) is not None:
            yield None
            continue
        simulation = simulate(migration, catalog=catalog, profile=profile, start=start)
        start = simulation.after
        yield simulation


def _syntax_error(statement: Statement) -> Failure | None:
    """The one failure that the text alone makes certain: PostgreSQL's grammar does not accept it."""
    problem = statement.problem
    if problem is None:
        return None
    return Failure(sqlstate="42601", message=problem.message, position=problem.position, line=problem.line)
