"""What a migration contains, before anything is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.effects.model import Failure, StatementEffects
from confiture_tui.core.migrations.findings import script_findings, too_large
from confiture_tui.core.migrations.profiles import Wrapping
from confiture_tui.service.models import MigrationPreview

if TYPE_CHECKING:
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.core.sql.statement import Statement


def preview_of(migration: Migration, profile: RunnerProfile) -> MigrationPreview:
    """What a migration contains; nothing is known of its effects, and nothing is claimed.

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
    statements = tuple(
        StatementEffects(index=one.index, line=one.line, tag=one.tag, sql=one.sql, fails=_syntax_error(one))
        for one in migration.up.statements
    )
    wrapping = profile.wrapping_of(migration.up)
    return MigrationPreview(
        version=migration.version,
        name=migration.name,
        path=migration.path,
        wrapping=str(wrapping),
        analysed=(0, len(statements)),
        statements=statements,
        findings=(*migration.findings, *script_findings(migration, wrapping)),
        has_down=migration.down is not None,
        runner=profile.name,
    )


def _syntax_error(statement: Statement) -> Failure | None:
    """The one failure that the text alone makes certain: PostgreSQL's grammar does not accept it."""
    problem = statement.problem
    if problem is None:
        return None
    return Failure(sqlstate="42601", message=problem.message, position=problem.position, line=problem.line)
