"""ALTER … RENAME."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, RelationKind, Sequence
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.alter_table.work import SYSTEM_COLUMNS
from confiture_tui.core.effects.statements.made_objects import move_object
from confiture_tui.core.effects.statements.named_objects import is_named_kind
from confiture_tui.core.effects.statements.renames_of_others import (
    rename_domain_constraint,
    rename_part,
    rename_routine,
    rename_schema,
    rename_type,
)
from confiture_tui.core.effects.statements.renaming import rename_column, rename_constraint, rename_relation
from confiture_tui.core.effects.statements.targets import find_existing, refuse_system_catalog, require_kind

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_RELATIONS = frozenset(
    {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE"}
)
_PARTS = frozenset({"OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_POLICY"})
_ROUTINES = frozenset({"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"})
_TYPES = frozenset({"OBJECT_TYPE", "OBJECT_DOMAIN"})
_WHY = "RENAME changes what everybody calls it"


def read_rename(node: Node, step: Step) -> None:
    """Read a ``RenameStmt``."""
    kind = str(node.get("renameType"))
    if kind in _RELATIONS:
        _rename_relation(node, step, kind)
    elif kind in ("OBJECT_COLUMN", "OBJECT_ATTRIBUTE"):
        _rename_column(node, step)
    elif kind == "OBJECT_TABCONSTRAINT":
        _rename_constraint(node, step)
    elif kind in _PARTS:
        rename_part(node, step, kind)
    elif kind == "OBJECT_DOMCONSTRAINT":
        rename_domain_constraint(node, step)
    elif kind in _TYPES:
        rename_type(node, step)
    elif kind in _ROUTINES:
        rename_routine(node, step, kind)
    elif kind == "OBJECT_SCHEMA":
        rename_schema(node, step)
    elif is_named_kind(kind) and step.schema.known:
        move_object(step, kind, node.get("object", {}), name=str(node["newname"]))
    # Roles, databases and tablespaces belong to the server, not to the schema.


def _rename_relation(node: Node, step: Step, kind: str) -> None:
    refuse_system_catalog(step, node["relation"])
    found = find_existing(step, node["relation"], missing_ok=bool(node.get("missing_ok")))
    if found is None:
        return
    require_kind(step, found, kind, renames=True)
    name = str(node["newname"])
    index = isinstance(found.object, Index) or (found.object is None and kind == "OBJECT_INDEX")
    if not index:
        step.lock(found, LockMode.ACCESS_EXCLUSIVE, _WHY)
    taken = step.now.find({"schemaname": found.key[0], "relname": name})
    if taken.object is not None:
        step.refuse("42P07", f'relation "{name}" already exists')
    if not index and isinstance(found.object, Relation) and step.now.type([found.key[0], name]) is not None:
        step.refuse("42710", f'type "{name}" already exists')
    if found.object is None:
        step.change.missing(found)
        return
    rename_relation(step, found.object, name)


def _rename_column(node: Node, step: Step) -> None:
    refuse_system_catalog(step, node["relation"])
    found = find_existing(step, node["relation"], missing_ok=bool(node.get("missing_ok")))
    if found is None:
        return
    old, new = str(node["subname"]), str(node["newname"])
    step.lock(found, LockMode.ACCESS_EXCLUSIVE, _WHY)
    if isinstance(found.object, Sequence):
        step.refuse("42809", f'cannot rename columns of relation "{found.key[-1]}"')
    if isinstance(found.object, Index):
        return
    relation = found.relation
    if relation is None or not found.known:
        _rename_unknown(step, found, old, new)
        return
    if relation.of_type is not None:
        step.refuse("42809", "cannot rename column of typed table")
    _require_column(step, relation, old, new)
    recurse = bool(node["relation"].get("inh")) or node.get("renameType") == "OBJECT_ATTRIBUTE"
    descendants = step.now.descendants(relation)
    if descendants and not recurse:
        step.refuse("42P16", f'inherited column "{old}" must be renamed in child tables too')
    column = relation.column(old)
    if column is not None and column.inherited > 0:
        step.refuse("42P16", f'cannot rename inherited column "{old}"')
    tables = [relation, *descendants]
    if relation.kind is RelationKind.COMPOSITE_TYPE:
        tables += _typed_tables(step, relation, node)
    within = {one.oid for one in tables}
    for one in tables:
        step.lock(one, LockMode.ACCESS_EXCLUSIVE, _WHY)
        _require_column(step, one, old, new)
        there = one.column(old)
        if there is not None and there.inherited > len([oid for oid in one.parent_oids if oid in within]):
            step.refuse("42P16", f'cannot rename inherited column "{old}"')
    for one in tables:
        current = step.now.by_oid(one.oid)
        if isinstance(current, Relation):
            rename_column(step, current, old, new)


def _typed_tables(step: Step, composite: Relation, node: Node) -> list[Relation]:
    found = [
        one for one in step.now.relations() if isinstance(one, Relation) and one.of_type == composite.qualified_name
    ]
    if found and node.get("behavior") != "DROP_CASCADE":
        step.refuse("2BP01", f'cannot alter type "{composite.name}" because it is the type of a typed table')
    return found


def _require_column(step: Step, relation: Relation, old: str, new: str) -> None:
    if old in SYSTEM_COLUMNS:
        step.refuse("0A000", f'cannot rename system column "{old}"')
    if relation.column(old) is None:
        step.refuse("42703", f'column "{old}" does not exist')
    if relation.column(new) is not None:
        step.refuse("42701", f'column "{new}" of relation "{relation.name}" already exists')
    if new in SYSTEM_COLUMNS:
        step.refuse("42701", f'column name "{new}" conflicts with a system column name')


def _rename_unknown(step: Step, found: Found, old: str, new: str) -> None:
    step.unknown_reach(f"whether {found.name} has partitions or children is not known")
    relation = found.relation
    if relation is not None and relation.column(old) is not None:
        if relation.column(new) is not None:
            step.refuse("42701", f'column "{new}" of relation "{relation.name}" already exists')
        rename_column(step, relation, old, new)


def _rename_constraint(node: Node, step: Step) -> None:
    refuse_system_catalog(step, node["relation"])
    found = find_existing(step, node["relation"], missing_ok=bool(node.get("missing_ok")))
    if found is None:
        return
    step.lock(found, LockMode.ACCESS_EXCLUSIVE, _WHY)
    old, new = str(node["subname"]), str(node["newname"])
    relation = found.relation
    constraint = relation.constraint(old) if relation is not None else None
    if relation is None or not found.known:
        step.unknown_reach(f"whether {found.name} has partitions or children is not known")
    elif constraint is None:
        step.refuse("42704", f'constraint "{old}" for table "{relation.name}" does not exist')
    if relation is None or constraint is None:
        return
    tables = [relation]
    if constraint.kind in (ConstraintKind.CHECK, ConstraintKind.NOT_NULL) and not constraint.no_inherit:
        children = step.now.descendants(relation)
        if children and not node["relation"].get("inh"):
            step.refuse("42P16", f'inherited constraint "{old}" must be renamed in child tables too')
        if constraint.inherited > 0:
            step.refuse("42P16", f'cannot rename inherited constraint "{old}"')
        tables += children
    for one in tables:
        step.lock(one, LockMode.ACCESS_EXCLUSIVE, _WHY)
        if one.constraint(new) is not None:
            step.refuse("42710", f'constraint "{new}" for relation "{one.name}" already exists')
    owned = next((index for index in relation.indexes if index.oid == constraint.index_oid), None)
    if owned is not None and step.now.find({"schemaname": owned.schema, "relname": new}).object is not None:
        step.refuse("42P07", f'relation "{new}" already exists')
    for one in tables:
        current = step.now.by_oid(one.oid)
        if isinstance(current, Relation):
            rename_constraint(step, current, old, new)
