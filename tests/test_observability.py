"""The log file, the console and the export: complete, private, harmless to a terminal, and never in the way."""

from __future__ import annotations

import io
import json
import logging
import os
import stat
import threading
import warnings
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.errors import UsageError
from confiture_tui.events import Event, EventName, EventStream, Level
from confiture_tui.observability import console, export_events, json_line, log_file, terminal_left_alone
from confiture_tui.terminal import one_line, safe_json, safe_text, wants_colour

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "a\x1b]0;owned\x07b\x9b31m c\u202ed\u2066 e\ud800 f\x00"


def event(message: str = "something happened", *, level: Level = Level.INFO, **fields: object) -> Event:
    return Event(name=EventName.STATEMENT_COMPLETED, message=message, level=level, **fields)  # type: ignore[arg-type]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_event_is_one_line_that_reads_back_as_the_event(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    events = [event(f"number {n}\n{HOSTILE}", statement=n, duration_ms=n / 3, migration="007") for n in range(50)]
    stream = EventStream()
    with log_file(path) as reader:
        stream.subscribe(reader)
        for one in events:
            stream(one)
    lines = path.read_text().splitlines()
    assert [Event.from_record(json.loads(line)) for line in lines] == events
    assert stream.broken == []


def test_the_log_file_is_private_even_if_it_was_not_before(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"old": true}\n')
    path.chmod(0o644)
    with log_file(path) as reader:
        reader(event())
    assert mode(path) == 0o600
    assert len(path.read_text().splitlines()) == 2


def test_the_log_file_is_rotated_by_size_into_private_files(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with log_file(path, max_bytes=2_000, backups=2) as reader:
        for number in range(100):
            reader(event(f"number {number:03}"))
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["run.jsonl", "run.jsonl.1", "run.jsonl.2"]
    assert all(mode(file) == 0o600 and file.stat().st_size <= 2_000 for file in files)
    assert json.loads(path.read_text().splitlines()[-1])["message"] == "number 099"


def test_the_log_file_takes_only_what_is_of_its_level(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with log_file(path, level=Level.WARNING) as reader:
        for level in Level:
            reader(event(level.word, level=level))
    assert [json.loads(line)["message"] for line in path.read_text().splitlines()] == ["warning", "error"]


def test_a_log_file_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "run.jsonl"):
        with pytest.raises(UsageError, match="cannot be written") as caught:
            log_file(path)
        assert str(path) in caught.value.message


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")  # noqa: PTH110
def test_a_full_disk_is_remembered_and_stops_nobody() -> None:
    from pathlib import Path

    reader = log_file(Path("/dev/full"))
    stream = EventStream()
    stream.subscribe(reader)
    for _ in range(3):
        stream(event())
    assert reader.close()
    assert isinstance(reader.problem, OSError)
    assert stream.broken == []


def test_an_event_that_cannot_be_rendered_is_remembered_and_the_end_is_reached(tmp_path: Path) -> None:
    with log_file(tmp_path / "log") as reader:
        reader(event(data={("no", "key"): 1}))
        reader(event("later"))
        assert reader.flush()
    assert isinstance(reader.problem, TypeError)
    assert reader.close()


def test_emitting_does_not_wait_for_the_writer() -> None:
    release, entered = threading.Event(), threading.Event()

    class Slow(io.StringIO):
        def write(self, text: str) -> int:
            entered.set()
            release.wait(30)
            return super().write(text)

    out = Slow()
    reader = console(out, level=Level.DEBUG, environ={})
    for number in range(100):
        reader(event(f"number {number}"))  # returns although the stream takes nothing
    assert entered.wait(30)
    assert not reader.flush(timeout=0)
    release.set()
    assert reader.close(timeout=30)
    assert len(out.getvalue().splitlines()) == 100


def test_the_console_is_aligned_and_shows_hostile_text_on_one_line() -> None:
    out = io.StringIO()
    with console(out, level=Level.DEBUG, environ={}) as reader:
        reader(event("short", migration="007", statement=3))
        reader(event(f"line one\nline two {HOSTILE}", level=Level.ERROR))
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].index("short") == lines[1].index("line one")
    assert "007#3" in lines[0]
    assert all(line.isprintable() for line in lines)


def test_the_console_narrates_the_long_steps_and_what_went_wrong() -> None:
    out = io.StringIO()
    with console(out, environ={}) as reader:
        reader(Event(name=EventName.SHADOW_READY, message="the shadow is ready"))
        reader(event("a statement"))
        reader(event("a warning", level=Level.WARNING))
        reader(Event(name=EventName.JOB_FAILED, message="the end of it", level=Level.ERROR))
    assert "the end of it" not in out.getvalue()
    assert "the shadow is ready" in out.getvalue()
    assert "a warning" in out.getvalue()
    assert "a statement" not in out.getvalue()


@pytest.mark.parametrize(
    ("stream", "environ", "coloured"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_colour_only_on_a_terminal_and_not_against_the_users_wish(
    stream: io.StringIO, environ: dict[str, str], coloured: bool
) -> None:
    assert wants_colour(stream, environ) is coloured
    with console(stream, level=Level.DEBUG, environ=environ) as reader:
        reader(event())
    assert ("\x1b[" in stream.getvalue()) is coloured


def test_an_export_is_private_complete_and_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    events = [event(f"number {n} {HOSTILE}") for n in range(3)]
    assert export_events(events, path) == 3
    assert mode(path) == 0o600
    assert [Event.from_record(json.loads(line)) for line in path.read_text().splitlines()] == events
    with pytest.raises(UsageError, match="exists already"):
        export_events(events, path)
    with pytest.raises(UsageError, match="cannot be written"):
        export_events(events, tmp_path / "missing" / "x")


def test_nobody_logs_over_the_screen_and_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    direct = logging.StreamHandler()
    before = root.handlers[:]
    root.addHandler(direct)
    try:
        with terminal_left_alone() as kept:
            logging.getLogger("a.library").warning("look\x1b[2J here")
            logging.getLogger("a.library").info("chatter")
            warnings.warn("a warning", UserWarning, stacklevel=1)
            assert capsys.readouterr() == ("", "")
        assert direct in root.handlers
    finally:
        root.handlers[:] = before
    assert [record.name for record in kept] == ["a.library", "py.warnings"]
    assert "a.library: look␛[2J here\n" in capsys.readouterr().err


@given(st.text())
def test_safe_text_keeps_the_length_and_leaves_nothing_to_obey(text: str) -> None:
    safe = safe_text(text)
    assert len(safe) == len(text)
    assert not any((ord(char) < 0x20 and char not in "\n\t") or 0x7F <= ord(char) < 0xA0 for char in safe)
    assert safe_text(safe) == safe
    assert "\n" not in one_line(text)
    safe.encode()


@given(st.text(st.characters(exclude_categories=[])))
def test_safe_json_is_the_same_document(text: str) -> None:
    document = json.dumps({"key": text}, ensure_ascii=False)
    assert json.loads(safe_json(document)) == {"key": text}
    assert not any(0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066\ud800" for char in safe_json(document))


def test_a_record_with_a_value_that_json_does_not_know_is_still_written() -> None:
    from pathlib import Path

    assert json.loads(json_line(event(data={"path": Path("x.sql")})))["data"] == {"path": "x.sql"}
