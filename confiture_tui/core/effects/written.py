"""Expressions, queries and definitions that a statement has written: their trees are known, their text is not.

A catalog keeps them as text. What the files make is never text again: the tree goes on in its place, wherever the
catalog's text would be parsed.
"""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]


class Written(str):
    """Stands where a catalog has a text; ``node`` is what parsing the text would give. It is only read from."""

    node: Node

    def __new__(cls, node: Node, text: str = "…") -> Written:
        """Of the syntax tree of what was written, and what is shown of it."""
        made = super().__new__(cls, text)
        made.node = node
        return made

    def __eq__(self, other: object) -> bool:
        """What is written alike is equal, wherever it stands."""
        if isinstance(other, Written):
            return without_places(self.node) == without_places(other.node)
        return NotImplemented

    __hash__ = str.__hash__


def tree_of(text: str | None) -> Node | None:
    """The tree of what a statement has written; ``None`` for a catalog's text, which is to be parsed."""
    return text.node if isinstance(text, Written) else None


def without_places(node: object) -> object:
    """A tree without the places of its parts in the text, so that what is written alike is equal."""
    if isinstance(node, dict):
        return {key: without_places(inside) for key, inside in node.items() if key != "location"}
    if isinstance(node, list):
        return [without_places(one) for one in node]
    return node
