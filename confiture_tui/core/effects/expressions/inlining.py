"""Calls of simple SQL functions, which the planner replaces by the functions' bodies.

What is declared VOLATILE may then turn out to be constant: a function in SQL is VOLATILE unless it says otherwise.
Defaults, generation expressions and index expressions are all judged like that.
Source: PostgreSQL's planner (``inline_function`` in src/backend/optimizer/util/clauses.c), the same in 14 to 18.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.routines import RoutineKind
from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.expressions.calls import candidate_of
from confiture_tui.core.effects.expressions.conversions import worst
from confiture_tui.core.effects.expressions.scope import Scope
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.effects.expressions.reads import Call, Facts
    from confiture_tui.core.effects.schema import Schema

_DEPTH = 16
"""So many functions may call one another; the planner itself stops at a function that calls itself."""

_NOT_STRICT = frozenset(
    {
        "CaseExpr",
        "CoalesceExpr",
        "MinMaxExpr",
        "NullTest",
        "BooleanTest",
        "BoolExpr",
        "RowExpr",
        "A_ArrayExpr",
        "ParamRef",
    }
)
# Forms that may yield a value for a NULL, or whose arguments are not known by name.

_MORE_THAN_A_VALUE = frozenset(
    {
        "fromClause",
        "whereClause",
        "groupClause",
        "havingClause",
        "windowClause",
        "valuesLists",
        "sortClause",
        "limitCount",
        "limitOffset",
        "lockingClause",
        "withClause",
        "distinctClause",
        "intoClause",
        "larg",
    }
)


def volatility_when_inlined(facts: Facts, schema: Schema) -> Volatility | None:
    """The volatility of what was read, as the planner finds it; ``None``: a body calls something not known to us."""
    return _volatility(facts, schema, _DEPTH)


def _volatility(facts: Facts, schema: Schema, depth: int) -> Volatility | None:
    found = [facts.other_volatility]
    for call in facts.calls:
        one = _of_call(call, schema, depth)
        if one is None:
            return None
        found.append(one)
    return None if facts.unknown_calls or facts.unknown_casts else worst(found)


def _of_call(call: Call, schema: Schema, depth: int) -> Volatility | None:
    declared = worst([one.volatility for one in call.candidates])
    if declared is Volatility.IMMUTABLE or depth == 0 or len(call.candidates) != 1 or not call.candidates[0].oid:
        return declared
    routine = schema.routine_by_oid(call.candidates[0].oid)
    body = simple_body(routine) if routine is not None else None
    if routine is None or body is None:
        return declared
    candidate = candidate_of(routine)
    variables = dict(zip(candidate.argument_names, candidate.arguments, strict=False))
    reader = Reader(schema, Scope(variables=variables))
    reader.read(body)
    if reader.facts.reads or reader.facts.problems or (routine.strict and not _stays_strict(body, reader, variables)):
        return declared
    inside = _volatility(reader.facts, schema, depth - 1)
    # A body that does more than its function declares is not put in its place.
    return inside if inside is None or worst([inside, declared]) is declared else declared


def _stays_strict(body: dict[str, Any], reader: Reader, variables: dict[str, str]) -> bool:
    """Whether the body is NULL for each NULL argument, as a call of a STRICT function is."""
    used = {parts[-1] for parts in reader.facts.columns}
    if not used >= variables.keys() or not all(one.strict for call in reader.facts.calls for one in call.candidates):
        return False
    waiting: list[Any] = [body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if _NOT_STRICT & one.keys():
                return False
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return True


def simple_body(routine: Routine) -> dict[str, Any] | None:
    """The expression that a function's calls are replaced by; ``None`` when they are not replaced."""
    if (
        routine.language != "sql"
        or routine.kind is not RoutineKind.FUNCTION
        or routine.security_definer
        or routine.configuration
        or (routine.result or "record").startswith(("SETOF ", "TABLE(", "record"))
    ):
        return None
    if routine.sql_body is not None:
        text = routine.sql_body.strip()
        if text.upper().startswith("RETURN"):
            text = f"SELECT {text[len('RETURN') :]}"
    else:
        text = routine.source
    tree = parse(text.strip().removesuffix(";"))
    if isinstance(tree, SyntaxProblem) or tree[0] != "SelectStmt":
        return None
    select = tree[1]
    targets = select.get("targetList", [])
    if len(targets) != 1 or _MORE_THAN_A_VALUE & select.keys():
        return None
    value: dict[str, Any] | None = targets[0].get("ResTarget", {}).get("val")
    return value
