"""What the statements of a migration add, found in one pass: rules ask for each statement what came before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Simulation
    from confiture_tui.core.risk.rule import RuleContext


@dataclass(frozen=True, slots=True)
class Made:
    """What a migration adds to tables.

    Attributes:
        columns: the index of the first statement that adds a column, by table and column.
        constraints: the same for a constraint, by its name.
        indexes: the keys of the whole indexes that are created, by table; ``None`` for an expression.
    """

    columns: Mapping[tuple[str, str], int]
    constraints: Mapping[str, int]
    indexes: Mapping[str, list[tuple[str | None, ...]]]

    def has_columns(self, table: str, names: Iterable[str], *, up_to: int) -> bool:
        """Whether statements up to that index, itself included, add all of these columns."""
        return all(self.columns.get((table, name), up_to + 1) <= up_to for name in names)


def made_before(forecast: Forecast, context: RuleContext, table: str, names: Iterable[str]) -> bool:
    """Whether all of these columns were added by statements before this one."""
    return context.of_migration(made_by).has_columns(table, names, up_to=forecast.statement.index - 1)


def made_by(simulation: Simulation) -> Made:
    """What a migration adds to tables."""
    columns: dict[tuple[str, str], int] = {}
    constraints: dict[str, int] = {}
    indexes: dict[str, list[tuple[str | None, ...]]] = {}
    for one in simulation.forecasts:
        node = one.statement.node or {}
        if one.statement.node_kind == "IndexStmt" and not node.get("whereClause"):
            keys = tuple(each.get("IndexElem", {}).get("name") for each in node.get("indexParams", ()))
            indexes.setdefault(one.before.name_of(node["relation"]), []).append(keys)
        if one.statement.node_kind != "AlterTableStmt":
            continue
        for each in node.get("cmds", ()):
            command = each.get("AlterTableCmd", {})
            definition = command.get("def", {})
            if command.get("subtype") == "AT_AddColumn":
                key = (one.before.name_of(node["relation"]), definition.get("ColumnDef", {}).get("colname", ""))
                columns.setdefault(key, one.statement.index)
            elif command.get("subtype") == "AT_AddConstraint":
                constraints.setdefault(definition.get("Constraint", {}).get("conname", ""), one.statement.index)
    return Made(columns, constraints, indexes)
