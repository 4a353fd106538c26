"""Facts made by hand: forecasts of statements whose effects a test lays down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.forecast import Forecast, Lock, Simulation, Work, WorkKind
from confiture_tui.core.effects.held_locks import NOTHING_HELD
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.model import Basis, Failure, PossibleFailure, Reach, RelationLock, StatementEffects
from confiture_tui.core.effects.schema import Schema
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import PROFILES, RunnerProfile, Wrapping
from confiture_tui.core.risk.assessment import assessment_of
from confiture_tui.core.risk.context import Context, Live
from confiture_tui.core.risk.duration import Durations
from confiture_tui.core.risk.rates import DEFAULT_RATES
from confiture_tui.core.risk.rule import Dispatch, MigrationRule, RiskRule
from confiture_tui.core.risk.sizes import Sizes, TableSize
from confiture_tui.core.sql.script import Script

if TYPE_CHECKING:
    from confiture_tui.core.risk.model import RiskAssessment

NOTHING = Schema.of(None)


class GivenSizes(Sizes):
    """Sizes that a test lays down: bytes and rows by relation; the others are empty."""

    def __init__(self, given: Mapping[str, int]) -> None:
        super().__init__(None)
        self._given = given

    def of(self, relation: str) -> TableSize:
        size = self._given.get(relation, 0)
        small = size <= 10 * 1024 * 1024
        return TableSize(relation, size / 100, size, 0, True, True, small, relation in self.empty, "a test")


def forecast(
    index: int,
    locks: Iterable[tuple[str, LockMode]] = (),
    works: Iterable[tuple[WorkKind, str]] = (),
    *,
    sql: str = "ALTER TABLE t ADD c int",
    transaction: int | None = 0,
    settings: Mapping[str, str] | None = None,
    **effects: Any,
) -> Forecast:
    """One statement; ``effects`` are fields of ``StatementEffects`` that differ from a harmless statement's."""
    statement = Script.from_text(sql).statements[0]
    statement = type(statement)(index, statement.sql, 0, index, 1, statement.tag, statement.node_kind, statement.node)
    taken = tuple(Lock(relation, mode, "a test") for relation, mode in locks)
    fields: dict[str, Any] = {
        "basis": Basis.CATALOG,
        "reach": Reach.COMPLETE,
        "locks": tuple(RelationLock(relation=each.relation, mode=each.mode) for each in taken),
        "rewrites": (),
        "scans": (),
        "builds": (),
        "rebuilds": (),
        "creates": (),
        "drops": (),
        "invalid_indexes": (),
        "destroys_data": False,
        "changes_data": False,
        "transactional": True,
        "opaque": False,
        "may_fail": (),
    }
    return Forecast(
        statement=statement,
        effects=StatementEffects(index=index, line=index, tag=statement.tag, sql=sql, **{**fields, **effects}),
        locks=taken,
        works=tuple(Work(kind, relation, None, "a test") for kind, relation in works),
        before=NOTHING,
        after=NOTHING,
        transaction=transaction,
        held=NOTHING_HELD,
        settings=settings or {},
        notes=(),
    )


def simulation(forecasts: Sequence[Forecast]) -> Simulation:
    """A migration of these statements."""
    return Simulation(Migration.from_sql("SELECT 1"), tuple(forecasts), Wrapping.TRANSACTION, NOTHING, ())


def context(
    forecasts: Sequence[Forecast],
    sizes: Mapping[str, int] | None = None,
    *,
    live: Live | None = None,
    down: Sequence[Forecast] | None = None,
    empty: Iterable[str] = (),
    profile: RunnerProfile = PROFILES["loose"],
) -> Context:
    """The facts; by default every table is empty, nobody uses it, and there is a way back."""
    given = GivenSizes(sizes or {})
    given.empty.update(empty)
    back = simulation([forecast(1)] if down is None else down)
    return Context(simulation(forecasts), back, profile, given, Durations(given, DEFAULT_RATES), live or Live(), {})


def assess(
    forecasts: Sequence[Forecast],
    sizes: Mapping[str, int] | None = None,
    *,
    rules: Iterable[RiskRule | MigrationRule] = (),
    **others: Any,
) -> RiskAssessment:
    """The assessment that the facts alone give."""
    return assessment_of(context(forecasts, sizes, **others), Dispatch(rules))


__all__ = ["Failure", "LockMode", "PossibleFailure", "WorkKind", "assess", "context", "forecast", "simulation"]
