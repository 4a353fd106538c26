"""What a statement locks by being analysed, though it is not run: the bodies of functions and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.schema import Presence

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_TARGETS = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
_ANALYSED = _TARGETS | {"SelectStmt", "List", "ReturnStmt"}


def lock_mentioned(step: Step, node: Node, why: str, *, known: frozenset[str] = frozenset()) -> None:
    """Lock what a statement mentions as the server does while it analyses it, without running anything.

    Args:
        step: where the locks are noted.
        node: the statement, ``{"SelectStmt": …}``; utility commands are not analysed.
        why: for the locks.
        known: names that are no relations here: OLD and NEW of a rule.
    """
    if not node or next(iter(node)) not in _ANALYSED:
        return
    waiting: list[tuple[object, frozenset[str]]] = [(node, known)]
    while waiting:
        one, hidden = waiting.pop()
        if isinstance(one, list):
            waiting.extend((each, hidden) for each in one)
            continue
        if not isinstance(one, dict):
            continue
        if "ctes" in one.get("withClause", {}):
            ctes = one["withClause"]["ctes"]
            hidden |= {each["CommonTableExpr"]["ctename"] for each in ctes}
        for kind, fields in one.items():
            if kind == "RangeVar":
                _lock(step, fields, LockMode.ACCESS_SHARE, why, hidden)
            elif kind in _TARGETS and isinstance(fields, dict):
                _lock(step, fields["relation"], LockMode.ROW_EXCLUSIVE, why, frozenset())
                waiting.append(({**fields, "relation": None}, hidden))
                continue
            elif kind == "lockingClause" and fields:
                _lock_rows(step, one, why, hidden)
            waiting.append((fields, hidden))


def _lock_rows(step: Step, select: Node, why: str, hidden: frozenset[str]) -> None:
    """FOR UPDATE and its like lock the tables of their level in ROW SHARE."""
    for item in select.get("fromClause", []):
        if "RangeVar" in item:
            _lock(step, item["RangeVar"], LockMode.ROW_SHARE, why, hidden)


def _lock(step: Step, relation: Node, mode: LockMode, why: str, hidden: frozenset[str]) -> None:
    name = relation["relname"]
    if "schemaname" not in relation and name in hidden:
        return
    found = step.now.find(relation)
    if found.presence is Presence.MISSING:
        step.refuse("42P01", f'relation "{name}" does not exist')
    if found.presence is Presence.ASSUMED:
        step.unknown_reach("without a catalog it is not known what it mentions")
    step.lock(found, mode, why)
