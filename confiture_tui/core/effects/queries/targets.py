"""What an INSERT, UPDATE, DELETE, MERGE or COPY writes to: a table, or through a view to another one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, RelationKind, Sequence
from confiture_tui.core.effects.expressions.views import query_of
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.queries.foreign_tables import note_access
from confiture_tui.core.effects.queries.noting import note, reader_for
from confiture_tui.core.effects.queries.rows import DELETE, INSERT, UPDATE, note_trigger, terms_of
from confiture_tui.core.effects.queries.running import unknown
from confiture_tui.core.effects.schema import Found, Presence
from confiture_tui.core.effects.written import tree_of
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_VERBS = {INSERT: "insert into", UPDATE: "update", DELETE: "delete from"}
_RULE_EVENTS = {INSERT: "CMD_INSERT", UPDATE: "CMD_UPDATE", DELETE: "CMD_DELETE"}
_NOT_UPDATABLE = (
    "distinctClause",
    "groupClause",
    "havingClause",
    "limitCount",
    "limitOffset",
    "withClause",
    "valuesLists",
)


@dataclass(frozen=True, slots=True)
class Target:
    """What is written to.

    Attributes:
        found: what the statement names.
        relation: the table behind it; ``None`` when it is not known, or nothing of it is written.
        conditions_known: it is the table itself: conditions on its columns mean what they say.
        replaced: a rule or a trigger of a view does something else instead.
        columns: from the names that the statement uses to the table's own; ``None`` when they are the same.
    """

    found: Found
    relation: Relation | None
    direct: bool = True
    columns: dict[str, str] | None = None
    replaced: bool = False


def target_of(step: Step, node: Node, event: int, *, execute: bool = True) -> Target:
    """Find and lock what a statement writes to.

    Raises:
        Refused: it does not exist, or cannot be written to.
    """
    found = step.now.find(node)
    written = f"{node['schemaname']}.{node['relname']}" if "schemaname" in node else node["relname"]
    if found.presence is Presence.MISSING:
        step.refuse("42P01", f'relation "{written}" does not exist')
    if found.presence is Presence.SYSTEM:
        unknown(step, f"{found.name} is one of PostgreSQL's own relations: writing to it may do anything")
        return Target(found, None, replaced=True)
    step.lock(found, LockMode.ROW_EXCLUSIVE, "its rows are written")
    relation = found.relation
    if not found.known or relation is None:
        if isinstance(found.object, Index):
            step.refuse("42809", f'cannot open relation "{found.key[1]}"')
        if isinstance(found.object, Sequence):
            step.refuse("42809", f'cannot change sequence "{found.key[1]}"')
        step.unknown_reach("without a catalog its triggers, foreign keys, partitions and sequences are not known")
        return Target(found, None)
    match relation.kind:
        case RelationKind.VIEW:
            return _view(step, found, relation, event, execute=execute)
        case RelationKind.MATERIALIZED_VIEW:
            step.refuse("42809", f'cannot change materialized view "{relation.name}"')
        case RelationKind.COMPOSITE_TYPE:
            step.refuse("42809", f'cannot open relation "{relation.name}"')
        case RelationKind.FOREIGN_TABLE:
            step.note(f"{found.name} is a table of another server: what happens there is not seen")
            note_access(step, relation)
    if execute and _rules(step, relation, event):
        return Target(found, None, replaced=True)
    return Target(found, relation)


def _view(step: Step, found: Found, view: Relation, event: int, *, execute: bool) -> Target:
    if _rules(step, view, event):
        if event != INSERT:
            _read_through(step, view, event)
        return Target(found, None, replaced=True)
    instead = [
        trigger
        for trigger in view.triggers
        if trigger.enabled != "disabled"
        and (terms := terms_of(trigger.definition)) is not None
        and terms.instead
        and terms.events & event
    ]
    if instead:
        if event != INSERT:
            _read_through(step, view, event)
        for trigger in instead:
            if execute:
                note_trigger(step, trigger, maybe=True)
        return Target(found, None, replaced=True)
    base, columns = _base_of(step, view)
    if base is None:
        step.refuse("55000", f'cannot {_VERBS[event]} view "{view.name}"')
    step.lock(base, LockMode.ROW_EXCLUSIVE, f"its rows are written through the view {view.qualified_name}")
    inner = base.relation
    if inner is not None and inner.kind is RelationKind.VIEW:
        deeper = _view(step, base, inner, event, execute=execute)
        own = deeper.columns
        columns = {name: own[inside] for name, inside in columns.items() if inside in own} if own is not None else {}
        return Target(found, deeper.relation, direct=False, columns=columns or None, replaced=deeper.replaced)
    return Target(found, inner, direct=False, columns=columns)


def _read_through(step: Step, view: Relation, event: int) -> None:
    """The view's rows are read to know what is meant; an INSERT needs none of them."""
    query = query_of(view)
    if query is None:
        step.unknown_reach(f"the view {view.qualified_name} cannot be read")
    else:
        reader = reader_for(step)
        reader.through = view.qualified_name
        reader.walk(reader.visitors["SelectStmt"](reader, query))
        note(step, reader, execute=event != INSERT)


def _base_of(step: Step, view: Relation) -> tuple[Found | None, dict[str, str]]:
    """The table under a view that is simple enough to be written through (PostgreSQL documentation, CREATE VIEW)."""
    query = query_of(view)
    if query is None or query.get("op", "SETOP_NONE") != "SETOP_NONE" or any(one in query for one in _NOT_UPDATABLE):
        return None, {}
    items = query.get("fromClause", [])
    if len(items) != 1 or "RangeVar" not in items[0]:
        return None, {}
    found = step.now.find(items[0]["RangeVar"])
    if found.relation is None:
        return None, {}
    columns: dict[str, str] = {}
    for place, target in enumerate(query.get("targetList", [])):
        value = target.get("ResTarget", {}).get("val", {})
        reference = value.get("ColumnRef")
        if "FuncCall" in value and _aggregates(value):
            return None, {}
        if reference is not None and place < len(view.columns):
            columns[view.columns[place].name] = reference["fields"][-1].get("String", {}).get("sval", "")
    return found, columns


def _aggregates(value: Node) -> bool:
    call = value["FuncCall"]
    name = call.get("funcname", [{}])[-1].get("String", {}).get("sval", "")
    return "over" in call or bool(call.get("agg_star")) or name in ("count", "sum", "min", "max", "avg", "array_agg")


def _rule(definition: str) -> Node | None:
    return tree_of(definition) or _rule_written(definition)


@lru_cache(maxsize=256)
def _rule_written(definition: str) -> Node | None:
    tree = parse(definition.rstrip().removesuffix(";"))
    return None if isinstance(tree, SyntaxProblem) or tree[0] != "RuleStmt" else tree[1]


def _rules(step: Step, relation: Relation, event: int) -> bool:
    """Run the actions of a relation's rules; whether they stand in for the statement altogether."""
    replaced = False
    for rule in relation.rules:
        if rule.enabled in ("disabled", "replica"):
            continue
        node = _rule(rule.definition)
        if node is None:
            step.unknown_reach(f"the rule {rule.quoted_name} cannot be read")
            continue
        if node.get("event") != _RULE_EVENTS[event]:
            continue
        conditional = "whereClause" in node
        replaced = replaced or (bool(node.get("instead")) and not conditional)
        outer = step.variables
        step.variables = {**outer, "new": None, "old": None}
        if relation.oid not in step.running:
            step.running += (relation.oid,)
            for action in node.get("actions", ()):
                ((kind, fields),) = action.items()
                step.run(kind, fields, maybe=True)
            step.running = step.running[:-1]
        step.variables = outer
    return replaced
