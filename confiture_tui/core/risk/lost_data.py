"""Whose data goes when a statement destroys data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.effects.lock_modes import LockMode

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast

_BEARING = (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.MATERIALIZED_VIEW)


def bearers(forecast: Forecast) -> tuple[str, ...]:
    """The relations of before whose rows or columns may go; more rather than fewer.

    Tables that are dropped; else those whose rows are written; else all that are locked so that nobody uses them.
    """
    effects = forecast.effects
    dropped = [name for name in effects.drops or () if _bears(forecast, name)]
    if dropped and forecast.statement.node_kind == "DropStmt":
        return tuple(dropped)
    written = [work.relation for work in forecast.works if work.kind is WorkKind.WRITE]
    locked = [each.relation for each in effects.locks or () if each.mode is LockMode.ACCESS_EXCLUSIVE]
    listed = dict.fromkeys([*dropped, *(written or locked)])
    return tuple(name for name in listed if _bears(forecast, name))


def _bears(forecast: Forecast, name: str) -> bool:
    found = forecast.before.find(name).object
    return found is None or getattr(found, "kind", None) in _BEARING
