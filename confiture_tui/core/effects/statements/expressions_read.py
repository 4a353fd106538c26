"""Expressions in definitions: what running one entails, and what the server refuses to have there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.expressions import analyse
from confiture_tui.core.effects.expressions.reads import Value
from confiture_tui.core.effects.queries.assignments import mismatch
from confiture_tui.core.effects.queries.calls import note_calls
from confiture_tui.core.effects.statements.fresh_labels import is_fresh
from confiture_tui.core.effects.type_names import UNKNOWN, parse_type, user_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.expressions import Expression
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]


def read_expression(
    step: Step, node: Node, where: str, *, relation: Relation | None = None, executed: bool = False
) -> Expression:
    """Read an expression of a definition.

    Args:
        step: written to.
        node: the expression.
        where: it stands, in the server's words: ``check constraint``, ``DEFAULT expression``.
        relation: whose columns it may name.
        executed: it is computed by the statement, so that what it calls is run.

    Raises:
        Refused: the server does not take it.
    """
    if has_subquery(node):
        step.refuse("0A000", f"cannot use subquery in {where}")
    found = analyse(node, step.now, relation=relation)
    for problem in found.facts.problems:
        step.refuse(problem.sqlstate, problem.message)
    for call in found.facts.calls:
        if call.candidates and all(one.aggregate for one in call.candidates):
            step.refuse("42803", f"aggregate functions are not allowed in {where}s")
        if call.candidates and all(one.set_returning for one in call.candidates):
            step.refuse("0A000", f"set-returning functions are not allowed in {where}s")
    if executed:
        note_calls(step, found.facts)
    return found


def read_default(step: Step, column: Column, node: Node, *, executed: bool) -> Expression:
    """Read a DEFAULT.

    Raises:
        Refused: the server does not take it, or it does not fit the column's type.
    """
    found = read_expression(step, node, "DEFAULT expression", executed=executed)
    if found.columns:
        step.refuse("0A000", "cannot use column reference in DEFAULT expression")
    literal = _literal(node)
    kind = found.type.bare if found.type is not None else None
    enum = user_type(parse_type(column.type).bare, step.now) if column.type else None
    is_label = kind == UNKNOWN and enum is not None and enum.kind is TypeKind.ENUM
    if is_label and enum is not None and isinstance(literal, str) and is_fresh(step, enum, literal):
        step.refuse("55P04", f'unsafe use of new value "{literal}" of enum type {enum.name}')
    if column.type:
        refusal = mismatch(column, Value(kind, found.null, literal=literal), step.now)
        if refusal is not None:
            step.refuse(*refusal)
    return found


def _literal(node: Node) -> object:
    constant = node.get("A_Const", {})
    if "sval" in constant:
        return str(constant["sval"].get("sval", ""))
    return constant["ival"].get("ival", 0) if "ival" in constant else None


def has_subquery(node: Node) -> bool:
    """Whether there is a sub-select in an expression; without recursion, since trees may be deep."""
    waiting: list[Any] = [node]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "SubLink" in value:
                return True
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return False
