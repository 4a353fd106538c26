"""The rules, one small class each, one module a topic, in the order in which findings of a statement are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.risk.rules import (
    cascades,
    column_types,
    columns,
    compatibility,
    constraints,
    data_changes,
    data_loss,
    extensions,
    failures,
    indexes,
    keys,
    partitions,
    policies,
    renames,
    replication,
    running,
    security,
    storage,
    style,
    timeouts,
    transactions,
    types,
    way_back,
)

if TYPE_CHECKING:
    from confiture_tui.core.risk.rule import MigrationRule, RiskRule

RULES: tuple[RiskRule | MigrationRule, ...] = (
    *columns.RULES,
    *column_types.RULES,
    *constraints.RULES,
    *indexes.RULES,
    *storage.RULES,
    *partitions.RULES,
    *types.RULES,
    *transactions.RULES,
    *timeouts.RULES,
    *running.RULES,
    *data_loss.RULES,
    *cascades.RULES,
    *data_changes.RULES,
    *failures.RULES,
    *renames.RULES,
    *compatibility.RULES,
    *policies.RULES,
    *security.RULES,
    *extensions.RULES,
    *replication.RULES,
    *style.RULES,
    *keys.RULES,
    *way_back.RULES,
)
"""Every rule, by being listed."""
