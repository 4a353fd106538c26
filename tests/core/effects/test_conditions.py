from __future__ import annotations

import inspect

import pytest
from psycopg import errors

from confiture_tui.core.effects.conditions import sqlstate_of


def _named_by_the_driver() -> dict[str, str]:
    """SQLSTATEs by the names of the driver's exceptions, which are those of the conditions in another spelling."""
    classes = inspect.getmembers(errors, inspect.isclass)
    states = {name: getattr(one, "sqlstate", None) for name, one in classes}
    known = {name: state for name, state in states.items() if isinstance(state, str)}
    # "Ext" tells apart, for the driver, what PL/pgSQL calls by one name; "_" what DB-API has another class for.
    return {name.removesuffix("_"): state for name, state in known.items() if not name.endswith("Ext")}


def test_every_condition_stands_for_the_state_that_the_driver_knows() -> None:
    driver = _named_by_the_driver()
    assert len(driver) > 200
    for name, state in driver.items():
        words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
        assert sqlstate_of(words) == state


@pytest.mark.parametrize("name", ["no_such_condition", "others", "", "UNIQUE_VIOLATION"])
def test_what_is_no_condition_has_no_state(name: str) -> None:
    assert sqlstate_of(name) is None
