"""The way back, and what it brings back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.records import unchecked
from confiture_tui.core.risk.lost_data import bearers
from confiture_tui.core.risk.model import RollbackStrategy

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Simulation

_strategy = unchecked(RollbackStrategy)


def strategy_of(up: Simulation, down: Simulation | None) -> RollbackStrategy:
    """The way back of a migration, and whether the data that was there before comes through up and down.

    Args:
        up: what the migration does.
        down: what its way back does after it; ``None`` without one.
    """
    data, why = _data(up, down)
    if down is None:
        return _strategy(strategy="none", data=data, why=why or "There is no down file.")
    return _strategy(strategy="down_file", data=data, why=why_down_fails(up, down) or why)


def has_way_back(up: Simulation, down: Simulation | None) -> bool:
    """Whether the schema can be had back: no definition is changed, or a down file is not certain to fail.

    What rows lose is no question of the schema.
    """
    if not any(_changes_definitions(each) for each in up.forecasts):
        return True
    return down is not None and bool(down.forecasts) and why_down_fails(up, down) is None


def why_down_fails(up: Simulation, down: Simulation) -> str | None:
    """Why a way back is certain to fail, as a sentence; ``None`` when it is not."""
    for each in down.forecasts:
        fails = each.effects.fails
        if fails is not None:
            why = (
                f"line {each.statement.line} of the down file fails with {fails.sqlstate}: {fails.message.rstrip('.')}."
            )
            if any(one.effects.fails for one in up.forecasts):
                return f"The migration itself fails, and on what that leaves {why}"
            return f"{why[0].upper()}{why[1:]}"
    return None


def _changes_definitions(forecast: Forecast) -> bool:
    effects, kind = forecast.effects, forecast.statement.node_kind
    if effects.opaque is not False or effects.creates or effects.drops:
        return True
    if kind in _QUERIES:  # a function or a trigger of theirs may do more, but not without the locks that it takes
        return any(lock.mode.strength > LockMode.ROW_EXCLUSIVE.strength for lock in forecast.locks)
    return kind not in _OF_ROWS


_QUERIES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt", "SelectStmt", "ExplainStmt"})
_OF_ROWS = frozenset(
    {
        *("TruncateStmt", "LockStmt", "VacuumStmt", "ReindexStmt", "RefreshMatViewStmt", "CheckPointStmt"),
        *("TransactionStmt", "VariableSetStmt", "VariableShowStmt", "ConstraintsSetStmt", "NotifyStmt"),
    }
)
"""Kinds of command that leave every definition as it is."""


class _Made:
    """What a migration makes: whoever drops that again takes nothing away that was there before."""

    def __init__(self, up: Simulation) -> None:
        self._relations = {name for each in up.forecasts for name in each.effects.creates or ()}
        self._columns = {
            (relation, command.get("def", {}).get("ColumnDef", {}).get("colname"))
            for each in up.forecasts
            for relation, command in _commands(each)
            if command.get("subtype") == "AT_AddColumn"
        }

    def all_that_goes(self, forecast: Forecast) -> bool:
        """Whether a statement of the way back drops nothing else."""
        if forecast.effects.opaque:
            return False
        losing = bearers(forecast)
        if losing and set(losing) <= self._relations:
            return True
        dropped = [
            (relation, command.get("name"))
            for relation, command in _commands(forecast)
            if command.get("subtype") == "AT_DropColumn"
        ]
        others = [command for _, command in _commands(forecast) if command.get("subtype") == "AT_AlterColumnType"]
        return bool(dropped) and not others and set(dropped) <= self._columns


def _commands(forecast: Forecast) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The sub-commands of an ALTER TABLE, each with the table's name."""
    node = forecast.statement.node or {}
    if forecast.statement.node_kind == "AlterTableStmt":
        name = forecast.before.name_of(node.get("relation", {}))
        yield from ((name, each.get("AlterTableCmd", {})) for each in node.get("cmds", ()))


def _data(up: Simulation, down: Simulation | None) -> tuple[str, str]:
    for each in up.forecasts:
        if each.effects.destroys_data:
            return "lost", f"Statement {each.statement.index} destroys data that no way back restores."
    for each in up.forecasts:
        if each.effects.destroys_data is None:
            return "unknown", f"What statement {each.statement.index} does to data is not known."
        if each.effects.changes_data is not False:
            return "unknown", f"Statement {each.statement.index} changes values; whether they come back is not known."
    if down is None:
        return "kept", ""
    made = _Made(up)
    for each in down.forecasts:
        if each.effects.destroys_data is not False and made.all_that_goes(each):
            continue
        if each.effects.destroys_data is None:
            return "unknown", f"What statement {each.statement.index} of the way back does to data is not known."
        if each.effects.destroys_data:
            return "lost", f"Statement {each.statement.index} of the way back destroys data."
    return "kept", ""
