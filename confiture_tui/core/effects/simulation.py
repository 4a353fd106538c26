"""A migration, statement by statement: what earlier statements made or changed is known to later ones."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from confiture_tui.core.effects.changes import Changes
from confiture_tui.core.effects.forecast import Forecast, Lock, Simulation, Work, WorkKind
from confiture_tui.core.effects.history import Family
from confiture_tui.core.effects.model import Basis, Failure, Reach, StatementEffects
from confiture_tui.core.effects.newer_syntax import newer_call, newer_syntax
from confiture_tui.core.effects.schema import DEFAULT_SEARCH_PATH, NEWEST_SERVER, Schema
from confiture_tui.core.effects.session import Session
from confiture_tui.core.effects.statements.event_firing import run_event_triggers
from confiture_tui.core.effects.statements.table import HANDLERS
from confiture_tui.core.effects.step import Step
from confiture_tui.core.migrations.profiles import PROFILES, RunnerProfile, Wrapping
from confiture_tui.core.records import changed
from confiture_tui.core.sql.script import Script
from confiture_tui.core.sql.transaction_block import refusal_in_transaction_block

if TYPE_CHECKING:
    from confiture_tui.core.catalog.catalog import Catalog
    from confiture_tui.core.effects.begun import Begun
    from confiture_tui.core.effects.history import History
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.sql.statement import Statement

__all__ = ["Forecast", "Lock", "Simulation", "Work", "WorkKind", "simulate", "simulate_all", "simulate_script"]


def simulate(
    migration: Migration,
    *,
    catalog: Catalog | None = None,
    profile: RunnerProfile | None = None,
    start: Schema | None = None,
    direction: Literal["up", "down"] = "up",
    begun: Begun | None = None,
) -> Simulation:
    """What a migration is expected to do.

    Args:
        migration: the one to simulate.
        catalog: of the database that it is to run on; ``None``: the text alone decides, and what it leaves open is
            taken at its worst.
        profile: how it is run; by default as a loose file, which promises nothing.
        start: the schema that it finds, when that is not the catalog's: ``Simulation.after`` of the one before it.
            It brings its own catalog.
        direction: ``down`` for the way back; without one the simulation has no forecasts.
        begun: what an earlier run has done already, and the schema has: of these statements nothing is forecast.

    Raises:
        ConfitureError: the parser's library is not installed.
    """
    script = migration.up if direction == "up" else migration.down
    schema = start if start is not None else Schema.of(catalog)
    if profile is None:
        profile = PROFILES["loose"]
    if script is None:
        return Simulation(migration, (), Wrapping.NONE, schema, ())
    wrapping = profile.wrapping_of(script)
    if begun is not None and begun.left:
        dropped = Script.from_text(f"DROP INDEX {', '.join(begun.left)}")
        schema = simulate_script(dropped, schema, profile, Wrapping.NONE)[1]
    forecasts, after = simulate_script(script, schema, profile, wrapping, done=begun.done if begun is not None else 0)
    notes = tuple(f"line {one.statement.line}: {note}" for one in forecasts for note in one.notes)
    return Simulation(migration, forecasts, wrapping, after, notes)


def simulate_all(
    migrations: Iterable[Migration], *, catalog: Catalog | None = None, profile: RunnerProfile | None = None
) -> tuple[Simulation, ...]:
    """Migrations in order, each on what the earlier ones leave.

    Raises:
        ConfitureError: the parser's library is not installed.
    """
    simulations: list[Simulation] = []
    schema = Schema.of(catalog)
    for migration in migrations:
        simulations.append(simulate(migration, profile=profile, start=schema))
        schema = simulations[-1].after
    return tuple(simulations)


def simulate_script(
    script: Script, start: Schema, profile: RunnerProfile, wrapping: Wrapping, *, done: int = 0
) -> tuple[tuple[Forecast, ...], Schema]:
    """What each statement of a script is expected to do, and the schema that they leave.

    ``done``: how many of the first ones the schema has already.
    """
    with without_collections():
        return _Run(start, profile, wrapping).through(script, done)


@contextmanager
def without_collections() -> Iterator[None]:
    """No garbage collections meanwhile: next to large syntax trees they cost more than all the rest, and find nothing.

    Nothing here makes cycles. What others leave behind is collected by and by when this is done; what was made here is
    counted among the old objects then, or the very next collection would go through all of it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if not gc.get_freeze_count():  # else somebody else's frozen objects would be thawed
                gc.freeze()
                gc.unfreeze()
            gc.enable()


_LISTS: Final = (
    *("locks", "rewrites", "scans", "builds", "rebuilds", "creates", "drops", "invalid_indexes"),
    "may_fail",
)


_LOOKS_AT_NOTHING = frozenset(
    {
        "TransactionStmt",
        "LockStmt",
        "VariableSetStmt",
        "VariableShowStmt",
        "ConstraintsSetStmt",
        "FetchStmt",
        "ListenStmt",
        "NotifyStmt",
        "UnlistenStmt",
        "CheckPointStmt",
    }
)
"""Statements for which the server takes no snapshot: PostgreSQL's sources, ``PlannedStmtRequiresSnapshot``."""


class _Run:
    """One script being gone through."""

    def __init__(self, start: Schema, profile: RunnerProfile, wrapping: Wrapping) -> None:
        self._history: History = start.history_to_write()
        self._origin = self._history.version
        self._session = Session(_initial_settings(start, profile), start.login)
        self._change = Changes(self._history, self._session)
        if wrapping is not Wrapping.NONE:
            self._session.begin(self._history.version, by_file=wrapping is Wrapping.OWN)
        # The schema at that version, with those settings, in that transaction.
        self._view: Schema | None = None
        self._version, self._settings, self._transaction = -1, self._session.settings, self._session.transaction

    def through(self, script: Script, done: int) -> tuple[tuple[Forecast, ...], Schema]:
        forecasts = tuple(
            self._done(statement) if statement.index <= done else self._forecast(statement)
            for statement in script.statements
        )
        self._session.commit()
        for key in self._history.temporary():
            # They end with the session.
            self._history.put(Family.RELATION, key, None)
        return forecasts, self._now()

    def _now(self) -> Schema:
        """The schema at this moment; the same object as long as nothing changes."""
        session, version = self._session, self._history.version
        view, settings, transaction = self._view, session.settings, session.transaction
        if (
            view is not None
            and version == self._version
            and settings is self._settings
            and transaction == self._transaction
        ):
            return view
        self._version, self._settings, self._transaction = version, settings, transaction
        path = settings["search_path"]
        started = session.started if transaction is not None else None
        zone = session.settings.get("timezone", "")
        if view is None or not view.is_at(version, path, started, zone):
            view = Schema(
                self._history, search_path=path, origin=self._origin, transaction_start=started, time_zone=zone
            )
            self._view = view
        return view

    def _forecast(self, statement: Statement) -> Forecast:
        session = self._session
        before, held, settings = self._now(), session.held, session.settings
        inside = session.transaction
        if statement.problem is not None:
            return self._unread(statement, before)
        step = Step(statement, before, self._change, session, self._now, HANDLERS)
        try:
            self._read(statement, step)
        except Exception as error:  # noqa: BLE001 - a defect of ours costs one statement, and is told, never the file
            step.unread(f"not analysed: a defect of this program ({type(error).__name__}: {error})")
        refusal = refusal_in_transaction_block(statement)
        if refusal is not None:
            step.not_in_transaction()
        effects = step.effects()
        if inside is not None and effects.transactional is False and (refusal is not None or effects.fails is None):
            message = refusal or f"{statement.tag} cannot run inside a transaction block."
            effects = changed(effects, fails=Failure(sqlstate="25001", message=message.rstrip(".")))
        locks = step.locks
        if session.transaction is not None:
            session.hold(locks)
            session.looked = session.looked or statement.node_kind not in _LOOKS_AT_NOTHING
        return Forecast(
            statement=statement,
            effects=effects,
            locks=locks,
            works=step.works,
            before=before,
            after=self._now(),
            transaction=self._number(inside, effects.transactional),
            held=held,
            settings=settings,
            notes=step.notes,
        )

    @staticmethod
    def _read(statement: Statement, step: Step) -> None:
        kind, node = statement.node_kind, statement.node
        major = step.schema.server_version_num // 10000
        if kind is None or node is None or major >= NEWEST_SERVER // 10000:
            _Run._run(step, kind, node)
            return
        newer = newer_syntax(kind, node, major, statement.sql)
        if newer is not None:
            step.fails(newer.sqlstate, f"syntax error: {newer.what} is not known before PostgreSQL {newer.since}")
            return
        _Run._run(step, kind, node)
        call = newer_call(kind, node, major)
        if call is not None and not step.schema.extension_made and not step.schema.routines(call):
            step.fails("42883", f"function {call} does not exist")

    def _done(self, statement: Statement) -> Forecast:
        """A statement that an earlier run has done; what it sets for its session is set anew for the rest."""
        if statement.node_kind in ("VariableSetStmt", "DiscardStmt"):
            return replace(self._forecast(statement), done=True)
        schema, session = self._now(), self._session
        effects = StatementEffects(
            index=statement.index,
            line=statement.line,
            tag=statement.tag,
            sql=statement.sql,
            basis=Basis.CATALOG if schema.known else Basis.ASSUMED,
            reach=Reach.COMPLETE,
            **dict.fromkeys(_LISTS, ()),
            destroys_data=False,
            changes_data=False,
            opaque=False,
        )
        return Forecast(
            statement=statement,
            effects=effects,
            locks=(),
            works=(),
            before=schema,
            after=schema,
            transaction=None,
            held=session.held,
            settings=session.settings,
            notes=(),
            measured_ms=0.0,
            done=True,
        )

    @staticmethod
    def _run(step: Step, kind: str | None, node: dict[str, Any] | None) -> None:
        """Read it, between the event triggers that fire before and after it."""
        run_event_triggers(step, before=True)
        step.run(kind, node)
        run_event_triggers(step, before=False)

    def _number(self, inside: int | None, transactional: bool | None) -> int | None:
        if inside is not None:
            return inside
        if self._session.transaction is not None:
            return self._session.transaction
        return None if transactional is False else self._session.next_number()

    def _unread(self, statement: Statement, before: Schema) -> Forecast:
        """A statement that could not be parsed: nothing at all is said of it."""
        problem = statement.problem
        reason = problem.message if problem is not None else "it could not be parsed"
        effects = StatementEffects(index=statement.index, line=statement.line, tag=statement.tag, sql=statement.sql)
        session = self._session
        return Forecast(
            statement=statement,
            effects=effects,
            locks=(),
            works=(),
            before=before,
            after=before,
            transaction=self._number(session.transaction, None),
            held=session.held,
            settings=session.settings,
            notes=(f"not analysed: {reason}",),
        )


def _initial_settings(start: Schema, profile: RunnerProfile) -> dict[str, str]:
    # Every migration has a clean session: what an earlier one has set does not last.
    settings = {"search_path": DEFAULT_SEARCH_PATH}
    if start.catalog is not None:
        settings["search_path"] = start.catalog.session.search_path
        settings["timezone"] = start.catalog.session.time_zone
    if profile.lock_timeout_ms is not None:
        settings["lock_timeout"] = f"{profile.lock_timeout_ms}ms"
    if profile.statement_timeout_ms is not None:
        settings["statement_timeout"] = f"{profile.statement_timeout_ms}ms"
    return settings
