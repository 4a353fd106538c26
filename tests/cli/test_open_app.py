"""What the command line opens after its user has asked the app for something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.cli import entry
from confiture_tui.cli.open_app import open_app
from confiture_tui.config import Settings
from confiture_tui.ui import terminal
from confiture_tui.ui.reopening import Reopening, on_database

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.mark.parametrize(
    "words", [["change.sql"], ["open", "change.sql"], ["--runner", "loose", "change.sql", "--read-only"]]
)
def test_a_path_stands_where_a_command_could(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "change.sql").write_text("SELECT 1;\n")
    monkeypatch.chdir(tmp_path)
    opened: list[Settings] = []

    def run_app(service: MigrationService, *, walkthrough: bool = False) -> int | Reopening:
        opened.append(service.settings)
        return 0

    monkeypatch.setattr(terminal, "run_app", run_app)
    assert entry.run(words) == 0
    assert [one.file for one in opened] == [tmp_path / "change.sql"]
    assert opened[0].read_only is ("--read-only" in words)


def test_the_app_tries_migrations_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Settings] = []

    def run_app(service: MigrationService, *, walkthrough: bool = False) -> int | Reopening:
        opened.append(service.settings)
        return 0

    monkeypatch.setattr(terminal, "run_app", run_app)
    assert entry.run(["--project", str(tmp_path), "--shadow-dsn", "host=lab", "--rows", "synthetic"]) == 0
    assert opened[0].shadow_dsn is not None
    assert opened[0].shadow_dsn.get_secret_value() == "host=lab"
    assert opened[0].rows == "synthetic"


@pytest.mark.parametrize(
    ("word", "said"),
    [("gone.sql", "There is no "), ("-", "reads its keys"), ("notes.txt", "No such command"), ("lnt", "Did you mean")],
)
def test_what_cannot_be_opened_is_told(
    word: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").touch()
    monkeypatch.chdir(tmp_path)
    assert entry.run([word]) == 2
    assert said in capsys.readouterr().err


def test_a_file_of_no_project_is_tried_without_a_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "change.sql").write_text("CREATE TABLE jam (id int);\n")
    (tmp_path / "more.sql").write_text("ALTER TABLE jam ADD note text;\n")
    assert entry.run(["dry-run", "change.sql"]) == 0
    assert "change  ✓ ok" in capsys.readouterr().out
    assert entry.run(["dry-run", "more.sql"]) == 2
    assert "works on public.jam" in capsys.readouterr().err
    assert entry.run(["dry-run", "change.sql", "more.sql"]) == 2
    assert "by itself" in capsys.readouterr().err
