"""``confiture-tui log``: the filter of the Log screen on a file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.events import Event, EventName, Level
from confiture_tui.observability import export_events
from confiture_tui.service.log_file import LogFile
from confiture_tui.service.log_filter import LogFilter, let_through
from tests.cli.test_commands import run

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def event(message: str, level: Level = Level.INFO, **fields: Any) -> Event:
    return Event(name=EventName.SERVER_NOTICE, message=message, level=level, at=AT, **fields)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    export_events(
        [
            event("begins", migration="008"),
            event("waits", Level.WARNING, migration="008", data={"hook": "analyze_tables"}),
            event("ends", migration="008"),
            event("hostile \x1b[2J and more", migration="009"),
        ],
        path,
    )
    return path


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), ["begins", "waits", "ends", "hostile"]),
        (("migration=008",), ["begins", "waits", "ends"]),
        (("migration=008", "WAITS"), ["waits"]),
        (("hook=analyze",), ["waits"]),
        (("waits", "--context", "1"), ["begins", "waits", "ends"]),
        (("--log-level", "warning"), ["waits"]),
        (("nothing",), []),
    ],
)
def test_it_shows_what_the_screen_shows(file: Path, arguments: tuple[str, ...], found: list[str]) -> None:
    done = run(file.parent, "log", str(file), *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(found)
    assert all(word in line for word, line in zip(found, lines, strict=True))
    assert "\x1b" not in done.stdout


def test_as_json_it_is_the_same_lines(file: Path) -> None:
    done = run(file.parent, "log", str(file), "--format", "json")
    assert done.stdout == file.read_text(encoding="utf-8")


def test_what_another_run_wrote_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "001_a.sql").write_text("SELECT 1;\n")
    recorded, logged = tmp_path / "recorded.jsonl", tmp_path / "logged.jsonl"
    run(tmp_path, "preview", "001_a.sql", "--record", str(recorded), "--log-file", str(logged), "--log-level", "debug")
    for path in (recorded, logged):
        done = run(tmp_path, "log", str(path), "--format", "json")
        assert (done.returncode, done.stderr) == (0, "")
        assert {json.loads(line)["event"] for line in done.stdout.splitlines()} >= {"job_started", "job_completed"}


def test_a_last_line_that_is_half_there_is_told(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8") + '{"at": "2025-01', encoding="utf-8")
    done = run(file.parent, "log", str(file))
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 4)
    assert "1 line of" in done.stderr


def test_nothing_in_it_or_in_its_name_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\nb.jsonl"
    told = Event(name=EventName.GAVE_WAY, message="look \x1b[2J here\u202e").to_record()
    path.write_text(json.dumps(told) + "\nhalf\n", encoding="utf-8")
    done = run(tmp_path, "log", path.name)
    assert (done.returncode, len(done.stdout.splitlines()), len(done.stderr.splitlines())) == (0, 1, 1)
    assert not {"\x1b", "\u202e"} & set(done.stdout + done.stderr)
    assert "1 line of a␛[31m" in done.stderr


@pytest.mark.parametrize("text", ["no JSON\n", '["a list"]\n', '{"event": 1}\n', "\x00\n", "[" * 100_000])
def test_what_is_no_log_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text, encoding="utf-8")
    done = run(tmp_path, "log", "x")
    assert done.returncode == 2
    assert "is no log" in done.stderr


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    done = run(tmp_path, "log", "absent.jsonl")
    assert done.returncode == 2
    assert "absent.jsonl cannot be read" in done.stderr
    (tmp_path / "empty").touch()
    assert list(LogFile(tmp_path / "empty").events()) == []


@given(hits=st.lists(st.booleans(), max_size=20), around=st.integers(0, 3))
def test_each_comes_with_those_around_it_once(hits: list[bool], around: int) -> None:
    events = [event(f"{'hit' if hit else 'other'} {number}") for number, hit in enumerate(hits)]
    shown = list(let_through(events, LogFilter("hit", context=around)))
    assert shown == [one for at, one in enumerate(events) if any(hits[max(at - around, 0) : at + around + 1])]
