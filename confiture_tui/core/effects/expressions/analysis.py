"""The door to the analysis of expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.expressions.inlining import volatility_when_inlined
from confiture_tui.core.effects.expressions.queries import QUERIES
from confiture_tui.core.effects.expressions.scalars import SCALARS
from confiture_tui.core.effects.expressions.scope import Entry, Scope, columns_of
from confiture_tui.core.effects.type_names import TypeRef, parse_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.expressions.reads import Facts
    from confiture_tui.core.effects.schema import Schema

Reader.visitors = {**SCALARS, **QUERIES}


@dataclass(frozen=True, slots=True)
class Expression:
    """What is known of an expression.

    Attributes:
        type: of its value; a literal in quotes is ``unknown``; ``None`` where it is not known to us.
        volatility: the worst of all that it calls and casts; ``None``: it calls something that is not known to us,
            which may be volatile.
        constant: its value is known while the statement is planned.
        null: its value is certainly NULL, certainly not, or perhaps (``None``).
        columns: the column references, by their parts, as often as they are there.
        facts: calls, sub-selects' tables, and why the server would refuse it.
    """

    type: TypeRef | None
    volatility: Volatility | None
    constant: bool
    null: bool | None
    columns: tuple[tuple[str, ...], ...]
    facts: Facts

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the functions called, as written (operators too), each once."""
        return tuple(dict.fromkeys(call.name for call in self.facts.calls))

    @property
    def relations(self) -> tuple[str, ...]:
        """Qualified names of the tables and views that sub-selects read, each once."""
        return tuple(dict.fromkeys(read.found.name for read in self.facts.reads))


def analyse(
    node: dict[str, Any] | None,
    schema: Schema,
    *,
    relation: Relation | None = None,
    variables: Mapping[str, str | None] | None = None,
) -> Expression:
    """What an expression is.

    Args:
        node: of the raw syntax tree, ``{"A_Const": …}``.
        schema: where names are looked up.
        relation: the table whose columns it may name. Without one, column references are of unknown type.
        variables: types of a routine's variables, by name.
    """
    scope = Scope(variables=variables or {})
    if relation is not None:
        columns = {} if node is not None and "A_Const" in node else columns_of(relation)
        scope.entries.append(Entry(relation.name, columns, relation.schema))
    else:
        scope.entries.append(Entry(None, None))
    reader = Reader(schema, scope)
    value = reader.read(node)
    facts = reader.facts
    kind = None
    if value.type is not None:
        kind = parse_type(value.type)
        kind = TypeRef(kind.name, value.modifier, kind.is_array)
    return Expression(kind, _volatility(facts, schema), value.constant, value.null, tuple(facts.columns), facts)


def volatility(node: dict[str, Any] | None, schema: Schema, *, relation: Relation | None = None) -> Volatility | None:
    """How far an expression may change its value; ``None``: it calls something that is not known to us.

    As the planner sees it, where a call of a simple SQL function is replaced by its body.

    Args:
        node, schema, relation: as for ``analyse``.
    """
    if node is not None and "A_Const" in node:
        return Volatility.IMMUTABLE
    return planned_volatility(analyse(node, schema, relation=relation), schema)


def planned_volatility(found: Expression, schema: Schema) -> Volatility | None:
    """The same of an expression that was analysed already."""
    if found.volatility not in (None, Volatility.IMMUTABLE) and not found.facts.unknown_calls:
        return volatility_when_inlined(found.facts, schema)
    return found.volatility


def type_of(node: dict[str, Any] | None, schema: Schema, *, relation: Relation | None = None) -> TypeRef | None:
    """The type of an expression; ``unknown`` for a literal in quotes, ``None`` where it is not known to us."""
    return analyse(node, schema, relation=relation).type


def _volatility(facts: Facts, schema: Schema) -> Volatility | None:
    if facts.volatility is Volatility.VOLATILE:
        return Volatility.VOLATILE
    return None if facts.unknown_calls or facts.unknown_casts else facts.volatility
