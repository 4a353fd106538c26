"""Letting findings of the linter pass from a screen: an exemption in ``confiture.yaml``, or the baseline's file there.

The file is changed as its owner would change it: comments and order stay, and it is written whole or not at all.
"""

from __future__ import annotations

import glob
import io
from typing import TYPE_CHECKING, Any

from confiture_tui.core.lint.config_file import SECTION, lint_config_of
from confiture_tui.errors import UsageError
from confiture_tui.whole_file import whole_file
from confiture_tui.yaml_file import YamlFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASELINE = "lint-baseline.json"
"""The baseline's file, where the settings do not name one."""


def ignore(config_file: Path, *, rule: str, object: str, reason: str) -> None:
    """Exempt an object from a rule, in a project's settings.

    Raises:
        UsageError: the file cannot be read or written, or would not be right any more.
    """
    # In the settings it is a glob.
    exemption = {"object": glob.escape(object), "reason": reason}

    def add(linting: Any) -> None:
        rules = _mapping_at(linting, "rules")
        given = rules.get(rule)
        if not isinstance(given, dict):
            # `rule: warning` and `rule: on` are short for mappings.
            rules[rule] = {} if given is None else {"enabled" if isinstance(given, bool) else "severity": given}
            if str(given).lower() in ("on", "yes", "off", "no", "ignore"):
                rules[rule] = {"enabled": given}
        exemptions = rules[rule].setdefault("exemptions", [])
        if rules[rule]["exemptions"] is None:
            exemptions = rules[rule]["exemptions"] = []
        exemptions.append(exemption)

    _change(config_file, add)


def name_baseline(config_file: Path) -> None:
    """Name the baseline's file in a project's settings, where they name none.

    Raises:
        UsageError: as ``ignore``.
    """
    if config_file.exists() and lint_config_of(YamlFile.read(config_file)).baseline is not None:
        return

    def add(linting: Any) -> None:
        linting["baseline"] = BASELINE

    _change(config_file, add)


def _mapping_at(parent: Any, key: str) -> Any:
    if parent.get(key) is None:
        parent[key] = {}
    return parent[key]


def _change(path: Path, change: Callable[[Any], None]) -> None:
    from ruamel.yaml import YAML

    if path.exists():
        lint_config_of(YamlFile.read(path))
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    loaded = yaml.load(path.read_text(encoding="utf-8-sig")) if path.exists() else None
    document = loaded if loaded is not None else {}
    change(_mapping_at(document, SECTION))
    out = io.StringIO()
    yaml.dump(document, out)
    try:
        with whole_file(path, mode=path.stat().st_mode & 0o777 if path.exists() else 0o644) as beside:
            beside.write_text(out.getvalue(), encoding="utf-8")
            # What could not be read again is not put in the place of what could.
            lint_config_of(YamlFile.read(beside))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", hint="Check its permissions.") from None
