"""ALTER … RENAME of what is no relation: triggers, rules, policies, types, routines, schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.objects import OtherObject
from confiture_tui.core.catalog.models.relations import Relation, RelationKind, Sequence
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.named_objects import find_schema
from confiture_tui.core.effects.statements.renaming import place_relation, types_follow
from confiture_tui.core.effects.statements.routine_names import find_routine
from confiture_tui.core.effects.statements.targets import find_existing
from confiture_tui.core.effects.statements.type_lookup import find_type, find_type_named
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.types import Type
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_RENAMES_COPIES = 150000
"""From this version on the copies of a trigger on partitions are renamed with it."""
_FIELDS = {"OBJECT_TRIGGER": "triggers", "OBJECT_RULE": "rules", "OBJECT_POLICY": "policies"}


def rename_part(node: Node, step: Step, kind: str) -> None:
    """A trigger, rule or policy of a relation gets another name."""
    found = find_existing(step, node["relation"], missing_ok=bool(node.get("missing_ok")))
    if found is None:
        return
    step.lock(found, LockMode.ACCESS_EXCLUSIVE, "RENAME changes its definition")
    word = kind.removeprefix("OBJECT_").lower()
    relation = found.relation
    if relation is None or not found.known:
        step.unknown_reach(f"whether {found.name} has partitions is not known")
        return
    old, new = str(node["subname"]), str(node["newname"])
    field = _FIELDS[kind]
    parts = getattr(relation, field)
    if not any(one.name == old for one in parts):
        of = "for table" if word != "rule" else "for relation"
        step.refuse("42704", f'{word} "{old}" {of} "{relation.name}" does not exist')
    if any(one.name == new for one in parts):
        step.refuse("42710", f'{word} "{new}" for relation "{relation.name}" already exists')
    oid = next(one.oid for one in parts if one.name == old)
    _put_part(step, relation, field, old, new)
    copied = relation.kind is RelationKind.PARTITIONED_TABLE and step.schema.server_version_num >= _RENAMES_COPIES
    if kind == "OBJECT_TRIGGER" and copied:
        for child in step.now.descendants(relation):
            step.lock(child, LockMode.ACCESS_EXCLUSIVE, "its trigger is a part of the renamed one")
            mine = next((one for one in child.triggers if one.parent_oid == oid), None)
            if mine is not None:
                _put_part(step, child, field, mine.name, new)


def _put_part(step: Step, relation: Relation, field: str, old: str, new: str) -> None:
    parts: Any = tuple(
        replace(one, name=new, quoted_name=quote_identifier(new)) if one.name == old else one
        for one in getattr(relation, field)
    )
    step.change.put(replace(relation, **{field: parts}))


def rename_domain_constraint(node: Node, step: Step) -> None:
    """ALTER DOMAIN … RENAME CONSTRAINT."""
    parts = tuple(one["String"].get("sval", "") for one in node["object"]["List"]["items"])
    found = find_type_named(parts, None, step)
    old, new = str(node["subname"]), str(node["newname"])
    domain = found.type
    if domain is None:
        return
    if not any(one.name == old for one in domain.constraints):
        step.refuse("42704", f'constraint "{old}" for domain {domain.name} does not exist')
    if any(one.name == new for one in domain.constraints):
        step.refuse("42710", f'constraint "{new}" for domain {domain.name} already exists')
    constraints = tuple(
        replace(one, name=new, quoted_name=quote_identifier(new)) if one.name == old else one
        for one in domain.constraints
    )
    step.change.put_type(replace(domain, constraints=constraints))


def rename_type(node: Node, step: Step) -> None:
    """ALTER TYPE … RENAME TO, and ALTER DOMAIN."""
    target = node.get("object", {})
    written = target.get("TypeName") or {"names": target.get("List", {}).get("items", [])}
    found = find_type(written, step)
    if found.table is not None:
        step.refuse("42809", f"{found.table.qualified_name} is a table's row type")
    new = str(node["newname"])
    one = found.type
    if one is None:
        return
    if step.now.type([one.schema, new]) is not None:
        step.refuse("42710", f'type "{new}" already exists')
    if one.relation_oid and step.now.find({"schemaname": one.schema, "relname": new}).object is not None:
        step.refuse("42P07", f'relation "{new}" already exists')
    place_type(step, one, one.schema, new)


def place_type(step: Step, one: Type, schema: str, name: str) -> None:
    """A type gets another name or schema, and so do the columns that have it, and its attributes' relation."""
    attributes = step.now.by_oid(one.relation_oid) if one.relation_oid else None
    full = qualified_name(schema, name)
    step.change.remove_type(one.schema, one.name)
    step.change.put_type(replace(one, schema=schema, name=name, qualified_name=full))
    if isinstance(attributes, Relation):
        place_relation(step, attributes, schema, name)
    types_follow(step, {one.oid: full, one.array_oid: f"{full}[]"})


def rename_routine(node: Node, step: Step, kind: str) -> None:
    """ALTER FUNCTION … RENAME TO, and its like."""
    routine = find_routine(node.get("object", {}).get("ObjectWithArgs", {}), kind, step)
    if routine is None:
        return
    new = str(node["newname"])
    taken = step.now.routines([routine.schema, new])
    if any(one.argument_types == routine.argument_types for one in taken):
        step.refuse("42723", f'function {new}({routine.argument_types}) already exists in schema "{routine.schema}"')
    step.change.remove_routine(routine.schema, routine.name, routine.argument_types)
    step.change.put_routine(replace(routine, name=new, qualified_name=qualified_name(routine.schema, new)))


def rename_schema(node: Node, step: Step) -> None:
    """ALTER SCHEMA … RENAME TO: locks no relation, and gives all of them another name."""
    old, new = str(node["subname"]), str(node["newname"])
    find_schema(old, step)
    if new.startswith("pg_"):
        step.refuse("42939", f'unacceptable schema name "{new}"')
    if step.now.has_schema(new) and step.now.known:
        step.refuse("42P06", f'schema "{new}" already exists')
    for one in list(step.now.types(old)):
        place_type(step, one, new, one.name)
    for relation in list(step.now.relations(old)):
        current = step.now.by_oid(relation.oid)
        if isinstance(current, Relation | Sequence):
            place_relation(step, current, new, current.name)
    for routine in list(step.now.routines_known(old)):
        step.change.remove_routine(routine.schema, routine.name, routine.argument_types)
        step.change.put_routine(replace(routine, schema=new, qualified_name=qualified_name(new, routine.name)))
    prefix = f"{quote_identifier(old)}."
    for other in list(step.now.others()):
        if isinstance(other, OtherObject) and other.kind != "cast" and other.identity.startswith(prefix):
            identity = f"{quote_identifier(new)}.{other.identity.removeprefix(prefix)}"
            step.change.put_other(other.kind, other.identity, None)
            step.change.put_other(other.kind, identity, replace(other, identity=identity))
    step.change.rename_schema(old, new)
