"""Migrations are applied and taken back, whole or not at all, and the ledger says what is true."""

from __future__ import annotations

import threading

import pytest

from confiture_tui.core.migrations.ledger import read_ledger
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.runner.result import RunOutcome, RunResult
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.errors import UsageError
from confiture_tui.events import Event, EventName
from tests.core.runner.running import QUICK, Connection, applied, apply, exists, migration, outcomes, states


def test_applying_writes_schema_ledger_and_journal(conn: Connection) -> None:
    first = migration("CREATE TABLE a (id int);\nCREATE TABLE b (id int);", "DROP TABLE a, b")
    second = migration("ALTER TABLE a ADD COLUMN n int", "ALTER TABLE a DROP n", version="002", name="more")
    result = apply(conn, first, second)
    assert outcomes(result) == [RunOutcome.APPLIED, RunOutcome.APPLIED]
    assert (result.exit_code, result.undo) == (0, ("confiture-tui rollback --steps 2",))
    ledger = read_ledger(conn)
    assert ledger is not None
    assert [(row.version, row.name, row.checksum) for row in ledger.migrations] == [
        ("001", "step", first.checksum),
        ("002", "more", second.checksum),
    ]
    assert states(conn) == ["done", "done"]
    assert conn.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_only_what_would_take_back_just_that_is_offered(conn: Connection) -> None:
    one, two, three = (
        migration(f"CREATE TABLE t{number} (id int)", f"DROP TABLE t{number}", version=f"00{number}")
        for number in (1, 2, 3)
    )
    stays = migration("CREATE TABLE stays (id int)", version="004")
    first = apply(conn, one, three)
    assert first.undo == ("confiture-tui rollback --steps 2",)
    late = apply(conn, two)
    assert late.undo == (), "`rollback` would begin with 003"
    last = apply(conn, stays)
    assert last.undo == ()
    assert RunResult.joined([first, last]).undo == ()
    five, six = (migration("SELECT 1", down, version=version) for down, version in ((None, "005"), ("SELECT 1", "006")))
    assert apply(conn, five, six).undo == ("confiture-tui rollback --steps 1",)


def test_a_ledger_of_an_older_release_is_written_as_it_is(conn: Connection) -> None:
    conn.execute(
        "CREATE TABLE tb_confiture (version text UNIQUE, name text, slug text, applied_at timestamptz DEFAULT now(), "
        "execution_time_ms int, checksum text, applied_by text)"
    )
    assert apply(conn, migration("CREATE TABLE a (id int)")).ok
    assert applied(conn) == ["001"]


def test_a_failure_takes_the_whole_migration_back_and_stops_the_run(conn: Connection) -> None:
    bad = migration("CREATE TABLE a (id int);\n\nSELECT no_such_thing;")
    result = apply(conn, bad, migration("CREATE TABLE b (id int)", version="002"))
    assert outcomes(result) == [RunOutcome.FAILED, RunOutcome.SKIPPED]
    assert result.exit_code == 4
    (failed, _) = result.migrations
    assert failed.statement == 2
    assert failed.failure is not None
    assert failed.failure.sqlstate == "42703"
    assert "line 3" in (failed.error or "")
    assert "Nothing of it stands." in (failed.error or "")
    assert not exists(conn, "a")
    assert applied(conn) == []
    assert states(conn) == ["failed"]


def test_a_deferred_constraint_fails_before_the_commit(conn: Connection) -> None:
    result = apply(
        conn,
        migration(
            "CREATE TABLE p (id int PRIMARY KEY);\n"
            "CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO c VALUES (1);"
        ),
    )
    assert outcomes(result) == [RunOutcome.FAILED]
    assert "23503" in (result.migrations[0].error or "")
    assert not exists(conn, "p")


def test_taking_back_removes_the_row(conn: Connection) -> None:
    both = migration("CREATE TABLE a (id int)", "DROP TABLE a")
    apply(conn, both)
    result = MigrationRunner(conn, policy=QUICK).rollback([both])
    assert outcomes(result) == [RunOutcome.ROLLED_BACK]
    assert applied(conn) == []
    assert not exists(conn, "a")
    assert result.undo == ("confiture-tui apply --to 001",)
    again = MigrationRunner(conn, policy=QUICK).rollback([both])
    assert outcomes(again) == [RunOutcome.FAILED]
    assert "not in the ledger" in (again.migrations[0].error or "")


def test_without_a_way_back_nothing_is_begun(conn: Connection) -> None:
    apply(conn, migration("CREATE TABLE a (id int)"))
    with pytest.raises(UsageError, match="no way back"):
        MigrationRunner(conn).rollback([migration("CREATE TABLE a (id int)")])
    assert applied(conn) == ["001"]


def test_what_is_applied_already_is_not_applied_again(conn: Connection) -> None:
    one = migration("CREATE TABLE IF NOT EXISTS a (id int)")
    apply(conn, one)
    result = apply(conn, one)
    assert outcomes(result) == [RunOutcome.FAILED]
    assert "in the ledger already" in (result.migrations[0].error or "")


def test_without_a_version_nothing_is_begun(conn: Connection) -> None:
    with pytest.raises(UsageError, match="loose file has no version"):
        apply(conn, Migration.from_sql("CREATE TABLE a (id int)"))
    assert not exists(conn, "a")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SELECT 1;\nCOMMIT;\nSELECT 2;", "line 2: COMMIT would end"),
        ("SELECT 1;\nROLLBACK AND CHAIN;", "line 2: ROLLBACK"),
        ("SELECT 1;\nSELEC 2;", "line 2"),
        ("\\set x 1\nSELECT 1;", "psql"),
    ],
)
def test_what_cannot_be_run_as_it_is_written_is_refused_before_anything_runs(
    conn: Connection, text: str, why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        apply(conn, migration("CREATE TABLE a (id int)"), migration(text, version="002"))
    assert not exists(conn, "a")


def test_the_files_own_wrapper_is_honoured(conn: Connection) -> None:
    result = apply(conn, migration("BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;"))
    assert outcomes(result) == [RunOutcome.APPLIED]
    assert applied(conn) == ["001"]


def test_each_migration_has_a_clean_session(conn: Connection) -> None:
    first = migration("SET search_path = pg_catalog;\nCREATE TEMP TABLE mine (id int);")
    second = migration("CREATE TABLE b AS SELECT current_setting('search_path') AS path", version="002")
    assert apply(conn, first, second).ok
    row = conn.execute("SELECT path FROM public.b").fetchone()
    assert row is not None
    assert "public" in row[0]


def test_many_migrations_in_one_run(conn: Connection) -> None:
    many = [migration(f"CREATE TABLE a{number} (id int)", version=f"{number:03}") for number in range(12)]
    many.append(migration("CREATE INDEX CONCURRENTLY a0_id ON a0 (id)", version="012"))
    assert outcomes(apply(conn, *many)) == [RunOutcome.APPLIED] * 13


def test_copy_data_is_loaded(conn: Connection) -> None:
    assert apply(conn, migration("CREATE TABLE a (id int, t text);\nCOPY a FROM stdin;\n1\tone\n2\ttwo\n\\.\n")).ok
    assert conn.execute("SELECT count(*) FROM a").fetchone() == (2,)


def test_a_cancel_rolls_back_and_says_so(conn: Connection) -> None:
    scope = CancelScope()

    def sink(event: Event) -> None:
        if event.name is EventName.STATEMENT_START and event.statement == 2:
            threading.Thread(target=press, daemon=True).start()

    over = threading.Event()

    def press() -> None:
        while not over.wait(0.05):
            scope.cancel()

    result = apply(conn, migration("CREATE TABLE a (id int);\nSELECT pg_sleep(60);"), sink=sink, scope=scope)
    over.set()
    assert outcomes(result) == [RunOutcome.FAILED]
    assert result.exit_code == 130
    assert not exists(conn, "a")
    assert states(conn) == ["failed"]
