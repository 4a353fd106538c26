"""Foreign data: wrappers, servers, user mappings, foreign tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_CLASS, ObjectAddress
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.ownership import note_unsure
from confiture_tui.core.effects.statements.creation import new_relation
from confiture_tui.core.effects.statements.made_objects import addresses, make
from confiture_tui.core.effects.statements.privileges import find_schema_quietly
from confiture_tui.core.effects.statements.roles import require_roles
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_LIKE = 180000
"""From this version on CREATE FOREIGN TABLE knows LIKE."""
_UNSUPPORTED = {
    "CONSTR_PRIMARY": "primary key",
    "CONSTR_UNIQUE": "unique",
    "CONSTR_EXCLUSION": "exclusion",
    "CONSTR_FOREIGN": "foreign key",
}


def refuse_constraint(step: Step, constraint: Node) -> None:
    """See that a foreign table can have a constraint: what happens there is not seen, so that no key can be kept.

    Raises:
        Refused: it cannot.
    """
    kind = _UNSUPPORTED.get(str(constraint.get("contype")))
    if kind is not None:
        step.refuse("0A000", f"{kind} constraints are not supported on foreign tables")


def note_options(step: Step, node: Node) -> None:
    """Options of a foreign object, which its wrapper's own code judges.

    Raises:
        Refused: one is given twice.
    """
    elements = [one["DefElem"] for one in node.get("options", ())]
    names = [str(one["defname"]) for one in elements if one.get("defaction", "DEFELEM_UNSPEC") != "DEFELEM_DROP"]
    for name in names:
        if names.count(name) > 1:
            step.refuse("42710", f'option "{name}" provided more than once')
    for one in elements:
        match one.get("defaction"):
            case "DEFELEM_SET" | "DEFELEM_DROP":
                step.may_fail("42704", f'option "{one["defname"]}" may not be there')
            case "DEFELEM_ADD":
                step.may_fail("42710", f'option "{one["defname"]}" may be there')
    if elements:
        for sqlstate in ("HV00D", "42601", "HV00J", "HV00L"):
            step.may_fail(sqlstate, "the wrapper may not know an option, or not take its value")


def made_by_name(kind: str, field: str, needs: tuple[str, str] | None = None) -> Callable[[Node, Step], None]:
    """A handler for CREATE of an object known by one name, which may need another one to be there."""

    def read(node: Node, step: Step) -> None:
        if needs is not None and node.get(needs[1]) is not None:
            needed = quote_identifier(str(node[needs[1]]))
            if step.now.other(needs[0], needed) in (None, False):
                step.refuse("42704", f"{needs[0]} {needed} does not exist")
        _note_functions(step, node)
        needed_there = addresses(step, needs[0], quote_identifier(str(node.get(needs[1])))) if needs is not None else []
        name = quote_identifier(str(node[field]))
        if make(step, kind, name, needs=needed_there, if_not_exists=bool(node.get("if_not_exists"))) is not None:
            note_options(step, node)

    return read


def _note_functions(step: Step, node: Node) -> None:
    if any("arg" in one["DefElem"] for one in node.get("func_options", ())):
        step.may_fail("42883", "the handler or validator may not exist")
        step.may_fail("42809", "the handler may be no such function")


def altered_by_name(kind: str, field: str) -> Callable[[Node, Step], None]:
    """A handler for ALTER of an object known by one name: touches no table."""

    def read(node: Node, step: Step) -> None:
        identity = quote_identifier(str(node[field]))
        if step.now.other(kind, identity) in (None, False):
            step.refuse("42704", f"{kind} {identity} does not exist")
        _note_functions(step, node)
        note_options(step, node)

    return read


def read_user_mapping(node: Node, step: Step) -> None:
    """CREATE, ALTER and DROP USER MAPPING"""
    server = quote_identifier(str(node["servername"]))
    role = node.get("user", {})
    if not node.get("missing_ok"):
        require_roles(step, [role])
    if step.now.other("foreign server", server) in (None, False) and not node.get("missing_ok"):
        step.refuse("42704", f"server {server} does not exist")
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
    elif step.now.other("user mapping", identity) in (None, False) and not node.get("missing_ok"):
        step.refuse("42704", f"user mapping {identity} does not exist")
    elif statement == "DropUserMappingStmt":
        step.change.put_other("user mapping", identity, None)
    note_options(step, node)


def read_foreign_table(node: Node, step: Step) -> None:
    """CREATE FOREIGN TABLE"""
    server = quote_identifier(str(node["servername"]))
    if step.now.other("foreign server", server) in (None, False):
        step.refuse("42704", f"server {server} does not exist")
    base = node["base"]
    for one in base.get("tableElts", ()):
        if "TableLikeClause" in one and step.schema.known and step.schema.server_version_num < _LIKE:
            step.refuse("0A000", "LIKE is not supported for creating foreign tables")
        for constraint in (one, *one.get("ColumnDef", {}).get("constraints", ())):
            refuse_constraint(step, constraint.get("Constraint", {}))
    step.run("CreateStmt", base)
    schema, name = new_relation(step, base["relation"])
    made = step.now.find({"schemaname": schema, "relname": name}).object
    if isinstance(made, Relation) and not step.schema.is_old(made):
        step.change.put(replace(made, kind=RelationKind.FOREIGN_TABLE, access_method=None, server=server))
        for one in addresses(step, "foreign server", server):
            step.change.depend(ObjectAddress(PG_CLASS, made.oid), one)
    note_options(step, node)


def read_import_foreign_schema(node: Node, step: Step) -> None:
    """IMPORT FOREIGN SCHEMA: what it makes is known to the other server only."""
    server = quote_identifier(str(node.get("server_name", "")))
    found = step.now.other("foreign server", server)
    if found in (None, False):
        step.refuse("42704", f"server {server} does not exist")
    find_schema_quietly(step, str(node.get("local_schema", "public")))
    step.opaque("what IMPORT FOREIGN SCHEMA makes is known to the other server only")
    step.unknown_reach("what IMPORT FOREIGN SCHEMA makes is known to the other server only")
    step.may_fail("08001", "the other server may not be reached")
