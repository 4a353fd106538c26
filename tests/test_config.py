"""Settings: which source wins, and that every mistake is named with its file and line and no secret."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from confiture_tui.config import OutputFormat, Settings
from confiture_tui.errors import UsageError
from confiture_tui.events import Level

URL = "postgresql://app:s3cr3t-word@db.example:5432/shop"


def project(tmp_path: Path, *, config: str | None = None, **environments: str) -> Path:
    directory = tmp_path / "project"
    (directory / "db/environments").mkdir(parents=True)
    for name, text in environments.items():
        (directory / f"db/environments/{name}.yaml").write_text(text)
    if config is not None:
        (directory / "confiture.yaml").write_text(config)
    return directory


def load(directory: Path, environ: dict[str, str] | None = None, **given: Any) -> Settings:
    return Settings.load(project=directory, environ=environ or {}, **given)


def refusal(directory: Path, environ: dict[str, str] | None = None, **given: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(directory, environ, **given)
    assert "s3cr3t-word" not in str(caught.value)
    assert caught.value.hint
    return caught.value


def test_an_empty_directory_gives_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.env == "local"
    assert settings.project_dir == tmp_path
    assert settings.migrations_dir == tmp_path / "db/migrations"
    assert settings.format is OutputFormat.TEXT
    assert settings.log_level is Level.INFO
    assert (settings.dsn, settings.database_url, settings.pg_bin, settings.log_file) == (None, None, None, None)
    assert settings.read_only is False
    assert settings.is_production is False
    assert not settings.is_given("log_level")


def test_each_source_gives_way_to_the_stronger_one(tmp_path: Path) -> None:
    directory = project(tmp_path, config="log_level: error\nrunner: loose\n", local="log_level: warning\n")
    assert load(directory).runner == "loose"
    assert load(directory).log_level is Level.WARNING
    assert load(directory, {"CONFITURE_LOG_LEVEL": "info"}).log_level is Level.INFO
    assert load(directory, {"CONFITURE_LOG_LEVEL": "info"}, log_level="debug").log_level is Level.DEBUG
    assert load(directory).is_given("log_level")


def test_the_environment_is_chosen_by_option_variable_file_and_default(tmp_path: Path) -> None:
    directory = project(tmp_path, config="env: c\n", a="", b="", c="", local="")
    assert load(directory, {"CONFITURE_ENV": "b"}, env="a").env == "a"
    assert load(directory, {"CONFITURE_ENV": "b"}).env == "b"
    assert load(directory).env == "c"
    assert load(directory, config=directory / "db/environments/local.yaml").env == "local"


def test_paths_in_files_are_relative_to_the_project(tmp_path: Path) -> None:
    directory = project(tmp_path, config="migrations_dir: sql\nlog_file: out/run.jsonl\n")
    settings = load(directory)
    assert settings.migrations_dir == directory / "sql"
    assert settings.log_file == directory / "out/run.jsonl"


def test_no_password_is_ever_shown(tmp_path: Path) -> None:
    directory = project(tmp_path, local=f"database_url: {URL}\n")
    settings = load(directory)
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == URL
    for shown in (repr(settings), str(settings), f"{asdict(settings)}", repr(load(directory, dsn=URL))):
        assert "s3cr3t-word" not in shown


def test_variables_are_filled_in(tmp_path: Path) -> None:
    directory = project(tmp_path, local="database_url: postgresql://${WHO}:${PASS}@h/${DB:-shop}\n")
    settings = load(directory, {"WHO": "app", "PASS": "a$b{c}"})
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://app:a$b{c}@h/shop"


def test_a_missing_variable_is_named_with_its_line(tmp_path: Path) -> None:
    directory = project(tmp_path, local="name: local\n\ndatabase_url: postgresql://app:${SHOP_PASSWORD}@h/d\n")
    message = str(refusal(directory))
    assert "local.yaml, line 3" in message
    assert "SHOP_PASSWORD" in message


@pytest.mark.parametrize(
    ("environ", "given"),
    [
        ({}, {"dsn": "dbname=x"}),
        ({"DATABASE_URL": "dbname=x"}, {}),
        ({"CONFITURE_DATABASE_URL": "dbname=x"}, {}),
        ({}, {"needs_database": False}),
    ],
)
def test_a_connection_that_is_not_used_may_miss_its_variable(
    tmp_path: Path, environ: dict[str, str], given: dict[str, Any]
) -> None:
    directory = project(tmp_path, local="database_url: postgresql://app:${SHOP_PASSWORD}@h/d\n")
    assert load(directory, environ, **given).database_url is None


def test_keys_of_the_confiture_tool_are_left_alone(tmp_path: Path) -> None:
    directory = project(
        tmp_path, local=f"name: local\ndatabase_url: {URL}\ninclude_dirs: [a, b]\nmigration:\n  strict_mode: true\n"
    )
    assert load(directory).database_url is not None


def test_a_variable_in_a_key_that_is_not_ours_is_not_asked_for(tmp_path: Path) -> None:
    assert load(project(tmp_path, local="other: ${NOT_SET}\n")).env == "local"


def test_an_unknown_key_of_ours_is_refused_with_its_line_and_the_nearest_one(tmp_path: Path) -> None:
    error = refusal(project(tmp_path, config="# settings\nenv: local\nlog_levle: debug\n"))
    assert "confiture.yaml, line 3" in error.message
    assert "log_levle" in error.message
    assert "log_level" in error.hint


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"a: 1\ndatabase_url: {URL}\nb: 2\ndatabase_url: {URL}\n", 4),
        (f"a: 1\n\tdatabase_url: {URL}\n", 2),
        (f'a: 1\ndatabase_url: "{URL}\nb: 3\n', 4),
        (f'a: 1\ndatabase_url: "\\s3cr3t-word{URL}"\n', 2),
        (f"a: 1\ndatabase_url: {URL}: x\n", 2),
        ("a: 1\nb: *s3cr3t-word\n", 2),
    ],
)
def test_broken_yaml_is_named_with_its_line_and_without_its_values(tmp_path: Path, text: str, line: int) -> None:
    assert f"local.yaml, line {line}:" in refusal(project(tmp_path, local=text)).message


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "local.yaml" in refusal(project(tmp_path, local=text)).message


@pytest.mark.parametrize("content", [b"a: \xff\xfe\n", b"a: \x01\n"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    directory = project(tmp_path, local="")
    (directory / "db/environments/local.yaml").write_bytes(content)
    assert "local.yaml" in refusal(directory).message


def test_a_list_where_a_value_belongs_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "line 2" in refusal(project(tmp_path, local="a: 1\ndatabase_url: [x]\n")).message


def test_a_database_block_without_a_url_is_explained(tmp_path: Path) -> None:
    error = refusal(project(tmp_path, local="name: local\ndatabase:\n  host: h\n"))
    assert "line 2" in error.message
    assert "database_url" in error.hint


@pytest.mark.parametrize(
    ("environ", "given", "origin"),
    [
        ({}, {"log_level": "loud"}, "--log-level"),
        ({}, {"format": "xml"}, "--format"),
        ({"CONFITURE_READ_ONLY": "perhaps"}, {}, "CONFITURE_READ_ONLY"),
        ({"CONFITURE_ENV": "../../etc/passwd"}, {}, "CONFITURE_ENV"),
        ({}, {"env": ".."}, "--env"),
    ],
)
def test_a_bad_value_is_named_with_where_it_came_from(
    tmp_path: Path, environ: dict[str, str], given: dict[str, Any], origin: str
) -> None:
    assert refusal(project(tmp_path), environ, **given).message.startswith(origin)


def test_a_bad_value_in_a_file_is_named_with_its_line(tmp_path: Path) -> None:
    assert "confiture.yaml, line 2" in refusal(project(tmp_path, config="runner: loose\nread_only: perhaps\n")).message


def test_a_misspelt_environment_is_refused_and_the_nearest_one_named(tmp_path: Path) -> None:
    error = refusal(project(tmp_path, production="", local=""), {"DATABASE_URL": "dbname=x"}, env="prodcution")
    assert "prodcution" in error.message
    assert "'production'" in error.hint


def test_an_environment_needs_no_file_where_a_connection_is_given_and_there_are_none(tmp_path: Path) -> None:
    assert load(tmp_path, {"DATABASE_URL": "dbname=x"}, env="production").is_production
    assert "staging" in refusal(tmp_path, env="staging").message


@pytest.mark.parametrize(
    ("env", "text", "expected"),
    [
        ("production", "", True),
        ("PROD", "", True),
        ("live", "", True),
        ("staging", "", False),
        ("eu-1", "production: true\n", True),
        ("eu-2", "production: false\n", False),
        ("prod", "production: false\n", True),
    ],
)
def test_what_is_production(tmp_path: Path, env: str, text: str, expected: bool) -> None:
    assert load(project(tmp_path, **{env: text}), env=env).is_production is expected


def test_a_project_or_config_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "nowhere" in refusal(tmp_path / "nowhere").message
    assert "missing.yaml" in refusal(tmp_path, config=tmp_path / "missing.yaml").message
