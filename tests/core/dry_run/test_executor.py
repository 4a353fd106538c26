"""In place: whatever the migration does, the transaction is rolled back, and the proof says what moved."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.executor import DryRunExecutor
from confiture_tui.core.dry_run.result import On, Outcome, Verdict
from confiture_tui.core.migrations.model import Migration
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.errors import Cancelled, ConfitureError, ConnectError, UsageError
from confiture_tui.events import Event, EventName
from tests.core.dry_run.plain_target import run

if TYPE_CHECKING:
    from confiture_tui.database.embedded import EmbeddedServer


def test_nothing_stays_and_the_connection_is_as_it_was(target: psycopg.Connection[Any]) -> None:
    before = Catalog.load(target).fingerprint
    target.rollback()
    result = run(target, "ALTER TABLE t ADD COLUMN x int;\nDROP TABLE t;")
    assert (result.on, result.ok) == (On.TARGET, True)
    assert [lock.mode.value for lock in result.statements[0].locks or ()] == ["ACCESS EXCLUSIVE"]
    assert result.proof.nothing_persisted is True
    assert target.autocommit is False
    assert Catalog.load(target).fingerprint == before


def test_a_sequence_that_moved_is_told_and_not_set_back(target: psycopg.Connection[Any]) -> None:
    result = run(target, "INSERT INTO t (p_id) SELECT 1 FROM generate_series(1, 50);")
    assert result.ok, result.failure
    assert any("public.t_id_seq moved from 100 to 150" in text for text in result.proof.exceptions)
    assert target.execute("SELECT last_value FROM t_id_seq").fetchone() == (150,)
    assert target.execute("SELECT count(*) FROM t").fetchone() == (100,)


def test_a_deferred_constraint_is_asked(target: psycopg.Connection[Any]) -> None:
    result = run(target, "INSERT INTO t (p_id) VALUES (99);")
    assert result.verdict is Verdict.FAILS
    assert result.failure is not None
    assert result.failure.sqlstate == "23503"


def test_its_own_set_constraints_does_not_trip_the_guard(target: psycopg.Connection[Any]) -> None:
    result = run(target, "SET CONSTRAINTS ALL IMMEDIATE;\nALTER TABLE t ADD COLUMN x int;")
    assert result.ok, result.failure
    assert result.proof.nothing_persisted is True


@pytest.mark.parametrize("spelling", ["COMMIT", "END", "COMMIT WORK", "COMMIT AND CHAIN", "ROLLBACK", "ABORT"])
def test_transaction_control_is_refused_with_its_line(target: psycopg.Connection[Any], spelling: str) -> None:
    with pytest.raises(UsageError, match="line 2"):
        run(target, f"CREATE TABLE leak (id int);\n{spelling};\nCREATE TABLE leak2 (id int);")
    assert target.execute("SELECT to_regclass('leak')").fetchone() == (None,)


def test_a_commit_hidden_in_a_block_fails(target: psycopg.Connection[Any]) -> None:
    result = run(target, "CREATE TABLE leak (id int);\nDO $$ BEGIN COMMIT; END $$;")
    assert result.failure is not None
    assert result.failure.sqlstate == "2D000"
    assert target.execute("SELECT to_regclass('leak')").fetchone() == (None,)


def test_what_cannot_run_in_a_transaction_is_not_run(target: psycopg.Connection[Any]) -> None:
    result = run(target, "CREATE INDEX CONCURRENTLY i ON t (p_id);\nALTER TABLE t ADD COLUMN x int;")
    assert result.statements[0].outcome is Outcome.NOT_RUN
    assert result.statements[0].locks is None
    assert result.verdict is Verdict.INCONCLUSIVE


def test_a_lock_that_is_not_had_in_time_fails_the_dry_run(
    target: psycopg.Connection[Any], server: EmbeddedServer
) -> None:
    with psycopg.connect(server.dsn(target.info.dbname).conninfo()) as other:
        other.execute("LOCK TABLE t IN ACCESS SHARE MODE")
        result = DryRunExecutor(lock_timeout_ms=50).run(target, Migration.from_sql("ALTER TABLE t ADD COLUMN x int;"))
    assert result.failure is not None
    assert result.failure.sqlstate == "55P03"


def test_an_advisory_lock_is_released_and_told(target: psycopg.Connection[Any]) -> None:
    result = run(target, "SELECT pg_advisory_lock(42);")
    assert any("advisory lock" in text and "released" in text for text in result.proof.checks)
    assert target.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_a_connection_in_a_transaction_is_refused(target: psycopg.Connection[Any]) -> None:
    target.execute("SELECT 1")
    with pytest.raises(ValueError, match="idle"):
        run(target, "SELECT 1;")


def test_ending_the_transaction_from_inside_is_caught(target: psycopg.Connection[Any]) -> None:
    """Nothing is left to the parser alone: two commands in one piece are refused by the protocol."""
    migration = Migration.from_sql("SELECT 1;")
    forged = migration.model_copy(update={"up": _Forged(migration.up)})
    result = DryRunExecutor().run(target, forged)
    assert result.failure is not None
    assert result.failure.sqlstate == "42601"
    assert target.execute("SELECT to_regclass('leak')").fetchone() == (None,)


class _Forged:
    """A script whose splitter missed a semicolon."""

    def __init__(
        self, script: Any, sql: str = "CREATE TABLE leak (id int); COMMIT; SELECT 1", *, only: int | None = None
    ) -> None:
        import dataclasses

        self.statements = tuple(
            dataclasses.replace(one, sql=sql) if only in (None, one.index) else one for one in script.statements
        )
        self.transaction_control = ()
        self.meta_commands = ()


def test_the_callers_own_advisory_locks_stay(target: psycopg.Connection[Any]) -> None:
    target.autocommit = True
    mine = "SELECT classid, objid, objsubid, mode FROM pg_locks WHERE locktype = 'advisory' ORDER BY 1, 2, 3, 4"
    target.execute("SELECT pg_advisory_lock(42), pg_advisory_lock_shared(-7), pg_advisory_lock(-1, 2147483647)")
    before = target.execute(mine).fetchall()
    result = run(
        target,
        "SELECT pg_advisory_lock(7), pg_advisory_lock(7), pg_advisory_lock(-9223372036854775808),\n"
        "pg_advisory_lock_shared(42), pg_advisory_lock_shared(-3, -2147483648), pg_advisory_lock(0, 42);",
    )
    assert result.ok, result.failure
    assert target.execute(mine).fetchall() == before
    assert any(text.startswith("5 advisory locks") for text in result.proof.checks)
    assert target.execute("SELECT pg_advisory_unlock(42), pg_advisory_unlock_shared(-7)").fetchone() == (True, True)


def test_statements_that_the_migration_prepared_go_and_the_callers_stay(target: psycopg.Connection[Any]) -> None:
    target.autocommit = True
    target.execute("PREPARE mine AS SELECT 1")
    target.execute("SELECT 2", prepare=True)
    names = "SELECT name FROM pg_prepared_statements ORDER BY name"
    before = target.execute(names).fetchall()
    assert len(before) == 2
    result = run(target, "PREPARE theirs AS SELECT 1;\nALTER TABLE t ADD COLUMN x int;")
    assert result.ok, result.failure
    assert target.execute(names).fetchall() == before
    assert any("theirs" in text for text in result.proof.checks)
    assert target.execute("SELECT 2", prepare=True).fetchone() == (2,)


def test_statements_of_the_caller_that_the_migration_deallocates_are_told(target: psycopg.Connection[Any]) -> None:
    target.autocommit = True
    target.execute("PREPARE mine AS SELECT 1")
    result = run(target, "DEALLOCATE mine;")
    assert any("mine" in text for text in result.proof.exceptions)


def test_a_lock_is_released_also_when_the_run_raises(target: psycopg.Connection[Any]) -> None:
    scope = CancelScope()

    def stop(event: Event) -> None:
        if event.name is EventName.STATEMENT_COMPLETED:
            scope.cancel()

    with pytest.raises(Cancelled):
        DryRunExecutor(sink=stop).run(target, Migration.from_sql("SELECT pg_advisory_lock(7); SELECT 1;"), scope=scope)
    assert target.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_a_late_cancel_never_meets_the_callers_next_statement(target: psycopg.Connection[Any]) -> None:
    """Pressed at every moment of a run, and on after it: the caller's own statements are not cancelled."""
    target.autocommit = True
    migration = Migration.from_sql("ALTER TABLE t ADD COLUMN x int; SELECT pg_sleep(0.01); SELECT 1;")
    outcomes: set[str] = set()
    for moment in range(36):
        scope, done, seen = CancelScope(), threading.Event(), threading.Event()
        left = [moment % 12]

        def count(_event: Event, left: list[int] = left, seen: threading.Event = seen) -> None:
            left[0] -= 1
            if left[0] <= 0:
                seen.set()

        def press(scope: CancelScope = scope, done: threading.Event = done, seen: threading.Event = seen) -> None:
            seen.wait(30)
            while not done.is_set():
                scope.cancel()

        thread = threading.Thread(target=press)
        thread.start()
        try:
            outcomes.add(DryRunExecutor(sink=count).run(target, migration, scope=scope).verdict)
        except Cancelled:
            outcomes.add("cancelled")
        assert target.execute("SELECT pg_sleep(0.01), 5").fetchone() == ("", 5)
        done.set()
        seen.set()
        thread.join()
        assert target.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    assert "cancelled" in outcomes


def test_its_own_immediate_stays_in_force(target: psycopg.Connection[Any]) -> None:
    """With constraints checked at once there are no pending trigger events, and ALTER TABLE is free to run."""
    result = run(
        target, "SET CONSTRAINTS ALL IMMEDIATE;\nINSERT INTO t (p_id) VALUES (1);\nALTER TABLE t ADD COLUMN x int;"
    )
    assert result.ok, result.failure
    late = run(target, "SET CONSTRAINTS ALL IMMEDIATE;\nINSERT INTO t (p_id) VALUES (99);\nSELECT 1;")
    assert late.failure is not None
    assert late.statements[1].outcome is Outcome.FAILED


def test_nothing_of_the_guard_is_observed(target: psycopg.Connection[Any]) -> None:
    result = run(target, "SET CONSTRAINTS ALL IMMEDIATE;\nSET CONSTRAINTS ALL DEFERRED;\nSELECT 1;")
    assert result.ok, result.failure
    for seen in result.statements:
        assert (seen.rows, seen.changes_data, seen.destroys_data) == (0, False, False)
    assert "confiture_guard" not in result.model_dump_json()
    assert not any("dead versions" in text for text in result.proof.exceptions)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT check_now()",
        "DISCARD TEMP",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET transaction_isolation = 'serializable'",
    ],
)
def test_what_only_the_dry_run_stands_in_the_way_of_does_not_fail(
    target: psycopg.Connection[Any], statement: str
) -> None:
    result = run(
        target,
        "CREATE FUNCTION check_now() RETURNS void LANGUAGE plpgsql AS 'begin set constraints all immediate; end';\n"
        f"{statement};\nSELECT 1;",
    )
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.failure is None
    assert result.statements[1].outcome is Outcome.NOT_RUN
    assert result.statements[1].reason
    assert "confiture_guard" not in result.model_dump_json()
    assert result.proof.nothing_persisted is True


def test_a_transaction_that_it_makes_read_only_is(target: psycopg.Connection[Any]) -> None:
    result = run(target, "SET TRANSACTION READ ONLY;\nSELECT 1;\nALTER TABLE t ADD COLUMN x int;")
    assert result.failure is not None
    assert (result.failure.sqlstate, result.failure.line) == ("25006", 3)


def test_a_commit_that_the_parser_missed_is_stopped_by_the_guard(target: psycopg.Connection[Any]) -> None:
    migration = Migration.from_sql("CREATE TABLE leak (id int); SELECT 1; SELECT 2;")
    forged = migration.model_copy(update={"up": _Forged(migration.up, "COMMIT", only=2)})
    result = DryRunExecutor().run(target, forged)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "guard" in (result.statements[1].reason or "")
    assert result.statements[2].outcome is Outcome.NOT_RUN
    assert target.execute("SELECT to_regclass('leak')").fetchone() == (None,)


def test_factories_of_the_caller_do_not_matter_and_come_back(server: EmbeddedServer, target: Any) -> None:
    with psycopg.connect(
        server.dsn(target.info.dbname, "plain").conninfo(),
        row_factory=dict_row,
        cursor_factory=psycopg.ClientCursor,
        client_encoding="SQL_ASCII",
    ) as conn:
        result = run(conn, "ALTER TABLE t ADD COLUMN x int; INSERT INTO t (p_id) VALUES (1);")
        assert result.ok, result.failure
        assert any("public.t_id_seq moved" in text for text in result.proof.exceptions)
        assert (conn.row_factory, conn.cursor_factory) == (dict_row, psycopg.ClientCursor)
        assert conn.info.encoding == "ascii"


@pytest.mark.parametrize(
    "lifts",
    [
        "SET lock_timeout = 0",
        "SET LOCAL lock_timeout = '1h'",
        "RESET ALL",
        "SELECT set_config('lock_timeout', '0', true)",
    ],
)
def test_the_ceiling_cannot_be_lifted(target: psycopg.Connection[Any], server: EmbeddedServer, lifts: str) -> None:
    with psycopg.connect(server.dsn(target.info.dbname).conninfo()) as other:
        other.execute("LOCK TABLE t IN ACCESS SHARE MODE")
        result = DryRunExecutor(lock_timeout_ms=50, statement_timeout_ms=20_000).run(
            target, Migration.from_sql(f"SELECT 1;\n{lifts};\nALTER TABLE t ADD COLUMN x int;")
        )
    assert result.failure is not None
    assert (result.failure.sqlstate, result.failure.line) == ("55P03", 3)
    assert any("Line 2: lock_timeout" in note and "50 ms" in note for note in result.notes)


def test_a_lower_limit_of_its_own_is_its_own(target: psycopg.Connection[Any]) -> None:
    result = run(target, "SET statement_timeout = '300ms';\nSELECT pg_sleep(60);")
    assert result.failure is not None
    assert (result.failure.sqlstate, result.failure.line) == ("57014", 2)
    assert result.notes == ()


def test_an_end_without_a_result_is_an_event(target: psycopg.Connection[Any]) -> None:
    events: list[Event] = []
    with pytest.raises(UsageError):
        DryRunExecutor(sink=events.append).run(target, Migration.from_sql("COMMIT;", version="007"))
    assert [(event.name, event.migration) for event in events] == [(EventName.DRY_RUN_FAILED, "007")]


def test_another_sessions_change_is_not_ours(target: psycopg.Connection[Any], server: EmbeddedServer) -> None:
    with psycopg.connect(server.dsn(target.info.dbname).conninfo(), autocommit=True) as other:

        def meanwhile(event: Event) -> None:
            if event.name is EventName.STATEMENT_COMPLETED:
                other.execute("CREATE TABLE somebody_elses (id int)")

        result = DryRunExecutor(sink=meanwhile).run(target, Migration.from_sql("ALTER TABLE t ADD COLUMN x int;"))
    assert result.ok
    assert result.proof.nothing_persisted is None
    assert any("by another session" in text for text in result.proof.checks)
    assert any("is aborted" in text for text in result.proof.checks)


def test_a_schema_that_cannot_be_read_again_costs_the_comparison_only(
    target: psycopg.Connection[Any], server: EmbeddedServer
) -> None:
    with psycopg.connect(server.dsn(target.info.dbname).conninfo()) as other:
        other.execute("CREATE VIEW seen AS SELECT id FROM p")
        other.commit()

        def meanwhile(event: Event) -> None:
            if event.name is EventName.STATEMENT_COMPLETED:
                other.execute("LOCK TABLE p")

        result = DryRunExecutor(sink=meanwhile).run(target, Migration.from_sql("SELECT 1;"))
    assert result.ok
    assert result.proof.nothing_persisted is None
    assert any("could not be compared" in text for text in result.proof.checks)


def test_a_migration_may_set_any_encoding(target: psycopg.Connection[Any]) -> None:
    result = run(target, "SET client_encoding = 'SQL_ASCII';\nALTER TABLE t ADD COLUMN x int;\nSELECT 1;")
    assert result.ok, result.failure
    assert [lock.relation for lock in result.statements[1].locks or ()] == ["public.t"]
    assert result.proof.nothing_persisted is True


def test_a_limit_between_statements_is_the_dry_runs_own(target: psycopg.Connection[Any]) -> None:
    result = run(target, "SET idle_in_transaction_session_timeout = '1ms';\nALTER TABLE t ADD COLUMN x int;")
    assert result.ok, result.failure
    assert result.proof.nothing_persisted is True
    wrong = run(target, "SELECT 1;\nSET idle_in_transaction_session_timeout = 'soon';")
    assert wrong.failure is not None
    assert (wrong.failure.sqlstate, wrong.failure.line) == ("22023", 2)


def test_a_time_out_that_meets_our_own_questions_is_no_failure_of_the_migration(
    target: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from confiture_tui.core.dry_run.observer import Observer

    look = Observer.look

    def slow(self: Observer) -> Any:
        target.execute("SELECT pg_sleep(0.2)")
        return look(self)

    monkeypatch.setattr(Observer, "look", slow)
    result = run(target, "SELECT 0;\nSET statement_timeout = '100ms';\nSELECT 1;")
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.failure is None
    assert [one.outcome for one in result.statements] == [Outcome.RAN, Outcome.NOT_RUN, Outcome.NOT_RUN]
    assert "57014" in (result.statements[1].reason or "")


def test_a_lost_connection_is_a_sentence(target: psycopg.Connection[Any], server: EmbeddedServer) -> None:
    events: list[Event] = []
    with psycopg.connect(server.dsn(target.info.dbname).conninfo(), autocommit=True) as admin:

        def kill(event: Event) -> None:
            events.append(event)
            if event.name is EventName.STATEMENT_COMPLETED:
                admin.execute("SELECT pg_terminate_backend(%s, 10000)", (target.info.backend_pid,))

        with pytest.raises(ConnectError, match="lost"):
            DryRunExecutor(sink=kill).run(target, Migration.from_sql("SELECT 1; SELECT 2;"))
    assert events[-1].name is EventName.DRY_RUN_FAILED
    with pytest.raises(ConnectError, match="closed"):
        run(target, "SELECT 1;")


def test_confiture_errors_are_sentences() -> None:
    error = ConfitureError("It happened.", hint="Do this.")
    assert str(error) == "It happened. Do this."
