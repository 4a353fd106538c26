"""Expressions that are kept as they were analysed: their constants have the types that the columns beside them had.

An index or CHECK constraint that is made anew for a column's other type is analysed again with those constants, so that
``mood = 'calm'`` asks for an operator between the new type and the old one, and fails where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.expressions import analyse
from confiture_tui.core.effects.type_names import base_type, parse_type
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.statements.alter_table.work import Alteration

Node = dict[str, Any]

_TEXTS = frozenset({"character varying", "character", "text", "name"})
_UNDEFINED_FUNCTION = "42883"


def refuse_stale_constants(
    alteration: Alteration,
    before: Relation,
    after: Relation,
    changed: Iterable[str],
    expressions: Iterable[Node | None],
) -> None:
    """See that expressions can still be analysed once columns have other types.

    Raises:
        Refused: there is no operator or function for the new types.
    """
    schema = alteration.schema
    types: dict[str, str] = {}
    for name in changed:
        old, new = before.column(name), after.column(name)
        if old is None or new is None or not old.type or not new.type:
            continue
        if base_type(parse_type(old.type).bare, schema) != base_type(parse_type(new.type).bare, schema):
            types[name] = _constant_type(old, alteration)
    for tree in expressions if types else ():
        typed = _typed(tree, types)
        facts = analyse(typed, schema, relation=after).facts
        problem = next((one for one in facts.problems if one.sqlstate == _UNDEFINED_FUNCTION), None)
        if problem is not None and not analyse(typed, schema, relation=before).facts.problems:
            alteration.step.refuse(problem.sqlstate, problem.message)


def _constant_type(column: Column, alteration: Alteration) -> str:
    kind = parse_type(column.type).bare
    return "text" if base_type(kind, alteration.schema) in _TEXTS else kind


def _typed(tree: Any, types: Mapping[str, str]) -> Any:
    """The expression with its constants beside these columns cast to these types."""
    if isinstance(tree, list):
        return [_typed(one, types) for one in tree]
    if not isinstance(tree, dict):
        return tree
    copied = {key: _typed(inside, types) for key, inside in tree.items()}
    operation = copied.get("A_Expr")
    if operation is not None and "lexpr" in operation and "rexpr" in operation:
        left, right = operation["lexpr"], operation["rexpr"]
        copied["A_Expr"] = {
            **operation,
            "lexpr": _beside(left, _type_of(right, types)),
            "rexpr": _beside(right, _type_of(left, types)),
        }
    return copied


def _type_of(node: Node, types: Mapping[str, str]) -> str | None:
    fields = node.get("ColumnRef", {}).get("fields", ())
    return types.get(fields[-1].get("String", {}).get("sval", "")) if fields else None


def _beside(node: Node, kind: str | None) -> Node:
    """A literal in quotes, or a list of them, beside a column of a type."""
    if kind is None:
        return node
    if "List" in node:
        return {"List": {**node["List"], "items": [_beside(one, kind) for one in node["List"].get("items", ())]}}
    if "sval" not in node.get("A_Const", {}):
        return node
    name = _type_name(kind)
    return node if name is None else {"TypeCast": {"arg": node, "typeName": name}}


@lru_cache(maxsize=256)
def _type_name(kind: str) -> Node | None:
    parsed = parse(f"SELECT NULL::{kind}")
    if isinstance(parsed, SyntaxProblem):
        return None
    name: Node = parsed[1]["targetList"][0]["ResTarget"]["val"]["TypeCast"]["typeName"]
    return name
