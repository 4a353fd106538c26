"""What concerns the session or the server as a whole, and touches no table of this database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.history import UNKNOWN
from confiture_tui.core.effects.ownership import is_needed
from confiture_tui.core.effects.setting_names import is_unknown
from confiture_tui.core.effects.statements.known_options import refuse_unknown_options
from confiture_tui.core.effects.statements.roles import known_roles, require_roles
from confiture_tui.core.effects.statements.settings import major_of, require_setting, require_value, setting_text

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]


_SHOWN = frozenset({"time zone", "transaction isolation level", "session authorization"})


def read_nothing(_node: Node, _step: Step) -> None:
    """LISTEN, NOTIFY, UNLISTEN, CHECKPOINT: touch no table, and cannot fail for what the database holds."""


def read_show(node: Node, step: Step) -> None:
    """SHOW"""
    name = str(node.get("name", "")).lower()
    if name != "all" and is_unknown(name, major_of(step)) and name not in _SHOWN:
        step.refuse("42704", f'unrecognized configuration parameter "{name}"')
    if "." in name and name not in step.settings:
        step.may_fail("42704", f'unrecognized configuration parameter "{name}"')


def read_load(_node: Node, step: Step) -> None:
    """LOAD: the library's own code runs in the server."""
    step.opaque("the library's code runs when it is loaded")
    step.may_fail("58P01", "the file may not be there")


def read_discard(node: Node, step: Step) -> None:
    """DISCARD"""
    if node.get("target") == "DISCARD_ALL":
        step.not_in_transaction()
        step.session.reset(None)


def read_constraints(node: Node, step: Step) -> None:
    """SET CONSTRAINTS: what was deferred is checked now."""
    listed = [one["RangeVar"] for one in node.get("constraints", [])]
    if node.get("deferred"):
        step.session.constraints_deferred = True
    else:
        step.may_fail("23503", "deferred constraints are checked now")
        if not listed:
            step.session.deferred = {}
    if not step.schema.known:
        return
    for one in listed:
        name = one["relname"]
        found = [
            constraint
            for relation in step.now.relations()
            for constraint in getattr(relation, "constraints", ())
            if constraint.name == name
        ]
        if not found:
            step.refuse("42704", f'constraint "{name}" does not exist')
        if not any(constraint.deferrable for constraint in found):
            step.refuse("42809", f'constraint "{name}" is not deferrable')


def read_create_role(node: Node, step: Step) -> None:
    """CREATE ROLE, USER, GROUP"""
    name = str(node["role"])
    if name.startswith("pg_"):
        step.refuse("42939", f'role name "{name}" is reserved')
    for one in node.get("options", ()):
        element = one["DefElem"]
        if element.get("defname") in ("addroleto", "rolemembers", "adminmembers"):
            require_roles(step, element.get("arg", {}).get("List", {}).get("items", []))
    catalog = step.schema.catalog
    found = step.now.other("role", name)
    if found is True or (found is not False and catalog is not None and name in known_roles(catalog)):
        step.refuse("42710", f'role "{name}" already exists')
    if found is not False:
        step.may_fail("42710", "the role may exist: roles belong to the whole server")
    step.change.put_other("role", name, True)


def read_alter_role(node: Node, step: Step) -> None:
    """ALTER ROLE"""
    if "setstmt" in node:
        require_setting(step, node["setstmt"])
        if "database" in node:
            step.may_fail("3D000", "the database may not exist")
    if any(one["DefElem"].get("defname") == "superuser" for one in node.get("options", ())):
        step.may_fail("0A000", "the first superuser must stay one")
    require_roles(step, [node["role"]] if "role" in node else [])


def read_drop_role(node: Node, step: Step) -> None:
    """DROP ROLE: fails while the role owns something, or was granted something, in any database."""
    catalog = step.schema.catalog
    for one in node.get("roles", []):
        if one["RoleSpec"].get("roletype") != "ROLESPEC_CSTRING":
            step.refuse("22023", "cannot use special role specifier in DROP ROLE")
        name = str(one["RoleSpec"].get("rolename", ""))
        found = step.now.other("role", name)
        if found is False:
            if not node.get("missing_ok"):
                step.refuse("42704", f'role "{name}" does not exist')
            continue
        needed = is_needed(step.now, name)
        if needed:
            step.refuse("2BP01", f'role "{name}" cannot be dropped because some objects depend on it')
        if found is not True:
            if not node.get("missing_ok") and (catalog is None or name not in known_roles(catalog)):
                step.may_fail("42704", f'role "{name}" may not exist')
            needed = None
        if needed is None:
            step.may_fail("2BP01", "it may own something, or have been granted something, in any database")
        # Gone, and known to be gone.
        step.change.put_other("role", name, False)


def read_grant_role(node: Node, step: Step) -> None:
    """GRANT and REVOKE of membership in roles."""
    require_roles(step, node.get("grantee_roles", []))
    for one in node.get("granted_roles", []):
        name = one.get("AccessPriv", {}).get("priv_name")
        if name is not None:
            require_roles(step, [{"rolename": name}])
            members = [each.get("RoleSpec", {}).get("rolename") for each in node.get("grantee_roles", [])]
            if node.get("is_grant") and name in members:
                step.refuse("0LP01", f'role "{name}" is a member of role "{name}"')
            if node.get("is_grant"):
                step.may_fail("0LP01", "the membership may be circular")


def read_server_wide(node: Node, step: Step) -> None:
    """Databases, tablespaces, system settings: nothing of this database is touched."""
    step.may_fail("3D000", "the database may not exist")
    if "setstmt" in node:
        require_setting(step, node["setstmt"])
    step.may_fail("42704", "what it names belongs to the whole server, and is not known here")
    step.may_fail("42710", "what it names belongs to the whole server, and is not known here")


def read_create_database(node: Node, step: Step) -> None:
    """CREATE DATABASE, CREATE TABLESPACE"""
    step.not_in_transaction()
    if step.statement.node_kind == "CreatedbStmt":
        refuse_unknown_options(step, "CREATE DATABASE", node.get("options", []))
    step.may_fail("42P04", "the database may exist")


def read_drop_database(node: Node, step: Step) -> None:
    """DROP DATABASE and DROP TABLESPACE: another database's data go with it."""
    step.not_in_transaction()
    step.destroys_data(True)
    step.changes_data(True)
    if not node.get("missing_ok"):
        step.may_fail("3D000", "it may not exist")
    step.may_fail("55006", "somebody may be connected to it")


def read_drop_tablespace(_node: Node, step: Step) -> None:
    """DROP TABLESPACE: only an empty one can be dropped."""
    step.not_in_transaction()
    step.may_fail("55000", "the tablespace may hold something")
    step.may_fail("42704", "the tablespace may not exist")


def read_alter_system(node: Node, step: Step) -> None:
    """ALTER SYSTEM"""
    step.not_in_transaction()
    setting = node.get("setstmt", {})
    name = str(setting.get("name", "")).lower()
    if setting.get("kind") in ("VAR_SET_VALUE", "VAR_RESET", "VAR_SET_DEFAULT") and is_unknown(name, major_of(step)):
        step.refuse("42704", f'unrecognized configuration parameter "{name}"')
    if setting.get("kind") == "VAR_SET_VALUE":
        require_value(step, name, setting_text(name, setting.get("args", [])))
    step.may_fail("42501", "only a superuser, or who has been granted it, may do this")


def read_subscription(node: Node, step: Step) -> None:
    """CREATE, ALTER and DROP SUBSCRIPTION: another server takes part."""
    name = str(node.get("subname", ""))
    kind = step.statement.node_kind
    found = step.now.other("subscription", name)
    if kind == "CreateSubscriptionStmt":
        refuse_unknown_options(step, "CREATE SUBSCRIPTION", node.get("options", []))
        if found not in (None, UNKNOWN):
            step.refuse("42710", f'subscription "{name}" already exists')
        step.unknown_reach("the tables that are subscribed to are known to the publisher only")
        step.opaque("the tables that are subscribed to are known to the publisher only")
        step.changes_data(None)
        step.may_fail("08006", "the publisher may not be reached")
        return
    if found is None and not node.get("missing_ok"):
        step.refuse("42704", f'subscription "{name}" does not exist')
    step.unknown_reach("the tables that are subscribed to are known to the publisher only")
    step.may_fail("08006", "the publisher may not be reached")
