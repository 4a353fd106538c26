"""Triggers, rules, policies and event triggers: made and altered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.models.triggers import Policy, Rule, Trigger
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.definitions import names_in
from confiture_tui.core.effects.statements.mentions import lock_mentioned
from confiture_tui.core.effects.statements.roles import require_roles
from confiture_tui.core.effects.statements.targets import find_existing
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_AE = LockMode.ACCESS_EXCLUSIVE
_SRE = LockMode.SHARE_ROW_EXCLUSIVE
_INSTEAD, _BEFORE, _TRUNCATE = 64, 2, 32
# TRIGGER_TYPE_INSTEAD, _BEFORE, _TRUNCATE: PostgreSQL's sources, src/include/catalog/pg_trigger.h.

_TABLES = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED_TABLE})


def read_create_trigger(node: Node, step: Step) -> None:
    """CREATE [CONSTRAINT] TRIGGER; a row trigger of a partitioned table is made on all its partitions too."""
    found = find_existing(step, node["relation"])
    if found is None:
        return
    step.lock(found, _SRE, "CREATE TRIGGER locks out writers")
    if "constrrel" in node:
        other = find_existing(step, node["constrrel"])
        if other is not None:
            step.lock(other, LockMode.ACCESS_SHARE, "FROM names it")
    relation = found.relation
    function = _function(step, names_in(node, "funcname"), "trigger")
    if relation is None or not found.known:
        if found.object is not None and relation is None:
            step.refuse("42809", f'relation "{found.key[1]}" cannot have triggers')
        step.unknown_reach("without a catalog its partitions, which get the trigger too, are not known")
        step.may_fail("42710", "a trigger of that name may exist")
        return
    _check_kind(node, step, relation)
    parts = relation.kind is RelationKind.PARTITIONED_TABLE and bool(node.get("row"))
    made = _put_trigger(node, step, relation, function, parent=0)
    if parts:
        for child in step.now.descendants(relation):
            step.lock(child, _SRE, "a row trigger of a partitioned table is made on every partition")
            _put_trigger(node, step, child, function, parent=made)


def _check_kind(node: Node, step: Step, relation: Relation) -> None:
    timing, row = int(node.get("timing", 0)), bool(node.get("row"))
    if relation.kind is RelationKind.VIEW:
        if row and timing != _INSTEAD:
            step.refuse("42809", f'"{relation.name}" is a view: it cannot have row-level BEFORE or AFTER triggers')
        if int(node.get("events", 0)) & _TRUNCATE:
            step.refuse("42809", f'"{relation.name}" is a view: it cannot have TRUNCATE triggers')
    elif relation.kind in _TABLES or relation.kind is RelationKind.FOREIGN_TABLE:
        if timing == _INSTEAD:
            step.refuse("42809", f'"{relation.name}" is a table: it cannot have INSTEAD OF triggers')
    else:
        step.refuse("42809", f'relation "{relation.name}" cannot have triggers')
    if relation.kind is RelationKind.PARTITIONED_TABLE and row and node.get("transitionRels"):
        step.refuse("0A000", "ROW triggers with transition tables are not supported on partitioned tables")
    if relation.kind is RelationKind.PARTITIONED_TABLE and row and step.schema.server_version_num < 110000:
        step.refuse("42809", "partitioned tables cannot have row triggers")


def _function(step: Step, parts: tuple[str, ...], result: str) -> Routine | None:
    """The function without arguments that a trigger calls."""
    found = [one for one in step.now.routines(list(parts)) if not one.argument_types]
    if not found:
        if not step.now.known:
            step.may_fail("42883", "the function may not exist")
            return None
        if parts[-1] in _BUILT_IN:
            return None
        step.refuse("42883", f"function {'.'.join(parts)}() does not exist")
    if found[0].result != result:
        step.refuse("42P17", f"function {parts[-1]} must return type {result}")
    return found[0]


_BUILT_IN = frozenset(
    {
        "suppress_redundant_updates_trigger",
        "tsvector_update_trigger",
        "tsvector_update_trigger_column",
        "unique_key_recheck",
    }
)
"""PostgreSQL's own trigger functions that a user may name."""


def _put_trigger(node: Node, step: Step, relation: Relation, function: Routine | None, *, parent: int) -> int:
    now = step.now.by_oid(relation.oid)
    if not isinstance(now, Relation):
        return 0
    name = str(node["trigname"])
    existing = next((one for one in now.triggers if one.name == name), None)
    if existing is not None and (not node.get("replace") or existing.constraint_oid or node.get("isconstraint")):
        step.refuse("42710", f'trigger "{name}" for relation "{now.name}" already exists')
    timing = int(node.get("timing", 0))
    words = ("INSTEAD OF" if timing == _INSTEAD else "BEFORE" if timing == _BEFORE else "AFTER", _events(node))
    trigger = Trigger(
        oid=existing.oid if existing is not None else step.change.new_oid(),
        relation=now.qualified_name,
        name=name,
        quoted_name=quote_identifier(name),
        definition=f"CREATE TRIGGER {quote_identifier(name)} {words[0]} {words[1]} ON {now.qualified_name} "
        f"FOR EACH {'ROW' if node.get('row') else 'STATEMENT'} EXECUTE FUNCTION",
        enabled="origin",
        function=function.qualified_name if function is not None else ".".join(names_in(node, "funcname")),
        function_oid=function.oid if function is not None else 0,
        constraint_oid=-1 if node.get("isconstraint") else 0,
        parent_oid=parent,
        comment=None,
    )
    others = tuple(one for one in now.triggers if one.oid != trigger.oid)
    step.change.put(replace(now, triggers=(*others, trigger)))
    return trigger.oid


def _events(node: Node) -> str:
    bits = int(node.get("events", 0))
    words = [word for bit, word in ((4, "INSERT"), (8, "DELETE"), (16, "UPDATE"), (32, "TRUNCATE")) if bits & bit]
    return " OR ".join(words)


def read_rule(node: Node, step: Step) -> None:
    """CREATE [OR REPLACE] RULE"""
    found = find_existing(step, node["relation"])
    if found is None:
        return
    step.lock(found, _AE, "CREATE RULE changes what every statement on it does")
    hidden = frozenset({"old", "new", "*OLD*", "*NEW*"})
    for one in node.get("actions", []):
        lock_mentioned(step, one, "the rule's action mentions it", known=hidden)
    relation = _altered(step, found, "42710", "a rule of that name may exist")
    if relation is None:
        return
    if relation.kind not in (*_TABLES, RelationKind.VIEW):
        step.refuse("42809", f'relation "{relation.name}" cannot have rules')
    if node.get("event") == "CMD_SELECT":
        step.refuse("42809", f'relation "{relation.name}" cannot have ON SELECT rules')
    name = str(node["rulename"])
    existing = next((one for one in relation.rules if one.name == name), None)
    if existing is not None and not node.get("replace"):
        step.refuse("42710", f'rule "{name}" for relation "{relation.name}" already exists')
    rule = Rule(
        oid=existing.oid if existing is not None else step.change.new_oid(),
        relation=relation.qualified_name,
        name=name,
        quoted_name=quote_identifier(name),
        definition=step.statement.sql,
        enabled="origin",
        comment=None,
    )
    others = tuple(one for one in relation.rules if one.name != name)
    step.change.put(replace(relation, rules=(*others, rule)))


def _altered(step: Step, found: Found, sqlstate: str, why: str) -> Relation | None:
    """The relation that something is hung on; ``None`` when nothing is known of it."""
    if found.relation is None or not found.known:
        if found.object is not None and found.relation is None:
            step.refuse("42809", f'"{found.key[1]}" is not a table')
        step.may_fail(sqlstate, why)
        return None
    return found.relation


def read_create_policy(node: Node, step: Step) -> None:
    """CREATE POLICY"""
    found = find_existing(step, node["table"])
    if found is None:
        return
    command = str(node.get("cmd_name", "all")).upper()
    if "with_check" in node and command in ("SELECT", "DELETE"):
        step.refuse("42601", "WITH CHECK cannot be applied to SELECT or DELETE")
    if "qual" in node and command == "INSERT":
        step.refuse("42601", "only WITH CHECK expression allowed for INSERT")
    require_roles(step, node.get("roles", []))
    step.lock(found, _AE, "CREATE POLICY changes who sees which rows")
    relation = _altered(step, found, "42710", "a policy of that name may exist")
    if relation is not None and relation.kind not in _TABLES:
        step.refuse("42809", f'"{relation.name}" is not a table')
    _read_conditions(node, step)
    if relation is None:
        return
    name = str(node["policy_name"])
    if any(one.name == name for one in relation.policies):
        step.refuse("42710", f'policy "{name}" for table "{relation.name}" already exists')
    policy = Policy(
        oid=step.change.new_oid(),
        relation=relation.qualified_name,
        name=name,
        quoted_name=quote_identifier(name),
        command=command,
        permissive=bool(node.get("permissive")),
        roles=tuple(sorted(str(one["RoleSpec"].get("rolename", "")) for one in node.get("roles", []))),
        using="…" if "qual" in node else None,
        with_check="…" if "with_check" in node else None,
        comment=None,
    )
    step.change.put(replace(relation, policies=(*relation.policies, policy)))


def _read_conditions(node: Node, step: Step) -> None:
    for field in ("qual", "with_check"):
        if field in node:
            # A query in an expression stands in a SELECT of its own here: only what it mentions counts.
            lock_mentioned(step, {"SelectStmt": {"targetList": [node[field]]}}, "the policy's condition mentions it")


def read_alter_policy(node: Node, step: Step) -> None:
    """ALTER POLICY"""
    found = find_existing(step, node["table"])
    if found is None:
        return
    require_roles(step, node.get("roles", []))
    step.lock(found, _AE, "ALTER POLICY changes who sees which rows")
    relation = _altered(step, found, "42704", "the policy may not exist")
    _read_conditions(node, step)
    if relation is not None and not any(one.name == node["policy_name"] for one in relation.policies):
        step.refuse("42704", f'policy "{node["policy_name"]}" for table "{relation.name}" does not exist')


def read_create_event_trigger(node: Node, step: Step) -> None:
    """CREATE EVENT TRIGGER: from then on it runs at every such command."""
    name = quote_identifier(str(node["trigname"]))
    catalog = step.schema.catalog
    there = step.now.other("event trigger", name) is True
    if there or (catalog is not None and (node["trigname"],) in catalog.event_triggers):
        step.refuse("42710", f"event trigger {name} already exists")
    _function(step, names_in(node, "funcname"), "event_trigger")
    step.change.put_other("event trigger", name, True)


def read_alter_event_trigger(node: Node, step: Step) -> None:
    """ALTER EVENT TRIGGER … ENABLE or DISABLE"""
    catalog = step.schema.catalog
    name = quote_identifier(str(node["trigname"]))
    if catalog is None:
        return
    if (node["trigname"],) not in catalog.event_triggers and step.now.other("event trigger", name) is not True:
        step.refuse("42704", f"event trigger {name} does not exist")
