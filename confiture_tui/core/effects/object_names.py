"""The names that the server chooses for what a statement leaves unnamed: indexes, constraints, sequences."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.names import MAX_IDENTIFIER_BYTES
from confiture_tui.core.effects.expressions.column_names import figured_name
from confiture_tui.core.effects.written import tree_of
from confiture_tui.core.sql.identifiers import qualified_name
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.schema import Schema


def object_name(first: str, second: str | None, label: str) -> str:
    """``first_second_label``, shortened to 63 bytes from the longer of the first two, as the server does."""
    plain = "_".join([first, *([second] if second else ()), *([label] if label else ())])
    if len(plain.encode()) <= MAX_IDENTIFIER_BYTES:
        return plain
    room = MAX_IDENTIFIER_BYTES - len(label.encode()) - (1 if label else 0) - (1 if second else 0)
    one, two = len(first.encode()), len(second.encode()) if second else 0
    while one + two > room:
        if one > two:
            one -= 1
        else:
            two -= 1
    parts = [_cut(first, one)]
    if second:
        parts.append(_cut(second, two))
    if label:
        parts.append(label)
    return "_".join(parts)


def relation_name(schema: Schema, place: str, first: str, second: str | None, label: str) -> str:
    """The name of a new relation in the schema ``place``: with a number behind it when the plain one is taken."""
    return _free(first, second, label, lambda name: _is_taken(schema, place, name))


def constraint_name(schema: Schema, table: Relation, second: str | None, label: str, taken: Container[str] = ()) -> str:
    """The name of a new constraint of a table: no other constraint in its schema that we know has it."""
    return _free(table.name, second, label, lambda name: name in taken or table.constraint(name) is not None)


def index_label(index: Index, *, is_constraint: bool) -> tuple[str | None, str]:
    """The second and last part of the name of an index that is made like another one."""
    label = "pkey" if index.primary else "excl" if index.exclusion else "key" if is_constraint else "idx"
    if index.primary:
        return None, label
    expressions = iter(index.expressions)
    keys = [one if one is not None else expression_name(next(expressions, "")) for one in index.key_columns]
    return columns_part((*keys, *index.included_columns)), label


def expression_name(expression: str) -> str:
    """What an index calls an expression, given as the catalog writes it: the function that it calls, or ``expr``."""
    parsed = parse(f"SELECT {expression}") if expression and tree_of(expression) is None else None
    node = tree_of(expression) or {}
    if parsed is not None and not isinstance(parsed, SyntaxProblem):
        node = parsed[1].get("targetList", [{}])[0].get("ResTarget", {}).get("val", {})
    return figured_name(node) or "expr"


def columns_part(names: Iterable[str]) -> str:
    """Column names as they become part of an index's name; an expression is called ``expr``.

    Names are joined until they fill an identifier; PostgreSQL's own rule (``ChooseIndexNameAddition``).
    """
    joined = ""
    for name in names:
        joined = f"{joined}_{name}" if joined else name
        if len(joined.encode()) >= MAX_IDENTIFIER_BYTES + 1:
            break
    return _cut(joined, MAX_IDENTIFIER_BYTES)


def _free(first: str, second: str | None, label: str, is_taken: Callable[[str], bool]) -> str:
    name, number = object_name(first, second, label), 0
    while is_taken(name):
        number += 1
        name = object_name(first, second, f"{label}{number}")
    return name


def _is_taken(schema: Schema, place: str, name: str) -> bool:
    # What nobody can tell is taken to be free: names of what is assumed to exist are not known.
    found = schema.find(qualified_name(place, name))
    return found.object is not None


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")
