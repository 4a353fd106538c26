"""The same statements with time-outs, and in the transactions that they should have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.advice.recipe import Recipe

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Simulation

_NOT_WORK = frozenset({"TransactionStmt", "VariableSetStmt"})


def with_timeouts(forecast: Forecast) -> str | None:
    """The statement by itself, the wait for its lock bounded."""
    if forecast.works or forecast.statement.node_kind in _NOT_WORK or forecast.effects.transactional is False:
        return None
    return (
        Recipe().brief("Gives up when the lock is not to be had soon; then try again.", forecast.statement.sql).text()
    )


def without_timeouts(forecast: Forecast) -> str:
    """The statement by itself, free to wait."""
    return Recipe().alone("Waits for as long as it must; nobody waits for it.", forecast.statement.sql).text()


def split_transactions(simulation: Simulation) -> Mapping[int, str | None]:
    """Each transaction of several statements, in pieces: by its number.

    ``None`` when a statement works under a blocking lock of its own: that needs more than splitting.
    """
    groups: dict[int, list[Forecast]] = {}
    for one in simulation.forecasts:
        if one.transaction is not None and one.statement.node_kind not in _NOT_WORK:
            groups.setdefault(one.transaction, []).append(one)
    return {number: _split(group) for number, group in groups.items() if len(group) > 1}


def _split(group: list[Forecast]) -> str | None:
    """The transaction in pieces: brief locks by themselves, work that blocks nobody by itself."""
    recipe = Recipe()
    for one in group:
        blocks = any(lock.mode.blocks_writes for lock in one.locks)
        works = any(work.kind is not WorkKind.WRITE for work in one.works)
        if (blocks and works) or one.effects.transactional is False or one.effects.fails:
            return None
        if blocks or not one.works:
            recipe.brief("Brief; its lock goes with the COMMIT.", one.statement.sql)
        else:
            recipe.long("Takes its time while nothing blocking is held.", one.statement.sql)
    return recipe.text()
