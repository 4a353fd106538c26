"""``linting:`` in a settings file: what it may say, and each mistake with its line and what would be right."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.lint.config import LintConfig
from confiture_tui.core.lint.config_file import lint_config_of
from confiture_tui.core.lint.model import Severity
from confiture_tui.errors import UsageError
from confiture_tui.yaml_file import YamlFile

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
linting:
  fail_on: warning
  baseline: lint-baseline.json
  plugins: false
  exclude_schemas: [legacy, "tmp_*"]
  exemptions:
    - object: public.imports
      reason: filled and emptied by hand
      until: 2030-12-31
  rules:
    documentation: off
    missing-index: ERROR
    naming:
      severity: info
      options:
        tables: snake_case
        columns: ^[a-z_]+$
        patterns:
          - {pattern: ^w_, schemas: [write]}
      exemptions: [public.old_*, "*.temp"]
    unused-index:
      enabled: false
    multi-tenant:
      options: {tenant_table: tenants, required_column: tenant_id, exempt: [countries]}
  custom_rules:
    write_side_naming: ^w_
    read_side_naming: ^r_
    events:
      pattern: _event$
      schema: events
      kind: table
      severity: error
      message: Tables of events end in _event.
"""


def read(tmp_path: Path, text: str) -> LintConfig:
    path = tmp_path / "confiture.yaml"
    path.write_text(text)
    return lint_config_of(YamlFile.read(path))


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    config = read(tmp_path, WHOLE)
    assert config.fail_on is Severity.WARNING
    assert config.baseline == "lint-baseline.json"
    assert config.plugins is False
    assert config.exclude_schemas == ("legacy", "tmp_*")
    assert config.exemptions[0].until == date(2030, 12, 31)
    assert config.rules["documentation"].enabled is False
    assert config.rules["missing-index"].severity is Severity.ERROR
    assert config.rules["naming"].severity is Severity.INFO
    assert config.rules["naming"].options["patterns"] == [{"pattern": "^w_", "schemas": ["write"]}]
    assert [one.object for one in config.rules["naming"].exemptions] == ["public.old_*", "*.temp"]
    assert config.rules["multi-tenant"].enabled is None
    # Patterns that stand alone are alternatives: one rule for all of them.
    write, events = config.custom_rules
    assert (write.name, write.patterns) == ("write_side_naming", ("^w_", "^r_"))
    assert (events.kinds, events.schemas, events.severity) == (("tables",), ("events",), Severity.ERROR)


@pytest.mark.parametrize("text", ["", "env: x\n", "linting:\n", "linting: {}\n"])
def test_nothing_said_is_the_defaults(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == LintConfig()
    assert lint_config_of(None) == LintConfig()


MISTAKES = {
    "linting: yes please\n": (1, "linting is not a mapping", "Settings: "),
    "linting:\n  rule:\n    naming: off\n": (2, "no setting 'rule' in linting", "Did you mean 'rules'?"),
    "linting:\n  naming: off\n": (2, "no setting 'naming'", "write it under `rules:`"),
    "linting:\n  rules:\n    primary_key: off\n": (3, "no rule 'primary_key'", "Did you mean 'primary-key'?"),
    "linting:\n  rules:\n    naming: fatal\n": (3, "is not a severity", "error, warning, info"),
    "linting:\n  rules:\n    naming:\n      severity: bad\n": (4, "is not a severity", "error, warning, info"),
    "linting:\n  rules:\n    naming:\n      enable: no\n": (4, "no setting 'enable'", "Did you mean 'enabled'?"),
    "linting:\n  rules:\n    naming:\n      enabled: maybe\n": (4, "neither true nor false", "true or false"),
    "linting:\n  rules:\n    naming:\n      options:\n        table: any\n": (5, "no option 'table'", "'tables'"),
    "linting:\n  rules:\n    naming:\n      options:\n        tables: snake\n": (5, "not a style", ""),
    "linting:\n  rules:\n    naming:\n      options:\n        tables: any\n        columns: ^[\n": (
        6,
        "not a regular expression",
        "",
    ),
    "linting:\n  rules:\n    naming:\n      options:\n        patterns:\n        - pattern: x\n          schema: w\n": (
        7,
        "no option",
        "Did you mean 'schemas'?",
    ),
    "linting:\n  rules:\n    missing-index:\n      options:\n        min_rows: many\n": (5, "min_rows", ""),
    "linting:\n  rules:\n    missing-index:\n      options:\n        min_rows: -1\n": (5, "greater than or equal", ""),
    "linting:\n  custom_rules:\n    naming: ^w_\n": (3, "the name of another rule", "a name of its own"),
    "linting:\n  custom_rules:\n    a: ^w_\n    b: (\n": (4, "not a regular expression", ""),
    "linting:\n  custom_rules:\n    a:\n      kinds: [tables]\n": (3, "has no pattern", "Add `pattern"),
    "linting:\n  custom_rules:\n    - pattern: x\n": (3, "has no name", "Add `name"),
    "linting:\n  exemptions: public.t\n": (2, "is not a list", ""),
    "linting:\n  exemptions:\n    - object: t\n      untl: 2030-01-01\n": (4, "no setting 'untl'", "'until'"),
    "linting:\n  exemptions:\n    - object: t\n      until: soon\n": (4, "until", ""),
    "linting:\n  fail_on: always\n": (2, "is not a severity", ""),
    "linting:\n  baseline: [a]\n": (2, "is not a text", ""),
    "linting:\n  rules:\n    naming: off\n    naming: on\n": (4, "'naming' is there twice", ""),
}


@pytest.mark.parametrize("text", MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_told_with_its_line_and_what_would_be_right(tmp_path: Path, text: str) -> None:
    line, message, hint = MISTAKES[text]
    with pytest.raises(UsageError) as raised:
        read(tmp_path, text)
    assert f"confiture.yaml, line {line}:" in raised.value.message
    assert message in raised.value.message
    assert hint in raised.value.hint
