"""What a body is read into: statements that may run, and what is said of the whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from confiture_tui.core.effects.conditions import sqlstate_of
from confiture_tui.core.sql.script import Script

Node = dict[str, Any]

OTHERS = "others"
"""What an exception handler calls all failures."""


def state_of(condition: str) -> str:
    """The SQLSTATE of a condition's name (PostgreSQL documentation, appendix A); ``OTHERS`` stays what it is."""
    if condition == OTHERS or re.fullmatch(r"[0-9A-Z]{5}", condition):
        return condition
    return sqlstate_of(condition) or "P0001"


def catches(caught: Collection[str], sqlstate: str) -> bool:
    """Whether exception handlers deal with a failure."""
    return OTHERS in caught or sqlstate in caught or f"{sqlstate[:2]}000" in caught


@dataclass(frozen=True, slots=True)
class Part:
    """A statement that a body may run.

    Attributes:
        kind, node: of its syntax tree.
        maybe: it may not be run: a branch, a loop, an exception handler, or after one of them returned.
        caught: SQLSTATEs (of a class: two characters and ``000``) whose failures the body deals with itself, or
            ``OTHERS``.
    """

    kind: str
    node: Node
    maybe: bool = False
    caught: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Body:
    """What a body was read into.

    Attributes:
        parts: the statements, in the order of the text. Expressions are there as SELECT.
        variables: types of variables, as the parser calls them, by name; ``None`` where it does not say.
        commits: it ends transactions: COMMIT or ROLLBACK.
        raises: it is certain to end with an error of its own: SQLSTATE and message.
        may_raise: it may.
        opaque: what could not be read, in words; empty when all of it was.
        transition_tables: it is a trigger's function.
    """

    parts: tuple[Part, ...] = ()
    variables: Mapping[str, str | None] | None = None
    commits: bool = False
    raises: tuple[str, str] | None = None
    may_raise: tuple[tuple[str, str], ...] = ()
    opaque: tuple[str, ...] = ()


def statements_of(text: str) -> Body:
    """A text of SQL: its statements, all of which run."""
    parts: list[Part] = []
    opaque: list[str] = []
    for statement in Script.from_text(text).statements:
        if statement.node is None or statement.node_kind is None:
            opaque.append("a statement in a body cannot be read")
        else:
            parts.append(Part(statement.node_kind, statement.node))
    return Body(tuple(parts), opaque=tuple(opaque))
