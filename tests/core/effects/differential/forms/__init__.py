"""All forms."""

from __future__ import annotations

from tests.core.effects.differential.forms import (
    administration,
    alter_table,
    code,
    constraints,
    drops,
    fresh,
    indexes,
    maintenance,
    objects,
    partitions,
    queries,
    refused_queries,
    surroundings,
    tables,
    trees,
    types,
    views,
    writes,
)

FORMS = (
    *fresh.FORMS,
    *writes.FORMS,
    *queries.FORMS,
    *refused_queries.FORMS,
    *surroundings.FORMS,
    *code.FORMS,
    *alter_table.FORMS,
    *constraints.FORMS,
    *drops.FORMS,
    *indexes.FORMS,
    *partitions.FORMS,
    *types.FORMS,
    *views.FORMS,
    *objects.FORMS,
    *administration.FORMS,
    *maintenance.FORMS,
    *tables.FORMS,
    *trees.FORMS,
)
