"""What the server refuses of a new function or procedure as such: its parameters, its result, its attributes, its body.

Source: PostgreSQL's ``interpret_function_parameter_list``, ``compute_function_attributes`` and ``check_sql_fn_retval``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.builtins import builtins_of
from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.expressions.reads import Value
from confiture_tui.core.effects.queries.assignments import mismatch, missing_column
from confiture_tui.core.effects.statements.definitions import blank_column, type_text
from confiture_tui.core.effects.statements.options import option_text
from confiture_tui.core.effects.type_names import parse_type, type_of_node
from confiture_tui.core.effects.types_known import require_type
from confiture_tui.core.sql.parser import parse, parse_plpgsql
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.effects.bodies import Body
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_IN = frozenset({"FUNC_PARAM_DEFAULT", "FUNC_PARAM_IN", "FUNC_PARAM_VARIADIC"})
_OUT = frozenset({"FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"})
_POLYMORPHIC = frozenset(
    {
        "anyelement",
        "anyarray",
        "anynonarray",
        "anyenum",
        "anyrange",
        "anymultirange",
        "anycompatible",
        "anycompatiblearray",
        "anycompatiblenonarray",
        "anycompatiblerange",
        "anycompatiblemultirange",
    }
)
_NOT_IN_SQL = frozenset({"trigger", "event_trigger", "internal", "language_handler", "fdw_handler", "cstring", "any"})
_WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})


def refuse_attributes(step: Step, node: Node) -> None:
    """See that the attributes are there that must be, each once, with values that they take.

    Raises:
        Refused: they are not.
    """
    elements = [one["DefElem"] for one in node.get("options", ())]
    names = [str(one.get("defname")) for one in elements]
    for name in names:
        if name != "set" and names.count(name) > 1:
            step.refuse("42601", "conflicting or redundant options")
    if "as" not in names and "sql_body" not in node:
        step.refuse("42P13", "no function body specified")
    if "language" not in names and "sql_body" not in node:
        step.refuse("42P13", "no language specified")
    if "as" in names and "sql_body" in node:
        step.refuse("42P13", "duplicate function body specified")
    given = {str(one.get("defname")): one.get("arg") for one in elements}
    sets = bool(node.get("returnType", {}).get("setof")) or any(
        one["FunctionParameter"].get("mode") == "FUNC_PARAM_TABLE" for one in node.get("parameters", ())
    )
    refuse_planning(step, given, sets=sets)


def refuse_planning(step: Step, given: dict[str, Node | None], *, sets: bool) -> None:
    """See that COST and ROWS are positive, and that rows are told only of a set.

    Raises:
        Refused: they are not.
    """
    for name in ("cost", "rows"):
        text = option_text(given.get(name)) if name in given else "1"
        try:
            positive = float(text) > 0
        except ValueError:
            positive = False
        if not positive:
            step.refuse("22023", f"{name.upper()} must be positive")
    if "rows" in given and not sets:
        step.refuse("22023", "ROWS is not applicable when function does not return a set")
    if "support" in given:
        step.may_fail("42883", "the support function may not exist")


def refuse_parameters(step: Step, node: Node, parameters: list[Node]) -> None:
    """See that the parameters, and the result that they make, are as they must be.

    Raises:
        Refused: they are not.
    """
    _refuse_names(step, parameters)
    defaults = False
    for one in parameters:
        takes = one.get("mode") not in _OUT
        if takes and defaults and "defexpr" not in one:
            step.refuse("42P13", "input parameters after one with a default value must also have defaults")
        defaults = defaults or "defexpr" in one
        kind = type_of_node(one["argType"], step.now)
        if one.get("mode") == "FUNC_PARAM_VARIADIC" and kind is not None and not _is_array(kind.bare):
            step.refuse("42P13", "VARIADIC parameter must be an array")
        if "defexpr" in one and kind is not None and step.now.known:
            column = blank_column("", str(one.get("name", "")), 1, type=str(kind))
            refusal = mismatch(column, Reader(step.now).read(one["defexpr"]), step.now)
            if refusal is not None:
                step.refuse(*refusal)
    if not node.get("is_procedure"):
        _refuse_result(step, node, parameters)


def _is_array(name: str) -> bool:
    return name.endswith("[]") or name in ("anyarray", "anycompatiblearray", '"any"', "any")


def _refuse_names(step: Step, parameters: list[Node]) -> None:
    for place, one in enumerate(parameters):
        for other in parameters[:place]:
            sides = {one.get("mode"), other.get("mode")}
            apart = bool(sides & _IN) and bool(sides & _OUT)
            if one.get("name") and one["name"] == other.get("name") and not apart:
                step.refuse("42P13", f'parameter name "{one["name"]}" used more than once')


def _refuse_result(step: Step, node: Node, parameters: list[Node]) -> None:
    outputs = [one for one in parameters if one.get("mode") in _OUT | {"FUNC_PARAM_INOUT"}]
    if "returnType" not in node:
        if not outputs:
            step.refuse("42P13", "function result type must be specified")
        return
    written = parse_type(type_text(node["returnType"], step.now)).bare
    table = any(one.get("mode") == "FUNC_PARAM_TABLE" for one in parameters)
    if outputs and not table:
        made = parse_type(type_text(outputs[0]["argType"], step.now)).bare if len(outputs) == 1 else "record"
        if written not in (made, "record") or (written == "record" and len(outputs) == 1 and made != "record"):
            step.refuse("42P13", f"function result type must be {made} because of OUT parameters")
    kinds = {parse_type(type_text(one["argType"], step.now)).bare for one in parameters if one.get("mode") not in _OUT}
    if written in _POLYMORPHIC and not kinds & _POLYMORPHIC:
        step.refuse("42P13", "cannot determine result data type")


def refuse_sql_result(step: Step, routine: Routine, statements: list[tuple[str, Node]]) -> None:
    """See that the last statement of a body in SQL gives the result; and that what is written has such columns.

    Raises:
        Refused: it does not.
    """
    for kind, fields in statements:
        _refuse_columns(step, kind, fields)
    result = routine.result
    if result is None or result == "void":
        return
    bare = parse_type(result.removeprefix("SETOF ")).bare
    if bare in _NOT_IN_SQL:
        step.refuse("42P13", f"SQL functions cannot return type {bare}")
    targets = _targets(*statements[-1]) if statements else None
    if targets is None:
        step.refuse("42P13", f"return type mismatch in function declared to return {result}")
    if any("A_Star" in str(one.get("val", {}).get("ColumnRef", "")) for one in targets) or not targets:
        step.may_fail("42P13", "the body may give other columns than the function returns")
        return
    types = builtins_of(step.schema.server_version_num).types
    if bare not in types or types[bare].kind == "p":
        step.may_fail("42P13", "the body may give other columns than the function returns")
        return
    if len(targets) != 1:
        step.refuse("42P13", f"return type mismatch in function declared to return {result}")
    step.may_fail("42P13", "the body may give another type than the function returns")
    value = targets[0].get("val", {})
    if "TypeCast" in value:
        kind_of = type_of_node(value["TypeCast"].get("typeName", {}), step.now)
        if kind_of is not None and step.now.known:
            refusal = mismatch(blank_column("", "", 1, type=bare), Value(kind_of.bare), step.now)
            if refusal is not None:
                step.refuse("42P13", f"return type mismatch in function declared to return {result}")


def _targets(kind: str, fields: Node) -> list[Node] | None:
    """What a statement gives back; ``None``: nothing; empty: it cannot be told."""
    if kind == "SelectStmt":
        while "larg" in fields:
            fields = fields["larg"]
        if "valuesLists" in fields:
            return [{"val": one} for one in fields["valuesLists"][0].get("List", {}).get("items", ())]
        return [one["ResTarget"] for one in fields.get("targetList", ())]
    if kind in _WRITES and "returningClause" in fields:
        return [one["ResTarget"] for one in fields["returningClause"].get("exprs", ())]
    return None


def _refuse_columns(step: Step, kind: str, fields: Node) -> None:
    if kind not in ("InsertStmt", "UpdateStmt"):
        return
    found = step.now.find(fields["relation"])
    if not found.known or found.relation is None:
        return
    for one in fields.get("cols" if kind == "InsertStmt" else "targetList", ()):
        name = one["ResTarget"].get("name")
        if name is not None and found.relation.column(name) is None:
            step.refuse(*missing_column(found.relation, name))


def refuse_aggregate(step: Step, node: Node) -> None:
    """See that an aggregate has what it must have; whether its functions fit is left open.

    Raises:
        Refused: it has not.
    """
    given = {str(one["DefElem"].get("defname")): one["DefElem"].get("arg") or {} for one in node.get("definition", ())}
    if not given.keys() & {"stype", "stype1"}:
        step.refuse("42P13", "aggregate stype must be specified")
    if not given.keys() & {"sfunc", "sfunc1"}:
        step.refuse("42P13", "aggregate sfunc must be specified")
    for name in ("stype", "stype1"):
        if "TypeName" in given.get(name, {}):
            require_type(step, given[name]["TypeName"])
    step.may_fail("42883", "a function that it names may not exist")
    step.may_fail("42P13", "a function that it names may give another type")
    if given.keys() & {"initcond", "initcond1", "minitcond"}:
        step.may_fail("22P02", "the state that it starts with may be no value of its type")


_ROWS_OF = re.compile(r"([\w.]+)%ROWTYPE|([\w.]+)\.\w+%TYPE", re.IGNORECASE)


def _note_types_of(step: Step, sql: str) -> None:
    """The tables whose rows or columns give variables their types; one that a name means may be a variable too."""
    for found in _ROWS_OF.finditer(sql):
        parts = (found.group(1) or found.group(2)).lower().split(".")
        if step.now.known and step.now.find(".".join(parts[-2:])).missing:
            step.may_fail("42P01", f"relation {'.'.join(parts)} does not exist")


def refuse_plpgsql(step: Step, sql: str, body: Body) -> None:
    """See that a body in PL/pgSQL can be read, and that the types of its variables exist.

    Args:
        step: told of the refusal.
        sql: the statement that makes the function.
        body: its body, read.

    Raises:
        Refused: it cannot.
    """
    _note_types_of(step, sql)
    problem = parse_plpgsql(sql) if body.opaque else None
    if isinstance(problem, SyntaxProblem):
        if problem.message.startswith("syntax error"):
            step.refuse("42601", problem.message)
        step.may_fail("42601", problem.message)
        step.may_fail("42804", problem.message)
    elif body.opaque:
        step.may_fail("42601", "a statement of the body may be no SQL")
    for written in dict.fromkeys((body.variables or {}).values()):
        tree = parse(f"SELECT NULL::{written}") if written and "%" not in written else None
        if tree is None or isinstance(tree, SyntaxProblem):
            continue
        targets = tree[1].get("targetList", [])
        cast = targets[0]["ResTarget"].get("val", {}).get("TypeCast") if targets else None
        if cast is not None and step.schema.known:
            require_type(step, cast["typeName"])
