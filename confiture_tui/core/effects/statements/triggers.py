"""Triggers, rules, policies and event triggers: made and altered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_CLASS, PG_POLICY, PG_TRIGGER, ObjectAddress
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.models.triggers import Policy, Trigger
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.dropping import note_part
from confiture_tui.core.effects.expressions import analyse
from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.expressions.scope import Entry, Scope, columns_of
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.ownership import note_unsure, role_named
from confiture_tui.core.effects.queries.rows import parsed_expression
from confiture_tui.core.effects.statements.definitions import names_in
from confiture_tui.core.effects.statements.expressions_read import require_boolean
from confiture_tui.core.effects.statements.mentions import lock_mentioned
from confiture_tui.core.effects.statements.needs import note_needs
from confiture_tui.core.effects.statements.roles import require_roles
from confiture_tui.core.effects.statements.targets import find_altered, find_existing, refuse_system_catalog
from confiture_tui.core.effects.written import Written
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.effects.expressions.reads import Facts
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_AE = LockMode.ACCESS_EXCLUSIVE
_SRE = LockMode.SHARE_ROW_EXCLUSIVE
_INSERT, _DELETE, _UPDATE, _TRUNCATE = 4, 8, 16, 32
_INSTEAD, _BEFORE = 64, 2
# TRIGGER_TYPE_INSTEAD and the like: PostgreSQL's sources, src/include/catalog/pg_trigger.h.

_TABLES = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED_TABLE})


def read_create_trigger(node: Node, step: Step) -> None:
    """CREATE [CONSTRAINT] TRIGGER; a row trigger of a partitioned table is made on all its partitions too."""
    refuse_system_catalog(step, node["relation"])
    found = find_existing(step, node["relation"])
    if found is None:
        return
    step.lock(found, _SRE, "CREATE TRIGGER locks out writers")
    if "constrrel" in node:
        other = find_existing(step, node["constrrel"])
        if other is not None:
            step.lock(other, LockMode.ACCESS_SHARE, "FROM names it")
    relation = found.relation
    function = trigger_function(step, names_in(node, "funcname"), "trigger")
    if relation is None or not found.known:
        if found.object is not None and relation is None:
            step.refuse("42809", f'relation "{found.key[1]}" cannot have triggers')
        step.unknown_reach("without a catalog its partitions, which get the trigger too, are not known")
        step.may_fail("42710", "a trigger of that name may exist")
        return
    _check_kind(node, step, relation)
    needs = _read_terms(node, step, relation)
    parts = relation.kind is RelationKind.PARTITIONED_TABLE and bool(node.get("row"))
    made = _put_trigger(node, step, relation, function, parent=0)
    if made and needs:
        address = ObjectAddress(PG_TRIGGER, made)
        note_part(step, relation, address)
        for name in needs:
            column = relation.column(name)
            if column is not None and column.number:
                step.change.depend(address, ObjectAddress(PG_CLASS, relation.oid, column.number))
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


def _read_terms(node: Node, step: Step, relation: Relation) -> list[str]:
    """The columns that a trigger names: those that must be updated, and those of its WHEN.

    Raises:
        Refused: the server does not take its columns, its WHEN or its transition tables.
    """
    events = int(node.get("events", 0))
    names = list(names_in(node, "columns"))
    for name in names:
        if relation.column(name) is None:
            step.refuse("42703", f'column "{name}" of relation "{relation.name}" does not exist')
    if node.get("transitionRels"):
        if int(node.get("timing", 0)) & (_BEFORE | _INSTEAD):
            step.refuse("42P17", "transition table name can only be specified for an AFTER trigger")
        if events.bit_count() > 1:
            step.refuse("0A000", "transition tables cannot be specified for triggers with more than one event")
        if names:
            step.refuse("0A000", "transition tables cannot be specified for triggers with column lists")
    condition = node.get("whenClause")
    if condition is None:
        return names
    columns = columns_of(relation)
    # A schema, be it none, says that they are rows of a table.
    reader = Reader(step.now, Scope(entries=[Entry("old", columns, ""), Entry("new", columns, "")]))
    reader.scope.merged = None
    value = reader.read(condition)
    for problem in reader.facts.problems:
        step.refuse(problem.sqlstate, problem.message)
    reader.require_boolean(value, "WHEN")
    for problem in reader.facts.problems:
        step.refuse(problem.sqlstate, problem.message)
    for row, event, verb in (("old", _INSERT, "INSERT"), ("new", _DELETE, "DELETE")):
        used = [parts for parts in reader.facts.columns if parts[0] == row]
        if used and not node.get("row"):
            step.refuse("42P17", "statement trigger's WHEN condition cannot reference column values")
        if used and events & event:
            step.refuse("42P17", f"{verb} trigger's WHEN condition cannot reference {row.upper()} values")
    return [*names, *(parts[-1] for parts in reader.facts.columns)]


def trigger_function(step: Step, parts: tuple[str, ...], result: str) -> Routine | None:
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
    bits = int(node.get("timing", 0))
    timing = "INSTEAD OF" if bits == _INSTEAD else "BEFORE" if bits == _BEFORE else "AFTER"
    trigger = Trigger(
        oid=existing.oid if existing is not None else step.change.new_oid(),
        relation=now.qualified_name,
        name=name,
        quoted_name=quote_identifier(name),
        definition=Written(
            node,
            f"CREATE TRIGGER {quote_identifier(name)} {timing} {_events(node)} ON {now.qualified_name} "
            f"FOR EACH {'ROW' if node.get('row') else 'STATEMENT'} EXECUTE FUNCTION …",
        ),
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
    words = ((_INSERT, "INSERT"), (_DELETE, "DELETE"), (_UPDATE, "UPDATE"), (_TRUNCATE, "TRUNCATE"))
    return " OR ".join(word for bit, word in words if bits & bit)


def read_create_policy(node: Node, step: Step) -> None:
    """CREATE POLICY"""
    refuse_system_catalog(step, node["table"])
    found = find_existing(step, node["table"])
    if found is None:
        return
    command = str(node.get("cmd_name", "all")).upper()
    if "with_check" in node and command in ("SELECT", "DELETE"):
        step.refuse("42601", "WITH CHECK cannot be applied to SELECT or DELETE")
    if "qual" in node and command == "INSERT":
        step.refuse("42601", "only WITH CHECK expression allowed for INSERT")
    require_roles(step, node.get("roles", []))
    for one in node.get("roles", []):
        if (role := role_named(step, one)) is not None:
            note_unsure(step, role, None)
    step.lock(found, _AE, "CREATE POLICY changes who sees which rows")
    relation = find_altered(step, found, "42710", "a policy of that name may exist")
    if relation is not None and relation.kind not in _TABLES:
        step.refuse("42809", f'"{relation.name}" is not a table')
    facts = _read_conditions(node, step, relation)
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
        roles=_role_names(node),
        using=Written(node["qual"]) if "qual" in node else None,
        with_check=Written(node["with_check"]) if "with_check" in node else None,
        comment=None,
    )
    step.change.put(replace(relation, policies=(*relation.policies, policy)))
    address = ObjectAddress(PG_POLICY, policy.oid)
    note_part(step, relation, address)
    for one in facts:
        note_needs(step, address, one, relation=relation)


def _read_conditions(node: Node, step: Step, relation: Relation | None) -> list[Facts]:
    """What the conditions of a policy hold; they are truth values of a row of the table.

    Raises:
        Refused: the server does not take one.
    """
    found: list[Facts] = []
    for field in ("qual", "with_check"):
        if field not in node:
            continue
        # A query in an expression stands in a SELECT of its own here: only what it mentions counts.
        lock_mentioned(step, {"SelectStmt": {"targetList": [node[field]]}}, "the policy's condition mentions it")
        expression = analyse(node[field], step.now, relation=relation)
        if relation is not None:
            for problem in expression.facts.problems:
                step.refuse(problem.sqlstate, problem.message)
            require_boolean(step, expression, "POLICY")
        found.append(expression.facts)
    return found


def read_alter_policy(node: Node, step: Step) -> None:
    """ALTER POLICY"""
    refuse_system_catalog(step, node["table"])
    found = find_existing(step, node["table"])
    if found is None:
        return
    require_roles(step, node.get("roles", []))
    step.lock(found, _AE, "ALTER POLICY changes who sees which rows")
    relation = find_altered(step, found, "42704", "the policy may not exist")
    _read_conditions(node, step, relation)
    if relation is None:
        return
    policy = next((one for one in relation.policies if one.name == node["policy_name"]), None)
    if policy is None:
        step.refuse("42704", f'policy "{node["policy_name"]}" for table "{relation.name}" does not exist')
    if policy.command == "INSERT" and "qual" in node:
        step.refuse("42601", "only WITH CHECK expression allowed for INSERT")
    if policy.command in ("SELECT", "DELETE") and "with_check" in node:
        step.refuse("42601", "only USING expression allowed for SELECT, DELETE")
    changed = replace(
        policy,
        using=Written(node["qual"]) if "qual" in node else policy.using,
        with_check=Written(node["with_check"]) if "with_check" in node else policy.with_check,
        roles=_role_names(node) if "roles" in node else policy.roles,
    )
    step.change.put(replace(relation, policies=tuple(changed if one is policy else one for one in relation.policies)))
    address = ObjectAddress(PG_POLICY, policy.oid)
    step.change.forget_needs(address)
    note_part(step, relation, address)
    for text in (changed.using, changed.with_check):
        expression = parsed_expression(text) if text is not None else None
        if expression is not None:
            note_needs(step, address, analyse(expression, step.now, relation=relation).facts, relation=relation)


def _role_names(node: Node) -> tuple[str, ...]:
    return tuple(sorted(str(one["RoleSpec"].get("rolename", "")) for one in node.get("roles", [])))
