"""Predictions for random ALTER TABLE statements on random tables are what the server at hand does.

``CONFITURE_GENERATED=2000`` asks for that many tables, with new ones at each run; the few of an ordinary run are
always the same.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, settings

from tests.core.effects.differential.bench import Scratch, differences, in_words
from tests.core.effects.differential.generator import Case, cases

if TYPE_CHECKING:
    from confiture_tui.core.effects.comparison import Mismatch
    from confiture_tui.database.embedded import EmbeddedServer

_ASKED_FOR = os.environ.get("CONFITURE_GENERATED")


def _fails_either_way(mismatch: Mismatch) -> bool:
    """Of several mistakes in one statement the server tells the one that it meets first; any of them will do here."""
    return mismatch.field == "fails" and bool(mismatch.predicted) and bool(mismatch.observed)


@given(case=cases())
@settings(
    max_examples=int(_ASKED_FOR or 40),
    derandomize=_ASKED_FOR is None,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
def test_predictions_for_random_tables_hold(server: EmbeddedServer, scratch: Scratch, case: Case) -> None:
    assert server.is_running
    scratch.renew(case.table.setup)
    found = [
        one
        for sql in case.statements
        for one in differences(scratch.predict(sql, wrapped=True), scratch.observe(sql, wrapped=True))
        if not _fails_either_way(one[1])
    ]
    assert not found, f"{in_words(found)}\n{case.table.setup}"
