"""Statistics objects, publications, foreign data, operators, casts, languages, text search: what has no storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_CLASS, PG_PROC, ObjectAddress
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.history import UNKNOWN
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.ownership import note_unsure
from confiture_tui.core.effects.statements.collations import read_create_collation
from confiture_tui.core.effects.statements.creation import new_place, new_relation
from confiture_tui.core.effects.statements.definitions import names_in, type_text
from confiture_tui.core.effects.statements.known_options import refuse_publication_options
from confiture_tui.core.effects.statements.made_objects import addresses, make
from confiture_tui.core.effects.statements.named_objects import KIND_WORDS, find_named
from confiture_tui.core.effects.statements.needs import note_type
from confiture_tui.core.effects.statements.options import find_option
from confiture_tui.core.effects.statements.privileges import find_schema_quietly
from confiture_tui.core.effects.statements.routine_names import find_routine
from confiture_tui.core.effects.statements.routines import define_aggregate
from confiture_tui.core.effects.statements.targets import find_existing
from confiture_tui.core.effects.statements.types import new_type, place_of_type
from confiture_tui.core.effects.types_known import require_type
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_SUE = LockMode.SHARE_UPDATE_EXCLUSIVE
_FOREIGN_LIKE = 180000
"""From this version on CREATE FOREIGN TABLE knows LIKE."""


def read_alter_statistics(node: Node, step: Step) -> None:
    """ALTER STATISTICS … SET STATISTICS"""
    if step.schema.known:
        items = {"List": {"items": node.get("defnames", [])}}
        find_named("OBJECT_STATISTIC_EXT", items, step, missing_ok=bool(node.get("missing_ok")))


def read_create_publication(node: Node, step: Step) -> None:
    """CREATE PUBLICATION"""
    refuse_publication_options(step, node)
    make(step, "publication", quote_identifier(str(node["pubname"])))
    _published(node, step)


def read_alter_publication(node: Node, step: Step) -> None:
    """ALTER PUBLICATION"""
    identity = quote_identifier(str(node["pubname"]))
    publication = step.now.other("publication", identity)
    if publication is None:
        step.refuse("42704", f"publication {identity} does not exist")
    refuse_publication_options(step, node)
    _published(node, step, _tables_of(publication))
    if node.get("action") == "AP_SetObjects":
        for name in _tables_of(publication):
            found = step.now.find(name)
            step.lock(found, _SUE, "it leaves the publication, or stays in it")


def _tables_of(publication: Any) -> list[str]:
    """The tables that a publication has now, by their qualified names; a part of it where that cannot be read."""
    properties = dict(getattr(publication, "properties", ()))
    listed = properties.get("tables") or ""
    return [one.split(" (")[0].split(" WHERE ")[0] for one in listed.split(", ") if one]


def _published(node: Node, step: Step, listed_now: Sequence[str] = ()) -> None:
    for one in node.get("pubobjects", []):
        listed = one["PublicationObjSpec"]
        if "name" in listed and listed.get("pubobjtype") == "PUBLICATIONOBJ_TABLES_IN_SCHEMA":
            find_schema_quietly(step, listed["name"])
        table = listed.get("pubtable", {}).get("relation")
        if table is None:
            continue
        found = find_existing(step, table)
        if found is None:
            continue
        step.lock(found, _SUE, "the publication's tables are locked against other DDL")
        relation = found.relation
        if relation is None or not found.known:
            step.unknown_reach("without a catalog the tables that inherit from it are not known")
            continue
        if relation.kind not in (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE):
            step.refuse("22023", f'cannot add relation "{relation.name}" to publication')
        for column in names_in(listed["pubtable"], "columns"):
            if relation.column(column) is None:
                step.refuse("42703", f'column "{column}" of relation "{relation.name}" does not exist')
        known = step.schema.known and relation.qualified_name in listed_now
        if node.get("action") == "AP_AddObjects" and known:
            step.refuse("42710", f'relation "{relation.name}" is already member of publication "{node["pubname"]}"')
        if node.get("action") == "AP_DropObjects" and listed_now and not known:
            step.refuse("42704", f'relation "{relation.name}" is not part of the publication')
        if table.get("inh") and relation.kind is RelationKind.TABLE:
            for child in step.now.descendants(relation):
                step.lock(child, _SUE, "tables that inherit are published too")


def read_foreign_table(node: Node, step: Step) -> None:
    """CREATE FOREIGN TABLE"""
    server = quote_identifier(str(node["servername"]))
    if step.now.other("foreign server", server) is None:
        step.refuse("42704", f"server {server} does not exist")
    base = node["base"]
    if step.schema.known and step.schema.server_version_num < _FOREIGN_LIKE:
        for one in base.get("tableElts", ()):
            if "TableLikeClause" in one:
                step.refuse("0A000", "LIKE is not supported for creating foreign tables")
    step.run("CreateStmt", base)
    schema, name = new_relation(step, base["relation"])
    made = step.now.find({"schemaname": schema, "relname": name}).object
    if isinstance(made, Relation) and not step.schema.is_old(made):
        step.change.put(replace(made, kind=RelationKind.FOREIGN_TABLE, access_method=None, server=server))
        for one in addresses(step, "foreign server", server):
            step.change.depend(ObjectAddress(PG_CLASS, made.oid), one)


def read_import_foreign_schema(_node: Node, step: Step) -> None:
    """IMPORT FOREIGN SCHEMA: what it makes is known to the other server only."""
    step.opaque("what IMPORT FOREIGN SCHEMA makes is known to the other server only")
    step.unknown_reach("what IMPORT FOREIGN SCHEMA makes is known to the other server only")


def read_define(node: Node, step: Step) -> None:
    """CREATE AGGREGATE, OPERATOR, TYPE (base), COLLATION, TEXT SEARCH …"""
    kind = str(node.get("kind"))
    if kind == "OBJECT_AGGREGATE":
        define_aggregate(node, step)
        return
    parts = names_in(node, "defnames")
    if kind == "OBJECT_TYPE":
        if node.get("definition"):
            step.opaque("the functions of a base type are not read")
            schema = new_place(step, parts[-2] if len(parts) > 1 else None)
            step.change.put_type(new_type(step, schema, parts[-1], TypeKind.BASE))
        else:
            schema, name = place_of_type(step, parts)
            step.change.put_type(new_type(step, schema, name, TypeKind.SHELL))
        return
    if kind == "OBJECT_COLLATION":
        read_create_collation(node, step)
        return
    schema = new_place(step, parts[-2] if len(parts) > 1 else None)
    identity = qualified_name(schema, parts[-1])
    if kind == "OBJECT_OPERATOR":
        sides = [find_option(node, side, field="definition") for side in ("leftarg", "rightarg")]
        types = [type_text(one["arg"]["TypeName"], step.now) if one else "NONE" for one in sides]
        for one in sides:
            if one is not None:
                require_type(step, one["arg"]["TypeName"])
        function = find_option(node, "function", field="definition") or find_option(node, "procedure", "definition")
        if function is None:
            step.refuse("42P13", "operator function must be specified")
        identity = f"{quote_identifier(schema)}.{parts[-1]}({types[0]}, {types[1]})"
        if step.now.other("operator", identity) not in (None, UNKNOWN):
            step.refuse("42723", f"operator {parts[-1]} already exists")
        routine = _function_of(step, function, types)
        made = make(
            step,
            "operator",
            identity,
            schema=schema,
            needs=[ObjectAddress(PG_PROC, routine.oid)] if routine is not None else [],
            properties={"function": routine.signature, "result": routine.result} if routine is not None else {},
        )
        if made is not None:
            for one in sides:
                if one is not None:
                    note_type(step, ObjectAddress(made.class_oid, made.oid), one["arg"]["TypeName"])
        return
    word = KIND_WORDS.get(kind, kind)
    make(step, word, identity, schema=schema, if_not_exists=bool(node.get("if_not_exists")))


def _function_of(step: Step, option: Node, types: list[str]) -> Routine | None:
    """The user's function that an operator calls, if it is known."""
    names = list(names_in(option.get("arg", {}).get("TypeName", {}), "names"))
    wanted = ", ".join(one for one in types if one != "NONE")
    found = step.now.routines(names) if names else ()
    return next((one for one in found if one.argument_types == wanted), None)


def read_create_cast(node: Node, step: Step) -> None:
    """CREATE CAST"""
    for side in ("sourcetype", "targettype"):
        require_type(step, node[side])
    function = find_routine(node["func"], "OBJECT_FUNCTION", step) if "func" in node else None
    needs = [ObjectAddress(PG_PROC, function.oid)] if function is not None else []
    texts = [type_text(node[side], step.now) for side in ("sourcetype", "targettype")]
    properties = {
        "context": {"COERCION_IMPLICIT": "i", "COERCION_ASSIGNMENT": "a"}.get(str(node.get("context")), "e"),
        "method": "i" if node.get("inout") else "f" if "func" in node else "b",
        "function": function.signature if function is not None else None,
    }
    made = make(step, "cast", f"({texts[0]} AS {texts[1]})", needs=needs, properties=properties)
    if made is not None:
        for side in ("sourcetype", "targettype"):
            note_type(step, ObjectAddress(made.class_oid, made.oid), node[side])


def read_create_language(node: Node, step: Step) -> None:
    """CREATE LANGUAGE: nowadays CREATE EXTENSION by another name."""
    name = str(node["plname"])
    if name == "plpgsql" and not node.get("replace"):
        step.refuse("42710", 'extension "plpgsql" already exists')
    make(step, "language", quote_identifier(name), replaces=bool(node.get("replace")))


def read_create_conversion(node: Node, step: Step) -> None:
    """CREATE CONVERSION"""
    parts = names_in(node, "conversion_name")
    schema = new_place(step, parts[-2] if len(parts) > 1 else None)
    make(step, "conversion", qualified_name(schema, parts[-1]), schema=schema)


def read_create_operator_family(node: Node, step: Step) -> None:
    """CREATE OPERATOR FAMILY and CLASS"""
    field, kind = ("opfamilyname", "operator family")
    if "opclassname" in node:
        field, kind = ("opclassname", "operator class")
        require_type(step, node["datatype"])
    parts = names_in(node, field)
    schema = new_place(step, parts[-2] if len(parts) > 1 else None)
    method = f" USING {quote_identifier(str(node.get('amname')))}"
    identity = qualified_name(schema, parts[-1]) + method
    if kind == "operator family":
        make(step, kind, identity, schema=schema)
        return
    properties = {
        "type": type_text(node["datatype"], step.now),
        "default": "true" if node.get("isDefault") else "false",
    }
    made = make(step, kind, identity, schema=schema, properties=properties)
    if made is None:
        return
    address = ObjectAddress(made.class_oid, made.oid)
    note_type(step, address, node["datatype"])
    names = names_in(node, "opfamilyname")
    places = (names[-2:-1] or step.now.path) if names else (schema,)
    families = [qualified_name(place, (names or parts)[-1]) + method for place in places]
    family = next((one for each in families for one in addresses(step, "operator family", each)), None)
    if family is None and not names:
        # A class without a family gets one of its own name.
        whole = make(step, "operator family", identity, schema=schema)
        family = ObjectAddress(whole.class_oid, whole.oid) if whole is not None else None
    if family is not None:
        step.change.depend(address, family, "a")


def made_by_name(kind: str, field: str, needs: tuple[str, str] | None = None) -> Callable[[Node, Step], None]:
    """A handler for CREATE of an object known by one name, which may need another one to be there."""

    def read(node: Node, step: Step) -> None:
        if needs is not None and node.get(needs[1]) is not None:
            needed = quote_identifier(str(node[needs[1]]))
            if step.now.other(needs[0], needed) in (None, False):
                step.refuse("42704", f"{needs[0]} {needed} does not exist")
        needed_there = addresses(step, needs[0], quote_identifier(str(node.get(needs[1])))) if needs is not None else []
        name = quote_identifier(str(node[field]))
        make(step, kind, name, needs=needed_there, if_not_exists=bool(node.get("if_not_exists")))

    return read


def altered_by_name(kind: str, field: str) -> Callable[[Node, Step], None]:
    """A handler for ALTER of an object known by one name: touches no table."""

    def read(node: Node, step: Step) -> None:
        identity = quote_identifier(str(node[field]))
        if step.now.other(kind, identity) is None:
            step.refuse("42704", f"{kind} {identity} does not exist")

    return read


def read_user_mapping(node: Node, step: Step) -> None:
    """CREATE, ALTER and DROP USER MAPPING"""
    server = quote_identifier(str(node["servername"]))
    if step.now.other("foreign server", server) is None and not node.get("missing_ok"):
        step.refuse("42704", f"server {server} does not exist")
    role = node.get("user", {})
    kind = role.get("roletype")
    catalog = step.schema.catalog
    name = role.get("rolename") or (catalog.session.role if catalog is not None else None)
    if name is None and kind != "ROLESPEC_PUBLIC":
        return
    identity = f"{'PUBLIC' if kind == 'ROLESPEC_PUBLIC' else quote_identifier(str(name))} SERVER {server}"
    statement = step.statement.node_kind
    if statement == "CreateUserMappingStmt":
        needs = addresses(step, "foreign server", server)
        make(step, "user mapping", identity, needs=needs, if_not_exists=bool(node.get("if_not_exists")))
        if node.get("user", {}).get("rolename"):
            note_unsure(step, str(node["user"]["rolename"]), None)
    elif step.now.other("user mapping", identity) is None and not node.get("missing_ok"):
        step.refuse("42704", f"user mapping {identity} does not exist")
    elif statement == "DropUserMappingStmt":
        step.change.put_other("user mapping", identity, None)


def read_depends(node: Node, step: Step) -> None:
    """ALTER … DEPENDS ON EXTENSION"""
    extension = str(node.get("extname", {}).get("sval", ""))
    if "relation" in node:
        found = find_existing(step, node["relation"])
        if found is not None:
            trigger = node.get("objectType") == "OBJECT_TRIGGER"
            mode = LockMode.ACCESS_SHARE if trigger else LockMode.ACCESS_EXCLUSIVE
            step.lock(found, mode, "it is tied to the extension")
    if step.now.other("extension", extension) is None:
        step.refuse("42704", f'extension "{extension}" does not exist')


def read_alter_text_search(node: Node, step: Step) -> None:
    """ALTER TEXT SEARCH DICTIONARY and CONFIGURATION: touches no table."""
    field, kind = ("dictname", "OBJECT_TSDICTIONARY") if "dictname" in node else ("cfgname", "OBJECT_TSCONFIGURATION")
    if step.schema.known:
        find_named(kind, {"List": {"items": node.get(field, [])}}, step)
