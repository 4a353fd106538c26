"""The bodies of DO blocks and routines, read into the statements that they may run.

PL/pgSQL (through libpg_query's own reader of it) and SQL, as text and as BEGIN ATOMIC. What cannot be read, dynamic SQL
above all, is said, and taken at its worst.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.routines import RoutineKind
from confiture_tui.core.effects.body_parts import OTHERS, Body, Node, Part, catches, state_of, statements_of
from confiture_tui.core.effects.plpgsql import PlpgsqlReader
from confiture_tui.core.sql.identifiers import quote_identifier
from confiture_tui.core.sql.parser import parse, parse_plpgsql
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.routines import Routine

__all__ = ["OTHERS", "Body", "Part", "catches", "read_do", "read_routine", "state_of"]


def read_do(node: Node) -> Body:
    """The body of a DO statement, given by the fields of its ``DoStmt``."""
    language, source = "plpgsql", ""
    for one in node.get("args", ()):
        element = one.get("DefElem", {})
        text = str(element.get("arg", {}).get("String", {}).get("sval", ""))
        if element.get("defname") == "language":
            language = text
        elif element.get("defname") == "as":
            source = text
    if language != "plpgsql":
        return Body(opaque=(f"the body of a DO block in {language} is not read",))
    return _plpgsql(f"DO {_quoted(source)}")


def read_routine(routine: Routine) -> Body:
    """The body of a routine of the catalog."""
    match routine.language:
        case "sql":
            return _sql_body(routine.source, routine.sql_body)
        case "plpgsql":
            what = "PROCEDURE" if routine.kind is RoutineKind.PROCEDURE else "FUNCTION"
            result = "" if routine.kind is RoutineKind.PROCEDURE else f"RETURNS {routine.result or 'void'}"
            return _plpgsql(
                f"CREATE {what} {quote_identifier(routine.name)}({routine.arguments}) {result} "
                f"LANGUAGE plpgsql AS {_quoted(routine.source)}"
            )
    return Body(opaque=(f"the body of {routine.qualified_name} is in {routine.language}, and is not read",))


def _quoted(text: str) -> str:
    tag = "$confiture$"
    while tag in text:
        tag = f"{tag[:-1]}_$"
    return f"{tag}{text}{tag}"


@lru_cache(maxsize=512)
def _sql_body(source: str, sql_body: str | None) -> Body:
    parts: list[Part] = []
    if sql_body is not None:
        tree = parse(f"CREATE FUNCTION f() RETURNS void LANGUAGE sql {sql_body}")
        if isinstance(tree, SyntaxProblem):
            return Body(opaque=("the body of a function cannot be read",))
        body = tree[1].get("sql_body", {})
        if "ReturnStmt" in body:
            value = body["ReturnStmt"].get("returnval", {})
            return Body((Part("SelectStmt", {"targetList": [{"ResTarget": {"val": value}}]}),))
        waiting = [body]
        while waiting:
            one = waiting.pop(0)
            if "List" in one:
                waiting = one["List"].get("items", []) + waiting
            elif one:
                ((kind, node),) = one.items()
                parts.append(Part(kind, node))
        return Body(tuple(parts))
    return statements_of(source)


@lru_cache(maxsize=512)
def _plpgsql(sql: str) -> Body:
    trees = parse_plpgsql(sql)
    if isinstance(trees, SyntaxProblem):
        return Body(opaque=(f"a body in PL/pgSQL cannot be read: {trees.message}",))
    if not trees:
        return Body()
    return PlpgsqlReader(trees[0].get("PLpgSQL_function", {})).body()
