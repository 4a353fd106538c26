"""DROP of anything, DROP OWNED, REASSIGN OWNED."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import (
    PG_CLASS,
    PG_POLICY,
    PG_PROC,
    PG_REWRITE,
    PG_TRIGGER,
    PG_TYPE,
    ObjectAddress,
)
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, RelationKind, Sequence
from confiture_tui.core.effects.dropping import Dropping
from confiture_tui.core.effects.extension_members import is_listed
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.ownership import address_of, forget_grants, give, owned, role_named
from confiture_tui.core.effects.schema import Presence
from confiture_tui.core.effects.statements.named_objects import (
    NamedObject,
    find_named,
    is_named_kind,
    names_of,
    relation_name,
)
from confiture_tui.core.effects.statements.roles import require_roles
from confiture_tui.core.effects.statements.routine_names import find_routine
from confiture_tui.core.effects.statements.type_lookup import find_type

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

_AE = LockMode.ACCESS_EXCLUSIVE
_WHY = "DROP removes"

_RELATIONS = {
    "OBJECT_TABLE": ("table", "42P01", frozenset({RelationKind.TABLE, RelationKind.PARTITIONED_TABLE})),
    "OBJECT_VIEW": ("view", "42P01", frozenset({RelationKind.VIEW})),
    "OBJECT_MATVIEW": ("materialized view", "42P01", frozenset({RelationKind.MATERIALIZED_VIEW})),
    "OBJECT_FOREIGN_TABLE": ("foreign table", "42704", frozenset({RelationKind.FOREIGN_TABLE})),
    "OBJECT_SEQUENCE": ("sequence", "42P01", frozenset[RelationKind]()),
    "OBJECT_INDEX": ("index", "42704", frozenset[RelationKind]()),
}
_ROUTINES = frozenset({"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"})
_HOLDERS = frozenset({"OBJECT_SCHEMA", "OBJECT_EXTENSION", "OBJECT_COLLATION", "OBJECT_FOREIGN_SERVER", "OBJECT_FDW"})
"""What tables or columns may go with."""
_PARTS = {"OBJECT_TRIGGER": "trigger", "OBJECT_RULE": "rule", "OBJECT_POLICY": "policy"}


def read_drop(node: dict[str, Any], step: Step) -> None:
    """DROP TABLE, VIEW, INDEX, TYPE, FUNCTION, SCHEMA, …"""
    kind = str(node.get("removeType"))
    objects = node.get("objects", [])
    cascade = node.get("behavior") == "DROP_CASCADE"
    missing_ok = bool(node.get("missing_ok"))
    if node.get("concurrent"):
        if len(objects) > 1:
            step.refuse("0A000", "DROP INDEX CONCURRENTLY does not support dropping multiple objects")
        if cascade:
            step.refuse("0A000", "DROP INDEX CONCURRENTLY does not support CASCADE")
    if cascade and not step.schema.known:
        step.destroys_data(None)
        step.changes_data(None)
    targets: list[ObjectAddress] = []
    for one in objects:
        _refuse_pinned(kind, one, step)
        targets += _of_language(kind, one, step, cascade=cascade)
        target = _target(kind, one, step, missing_ok=missing_ok, concurrent=bool(node.get("concurrent")))
        if target is not None:
            targets.append(target)
    if not targets:
        return
    if node.get("concurrent"):
        _drop_concurrently(targets[0], step)
        return
    drop(step, targets, cascade=cascade)


_PINNED = {"OBJECT_SCHEMA": {"pg_catalog", "pg_toast"}, "OBJECT_LANGUAGE": {"sql", "c", "internal"}}


def _refuse_pinned(kind: str, one: dict[str, Any], step: Step) -> None:
    """What the database system itself needs."""
    name = names_of(one)[-1:]
    if name and name[0] in _PINNED.get(kind, ()):
        step.refuse("2BP01", f"cannot drop {name[0]} because it is required by the database system")
    if kind == "OBJECT_LANGUAGE" and name == ("plpgsql",):
        step.refuse("2BP01", "cannot drop language plpgsql because extension plpgsql requires it")


def _of_language(kind: str, one: dict[str, Any], step: Step, *, cascade: bool) -> list[ObjectAddress]:
    """The routines in PL/pgSQL, which depend on its extension."""
    catalog = step.schema.catalog
    if kind != "OBJECT_EXTENSION" or names_of(one) != ("plpgsql",) or catalog is None:
        return []
    found = [each for each in catalog.routines.values() if each.language == "plpgsql"]
    listed = [each for each in found if step.now.routine_by_oid(each.oid) is not None]
    if listed and not cascade:
        step.refuse("2BP01", "cannot drop extension plpgsql because other objects depend on it")
    return [ObjectAddress(PG_PROC, each.oid) for each in listed]


def drop(step: Step, targets: list[ObjectAddress], *, cascade: bool, why: str = _WHY) -> None:
    """Drop objects that are there, with all that goes with them."""
    dropping = Dropping(step.now, targets)
    if dropping.required_by is not None:
        target, owner = dropping.required_by
        step.fails("2BP01", f"cannot drop {target} because {owner} requires it")
    elif dropping.blocked and not cascade:
        listed = ", ".join(dropping.blocked[:5])
        step.fails("2BP01", f"cannot drop it because other objects depend on it: {listed}")
    dropping.carry_out(step, why)


def _target(kind: str, one: dict[str, Any], step: Step, *, missing_ok: bool, concurrent: bool) -> ObjectAddress | None:
    """The address of what a name means; ``None``: it is not there, or only assumed, and was dealt with."""
    if kind in _RELATIONS:
        return _relation_target(kind, one, step, missing_ok=missing_ok, concurrent=concurrent)
    if kind in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        return _type_target(kind, one, step, missing_ok=missing_ok)
    if kind in _ROUTINES:
        found = find_routine(one.get("ObjectWithArgs", {}), kind, step, missing_ok=missing_ok)
        return ObjectAddress(PG_PROC, found.oid) if found is not None else None
    if kind in _PARTS:
        return _part_target(kind, one, step, missing_ok=missing_ok)
    if is_named_kind(kind):
        named = find_named(kind, one, step, missing_ok=missing_ok, drops=True)
        if isinstance(named, NamedObject):
            if kind == "OBJECT_EXTENSION" and named.address.oid < 0 and not is_listed(named.name):
                step.unknown_reach("what uses the types and functions that the extension brought is not known")
                step.destroys_data(None)
                step.changes_data(None)
            return named.address
        if not step.schema.known and kind in _HOLDERS:
            step.destroys_data(None)
            step.changes_data(None)
            step.may_fail("2BP01", "other objects may depend on it")
        return None
    step.unknown_reach("what it drops is not analysed")
    step.destroys_data(None)
    step.changes_data(None)
    return None


def _relation_target(
    kind: str, one: dict[str, Any], step: Step, *, missing_ok: bool, concurrent: bool
) -> ObjectAddress | None:
    word, sqlstate, kinds = _RELATIONS[kind]
    name = relation_name(names_of(one), step)
    found = step.now.find(name)
    if found.presence is Presence.SYSTEM:
        step.refuse("42501", f"permission denied: {found.name} is a system catalog")
    if found.missing:
        if missing_ok:
            step.note(f"{word} {found.name} does not exist, skipping")
            return None
        if step.now.has_schema(found.key[0]) is False and "schemaname" in name:
            step.refuse("3F000", f'schema "{found.key[0]}" does not exist')
        step.refuse(sqlstate, f'{word} "{found.key[1]}" does not exist')
    if found.object is None or step.now.is_partial(found.object):
        _drop_assumed(kind, found, step, concurrent=concurrent)
        return None
    fits = (
        (kind == "OBJECT_SEQUENCE" and isinstance(found.object, Sequence))
        or (kind == "OBJECT_INDEX" and isinstance(found.object, Index))
        or (isinstance(found.object, Relation) and found.object.kind in kinds)
    )
    if not fits:
        article = "an" if word[0] in "aeiou" else "a"
        step.refuse("42809", f'"{found.key[1]}" is not {article} {word}')
    if isinstance(found.object, Index) and found.object.is_partitioned:
        if concurrent:
            step.refuse("0A000", f'cannot drop partitioned index "{found.key[1]}" concurrently')
        _lock_tree(found.object, step)
    return ObjectAddress(PG_CLASS, found.object.oid)


def _lock_tree(index: Index, step: Step) -> None:
    """DROP of a partitioned index locks its table's whole tree first, against deadlocks with queries."""
    table = step.now.by_oid(index.relation_oid)
    if isinstance(table, Relation):
        for one in (table, *step.now.descendants(table)):
            step.lock(one, _AE, "DROP INDEX of a partitioned index locks all partitions")


def _drop_assumed(kind: str, found: Found, step: Step, *, concurrent: bool) -> None:
    """Of what is only assumed to exist: taken at its worst."""
    if kind == "OBJECT_INDEX":
        step.unknown_reach("without a catalog the table of the index is not known")
        step.drop(found)
    else:
        step.lock(found, LockMode.SHARE_UPDATE_EXCLUSIVE if concurrent else _AE, f"{_WHY} it")
        step.drop(found)
        step.unknown_reach("without a catalog what references it, or depends on it, is not known")
        if kind == "OBJECT_TABLE":
            step.destroys_data(True)
            step.changes_data(True)
    step.may_fail("2BP01", "other objects may depend on it")
    step.change.missing(found)


def _type_target(kind: str, one: dict[str, Any], step: Step, *, missing_ok: bool) -> ObjectAddress | None:
    found = find_type(one.get("TypeName", {}), step, missing_ok=missing_ok)
    if found.table is not None:
        table = found.table.qualified_name
        step.refuse("2BP01", f"cannot drop type {table} because table {table} requires it")
    if found.type is None:
        if found.assumed:
            step.unknown_reach("without a catalog what uses the type is not known")
            step.destroys_data(None)
            step.changes_data(None)
            step.may_fail("2BP01", "columns or functions may use it")
            step.change.remove_type(*found.key)
        return None
    if kind == "OBJECT_DOMAIN" and found.type.kind.value != "domain":
        step.refuse("42809", f'"{found.type.name}" is not a domain')
    return ObjectAddress(PG_TYPE, found.type.oid)


def _part_target(kind: str, one: dict[str, Any], step: Step, *, missing_ok: bool) -> ObjectAddress | None:
    """A trigger, rule or policy: named by its relation and its own name."""
    word = _PARTS[kind]
    *table_names, name = names_of(one)
    found = step.now.find(relation_name(tuple(table_names), step))
    if found.missing:
        if missing_ok:
            step.note(f"relation {found.name} does not exist, skipping")
            return None
        step.refuse("42P01", f'relation "{found.key[1]}" does not exist')
    relation = found.relation
    if relation is None or not found.known:
        step.lock(found, _AE, f"{_WHY} a {word} of it")
        if kind == "OBJECT_TRIGGER":
            step.unknown_reach("without a catalog its partitions, which lose the trigger too, are not known")
        if not missing_ok:
            step.may_fail("42704", f"the {word} may not exist")
        return None
    if kind == "OBJECT_RULE" and name == "_RETURN" and relation.kind is RelationKind.VIEW:
        step.refuse("2BP01", f"cannot drop rule _RETURN on view {found.name} because view {found.name} requires it")
    parts: dict[str, tuple[int, tuple[Any, ...]]] = {
        "OBJECT_TRIGGER": (PG_TRIGGER, relation.triggers),
        "OBJECT_RULE": (PG_REWRITE, relation.rules),
        "OBJECT_POLICY": (PG_POLICY, relation.policies),
    }
    class_oid, present = parts[kind]
    part = next((each for each in present if each.name == name), None)
    if part is None and kind == "OBJECT_TRIGGER" and _is_clone(step, relation, name):
        step.refuse("2BP01", f"cannot drop trigger {name} because a trigger of the partitioned table requires it")
    if part is None:
        if missing_ok:
            step.note(f"{word} {name} does not exist, skipping")
            return None
        step.refuse("42704", f'{word} "{name}" for table "{relation.name}" does not exist')
    if kind == "OBJECT_TRIGGER" and part.parent_oid:
        step.refuse("2BP01", f"cannot drop trigger {name} because a trigger of the partitioned table requires it")
    if part.oid < 0:
        _drop_new_part(step, relation, class_oid, part)
        return None
    return ObjectAddress(class_oid, part.oid)


def _is_clone(step: Step, relation: Relation, name: str) -> bool:
    """Whether a partition has a partitioned table's trigger: before 15 its copy counts as internal, and is unlisted."""
    return relation.is_partition and any(
        each.name == name or _is_clone(step, parent, name)
        for parent in step.now.parents(relation)
        for each in parent.triggers
        if "FOR EACH ROW" in each.definition
    )


def _drop_new_part(step: Step, relation: Relation, class_oid: int, part: Any) -> None:
    """A part that the migration itself has made: nothing depends on it but its own copies on partitions."""
    from dataclasses import replace

    for one in (relation, *(step.now.descendants(relation) if class_oid == PG_TRIGGER else ())):
        now = step.now.by_oid(one.oid)
        if not isinstance(now, Relation):
            continue
        if now.oid != relation.oid and not any(each.parent_oid == part.oid for each in now.triggers):
            continue
        for each in now.triggers:
            if each.parent_oid == part.oid:
                step.change.forget_needs(ObjectAddress(class_oid, each.oid))
        step.lock(now, _AE, f"{_WHY} a part of it")
        step.change.put(
            replace(
                now,
                triggers=tuple(each for each in now.triggers if part.oid not in (each.oid, each.parent_oid)),
                rules=tuple(each for each in now.rules if each.oid != part.oid),
                policies=tuple(each for each in now.policies if each.oid != part.oid),
            )
        )
    step.change.forget_needs(ObjectAddress(class_oid, part.oid))


def _drop_concurrently(target: ObjectAddress, step: Step) -> None:
    index = step.now.by_oid(target.oid)
    if not isinstance(index, Index):
        return
    if Dropping(step.now, [target]).required_by is not None or index.constraint is not None:
        step.refuse("2BP01", f"cannot drop index {index.qualified_name} because a constraint requires it")
    if Dropping(step.now, [target]).blocked:
        step.refuse("2BP01", f"cannot drop index {index.qualified_name} because other objects depend on it")
    step.lock(index.relation, LockMode.SHARE_UPDATE_EXCLUSIVE, "DROP INDEX CONCURRENTLY locks out other DDL")
    step.drop(index)
    step.change.remove(index)


def read_drop_owned(node: dict[str, Any], step: Step) -> None:
    """DROP OWNED BY: everything in this database that the roles own, and what was granted to them."""
    roles = _roles(node, step)
    if not step.schema.known:
        step.unknown_reach("without a catalog what the roles own is not known")
        step.destroys_data(None)
        step.changes_data(None)
    targets = [address_of(one) for one in owned(step.now, roles)]
    if targets:
        drop(step, targets, cascade=node.get("behavior") == "DROP_CASCADE", why="DROP OWNED removes")
    for role in roles:
        forget_grants(step, role)


def read_reassign_owned(node: dict[str, Any], step: Step) -> None:
    """REASSIGN OWNED BY … TO …: an ALTER … OWNER of everything that the roles own."""
    roles = _roles(node, step)
    require_roles(step, [node.get("newrole", {})])
    if not step.schema.known:
        step.unknown_reach("without a catalog what the roles own is not known")
    elif step.schema.catalog is not None and step.schema.catalog.session.is_superuser:
        step.may_fail("2BP01", "what the database system itself needs is not given away")
    owner = role_named(step, node.get("newrole", {}))
    for one in list(owned(step.now, roles)):
        if isinstance(one, Relation | Sequence):
            step.lock(one, _AE, "REASSIGN OWNED changes its owner")
        if owner is not None:
            give(step, one, owner)


def _roles(node: dict[str, Any], step: Step) -> frozenset[str]:
    require_roles(step, node.get("roles", []))
    names = (role_named(step, one) for one in node.get("roles", []))
    return frozenset(name for name in names if name is not None)
