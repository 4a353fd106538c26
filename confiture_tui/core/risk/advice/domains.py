"""Constraints of domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast


def domain_not_valid(forecast: Forecast) -> str | None:
    """ADD CONSTRAINT … NOT VALID. There is no way to validate it, or to SET NOT NULL, without SHARE on the tables."""
    node = forecast.statement.node or {}
    if node.get("subtype") != "C":
        return None
    constraint = node.get("def", {}).get("Constraint", {})
    recipe = Recipe().brief(
        "Holds for new values from now on; no table is locked or read.", f"{forecast.statement.sql.rstrip()} NOT VALID"
    )
    if name := constraint.get("conname"):
        domain = ".".join(quote_identifier(one["String"]["sval"]) for one in node.get("typeName", ()))
        recipe.later(
            "In a quiet hour: reads every table of the domain under SHARE, for which writers wait.",
            f"ALTER DOMAIN {domain} VALIDATE CONSTRAINT {quote_identifier(name)}",
        )
    return recipe.text()
