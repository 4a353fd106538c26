"""Names that relations of the catalog get from statements before: the facts about them stand under their old ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import Relation

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.effects.forecast import Simulation


def aliases_of(simulations: Iterable[Simulation], catalog: Catalog | None) -> Mapping[str, str]:
    """The catalog's qualified names of the relations that statements lock or work on under another."""
    if catalog is None:
        return {}
    known = {each.qualified_name for each in catalog.relations.values()}
    found: dict[str, str] = {}
    for simulation in simulations:
        for forecast in simulation.forecasts:
            for name in (*(each.relation for each in forecast.locks), *(each.relation for each in forecast.works)):
                if name in known or name in found:
                    continue
                now = forecast.before.find(name).object
                before = catalog.relations.by_oid(now.oid) if isinstance(now, Relation) and now.oid > 0 else None
                if before is not None:
                    found[name] = before.qualified_name
    return found
