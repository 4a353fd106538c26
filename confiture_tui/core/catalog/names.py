"""Names as PostgreSQL reads them: taking a written name apart, and finding objects by name or by oid."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from string import ascii_uppercase
from typing import Generic, TypeVar

T = TypeVar("T")

Key = tuple[str, ...]
"""How an object is known within its family: ``(schema, name)``, for a routine ``(schema, name, argument types)``."""

MAX_IDENTIFIER_BYTES = 63
"""NAMEDATALEN - 1: longer identifiers are cut off by the server (PostgreSQL documentation, 4.1.1)."""


_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_$]*+(?:\.[a-z_][a-z0-9_$]*+)*+", re.ASCII)
"""Nothing is folded in such a name, and nothing quoted; one that is short is not truncated either."""


def split_name(text: str) -> tuple[str, ...]:
    """The parts of a possibly qualified name as it is written in SQL, folded and truncated as the server does.

    ``Sales."Order.Lines"`` gives ``("sales", "Order.Lines")``. Only ASCII letters are folded, which is what the
    server does in every multi-byte encoding.

    Raises:
        ValueError: the text is not a name (empty part, unbalanced quote, stray text).
    """
    if len(text) <= MAX_IDENTIFIER_BYTES and _PLAIN_NAME.fullmatch(text):
        return tuple(text.split("."))
    parts: list[str] = []
    position = 0
    while True:
        part, position = _identifier(text, _skip_space(text, position))
        parts.append(part)
        position = _skip_space(text, position)
        if position == len(text):
            return tuple(parts)
        if text[position] != ".":
            raise ValueError(f"not a name: {text!r}")
        position += 1


def split_search_path(text: str) -> tuple[str, ...]:
    """The schema names in a ``search_path`` setting, in order, as written (``$user`` stays ``$user``).

    Raises:
        ValueError: the text is not a list of names.
    """
    if not text.strip():
        return ()
    names: list[str] = []
    position = 0
    while True:
        name, position = _identifier(text, _skip_space(text, position), stops=", \t\n\r\f\v", empty_allowed=True)
        if name:
            names.append(name)
        position = _skip_space(text, position)
        if position == len(text):
            return tuple(names)
        if text[position] != ",":
            raise ValueError(f"not a list of names: {text!r}")
        position += 1


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\n\r\f\v":
        position += 1
    return position


def _identifier(
    text: str, position: int, *, stops: str = ". \t\n\r\f\v", empty_allowed: bool = False
) -> tuple[str, int]:
    """One identifier from ``position`` on, and the position behind it."""
    if text[position : position + 1] == '"':
        pieces: list[str] = []
        position += 1
        while True:
            end = text.find('"', position)
            if end < 0:
                raise ValueError(f"unbalanced quote in {text!r}")
            pieces.append(text[position:end])
            position = end + 1
            if text[position : position + 1] != '"':
                break
            pieces.append('"')
            position += 1
        name = "".join(pieces)
    else:
        start = position
        while position < len(text) and text[position] not in stops and text[position] != '"':
            position += 1
        name = _fold(text[start:position])
    if not name and not empty_allowed:
        raise ValueError(f"not a name: {text!r}")
    return _truncate(name), position


_LOWER = {ord(letter): letter.lower() for letter in ascii_uppercase}


def _fold(name: str) -> str:
    return name.translate(_LOWER)


def _truncate(name: str) -> str:
    encoded = name.encode()
    if len(encoded) <= MAX_IDENTIFIER_BYTES:
        return name
    return encoded[:MAX_IDENTIFIER_BYTES].decode(errors="ignore")


class Objects(Mapping[Key, T], Generic[T]):
    """The objects of one family: a read-only mapping by name, in the order of the names, and a look-up by oid."""

    __slots__ = ("_by_name", "_by_oid")

    def __init__(self, objects: Iterable[T], *, key: Callable[[T], Key], oid: Callable[[T], int]) -> None:
        self._by_name: dict[Key, T] = dict(sorted([(key(each), each) for each in objects], key=itemgetter(0)))
        self._by_oid: dict[int, T] = {oid(each): each for each in self._by_name.values()}

    def __getitem__(self, key: Key) -> T:
        return self._by_name[key]

    def __contains__(self, key: object) -> bool:
        # That of Mapping would look for it by a KeyError.
        return key in self._by_name

    def __iter__(self) -> Iterator[Key]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def by_oid(self, oid: int) -> T | None:
        """The object with this oid, or ``None``."""
        return self._by_oid.get(oid)

    def __repr__(self) -> str:
        return f"<{len(self)} objects>"
