"""What a migration contains, before anything is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.effects.model import Failure, StatementEffects
from confiture_tui.service.models import MigrationPreview

if TYPE_CHECKING:
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.core.sql.statement import Statement


def preview_of(migration: Migration, profile: RunnerProfile) -> MigrationPreview:
    """What a migration contains; nothing is known of its effects, and nothing is claimed."""
    statements = tuple(
        StatementEffects(index=one.index, line=one.line, tag=one.tag, sql=one.sql, fails=_syntax_error(one))
        for one in migration.up.statements
    )
    return MigrationPreview(
        version=migration.version,
        name=migration.name,
        path=migration.path,
        wrapping=str(profile.wrapping_of(migration.up)),
        analysed=(0, len(statements)),
        statements=statements,
        findings=migration.findings,
        has_down=migration.down is not None,
    )


def _syntax_error(statement: Statement) -> Failure | None:
    """The one failure that the text alone makes certain: PostgreSQL's grammar does not accept it."""
    problem = statement.problem
    if problem is None:
        return None
    return Failure(sqlstate="42601", message=problem.message, position=problem.position, line=problem.line)
