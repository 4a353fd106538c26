"""Findings that are let pass from a screen: what is written into the settings, and what is left as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_tui.core.lint.config_file import lint_config_of
from confiture_tui.errors import UsageError
from confiture_tui.service.lint_settings import BASELINE, ignore, name_baseline
from confiture_tui.yaml_file import YamlFile


def exemptions(file: Path, rule: str) -> list[tuple[str, str]]:
    settings = lint_config_of(YamlFile.read(file)).rules[rule]
    return [(one.object, one.reason) for one in settings.exemptions]


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "confiture.yaml"
    ignore(file, rule="missing-index", object="shop.orders.tenant_id", reason="it is small")
    ignore(file, rule="missing-index", object='shop."Odd.Name"', reason='a "reason": yes # really')
    assert exemptions(file, "missing-index") == [
        ("shop.orders.tenant_id", "it is small"),
        ('shop."Odd.Name"', 'a "reason": yes # really'),
    ]


def test_what_is_in_it_stays_with_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "confiture.yaml"
    before = "# ours\nrunner: loose   # not confiture\nlinting:\n  fail_on: warning\n  rules:\n    naming: off\n"
    file.write_text(before)
    file.chmod(0o640)
    ignore(file, rule="missing-index", object="a.b", reason="x")
    assert file.read_text().startswith(before)
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["confiture.yaml"]


@pytest.mark.parametrize(
    ("given", "enabled", "severity"),
    [("error", None, "error"), ("on", True, None), ("off", False, None), ("true", True, None)],
)
def test_a_rule_that_is_set_in_a_word_keeps_its_word(
    tmp_path: Path, given: str, enabled: bool | None, severity: str | None
) -> None:
    file = tmp_path / "confiture.yaml"
    file.write_text(f"linting: {{rules: {{missing-index: {given}}}}}\n")
    ignore(file, rule="missing-index", object="a.b", reason="x")
    settings = lint_config_of(YamlFile.read(file)).rules["missing-index"]
    assert settings.enabled is enabled
    assert (settings.severity.value if settings.severity else None) == severity
    assert exemptions(file, "missing-index") == [("a.b", "x")]


def test_a_file_with_a_mistake_is_told_of_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "confiture.yaml"
    file.write_text("linting: {rules: {no-such-rule: on}}\n")
    with pytest.raises(UsageError, match="line 1"):
        ignore(file, rule="missing-index", object="a.b", reason="x")
    assert file.read_text() == "linting: {rules: {no-such-rule: on}}\n"


def test_a_rule_that_there_is_not_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "confiture.yaml"
    with pytest.raises(UsageError, match="no rule 'no-such-rule'"):
        ignore(file, rule="no-such-rule", object="a.b", reason="x")
    assert list(tmp_path.iterdir()) == []


def test_the_baseline_is_named(tmp_path: Path) -> None:
    file = tmp_path / "confiture.yaml"
    file.write_text("env: staging\n")
    name_baseline(file)
    assert lint_config_of(YamlFile.read(file)).baseline == BASELINE
    assert file.read_text().startswith("env: staging\n")
    file.write_text("linting: {baseline: other.json}\n")
    name_baseline(file)
    assert file.read_text() == "linting: {baseline: other.json}\n"


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        name_baseline(tmp_path / "no/such/confiture.yaml")
