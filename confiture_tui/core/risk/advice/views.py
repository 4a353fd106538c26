"""Materialized views refreshed while their readers go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice.recipe import Recipe

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast


def refresh_concurrently(forecast: Forecast) -> str | None:
    """REFRESH … CONCURRENTLY, where the view has the unique index that it needs, or may have."""
    node = forecast.statement.node or {}
    view = forecast.before.name_of(node["relation"])
    relation = forecast.before.find(view).relation
    if node.get("skipData"):
        return None
    recipe = Recipe()
    if relation is None:
        recipe.note(f"{view} needs a unique index on plain columns, without WHERE.")
    elif not any(
        one.unique and one.valid and one.immediate and one.predicate is None and not one.expressions
        for one in relation.indexes
    ):
        return None
    return recipe.long(
        "Compares the new result with the old and changes what differs; readers go on, other refreshes wait.",
        f"REFRESH MATERIALIZED VIEW CONCURRENTLY {view}",
    ).text()
