"""GRANT, REVOKE, ALTER … OWNER, ALTER DEFAULT PRIVILEGES."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, RelationKind, Sequence
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.ownership import Owned, address_of, give, note_grant, note_unsure, role_named
from confiture_tui.core.effects.statements.named_objects import (
    find_named,
    is_named_kind,
    names_of,
    relation_name,
)
from confiture_tui.core.effects.statements.privilege_names import refuse_privileges
from confiture_tui.core.effects.statements.roles import require_roles
from confiture_tui.core.effects.statements.routine_names import find_routine
from confiture_tui.core.effects.statements.targets import find_existing
from confiture_tui.core.effects.statements.type_lookup import find_type
from confiture_tui.core.effects.type_names import type_of_node

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.types import Type
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_LOCKS_SINCE = 180000
"""GRANT and REVOKE lock the relations that they name (ACCESS SHARE) from PostgreSQL 18 on."""

_ROUTINES = frozenset({"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"})


def read_grant(node: Node, step: Step) -> None:
    """GRANT and REVOKE on objects."""
    require_roles(step, node.get("grantees", []))
    refuse_privileges(step, node)
    _refuse_grantor(step, node)
    kind = node.get("objtype")
    target = node.get("targtype")
    roles = [name for one in node.get("grantees", []) if (name := role_named(step, one)) is not None]
    if target == "ACL_TARGET_ALL_IN_SCHEMA":
        for one in node.get("objects", []):
            find_schema_quietly(step, names_of(one)[-1])
        _note_grants(step, node, roles, None)
        return
    for one in node.get("objects", []):
        found: Owned | None = None
        if kind in ("OBJECT_TABLE", "OBJECT_SEQUENCE"):
            found = _grant_on_relation(node, step, one["RangeVar"], sequence=kind == "OBJECT_SEQUENCE")
        elif kind == "OBJECT_SCHEMA":
            find_schema_quietly(step, names_of(one)[-1])
            found = step.now.namespace(names_of(one)[-1])
        elif kind in _ROUTINES:
            found = find_routine(one.get("ObjectWithArgs", {}), str(kind), step)
        elif kind in ("OBJECT_TYPE", "OBJECT_DOMAIN") and step.schema.known:
            found = _grant_on_type(step, one, domain=kind == "OBJECT_DOMAIN")
        elif kind in ("OBJECT_LANGUAGE", "OBJECT_FDW", "OBJECT_FOREIGN_SERVER") and step.schema.known:
            find_named(str(kind), one, step)
            if kind == "OBJECT_LANGUAGE" and names_of(one)[-1] in ("c", "internal"):
                step.refuse("42809", f'language "{names_of(one)[-1]}" is not trusted')
        elif kind in _ELSEWHERE:
            _grant_elsewhere(step, str(kind), one)
        _note_grants(step, node, roles, found)


_ELSEWHERE = {"OBJECT_DATABASE": "3D000", "OBJECT_TABLESPACE": "42704", "OBJECT_LARGEOBJECT": "42704"}


def _grant_elsewhere(step: Step, kind: str, one: Node) -> None:
    """On what the catalog does not list."""
    catalog = step.schema.catalog
    name = names_of(one)[-1] if "String" in one else ""
    if catalog is None or name not in (catalog.database, "pg_default", "pg_global"):
        step.may_fail(_ELSEWHERE[kind], "what it is granted on may not exist")


def _grant_on_type(step: Step, one: Node, *, domain: bool) -> Type | None:
    written = one.get("TypeName") or {"names": one.get("List", {}).get("items", [])}
    names = [part["String"].get("sval", "") for part in written.get("names", ()) if "String" in part]
    if step.now.type(names) is None and type_of_node(written, step.now) is not None:
        return None  # PostgreSQL's own, or the rows of a table
    found = find_type(written, step).type
    if domain and found is not None and found.kind is not TypeKind.DOMAIN:
        step.refuse("42809", f'"{found.name}" is not a domain')
    return found


def _refuse_grantor(step: Step, node: Node) -> None:
    grantor = node.get("grantor")
    public = any(one["RoleSpec"].get("roletype") == "ROLESPEC_PUBLIC" for one in node.get("grantees", ()))
    if node.get("grant_option") and node.get("is_grant") and public:
        step.refuse("0LP01", "grant options can only be granted to roles")
    if grantor is not None and step.session.role and role_named(step, grantor) != step.session.role:
        step.refuse("0A000", "grantor must be current user")


def _note_grants(step: Step, node: Node, roles: list[str], found: Owned | None) -> None:
    """Roles were granted something on an object (``None``: on others), or it was taken from them."""
    for role in roles:
        if found is not None and node.get("is_grant"):
            if found.owner != role:
                note_grant(step, role, address_of(found))
        else:
            note_unsure(step, role, None if found is None else address_of(found))


def find_schema_quietly(step: Step, name: str) -> None:
    """See that a schema is there; what it holds does not matter.

    Raises:
        Refused: it certainly does not exist.
    """
    if step.now.has_schema(name) is False:
        step.refuse("3F000", f'schema "{name}" does not exist')


def _grant_on_relation(node: Node, step: Step, relation: Node, *, sequence: bool) -> Relation | Sequence | None:
    found = find_existing(step, relation)
    if found is None:
        return None
    if not step.schema.known or step.schema.server_version_num >= _LOCKS_SINCE:
        step.lock(found, LockMode.ACCESS_SHARE, "from PostgreSQL 18 on GRANT and REVOKE keep others from dropping it")
    if not found.known:
        return None
    if isinstance(found.object, Index):
        step.refuse("42809", f'"{found.key[1]}" is an index')
    if found.relation is not None and found.relation.kind is RelationKind.COMPOSITE_TYPE:
        step.refuse("42809", f'"{found.key[1]}" is a composite type')
    if sequence and not isinstance(found.object, Sequence):
        step.refuse("42809", f'"{found.key[1]}" is not a sequence')
    if found.relation is not None and any(
        one["AccessPriv"].get("priv_name") == "usage" for one in node.get("privileges", ())
    ):
        step.refuse("0LP01", "invalid privilege type USAGE for table")
    for one in node.get("privileges", []) if found.relation is not None else ():
        for column in one["AccessPriv"].get("cols", []):
            name = column["String"].get("sval", "")
            if found.relation is not None and found.relation.column(name) is None:
                step.refuse("42703", f'column "{name}" of relation "{found.relation.name}" does not exist')
    return found.object


def read_owner(node: Node, step: Step) -> None:
    """ALTER … OWNER TO, of what is no relation (relations are ALTER TABLE's business): touches no table."""
    require_roles(step, [node.get("newowner", {})])
    kind = str(node.get("objectType"))
    target = node.get("object", {})
    found: Owned | None = None
    if kind == "OBJECT_LARGEOBJECT":
        step.may_fail("42704", "the large object may not exist")
    if kind in ("OBJECT_FDW", "OBJECT_EVENT_TRIGGER"):
        step.may_fail("42501", "its owner must be a superuser")
    if kind in _ROUTINES:
        found = find_routine(target.get("ObjectWithArgs", {}), kind, step)
    elif kind in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        if step.schema.known:
            found = find_type(target.get("TypeName") or {"names": target.get("List", {}).get("items", [])}, step).type
    elif kind == "OBJECT_SCHEMA":
        find_schema_quietly(step, names_of(target)[-1])
        found = step.now.namespace(names_of(target)[-1])
    elif is_named_kind(kind) and step.schema.known:
        named = find_named(kind, target, step)
        found = step.now.other_by_oid(named.address.oid) if named is not None else None
    owner = role_named(step, node.get("newowner", {}))
    if owner is not None and found is not None:
        give(step, found, owner)


def read_default_privileges(node: Node, step: Step) -> None:
    """ALTER DEFAULT PRIVILEGES: for objects still to come."""
    for one in node.get("options", []):
        element = one["DefElem"]
        if element.get("defname") == "schemas":
            for schema in element.get("arg", {}).get("List", {}).get("items", []):
                find_schema_quietly(step, names_of(schema)[-1])
        elif element.get("defname") == "roles":
            require_roles(step, element.get("arg", {}).get("List", {}).get("items", []))
    require_roles(step, node.get("action", {}).get("grantees", []))
    for one in node.get("action", {}).get("grantees", []):
        if (role := role_named(step, one)) is not None:
            note_unsure(step, role, None)
    refuse_privileges(step, node.get("action", {}), default=True)
    _refuse_grantor(step, node.get("action", {}))
    placed = any(one["DefElem"].get("defname") == "schemas" for one in node.get("options", ()))
    if placed and node.get("action", {}).get("objtype") in ("OBJECT_SCHEMA", "OBJECT_LARGEOBJECT"):
        step.refuse("0LP01", "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS")


def read_comment(node: Node, step: Step) -> None:
    """COMMENT ON, SECURITY LABEL ON"""
    kind = str(node.get("objtype"))
    target = node.get("object", {})
    if kind == "OBJECT_LARGEOBJECT":
        step.may_fail("42704", "the large object may not exist")
    label = step.statement.node_kind == "SecLabelStmt"
    if label and step.schema.known:
        step.may_fail("22023", "no security label provider may be loaded")
    if kind in _COMMENTED:
        _comment_on_relation(step, kind, relation_name(names_of(target), step))
    elif kind == "OBJECT_COLUMN":
        *table, column = names_of(target)
        relation = _comment_on_relation(step, kind, relation_name(tuple(table), step))
        if relation is not None and relation.column(column) is None:
            step.refuse("42703", f'column "{column}" of relation "{relation.name}" does not exist')
    elif kind in _HANGING:
        _comment_on_part(step, kind, target)
    elif kind in _ROUTINES:
        find_routine(target.get("ObjectWithArgs", {}), kind, step)
    elif kind in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        if step.schema.known and "TypeName" in target:
            find_type(target["TypeName"], step)
    elif kind == "OBJECT_DOMCONSTRAINT" and step.schema.known:
        type_node, name = target["List"]["items"]
        domain = find_type(type_node["TypeName"], step).type
        wanted = name["String"].get("sval", "")
        if domain is not None and all(one.name != wanted for one in domain.constraints):
            step.refuse("42704", f'constraint "{wanted}" for domain {domain.name} does not exist')
    elif kind == "OBJECT_SCHEMA":
        find_schema_quietly(step, names_of(target)[-1])
    elif step.schema.known and is_named_kind(kind) and kind not in ("OBJECT_CAST", "OBJECT_OPERATOR"):
        find_named(kind, target, step)


_COMMENTED = {
    "OBJECT_TABLE": frozenset({RelationKind.TABLE, RelationKind.PARTITIONED_TABLE}),
    "OBJECT_VIEW": frozenset({RelationKind.VIEW}),
    "OBJECT_MATVIEW": frozenset({RelationKind.MATERIALIZED_VIEW}),
    "OBJECT_FOREIGN_TABLE": frozenset({RelationKind.FOREIGN_TABLE}),
    "OBJECT_SEQUENCE": frozenset[RelationKind](),
    "OBJECT_INDEX": frozenset[RelationKind](),
}
_HANGING = {
    "OBJECT_TABCONSTRAINT": "constraint",
    "OBJECT_TRIGGER": "trigger",
    "OBJECT_RULE": "rule",
    "OBJECT_POLICY": "policy",
}


def _comment_on_relation(step: Step, kind: str, name: Node) -> Relation | None:
    found = find_existing(step, name)
    if found is None:
        return None
    step.lock(found, LockMode.SHARE_UPDATE_EXCLUSIVE, "COMMENT locks out other DDL")
    if not found.known:
        return None
    fits = (
        kind == "OBJECT_COLUMN"
        or (kind == "OBJECT_SEQUENCE" and isinstance(found.object, Sequence))
        or (kind == "OBJECT_INDEX" and isinstance(found.object, Index))
        or (found.relation is not None and found.relation.kind in _COMMENTED[kind])
    )
    if not fits:
        step.refuse("42809", f'"{found.key[1]}" is of another kind')
    return found.relation


def _comment_on_part(step: Step, kind: str, target: Node) -> None:
    *table, name = names_of(target)
    found = find_existing(step, relation_name(tuple(table), step))
    if found is None:
        return
    step.lock(found, LockMode.ACCESS_SHARE, "COMMENT keeps others from dropping it")
    relation = found.relation
    if relation is None or not found.known:
        return
    present: dict[str, tuple[Any, ...]] = {
        "constraint": relation.constraints,
        "trigger": relation.triggers,
        "rule": relation.rules,
        "policy": relation.policies,
    }
    word = _HANGING[kind]
    if not any(one.name == name for one in present[word]) and name != "_RETURN":
        step.refuse("42704", f'{word} "{name}" for table "{relation.name}" does not exist')
