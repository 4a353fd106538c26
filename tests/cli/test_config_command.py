"""``config show`` and ``config schema``: every value with its origin, no secret, and a schema that says what holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from confiture_tui.cli.entry import run
from confiture_tui.config import USER_KEYS, Settings
from confiture_tui.core.lint.rules import RULES
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.errors import UsageError
from confiture_tui.service.settings_file import SettingsFile
from confiture_tui.service.settings_schema import schema_of

PROJECT = """\
log_level: warning
running:
  retries: 3
  give_way: false
hooks: {deny: [rebuild_index]}
linting:
  rules: {missing-index: off}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFITURE_DATABASE_URL", "DATABASE_URL", "PGHOST", "PGDATABASE", "PGSERVICE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    directory = tmp_path / "project"
    (directory / "db/environments").mkdir(parents=True)
    (directory / "db/environments/local.yaml").write_text("database_url: postgresql://app:s3cr3t@h/shop\n")
    (directory / "confiture.yaml").write_text(PROJECT)
    user = tmp_path / "xdg/confiture-tui"
    user.mkdir(parents=True)
    (user / "config.yaml").write_text("theme: confiture-light\nlog_level: debug\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return directory


def shown(project: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, tuple[object, str]]:
    assert run(["config", "show", "--project", str(project), "--format", "json", *options]) == 0
    out = capsys.readouterr().out
    assert "s3cr3t" not in out
    document = json.loads(out)
    assert document["schema_version"] == 1
    return {one["name"]: (one["value"], one["origin"]) for one in document["settings"]}


def test_each_value_says_where_it_came_from(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONFITURE_RUNNER", "loose")
    found = shown(project, capsys, "--read-only")
    file = project / "confiture.yaml"
    user = tmp_path / "xdg/confiture-tui/config.yaml"
    assert found["project"] == (str(project), "--project")
    assert found["env"] == ("local", "default")
    assert found["database"] == (
        "postgresql://app:***@h:5432/shop",
        f"{project / 'db/environments/local.yaml'}, line 1",
    )
    assert found["read_only"] == (True, "--read-only")
    assert found["runner"] == ("loose", "CONFITURE_RUNNER")
    assert found["log_level"] == ("warning", f"{file}, line 1")
    assert found["theme"] == ("confiture-light", f"{user}, line 1")
    assert found["ascii"] == (None, "default")
    assert found["running.retries"] == (3, f"{file}, line 3")
    assert found["running.give_way"] == (False, f"{file}, line 4")
    assert found["running.lock_timeout_ms"] == (2000, "default")
    assert found["hooks.deny"] == ("rebuild_index", f"{file}, line 5")
    assert found["linting.rules"] == ("missing-index: off", f"{file}, line 7")
    assert found["keys"][1].startswith("there is no ")


def test_as_text(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "show", "--project", str(project)]) == 0
    out = capsys.readouterr().out
    assert "s3cr3t" not in out
    assert "log_level" in out
    assert "confiture.yaml, line 1" in out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("runner: loose\n", "line 1: 'runner' is a setting of a project."),
        ("linting: {}\n", "line 1: 'linting' is a setting of a project."),
        ("ascii: true\nthmee: x\n", "line 2: there is no setting 'thmee'."),
        ("ascii: perhaps\n", "line 1: 'perhaps' is neither yes nor no."),
    ],
)
def test_a_mistake_of_the_user_s_file_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "confiture-tui").mkdir()
    (tmp_path / "confiture-tui/config.yaml").write_text(text)
    with pytest.raises(UsageError, match=says.replace("(", r"\(")) as caught:
        Settings.load(project=tmp_path, environ={"XDG_CONFIG_HOME": str(tmp_path)})
    assert caught.value.hint


def test_the_user_s_file_gives_way_to_all_others(tmp_path: Path) -> None:
    (tmp_path / "confiture-tui").mkdir()
    (tmp_path / "confiture-tui/config.yaml").write_text("log_level: debug\nlog_file: here.jsonl\n")
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    settings = Settings.load(project=tmp_path, environ=environ)
    assert settings.log_level.word == "debug"
    assert settings.log_file == tmp_path / "confiture-tui/here.jsonl"
    assert Settings.load(project=tmp_path, environ=environ | {"CONFITURE_LOG_LEVEL": "error"}).log_level.word == "error"
    (tmp_path / "confiture.yaml").write_text("log_level: warning\n")
    assert Settings.load(project=tmp_path, environ=environ).log_level.word == "warning"


def test_the_schema_has_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == schema_of(SettingsFile.PROJECT)
    assert set(schema["properties"]) == {"env", *schema_of(SettingsFile.USER)["properties"], *_PROJECT_ONLY}
    assert set(schema["properties"]["running"]["properties"]) == set(RunPolicy.model_fields)
    assert set(schema["properties"]["linting"]["properties"]["rules"]["properties"]) == {rule.id for rule in RULES}
    assert schema["additionalProperties"] is False


_PROJECT_ONLY = (
    "migrations_dir",
    "runner",
    "shadow_dsn",
    "clone_dsn",
    "rows",
    "shadow_cache",
    "hooks",
    "linting",
    "running",
)


@pytest.mark.parametrize("file", SettingsFile)
def test_of_each_kind_of_file(file: SettingsFile, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema", "--of", file.value]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    if file is SettingsFile.USER:
        assert set(schema["properties"]) == set(USER_KEYS)
    if file is SettingsFile.ENVIRONMENT:
        assert {"database_url", "production"} <= set(schema["properties"])
