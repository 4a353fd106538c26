"""The user's own keys: a file of ``action: key`` lines, checked against the table of actions.

.. code-block:: yaml

    dry_run: f5
    toggle_log: [o, ctrl+l]
    help: "?"
    change_theme: ctrl+t        # has no key by default
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NoReturn

from confiture_tui.errors import UsageError
from confiture_tui.ui.actions import ACTIONS, Action, Where, key_name
from confiture_tui.yaml_file import YamlFile, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_MODIFIERS: Final = ("ctrl", "shift", "alt", "super", "meta", "hyper")
_FUNCTION: Final = re.compile(r"f([1-9]|1[0-9]|2[0-4])\Z")
_NAMED: Final = frozenset(
    {
        *("escape", "enter", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown"),
        *("up", "down", "left", "right"),
    }
)
_SHORT: Final = {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown"}
_SHARED: Final = frozenset({Where.EVERYWHERE, Where.LINES, Where.REPLAY, Where.WALKTHROUGH})
"""What is done here can be done beside anything else."""


def read_keymap(path: Path) -> tuple[Action, ...]:
    """The table of actions with the keys of a file.

    Raises:
        UsageError: the file names an action that there is not or a key that cannot be, or two actions would have one
            key in the same place; the message names file and line.
    """
    file = YamlFile.read(path)
    known = {action.id: action for action in ACTIONS}
    given: dict[str, tuple[str, ...]] = {}
    for name in file.values:
        if name not in known:
            raise UsageError(f"{file.where(name)}: there is no action '{name}'.", hint=_did_you_mean(name))
        given[name] = tuple(_key(file, name, one) for one in _listed(file, name))
    table = tuple(replace(action, keys=given.get(action.id, action.keys)) for action in ACTIONS)
    _refuse_conflicts(file, given, table)
    return table


def keys_file_text() -> str:
    """A file of keys with every action, all of them commented out."""
    lines = [
        "# Keys of confiture-tui. Take the # away before an action and write its key, or [key, key].",
        f"# {_KEY_HINT}",
    ]
    for place in Where:
        lines += ["", f"# {place.value}"]
        lines += [
            f"# {action.id}: {_written(action.keys)}  # {action.help}" for action in ACTIONS if action.where is place
        ]
    return "\n".join(lines) + "\n"


def _written(keys: Sequence[str]) -> str:
    signs = [f'"{name}"' if not name.replace("+", "").isalnum() else name for name in map(key_name, keys)]
    return signs[0] if len(signs) == 1 else f"[{', '.join(signs)}]"


def textual_keymap(table: Iterable[Action]) -> dict[str, str]:
    """What Textual is to be told: the keys of every action that has others than by default."""
    default = {action.id: action.keys for action in ACTIONS}
    return {action.id: ",".join(action.keys) for action in table if action.keys != default[action.id]}


def _did_you_mean(name: str) -> str:
    hint = did_you_mean(name, (action.id for action in ACTIONS), "Actions")
    return hint if len(hint) < 80 else "The app's command `Keys file` (ctrl+p) writes a file that names all of them."


def _name_of(sign: str) -> str:
    """Textual's name of a sign that is typed: ``question_mark``, ``slash``; letters and digits are their own."""
    from textual.keys import KEY_NAME_REPLACEMENTS

    if sign.isalnum():
        return sign
    name = unicodedata.name(sign, sign).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _listed(file: YamlFile, name: str) -> Sequence[str]:
    value = file.values[name]
    keys = value if isinstance(value, list) else [value]
    if not keys or not all(isinstance(one, str | int) and not isinstance(one, bool) for one in keys):
        _refuse(file, name, "has no key", f'Write `{name}: key`, or `{name}: [key, key]`; quote signs: "?".')
    return [str(one) for one in keys]


def _key(file: YamlFile, name: str, text: str) -> str:
    """Textual's name of a key; signs may stand for themselves, ``^x`` for ``ctrl+x``."""
    if text.startswith("^") and len(text) == 2:
        text = f"ctrl+{text[1]}"
    *modifiers, base = text.split("+") if len(text) > 1 else [text]
    base = _SHORT.get(base, base)
    if len(base) == 1 and base.isprintable() and not base.isspace():
        base = _name_of(base)
    elif base not in _NAMED and not _FUNCTION.match(base):
        _refuse(file, name, f"has a key that there is not: '{text}'", _KEY_HINT)
    wrong = [one for one in modifiers if one not in _MODIFIERS]
    if wrong:
        _refuse(file, name, f"has a key with a modifier that there is not: '{wrong[0]}'", _KEY_HINT)
    return "+".join([*modifiers, base])


_KEY_HINT: Final = "A key is a sign (d, D, ?), a name (enter, f5, pageup), or one of these after ctrl+, alt+ or shift+."


def _refuse_conflicts(file: YamlFile, given: Iterable[str], table: tuple[Action, ...]) -> None:
    """Refuse a key that two actions would have at once, unless they share it by default."""
    shared = {(one.id, other.id, key) for one, other, key in _meetings(ACTIONS)}
    for one, other, key in _meetings(table):
        if (one.id, other.id, key) in shared:
            continue
        changed = one if one.id in given else other
        second = other if changed is one else one
        _refuse(
            file,
            changed.id,
            f"would have the key {key_name(key)}, which {second.id} has ({second.where.value})",
            f"Choose another key, or give {second.id} another one too.",
        )


def _meetings(table: tuple[Action, ...]) -> Iterable[tuple[Action, Action, str]]:
    """The pairs of actions that have a key in common where both can be done."""
    for number, one in enumerate(table):
        for other in table[number + 1 :]:
            if one.where is other.where or {one.where, other.where} & _SHARED:
                yield from ((one, other, key) for key in one.keys if key in other.keys)


def _refuse(file: YamlFile, name: str, why: str, hint: str) -> NoReturn:
    raise UsageError(f"{file.where(name)}: '{name}' {why}.", hint=hint)
