"""What earlier statements of the files made is known to later ones as well as the catalog would know it.

Each world's own script is simulated on an empty database; forms are then predicted from the schema that it leaves.
What rests on statistics, which only a catalog has, is not compared.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.model import Migration
from confiture_tui.database.connection import connect
from tests.core.effects.differential import worlds
from tests.core.effects.differential.bench import differences, in_words, runner
from tests.core.effects.differential.forms import FORMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer
    from tests.core.effects.differential.bench import World
    from tests.core.effects.differential.form import Form

_BY_STATISTICS = {"scans", "destroys_data", "changes_data"}
_WORLDS = {"shop": worlds.SHOP, "partitions": worlds.PARTITIONS, "bonds": worlds.BONDS, "tree": worlds.TREE}
_FORMS_EACH = 40


def _chosen(setup: str, major: int) -> list[Form]:
    found = [one for one in FORMS if one.setup == setup and one.wrapped and one.since <= major <= one.until]
    if "CONFITURE_FORMS_ALL" in os.environ:
        return found
    return found[:: max(1, len(found) // _FORMS_EACH)]


@pytest.mark.parametrize("name", _WORLDS)
def test_forms_on_what_a_file_has_made(
    name: str, server: EmbeddedServer, database: Dsn, world: Callable[[str], World]
) -> None:
    setup = _WORLDS[name]
    with connect(database) as conn:
        empty = Catalog.load(conn)
    made = simulate(Migration.from_sql(setup), catalog=empty, profile=runner(wrapped=False))
    failed = [(one.statement.sql, one.effects.fails) for one in made.forecasts if one.effects.fails]
    assert not failed
    forms = _chosen(setup, server.version_num // 10000)
    assert len(forms) >= 10
    wrong = [text for form in forms if (text := _difference(form, made.after, world(setup)))]
    assert not wrong, "\n".join(wrong)


def _difference(form: Form, after: Schema, there: World) -> str:
    migration = Migration.from_sql(form.sql)
    if len(migration.up.statements) != 1 or migration.up.statements[0].node_kind == "TransactionStmt":
        return ""
    predicted = simulate(migration, start=after, profile=runner(wrapped=True)).forecasts
    found = differences(predicted, there.observe(form.sql, wrapped=True))
    return in_words(one for one in found if one[1].field not in _BY_STATISTICS)
