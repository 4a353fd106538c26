"""What a shadow without the target's rows saw makes nothing look less harmful than it is: not the statement, nor its
score."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.replacing import observation_of
from confiture_tui.core.dry_run.result import Outcome, Rows
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.core.dry_run.result import StatementObservation
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE TABLE jam (id int PRIMARY KEY, fruit text, sugar int);
INSERT INTO jam SELECT n, CASE WHEN n % 7 > 0 THEN 'plum' END, n FROM generate_series(1, 5000) n; ANALYZE jam;
"""


def _unknown_changes(seen: StatementObservation) -> bool:
    return seen.changes_data is not False and seen.rows is None and seen.wal_bytes is None


def _said_nothing_of_rows(seen: StatementObservation) -> bool:
    return seen.fails is None and seen.outcome is Outcome.RAN


CASES = {
    "update": ("UPDATE jam SET sugar = sugar + 1;", _unknown_changes),
    "unique on duplicates": ("ALTER TABLE jam ADD CONSTRAINT one UNIQUE (fruit);", _said_nothing_of_rows),
    "drop column": ("ALTER TABLE jam DROP COLUMN sugar;", lambda seen: seen.destroys_data is None),
    "not null on nulls": ("ALTER TABLE jam ALTER fruit SET NOT NULL;", _said_nothing_of_rows),
}


@pytest.mark.parametrize("rows", [Rows.NONE, Rows.SYNTHETIC])
@pytest.mark.parametrize("case", CASES)
def test_the_observation_claims_nothing_of_rows_and_contradicts_no_prediction(
    server: EmbeddedServer, database_from: Callable[[str], Dsn], case: str, rows: Rows
) -> None:
    sql, holds = CASES[case]
    migration = Migration.from_sql(sql)
    with (
        psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn,
        Shadow.of(conn, server=server) as empty,
        empty.filled(migration) if rows is Rows.SYNTHETIC else nullcontext(empty) as shadow,
    ):
        result = shadow.dry_run(migration)
        catalog = Catalog.load(conn)
        predicted = RiskAssessmentEngine(catalog, connection=conn).assess(migration)
        observed = {migration.version: observation_of(result)}
        assessed = RiskAssessmentEngine(catalog, connection=conn, observed=observed).assess(migration)
    (seen,) = result.statements
    assert result.rows is rows
    assert holds(seen), seen
    assert seen.mismatch == ()
    assert assessed.predicted_score == predicted.score
    assert assessed.score >= predicted.score
    assert {name: points for name, points in predicted.categories.items() if assessed.categories[name] < points} == {}
    assert assessed.replaced == ()
