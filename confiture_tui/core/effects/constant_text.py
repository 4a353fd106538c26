"""The text of an expression that is put together of constants: what EXECUTE will run, where that can be told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from confiture_tui.core.sql.identifiers import quote_identifier
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

Node = dict[str, Any]

_FORMAT = re.compile(r"%(?:(?P<percent>%)|(?P<place>\d+\$)?(?P<minus>-?)(?P<width>\d*)(?P<kind>[sIL]))")
_DEPTH = 200


def constant_text(expression: str, texts: Mapping[str, str]) -> str | None:
    """The text that an SQL expression yields; ``None`` where it cannot be told.

    Understood are literals, ``||``, ``format``, ``quote_ident``, ``quote_literal``, ``concat`` and casts to text.

    Args:
        expression: SQL.
        texts: of the variables whose texts are known.
    """
    tree = parse(f"SELECT {expression}")
    if isinstance(tree, SyntaxProblem):
        return None
    targets = tree[1].get("targetList", [])
    if len(targets) != 1 or tree[1].keys() - {"targetList", "limitOption", "op"}:
        return None
    return _text(targets[0].get("ResTarget", {}).get("val", {}), texts, _DEPTH)


def _text(node: Node, texts: Mapping[str, str], depth: int) -> str | None:
    if depth == 0 or len(node) != 1:
        return None
    ((kind, fields),) = node.items()
    match kind:
        case "A_Const":
            return _constant(fields)
        case "ColumnRef":
            parts = [part.get("String", {}).get("sval", "") for part in fields.get("fields", ())]
            return texts.get(parts[-1]) if len(parts) == 1 else None
        case "TypeCast":
            names = [part.get("String", {}).get("sval", "") for part in fields["typeName"].get("names", ())]
            plain = names[-1] in ("text", "varchar", "name") and not fields["typeName"].get("typmods")
            return _text(fields.get("arg", {}), texts, depth - 1) if plain else None
        case "A_Expr" if fields.get("name", [{}])[-1].get("String", {}).get("sval") == "||" and "lexpr" in fields:
            left = _text(fields["lexpr"], texts, depth - 1)
            right = _text(fields["rexpr"], texts, depth - 1)
            return None if left is None or right is None else left + right
        case "FuncCall":
            return _call(fields, texts, depth - 1)
    return None


def _constant(fields: Node) -> str | None:
    if "sval" in fields:
        return str(fields["sval"].get("sval", ""))
    if "ival" in fields:
        return str(fields["ival"].get("ival", 0))
    if "fval" in fields:
        return str(fields["fval"].get("fval", ""))
    return None


def _call(fields: Node, texts: Mapping[str, str], depth: int) -> str | None:
    name = fields["funcname"][-1]["String"].get("sval", "")
    arguments = [_text(one, texts, depth) for one in fields.get("args", ())]
    known = [one for one in arguments if one is not None]
    if len(known) != len(arguments) or not known:
        return None
    match name:
        case "format":
            return _formatted(known[0], known[1:])
        case "quote_ident":
            return quote_identifier(known[0])
        case "quote_literal" | "quote_nullable":
            return _literal(known[0])
        case "concat":
            return "".join(known)
        case "lower":
            return known[0].lower() if known[0].isascii() else None
    return None


def _literal(text: str) -> str:
    doubled = text.replace("'", "''").replace("\\", "\\\\")
    return f"E'{doubled}'" if "\\" in text else f"'{doubled}'"


def _formatted(pattern: str, arguments: list[str]) -> str | None:
    """``format`` (PostgreSQL documentation, 9.4.1), without widths; ``None`` where it would fail."""
    pieces: list[str] = []
    following = 0
    end = 0
    for found in _FORMAT.finditer(pattern):
        if "%" in pattern[end : found.start()] or found["width"] or found["minus"]:
            return None
        pieces.append(pattern[end : found.start()])
        end = found.end()
        if found["percent"]:
            pieces.append("%")
            continue
        place = int(found["place"][:-1]) - 1 if found["place"] else following
        following = place + 1
        if not 0 <= place < len(arguments):
            return None
        value = arguments[place]
        kind = found["kind"]
        pieces.append(quote_identifier(value) if kind == "I" else _literal(value) if kind == "L" else value)
    rest = pattern[end:]
    return None if "%" in rest else "".join(pieces) + rest


def constant_of(node: Node) -> str | None:
    """The text that an expression of a syntax tree yields; ``None`` where it cannot be told."""
    return _text(node, {}, _DEPTH)
