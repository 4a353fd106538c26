"""The sequence of an identity column follows a change of the column's type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.dry_run.result import Rows
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from tests.support.dsn import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

_SCHEMA = """
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, a int);
CREATE TABLE child (c int) INHERITS (t);
"""


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE t ALTER id TYPE bigint;",
        "ALTER TABLE t ALTER id TYPE int;",
        "ALTER TABLE t ALTER a TYPE bigint;",
    ],
)
def test_predicted_is_observed(server: EmbeddedServer, database_from: Callable[[str], Dsn], sql: str) -> None:
    template = name_of(database_from(_SCHEMA))
    with Shadow.from_template(server, template, owner="postgres", rows=Rows.FULL) as shadow:
        result = shadow.dry_run(Migration.from_sql(sql))
    assert result.ok, result.failure
    assert result.statements[0].mismatch == (), result.notes
