"""The working object that reads expressions and queries, and how it walks trees of any depth."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.expressions.conversions import can_be_condition, worst
from confiture_tui.core.effects.expressions.reads import Facts, Node, Problem, Value
from confiture_tui.core.effects.expressions.scope import Cte, Meaning, Scope, ScopeColumn
from confiture_tui.core.effects.literals import unreadable
from confiture_tui.core.effects.type_names import UNKNOWN, base_type, parse_type, user_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Volatility
    from confiture_tui.core.effects.builtins import Candidate
    from confiture_tui.core.effects.expressions.resolution import Resolved
    from confiture_tui.core.effects.schema import Schema

Walk = Generator[Any, Any, Any]
"""A visit that yields the visits it needs, and is sent their results: a tree is then as deep as memory allows."""

Visit = Walk | Value
"""A visit, or at once the value of what needs none: a constant, a column."""

Visitor = Callable[[Any, Node], Visit]

NOTHING = Value(None)


class Reader:
    """Reads expressions and queries of one statement against one schema.

    Attributes:
        schema: names are looked up there.
        facts: what was found so far.
        scope: the names that can be used at this point.
        maybe: how many branches deep that may not be run.
        through: the view that is being read; ``None`` for the statement itself.
        meanings: what column references mean, by the identity of their nodes.
        operators: what operators may mean, likewise.
        functions: what calls of functions may mean, likewise.
        outputs: the first column of the sub-selects in expressions, likewise.
        recursive: the queries of WITH RECURSIVE that may ask for themselves, with the names of their columns, likewise.
        joined: sub-selects that the planner makes part of a join, likewise.
    """

    visitors: Mapping[str, Visitor] = {}

    def __init__(self, schema: Schema, scope: Scope | None = None) -> None:
        self.schema = schema
        self.facts = Facts()
        self.scope = scope or Scope()
        self.maybe = 0
        self.through: str | None = None
        self.views: frozenset[str] = frozenset()
        self.meanings: dict[int, Meaning] = {}
        self.operators: dict[int, tuple[Candidate, ...]] = {}
        self.functions: dict[int, Resolved] = {}
        self.outputs: dict[int, ScopeColumn | None] = {}
        self.joined: set[int] = set()
        self.recursive: dict[int, tuple[Cte, list[str]]] = {}

    def read(self, node: Node | None) -> Value:
        """Read an expression; its value."""
        value: Value = self.walk(self.visit(node))
        return value

    @staticmethod
    def walk(first: Visit) -> Any:
        """Carry out a visit and all that it needs."""
        if not isinstance(first, GeneratorType):
            return first
        stack = [first.send]
        answer: Any = None
        while True:
            try:
                asked = stack[-1](answer)
            except StopIteration as end:
                stack.pop()
                answer = end.value
                if not stack:
                    return answer
            else:
                if isinstance(asked, GeneratorType):
                    stack.append(asked.send)
                    answer = None
                else:
                    answer = asked

    def visit(self, node: Node | None) -> Visit:
        """The visit of one node, by its kind; of a kind without a visitor of its own all that is in it is read."""
        if not node:
            return NOTHING
        ((kind, fields),) = node.items() if len(node) == 1 else (("", node),)
        visitor = self.visitors.get(kind)
        if visitor is not None and isinstance(fields, dict):
            return visitor(self, fields)
        return self.visit_anything(fields)

    def visit_anything(self, value: object) -> Walk:
        """The visits of all nodes inside something that is not understood itself, in the order of the text."""
        visitors = self.visitors
        waiting: list[tuple[Visitor | None, Any]] = [(None, value)]
        while waiting:
            visitor, one = waiting.pop()
            if visitor is not None:
                yield visitor(self, one)
            elif isinstance(one, dict):
                for key, inside in reversed(one.items()):
                    if isinstance(inside, dict):
                        waiting.append((visitors.get(key), inside))
                    elif isinstance(inside, list):
                        waiting.append((None, inside))
            elif isinstance(one, list):
                waiting += [(None, inside) for inside in reversed(one)]
        return NOTHING

    def visit_all(self, nodes: list[Node] | tuple[Node, ...]) -> Walk:
        """The visits of several nodes; the list of their values."""
        values: list[Value] = []
        for node in nodes:
            visit = self.visit(node)
            values.append(visit if isinstance(visit, Value) else (yield visit))
        return values

    def worsen(self, volatility: Volatility) -> None:
        """What was read, and is no call, is at least that volatile."""
        self.facts.other_volatility = worst([self.facts.other_volatility, volatility])

    def take(self, type_name: str | None, value: Value) -> None:
        """A value takes a type: a literal may be refused, and names a relation or a label of an enum."""
        if type_name is None or value.type != UNKNOWN or not isinstance(value.literal, str):
            return
        if type_name == "regclass":
            self._name(value.literal)
            return
        refusal = unreadable(parse_type(type_name), value.literal, self.schema)
        if refusal is not None:
            self.problem(*refusal)
        self.label(type_name, value)

    def label(self, type_name: str | None, value: Value) -> None:
        """A literal beside a value of a type becomes a label if that is an enum: it is noted, or refused."""
        if type_name is None or value.type != UNKNOWN or not isinstance(value.literal, str):
            return
        found = user_type(base_type(type_name, self.schema), self.schema)
        if found is None or found.kind is not TypeKind.ENUM:
            return
        self.facts.labels.append((found.qualified_name, value.literal))
        if value.literal not in found.labels:
            self.problem("22P02", f'invalid input value for enum {found.name}: "{value.literal}"')

    def require_boolean(self, value: Value, where: str) -> None:
        """A condition must be one; ``where`` it stands, in the server's words: ``WHERE``, ``CHECK``."""
        if not can_be_condition(value.type, self.schema):
            self.problem("42804", f"argument of {where} must be type boolean, not type {value.type}")

    def _name(self, text: str) -> None:
        if text.isdigit() or text == "-":
            return
        try:
            found = self.schema.find(text)
        except ValueError:
            self.problem("42602", "invalid name syntax")
            return
        self.facts.named.append(found)
        if found.missing:
            self.problem("42P01", f'relation "{text}" does not exist')

    def problem(self, sqlstate: str, message: str) -> None:
        """The server would refuse to run it."""
        self.facts.problems.append(Problem(sqlstate, message))


def names_of(parts: list[Node]) -> list[str]:
    """The texts of a list of String nodes."""
    return [part["String"].get("sval", "") for part in parts if "String" in part]
