"""``NNN_name.hooks.yaml``: which hooks a migration has, and with which options.

.. code-block:: yaml

    hooks:
      - hook: backfill_read_model
        phase: AFTER_DDL            # where the hook allows more than one
        direction: forward          # forward (as when left out), backward, both
        options:
          query: SELECT id, tenant_id FROM w_order
          target: r_order
          key: id
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.errors import UsageError
from confiture_tui.yaml_file import YamlFile, did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import ValidationError

    from confiture_tui.core.hooks.context import Direction
    from confiture_tui.core.hooks.hook import Hook
    from confiture_tui.core.hooks.registry import HookRegistry
    from confiture_tui.core.migrations.model import Migration

SUFFIX = ".hooks.yaml"

_KEYS = ("hook", "phase", "direction", "options")
_DIRECTIONS = ("forward", "backward", "both")


@dataclass(frozen=True, slots=True)
class DeclaredHook:
    """One entry of a declaration.

    Attributes:
        name: of the hook.
        phase: where the declaration names one.
        direction: when it runs: as the migration is applied, as it is taken back, or both.
        options: as written; checked when the hook is made.
        place: file and line, as messages name them.
        position: 0-based position in the file's list.
    """

    name: str
    phase: HookPhase | None
    direction: Literal["forward", "backward", "both"]
    options: Mapping[str, Any]
    place: str
    position: int


def declaration_path(migration: Migration) -> Path | None:
    """Where a migration's declaration would be; ``None`` for a migration without a file."""
    if migration.path is None:
        return None
    name = migration.path.name
    for ending in (".up.sql", ".sql"):
        if name.endswith(ending):
            return migration.path.with_name(name.removesuffix(ending) + SUFFIX)
    return migration.path.with_name(name + SUFFIX)


def read_declaration(migration: Migration) -> tuple[DeclaredHook, ...]:
    """The hooks that a migration declares, in their order; nothing where there is no file. Imports nobody's code.

    Raises:
        UsageError: the file has a mistake; the message names its line.
    """
    path = declaration_path(migration)
    if path is None or not path.exists():
        return ()
    file = YamlFile.read(path)
    file.refuse_unknown_keys(("hooks",))
    entries = file.values.get("hooks")
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise UsageError(f"{file.where('hooks')}: 'hooks' is not a list.", hint="Write `- hook: name` for each hook.")
    return tuple(_declared(file, number, entry) for number, entry in enumerate(entries))


def make_hooks(migration: Migration, registry: HookRegistry, *, direction: Direction = "forward") -> tuple[Hook, ...]:
    """The hooks that run with a migration in this direction, with their options. This imports the hooks' code.

    Raises:
        UsageError: the file has a mistake, or a hook that it names cannot be had: the migration must not be run.
    """
    return tuple(
        _made(migration, one, registry) for one in read_declaration(migration) if one.direction in (direction, "both")
    )


def _declared(file: YamlFile, number: int, entry: Any) -> DeclaredHook:
    place = file.where_at("hooks", number)
    if isinstance(entry, str):
        return DeclaredHook(entry, None, "forward", {}, place, number)
    if not isinstance(entry, Mapping) or not isinstance(entry.get("hook"), str):
        raise UsageError(f"{place}: this entry names no hook.", hint="Write `- hook: name`.")
    for key in entry:
        if key not in _KEYS:
            where = file.where_at("hooks", number, str(key))
            raise UsageError(f"{where}: a hook has no setting '{key}'.", hint=did_you_mean(str(key), _KEYS, "Settings"))
    options = entry.get("options")
    if options is not None and not isinstance(options, Mapping):
        where = file.where_at("hooks", number, "options")
        raise UsageError(f"{where}: 'options' is not a mapping.", hint="Write one `name: value` to a line below it.")
    direction = entry.get("direction", "forward")
    if direction not in _DIRECTIONS:
        where = file.where_at("hooks", number, "direction")
        raise UsageError(
            f"{where}: there is no direction '{direction}'.",
            hint=did_you_mean(str(direction), _DIRECTIONS, "Directions"),
        )
    return DeclaredHook(entry["hook"], _phase(file, number, entry), direction, dict(options or {}), place, number)


def _phase(file: YamlFile, number: int, entry: Mapping[str, Any]) -> HookPhase | None:
    given = entry.get("phase")
    if given is None:
        return None
    try:
        return HookPhase(str(given).upper())
    except ValueError:
        where = file.where_at("hooks", number, "phase")
        raise UsageError(
            f"{where}: there is no phase '{given}'.", hint=did_you_mean(str(given).upper(), HookPhase, "Phases")
        ) from None


def _made(migration: Migration, one: DeclaredHook, registry: HookRegistry) -> Hook:
    from pydantic import ValidationError

    try:
        kind = registry.load(one.name)
    except UsageError as error:
        blocked = f"{migration.label} is blocked until it can be had."
        raise UsageError(f"{one.place}: {error.message} {blocked}", hint=error.hint) from error
    try:
        return kind(kind.Options.model_validate(dict(one.options)), phase=one.phase)
    except ValidationError as error:
        raise _bad_options(migration, one, error) from None
    except ValueError as error:
        raise UsageError(f"{one.place}: {error}.", hint="Change its phase.") from None


def _bad_options(migration: Migration, one: DeclaredHook, error: ValidationError) -> UsageError:
    """The first mistake among the options, with its line. The value is not quoted: it may hold a secret."""
    path = declaration_path(migration)
    assert path is not None  # the options came from there
    file = YamlFile.read(path)
    first = error.errors(include_url=False, include_input=False)[0]
    names = [str(part) for part in first["loc"]]
    where = file.where_at("hooks", one.position, "options", *names[:1])
    option = ".".join(names)
    if first["type"] == "extra_forbidden":
        return UsageError(f"{where}: the hook {one.name} has no option '{option}'.", hint="Check its spelling.")
    if first["type"] == "missing":
        return UsageError(f"{where}: the hook {one.name} needs the option '{option}'.", hint="Add it.")
    return UsageError(f"{where}: the option '{option}' of the hook {one.name} is wrong: {first['msg']}.")
