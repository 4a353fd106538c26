"""The demo's twelve pending migrations do what was predicted, and their ways back are proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.config import Settings
from confiture_tui.core.dry_run.result import DataAfter, Verdict
from confiture_tui.service import MigrationService

if TYPE_CHECKING:
    from pathlib import Path

_PLANNERS_CHOICE = {("019", "UPDATE", "scans")}
"""Which of two tables a join looks up by its index is estimated, and taken at its worst: a note says so."""


async def test_predicted_is_observed_and_each_way_back_restores_the_schema(tmp_path: Path) -> None:
    service = MigrationService(Settings(project_dir=tmp_path, migrations_dir=tmp_path), demo=True)
    await service.open()
    try:
        results = [await service.dry_run(f"{number:03}") for number in range(8, 20)]
    finally:
        await service.close()
    found = {
        (result.version, one.tag, field)
        for result in results
        for one in result.statements
        for field in one.mismatch or ()
    }
    assert found <= _PLANNERS_CHOICE
    for result in results:
        assert any("planner's choice" in note for note in result.notes) == any(v == result.version for v, *_ in found)
        trip = result.round_trip
        if result.verdict is Verdict.OK:
            assert trip is not None
            assert (trip.schema_proved, trip.again, trip.differences) == (True, True, ())
            assert trip.data is not DataAfter.LOST
        else:
            assert trip is None
