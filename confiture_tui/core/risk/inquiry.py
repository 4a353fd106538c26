"""Everything that is asked of a live server for a run of assessments, once, with nothing lost when it cannot answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.chosen_rows import rows_chosen
from confiture_tui.core.risk.context import Live
from confiture_tui.core.risk.lost_data import bearers
from confiture_tui.core.risk.now import (
    OpenTransaction,
    Traffic,
    average_traffic,
    open_transactions,
    traffic_of,
    watched_traffic,
)
from confiture_tui.core.risk.probes import Prober, ProbeResult, Question, unasked
from confiture_tui.core.risk.questions import checks_added, emptiness, questions_of
from confiture_tui.errors import ConnectError

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.effects.forecast import Forecast, Simulation


class Inquiry:
    """What was asked, and what was answered.

    Args:
        apart: the simulations have nothing to do with each other: none changes the data that another finds.

    Attributes:
        live: transactions and traffic of now.
        empty: relations that a probe found without a row.
        notes: what could not be asked, one sentence each.
    """

    def __init__(
        self,
        catalog: Catalog | None,
        connection: psycopg.Connection[Any] | None,
        simulations: Sequence[Simulation],
        aliases: Mapping[str, str],
        *,
        probe_seconds: float,
        traffic_seconds: float,
        apart: bool = False,
    ) -> None:
        self.live = Live()
        self.empty: set[str] = set()
        self.notes: list[str] = []
        self._catalog = catalog
        self._apart = apart
        self._answers: dict[int, dict[int, tuple[ProbeResult, ...]]] = {}
        if catalog is None:
            for key, asked in _questions(simulations, None, apart=apart):
                self._put(key, tuple(unasked(each, _NO_CONNECTION) for each in asked))
            return
        blocked, written = _relations(simulations, catalog, aliases)
        self._ask_traffic(catalog, connection, blocked | written, traffic_seconds)
        self._ask_data(catalog, connection, simulations, probe_seconds)

    def answers(self, simulation: Simulation) -> Mapping[int, tuple[ProbeResult, ...]]:
        """The answers about one of the migrations, by its statements' indexes."""
        return self._answers.get(id(simulation), {})

    def _put(self, key: tuple[int, int], answers: tuple[ProbeResult, ...]) -> None:
        owner, index = key
        self._answers.setdefault(owner, {})[index] = answers

    def _ask_traffic(
        self,
        catalog: Catalog,
        connection: psycopg.Connection[Any] | None,
        relations: Mapping[int, str],
        seconds: float,
    ) -> None:
        from confiture_tui.core.catalog.reading.transaction import reading, settle

        watched: Mapping[str, Traffic] = {}
        open_now: dict[str, tuple[OpenTransaction, ...]] = {}
        age: float | None = None
        if catalog.statistics_reset is not None:
            age = (datetime.now(UTC) - catalog.statistics_reset).total_seconds()
        if connection is not None and relations:
            import psycopg

            try:
                watched = watched_traffic(connection, relations, seconds)
                # After the watch: what is still open then has been open for a while.
                with reading(connection) as cursor:
                    settle(cursor, catalog.server_version_num)
                    for each in open_transactions(cursor, relations):
                        open_now[each.relation] = (*open_now.get(each.relation, ()), each)
                    if age is None:
                        age = float(cursor.execute(_UPTIME).fetchone()[0])
            except (psycopg.Error, ConnectError) as error:
                self.notes.append(f"What runs on the tables now could not be asked: {_first_line(error)}")
        traffic = {
            name: found
            for name in relations.values()
            if (found := traffic_of(watched.get(name), average_traffic(catalog, name, age), age)) is not None
        }
        self.live = Live(open_now, traffic)

    def _ask_data(
        self,
        catalog: Catalog,
        connection: psycopg.Connection[Any] | None,
        simulations: Sequence[Simulation],
        seconds: float,
    ) -> None:
        questions = {key: asked for key, asked in _questions(simulations, catalog, apart=self._apart) if asked}
        doomed = {
            name
            for each in simulations
            for forecast in each.forecasts
            if _destroys(forecast)
            for name in bearers(forecast)
        }
        empties = {name: row for name in sorted(doomed) if (row := emptiness(catalog, name)) is not None}
        if connection is None or seconds <= 0:
            why_not = _NO_CONNECTION if connection is None else "probes are switched off"
            for key, asked in questions.items():
                self._put(key, tuple(unasked(each, why_not) for each in asked))
            return
        import psycopg

        prober = Prober(connection, budget=seconds)
        try:
            for name, answer in zip(empties, prober.ask(empties.values()), strict=True):
                if answer.found is False:
                    self.empty.add(name)
            # What decides whether it fails comes first: the time may not suffice for counting.
            prober.ask(each for asked in questions.values() for each in asked if not each.counts_all)
            for key, asked in questions.items():
                self._put(key, prober.ask(asked))
        except (psycopg.Error, ConnectError) as error:
            self.notes.append(f"The data could not be asked: {_first_line(error)}")
            for (owner, index), asked in questions.items():
                if index not in self._answers.get(owner, {}):
                    self._put((owner, index), tuple(unasked(each, "the connection broke") for each in asked))


class Unasked:
    """What an ``Inquiry`` gives where there is no database, for one migration after the other, as they are simulated.

    Attributes:
        live: nothing.
        empty: none.
        notes: none.
    """

    def __init__(self) -> None:
        self.live = Live()
        self.empty: set[str] = set()
        self.notes: list[str] = []
        self._asking = _Asking(None)

    def answers(self, simulation: Simulation) -> Mapping[int, tuple[ProbeResult, ...]]:
        """The answers about the next migration, by its statements' indexes: that nobody was asked."""
        return {
            index: tuple(unasked(each, _NO_CONNECTION) for each in asked)
            for (_owner, index), asked in self._asking.about(simulation)
        }


_NO_CONNECTION = "there is no connection"


_UPTIME = """
SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - pg_catalog.pg_postmaster_start_time())
"""


def _relations(
    simulations: Sequence[Simulation], catalog: Catalog, aliases: Mapping[str, str]
) -> tuple[dict[int, str], dict[int, str]]:
    """The catalog's relations that are locked so that others wait, and those whose rows are, by oid."""
    blocked: set[str] = set()
    written: set[str] = set()
    for simulation in simulations:
        for forecast in simulation.forecasts:
            blocked.update(each.relation for each in forecast.locks if each.mode.blocks_writes)
            if forecast.statement.node_kind not in ("InsertStmt", "CopyStmt"):
                written.update(each.relation for each in forecast.works if each.kind is WorkKind.WRITE)
    oids = {each.qualified_name: each.oid for each in catalog.relations.values() if each.traffic is not None}
    named = [{aliases.get(name, name) for name in names} for names in (blocked, written)]
    blocked_oids, written_oids = ({oids[name]: name for name in sorted(names) if name in oids} for names in named)
    return blocked_oids, written_oids


_Asked = list[tuple[tuple[int, int], tuple[Question, ...]]]


def _questions(simulations: Sequence[Simulation], catalog: Catalog | None, *, apart: bool) -> _Asked:
    """The questions of all statements; what earlier statements change is not asked."""
    if apart and len(simulations) > 1:
        return [one for each in simulations for one in _questions([each], catalog, apart=True)]
    asking = _Asking(catalog)
    return [one for each in simulations for one in asking.about(each)]


class _Asking:
    """What there is to be asked about migrations that run one after the other."""

    def __init__(self, catalog: Catalog | None) -> None:
        self._catalog = catalog
        self._changed: set[str] = set()
        self._checks: dict[tuple[str, str], str] = {}
        self._all_changed = False
        self._filled: set[str] = set()
        self._all_filled = False

    def about(self, simulation: Simulation) -> _Asked:
        """The questions of the next migration's statements."""
        found: _Asked = []
        catalog = self._catalog
        for forecast in simulation.forecasts:
            effects = forecast.effects
            is_changed = partial(_is_changed, self._all_changed, self._changed)
            counted = None if catalog is None else rows_chosen(forecast, catalog, is_changed)
            asked: tuple[Question, ...] = () if counted is None else (counted,)
            if effects.may_fail:
                target = _target(forecast)
                empty = not self._all_filled and target is not None and target not in self._filled
                asked += questions_of(forecast, catalog, is_changed, new_ones_are_empty=empty, checks=self._checks)
            if asked or effects.may_fail:
                found.append(((id(simulation), forecast.statement.index), asked))
            self._note(forecast)
        return found

    def _note(self, forecast: Forecast) -> None:
        """What a statement changes."""
        effects = forecast.effects
        self._checks.update(checks_added(forecast))
        if effects.opaque is not False or forecast.statement.node_kind in _FILLING:
            target = _fills_one(forecast)
            self._all_filled = self._all_filled or target is None
            self._filled.update(() if target is None else (target,))
        if effects.changes_data is None:
            self._all_changed = True
        elif effects.changes_data:
            self._changed.update(each.relation for each in effects.locks or ())
            self._changed.update(work.relation for work in forecast.works)


_FILLING = frozenset(
    {"CopyStmt", "CreateTableAsStmt", "ExecuteStmt", "ExplainStmt", "InsertStmt", "MergeStmt", "SelectStmt"}
)
"""Kinds of statement that may put rows into a table that the migration makes."""


def _target(forecast: Forecast) -> str | None:
    """The table that a statement names first."""
    node = forecast.statement.node or {}
    return forecast.before.name_of(node["relation"]) if "relation" in node else None


def _fills_one(forecast: Forecast) -> str | None:
    """The only table that a statement puts rows into; ``None`` where there may be others."""
    node, target = forecast.statement.node or {}, _target(forecast)
    if forecast.statement.node_kind != "InsertStmt" or "withClause" in node or target is None:
        return None
    relation = forecast.before.find(node["relation"]).relation
    return None if relation is None or relation.triggers or relation.rules else target


def _is_changed(everything: bool, known: set[str], name: str) -> bool:
    return everything or name in known


def _destroys(forecast: Forecast) -> bool:
    return forecast.effects.destroys_data is not False and not forecast.effects.opaque


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
