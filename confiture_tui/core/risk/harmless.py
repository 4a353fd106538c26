"""Whether a condition may be put to a live database: it calls nothing of the user's, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.expressions import volatility
from confiture_tui.core.effects.type_names import base_type, parse_type, user_type
from confiture_tui.core.sql.lexical import IDENTIFIER, QUOTED, comment_end, dollar_quote_end
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.schema import Schema

_WORDS: Final = """
    A_ArrayExpr A_Const A_Expr BitString BoolExpr Boolean BooleanTest CaseExpr CaseWhen CoalesceExpr ColumnRef Float
    FuncCall Integer List MinMaxExpr NullTest String TypeCast A_Indirection A_Indices RowExpr SQLValueFunction
"""
_KINDS: Final = frozenset(_WORDS.split())
"""The kinds of node in a condition that is understood; sub-selects and all else are not."""


def is_harmless(condition: str, schema: Schema, relation: Relation) -> bool:
    """Whether a condition on the rows of a table calls only PostgreSQL's own functions, none of them volatile.

    It relies on being run with a search_path of pg_catalog alone: an unqualified name then means PostgreSQL's own. That
    must be what it means to the user too: a column of citext would be compared as text, and a user's function of the
    same name may be the one that is called.
    """
    tree = parse(f"SELECT ({condition}\n)")
    if isinstance(tree, SyntaxProblem) or tree[0] != "SelectStmt" or set(tree[1]) - _PLAIN_SELECT:
        return False
    targets = tree[1].get("targetList", [])
    if len(targets) != 1 or set(targets[0].get("ResTarget", {})) - {"val", "location"}:
        return False
    value = targets[0]["ResTarget"]["val"]
    for kind, fields in _nodes(value):
        if kind not in _KINDS or _names_elsewhere(kind, fields):
            return False
        if kind == "FuncCall" and schema.routines(fields["funcname"][-1].get("String", {}).get("sval", "")):
            return False
        if kind == "ColumnRef" and not _is_of_postgresql(fields, schema, relation):
            return False
    return volatility(value, schema, relation=relation) in (Volatility.IMMUTABLE, Volatility.STABLE)


def compares_alike(type_name: str, schema: Schema) -> bool:
    """Whether the operators for a type, ``text``, ``public.mood[]``, are PostgreSQL's own: of its types, and of enums.

    A domain has those of the type that it rests on.
    """
    name = base_type(parse_type(type_name).bare.removesuffix("[]"), schema).removesuffix("[]")
    found = user_type(name, schema)
    return "." not in name or (found is not None and found.kind is TypeKind.ENUM)


def _is_of_postgresql(column_ref: Mapping[str, Any], schema: Schema, relation: Relation) -> bool:
    """Whether a column is compared by PostgreSQL's own operators; one that is not of the relation is not judged."""
    name = column_ref.get("fields", [{}])[-1].get("String", {}).get("sval")
    column = relation.column(name) if name else None
    return column is None or compares_alike(column.type, schema)


_PLAIN_SELECT: Final = frozenset({"targetList", "limitOption", "op", "all", "groupDistinct"})


def condition_after(sql: str, word: str, start: int = 0) -> str | None:
    """What stands in the brackets that follow the first key word ``word`` from ``start`` on; ``None`` without them."""
    seen, opened, depth = False, -1, 0
    position, stop = start, len(sql)
    while position < stop:
        passed = comment_end(sql, position, stop) or dollar_quote_end(sql, position, stop)
        if passed is None and (quoted := QUOTED.match(sql, position)):
            passed = quoted.end()
        if passed is not None:
            position = passed
            continue
        if found := IDENTIFIER.match(sql, position):
            seen = seen or found.group().lower() == word
            position = found.end()
            continue
        mark = sql[position]
        if mark == "(" and seen:
            depth += 1
            opened = position + 1 if depth == 1 else opened
        elif mark == ")" and depth:
            depth -= 1
            if depth == 0:
                return sql[opened:position]
        position += 1
    return None


def _nodes(value: Any) -> Iterator[tuple[str, Any]]:
    """Every node of a tree, kind and fields; without recursion, since trees can be deep."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting.extend(current)
        elif isinstance(current, dict):
            for key, inner in current.items():
                if key[:1].isupper() and isinstance(inner, dict):
                    yield key, inner
                waiting.append(inner)


def _names_elsewhere(kind: str, fields: Any) -> bool:
    """Whether a function, operator or type is named with a schema other than pg_catalog."""
    if kind == "TypeCast":
        fields = fields.get("typeName", {})
    listed = {"FuncCall": "funcname", "A_Expr": "name", "TypeCast": "names"}.get(kind)
    if listed is None:
        return False
    parts = [each.get("String", {}).get("sval") for each in fields.get(listed, ())]
    return len(parts) > 1 and parts[0] != "pg_catalog"
