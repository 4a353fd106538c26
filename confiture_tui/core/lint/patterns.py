"""Patterns of the settings: regular expressions for names, globs for objects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_regular_expression)]
"""A regular expression as Python's ``re`` reads it; searched for, so that ``^`` and ``$`` are written where meant."""


@lru_cache(maxsize=65536)
def forms(name: str) -> tuple[str, ...]:
    """The ways in which a glob may name an object: with and without schema, and each thing that it is a part of.

    ``public.orders.note`` is also ``public.orders``, ``orders`` and ``orders.note``. Quotes may be left out.
    """
    parts = _parts(name)
    found = []
    for end in range(len(parts), 1, -1):
        found += [".".join(parts[:end]), ".".join(parts[1:end])]
    found += [parts[0]] if len(parts) == 1 else []
    bare = [form.replace('"', "") for form in found]
    return tuple(dict.fromkeys([*found, *bare]))


def matches(glob: str, *names: str | None) -> bool:
    """Whether a glob (``*``, ``?``, ``[abc]``; case counts) means one of these objects, or what it is a part of."""
    return any(fnmatchcase(form, glob) for name in names if name for form in forms(name))


def matches_any(globs: Iterable[str], *names: str | None) -> bool:
    """Whether one of several globs does."""
    return any(matches(glob, *names) for glob in globs)


def _parts(name: str) -> list[str]:
    """The parts of a quoted qualified name, quotes kept; the arguments of a routine stay with its name."""
    parts, start, quoted, depth = [], 0, False, 0
    for position, character in enumerate(name):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "." and not depth:
            parts.append(name[start:position])
            start = position + 1
    return [*parts, name[start:]]
