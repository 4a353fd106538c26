"""Styles of names: telling which one a name has, which ones a schema keeps to, and writing a name in another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache

SNAKE, CAMEL, PASCAL, LOWER = "snake_case", "camelCase", "PascalCase", "lowercase"
AUTO, ANY = "auto", "any"

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\dA-Z_]+\d*|[A-Z]+\d*|\d+")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_CAMEL = re.compile(r"_*[^\W\dA-Z_][^\W_]*")
_PASCAL = re.compile(r"_*[A-Z][^\W_]*")


def _is_snake(name: str) -> bool:
    return name == name.lower() and _IDENTIFIER.fullmatch(name) is not None


def _is_lower(name: str) -> bool:
    return _is_snake(name) and "_" not in name.strip("_")


_TESTS: dict[str, Callable[[str], bool]] = {
    SNAKE: _is_snake,
    CAMEL: lambda name: _CAMEL.fullmatch(name) is not None,
    PASCAL: lambda name: _PASCAL.fullmatch(name) is not None,
    LOWER: _is_lower,
}
STYLES = (AUTO, ANY, *_TESTS)

_ENOUGH, _SHARE = 5, 0.2
"""A style is kept when so many names have it, and such a share of those that tell one: fewer are exceptions."""


@lru_cache(maxsize=65536)
def has_style(name: str, style: str) -> bool:
    """Whether a name is in a style: one of ``STYLES``, or a regular expression that begins with ``^``.

    ``auto`` is no style of a name, and true of all of them; one letter is in every style.
    """
    if style.startswith("^"):
        return re.search(style, name) is not None
    if len(name) == 1 and name.isalpha():
        return True
    test = _TESTS.get(style)
    return test is None or test(name)


def styles_kept(names: Mapping[str, int]) -> tuple[str, ...]:
    """The styles that a schema keeps to, the most frequent first; ``snake_case`` where there are too few names to tell.

    A name in capitals and small letters tells camelCase or PascalCase; one with an underscore tells snake_case. One
    small word tells nothing: it is right in several. A schema may have two styles, an older and a newer one.

    Args:
        names: how often each is there.
    """
    counts = Counter[str]()
    for name, times in names.items():
        inner = name.strip("_")
        if name != name.lower():
            if has_style(name, PASCAL):
                counts[PASCAL] += times
            elif has_style(name, CAMEL):
                counts[CAMEL] += times
        elif "_" in inner and has_style(name, SNAKE):
            counts[SNAKE] += times
    telling = counts.total()
    kept = tuple(style for style, count in counts.most_common() if count >= _ENOUGH and count >= _SHARE * telling)
    return kept or (SNAKE,)


def in_style(name: str, style: str) -> str | None:
    """The name written in a style; ``None`` where that cannot be done by rule."""
    words: list[str] = [word.lower() for word in _WORDS.findall(name)]
    lead = "_" if name.startswith("_") else ""
    if not words or (words[0][0].isdigit() and not lead):
        return None
    match style:
        case "snake_case":
            return lead + "_".join(words)
        case "lowercase":
            return lead + "".join(words)
        case "camelCase":
            return lead + words[0] + "".join(word.capitalize() for word in words[1:])
        case "PascalCase":
            return lead + "".join(word.capitalize() for word in words)
    return None
