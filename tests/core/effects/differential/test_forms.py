"""What is predicted of each form is what the server at hand does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.effects.statements.table import HANDLERS
from confiture_tui.core.sql.script import Script
from tests.core.effects.differential.bench import differences, in_words
from tests.core.effects.differential.forms import FORMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.database.embedded import EmbeddedServer
    from tests.core.effects.differential.bench import World
    from tests.core.effects.differential.form import Form


def test_there_are_forms_enough_and_each_has_a_name_of_its_own() -> None:
    assert len(FORMS) >= 200
    assert len({form.id for form in FORMS}) == len(FORMS)


def _chosen() -> tuple[Form, ...]:
    """All forms; or, where ``CONFITURE_FORMS`` is ``k/n``, every n-th from the k-th on (from 0): for servers that
    others are alike to."""
    first, _, step = os.environ.get("CONFITURE_FORMS", "0/1").partition("/")
    return tuple(FORMS)[int(first) :: int(step)]


@pytest.mark.parametrize("form", _chosen(), ids=lambda form: form.id)
def test_prediction_is_what_the_server_does(form: Form, server: EmbeddedServer, world: Callable[[str], World]) -> None:
    if not form.since <= server.version_num // 10000 <= form.until:
        return
    there = world(form.setup)
    predicted = there.predict(form.sql, wrapped=form.wrapped)
    observed = there.observe(form.sql, wrapped=form.wrapped)
    found = differences(predicted, observed)
    assert not found, in_words(found)
    if not form.bare:
        return
    # Without a catalog it may err towards worse, or say that it does not know; never towards better. What exists and
    # what does not it cannot know, and so not what fails.
    bare = differences(there.predict(form.sql, wrapped=form.wrapped, catalog=False), observed)
    understated = [one for one in bare if one[1].understated and one[1].field != "fails"]
    assert not understated, f"without a catalog:\n{in_words(understated)}"


def test_every_kind_of_statement_is_analysed() -> None:
    statements = [one for form in FORMS for one in Script.from_text(form.sql).statements]
    assert {one.node_kind for one in statements if one.problem is None} <= HANDLERS.keys()
