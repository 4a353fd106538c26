"""How deep a statement's syntax tree can be at most, judged from its text alone.

libpg_query writes its tree by recursion and does not watch the stack, so that the room it needs must be known before
it is called. Every level of the tree needs at least one character of its own: those of one expression, between the
commas and brackets around it, add up, and the deepest bracket inside it comes on top.
"""

from __future__ import annotations

import re

from confiture_tui.core.sql.lexical import PLAIN_WITHOUT_STRUCTURE, QUOTED, comment_end, dollar_quote_end

# Set operations nest from left to right across the commas of their select lists, and functions with SQL bodies across
# the semicolons in them; everywhere else a comma or semicolon separates siblings.
_NESTS_ACROSS_SEPARATORS = re.compile(r"union|intersect|except|atomic", re.IGNORECASE)


def depth_bound(sql: str) -> int:
    """An upper bound for the depth of the syntax tree of ``sql``, in levels; far from tight. Linear time."""
    siblings = _NESTS_ACROSS_SEPARATORS.search(sql) is None
    # For each open bracket: characters since the last separator, deepest bracket since then, the worst so far.
    own, inner, worst = 0, 0, 0
    outer: list[tuple[int, int, int]] = []
    position, size = 0, len(sql)
    while True:
        plain = PLAIN_WITHOUT_STRUCTURE.match(sql, position)
        if plain is not None:
            own += plain.end() - position
            position = plain.end()
        if position >= size:
            break
        mark = sql[position]
        if mark in "([":
            outer.append((own, inner, worst))
            own = inner = worst = 0
        elif mark in ")]":
            depth = max(worst, own + inner)
            own, inner, worst = outer.pop() if outer else (0, 0, 0)
            inner = max(inner, depth + 1)
        elif mark in ",;":
            if siblings:
                worst = max(worst, own + inner)
                own = inner = 0
        elif mark in "-/":
            position = comment_end(sql, position, size) or size
            continue
        else:
            own += 1
            quoted = QUOTED.match(sql, position)
            position = quoted.end() if quoted else dollar_quote_end(sql, position, size) or position + 1
            continue
        position += 1
    depth = max(worst, own + inner)
    for own, inner, worst in reversed(outer):
        depth = max(worst, own + max(inner, depth + 1))
    return depth
