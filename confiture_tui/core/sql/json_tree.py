"""Reading JSON of any depth.

The reader that comes with pydantic takes two thirds of the time of Python's own, and gives up at a depth of two hundred
levels. Python's goes one C call deeper for each level and gives up after about a thousand. A syntax tree of
``1 + 1 + …`` is deeper than that, so such a text is read again with a list in place of the stack.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic_core import from_json

_TOKEN = re.compile(r'[{}\[\]]|"(?>[^"\\]++|\\.)*+"|[^\s{}\[\]",:]++')
_SIMPLE = {"true": True, "false": False, "null": None}


def read_json(text: str) -> Any:
    """The value that ``text`` holds.

    Raises:
        ValueError: the text is no JSON. (Text that is too deep for Python's reader is not checked for that.)
    """
    try:
        return from_json(text)
    except ValueError:  # too deep, or no JSON, as the other will say
        return _read_deeper(text)


def _read_deeper(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        return _read_iteratively(text)


def _read_iteratively(text: str) -> Any:
    result: list[Any] = []
    open_containers: list[list[Any] | dict[str, Any]] = [result]
    keys: list[str | None] = [None]
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word in ("}", "]"):
            open_containers.pop()
            keys.pop()
            continue
        container = open_containers[-1]
        value: Any
        if word == "{":
            value = {}
        elif word == "[":
            value = []
        elif word in _SIMPLE:
            value = _SIMPLE[word]
        else:
            value = word[1:-1] if word[0] == '"' and "\\" not in word else json.loads(word)
        if isinstance(container, list):
            container.append(value)
        elif (key := keys[-1]) is None:
            keys[-1] = value
            continue
        else:
            container[key] = value
            keys[-1] = None
        if isinstance(value, dict | list):
            open_containers.append(value)
            keys.append(None)
    return result[0]
