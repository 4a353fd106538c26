"""How an object of a database is made, changed and dropped."""

from __future__ import annotations

from typing import NamedTuple


class Life(NamedTuple):
    """How an object is made, changed and dropped, and how it must be called.

    ``along``: kinds of other objects that must show too, when it is made.
    """

    kind: str
    name: str
    create: str
    alter: str
    attribute: str
    drop: str
    along: tuple[str, ...] = ()
