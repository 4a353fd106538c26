"""What taking migrations back destroys: to be said before the yes, for no way forward brings it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.effects.schema import Schema
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.runner.job import PROFILE

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.migrations.model import Migration

_SHOWN = 100
"""Characters of a statement that are quoted."""


def losses(migrations: Sequence[Migration], catalog: Catalog) -> Iterator[tuple[str, ...]]:
    """For each migration, in the order in which they are taken back: what its way back destroys, a sentence each."""
    schema = Schema.of(catalog)
    for migration in migrations:
        simulation = simulate(migration, profile=PROFILE, start=schema, direction="down")
        schema = simulation.after
        yield tuple(
            f"Line {forecast.statement.line} {'destroys' if destroys else 'may destroy'} data: "
            f"{_quoted(forecast.statement.sql)}"
            for forecast in simulation.forecasts
            if (destroys := forecast.effects.destroys_data) is not False
        )


def _quoted(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
