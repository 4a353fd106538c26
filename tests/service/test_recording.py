from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TextIO

import pytest

from confiture_tui.config import Settings
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.errors import Cancelled, ConnectError, UsageError
from confiture_tui.events import Event, EventName
from confiture_tui.service import MigrationService
from confiture_tui.service.assess_request import AssessRequest
from confiture_tui.service.recording import recorder
from confiture_tui.service.recording.entries import (
    Answered,
    Asked,
    Happened,
    answer_type,
    error_from_record,
    error_to_record,
)
from confiture_tui.service.recording.reading import read_recording
from confiture_tui.service.recording.recorder import recording
from confiture_tui.service.recording.replay import ReplayService
from confiture_tui.service.running import PlanChanged, RunRequest
from tests.support.fake_service import FakeService
from tests.support.recordings import answers, session, written
from tests.ui import samples
from tests.ui.hostile import FORBIDDEN, SAMPLES


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    directory = tmp_path / "db" / "migrations"
    directory.mkdir(parents=True)
    (directory / "001_customers.up.sql").write_text("CREATE TABLE customers (id bigint PRIMARY KEY);\n")
    (directory / "002_role.up.sql").write_text(
        "CREATE ROLE clerk LOGIN PASSWORD 'jam and butter';\nSELECT '\x1b[2J';\n"
    )
    return Settings.load(project=tmp_path, environ={})


async def recorded(settings: Settings, path: Path) -> MigrationService:
    """A short session without a database."""
    service = MigrationService(settings)
    with recording(service, path):
        await service.open()
        await service.status()
        await service.preview("001")
        await service.assess(AssessRequest())
        service.events(Event(name=EventName.SERVER_NOTICE, message="postgresql://me:jam-and-butter@db/shop"))
        with pytest.raises(UsageError):
            await service.history()
        await service.close()
    return service


@pytest.mark.parametrize(("what", "value"), [*answers()], ids=lambda value: value if isinstance(value, str) else "")
def test_every_answer_comes_back_as_it_was(what: str, value: Any) -> None:
    adapter = answer_type(what)
    assert adapter.validate_json(json.dumps(adapter.dump_python(value, mode="json"))) == value


async def test_a_plan_comes_back_as_it_was() -> None:
    prepared = await FakeService(statuses=samples.statuses()).prepare_run(RunRequest())
    adapter = answer_type("prepare_run")
    assert adapter.validate_json(json.dumps(adapter.dump_python(prepared, mode="json"))) == prepared
    assert prepared.plan.policy == RunPolicy()
    changed = error_from_record(json.loads(json.dumps(error_to_record(PlanChanged(prepared)))))
    assert isinstance(changed, PlanChanged)
    assert changed.prepared == prepared


@pytest.mark.parametrize("error", [UsageError("a", hint="b"), ConnectError("c"), Cancelled("d")])
def test_errors_come_back_as_they_were(error: UsageError) -> None:
    back = error_from_record(error_to_record(error))
    assert (type(back), back.message, back.hint) == (type(error), error.message, error.hint)


async def test_a_session_is_kept_and_answers_again(project: Settings, tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    live = await recorded(project, path)
    assert path.stat().st_mode & 0o777 == 0o600
    kept = read_recording(path)
    assert kept.is_whole
    assert kept.header.settings.project_dir == project.project_dir
    names = [entry.event.name for entry in kept.entries if isinstance(entry, Happened)]
    assert EventName.PROJECT_OPENED in names

    replay = ReplayService(kept)
    seen: list[Event] = []
    replay.events.subscribe(seen.append)
    assert replay.project is None
    asked = [entry.what for entry in replay.play_to(kept.length)]
    assert asked == ["open", "status", "preview", "assess", "history"]
    assert [event.name for event in seen] == names
    await replay.open()
    assert replay.project == live.project
    statuses = await replay.status()
    assert [(one.version, one.name, one.state) for one in statuses] == [
        ("001", "customers", "pending"),
        ("002", "role", "pending"),
    ]
    assert (await replay.preview("001")).statements[0].tag == "CREATE TABLE"
    assert (await replay.preview("002")).statements[0].tag == "CREATE ROLE"
    assert [one.assessment.version for one in await replay.assess(AssessRequest())] == ["001", "002"]
    with pytest.raises(UsageError, match="no database"):
        await replay.history()
    await replay.close()


async def test_no_secret_and_nothing_that_a_terminal_obeys_is_in_the_file(project: Settings, tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    await recorded(project, path)
    text = path.read_text(encoding="utf-8")
    assert "butter" not in text
    assert "PASSWORD '***'" in text
    assert "://me:***@db" in text
    assert not FORBIDDEN & set(text.replace("\n", ""))


@pytest.mark.parametrize(
    "quoted",
    ["'jam and butter'", "E'jam\\' and butter'", "U&'jam'' and butter'", "$$jam and butter$$", "$a$jam\n$$ butter$a$"],
)
def test_a_password_is_masked_however_it_is_quoted(tmp_path: Path, quoted: str) -> None:
    path = tmp_path / "kept.jsonl"
    statement = f"ALTER ROLE clerk PASSWORD {quoted} VALID UNTIL 'tomorrow'"
    (entry,) = written(path, [Happened(0.0, Event(name=EventName.SERVER_NOTICE, message=statement))]).entries
    assert isinstance(entry, Happened)
    assert entry.event.message == "ALTER ROLE clerk PASSWORD '***' VALID UNTIL 'tomorrow'"


async def test_a_full_disk_is_told_and_stops_nothing(
    project: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_a_full_disk(_path: Path) -> TextIO:
        return Path("/dev/full").open("w", encoding="utf-8")

    monkeypatch.setattr(recorder, "new_private_file", on_a_full_disk)
    service = MigrationService(project)
    with recording(service, tmp_path / "kept.jsonl") as kept:
        await service.open()
        await service.close()
    assert isinstance(kept.problem, OSError)


async def test_nothing_is_overwritten(project: Settings, tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        await recorded(project, path)
    assert path.read_text() == "precious"
    with pytest.raises(UsageError, match="cannot be written"):
        await recorded(project, tmp_path / "nowhere" / "x.jsonl")


async def test_what_was_never_asked_has_no_answer(project: Settings, tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    await recorded(project, path)
    replay = ReplayService(read_recording(path))
    for _ in replay.play_to(1e9):
        pass
    with pytest.raises(UsageError, match="no answer to that"):
        await replay.dry_run("001")
    with pytest.raises(UsageError, match="no answer to that"):
        await replay.previews()


async def test_an_answer_comes_when_it_came(tmp_path: Path) -> None:
    replay = ReplayService(written(tmp_path / "kept.jsonl", await session()))
    asked = [entry for entry in replay.recording.entries if isinstance(entry, Asked) and entry.what == "dry_run"]
    with pytest.raises(UsageError, match="yet"):
        await replay.dry_run("003")
    for _ in replay.play_to(asked[0].at):
        pass
    job = replay.dry_run("003")
    job.cancel()
    assert not job.done
    answered = next(one for one in replay.recording.entries if isinstance(one, Answered) and one.asked == asked[0])
    for _ in replay.play_to(answered.at):
        pass
    assert await job == samples.safe_result()
    assert replay.results == {"003": samples.safe_result()}
    waiting = replay.jobs.start("x", lambda _scope: None)
    with pytest.raises(UsageError):
        await waiting
    replay.rewind()
    assert (replay.position, replay.project, dict(replay.results)) == (0.0, None, {})


class TestBadFiles:
    @pytest.fixture
    async def lines(self, tmp_path: Path) -> list[str]:
        path = tmp_path / "good.jsonl"
        written(path, await session())
        return path.read_text(encoding="utf-8").splitlines(keepends=True)

    def refused(self, tmp_path: Path, text: str | bytes) -> UsageError:
        path = tmp_path / "bad.jsonl"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        with pytest.raises(UsageError) as caught:
            read_recording(path)
        assert str(path) in caught.value.message
        assert caught.value.hint
        return caught.value

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "line 1: the file is empty"),
            ("hello\n", "line 1: it is no JSON object"),
            ('{"at": "2025-01-01", "event": "connected"}\n', "line 1: this is not the beginning of a recording"),
            ('{"kind": "confiture-tui recording", "schema_version": 99, "tool_version": "7.0"}\n', "form 99"),
            ('{"kind": "confiture-tui recording", "schema_version": 1}\n', "line 1: tool_version cannot be read"),
            ("[" * 100_000 + "\n", "line 1"),
            (
                '{"kind": "confiture-tui recording", "schema_version": 1, "tool_version": "1", "env": "local", '
                '"generated_at": "2025-01-01", "project_dir": "/p", "migrations_dir": "/p/m", "runner": "nobody"}\n',
                "line 1: there is no runner profile 'nobody'",
            ),
            (b"\xff\xfe\x00\x01\n", "no text"),
        ],
    )
    def test_another_kind_of_file(self, tmp_path: Path, text: str | bytes, says: str) -> None:
        assert says in self.refused(tmp_path, text).message

    @pytest.mark.parametrize(
        ("line", "says"),
        [
            ("{}", "'t' is missing"),
            ('{"t": NaN, "end": true}', "time goes back"),
            ('{"t": "soon"}', "cannot be understood"),
            ('{"t": 99}', "neither an event nor"),
            ('{"t": 99, "event": {"event": "no_such"}}', "line 3"),
            ('{"t": 99, "event": 7}', "line 3"),
            ('{"t": 99, "asked": "no_such", "job": 1, "version": null}', "no_such"),
            ('{"t": 99, "asked": "run", "job": 1, "version": null, "about": {"direction": "up"}}', "direction"),
            ('{"t": 99, "answered": 77, "value": 1}', "answers what nobody asked"),
            ('{"t": 99, "answered": 1}', "'value' is missing"),
            ('{"t": 99, "answered": 1, "value": {"project": 1, "target": null}}', "project cannot be read"),
            ("not json", "no JSON object"),
        ],
    )
    def test_a_damaged_line_is_named(self, tmp_path: Path, lines: list[str], line: str, says: str) -> None:
        error = self.refused(tmp_path, "".join(lines[:2]) + line + "\n")
        assert says in error.message
        assert "line 3" in error.message

    def test_cut_anywhere_it_is_told_where_or_plays_what_is_there(self, tmp_path: Path, lines: list[str]) -> None:
        whole = "".join(lines).encode()
        path = tmp_path / "cut.jsonl"
        for length in range(1, len(whole), 1 + len(whole) // 60):
            path.write_bytes(whole[:length])
            if whole[length - 1 : length] == b"\n":
                assert not read_recording(path).is_whole
                continue
            with pytest.raises(UsageError) as caught:
                read_recording(path)
            line = whole.count(b"\n", 0, length) + 1
            assert f"line {line}: the file ends in the middle" in caught.value.message
            assert "head -n" in caught.value.hint
        path.write_text("".join(lines[:-1]), encoding="utf-8")
        assert not read_recording(path).is_whole

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot be read"):
            read_recording(tmp_path / "none")
        with pytest.raises(UsageError, match="cannot be read"):
            read_recording(tmp_path)


@pytest.mark.parametrize("text", SAMPLES)
def test_hostile_words_come_back_as_they_were(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hostile.jsonl"
    event = Event(name=EventName.SERVER_NOTICE, message=text, data={text: text})
    kept = written(path, [Happened(0.0, event)])
    assert not FORBIDDEN & set(path.read_text(encoding="utf-8").replace("\n", ""))
    (entry,) = kept.entries
    assert isinstance(entry, Happened)
    assert entry.event == event
