"""What the command line opens after its user has asked the app for something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.cli.open_app import open_app
from confiture_tui.config import Settings
from confiture_tui.ui import terminal
from confiture_tui.ui.reopening import Reopening, on_database

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from confiture_tui.service import MigrationService


def test_a_recording_is_of_what_was_opened_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "session.jsonl"
    opened: list[Settings] = []

    def run_app(service: MigrationService, *, walkthrough: bool = False) -> int | Reopening:
        opened.append(service.settings)
        return on_database(service.settings, "dbname=x") if len(opened) == 1 else 0

    # The app itself needs a terminal.
    monkeypatch.setattr(terminal, "run_app", run_app)
    assert open_app(Settings(project_dir=tmp_path, migrations_dir=tmp_path, record=record)) == 0
    assert [one.record for one in opened] == [record, None]
    assert opened[1].dsn is not None
    assert f"The recording {record} ended here" in capsys.readouterr().err
    assert record.read_text().splitlines()[-1].endswith('"end": true}')
