"""What rules may ask, worked out once for each migration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.effects.model import DurationEstimate, Failure, StatementEffects
from confiture_tui.core.effects.statements.settings import milliseconds
from confiture_tui.core.records import changed
from confiture_tui.core.risk import scoring
from confiture_tui.core.risk.board import Board
from confiture_tui.core.risk.claims import HEAVY, Claim, claims_of
from confiture_tui.core.risk.duration import works_that_grow
from confiture_tui.core.risk.exposure import Exposure, Facts, exposures
from confiture_tui.core.risk.now import OpenTransaction, Traffic, expected_wait
from confiture_tui.core.risk.rollback import has_way_back, strategy_of
from confiture_tui.core.sql.transaction_block import holds_up_others, refusal_in_transaction_block

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.effects.forecast import Forecast, Simulation, Work
    from confiture_tui.core.effects.lock_modes import LockMode
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.core.risk.duration import Cost, Durations
    from confiture_tui.core.risk.model import Category, RollbackStrategy
    from confiture_tui.core.risk.probes import ProbeResult
    from confiture_tui.core.risk.sizes import Sizes, TableSize

T = TypeVar("T")

_NOTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Live:
    """What was found on the server just now.

    Attributes:
        open: transactions of others, by the relation that they hold locks on.
        traffic: on relations.
    """

    open: Mapping[str, tuple[OpenTransaction, ...]] = field(default_factory=dict)
    traffic: Mapping[str, Traffic] = field(default_factory=dict)


class Context:
    """The facts about one migration; it is the ``RuleContext`` that rules get.

    Attributes:
        simulation: of the whole migration. ``down``: of its way back, on what it leaves; ``None`` without one, or where
            that cannot be told.
        profile: the runner in whose name everything is judged.

    Args:
        simulation, down, profile: as above.
        sizes, durations: of the tables of the catalog.
        live: what was found on the server.
        answers: what was asked about the data, by the statement's index.
    """

    def __init__(
        self,
        simulation: Simulation,
        down: Simulation | None,
        profile: RunnerProfile,
        sizes: Sizes,
        durations: Durations,
        live: Live,
        answers: Mapping[int, tuple[ProbeResult, ...]],
    ) -> None:
        self.simulation = simulation
        self.down = down
        self.profile = profile
        self._sizes = sizes
        self._durations = durations
        self._live = live
        self._answers = answers
        self._costs: dict[int, Cost] = {}
        self._rows: dict[int, float] = {}
        self._effects: dict[int, StatementEffects] = {}
        self._worked_out: dict[Callable[[Simulation], Any], Any] = {}

    def of_migration(self, work: Callable[[Simulation], T]) -> T:
        """What a function says of the migration's simulation: it is called once, by whichever rule asks first."""
        if work not in self._worked_out:
            self._worked_out[work] = work(self.simulation)
        found: T = self._worked_out[work]
        return found

    @property
    def catalog(self) -> Catalog | None:
        """The target's catalog; ``None`` without a database."""
        return self._sizes.catalog

    @cached_property
    def rollback(self) -> RollbackStrategy:
        """The way back."""
        return strategy_of(self.simulation, self.down)

    @cached_property
    def has_way_back(self) -> bool:
        """Whether the schema can be had back."""
        return has_way_back(self.simulation, self.down)

    @cached_property
    def all_exposures(self) -> tuple[Exposure, ...]:
        """How long others wait, one for each relation and transaction."""
        facts = Facts(
            seconds=self._seconds_of,
            wait=self._wait,
            traffic=self.waiting,
            growing=self._growing,
            lock_timeout=self._lock_timeout,
            rows=self._rows_locked,
        )
        return exposures(self.simulation.forecasts, facts)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """What the facts alone say."""
        return tuple(claims_of(self))

    @cached_property
    def _board(self) -> Board:
        return Board(self.claims, len(self.simulation.forecasts))

    @cached_property
    def _blocked(self) -> frozenset[int]:
        found: set[int] = set()
        until = 0
        for each in sorted(self.all_exposures, key=lambda one: one.statement):
            if not each.mode.blocks_writes:
                continue  # row locks: they depend on the traffic, and a busier table must not score less
            found.update(range(max(each.statement, until + 1), each.last + 1))
            until = max(until, each.last)
        return frozenset(found)

    @cached_property
    def _exposures_at(self) -> Mapping[int, tuple[Exposure, ...]]:
        found: dict[int, list[Exposure]] = {}
        for each in self.all_exposures:
            found.setdefault(each.statement, []).append(each)
        return {index: tuple(listed) for index, listed in found.items()}

    @cached_property
    def _worker(self) -> Mapping[int, Forecast]:
        return {id(work): each for each in self.simulation.forecasts for work in each.works}

    def is_blocking(self, forecast: Forecast) -> bool:
        """Whether somebody waits for a lock while the statement works."""
        return forecast.statement.index in self._blocked

    def size_of(self, relation: str) -> TableSize:
        """How big a table is; assumed big when nothing is known of it."""
        return self._sizes.of(relation)

    def seconds(self, work: Work) -> DurationEstimate:
        """How long one piece of work takes."""
        return self._durations.of_work(work, self._worker.get(id(work))).estimate()

    def estimate(self, forecast: Forecast) -> DurationEstimate:
        """How long a statement takes, without waiting for locks."""
        return self.cost_of(forecast).estimate()

    def cost_of(self, forecast: Forecast) -> Cost:
        """The same with write-ahead log and disk."""
        index = forecast.statement.index
        if index not in self._costs:
            self._costs[index] = self._durations.of(forecast)
        return self._costs[index]

    def exposures(self, forecast: Forecast) -> tuple[Exposure, ...]:
        """Which relations others wait for because of blocking locks that this statement takes first."""
        return self._exposures_at.get(forecast.statement.index, ())

    def waiting(self, relation: str) -> Traffic | None:
        """The traffic on a relation; ``None`` when nothing is known of it."""
        return self._live.traffic.get(self._sizes.aliases.get(relation, relation))

    def open_transactions(self, relation: str) -> tuple[OpenTransaction, ...]:
        """Transactions of others that hold locks on it now; empty without a connection."""
        return self._live.open.get(self._sizes.aliases.get(relation, relation), ())

    def probes(self, forecast: Forecast) -> tuple[ProbeResult, ...]:
        """What was asked about the data that decide whether the statement fails."""
        return self._answers.get(forecast.statement.index, ())

    def lock_timeout_ms(self, forecast: Forecast) -> float | None:
        """The ``lock_timeout`` that file or runner profile set for it; ``None`` when neither does (or 0)."""
        text, profile, statement = forecast.settings.get("lock_timeout"), self.profile, forecast.statement
        is_profiles = not profile.bounds_concurrent_waits and text == f"{profile.lock_timeout_ms}ms"
        if is_profiles and refusal_in_transaction_block(statement) and not holds_up_others(statement):
            return None
        return milliseconds(text) or None

    def statement_timeout_ms(self, forecast: Forecast) -> float | None:
        """The ``statement_timeout``, likewise."""
        return milliseconds(forecast.settings.get("statement_timeout")) or None

    def rows_changed(self, forecast: Forecast) -> float:
        """Rows that the statement inserts, updates or deletes, at most; 0 for none."""
        if not forecast.works:
            return 0.0
        index = forecast.statement.index
        if index not in self._rows:
            self._rows[index] = self._durations.rows(forecast)
        return self._rows[index]

    def points(self, category: Category, forecast: Forecast | None = None, relation: str | None = None) -> int:
        """The score that the facts alone give a statement in a category, before any rule speaks."""
        return self._board.points(category, None if forecast is None else forecast.statement.index, relation)

    def effects_of(self, forecast: Forecast) -> StatementEffects:
        """The effects, with what the data answered: a failure that is certain now, or one that is ruled out."""
        index = forecast.statement.index
        answers = self._answers.get(index)
        if not answers:
            return forecast.effects
        if index not in self._effects:
            self._effects[index] = _answered(forecast.effects, answers)
        return self._effects[index]

    def _seconds_of(self, forecast: Forecast) -> float:
        return self.cost_of(forecast).expected

    def _wait(self, relation: str, mode: LockMode) -> float:
        open_now = self.open_transactions(relation)
        return expected_wait(open_now, mode) if open_now else 0.0

    def _rows_locked(self, forecast: Forecast) -> Mapping[str, float]:
        """Of the tables that it updates or deletes from, the share of the rows; nobody waits for rows that are new."""
        if not forecast.works or forecast.statement.node_kind in ("InsertStmt", "CopyStmt"):
            return _NOTHING
        written = [work.relation for work in forecast.works if work.kind is WorkKind.WRITE]
        if not written:
            return _NOTHING
        rows = self.rows_changed(forecast)
        sizes = {name: self.size_of(name).rows for name in written}
        return {name: min(1.0, rows / size) for name, size in sizes.items() if size > 0}

    def _lock_timeout(self, forecast: Forecast) -> float | None:
        timeout = self.lock_timeout_ms(forecast)
        return None if timeout is None else timeout / 1000

    def _growing(self, forecast: Forecast) -> tuple[str, ...]:
        found: dict[str, None] = {}
        if forecast.works:
            kinds = HEAVY
            if self.rows_changed(forecast) >= scoring.MANY_ROWS:
                kinds = kinds | {WorkKind.WRITE}
            found = dict.fromkeys(
                work.relation
                for work in works_that_grow(forecast)
                if work.kind in kinds and not self.size_of(work.relation).proved_small
            )
        if forecast.effects.opaque or forecast.effects.basis is None:
            found["code that cannot be read"] = None
        return tuple(found)


def _answered(effects: StatementEffects, answers: Iterable[ProbeResult]) -> StatementEffects:
    by_state: dict[str, list[ProbeResult]] = {}
    for each in answers:
        if each.sqlstate:
            by_state.setdefault(each.sqlstate, []).append(each)
    if not by_state or not effects.may_fail:
        return effects
    fails = effects.fails
    possible = []
    for failure in effects.may_fail:
        asked = by_state.get(failure.sqlstate, [])
        ways = sum(other.sqlstate == failure.sqlstate for other in effects.may_fail)
        guilty = next((each for each in asked if each.found), None)
        if guilty is not None and fails is None:
            message = f"there are {guilty.found_in_words()}"
            fails = Failure(sqlstate=failure.sqlstate, message=message, detail="A probe found them just now.")
        # As many answers as ways to fail: else there is one that nobody asked for.
        ruled_out = len(asked) >= ways and all(each.found is not None for each in asked)
        possible.append(changed(failure, checked=ruled_out))
    return changed(effects, fails=fails, may_fail=tuple(possible))
