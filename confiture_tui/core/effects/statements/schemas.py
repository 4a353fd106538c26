"""Schemas and extensions: made, moved, altered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_EXTENSION, PG_NAMESPACE, ObjectAddress
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.objects import Extension
from confiture_tui.core.catalog.models.objects import Schema as SchemaObject
from confiture_tui.core.catalog.models.relations import Relation, Sequence
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.extension_members import bring_along, is_listed
from confiture_tui.core.effects.history import UNKNOWN
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.ownership import role_named
from confiture_tui.core.effects.schema import EXTENSION_MADE, Presence
from confiture_tui.core.effects.statements.creation import require_create
from confiture_tui.core.effects.statements.made_objects import move_object
from confiture_tui.core.effects.statements.named_objects import find_named, is_named_kind
from confiture_tui.core.effects.statements.options import find_option, option_text
from confiture_tui.core.effects.statements.privileges import find_schema_quietly
from confiture_tui.core.effects.statements.renames_of_others import place_type
from confiture_tui.core.effects.statements.renaming import place_relation
from confiture_tui.core.effects.statements.roles import require_roles
from confiture_tui.core.effects.statements.routine_names import find_routine
from confiture_tui.core.effects.statements.targets import find_existing, refuse_system_catalog, require_kind
from confiture_tui.core.effects.statements.type_lookup import find_type
from confiture_tui.core.effects.system_names import is_system_name
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_RELATIONS = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE"})
_ROUTINES = frozenset({"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"})


def read_create_schema(node: Node, step: Step) -> None:
    """CREATE SCHEMA, with what is to be made in it."""
    role = node.get("authrole")
    name = node.get("schemaname")
    if role is not None:
        require_roles(step, [role])
        name = name or role_named(step, role)
    if name is None:
        step.unknown_reach("without a catalog the role, which the schema is named after, is not known")
        return
    if name.startswith("pg_"):
        step.refuse("42939", f'unacceptable schema name "{name}"')
    if step.now.has_schema(name):
        if node.get("if_not_exists"):
            step.note(f"schema {quote_identifier(name)} already exists, skipping")
            return
        step.refuse("42P06", f'schema "{name}" already exists')
    if not step.schema.known and not node.get("if_not_exists"):
        step.may_fail("42P06", "the schema may exist")
    step.change.put_schema(
        SchemaObject(
            oid=step.change.new_oid(),
            name=name,
            quoted_name=quote_identifier(name),
            owner=(role_named(step, role) if role is not None else None) or "",
            usable=True,
            extension=None,
            acl=None,
            comment=None,
        )
    )
    if "schemaElts" not in node:
        return
    # What its elements name is looked for in the new schema first.
    path, local = step.settings["search_path"], step.session.transaction is not None
    before = step.settings.get("role", "none")
    owner = role_named(step, role) if role is not None else None
    step.session.set("search_path", f"{quote_identifier(name)}, {path}", local=local)
    step.session.set("role", owner or before, local=local)
    for element in node["schemaElts"]:
        ((kind, fields),) = element.items()
        step.run(kind, _in_schema(fields, name))
    step.session.set("search_path", path, local=local)
    step.session.set("role", before, local=local)


def _in_schema(fields: Node, schema: str) -> Node:
    """An element of CREATE SCHEMA: what it makes without a schema of its own goes into the new one."""
    placed = dict(fields)
    for field in ("relation", "view", "sequence"):
        if field in placed and "schemaname" not in placed[field]:
            placed[field] = {**placed[field], "schemaname": schema}
    return placed


def read_create_extension(node: Node, step: Step) -> None:
    """CREATE EXTENSION: what its script makes is its own, and touches no table of the user's."""
    name = str(node["extname"])
    found = step.now.other("extension", name)
    if found is not None and found is not UNKNOWN:
        if node.get("if_not_exists"):
            step.note(f"extension {name} already exists, skipping")
            return
        step.refuse("42710", f'extension "{name}" already exists')
    schema = find_option(node, "schema")
    if schema is not None and step.now.has_schema(option_text(schema.get("arg"))) is False:
        step.refuse("3F000", f'schema "{option_text(schema.get("arg"))}" does not exist')
    missing = "58P01" if step.schema.known and step.schema.server_version_num < 150000 else "0A000"
    step.may_fail(missing, "the extension may not be installed on the server")
    place = option_text(schema.get("arg")) if schema is not None else step.now.creation_schema
    extension = Extension(
        oid=step.change.new_oid(),
        name=name,
        quoted_name=quote_identifier(name),
        version="",
        schema=quote_identifier(place),
        owner=step.session.role,
        comment=None,
    )
    step.change.put_other("extension", name, extension)
    namespace = step.now.namespace(place)
    if namespace is not None:
        step.change.depend(ObjectAddress(PG_EXTENSION, extension.oid), ObjectAddress(PG_NAMESPACE, namespace.oid))
    if is_listed(name) and find_option(node, "new_version") is None:
        bring_along(step, extension, place)
        return
    step.note("the types and functions that the extension brings are not known")
    step.change.put_other(*EXTENSION_MADE, True)


def read_alter_extension(node: Node, step: Step) -> None:
    """ALTER EXTENSION … UPDATE: runs a script that we do not see."""
    _require_extension(node, step)
    step.opaque("the extension's update script is not read")
    step.unknown_reach("the extension's update script is not read")
    step.may_fail("22023", "there may be no way from the installed version to that one")


def read_alter_extension_contents(node: Node, step: Step) -> None:
    """ALTER EXTENSION … ADD or DROP of a member."""
    _require_extension(node, step)
    if node.get("objtype") in _RELATIONS and "List" in node.get("object", {}):
        items = [one["String"].get("sval", "") for one in node["object"]["List"]["items"]]
        relation = {"relname": items[-1]} | ({"schemaname": items[-2]} if len(items) > 1 else {})
        found = find_existing(step, relation)
        if found is not None:
            step.lock(found, LockMode.SHARE_UPDATE_EXCLUSIVE, "it becomes, or is no more, part of the extension")


def _require_extension(node: Node, step: Step) -> None:
    name = str(node["extname"])
    if step.now.other("extension", name) is None:
        step.refuse("42704", f'extension "{name}" does not exist')


def read_set_schema(node: Node, step: Step) -> None:
    """ALTER … SET SCHEMA"""
    kind = str(node.get("objectType"))
    schema = str(node["newschema"])
    if kind in _RELATIONS:
        _move_relation(node, step, kind, schema)
        return
    target = node.get("object", {})
    if kind in _ROUTINES:
        routine = find_routine(target.get("ObjectWithArgs", {}), kind, step)
        find_schema_quietly(step, schema)
        if routine is not None:
            step.change.remove_routine(routine.schema, routine.name, routine.argument_types)
            full = qualified_name(schema, routine.name)
            step.change.put_routine(replace(routine, schema=schema, qualified_name=full))
    elif kind in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        _move_type(step, target, schema)
    elif kind == "OBJECT_EXTENSION":
        find_named(kind, target, step)
        find_schema_quietly(step, schema)
        # What it has brought along is somewhere else from now on.
        step.change.put_other(*EXTENSION_MADE, True)
    elif is_named_kind(kind):
        find_schema_quietly(step, schema)
        if step.schema.known:
            move_object(step, kind, target, schema=schema)


def _move_type(step: Step, target: Node, schema: str) -> None:
    written = target.get("TypeName") or {"names": target.get("List", {}).get("items", [])}
    found = find_type(written, step)
    find_schema_quietly(step, schema)
    if found.table is not None:
        step.refuse("42809", f"{found.table.qualified_name} is a table's row type")
    one = found.type
    if one is None:
        return
    if step.now.type([schema, one.name]) is not None:
        step.refuse("42710", f'type "{one.name}" already exists in schema "{schema}"')
    place_type(step, one, schema, one.name)


def _refuse_place(step: Step, schema: str) -> None:
    """Nothing moves into the schemas of TOAST tables and of temporary ones."""
    if schema == "pg_toast" or schema == "pg_temp" or schema.startswith(("pg_temp_", "pg_toast_temp_")):
        step.refuse("0A000", "cannot move objects into or out of TOAST or temporary schemas")


def _move_relation(node: Node, step: Step, kind: str, schema: str) -> None:
    refuse_system_catalog(step, node["relation"])
    found = find_existing(step, node["relation"], missing_ok=bool(node.get("missing_ok")))
    if found is None:
        return
    step.lock(found, LockMode.ACCESS_EXCLUSIVE, "SET SCHEMA gives it another name")
    require_kind(step, found, kind)
    _refuse_place(step, schema)
    find_schema_quietly(step, schema)
    require_create(step, schema)
    moved = found.object
    if moved is None:
        step.unknown_reach("without a catalog the sequences that go with it are not known")
        step.change.missing(found)
        return
    if isinstance(moved, Sequence) and moved.owned_by is not None and kind == "OBJECT_SEQUENCE":
        step.refuse("0A000", "cannot move an owned sequence into another schema")
    if moved.schema == schema:
        return
    there = step.now.find({"schemaname": schema, "relname": moved.name})
    taken = is_system_name(moved.name) if schema == "pg_catalog" else there.presence is Presence.KNOWN
    if step.now.known and taken:
        step.refuse("42P07", f'relation "{moved.name}" already exists in schema "{schema}"')
    if isinstance(moved, Relation):
        for sequence in step.now.owned_sequences(moved):
            step.lock(sequence, LockMode.ACCESS_EXCLUSIVE, "it goes with the table that owns it")
            place_relation(step, sequence, schema, sequence.name)
        # Its defaults follow the sequences.
        now = step.now.by_oid(moved.oid)
        moved = now if isinstance(now, Relation) else moved
    if not isinstance(moved, Index):
        place_relation(step, moved, schema, moved.name)
