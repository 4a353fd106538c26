"""Objects of a catalog that a test knows to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.relations import Relation


def column(catalog: Catalog, relation: str, name: str) -> Column:
    found = table(catalog, relation).column(name)
    assert found is not None
    return found


def table(catalog: Catalog, name: str) -> Relation:
    found = catalog.table(name)
    assert found is not None
    return found


def constraint(catalog: Catalog, relation: str, name: str) -> Constraint:
    found = table(catalog, relation).constraint(name)
    assert found is not None
    return found
