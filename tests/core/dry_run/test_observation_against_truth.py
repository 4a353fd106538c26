"""The observer sees on the server at hand what the truth sample says that a server of its major does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.dry_run.result import DryRunResult, Outcome, Rows, Verdict
from confiture_tui.core.dry_run.session import SessionSettings
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import RunnerProfile, Wrapping
from tests.support.dsn import name_of
from tests.support.truth import Form, forms, kind, observed, relation

if TYPE_CHECKING:
    from confiture_tui.core.sql.script import Script
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

_SERVER_WIDE = {"create-database", "alter-system"}
_LOCKED_KINDS = {"r", "p", "v", "m", "S", "f"}


class _Wrapped(RunnerProfile):
    """A runner that wraps, or does not, whatever the file holds."""

    wrapping: Wrapping

    def wrapping_of(self, script: Script) -> Wrapping:
        return self.wrapping


def _profile(in_tx: bool) -> RunnerProfile:
    wrapping = Wrapping.TRANSACTION if in_tx else Wrapping.NONE
    return _Wrapped(name="test", lock_timeout_ms=None, statement_timeout_ms=None, wraps="never", wrapping=wrapping)


@pytest.mark.parametrize("form", forms(), ids=lambda form: form.id)
def test_observation_is_the_truth(form: Form, server: EmbeddedServer, database: Dsn) -> None:
    truth = observed(server.version_num // 10000).get(form.id)
    if truth is None:
        assert server.version_num // 10000 < form.min_pg, "a form without a truth for a server that has its syntax"
        return
    with psycopg.connect(database.conninfo(), autocommit=True) as conn:
        for statement in form.setup:
            conn.execute(statement.encode())
        row = conn.execute("SELECT current_setting('TimeZone')").fetchone()
    settings = SessionSettings({"TimeZone": row[0] if row else ""})
    shadow = Shadow.from_template(server, name_of(database), owner="postgres", rows=Rows.FULL, settings=settings)
    migration = Migration.from_sql(form.sql)
    result = shadow.dry_run(migration, profile=_profile(truth["in_tx"]))
    if migration.up.transaction_control:
        # The sample says nothing of what a COMMIT in the middle does: that it is told, and that the rest ran.
        assert any("ends the runner's transaction" in note for note in result.notes)
        assert result.ok, result.failure
        return
    if form.id in _SERVER_WIDE:
        assert [one.outcome for one in result.statements] == [Outcome.NOT_EXERCISED]
        assert result.verdict is Verdict.INCONCLUSIVE
        return
    seen, expected = _seen(result), _expected(truth)
    if migration.up.statements[0].node_kind == "CallStmt" and not expected["locks"]:
        # Locks of a procedure that commits were sampled by looking now and then, and one server's look came too late.
        # What another major saw is what is to be seen here.
        expected["locks"] = _expected(observed(18)[form.id])["locks"]
    assert seen == expected


def _expected(truth: dict[str, Any]) -> dict[str, Any]:
    if truth.get("sqlstate"):
        return {"sqlstate": truth["sqlstate"]}
    return {
        "locks": {
            relation(name): LockMode.from_pg_locks(mode).value
            for name, mode in truth["locks"].items()
            if kind(name) in _LOCKED_KINDS
        },
        "rewrites": sorted(map(relation, truth["rewritten"])),
        "scans": sorted(map(relation, truth["scanned"])),
        "builds": sorted(map(relation, truth["indexes_built"])),
        "rebuilds": sorted(map(relation, truth["indexes_rebuilt"])),
        "creates": sorted(map(relation, truth["created"])),
        "drops": sorted(map(relation, truth["dropped"])),
        "invalid_indexes": sorted(map(relation, truth["invalid_indexes"])),
        "transactional": truth["in_tx"],
    }


def _seen(result: DryRunResult) -> dict[str, Any]:
    """The whole script's effects: of several statements, the union and the strongest lock."""
    if result.failure is not None:
        return {"sqlstate": result.failure.sqlstate}
    locks: dict[str, LockMode] = {}
    names: dict[str, set[str]] = {
        key: set() for key in ("rewrites", "scans", "builds", "rebuilds", "creates", "drops", "invalid_indexes")
    }
    for statement in result.statements:
        assert statement.locks is not None, f"statement {statement.index} was not seen"
        for lock in statement.locks:
            known = locks.get(lock.relation)
            if known is None or known.strength < lock.mode.strength:
                locks[lock.relation] = lock.mode
        for key, found in names.items():
            found.update(getattr(statement, key) or ())
    return {
        "locks": {name: mode.value for name, mode in locks.items()},
        **{key: sorted(found) for key, found in names.items()},
        "transactional": all(statement.transactional for statement in result.statements),
    }
