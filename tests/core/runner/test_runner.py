"""Migrations are applied and taken back, whole or not at all, and the ledger says what is true."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.hooks.hook import Hook
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookOutcome, HookResult
from confiture_tui.core.migrations.ledger import read_ledger
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.runner.advisory_lock import NAMESPACE, LockHeld, object_key
from confiture_tui.core.runner.failures import HalfWay
from confiture_tui.core.runner.journal import TABLE, Journal, JournalState
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.core.runner.recovery import LeftState, mark, settle_journal
from confiture_tui.core.runner.result import RunOutcome, RunResult
from confiture_tui.core.runner.runner import MigrationRunner
from confiture_tui.core.sql.script import Script
from confiture_tui.core.traffic.model import GiveWayLimits
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.database.ledger_table import LedgerTable
from confiture_tui.errors import UsageError
from confiture_tui.events import Event, EventName

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.database.dsn import Dsn

Connection = psycopg.Connection[Any]
QUICK = RunPolicy(lock_timeout_ms=300, pause_ms=10, retries=2, outcome_wait_s=5)


def migration(up: str, down: str | None = None, *, version: str = "001", name: str = "step") -> Migration:
    made = Migration.from_sql(up, version=version, name=name)
    return made.model_copy(update={"down": Script(down)}) if down is not None else made


def apply(conn: Connection, *migrations: Migration, policy: RunPolicy = QUICK, **rest: Any) -> RunResult:
    hooks = rest.pop("hooks", None)
    return MigrationRunner(conn, policy=policy, **rest).apply(migrations, hooks=hooks)


def outcomes(result: RunResult) -> list[RunOutcome]:
    return [one.outcome for one in result.migrations]


def exists(conn: Connection, name: str) -> bool:
    row = conn.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone()
    return bool(row and row[0])


def applied(conn: Connection) -> list[str]:
    ledger = read_ledger(conn)
    return [row.version for row in ledger.migrations] if ledger else []


def states(conn: Connection) -> list[str]:
    return [row[0] for row in conn.execute(f"SELECT state FROM {TABLE} ORDER BY id").fetchall()]


def a_hook(
    work: Callable[[Connection, HookContext], Any],
    phase: HookPhase = HookPhase.AFTER_DDL,
    *,
    name: str = "probe",
    transactional: bool = True,
    idempotent: bool = False,
) -> Hook:
    def execute(_self: Hook, conn: Connection, context: HookContext) -> HookResult | None:
        found = work(conn, context)
        return found if isinstance(found, HookResult) else None

    members = {
        "name": name,
        "phase": phase,
        "transactional": transactional,
        "idempotent": idempotent,
        "execute": execute,
    }
    kind: type[Hook] = type("Probe", (Hook,), members)
    return kind()


def fail(_conn: Connection, _context: HookContext) -> None:
    raise ValueError("it does not fit")


def test_applying_writes_schema_ledger_and_journal(conn: Connection) -> None:
    first = migration("CREATE TABLE a (id int);\nCREATE TABLE b (id int);")
    second = migration("ALTER TABLE a ADD COLUMN n int", version="002", name="more")
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


# --- Locks


def test_a_lock_that_is_not_granted_is_asked_for_again_and_then_had(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE a (id int)")
    events: list[Event] = []
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("LOCK TABLE a")

        def sink(event: Event) -> None:
            events.append(event)
            if event.name is EventName.LOCK_TIMEOUT_RETRY:
                holder.rollback()

        result = apply(conn, migration("ALTER TABLE a ADD COLUMN n int"), sink=sink)
    assert outcomes(result) == [RunOutcome.APPLIED]
    assert result.migrations[0].attempts == 2
    assert any(event.name is EventName.LOCK_TIMEOUT_RETRY for event in events)


def test_a_lock_that_is_never_granted_fails_and_names_who_holds_it(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE a (id int)")
    with psycopg.connect(database.conninfo(), application_name="long report") as holder:
        holder.execute("LOCK TABLE a")
        result = apply(conn, migration("ALTER TABLE a ADD COLUMN n int"))
    assert outcomes(result) == [RunOutcome.FAILED]
    assert result.migrations[0].attempts == 3
    assert "55P03" in (result.migrations[0].error or "")
    assert "long report" in (result.migrations[0].error or "")


def test_it_gives_way_to_others_and_succeeds_when_they_are_gone(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE a (id int)")
    policy = QUICK.model_copy(update={"lock_timeout_ms": 60_000, "give_way": GiveWayLimits(wait_ms=200)})
    ready, events = threading.Event(), list[Event]()
    with (
        psycopg.connect(database.conninfo(), autocommit=True) as reader,
        psycopg.connect(database.conninfo()) as holder,
    ):
        holder.execute("SELECT * FROM a")

        def sink(event: Event) -> None:
            events.append(event)
            if event.name is EventName.STATEMENT_START:
                ready.set()
            if event.name is EventName.LOCK_TIMEOUT_RETRY:
                holder.rollback()

        waited: list[str] = []

        def read() -> None:
            assert ready.wait(30)
            # Not before the ALTER is in the queue: only then a reader has to wait behind it.
            while not reader.execute(
                "SELECT 1 FROM pg_locks WHERE relation = 'a'::regclass AND NOT granted"
            ).fetchone():
                pass
            reader.execute("SELECT count(*) FROM a")
            waited.append("done")

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        result = apply(conn, migration("ALTER TABLE a ADD COLUMN n int"), policy=policy, sink=sink)
        thread.join(30)
    assert outcomes(result) == [RunOutcome.APPLIED]
    assert waited == ["done"]
    assert EventName.GAVE_WAY in [event.name for event in events]


@pytest.mark.parametrize("idempotent", [True, False])
def test_it_gives_way_in_the_middle_of_a_hook_too(conn: Connection, database: Dsn, idempotent: bool) -> None:
    conn.execute("CREATE TABLE a (id int)")
    policy = QUICK.model_copy(update={"give_way": GiveWayLimits(wait_ms=200)})
    locked, tries = threading.Event(), list[int]()

    def work(inner: Connection, _context: HookContext) -> None:
        tries.append(1)
        if len(tries) == 1:
            inner.execute("LOCK TABLE a")
            locked.set()
            inner.execute("SELECT pg_sleep(60)")

    def read() -> None:
        assert locked.wait(30)
        with psycopg.connect(database.conninfo()) as reader:
            reader.execute("SELECT count(*) FROM a")

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    hook = a_hook(work, idempotent=idempotent)
    result = apply(conn, migration("CREATE TABLE b (id int)"), hooks={"001": [hook]}, policy=policy)
    thread.join(30)
    assert not thread.is_alive()
    assert outcomes(result) == [RunOutcome.APPLIED if idempotent else RunOutcome.FAILED]
    assert len(tries) == (2 if idempotent else 1)
    assert exists(conn, "b") is idempotent
    if not idempotent:
        assert "gave way" in (result.migrations[0].error or "")


def test_what_is_said_to_be_done_outlasts_a_crash(conn: Connection) -> None:
    conn.execute(f"ALTER DATABASE {conn.info.dbname} SET synchronous_commit = off")
    one = migration("CREATE TABLE a AS SELECT current_setting('synchronous_commit') AS it")
    assert apply(conn, one).ok
    assert conn.execute("SELECT it FROM a").fetchone() == ("on",)


def test_a_cancel_reaches_a_hook_before_the_transaction(conn: Connection) -> None:
    scope, over = CancelScope(), threading.Event()

    def sink(event: Event) -> None:
        if event.name is EventName.HOOK_START:
            threading.Thread(target=press, daemon=True).start()

    def press() -> None:
        while not over.wait(0.05):
            scope.cancel()

    def sleep(inner: Connection, _context: HookContext) -> None:
        inner.execute("SELECT pg_sleep(60)")

    hook = a_hook(sleep, HookPhase.BEFORE_VALIDATION)
    result = apply(conn, migration("SELECT 1"), hooks={"001": [hook]}, sink=sink, scope=scope)
    over.set()
    assert result.exit_code == 130
    assert applied(conn) == []


def test_only_one_run_at_a_time(conn: Connection, database: Dsn) -> None:
    with psycopg.connect(database.conninfo(), application_name="colleague") as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", (NAMESPACE, object_key(conn.info.dbname)))
        with pytest.raises(LockHeld, match="colleague") as caught:
            apply(conn, migration("CREATE TABLE a (id int)"))
    assert caught.value.exit_code == 6
    assert not exists(conn, "a")


# --- Hooks


def test_hooks_run_in_their_phases_and_the_ledger_comes_after_them(conn: Connection) -> None:
    seen: list[tuple[str, bool, bool]] = []

    def look(phase: HookPhase) -> Hook:
        def work(inner: Connection, _context: HookContext) -> None:
            in_ledger = LedgerTable("public").holds(inner, "001")
            seen.append((phase, exists(inner, "a"), in_ledger))

        return a_hook(work, phase, name=phase.lower())

    result = apply(conn, migration("CREATE TABLE a (id int)"), hooks={"001": [look(phase) for phase in HookPhase]})
    assert result.ok
    assert seen == [
        ("BEFORE_VALIDATION", False, False),
        ("BEFORE_DDL", False, False),
        ("AFTER_DDL", True, False),
        ("AFTER_VALIDATION", True, False),
        ("CLEANUP", True, True),
    ]
    assert [one.phase for one in result.migrations[0].hooks] == [row[0] for row in seen]


@pytest.mark.parametrize("phase", [HookPhase.BEFORE_VALIDATION, HookPhase.BEFORE_DDL, HookPhase.AFTER_VALIDATION])
def test_a_hook_that_fails_takes_the_migration_with_it_and_on_error_runs(conn: Connection, phase: HookPhase) -> None:
    told: list[str] = []
    hooks = [
        a_hook(fail, phase, name="broken"),
        a_hook(lambda _conn, context: told.append(str(context.error)), HookPhase.ON_ERROR, name="teller"),
        a_hook(fail, HookPhase.ON_ERROR, name="broken_too"),
    ]
    result = apply(conn, migration("CREATE TABLE a (id int)"), hooks={"001": hooks})
    assert outcomes(result) == [RunOutcome.FAILED]
    assert "it does not fit" in (result.migrations[0].error or "")
    assert len(told) == 1
    assert "it does not fit" in told[0]
    assert {one.hook: one.outcome for one in result.migrations[0].hooks}["broken_too"] is HookOutcome.FAILED
    assert not exists(conn, "a")
    assert applied(conn) == []


def test_a_hook_with_transactions_of_its_own_runs_after_the_commit(conn: Connection) -> None:
    def fill(inner: Connection, _context: HookContext) -> HookResult:
        assert LedgerTable("public").holds(inner, "001")
        for number in range(3):
            with inner.transaction():
                inner.execute("INSERT INTO a VALUES (%s)", (number,))
        return HookResult(rows_affected=3)

    after = a_hook(lambda inner, _: exists(inner, "a"), HookPhase.AFTER_VALIDATION, name="check")
    result = apply(
        conn, migration("CREATE TABLE a (id int)"), hooks={"001": [a_hook(fill, transactional=False), after]}
    )
    assert result.ok
    (one,) = result.migrations
    assert [hook.hook for hook in one.hooks] == ["probe", "check"]
    assert one.statements_ms is not None
    assert 0 < one.statements_ms <= one.elapsed_ms - sum(hook.elapsed_ms for hook in one.hooks)
    assert states(conn) == ["done"]


def test_a_failure_after_the_commit_is_half_way_and_can_be_resumed(conn: Connection) -> None:
    broken = True
    ran: list[str] = []

    def maybe(_conn: Connection, _context: HookContext) -> None:
        ran.append("second")
        if broken:
            raise ValueError("not yet")

    hooks = [
        a_hook(lambda *_: ran.append("first"), name="first", transactional=False),
        a_hook(maybe, name="second", transactional=False),
    ]
    one = migration("CREATE TABLE a (id int)")
    result = apply(conn, one, hooks={"001": hooks})
    assert outcomes(result) == [RunOutcome.INTERRUPTED]
    assert result.exit_code == 5
    assert "committed" in (result.migrations[0].error or "")
    assert exists(conn, "a")
    assert applied(conn) == ["001"]
    (left,) = settle_journal(conn, Journal("public"))
    assert left.state is LeftState.HOOKS_PENDING
    assert "AFTER_DDL:first" in left.sentence
    with pytest.raises(HalfWay, match="hooks after the commit are not done"):
        apply(conn, migration("CREATE TABLE b (id int)", version="002"))
    broken = False
    resumed = MigrationRunner(conn, policy=QUICK).resume(one, left.entry, hooks=hooks)
    assert resumed.ok
    assert resumed.migrations[0].statements_ms is None, "they were run before it"
    assert ran == ["first", "second", "second"]
    assert states(conn) == ["done"]


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_hook_after_the_commit_that_others_wait_for_is_run_again_if_it_may_be(
    conn: Connection, database: Dsn, idempotent: bool
) -> None:
    conn.execute("CREATE TABLE a (id int)")
    policy = QUICK.model_copy(update={"give_way": GiveWayLimits(wait_ms=200)})
    locked, tries = threading.Event(), list[int]()

    def fill(inner: Connection, _context: HookContext) -> None:
        tries.append(1)
        with inner.transaction():
            inner.execute("LOCK TABLE a")
            locked.set()
            inner.execute("SELECT pg_sleep(%s)", (60 if len(tries) == 1 else 0,))

    def read() -> None:
        assert locked.wait(30)
        with psycopg.connect(database.conninfo()) as reader:
            reader.execute("SELECT count(*) FROM a")

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    hook = a_hook(fill, transactional=False, idempotent=idempotent)
    result = apply(conn, migration("CREATE TABLE b (id int)"), hooks={"001": [hook]}, policy=policy)
    thread.join(30)
    assert not thread.is_alive()
    assert outcomes(result) == [RunOutcome.APPLIED if idempotent else RunOutcome.INTERRUPTED]
    assert len(tries) == (2 if idempotent else 1)
    assert exists(conn, "b")
    if not idempotent:
        assert "gave way" in (result.migrations[0].error or "")


def test_a_hook_that_hangs_fails_the_migration_and_the_next_run_goes_on(conn: Connection) -> None:
    over, told = threading.Event(), list[str]()
    stuck = a_hook(lambda *_: over.wait())
    type(stuck).timeout_s = 0.05
    teller = a_hook(lambda _conn, context: told.append(str(context.error)), HookPhase.ON_ERROR, name="teller")
    one = migration("CREATE TABLE a (id int)")
    result = apply(conn, one, hooks=[stuck, teller])
    over.set()
    assert outcomes(result) == [RunOutcome.FAILED]
    assert "did not stop" in (result.migrations[0].error or "")
    assert "Nothing of it stands." in (result.migrations[0].error or "")
    assert len(told) == 1
    assert not exists(conn, "a")
    assert apply(conn, one).ok


def test_one_migration_runs_with_what_it_declares(conn: Connection, tmp_path: Path) -> None:
    (tmp_path / "001_a.hooks.yaml").write_text(
        "hooks:\n- hook: analyze_tables\n  options: {tables: [a]}\n"
        "- {hook: analyze_tables, direction: backward, phase: AFTER_DDL, options: {tables: [a]}}\n"
    )
    one = migration("CREATE TABLE a (id int)", "SELECT 1").model_copy(update={"path": tmp_path / "001_a.up.sql"})
    runner = MigrationRunner(conn, policy=QUICK)
    assert [hook.phase for hook in runner.apply(one).migrations[0].hooks] == [HookPhase.CLEANUP]
    assert [hook.phase for hook in runner.rollback(one).migrations[0].hooks] == [HookPhase.AFTER_DDL]
    assert runner.apply(one, hooks={}).migrations[0].hooks == ()


def test_a_hook_that_went_well_before_the_one_that_failed_counts_for_a_retry(conn: Connection, database: Dsn) -> None:
    conn.execute("CREATE TABLE a (id int)")
    sent: list[str] = []
    hooks = [
        a_hook(lambda *_: sent.append("a message"), name="sender"),
        a_hook(lambda inner, _: inner.execute("LOCK TABLE a"), name="locker", idempotent=True),
    ]
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("LOCK TABLE a")
        result = apply(conn, migration("CREATE TABLE b (id int)"), hooks=hooks)
    assert outcomes(result) == [RunOutcome.FAILED]
    assert sent == ["a message"]


def test_backward_hooks_know_the_direction(conn: Connection) -> None:
    directions: list[str] = []
    both = migration("CREATE TABLE a (id int)", "DROP TABLE a")
    hooks = {"001": [a_hook(lambda _conn, context: directions.append(context.direction))]}
    apply(conn, both, hooks=hooks)
    MigrationRunner(conn, policy=QUICK).rollback([both], hooks=hooks)
    assert directions == ["forward", "backward"]


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_retry_with_hooks_only_if_all_that_ran_allow_it(conn: Connection, database: Dsn, idempotent: bool) -> None:
    conn.execute("CREATE TABLE a (id int)")
    hook = a_hook(lambda *_: None, HookPhase.BEFORE_DDL, idempotent=idempotent)
    with psycopg.connect(database.conninfo()) as holder:
        holder.execute("LOCK TABLE a")
        result = apply(conn, migration("ALTER TABLE a ADD n int"), hooks={"001": [hook]})
    assert result.migrations[0].attempts == (3 if idempotent else 1)
    assert outcomes(result) == [RunOutcome.FAILED]


def test_a_hook_that_commits_by_itself_fails_and_what_stands_is_told(conn: Connection) -> None:
    hook = a_hook(lambda inner, _: inner.execute("COMMIT"))
    result = apply(conn, migration("CREATE TABLE a (id int)"), hooks={"001": [hook]})
    assert outcomes(result) == [RunOutcome.INTERRUPTED]
    assert "until then stands" in (result.migrations[0].error or "")
    assert exists(conn, "a")
    assert applied(conn) == []
    (left,) = settle_journal(conn, Journal("public"))
    assert "part of it stands" in left.sentence
    assert left.actions == ("mark_applied", "mark_pending")


# --- Outside a transaction

STEPS = (
    "CREATE TABLE a (id int);\nINSERT INTO a SELECT generate_series(1, 100);\n"
    "CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);\nALTER TABLE a ADD COLUMN n int;"
)


def test_statements_outside_a_transaction_are_journalled_one_by_one(conn: Connection) -> None:
    result = apply(conn, migration(STEPS))
    assert outcomes(result) == [RunOutcome.APPLIED]
    row = conn.execute(f"SELECT transactional, statement_begun, statement_done, state FROM {TABLE}").fetchone()
    assert row == (False, 4, 4, "done")


def test_half_way_outside_a_transaction_is_told_and_resumed(conn: Connection) -> None:
    one = migration(STEPS.replace("generate_series(1, 100)", "unnest('{1,1}'::int[])"))
    result = apply(conn, one)
    assert outcomes(result) == [RunOutcome.INTERRUPTED]
    assert "Statements 1 to 2 of 4 stand" in (result.migrations[0].error or "")
    assert not exists(conn, "a_id"), "the invalid index was dropped"
    (left,) = settle_journal(conn, Journal("public"))
    assert left.state is LeftState.PARTLY_DONE
    conn.execute("DELETE FROM a WHERE ctid <> (SELECT min(ctid) FROM a)")
    resumed = MigrationRunner(conn, policy=QUICK).resume(one, left.entry)
    assert outcomes(resumed) == [RunOutcome.APPLIED]
    assert applied(conn) == ["001"]
    assert exists(conn, "a_id")


def test_what_the_file_has_set_counts_when_it_is_resumed(conn: Connection) -> None:
    conn.execute("CREATE SCHEMA other")
    one = migration(
        "SET search_path = other;\nCREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n"
        "SELECT * FROM public.gate;\nCREATE TABLE b (id int);"
    )
    assert outcomes(apply(conn, one)) == [RunOutcome.INTERRUPTED]
    conn.execute("CREATE TABLE public.gate (id int)")
    (left,) = settle_journal(conn, Journal("public"))
    assert MigrationRunner(conn, policy=QUICK).resume(one, left.entry).ok
    assert exists(conn, "other.b")


def test_a_failure_of_the_first_statement_outside_a_transaction_leaves_nothing(conn: Connection) -> None:
    conn.execute("CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1)")
    result = apply(conn, migration("CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id)"))
    assert outcomes(result) == [RunOutcome.FAILED]
    assert not exists(conn, "a_id")


def test_an_invalid_index_behind_if_not_exists_is_a_failure(conn: Connection) -> None:
    conn.execute("CREATE TABLE a (id int); CREATE INDEX a_id ON a (id)")
    conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a_id'::regclass")
    result = apply(conn, migration("CREATE INDEX CONCURRENTLY IF NOT EXISTS a_id ON a (id)"))
    assert outcomes(result) == [RunOutcome.FAILED]
    assert "is not valid" in (result.migrations[0].error or "")


def test_the_files_own_settings_win(conn: Connection) -> None:
    text = (
        "SET lock_timeout = '7s';\nCREATE TABLE a AS SELECT current_setting('lock_timeout') AS own;\n"
        "CREATE INDEX CONCURRENTLY a_own ON a (own);"
    )
    assert apply(conn, migration(text)).ok
    assert conn.execute("SELECT own FROM a").fetchone() == ("7s",)


# --- What was left


def leave(conn: Connection, *, state: JournalState, transaction_id: str | None = None, **columns: Any) -> int:
    """An entry as a run that was killed leaves it."""
    LedgerTable("public").create(conn)
    journal = Journal("public")
    journal.create(conn)
    entry = journal.begin(
        conn,
        run_id="00000000-0000-0000-0000-000000000000",
        version="001",
        name="step",
        direction="forward",
        checksum=migration("CREATE TABLE a (id int)").checksum,
        transactional=columns.pop("transactional", True),
        statements=1,
        tool_version="0",
    )
    journal.update(conn, entry, state=state, transaction_id=transaction_id, **columns)
    return entry


def test_a_run_that_was_killed_before_the_commit_needs_nobody(conn: Connection) -> None:
    leave(conn, state=JournalState.RUNNING)
    assert settle_journal(conn, Journal("public")) == ()
    assert states(conn) == ["failed"]
    assert apply(conn, migration("CREATE TABLE a (id int)")).ok


@pytest.mark.parametrize("committed", [True, False])
def test_a_run_that_was_killed_during_the_commit_is_settled_by_the_server(conn: Connection, committed: bool) -> None:
    conn.execute("BEGIN")
    (xid,) = conn.execute("SELECT pg_current_xact_id()::text").fetchone() or (None,)
    conn.execute("CREATE TABLE a (id int)")
    conn.execute("COMMIT" if committed else "ROLLBACK")
    leave(conn, state=JournalState.COMMITTING, transaction_id=xid)
    assert settle_journal(conn, Journal("public")) == ()
    assert states(conn) == ["done" if committed else "failed"]


def test_a_commit_before_hooks_that_were_never_run_is_half_way(conn: Connection) -> None:
    conn.execute("BEGIN")
    (xid,) = conn.execute("SELECT pg_current_xact_id()::text").fetchone() or (None,)
    conn.execute("COMMIT")
    one = migration("CREATE TABLE a (id int)")
    leave(conn, state=JournalState.COMMITTING, transaction_id=xid, hooks_after=True)
    (left,) = settle_journal(conn, Journal("public"))
    assert left.state is LeftState.HOOKS_PENDING
    ran: list[str] = []
    hook = a_hook(lambda *_: ran.append("now"), transactional=False)
    assert MigrationRunner(conn, policy=QUICK).resume(one, left.entry, hooks=[hook]).ok
    assert ran == ["now"]
    assert not exists(conn, "a"), "what is committed is not run again"


@pytest.mark.parametrize("as_applied", [True, False])
def test_a_person_can_settle_what_is_left(conn: Connection, as_applied: bool) -> None:
    leave(conn, state=JournalState.COMMITTING, transaction_id="4294967296000")
    (left,) = settle_journal(conn, Journal("public"))
    assert left.state is LeftState.UNKNOWN
    with pytest.raises(HalfWay):
        apply(conn, migration("CREATE TABLE a (id int)"))
    mark(conn, Journal("public"), LedgerTable("public"), left.entry, applied=as_applied)
    assert applied(conn) == (["001"] if as_applied else [])
    assert settle_journal(conn, Journal("public")) == ()


def test_a_file_that_has_changed_is_not_resumed(conn: Connection) -> None:
    leave(conn, state=JournalState.RUNNING, transactional=False, statement_begun=1)
    (left,) = settle_journal(conn, Journal("public"))
    with pytest.raises(UsageError, match="no longer the file"):
        MigrationRunner(conn).resume(migration("CREATE TABLE other (id int)"), left.entry)


@pytest.mark.parametrize("valid", [True, False])
def test_resume_finds_out_what_became_of_an_index(conn: Connection, valid: bool) -> None:
    one = migration("CREATE INDEX CONCURRENTLY a_id ON a (id)")
    conn.execute("CREATE TABLE a (id int); CREATE INDEX a_id ON a (id)")
    if not valid:
        conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a_id'::regclass")
    before = conn.execute("SELECT 'a_id'::regclass::oid").fetchone()
    leave(conn, state=JournalState.RUNNING, transactional=False, statement_begun=1, checksum=one.checksum)
    (left,) = settle_journal(conn, Journal("public"))
    assert MigrationRunner(conn, policy=QUICK).resume(one, left.entry).ok
    after = conn.execute("SELECT i.indexrelid, i.indisvalid FROM pg_index i WHERE indrelid = 'a'::regclass").fetchall()
    assert [row[1] for row in after] == [True]
    assert (before == after[0][:1]) is valid
    assert applied(conn) == ["001"]


# --- Cancelling


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
