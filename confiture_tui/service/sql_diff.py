"""A statement beside its safe rewrite, line by line."""

from __future__ import annotations

import difflib


def sql_diff(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """The lines of both texts, each with its sign: ``-`` goes, ``+`` comes, a space stays."""
    old, new = before.rstrip().splitlines(), after.rstrip().splitlines()
    lines: list[tuple[str, str]] = []
    for word, old_from, old_to, new_from, new_to in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if word == "equal":
            lines += [(" ", line) for line in old[old_from:old_to]]
        else:
            lines += [("-", line) for line in old[old_from:old_to]]
            lines += [("+", line) for line in new[new_from:new_to]]
    return tuple(lines)
