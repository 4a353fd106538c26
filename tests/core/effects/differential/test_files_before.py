"""What the files of earlier migrations have made is known, object by object, to the statement that comes after them.

Each case's files run on a server one after the other, each in a transaction of its own, and are simulated on an empty
database. The schema that they leave must be the server's, and what is predicted of the statement what the server does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, Sequence
from confiture_tui.core.effects.schema import Schema
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.model import Migration
from tests.core.effects.differential.bench import differences, in_words, runner
from tests.core.effects.differential.files import CASES, Case

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.catalog import AnyRelation
    from confiture_tui.database.embedded import EmbeddedServer
    from tests.core.effects.differential.bench import Scratch

_BY_STATISTICS = {"scans", "destroys_data", "changes_data"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_statement_after_the_files(case: Case, server: EmbeddedServer, scratch: Scratch) -> None:
    if not case.since <= server.version_num // 10000 <= case.until:
        return
    scratch.renew("")
    empty = scratch.catalog
    scratch.run(*case.files)
    known = _after(case.files, Schema.of(empty))
    assert _described(known.relations()) == _described(_all_of(scratch.catalog))
    observed = scratch.observe(case.sql, wrapped=True)
    for schema in (known, _after(case.files, Schema.of(None)), Schema.of(scratch.catalog)):
        predicted = simulate(Migration.from_sql(case.sql), start=schema, profile=runner(wrapped=True)).forecasts
        found = differences(predicted, observed)
        if not schema.known:
            # It may err towards worse, but what it calls certain to fail must fail.
            found = tuple(one for one in found if one[1].understated is (one[1].field != "fails"))
        elif schema is known:
            found = tuple(one for one in found if one[1].field not in _BY_STATISTICS)
        assert not found, in_words(found)


def _after(files: Iterable[str], schema: Schema) -> Schema:
    for text in files:
        simulation = simulate(Migration.from_sql(text), start=schema, profile=runner(wrapped=True))
        failed = [(one.statement.sql, one.effects.fails) for one in simulation.forecasts if one.effects.fails]
        assert not failed
        schema = simulation.after
    return schema


def _all_of(catalog: Catalog) -> Iterable[AnyRelation]:
    for family in (catalog.relations, catalog.indexes, catalog.sequences):
        yield from (one for one in family.values() if getattr(one, "extension", None) is None)


def _described(relations: Iterable[AnyRelation]) -> dict[str, Any]:
    return {one.qualified_name: _description(one) for one in relations}


def _description(one: AnyRelation) -> Any:
    if isinstance(one, Index):
        return (one.relation, one.key_columns, one.unique, one.primary, one.valid, one.nulls_first, one.parent)
    if isinstance(one, Sequence):
        return (one.type, one.owned_by, one.identity, one.owner)
    assert isinstance(one, Relation)
    return {
        "kind": one.kind,
        "owner": one.owner,
        "columns": [
            (each.number, each.name, each.type, each.not_null, each.generated, each.identity) for each in one.columns
        ],
        "constraints": sorted(
            (each.name, each.kind, each.columns, each.validated, each.referenced_relation)
            for each in one.constraints
            if each.kind is not ConstraintKind.TRIGGER
        ),
        "indexes": sorted(each.name for each in one.indexes),
        "triggers": sorted(each.name for each in one.triggers),
        "policies": sorted(each.name for each in one.policies),
    }
