"""Calls of functions and operators: what they may mean, and what is then known of them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.objects import OtherObject
from confiture_tui.core.catalog.models.routines import RoutineKind
from confiture_tui.core.effects.builtins import Candidate
from confiture_tui.core.effects.expressions.conversions import tables
from confiture_tui.core.effects.type_names import parse_type
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.catalog.catalog import Catalog
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.effects.schema import Schema

RECORD = "record"


def functions_called(names: Sequence[str], schema: Schema) -> tuple[list[Candidate], bool]:
    """All functions of a name, PostgreSQL's own and the user's; and whether some of its own are among them."""
    own: list[Candidate] = []
    if len(names) == 1 or names[-2] == "pg_catalog":
        own = list(tables(schema).functions(names[-1]))
    theirs = [] if names[0] == "pg_catalog" else [candidate_of(one) for one in schema.routines(list(names))]
    return own + theirs, bool(own)


def operators_called(names: Sequence[str], schema: Schema) -> list[Candidate]:
    """All operators of a name, PostgreSQL's own and those of the user and of extensions."""
    return [*tables(schema).operators(names[-1]), *user_operators(names, schema)]


def user_operators(names: Sequence[str], schema: Schema) -> Sequence[Candidate]:
    """The operators of a name that are the user's or an extension's."""
    if names[0] == "pg_catalog":
        return ()
    written = schema.others_written("operator")
    known = _operators_of(schema.catalog).get(names[-1], ()) if schema.catalog is not None else ()
    if not written:
        return [candidate for _identity, candidate in known]
    found = [candidate for identity, candidate in known if identity not in written]
    mark = f".{names[-1]}("
    for identity in [one for one in written if mark in one]:
        made = schema.other("operator", identity)
        if isinstance(made, OtherObject) and _name_in(identity) == names[-1]:
            function = dict(made.properties).get("function") or ""
            head, _, types = function.removesuffix(")").partition("(")
            routines = schema.routines(head) if head else ()
            found.append(_operator(made, next((one for one in routines if one.argument_types == types), None)))
    return found


@lru_cache(maxsize=4)
def _operators_of(catalog: Catalog) -> dict[str, list[tuple[str, Candidate]]]:
    """A catalog's own operators by name, each with its identity."""
    found: dict[str, list[tuple[str, Candidate]]] = {}
    for other in catalog.others.values():
        if other.kind != "operator":
            continue
        function = (dict(other.properties).get("function") or "").strip()
        types = _types_in(other.identity)
        routines = [
            one for one in catalog.routines.values() if function in (one.qualified_name, one.name, one.signature)
        ]
        routine = next((one for one in routines if split_types(one.argument_types) == types), None)
        found.setdefault(_name_in(other.identity), []).append((other.identity, _operator(other, routine)))
    return found


def _name_in(identity: str) -> str:
    head = identity.rpartition("(")[0]
    return head.partition(".")[2] if not head.startswith('"') else head.rpartition('".')[2]


def _types_in(identity: str) -> list[str]:
    operands = identity.rpartition("(")[2]
    return [one for one in split_types(operands.removesuffix(")")) if one != "NONE"]


def _operator(one: OtherObject, routine: Routine | None) -> Candidate:
    return Candidate(
        _name_in(one.identity),
        tuple(_types_in(one.identity)),
        dict(one.properties).get("result") or "boolean",
        routine.volatility if routine else Volatility.STABLE,
        strict=bool(routine and routine.strict),
        oid=routine.oid if routine else 0,
    )


def split_types(written: str) -> list[str]:
    """The types in a list, ``integer, public."a,b"``, by their bare names."""
    parts: list[str] = []
    depth, quoted, start = 0, False, 0
    for place, mark in enumerate(written):
        if mark == '"':
            quoted = not quoted
        elif not quoted and mark in "()":
            depth += 1 if mark == "(" else -1
        elif not quoted and not depth and mark == ",":
            parts.append(written[start:place])
            start = place + 1
    parts.append(written[start:])
    return [parse_type(part.strip()).bare for part in parts if part.strip()]


def candidate_of(routine: Routine) -> Candidate:
    """A user's routine as what a call may mean."""
    types = tuple(split_types(routine.argument_types))
    names, defaults, variadic = _arguments(routine.arguments)
    result = routine.result or "void"
    set_returning = result.startswith(("SETOF ", "TABLE("))
    if result.startswith("TABLE("):
        result = RECORD
    return Candidate(
        routine.qualified_name,
        types,
        parse_type(result.removeprefix("SETOF ")).bare,
        routine.volatility,
        strict=routine.strict,
        set_returning=set_returning,
        aggregate=routine.kind is RoutineKind.AGGREGATE,
        window=routine.kind is RoutineKind.WINDOW,
        defaults=defaults,
        variadic=variadic,
        argument_names=names if len(names) == len(types) else (),
        oid=routine.oid,
    )


@lru_cache(maxsize=4096)
def _arguments(written: str) -> tuple[tuple[str, ...], int, bool]:
    """Names of the input arguments, how many have defaults, and whether the last is variadic."""
    if not written:
        return (), 0, False
    tree = parse(f"CREATE FUNCTION f({written}) RETURNS void LANGUAGE sql")
    if isinstance(tree, SyntaxProblem):
        return (), 0, False
    names: list[str] = []
    defaults, variadic = 0, False
    for one in tree[1].get("parameters", ()):
        parameter = one.get("FunctionParameter", {})
        mode = parameter.get("mode", "FUNC_PARAM_DEFAULT")
        if mode in ("FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"):
            continue
        names.append(parameter.get("name", ""))
        defaults += "defexpr" in parameter
        variadic = variadic or mode == "FUNC_PARAM_VARIADIC"
    return tuple(names), defaults, variadic
