"""The parts of ``confiture.yaml`` that are about running: ``hooks:`` and ``running:``.

.. code-block:: yaml

    hooks:
      allow: ["acme-hooks:*"]     # hooks of installed packages; all when left out
      deny: [rebuild_index]
    running:
      lock_timeout_ms: 1000
      retries: 20
      give_way: {wait_ms: 500, sessions: 5}   # or false
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from confiture_tui.core.hooks.registry import HookPolicy
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.errors import UsageError
from confiture_tui.yaml_file import YamlFile, did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

_LISTS = ("allow", "deny")


def read_hook_policy(path: Path | None) -> HookPolicy:
    """Which hooks may be used.

    Raises:
        UsageError: the file has a mistake; the message names its line.
    """
    file, section = _section(path, "hooks")
    if file is None:
        return HookPolicy()
    _refuse_unknown(file, "hooks", section, _LISTS)
    lists: dict[str, tuple[str, ...] | None] = {"allow": None, "deny": ()}
    for key, value in section.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise UsageError(
                f"{file.where_at('hooks', key)}: '{key}' is not a list of names.", hint=f"Write `{key}: [name]`."
            )
        lists[key] = tuple(str(one) for one in value)
    return HookPolicy(allow=lists["allow"], deny=lists["deny"] or ())


def read_run_policy(path: Path | None) -> RunPolicy:
    """The limits of runs.

    Raises:
        UsageError: the file has a mistake; the message names its line.
    """
    from pydantic import ValidationError

    file, section = _section(path, "running")
    if file is None:
        return RunPolicy()
    _refuse_unknown(file, "running", section, RunPolicy.model_fields)
    values = {key: None if key == "give_way" and value is False else value for key, value in section.items()}
    try:
        return RunPolicy.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        names = [str(part) for part in first["loc"]]
        raise UsageError(f"{file.where_at('running', *names)}: '{'.'.join(names)}' is wrong: {first['msg']}.") from None


def _section(path: Path | None, name: str) -> tuple[YamlFile | None, Mapping[str, Any]]:
    if path is None:
        return None, {}
    file = YamlFile.read(path)
    section = file.values.get(name)
    if section is None:
        return None, {}
    if not isinstance(section, Mapping):
        raise UsageError(f"{file.where(name)}: '{name}' is not a mapping.", hint="Write one `name: value` to a line.")
    return file, section


def _refuse_unknown(file: YamlFile, section: str, given: Mapping[str, Any], known: Any) -> None:
    for key in given:
        if key not in known:
            raise UsageError(
                f"{file.where_at(section, str(key))}: there is no setting '{section}.{key}'.",
                hint=did_you_mean(str(key), known, "Settings"),
            )
