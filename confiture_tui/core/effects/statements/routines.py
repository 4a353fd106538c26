"""CREATE FUNCTION, PROCEDURE and AGGREGATE; ALTER FUNCTION."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.dependencies import PG_PROC, ObjectAddress
from confiture_tui.core.catalog.models.routines import Routine, RoutineKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.bodies import read_routine
from confiture_tui.core.effects.builtins import LAST_MAJOR
from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.expressions.calls import candidate_of
from confiture_tui.core.effects.expressions.scope import Scope
from confiture_tui.core.effects.newer_syntax import newer_syntax
from confiture_tui.core.effects.rights import is_restricted
from confiture_tui.core.effects.statements.creation import new_place
from confiture_tui.core.effects.statements.definitions import names_in, type_text
from confiture_tui.core.effects.statements.mentions import lock_mentioned
from confiture_tui.core.effects.statements.needs import note_needs, note_type
from confiture_tui.core.effects.statements.options import find_option, option_text, truth
from confiture_tui.core.effects.statements.queries_of_views import read_definition
from confiture_tui.core.effects.statements.routine_checks import (
    refuse_aggregate,
    refuse_attributes,
    refuse_parameters,
    refuse_planning,
    refuse_plpgsql,
    refuse_sql_result,
)
from confiture_tui.core.effects.statements.routine_names import find_routine
from confiture_tui.core.effects.statements.settings import major_of, require_setting
from confiture_tui.core.effects.type_names import parse_type
from confiture_tui.core.effects.types_known import require_type
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier
from confiture_tui.core.sql.script import Script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.core.catalog.names import Key
    from confiture_tui.core.effects.bodies import Body
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_INPUT = frozenset({"FUNC_PARAM_DEFAULT", "FUNC_PARAM_IN", "FUNC_PARAM_INOUT", "FUNC_PARAM_VARIADIC"})
_OUTPUT = frozenset({"FUNC_PARAM_OUT", "FUNC_PARAM_INOUT", "FUNC_PARAM_TABLE"})
_LANGUAGES = frozenset({"sql", "plpgsql", "c", "internal"})


def read_create_routine(node: Node, step: Step) -> None:
    """CREATE [OR REPLACE] FUNCTION or PROCEDURE"""
    parts = names_in(node, "funcname")
    schema = new_place(step, parts[-2] if len(parts) > 1 else None)
    language = option_text((find_option(node, "language") or {}).get("arg")).lower() or "sql"
    quoted = quote_identifier(language)
    if is_restricted(step):
        if language in ("c", "internal"):
            step.refuse("42501", f"permission denied for language {language}")
        if find_option(node, "leakproof") is not None:
            step.refuse("42501", "only superuser can define a leakproof function")
    if language not in _LANGUAGES and step.now.other("language", quoted) is None:
        step.refuse("42704", f'language "{language}" does not exist')
    parameters = [one["FunctionParameter"] for one in node.get("parameters", [])]
    for one in parameters:
        require_type(step, one["argType"])
    if "returnType" in node:
        require_type(step, node["returnType"])
    refuse_attributes(step, node)
    refuse_parameters(step, node, parameters)
    _require_settings(node, step, "options")
    routine = _routine(node, step, (schema, parts[-1]), parameters, language)
    existing = step.now.routine([schema, parts[-1]], routine.argument_types)
    if existing is not None:
        if not node.get("replace"):
            step.refuse("42723", f'function "{parts[-1]}" already exists with same argument types')
        _check_replaced(step, existing, routine, parameters)
        routine = replace(routine, oid=existing.oid)
    elif not step.schema.known:
        step.may_fail("42723" if not node.get("replace") else "42P13", "a function of that name may exist")
    if step.settings.get("check_function_bodies", "on").lower() not in ("off", "false", "no", "0"):
        _read_body(node, step, routine)
    elif "sql_body" in node:
        _read_atomic(node, step, routine)
    step.change.put_routine(routine)
    _note_needs(node, step, routine, parameters)


def _note_needs(node: Node, step: Step, routine: Routine, parameters: list[Node]) -> None:
    """The types of what it takes and gives, and what a body needs that is kept as it was parsed."""
    address = ObjectAddress(PG_PROC, routine.oid)
    step.change.forget_needs(address)
    for type_node in (*(one["argType"] for one in parameters), *([node["returnType"]] if "returnType" in node else ())):
        note_type(step, address, type_node)
    for statement in _statements(node["sql_body"]) if "sql_body" in node else ():
        if "SelectStmt" in statement:
            facts, _columns = read_definition(statement["SelectStmt"], step.now)
            note_needs(step, address, facts)


def _require_settings(node: Node, step: Step, field: str) -> None:
    """The settings that a function has while it runs."""
    for one in node.get(field, ()):
        setting = one["DefElem"].get("arg", {}).get("VariableSetStmt")
        if setting is not None:
            require_setting(step, setting)


def _check_replaced(step: Step, existing: Routine, routine: Routine, parameters: list[Node]) -> None:
    if existing.kind is not routine.kind:
        step.refuse("42809", "cannot change routine kind")
    if existing.result is not None and routine.result is not None and _differ(existing.result, routine.result):
        step.refuse("42P13", "cannot change return type of existing function")
    old_names = _input_names(existing.identity_arguments)
    new_names = [str(one.get("name", "")) for one in parameters if one.get("mode") in _INPUT]
    for old, new in zip(old_names, new_names, strict=False):
        if old and old != new:
            step.refuse("42P13", f'cannot change name of input parameter "{old}"')
    defaults = existing.arguments.count(" DEFAULT ")
    if sum("defexpr" in one for one in parameters) < defaults:
        step.refuse("42P13", "cannot remove parameter defaults from existing function")


def _differ(old: str, new: str) -> bool:
    """Whether two results are certainly different; of rows with columns that is left open."""
    if old.startswith("TABLE(") or "record" in old or new == "record":
        return False
    return old != new


def _input_names(identity: str) -> list[str]:
    """The parameters' names in ``amount numeric, x integer``; empty for one without a name."""
    names = []
    for one in identity.split(", "):
        words = one.removeprefix("INOUT ").removeprefix("VARIADIC ").split(" ")
        if one.startswith("OUT "):
            continue
        known = {"character", "double", "timestamp", "time", "bit", "interval"}
        names.append(words[0].strip('"') if len(words) > 1 and words[0] not in known else "")
    return names


def _routine(node: Node, step: Step, key: Key, parameters: list[Node], language: str) -> Routine:
    schema, name = key
    inputs = [one for one in parameters if one.get("mode") in _INPUT]
    outputs = [one for one in parameters if one.get("mode") in _OUTPUT]
    types = ", ".join(parse_type(type_text(one["argType"], step.now)).bare for one in inputs)
    procedure = bool(node.get("is_procedure"))
    result = None
    if not procedure:
        if "returnType" in node:
            result = ("SETOF " if node["returnType"].get("setof") else "") + type_text(node["returnType"], step.now)
        else:
            result = type_text(outputs[0]["argType"], step.now) if len(outputs) == 1 else "record"
    arguments = ", ".join(
        " ".join(part for part in (quote_identifier(one["name"]) if "name" in one else "", text) if part)
        + (" DEFAULT …" if "defexpr" in one else "")
        for one in inputs
        for text in (type_text(one["argType"], step.now),)
    )
    body = (find_option(node, "as") or {}).get("arg", {}).get("List", {}).get("items", [])
    window = find_option(node, "window")
    return Routine(
        oid=step.change.new_oid(),
        schema=schema,
        name=name,
        qualified_name=qualified_name(schema, name),
        kind=RoutineKind.PROCEDURE if procedure else RoutineKind.WINDOW if window else RoutineKind.FUNCTION,
        argument_types=types,
        identity_arguments=arguments,
        arguments=arguments,
        result=result,
        language=language,
        volatility=_volatility(node) or Volatility.VOLATILE,
        strict=truth((find_option(node, "strict") or {"arg": {"Boolean": {}}}).get("arg")),
        security_definer=truth((find_option(node, "security") or {"arg": {"Boolean": {}}}).get("arg")),
        leakproof=False,
        parallel="unsafe",
        configuration=("set",) if find_option(node, "set") is not None else (),
        cost=100,
        rows=0,
        support=None,
        source=option_text(body[0]) if body else "",
        sql_body=None,
        library=None,
        transforms=(),
        definition=step.statement.sql,
        owner="",
        extension=None,
        acl=None,
        comment=None,
    )


def _volatility(node: Node, field: str = "options") -> Volatility | None:
    written = option_text((find_option(node, "volatility", field) or {}).get("arg"))
    return Volatility(written) if written in ("immutable", "stable", "volatile") else None


def _read_body(node: Node, step: Step, routine: Routine) -> None:
    """A body in SQL is analysed when the function is made: what it mentions must be there, and is locked for it.

    Of one in PL/pgSQL only the syntax is looked at.
    """
    if "sql_body" in node:
        _read_atomic(node, step, routine)
        return
    if routine.language == "plpgsql":
        body = read_routine(routine)
        refuse_plpgsql(step, step.statement.sql, body)
        refuse_newer_syntax(step, body)
    if routine.language != "sql":
        return
    statements = Script.from_text(routine.source).statements
    for one in statements:
        if one.problem is not None:
            step.refuse("42601", f"the body cannot be parsed: {one.problem.message}")
        if one.node is not None and one.node_kind is not None:
            newer = newer_syntax(one.node_kind, one.node, major_of(step) or LAST_MAJOR, one.sql)
            if newer is not None:
                step.refuse(newer.sqlstate, f"syntax error: {newer.what}")
            lock_mentioned(step, {one.node_kind: one.node}, "the function's body mentions it")
            _refuse_query(step, {one.node_kind: one.node}, routine)

    if step.schema.known:
        listed = [(one.node_kind, one.node) for one in statements if one.node is not None and one.node_kind is not None]
        refuse_sql_result(step, routine, listed)


def _read_atomic(node: Node, step: Step, routine: Routine) -> None:
    lock_mentioned(step, node["sql_body"], "the function's body mentions it")
    for statement in _statements(node["sql_body"]):
        _refuse_query(step, statement, routine)


def refuse_newer_syntax(step: Step, body: Body) -> None:
    """See that the server knows the syntax of a body's statements, whether they are run or not.

    Raises:
        Refused: it does not.
    """
    major = major_of(step)
    for part in body.parts if major is not None and major < LAST_MAJOR else ():
        newer = newer_syntax(part.kind, part.node, major or LAST_MAJOR)
        if newer is not None:
            step.refuse(newer.sqlstate, f"syntax error: {newer.what} is not known before PostgreSQL {newer.since}")


def _statements(body: Node) -> Iterator[Node]:
    """The statements of a BEGIN ATOMIC, and the value of a RETURN as a query."""
    waiting = [body]
    while waiting:
        one = waiting.pop(0)
        if "List" in one:
            waiting = one["List"].get("items", []) + waiting
        elif "ReturnStmt" in one:
            value = one["ReturnStmt"].get("returnval", {})
            yield {"SelectStmt": {"targetList": [{"ResTarget": {"val": value}}], "op": "SETOP_NONE"}}
        elif one:
            yield one


def _refuse_query(step: Step, statement: Node, routine: Routine) -> None:
    """A query of a body is analysed with the function's arguments among its names."""
    query = statement.get("SelectStmt")
    if query is None or not step.schema.known:
        return
    candidate = candidate_of(routine)
    names = candidate.argument_names
    variables = dict(zip(names, candidate.arguments, strict=True)) if len(names) == len(candidate.arguments) else None
    if variables is None:
        return
    reader = Reader(step.now, Scope(variables=variables))
    reader.walk(reader.visitors["SelectStmt"](reader, query))
    for problem in reader.facts.problems:
        step.refuse(problem.sqlstate, problem.message)


def read_alter_routine(node: Node, step: Step) -> None:
    """ALTER FUNCTION, PROCEDURE, ROUTINE: its attributes; touches no table."""
    kind = str(node.get("objtype", "OBJECT_FUNCTION"))
    found = find_routine(node.get("func", {}), kind, step)
    if found is None:
        return
    worst = _volatility(node, "actions")
    if worst is not None:
        found = replace(found, volatility=worst)
    _require_settings(node, step, "actions")
    given = {str(one["DefElem"].get("defname")): one["DefElem"].get("arg") for one in node.get("actions", ())}
    refuse_planning(step, given, sets=(found.result or "").startswith(("SETOF ", "TABLE(")))
    if find_option(node, "set", "actions") is not None:
        found = replace(found, configuration=(*found.configuration, "set"))
    step.change.put_routine(found)


def define_aggregate(node: Node, step: Step) -> None:
    """CREATE AGGREGATE"""
    parts = names_in(node, "defnames")
    schema = new_place(step, parts[-2] if len(parts) > 1 else None)
    listed = node.get("args", [])
    items = listed[0].get("List", {}).get("items", []) if listed else []
    parameters = [one["FunctionParameter"] for one in items if "FunctionParameter" in one]
    for one in parameters:
        require_type(step, one["argType"])
    refuse_aggregate(step, node)
    routine = _routine({"options": []}, step, (schema, parts[-1]), parameters, "internal")
    if step.now.routine([schema, parts[-1]], routine.argument_types) is not None and not node.get("replace"):
        step.refuse("42723", f'function "{parts[-1]}" already exists with same argument types')
    step.change.put_routine(replace(routine, kind=RoutineKind.AGGREGATE, volatility=Volatility.IMMUTABLE))
