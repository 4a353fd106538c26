"""What of a dry run stands in the place of what was predicted, and that without the target's rows nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.replacing import observation_of
from confiture_tui.core.dry_run.result import DryRunResult, On, Outcome, Proof, Rows, StatementObservation, Verdict
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import Basis, Failure, Reach, RelationLock
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from tests.support.dsn import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_tui.core.risk.model import RiskAssessment
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE TABLE jam (id int PRIMARY KEY, fruit text NOT NULL, sugar int);
CREATE TABLE jar (id int PRIMARY KEY, jam_id int);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE jar SET jam_id = NEW.id; RETURN NEW; END $$;
INSERT INTO jam SELECT n, 'plum', n FROM generate_series(1, 20000) n;
INSERT INTO jar SELECT n, n FROM generate_series(1, 20000) n;
ANALYZE jam, jar;
"""
FORMS = (
    "UPDATE jam SET sugar = sugar + 1;",
    "DELETE FROM jam;",
    "TRUNCATE jam;",
    "ALTER TABLE jam DROP COLUMN sugar;",
    "DROP TABLE jar;",
    "ALTER TABLE jam ADD CONSTRAINT one UNIQUE (sugar);",
    "ALTER TABLE jam ALTER sugar SET NOT NULL;",
    "ALTER TABLE jam ALTER id TYPE bigint;",
    "ALTER TABLE jar ADD FOREIGN KEY (jam_id) REFERENCES jam;",
    "CREATE INDEX ON jam (fruit);",
    "DO $$ BEGIN DELETE FROM jar; END $$;",
    "ALTER TABLE jam ADD COLUMN x int;\nALTER TABLE jar ADD COLUMN y int DEFAULT random();",
    "CREATE TABLE jam (id int);",
)
ALLOWED = {"locks", "rewrites", "scans", "builds", "rebuilds", "drops", "transactional", "fails"}
"""What may be replaced by what a shadow without the target's rows has seen."""
OF_DATA = ("21", "22", "23", "P0")


@pytest.fixture(scope="module")
def catalog(server: EmbeddedServer) -> Iterator[Catalog]:
    server.create_database("replacing")
    with psycopg.connect(server.dsn("replacing").conninfo(), autocommit=True) as conn:
        conn.execute(SCHEMA)
        yield Catalog.load(conn)
    server.drop_database("replacing")


names = st.lists(st.sampled_from(["public.jam", "public.jar"]), unique=True).map(tuple)
indexes = st.lists(st.sampled_from(["public.jam_pkey", "public.jam_one", "public.jar_pkey"]), unique=True).map(tuple)
locks = st.dictionaries(st.sampled_from(["public.jam", "public.jar"]), st.sampled_from(list(LockMode))).map(
    lambda found: tuple(RelationLock(relation=name, mode=mode) for name, mode in found.items())
)
answers = st.sampled_from([True, False, None])
failures = st.sampled_from([None, None, "23505", "23503", "22003", "42P07", "42703", "42501", "P0001"])


@st.composite
def results(draw: st.DrawFn, migration: Migration) -> DryRunResult:
    """Anything that a dry run without the target's rows may say of a migration."""
    statements = []
    failure: Failure | None = None
    for one in migration.up.statements:
        if failure is not None:
            outcome = Outcome.NOT_RUN
        else:
            sqlstate = draw(failures)
            failure = Failure(sqlstate=sqlstate, message="no") if sqlstate else None
            outcome = Outcome.FAILED if failure else Outcome.RAN
        seen: dict[str, Any] = {}
        if outcome is Outcome.RAN:
            seen = {
                "locks": draw(locks),
                "rewrites": draw(names),
                "scans": draw(names),
                "builds": draw(indexes),
                "rebuilds": draw(indexes),
                "creates": (),
                "drops": draw(names),
                "invalid_indexes": draw(indexes),
                "destroys_data": draw(answers),
                "changes_data": draw(answers),
                "transactional": True,
                "reach": draw(st.sampled_from(list(Reach))),
                "cumulative": draw(st.booleans()),
                "elapsed_ms": 0.1,
                "rows": draw(st.sampled_from([None, 0, 3])),
                "wal_bytes": draw(st.sampled_from([None, 0])),
            }
        statements.append(
            StatementObservation(
                index=one.index,
                line=one.line,
                tag=one.tag,
                sql=one.sql,
                basis=Basis.OBSERVED,
                outcome=outcome,
                fails=failure if outcome is Outcome.FAILED else None,
                **seen,
            )
        )
    verdict = Verdict.FAILS if failure else Verdict.OK
    return DryRunResult(
        version=migration.version,
        name=migration.name,
        on=On.SHADOW,
        rows=draw(st.sampled_from([Rows.NONE, Rows.SYNTHETIC])),
        ok=failure is None,
        verdict=verdict,
        wrapping="transaction",
        elapsed_ms=1.0,
        statements=tuple(statements),
        failure=failure,
        proof=Proof(nothing_persisted=True),
    )


def assess(catalog: Catalog, migration: Migration, result: DryRunResult | None = None) -> RiskAssessment:
    observed = {} if result is None else {migration.version: observation_of(result)}
    return RiskAssessmentEngine(catalog, observed=observed).assess(migration)


@settings(deadline=None)
@given(data=st.data(), sql=st.sampled_from(FORMS))
def test_without_rows_only_what_may_be_replaced_lowers_a_score(catalog: Catalog, data: st.DataObject, sql: str) -> None:
    migration = Migration.from_sql(sql)
    predicted = assess(catalog, migration)
    assessed = assess(catalog, migration, data.draw(results(migration)))
    assert {one.field for one in assessed.replaced} <= ALLOWED
    assert not [one for one in assessed.replaced if one.field == "fails" and "".join(one.observed).startswith(OF_DATA)]
    assert assessed.predicted_score == predicted.score
    for name in ("data_loss", "compatibility", "reversibility", "security"):
        assert assessed.categories[name] >= predicted.categories[name], name  # type: ignore[index]
    if assessed.score < predicted.score:
        assert [one for one in assessed.replaced if one.predicted], "nothing that was predicted was contradicted"


@settings(deadline=None)
@given(data=st.data(), sql=st.sampled_from(FORMS))
def test_what_was_seen_as_predicted_changes_no_score_whatever_else_was_not_seen(
    catalog: Catalog, data: st.DataObject, sql: str
) -> None:
    migration = Migration.from_sql(sql)
    predicted = assess(catalog, migration)
    result = data.draw(results(migration))
    lists = ("locks", "rewrites", "scans", "builds", "rebuilds", "drops", "reach")
    statements = tuple(
        seen.model_copy(update={"fails": None, "outcome": Outcome.RAN} | {name: getattr(was, name) for name in lists})
        for seen, was in zip(result.statements, predicted.statements, strict=True)
    )
    result = result.model_copy(update={"statements": statements, "verdict": Verdict.OK, "failure": None})
    assessed = assess(catalog, migration, result)
    allowed = {"transactional", "fails"}
    if not {one.field for one in assessed.replaced} - allowed and not any(one.fails for one in predicted.statements):
        assert assessed.score == predicted.score
    assert not {one.field for one in assessed.replaced} - allowed


def test_with_all_rows_everything_counts(server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> None:
    migration = Migration.from_sql("DELETE FROM jar WHERE jam_id < 0;\nALTER TABLE jam ALTER sugar SET NOT NULL;")
    dsn = database_from(SCHEMA)
    with psycopg.connect(dsn.conninfo(), autocommit=True) as conn:
        catalog = Catalog.load(conn)
    shadow = Shadow.from_template(server, name_of(dsn), owner="postgres", rows=Rows.FULL)
    result = shadow.dry_run(migration)
    predicted, assessed = assess(catalog, migration), assess(catalog, migration, result)
    replaced = {(one.statement, one.field): one for one in assessed.replaced}
    assert replaced[1, "destroys_data"].observed == ("no",)
    assert replaced[2, "may_fail"].predicted == ("23502",)
    assert assessed.score < predicted.score == assessed.predicted_score
    assert assessed.statements[0].estimate is not None
    assert "all rows" in assessed.statements[0].estimate.source
    told = [risk for risk in assessed.risks if risk.statement == 1]
    assert any("In the dry run: statement 1, elapsed ms" in fact for risk in told for fact in risk.evidence)


def test_a_lock_that_nobody_foresaw_raises_the_score(catalog: Catalog) -> None:
    migration = Migration.from_sql("COMMENT ON TABLE jar IS 'of glass';\nCOMMENT ON TABLE jar IS 'of clay';")
    predicted = assess(catalog, migration)
    statements = tuple(
        StatementObservation(
            **one.model_dump(exclude={"locks", "basis"}),
            basis=Basis.OBSERVED,
            outcome=Outcome.RAN,
            locks=(*(one.locks or ()), RelationLock(relation="public.jam", mode=LockMode.ACCESS_EXCLUSIVE)),
        )
        for one in predicted.statements
    )
    result = DryRunResult(
        version=migration.version,
        name=migration.name,
        on=On.SHADOW,
        rows=Rows.NONE,
        ok=True,
        verdict=Verdict.OK,
        wrapping="none",
        elapsed_ms=1.0,
        statements=statements,
        proof=Proof(nothing_persisted=True),
    )
    assessed = assess(catalog, migration, result)
    assert assessed.score > predicted.score
    assert {(one.field, one.observed) for one in assessed.replaced} == {("locks", ("ACCESS EXCLUSIVE on public.jam",))}
    assert "public.jam" in {one.relation for one in assessed.exposure}
