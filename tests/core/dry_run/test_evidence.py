"""What the server itself says of a statement: its explanations, what a CASCADE drops, what became of the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.dry_run import schema_changes
from confiture_tui.core.dry_run.result import Rows, StatementObservation
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from tests.support.dsn import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE TABLE jam (id int PRIMARY KEY, sugar int NOT NULL, salt int, CHECK (salt IS NOT NULL));
CREATE TABLE lid (jam int REFERENCES jam);
CREATE VIEW sweet AS SELECT id FROM jam;
CREATE VIEW sweeter AS SELECT id FROM sweet;
"""


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, the schema is looked at."""
    monkeypatch.setattr(schema_changes, "_BUDGET_S", 600.0)


@pytest.fixture
def tried(server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> Callable[[str], list[StatementObservation]]:
    shadow = Shadow.from_template(server, name_of(database_from(SCHEMA)), owner="postgres", rows=Rows.NONE)
    return lambda sql: list(shadow.dry_run(Migration.from_sql(sql)).statements)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("ALTER TABLE jam ALTER sugar TYPE bigint;", 'rewriting table "jam"'),
        ("ALTER TABLE jam ADD CHECK (sugar > 0);", 'verifying table "jam"'),
        ("ALTER TABLE jam ALTER salt SET NOT NULL;", "existing constraints on column"),
        ("CREATE INDEX ON jam (sugar);", "building index"),
        ("CREATE INDEX CONCURRENTLY ON jam (sugar);", "building index"),
    ],
)
def test_the_server_explains_what_work_it_does(
    tried: Callable[[str], list[StatementObservation]], sql: str, says: str
) -> None:
    (one,) = tried(sql)
    assert any(says in text for text in one.evidence), one.evidence
    assert not any("DEBUG" in text for text in one.notices)


def test_what_a_cascade_drops_is_named(tried: Callable[[str], list[StatementObservation]]) -> None:
    (one,) = tried("DROP TABLE jam CASCADE;")
    (notice,) = one.notices
    assert all(name in notice for name in ("view sweet", "view sweeter", "constraint lid_jam_fkey on table lid"))
    assert one.drops is not None
    assert {"public.jam", "public.sweet", "public.sweeter"} <= set(one.drops)
    assert one.schema_diff is not None
    assert "public.lid.lid_jam_fkey" in {change.name for change in one.schema_diff.changes}


def test_each_statement_has_its_own_difference(tried: Callable[[str], list[StatementObservation]]) -> None:
    first, second, third = tried(
        "ALTER TABLE jam ADD COLUMN x int; UPDATE jam SET x = 1; COMMENT ON TABLE jam IS 'sweet';"
    )
    assert first.schema_diff is not None
    assert {change.name for change in first.schema_diff.changes} == {"public.jam.x"}
    assert second.schema_diff is None
    assert third.schema_diff is not None
    assert [change.name for change in third.schema_diff.changes] == ["public.jam"]
