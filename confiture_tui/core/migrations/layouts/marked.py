"""SQL that came without a file: lines of comment tell whose migration it is, and which part is the way back."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from confiture_tui.core.migrations.files import SqlFile
from confiture_tui.core.migrations.layouts import dbmate, goose, node_pg_migrate
from confiture_tui.core.migrations.model import Migration

_MARKED = {
    goose.GooseLayout.name: (goose.UP, goose.divide),
    dbmate.DbmateLayout.name: (dbmate.UP, dbmate.divide),
    node_pg_migrate.NodePgMigrateLayout.name: (node_pg_migrate.UP, node_pg_migrate.divide),
}
"""By tool: the line that begins the way up, and what takes the file apart."""


class SqlText(NamedTuple):
    """SQL that was not read from a file, and what it is to be called."""

    text: str
    name: str


def migration_of_text(given: SqlText) -> tuple[Migration, str | None]:
    """The migration that a text is, and the tool whose marks it bears; ``None``: all of it is the way up."""
    text, name = given
    whole = Migration.from_sql(text, name=name)
    for tool, (up, divide) in _MARKED.items():
        if up.search(text):
            parts = divide(SqlFile(whole.up, whole.checksum, ()), Path(name))
            down = whole.up.part(sections=(parts.down,), transactional=parts.down_transactional) if parts.down else None
            changes = {
                "up": whole.up.part(sections=(parts.up,) if parts.up else (), transactional=parts.up_transactional),
                "down": None if down is None or down.is_blank else down,
                "findings": parts.findings,
            }
            return whole.model_copy(update=changes), tool
    return whole, None
