"""The two passes on clones: the verdict is the runner's, the observation is each statement's own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.result import Outcome, Rows, Verdict
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import PROFILES
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.errors import Cancelled
from confiture_tui.events import Event, EventName
from tests.support.dsn import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_tui.core.dry_run.result import DryRunResult, StatementObservation
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE TABLE p (id int PRIMARY KEY, name text);
INSERT INTO p SELECT i, 'p' || i FROM generate_series(1, 10) i;
CREATE TABLE t (id int PRIMARY KEY, a int, b text, p_id int);
INSERT INTO t SELECT i, i % 100, 'b' || i, 1 + i % 10 FROM generate_series(1, 1000) i;
CREATE VIEW v AS SELECT id, a FROM t;
CREATE TYPE mood AS ENUM ('sad', 'ok');
"""


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def shadow(server: EmbeddedServer, database_from: Callable[[str], Dsn], events: list[Event]) -> Iterator[Shadow]:
    """A full shadow of the schema above."""
    with Shadow.from_template(
        server, name_of(database_from(SCHEMA)), owner="postgres", rows=Rows.FULL, sink=events.append
    ) as shadow:
        yield shadow


def run(shadow: Shadow, sql: str) -> DryRunResult:
    return shadow.dry_run(Migration.from_sql(sql, version="007", name="test"))


def locks(statement: StatementObservation) -> dict[str, str]:
    assert statement.locks is not None
    return {lock.relation: str(lock.mode) for lock in statement.locks}


def test_each_statement_shows_its_own_locks(shadow: Shadow) -> None:
    result = run(shadow, "ALTER TABLE t ADD COLUMN x int;\nCREATE INDEX t_a ON t (a);\nUPDATE t SET x = 1;")
    assert result.ok
    add, index, update = result.statements
    assert locks(add) == {"public.t": "ACCESS EXCLUSIVE"}
    assert locks(index) == {"public.t": "SHARE"}
    assert (index.builds, index.creates, index.scans) == (("public.t_a",), ("public.t_a",), ("public.t",))
    assert locks(update) == {"public.t": "ROW EXCLUSIVE"}
    assert (update.rows, update.changes_data, update.destroys_data) == (1000, True, False)
    assert update.wal_bytes is not None
    assert update.wal_bytes > 10_000
    assert not any(one.cumulative for one in result.statements)


def test_what_the_migration_made_itself_is_not_listed_as_harm(shadow: Shadow) -> None:
    result = run(shadow, "CREATE TABLE n (id int);\nALTER TABLE n ADD PRIMARY KEY (id);\nDROP TABLE n;")
    create, key, drop = result.statements
    assert create.creates == ("public.n",)
    assert locks(key) == {}
    assert key.builds == ()
    assert drop.drops == ()
    assert drop.destroys_data is False


def test_the_verdict_is_the_transactions(shadow: Shadow) -> None:
    """An enum value that is added and used works when committed between, and fails in one transaction."""
    migration = Migration.from_sql("ALTER TYPE mood ADD VALUE 'happy';\nCREATE TABLE m (f mood DEFAULT 'happy');")
    assert shadow.dry_run(migration, profile=PROFILES["loose"]).verdict is Verdict.OK
    result = shadow.dry_run(migration, profile=PROFILES["confiture-tui"])
    assert result.verdict is Verdict.FAILS
    assert result.failure is not None
    assert result.failure.sqlstate == "55P04"
    assert result.statements[1].outcome is Outcome.FAILED
    assert result.schema_diff is None


def test_statements_after_a_failure_are_not_run(shadow: Shadow) -> None:
    result = run(shadow, "SELECT 1;\nSELECT\n  no_such_column\nFROM t;\nDROP TABLE t;")
    assert [one.outcome for one in result.statements] == [Outcome.RAN, Outcome.FAILED, Outcome.NOT_RUN]
    error = result.statements[1].error
    assert error is not None
    assert (error.sqlstate, error.line) == ("42703", 3)
    assert result.statements[2].reason == "statement 2 failed"
    assert result.statements[2].locks is None, "nobody looked, so nothing may be claimed"


def test_the_locks_of_a_statement_that_fails_are_seen_all_the_same(shadow: Shadow) -> None:
    result = run(shadow, "ALTER TABLE t DROP COLUMN a;")
    assert result.failure is not None
    assert result.failure.sqlstate == "2BP01"
    (statement,) = result.statements
    seen = locks(statement)
    # PostgreSQL also locks the dependent view for the moment in which it finds out that it must refuse: a look may
    # come in time for that lock, or not. The one on the table is held while a gate lets nobody pass.
    assert seen["public.t"] == "ACCESS EXCLUSIVE"
    assert seen.items() <= {"public.t": "ACCESS EXCLUSIVE", "public.v": "ACCESS EXCLUSIVE"}.items()
    assert statement.rewrites is None, "what it would have done was not seen"


def test_a_deferred_constraint_fails_at_the_commit(shadow: Shadow) -> None:
    result = run(
        shadow,
        "ALTER TABLE t ADD FOREIGN KEY (p_id) REFERENCES p DEFERRABLE INITIALLY DEFERRED;\n"
        "INSERT INTO t VALUES (5000, 1, 'x', 99);",
    )
    assert result.failure is not None
    assert result.failure.sqlstate == "23503"
    assert result.statements[1].outcome is Outcome.FAILED


def test_concurrently_runs_for_real_and_its_locks_are_seen(shadow: Shadow) -> None:
    result = run(shadow, "CREATE INDEX CONCURRENTLY t_a ON t (a);")
    (statement,) = result.statements
    assert result.ok
    assert statement.transactional is False
    assert locks(statement) == {"public.t": "SHARE UPDATE EXCLUSIVE"}
    assert (statement.builds, statement.scans, statement.invalid_indexes) == (("public.t_a",), ("public.t",), ())


def test_concurrently_on_duplicates_leaves_an_invalid_index(shadow: Shadow, events: list[Event]) -> None:
    result = run(shadow, "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);")
    (statement,) = result.statements
    assert result.failure is not None
    assert result.failure.sqlstate == "23505"
    assert statement.invalid_indexes == ("public.t_a",)
    assert locks(statement) == {"public.t": "SHARE UPDATE EXCLUSIVE"}
    assert result.schema_diff is not None
    assert [change.name for change in result.schema_diff.changes] == ["public.t_a"]
    said = [(one.name, one.message) for one in events if one.statement == 1]
    assert EventName.STATEMENT_COMPLETED not in {name for name, _message in said}
    assert any("until it failed: SHARE UPDATE EXCLUSIVE on public.t" in message for _name, message in said)


@pytest.mark.parametrize(
    "sql",
    [
        "SAVEPOINT s;\nALTER TABLE t ADD COLUMN x int;\nRELEASE s;",
        "CREATE TEMP TABLE w (a int) ON COMMIT DROP;\nALTER TABLE t ADD COLUMN x int;\nINSERT INTO w VALUES (2);",
        "DECLARE c CURSOR FOR SELECT 1;\nALTER TABLE t ADD COLUMN x int;\nFETCH c;",
    ],
    ids=["savepoint", "temporary table", "cursor"],
)
def test_a_statement_that_needs_its_predecessors_transaction(shadow: Shadow, sql: str) -> None:
    result = run(shadow, sql)
    assert result.ok, result.failure
    assert locks(result.statements[1]) == {"public.t": "ACCESS EXCLUSIVE"}


def test_set_local_holds_for_the_rest_of_the_migration(shadow: Shadow) -> None:
    sql = "CREATE SCHEMA app;\nSET LOCAL search_path = app;\nCREATE TABLE inside (id int);"
    result = run(shadow, sql)
    assert result.statements[2].creates == ("app.inside",)


def test_copy_data_reaches_the_server(shadow: Shadow) -> None:
    result = run(shadow, "COPY p (id, name) FROM stdin;\n100\tquince\n101\tplum\n\\.\nSELECT 1;\n")
    assert result.ok, result.failure
    assert result.statements[0].rows == 2


def test_percent_signs_and_notices_are_left_alone(shadow: Shadow) -> None:
    result = run(shadow, "DO $$ BEGIN RAISE NOTICE '%', format('%s %%', 5 % 2); END $$;\nSELECT '%s' LIKE '%';")
    assert result.ok, result.failure
    assert result.statements[0].notices == ("NOTICE: 1 %",)


def test_dropping_and_truncating_destroys_data(shadow: Shadow) -> None:
    result = run(
        shadow, "ALTER TABLE t DROP COLUMN b;\nDELETE FROM t WHERE id = 1;\nTRUNCATE t;\nDROP VIEW v;\nDROP TABLE t;"
    )
    assert result.ok, result.failure
    assert [one.destroys_data for one in result.statements] == [True, True, True, False, False]
    assert result.statements[4].drops == ("public.t", "public.t_pkey")


def test_clones_start_equal_and_nothing_stays(shadow: Shadow, server: EmbeddedServer) -> None:
    before = _databases(server)
    first = run(shadow, "DROP VIEW v; DROP TABLE t;")
    second = run(shadow, "DROP VIEW v; DROP TABLE t;")
    assert first.statements[1].drops == second.statements[1].drops == ("public.t", "public.t_pkey")
    assert first.proof.nothing_persisted is True
    assert _databases(server) == before


def test_earlier_migrations_come_first_and_one_that_fails_is_left_out(shadow: Shadow, server: EmbeddedServer) -> None:
    before = _databases(server)
    earlier = [
        Migration.from_sql("ALTER TABLE t ADD COLUMN x int;", version="001", name="adds"),
        Migration.from_sql("ALTER TABLE t ADD COLUMN a int;", version="002", name="fails"),
        Migration.from_sql("ALTER TABLE t ADD COLUMN y int;", version="003", name="adds_too"),
    ]
    with shadow.after(earlier) as advanced:
        result = run(advanced, "ALTER TABLE t DROP COLUMN x, DROP COLUMN y;")
    assert result.ok, result.failure
    assert any("002_fails" in note and "42701" in note for note in result.notes)
    assert _databases(server) == before


def test_cancelling_ends_it_and_leaves_no_clone(shadow: Shadow, server: EmbeddedServer, events: list[Event]) -> None:
    before, scope = _databases(server), CancelScope()

    def cancel_when_it_sleeps() -> None:
        with psycopg.connect(server.dsn().conninfo(), autocommit=True) as conn:
            while conn.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname LIKE 'confiture_clone%'"
            ).fetchone() == (0,):
                threading.Event().wait(0.01)
        scope.cancel()

    canceller = threading.Thread(target=cancel_when_it_sleeps)
    canceller.start()
    with pytest.raises(Cancelled):
        shadow.dry_run(Migration.from_sql("SELECT pg_sleep(60);"), scope=scope)
    canceller.join()
    assert _databases(server) == before
    assert events[-1].name is EventName.DRY_RUN_FAILED


def test_the_events_tell_the_story(shadow: Shadow, events: list[Event]) -> None:
    run(shadow, "ALTER TABLE t ADD COLUMN x int DEFAULT random();")
    assert events[0].name is EventName.DRY_RUN_START
    assert events[-1].name is EventName.DRY_RUN_COMPLETED
    assert {event.migration for event in events} == {"007"}
    observed = [event for event in events if event.phase == "observation" and event.statement == 1]
    assert "ACCESS EXCLUSIVE on public.t" in observed[-1].message
    assert "rewrites public.t" in observed[-1].message


def test_a_shadow_of_a_target_has_its_schema_and_no_rows(
    server: EmbeddedServer, database_from: Callable[[str], Dsn]
) -> None:
    target = database_from(SCHEMA)
    with psycopg.connect(target.conninfo(), autocommit=True) as conn:
        before = Catalog.load(conn)
        with Shadow.of(conn, server=server) as shadow:
            result = run(shadow, "ALTER TABLE t ALTER COLUMN id TYPE bigint;\nDELETE FROM t;\nDROP TABLE p;")
        assert Catalog.load(conn).fingerprint == before.fingerprint
    # The view uses t.id: the schema is really there.
    assert result.failure is not None
    assert result.failure.sqlstate == "0A000"
    assert result.rows is Rows.NONE


def test_an_empty_shadow_never_says_that_nothing_is_lost(
    server: EmbeddedServer, database_from: Callable[[str], Dsn]
) -> None:
    with (
        psycopg.connect(database_from(SCHEMA).conninfo(), autocommit=True) as conn,
        Shadow.of(conn, server=server) as shadow,
    ):
        result = run(shadow, "DELETE FROM t;\nALTER TABLE t DROP COLUMN b;\nTRUNCATE p;\nUPDATE t SET a = 1;")
    assert result.ok, result.failure
    assert [one.destroys_data for one in result.statements] == [None, None, None, None]
    assert [one.changes_data for one in result.statements] == [None, None, None, None]
    assert [one.wal_bytes for one in result.statements] == [None] * 4


def _databases(server: EmbeddedServer) -> set[str]:
    with psycopg.connect(server.dsn().conninfo(), autocommit=True) as conn:
        return {str(row[0]) for row in conn.execute("SELECT datname FROM pg_database")}
