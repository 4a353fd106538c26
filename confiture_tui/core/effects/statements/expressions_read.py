"""Expressions in definitions: what running one entails, and what the server refuses to have there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.expressions import analyse
from confiture_tui.core.effects.expressions.conversions import can_be_condition
from confiture_tui.core.effects.expressions.reads import Value
from confiture_tui.core.effects.queries.calls import note_calls
from confiture_tui.core.effects.queries.noting import note_assignment, note_named
from confiture_tui.core.effects.queries.rows import parsed_expression

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
    if holds(node, "SubLink"):
        step.refuse("0A000", f"cannot use subquery in {where}")
    if holds(node, "over"):
        step.refuse("42P20", f"window functions are not allowed in {where}s")
    found = analyse(node, step.now, relation=relation)
    for problem in found.facts.problems:
        step.refuse(problem.sqlstate, problem.message)
    for call in found.facts.calls:
        if call.candidates and all(one.aggregate for one in call.candidates):
            step.refuse("42803", f"aggregate functions are not allowed in {where}s")
        if call.candidates and all(one.set_returning for one in call.candidates):
            step.refuse("0A000", f"set-returning functions are not allowed in {where}s")
    note_named(step, found.facts)
    if executed:
        note_calls(step, found.facts)
    return found


def require_boolean(step: Step, found: Expression, where: str) -> None:
    """A condition must be one.

    Args:
        step: refuses it.
        found: the condition.
        where: it stands, in the server's words: ``CHECK``, ``WHERE``.
    """
    kind = found.type.bare if found.type is not None else None
    if not can_be_condition(kind, step.now):
        step.refuse("42804", f"argument of {where} must be type boolean, not type {kind}")


def read_default(step: Step, column: Column, node: Node, *, executed: bool) -> Expression:
    """Read a DEFAULT.

    Raises:
        Refused: the server does not take it, or it does not fit the column's type.
    """
    found = read_expression(step, node, "DEFAULT expression", executed=executed)
    if found.columns:
        step.refuse("0A000", "cannot use column reference in DEFAULT expression")
    if column.type:
        kind = found.type.bare if found.type is not None else None
        note_assignment(step, column, Value(kind, found.null, literal=_literal(node)))
    return found


def note_stored_default(step: Step, column: Column) -> None:
    """A default, or generation expression, that is stored again: for a changed type, a copy or a partition."""
    expression = parsed_expression(column.default) if column.default else None
    if expression is not None:
        note_named(step, analyse(expression, step.now).facts)


def _literal(node: Node) -> object:
    constant = node.get("A_Const", {})
    for kind in ("sval", "fval"):
        if kind in constant:
            return str(constant[kind].get(kind, ""))
    return constant["ival"].get("ival", 0) if "ival" in constant else None


def holds(node: Node, key: str) -> bool:
    """Whether a key is anywhere in an expression; without recursion, since trees may be deep."""
    waiting: list[Any] = [node]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if key in value:
                return True
            waiting += [inside for inside in value.values() if isinstance(inside, (dict, list))]
        elif isinstance(value, list):
            waiting += value
    return False
