"""What a valid CHECK constraint proves, as far as the server itself can prove it.

Source: ``predicate_implied_by`` (PostgreSQL's ``predtest.c``), in the weak sense in which constraints are used: a row
that passed the CHECK made it true or NULL. For that ``a >= 0`` does not prove that ``a`` is not NULL, and
``a IS NOT NULL`` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]


def proves_not_null(expression: Node, column: str) -> bool:
    """Whether a CHECK expression that is not false proves that a column is not NULL."""
    for part in conjuncts(expression):
        ((kind, node),) = part.items()
        if _is_not_null_test(kind, node, column):
            return True
        if kind == "BoolExpr" and node.get("boolop") == "OR_EXPR":
            arms = node.get("args", [])
            if arms and all(proves_not_null(arm, column) for arm in arms):
                return True
    return False


def conjuncts(expression: Node) -> Iterator[Node]:
    """The parts of an expression of which each must hold, with NOT moved inwards."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        ((kind, fields),) = node.items()
        if kind == "BoolExpr":
            arguments = fields.get("args", [])
            if fields.get("boolop") == "AND_EXPR":
                waiting.extend(reversed(arguments))
                continue
            if fields.get("boolop") == "NOT_EXPR":
                waiting_for = _negated(arguments[0])
                if waiting_for is not None:
                    waiting.append(waiting_for)
                    continue
        yield node


def column_named(node: Node | None) -> str | None:
    """The column that an expression is, unqualified; ``None`` when it is something else."""
    reference = (node or {}).get("ColumnRef")
    if reference is None:
        return None
    last = reference["fields"][-1]
    name: str | None = last.get("String", {}).get("sval")
    return name


def _is_not_null_test(kind: str, node: Node, column: str) -> bool:
    if kind == "NullTest":
        return node.get("nulltesttype") == "IS_NOT_NULL" and column_named(node.get("arg")) == column
    if kind == "A_Expr" and node.get("kind") == "AEXPR_DISTINCT":
        sides = (node.get("lexpr"), node.get("rexpr"))
        return any(_is_null(one) and column_named(other) == column for one, other in (sides, sides[::-1]))
    return False


def _is_null(node: Node | None) -> bool:
    return bool((node or {}).get("A_Const", {}).get("isnull"))


def _negated(node: Node) -> Node | None:
    """What NOT makes of an expression, where that is another expression of the kinds that prove something."""
    ((kind, fields),) = node.items()
    if kind == "NullTest":
        other = "IS_NULL" if fields.get("nulltesttype") == "IS_NOT_NULL" else "IS_NOT_NULL"
        return {"NullTest": {**fields, "nulltesttype": other}}
    if kind == "A_Expr" and fields.get("kind") in ("AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"):
        other = "AEXPR_NOT_DISTINCT" if fields["kind"] == "AEXPR_DISTINCT" else "AEXPR_DISTINCT"
        return {"A_Expr": {**fields, "kind": other}}
    if kind == "BoolExpr":
        arguments = fields.get("args", [])
        if fields.get("boolop") == "NOT_EXPR":
            inner: Node = arguments[0]
            return inner
        operator = "AND_EXPR" if fields.get("boolop") == "OR_EXPR" else "OR_EXPR"
        return {"BoolExpr": {**fields, "boolop": operator, "args": [_not(one) for one in arguments]}}
    return None


def _not(node: Node) -> Node:
    return {"BoolExpr": {"boolop": "NOT_EXPR", "args": [node]}}
