"""Hooks in a dry run on a shadow: where a runner would run them, with its savepoints, and never outside the shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.dry_run.result import DryRunResult, Outcome, Rows, Verdict
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.hooks.hook import Hook
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.hooks.result import HookOutcome, HookResult
from confiture_tui.core.migrations.model import Migration
from tests.support.dsn import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = "CREATE TABLE jam (id int PRIMARY KEY, sugar int); INSERT INTO jam SELECT n, n FROM generate_series(1, 9) n;"
UP = Migration.from_sql("ALTER TABLE jam ADD COLUMN salt int;")

seen: list[tuple[str, bool]] = []


class Watch(Hook):
    """Says that it ran, and whether the column was there; runs anywhere."""

    name = "watch"
    phase = HookPhase.AFTER_DDL
    phases = frozenset(HookPhase)

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult | None:
        row = conn.execute("SELECT EXISTS (SELECT FROM pg_attribute WHERE attname = 'salt')").fetchone()
        seen.append((str(context.phase), bool(row and row[0])))
        assert (context.dry_run, context.on_shadow) == (True, True)
        return HookResult(rows_affected=1)


class Fill(Hook):
    """Makes transactions of its own."""

    name = "fill"
    phase = HookPhase.AFTER_DDL
    transactional = False

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult | None:
        with conn.transaction():
            return HookResult(rows_affected=conn.execute("UPDATE jam SET salt = 1").rowcount)


class Post(Hook):
    """Would tell somebody outside."""

    name = "post"
    phase = HookPhase.CLEANUP
    outside_effects = True

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult | None:
        raise AssertionError("a dry run must not run it")


class Refuse(Hook):
    """Fails, as an SQL error of the class that its options would say, after it has changed something."""

    name = "refuse"
    phase = HookPhase.AFTER_VALIDATION
    phases = frozenset(HookPhase)
    statement = "SELECT 1 / 0"

    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult | None:
        conn.execute("DELETE FROM jam")
        conn.execute(self.statement.encode())
        return None


class RefuseForWant(Refuse):
    """Fails on something that no row decides."""

    name = "refuse_for_want"
    statement = "SELECT * FROM nowhere"


@pytest.fixture
def shadow(server: EmbeddedServer, database_from: Callable[[str], Dsn]) -> Shadow:
    seen.clear()
    return Shadow.from_template(server, name_of(database_from(SCHEMA)), owner="postgres", rows=Rows.FULL)


def outcomes(result: DryRunResult) -> list[tuple[str, HookOutcome]]:
    return [(one.hook, one.outcome) for one in result.hooks]


def test_each_phase_comes_where_a_runner_has_it(shadow: Shadow) -> None:
    result = shadow.dry_run(UP, hooks=[Watch(phase=phase) for phase in HookPhase])
    assert result.ok
    assert seen == [
        ("BEFORE_VALIDATION", False),
        ("BEFORE_DDL", False),
        ("AFTER_DDL", True),
        ("AFTER_VALIDATION", True),
        ("CLEANUP", True),
    ]
    assert outcomes(result) == [("watch", HookOutcome.OK)] * 5


def test_one_with_its_own_transactions_runs_after_the_commit_and_one_with_outside_effects_never(
    shadow: Shadow,
) -> None:
    result = shadow.dry_run(UP, hooks=[Watch(), Fill(), Post()])
    assert result.ok
    assert outcomes(result) == [
        ("watch", HookOutcome.OK),
        ("fill", HookOutcome.OK),
        ("post", HookOutcome.NOT_EXERCISED),
    ]
    assert result.hooks[1].rows_affected == 9
    assert "outside the database" in (result.hooks[2].error or "")


def test_a_hook_that_fails_fails_the_migration_which_leaves_nothing(shadow: Shadow) -> None:
    result = shadow.dry_run(UP, hooks=[Refuse(), Watch(phase=HookPhase.ON_ERROR)])
    assert result.verdict is Verdict.FAILS
    assert result.failure is not None
    assert result.failure.sqlstate == "22012"
    assert "refuse (AFTER_VALIDATION)" in result.failure.message
    assert [one.outcome for one in result.statements] == [Outcome.RAN]
    assert result.schema_diff is None
    assert result.round_trip is None
    assert outcomes(result) == [("refuse", HookOutcome.FAILED), ("watch", HookOutcome.OK)]
    assert seen == [("ON_ERROR", False)]


@pytest.mark.parametrize("phase", [HookPhase.BEFORE_VALIDATION, HookPhase.BEFORE_DDL])
def test_one_that_fails_before_the_statements_keeps_them_from_running(shadow: Shadow, phase: HookPhase) -> None:
    result = shadow.dry_run(UP, hooks=[Refuse(phase=phase)])
    assert result.verdict is Verdict.FAILS
    assert [(one.outcome, one.reason) for one in result.statements] == [(Outcome.NOT_RUN, "a hook before it failed")]


def test_one_that_fails_after_the_commit_is_told_to_stop_half_way(shadow: Shadow) -> None:
    class Late(Fill):
        name = "late"

        def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult | None:
            raise RuntimeError("no")

    result = shadow.dry_run(UP, hooks=[Late()])
    assert result.verdict is Verdict.FAILS
    assert result.schema_diff
    assert any("stop half-way" in note for note in result.notes)


def test_without_rows_only_what_rows_do_not_decide_is_certain(
    server: EmbeddedServer, database_from: Callable[[str], Dsn]
) -> None:
    empty = Shadow.from_template(server, name_of(database_from(SCHEMA)), owner="postgres", rows=Rows.NONE)
    assert empty.dry_run(UP, hooks=[Refuse()]).verdict is Verdict.INCONCLUSIVE
    assert empty.dry_run(UP, hooks=[RefuseForWant()]).verdict is Verdict.FAILS


def test_one_with_its_own_transactions_before_the_statements_is_refused_as_by_the_runner(shadow: Shadow) -> None:
    class Early(Fill):
        name = "early"
        phase = HookPhase.BEFORE_DDL

    result = shadow.dry_run(UP, hooks=[Early()])
    assert result.verdict is Verdict.FAILS
    assert result.failure is not None
    assert "makes transactions of its own" in result.failure.message
