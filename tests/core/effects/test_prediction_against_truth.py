"""What is predicted is what the truth sample says that a server of this major does.

With a catalog, field by field. Without one the prediction may only err towards worse, or say that it does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from confiture_tui.core.catalog.catalog import Catalog
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import Reach
from confiture_tui.core.effects.simulation import Simulation, simulate
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import PROFILES, RunnerProfile, Wrapping
from tests.support.truth import Form, forms, kind, observed, relation

if TYPE_CHECKING:
    from confiture_tui.core.sql.script import Script
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer

_LOCKED_KINDS = {"r", "p", "v", "m", "S", "f"}
_NAMES = ("rewrites", "scans", "builds", "rebuilds", "creates", "drops", "invalid_indexes")
_TRUTH_NAMES = {
    "rewrites": "rewritten",
    "scans": "scanned",
    "builds": "indexes_built",
    "rebuilds": "indexes_rebuilt",
    "creates": "created",
    "drops": "dropped",
    "invalid_indexes": "invalid_indexes",
}
_DATA_DECIDE = {"22001", "22003", "22007", "22008", "22P02", "23502", "23503", "23505", "23514", "23P01"}


class _Wrapped(RunnerProfile):
    """A runner that wraps, or does not, whatever the file holds."""

    wrapping: Wrapping

    def wrapping_of(self, script: Script) -> Wrapping:
        return self.wrapping


def _profile(truth: dict[str, Any]) -> RunnerProfile:
    wrapping = Wrapping.TRANSACTION if truth["in_tx"] else Wrapping.NONE
    return _Wrapped(name="test", lock_timeout_ms=None, statement_timeout_ms=None, wraps="never", wrapping=wrapping)


def _truth(form: Form, server: EmbeddedServer) -> dict[str, Any]:
    major = server.version_num // 10000
    truth = observed(major).get(form.id)
    if truth is None:
        assert major < form.min_pg, "a form without a truth for a server that has its syntax"
        pytest.skip("the server does not have this syntax")
    if form.sql.startswith("CALL") and not truth["locks"]:
        # Locks of a procedure that commits were sampled by looking now and then, and one look came too late.
        truth = {**truth, "locks": observed(18)[form.id]["locks"]}
    return truth


@pytest.mark.parametrize("form", forms(), ids=lambda form: form.id)
def test_with_a_catalog(form: Form, server: EmbeddedServer, database: Dsn) -> None:
    truth = _truth(form, server)
    with psycopg.connect(database.conninfo(), autocommit=True) as conn:
        for statement in form.setup:
            conn.execute(statement.encode())
        catalog = Catalog.load(conn)
    migration = Migration.from_sql(form.sql)
    simulation = simulate(migration, catalog=catalog, profile=_profile(truth))
    if truth.get("sqlstate"):
        certain = [one.effects.fails.sqlstate for one in simulation.forecasts if one.effects.fails]
        possible = {fail.sqlstate for one in simulation.forecasts for fail in one.effects.may_fail or ()}
        if truth["sqlstate"] in _DATA_DECIDE:
            assert not certain
            assert truth["sqlstate"] in possible
        else:
            assert certain == [truth["sqlstate"]]
        return
    assert not [one.effects.fails for one in simulation.forecasts if one.effects.fails]
    if migration.up.transaction_control:
        return  # the sample says nothing of what a COMMIT in the middle does
    assert _predicted(simulation) == _expected(truth)
    touched = {one.effects.destroys_data for one in simulation.forecasts}
    touched |= {one.effects.changes_data for one in simulation.forecasts}
    if truth["data"]:
        assert touched - {False}, "rows went or changed"
    else:
        assert True not in touched


@pytest.mark.parametrize("form", forms(), ids=lambda form: form.id)
def test_without_a_catalog_it_errs_towards_worse(form: Form) -> None:
    if not (truth := observed(18).get(form.id)):
        pytest.skip("no server of the newest major was asked")
    migration = Migration.from_sql(form.sql)
    simulation = simulate(migration, profile=_profile(truth))
    effects = [one.effects for one in simulation.forecasts]
    complete = all(one.reach is Reach.COMPLETE and one.opaque is False for one in effects)
    if truth.get("sqlstate"):
        possible = {fail.sqlstate for one in effects for fail in one.may_fail or ()}
        certain = {one.fails.sqlstate for one in effects if one.fails}
        assert truth["sqlstate"] in possible | certain or not complete
        return
    assert not [one.fails for one in effects if one.fails]
    if migration.up.transaction_control:
        return
    predicted, expected = _predicted(simulation), _expected(truth)
    for name, mode in expected["locks"].items():
        known = predicted["locks"].get(name)
        assert known is not None or not complete
        if known is not None:
            assert LockMode(known).strength >= LockMode(mode).strength or not complete
    for field in ("rewrites", "scans", "invalid_indexes", "creates"):
        assert set(expected[field]) <= set(predicted[field]) or not complete
    assert predicted["transactional"] is not True or expected["transactional"]


def test_unclassified_is_never_safe() -> None:
    """A statement that nobody has written a handler for says so."""
    simulation = simulate(Migration.from_sql("SELECT 1; NOT SQL AT ALL"), profile=PROFILES["loose"])
    unread = simulation.forecasts[-1].effects
    assert unread.basis is None
    assert unread.locks is None


def _expected(truth: dict[str, Any]) -> dict[str, Any]:
    return {
        "locks": {
            relation(name): LockMode.from_pg_locks(mode).value
            for name, mode in truth["locks"].items()
            if kind(name) in _LOCKED_KINDS
        },
        **{field: sorted(map(relation, truth[key])) for field, key in _TRUTH_NAMES.items()},
        "transactional": truth["in_tx"],
    }


def _predicted(simulation: Simulation) -> dict[str, Any]:
    """The whole script's effects: of several statements, the union and the strongest lock."""
    locks: dict[str, LockMode] = {}
    names: dict[str, set[str]] = {field: set() for field in _NAMES}
    for forecast in simulation.forecasts:
        for lock in forecast.effects.locks or ():
            known = locks.get(lock.relation)
            if known is None or known.strength < lock.mode.strength:
                locks[lock.relation] = lock.mode
        for field, found in names.items():
            found.update(getattr(forecast.effects, field) or ())
    return {
        "locks": {name: mode.value for name, mode in locks.items()},
        **{field: sorted(found) for field, found in names.items()},
        "transactional": all(one.effects.transactional for one in simulation.forecasts),
    }
