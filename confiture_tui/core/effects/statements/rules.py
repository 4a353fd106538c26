"""CREATE RULE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_CLASS, PG_REWRITE, ObjectAddress
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.catalog.models.triggers import Rule
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.dropping import note_part
from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.expressions.scope import SYSTEM_COLUMNS, Entry, Scope, columns_of
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.mentions import lock_mentioned
from confiture_tui.core.effects.statements.needs import note_needs
from confiture_tui.core.effects.statements.targets import find_altered, find_existing, refuse_system_catalog
from confiture_tui.core.effects.written import Written
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_AE = LockMode.ACCESS_EXCLUSIVE
_RULED = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.VIEW})
_WITHOUT = {"CMD_INSERT": ("INSERT", "old"), "CMD_DELETE": ("DELETE", "new")}
"""The row that there is none of, for each event."""
_WRITES = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt"})


def read_rule(node: Node, step: Step) -> None:
    """CREATE [OR REPLACE] RULE"""
    refuse_system_catalog(step, node["relation"])
    found = find_existing(step, node["relation"])
    if found is None:
        return
    step.lock(found, _AE, "CREATE RULE changes what every statement on it does")
    hidden = frozenset({"old", "new", "*OLD*", "*NEW*"})
    for one in node.get("actions", []):
        lock_mentioned(step, one, "the rule's action mentions it", known=hidden)
    relation = find_altered(step, found, "42710", "a rule of that name may exist")
    if relation is None:
        return
    _refuse_kind(step, relation, selects=node.get("event") == "CMD_SELECT")
    _refuse_names(step, node, relation)
    name = str(node["rulename"])
    existing = next((one for one in relation.rules if one.name == name), None)
    if existing is not None and not node.get("replace"):
        step.refuse("42710", f'rule "{name}" for relation "{relation.name}" already exists')
    rule = Rule(
        oid=existing.oid if existing is not None else step.change.new_oid(),
        relation=relation.qualified_name,
        name=name,
        quoted_name=quote_identifier(name),
        definition=Written(node, step.statement.sql),
        enabled="origin",
        comment=None,
    )
    others = tuple(one for one in relation.rules if one.name != name)
    step.change.put(replace(relation, rules=(*others, rule)))
    _note_needs(step, relation, rule.oid, node)


def _refuse_kind(step: Step, relation: Relation, *, selects: bool) -> None:
    if relation.kind is RelationKind.MATERIALIZED_VIEW:
        step.refuse("0A000", "rules on materialized views are not supported")
    if relation.kind not in _RULED:
        step.refuse("42809", f'relation "{relation.name}" cannot have rules')
    if selects and relation.kind is RelationKind.VIEW:
        step.may_fail("55000", f'"{relation.name}" is already a view')
        step.may_fail("42P17", "a view's own rule cannot be made anew so")
    elif selects:
        step.may_fail("42809", f'relation "{relation.name}" cannot have ON SELECT rules')
        step.may_fail("0A000", "a table is no longer made a view so")
        step.may_fail("42P17", "rules on SELECT are views'")
        step.may_fail("55000", "a table that has rows, indexes, triggers or children is made no view")


def _refuse_names(step: Step, node: Node, relation: Relation) -> None:
    """NEW and OLD where there are none, their columns, and columns of what the actions insert into."""
    event = _WITHOUT.get(str(node.get("event")))
    condition = node.get("whereClause")
    for place, _name in _row_columns([condition or {}]):
        if event is not None and place == event[1]:
            step.refuse("42P01", f'invalid reference to FROM-clause entry for table "{place}"')
    for place, name in _row_columns([condition or {}, *node.get("actions", [])]):
        if event is not None and place == event[1]:
            step.refuse("42P17", f"ON {event[0]} rule cannot use {place.upper()}")
        if name is not None and relation.column(name) is None and name not in SYSTEM_COLUMNS:
            step.refuse("42703", f"column {place}.{name} does not exist")
    if condition is not None and step.schema.known:
        columns = columns_of(relation)
        reader = Reader(step.now, Scope(entries=[Entry("old", columns, ""), Entry("new", columns, "")]))
        reader.require_boolean(reader.read(condition), "WHERE")
        for problem in reader.facts.problems:
            step.refuse(problem.sqlstate, problem.message)
        if any(call.candidates and all(one.aggregate for one in call.candidates) for call in reader.facts.calls):
            step.refuse("42803", "aggregate functions are not allowed in WHERE")
    for action in node.get("actions", []):
        insert = action.get("InsertStmt", {})
        target = step.now.find(insert["relation"]) if insert else None
        table = target.relation if target is not None and target.known else None
        for one in insert.get("cols", ()) if table is not None else ():
            if table is not None and table.column(one["ResTarget"]["name"]) is None:
                step.refuse("42703", f'column "{one["ResTarget"]["name"]}" of relation "{table.name}" does not exist')
        if any("returningClause" in fields for fields in action.values() if isinstance(fields, dict)):
            step.may_fail("42P17", "RETURNING may not give the columns of the relation")


def _row_columns(nodes: list[Node]) -> Iterator[tuple[str, str | None]]:
    """The columns of OLD and NEW that are named; ``None`` for all of them."""
    waiting: list[object] = list(nodes)
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            reference = one.get("ColumnRef")
            fields: list[Node] = reference.get("fields", []) if isinstance(reference, dict) else []
            first = fields[0].get("String", {}).get("sval") if len(fields) > 1 else None
            if first in ("old", "new"):
                yield first, fields[1].get("String", {}).get("sval")
            waiting.extend(one.values())


def _note_needs(step: Step, relation: Relation, oid: int, node: Node) -> None:
    """What a rule's condition and actions name: it goes with the columns that they name."""
    address = ObjectAddress(PG_REWRITE, oid)
    note_part(step, relation, address)
    step.change.forget_needs(address)
    for action in [*node.get("actions", []), *([{"condition": node["whereClause"]}] if "whereClause" in node else [])]:
        ((kind, fields),) = action.items()
        columns = columns_of(relation)
        rows = [Entry(name, columns, "") for name in ("old", "new")]
        reader = Reader(step.now, Scope(entries=rows))
        Reader.walk(reader.visitors["SelectStmt"](reader, _as_query(kind, fields)))
        facts = reader.facts
        note_needs(step, address, facts)
        used = {parts[-1] for parts in facts.columns if parts[0] in ("old", "new")}
        _depend(step, address, relation, used)
        target = step.now.find(fields["relation"]).relation if kind in _WRITES else None
        if target is not None:
            named = {one["ResTarget"].get("name", "") for one in fields.get("cols", fields.get("targetList", ()))}
            every = kind == "InsertStmt" and "cols" not in fields
            _depend(step, address, target, {one.name for one in target.columns} if every else named)


def _depend(step: Step, address: ObjectAddress, relation: Relation, names: set[str]) -> None:
    step.change.depend(address, ObjectAddress(PG_CLASS, relation.oid))
    for column in relation.columns:
        if column.name in names and column.number:
            step.change.depend(address, ObjectAddress(PG_CLASS, relation.oid, column.number))


def _as_query(kind: str, fields: Node) -> Node:
    """A SELECT that names what an action names, the columns apart that it writes."""
    match kind:
        case "SelectStmt":
            return fields
        case "InsertStmt":
            return dict(fields.get("selectStmt", {}).get("SelectStmt", {}))
        case "UpdateStmt" | "DeleteStmt":
            others = [*fields.get("fromClause", ()), *fields.get("usingClause", ())]
            values = [{"ResTarget": {"val": one["ResTarget"].get("val", {})}} for one in fields.get("targetList", ())]
            query: Node = {"fromClause": [{"RangeVar": fields["relation"]}, *others], "targetList": values}
            return {**query, **{key: fields[key] for key in ("whereClause", "withClause") if key in fields}}
        case "condition":
            return {"targetList": [{"ResTarget": {"val": fields}}]}
    return {}
