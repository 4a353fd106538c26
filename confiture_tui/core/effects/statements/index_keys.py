"""Index keys: what they are called, and which types a method takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.expressions.column_names import figured_name
from confiture_tui.core.effects.operator_classes import accepts, has_operator_class, named_class
from confiture_tui.core.effects.type_names import parse_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

KNOWN_METHODS = frozenset({"btree", "hash", "gist", "gin", "spgist", "brin"})
"""The access methods that every server has."""


def require_operator_class(step: Step, type_text: str | None, written: Sequence[Node], method: str) -> None:
    """See that a column can be one of an index of a method.

    Args:
        step: told of the refusal.
        type_text: of the column; ``None`` where it is not known.
        written: the parts of the operator class's name, as the syntax tree has them; empty where none is named.
        method: the index's access method.

    Raises:
        Refused: there is no such operator class, it is for another type, or the type has no default one.
    """
    if method not in KNOWN_METHODS or not step.now.known:
        return
    names = tuple(str(one["String"].get("sval", "")) for one in written if "String" in one)
    if not names:
        if type_text and not has_operator_class(step.now, type_text, method):
            step.refuse("42704", f'data type {type_text} has no default operator class for access method "{method}"')
        if method == "gin" and type_text and type_text.endswith("[]"):
            element = type_text.removesuffix("[]")
            if not has_operator_class(step.now, element, "btree"):
                step.may_fail("42883", f"could not identify a comparison function for type {element}")
        return
    if len(names) > 1 and step.now.has_schema(names[-2]) is False:
        step.refuse("3F000", f'schema "{names[-2]}" does not exist')
    found = named_class(step.now, names, method)
    if found is None:
        step.refuse("42704", f'operator class "{names[-1]}" does not exist for access method "{method}"')
    if type_text and found.type is not None and not accepts(step.now, parse_type(type_text).bare, found.type):
        step.refuse("42804", f'operator class "{names[-1]}" does not accept data type {type_text}')


def expression_name(node: Node) -> str:
    """What the server calls an index column that is an expression (its ``FigureIndexColname``)."""
    return figured_name(node) or "expr"
