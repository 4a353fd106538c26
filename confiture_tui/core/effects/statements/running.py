"""DO, CALL, EXPLAIN, prepared statements and cursors: statements that run others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.routines import RoutineKind
from confiture_tui.core.effects.bodies import read_do, read_routine
from confiture_tui.core.effects.expressions.base import names_of
from confiture_tui.core.effects.expressions.calls import candidate_of
from confiture_tui.core.effects.expressions.overloads import choose
from confiture_tui.core.effects.queries.calls import run_routine
from confiture_tui.core.effects.queries.noting import note, reader_for
from confiture_tui.core.effects.queries.running import run_body, unknown
from confiture_tui.core.effects.statements.known_options import refuse_explain_options
from confiture_tui.core.effects.statements.queries import read_query
from confiture_tui.core.effects.statements.routines import refuse_newer_syntax
from confiture_tui.core.effects.statements.writes import read_delete, read_insert, read_merge, read_update

if TYPE_CHECKING:
    from confiture_tui.core.effects.bodies import Body
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_WRITES = {
    "InsertStmt": read_insert,
    "UpdateStmt": read_update,
    "DeleteStmt": read_delete,
    "MergeStmt": read_merge,
}


def read_do_block(node: Node, step: Step) -> None:
    """DO: its body is read as far as it can be."""
    body = read_do(node)
    if step.settings.get("check_function_bodies", "on").lower() not in ("off", "false", "no", "0"):
        refuse_newer_syntax(step, body)
    _note_commits(step, body)
    run_body(step, body, what="the DO block")


def read_call(node: Node, step: Step) -> None:
    """CALL: the procedure's body is read as far as it can be."""
    call = node["funccall"]
    names = names_of(call.get("funcname", []))
    reader = reader_for(step)
    values = [reader.read(one.get("NamedArgExpr", {}).get("arg", one)) for one in call.get("args", ())]
    note(step, reader)
    routines = step.now.routines(names)
    if not routines:
        if step.now.known:
            step.refuse("42883", f"procedure {'.'.join(names)} does not exist")
        unknown(step, f"what {'.'.join(names)} does is not known")
        step.transactional_unknown()
        return
    chosen = choose([candidate_of(one) for one in routines], [one.type for one in values], step.now)
    routine = step.now.routine_by_oid(chosen[0].oid) if len(chosen) == 1 else None
    if routine is None and len(routines) == 1:
        routine = routines[0]
    if routine is None:
        unknown(step, f"which {'.'.join(names)} is meant cannot be told")
        step.transactional_unknown()
        return
    if routine.kind is not RoutineKind.PROCEDURE:
        step.refuse("42809", f"{routine.qualified_name} is not a procedure")
    _note_commits(step, read_routine(routine))
    run_routine(step, routine)


def _note_commits(step: Step, body: Body) -> None:
    """A body that ends transactions cannot run inside one."""
    if not body.commits:
        return
    if step.in_transaction or step.running:
        step.fails("2D000", "invalid transaction termination")
    step.not_in_transaction()


def read_explain(node: Node, step: Step) -> None:
    """EXPLAIN plans, which takes the statement's locks; EXPLAIN ANALYZE runs it."""
    refuse_explain_options(step, node)
    runs = False
    for one in node.get("options", ()):
        option = one["DefElem"]
        if option.get("defname") == "analyze":
            value = option.get("arg", {})
            text = str(value.get("String", {}).get("sval", value.get("Integer", {}).get("ival", "true"))).lower()
            runs = text not in ("false", "off", "0")
    ((kind, fields),) = node["query"].items()
    if runs:
        step.run(kind, fields)
    else:
        plan(kind, fields, step)


def plan(kind: str, fields: Node, step: Step) -> None:
    """What planning a statement does, without running it: its locks."""
    if kind == "SelectStmt":
        read_query(fields, step, execute=False)
    elif kind in _WRITES:
        _WRITES[kind](fields, step, execute=False)
    elif kind in ("CreateTableAsStmt", "DeclareCursorStmt"):
        ((inner, query),) = fields["query"].items()
        plan(inner, query, step)
    elif kind == "ExecuteStmt":
        prepared = step.session.prepared.get(fields.get("name", ""))
        if prepared is None:
            step.refuse("26000", f'prepared statement "{fields.get("name", "")}" does not exist')
        if isinstance(prepared, tuple):
            plan(prepared[0], prepared[1], step)


def read_prepare(node: Node, step: Step) -> None:
    """PREPARE analyses its statement, which takes the locks of the tables that it names."""
    name = node.get("name", "")
    if name in step.session.prepared:
        step.refuse("42P05", f'prepared statement "{name}" already exists')
    ((kind, fields),) = node["query"].items()
    plan(kind, fields, step)
    step.session.prepared[name] = (kind, fields, max(len(node.get("argtypes", ())), _parameters(fields)))


def _parameters(fields: Node) -> int:
    """The largest number of a parameter in a statement."""
    largest = 0
    waiting: list[object] = [fields]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            if isinstance(one.get("ParamRef"), dict):
                largest = max(largest, int(one["ParamRef"].get("number", 0)))
            waiting.extend(one.values())
    return largest


def read_execute(node: Node, step: Step) -> None:
    """EXECUTE of a statement that the file has prepared."""
    name = node.get("name", "")
    prepared = step.session.prepared.get(name)
    if not isinstance(prepared, tuple):
        step.refuse("26000", f'prepared statement "{name}" does not exist')
    kind, fields, wanted = prepared
    if len(node.get("params", ())) != wanted:
        step.refuse("42601", f'wrong number of parameters for prepared statement "{name}"')
    reader = reader_for(step)
    for parameter in node.get("params", ()):
        reader.read(parameter)
    note(step, reader)
    if wanted:
        step.may_fail("22P02", "a parameter may be no value of its type")
        step.may_fail("42804", "a parameter may be of another type")
    step.run(kind, fields)


def read_deallocate(node: Node, step: Step) -> None:
    """DEALLOCATE."""
    name = node.get("name")
    if name is None or node.get("isall"):
        step.session.prepared.clear()
    elif step.session.prepared.pop(name, None) is None:
        step.refuse("26000", f'prepared statement "{name}" does not exist')


def read_declare(node: Node, step: Step) -> None:
    """DECLARE plans a query; its tables are read as rows are fetched."""
    held = bool(int(node.get("options", 0)) & _HOLD)
    if not step.in_transaction and not held:
        step.refuse("25P01", "DECLARE CURSOR can only be used in transaction blocks")
    fields = node["query"]["SelectStmt"]
    _refuse_cursor(step, node, locks="lockingClause" in fields)
    # A cursor WITH HOLD is run to its end when its transaction is.
    read_query(fields, step, execute=held)
    step.session.cursors[node["portalname"]] = fields


_SCROLL, _INSENSITIVE, _HOLD = 2, 8, 32
"""Bits of DECLARE's options (CURSOR_OPT_SCROLL and the like in parsenodes.h)."""


def _refuse_cursor(step: Step, node: Node, *, locks: bool) -> None:
    options = int(node.get("options", 0))
    if locks and options & _HOLD:
        step.refuse("0A000", "DECLARE CURSOR WITH HOLD ... FOR UPDATE is not supported")
    if locks and options & _SCROLL:
        step.refuse("0A000", "DECLARE SCROLL CURSOR ... FOR UPDATE is not supported")
    if locks and options & _INSENSITIVE:
        step.refuse("42P11", "DECLARE INSENSITIVE CURSOR ... FOR UPDATE is not valid")
    if node["portalname"] in step.session.cursors:
        step.refuse("42P03", f'cursor "{node["portalname"]}" already exists')


def read_fetch(node: Node, step: Step) -> None:
    """FETCH and MOVE read from a cursor."""
    name = node.get("portalname", "")
    fields = step.session.cursors.get(name)
    if not isinstance(fields, dict):
        step.refuse("34000", f'cursor "{name}" does not exist')
    read_query(fields, step)


def read_close(node: Node, step: Step) -> None:
    """CLOSE."""
    name = node.get("portalname")
    if name is None:
        step.session.cursors.clear()
    elif step.session.cursors.pop(name, None) is None:
        step.refuse("34000", f'cursor "{name}" does not exist')
