"""A YAML file that knows the line of each of its values, so that a mistake in it is reported with its line.

No message ever quotes a value: it may be a connection string with a password in it.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_DUPLICATE_KEY = re.compile(r'duplicate key "([^"]*)"')


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The top level of a YAML file: a mapping from names to values, and the line on which each name stands.

    Attributes:
        path: the file, as messages name it.
        values: plain values by key.
        lines: 1-based line of each key.
        places: 1-based line of each key and list item at any depth, by its path: ``("hooks", 0, "options")``.
    """

    path: Path
    values: Mapping[str, Any]
    lines: Mapping[str, int]
    places: Mapping[tuple[str | int, ...], int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> YamlFile:
        """Read a file; an empty one is an empty mapping.

        Raises:
            UsageError: it cannot be read, is no YAML, has a key twice, or its top level is no mapping.
        """
        # Imported here: most projects have one small settings file or none, and the import costs a tenth of a second.
        from ruamel.yaml import YAML
        from ruamel.yaml.comments import CommentedMap
        from ruamel.yaml.constructor import DuplicateKeyError
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        try:
            loaded = YAML(typ="rt").load(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise UsageError(
                f"{path} cannot be read: {error.strerror}.", hint="Check the path and its permissions."
            ) from None
        except UnicodeDecodeError:
            raise UsageError(f"{path} is not a text file in UTF-8.", hint="Save it as UTF-8.") from None
        except DuplicateKeyError as error:
            # The library's own text quotes both values.
            key = _DUPLICATE_KEY.search(str(error.problem))
            what = f"the key '{key.group(1)}'" if key else "a key"
            raise UsageError(
                f"{path}, line {_line_of(error)}: {what} is there twice.", hint="Keep one of the two."
            ) from None
        except MarkedYAMLError as error:
            why = f" ({_without_values(str(error.problem))})" if error.problem else ""
            raise UsageError(
                f"{path}, line {_line_of(error)}: this is not valid YAML{why}.",
                hint="Check indentation, colons and quotes on this line and the one before it.",
            ) from None
        except YAMLError:
            raise UsageError(
                f"{path} is not valid YAML.", hint="Check it for control characters and for its encoding."
            ) from None
        if loaded is None:
            return cls(path, {}, {})
        if not isinstance(loaded, CommentedMap):
            raise UsageError(
                f"{path}: its top level is not a mapping of settings.", hint="Write one `name: value` to a line."
            )
        return cls(
            path,
            {str(key): value for key, value in loaded.items()},
            {str(key): loaded.lc.key(key)[0] + 1 for key in loaded},
            dict(_places(loaded, ())),
        )

    def where(self, key: str) -> str:
        """The place of a key, as messages name it."""
        return f"{self.path}, line {self.lines[key]}"

    def where_at(self, *path: str | int) -> str:
        """The place of a key or item at any depth, as messages name it; of what holds it where it is not there."""
        for depth in range(len(path), 0, -1):
            if path[:depth] in self.places:
                return f"{self.path}, line {self.places[path[:depth]]}"
        return str(self.path)

    def refuse_unknown_keys(self, known: Iterable[str]) -> None:
        """Refuse the first key that is not one of ``known``.

        Raises:
            UsageError: there is one; the hint says which name was probably meant.
        """
        names = sorted(known)
        for key in self.values:
            if key not in names:
                raise UsageError(
                    f"{self.where(key)}: there is no setting '{key}'.", hint=did_you_mean(key, names, "Settings")
                )

    def text(self, key: str, environ: Mapping[str, str]) -> str | None:
        """The value of ``key`` as text with its ``${VAR}`` filled in; ``None`` when it is absent or empty.

        ``${VAR:-fallback}`` gives the fallback when VAR is unset or empty, as in a shell.

        Raises:
            UsageError: the value is a list or a mapping, or a variable that it names is not set.
        """
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str | int | float | bool):
            raise UsageError(f"{self.where(key)}: '{key}' is not a single value.", hint=f"Write `{key}: value`.")
        return "".join(self._expanded(key, str(value), environ))

    def _expanded(self, key: str, value: str, environ: Mapping[str, str]) -> Iterator[str]:
        end = 0
        for found in _VARIABLE.finditer(value):
            name, has_fallback, fallback = found.group(1).partition(":-")
            if not _VARIABLE_NAME.match(name):
                raise UsageError(
                    f"{self.where(key)}: '{key}' holds a ${{…}} that names no environment variable.",
                    hint="Write ${NAME}, with letters, digits and underscores.",
                )
            yield value[end : found.start()]
            if has_fallback:
                yield environ.get(name) or fallback
            elif name in environ:
                yield environ[name]
            else:
                raise UsageError(
                    f"{self.where(key)}: '{key}' needs the environment variable {name}, which is not set.",
                    hint=f"Set {name}, or write the value into the file.",
                )
            end = found.end()
        yield value[end:]


def did_you_mean(given: str, known: Iterable[str], plural: str) -> str:
    """A hint for a name that is not known: the nearest one, or all there are."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=1)
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"{plural}: {', '.join(names)}." if names else f"{plural}: none."


def _places(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """The lines of all keys and items below a node that the round-trip reader has made."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(node, CommentedMap):
        for key, value in node.items():
            below = (*path, str(key))
            yield below, node.lc.key(key)[0] + 1
            yield from _places(value, below)
    elif isinstance(node, CommentedSeq):
        for number, value in enumerate(node):
            below = (*path, number)
            yield below, node.lc.item(number)[0] + 1
            yield from _places(value, below)


def _line_of(error: Any) -> int:
    mark = error.problem_mark or error.context_mark
    return int(mark.line) + 1 if mark is not None else 1


def _without_values(problem: str) -> str:
    """What the YAML reader says of the grammar; what it quotes of the text, except for punctuation, is left out."""
    return re.sub(r"(['\"])[^'\"<>]*[A-Za-z0-9][^'\"<>]*\1", "'…'", problem)
