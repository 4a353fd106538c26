"""Who owns what, as far as a catalog and the files tell; roles themselves belong to the whole server."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import (
    PG_CLASS,
    PG_EXTENSION,
    PG_NAMESPACE,
    PG_PROC,
    PG_TYPE,
    ObjectAddress,
)
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.objects import Extension, OtherObject
from confiture_tui.core.catalog.models.objects import Schema as SchemaObject
from confiture_tui.core.catalog.models.relations import Relation, RelationKind, Sequence
from confiture_tui.core.catalog.models.routines import Routine
from confiture_tui.core.catalog.models.types import Type
from confiture_tui.core.catalog.replacing import replace

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.core.effects.step import Step

Owned = Relation | Sequence | Type | Routine | SchemaObject | OtherObject | Extension

_GRANTED = "granted"
# Under this kind of ``Family.OTHER`` and a role's name: what the files have granted it, a tuple of addresses.
_UNSURE = "perhaps granted"
# And under this one: ``True`` where they took something from it, or granted what is not followed up here; ``False``
# where they took everything.
_ROLES = {"ROLESPEC_CURRENT_USER": "role", "ROLESPEC_CURRENT_ROLE": "role", "ROLESPEC_SESSION_USER": "session_role"}


def role_named(step: Step, node: dict[str, Any]) -> str | None:
    """The role that a ``RoleSpec`` (or its fields) means; ``None``: everybody, or without a catalog the current one."""
    fields = node.get("RoleSpec", node)
    if "rolename" in fields:
        return str(fields["rolename"])
    whose = _ROLES.get(str(fields.get("roletype")))
    return (getattr(step.session, whose) or None) if whose is not None else None


def owned(schema: Schema, roles: Collection[str]) -> Iterator[Owned]:
    """Everything in the database that the roles own, members of extensions apart."""
    for one in schema.relations():
        is_type = isinstance(one, Relation) and one.kind is RelationKind.COMPOSITE_TYPE
        if not isinstance(one, Index) and not is_type and one.owner in roles and one.extension is None:
            yield one
    families: tuple[Iterator[Owned], ...] = (
        schema.types(),
        schema.routines_known(),
        schema.namespaces(),
        schema.others(),
    )
    for family in families:
        for other in family:
            if other.owner in roles and (isinstance(other, Extension) or other.extension is None):
                yield other


def address_of(one: Owned) -> ObjectAddress:
    """The address of an object."""
    match one:
        case Relation() | Sequence():
            return ObjectAddress(PG_CLASS, one.oid)
        case Type():
            return ObjectAddress(PG_TYPE, one.oid)
        case Routine():
            return ObjectAddress(PG_PROC, one.oid)
        case SchemaObject():
            return ObjectAddress(PG_NAMESPACE, one.oid)
        case Extension():
            return ObjectAddress(PG_EXTENSION, one.oid)
        case OtherObject():
            return ObjectAddress(one.class_oid, one.oid)


def give(step: Step, one: Owned, owner: str) -> None:
    """Give an object to another role; what is a part of it follows: a table's sequences, a composite type's columns."""
    match one:
        case Relation():
            for sequence in step.now.owned_sequences(one):
                step.change.put(replace(sequence, owner=owner))
            step.change.put(replace(one, owner=owner))
        case Sequence():
            step.change.put(replace(one, owner=owner))
        case Type():
            step.change.put_type(replace(one, owner=owner))
            columns = step.now.by_oid(one.relation_oid) if one.relation_oid else None
            if isinstance(columns, Relation):
                step.change.put(replace(columns, owner=owner))
        case Routine():
            step.change.put_routine(replace(one, owner=owner))
        case SchemaObject():
            step.change.put_schema(replace(one, owner=owner))
        case Extension():
            step.change.put_other("extension", one.name, replace(one, owner=owner))
        case OtherObject():
            step.change.put_other(one.kind, one.identity, replace(one, owner=owner))


# What keeps a role from being dropped


def note_grant(step: Step, role: str, address: ObjectAddress) -> None:
    """A role was granted something on an object: it cannot be dropped while it has that."""
    step.change.put_other(_GRANTED, role, (*_granted(step.now, role), address))


def note_unsure(step: Step, role: str, address: ObjectAddress | None) -> None:
    """Something was taken from a role, on an object or on others; or it was granted what is not followed up."""
    step.change.put_other(_UNSURE, role, True)
    if address is not None:
        step.change.put_other(_GRANTED, role, tuple(one for one in _granted(step.now, role) if one != address))


def forget_grants(step: Step, role: str) -> None:
    """DROP OWNED: what a role was granted in this database is taken from it."""
    step.change.put_other(_GRANTED, role, ())
    step.change.put_other(_UNSURE, role, False)


def is_needed(schema: Schema, role: str) -> bool | None:
    """Whether a role owns something in this database, or has been granted something; ``None``: that is not known."""
    if next(owned(schema, {role}), None) is not None or _granted(schema, role):
        return True
    unsure = schema.other(_UNSURE, role)
    if unsure is True or not schema.known:
        return None
    return unsure is not False and _granted_before(schema, role)


def _granted_before(schema: Schema, role: str) -> bool:
    """Whether the catalog knows of a grant to a role, on something that is still there."""
    families = (schema.relations(), schema.types(), schema.routines_known(), schema.namespaces(), schema.others())
    for one in chain(*families):
        if isinstance(one, Index | Extension):
            continue
        columns = one.columns if isinstance(one, Relation) else ()
        lists = (one.acl, *(each.acl for each in columns))
        if any(grant.grantee == role for acl in lists for grant in acl or ()) and one.owner != role:
            return True
    catalog = schema.catalog
    return catalog is not None and any(
        one.role == role or any(grant.grantee == role for grant in one.acl) for one in catalog.default_privileges
    )


def _granted(schema: Schema, role: str) -> tuple[ObjectAddress, ...]:
    """The objects on which the files have granted a role something, and which are still there."""
    found = schema.other(_GRANTED, role)
    return tuple(one for one in found if _is_there(schema, one)) if isinstance(found, tuple) else ()


def _is_there(schema: Schema, address: ObjectAddress) -> bool:
    match address.class_oid:
        case class_oid if class_oid == PG_CLASS:
            return schema.by_oid(address.oid) is not None
        case class_oid if class_oid == PG_PROC:
            return schema.routine_by_oid(address.oid) is not None
        case class_oid if class_oid == PG_TYPE:
            return schema.type_by_oid(address.oid) is not None
        case class_oid if class_oid == PG_NAMESPACE:
            return schema.namespace_by_oid(address.oid) is not None
    return False
