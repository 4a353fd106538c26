"""Passwords in texts that are not ours: a migration's SQL, a server's words, somebody's log line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_PASSWORD: Final = re.compile(r"(?i)(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)|(://[^\s:/@]*:)[^\s@]*(?=@)")
_SQL_PASSWORD: Final = re.compile(
    r"""(?ix) (\bpassword\s+)
    (?: E'(?:[^'\\]|\\.|'')*' | (?:U&)?'(?:[^']|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )""",
    re.DOTALL,
)
"""``PASSWORD 'text'`` of CREATE ROLE and its like, however it is quoted: in a migration it is text like any other."""


def redacted(text: str) -> str:
    """The text of somebody else's message without the passwords of connection strings in it.

    A second line of defence: our own messages are made without passwords in the first place.
    """
    return _PASSWORD.sub(lambda found: f"{found.group(1) or found.group(3)}***", text)


def masked(value: Any) -> Any:
    """A value of JSON with the passwords in its texts as ``***``: those of connection strings, and of roles in SQL."""
    if isinstance(value, str):
        if "://" not in value and "assw" not in value.lower():
            return value
        return _SQL_PASSWORD.sub(r"\1'***'", redacted(value))
    if isinstance(value, Mapping):
        return {key: masked(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(inner) for inner in value]
    return value
