"""What a role that is no superuser is not allowed to do.

Source: PostgreSQL documentation, "Privileges" and the "Notes" of each command, and ``aclchk.c``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, Sequence
from confiture_tui.core.effects.rights import is_restricted, may_use, owns
from confiture_tui.core.effects.statements.definitions import names_in
from confiture_tui.core.effects.statements.named_objects import names_of, relation_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_SUPERUSERS = frozenset(
    {
        "AlterFdwStmt",
        "AlterOpFamilyStmt",
        "CreateAmStmt",
        "CreateFdwStmt",
        "CreateOpClassStmt",
        "CreateOpFamilyStmt",
    }
)
"""Statements that only a superuser may run, whatever was granted."""
_SUPERUSERS_DEFINE = frozenset({"OBJECT_TSPARSER", "OBJECT_TSTEMPLATE"})
_RIGHTS_NOT_LISTED = frozenset(
    {
        "AlterDatabaseSetStmt",
        "AlterDatabaseStmt",
        "AlterDefaultPrivilegesStmt",
        "AlterExtensionContentsStmt",
        "AlterExtensionStmt",
        "AlterForeignServerStmt",
        "AlterOwnerStmt",
        "AlterPublicationStmt",
        "AlterRoleSetStmt",
        "AlterRoleStmt",
        "AlterSubscriptionStmt",
        "AlterTSConfigurationStmt",
        "AlterTSDictionaryStmt",
        "AlterUserMappingStmt",
        "CheckPointStmt",
        "CreateCastStmt",
        "CreateExtensionStmt",
        "CreateForeignServerStmt",
        "CreateForeignTableStmt",
        "CreatePLangStmt",
        "CreatePublicationStmt",
        "CreateRoleStmt",
        "CreateSchemaStmt",
        "CreateSubscriptionStmt",
        "CreateTableSpaceStmt",
        "CreateTransformStmt",
        "CreateUserMappingStmt",
        "CreatedbStmt",
        "DropOwnedStmt",
        "DropRoleStmt",
        "DropUserMappingStmt",
        "DropdbStmt",
        "GrantRoleStmt",
        "GrantStmt",
        "ImportForeignSchemaStmt",
        "LoadStmt",
        "ReassignOwnedStmt",
        "SecLabelStmt",
    }
)
"""Statements that need a right on what the catalog does not list, or that of another role."""
_OF_ITS_OWNER = {
    "AlterTableStmt": "relation",
    "RenameStmt": "relation",
    "AlterObjectSchemaStmt": "relation",
    "IndexStmt": "relation",
    "RuleStmt": "relation",
    "CreatePolicyStmt": "table",
    "AlterPolicyStmt": "table",
    "AlterSeqStmt": "sequence",
}
_MAINTAINED = frozenset({"ReindexStmt", "ClusterStmt", "RefreshMatViewStmt"})
_MAINTAIN_SINCE = 170000
_QUERIES = frozenset(
    {
        "CopyStmt",
        "CreateTableAsStmt",
        "DeclareCursorStmt",
        "DeleteStmt",
        "ExplainStmt",
        "InsertStmt",
        "MergeStmt",
        "SelectStmt",
        "UpdateStmt",
    }
)
_WRITES = {"InsertStmt": ("INSERT",), "UpdateStmt": ("UPDATE",), "DeleteStmt": ("DELETE",)}
_ACTIONS = {"CMD_INSERT": "INSERT", "CMD_UPDATE": "UPDATE", "CMD_DELETE": "DELETE"}
_ROUTINES = frozenset({"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"})
_CLOSED_WORDS = (
    "pg_authid pg_shadow pg_statistic pg_statistic_ext_data pg_largeobject pg_subscription pg_user_mapping"
    " pg_file_settings pg_hba_file_rules pg_ident_file_mappings pg_shmem_allocations pg_backend_memory_contexts"
    " pg_replication_origin_status pg_config"
)
_CLOSED = frozenset(_CLOSED_WORDS.split())
"""PostgreSQL's own tables and views that not everybody may read."""


def refuse_before(step: Step, kind: str, node: Node) -> bool:
    """Note what is refused as soon as a statement's objects are found; whether it is.

    Args:
        step: written to.
        kind: of the statement's node; ``node``: its fields.
    """
    if not is_restricted(step):
        return False
    defines = kind == "DefineStmt" and (
        node.get("kind") in _SUPERUSERS_DEFINE or (node.get("kind") == "OBJECT_TYPE" and node.get("definition"))
    )
    if kind in _SUPERUSERS or defines or (kind == "CreatePLangStmt" and "plhandler" in node):
        step.fails("42501", "only a superuser may do this")
        return True
    if kind in _RIGHTS_NOT_LISTED or (kind == "VariableSetStmt" and node.get("name") in _ROLE_SETTINGS):
        step.may_fail("42501", "it needs a right that the role may not have")
    if kind == "DropStmt" and _drops_of_others(step, node):
        step.fails("42501", "must be owner of it")
        return True
    for relation in _to_be_owned(step, kind, node):
        found = _owned(step, relation)
        if found is not None and not owns(step, found.owner):
            step.fails("42501", f"must be owner of {found.qualified_name}")
            return True
    if not owns(step, _owner_of_other(step, kind, node)):
        step.fails("42501", "must be owner of it")
        return True
    return False


_ROLE_SETTINGS = frozenset({"role", "session_authorization"})


def refuse_after(step: Step, kind: str, node: Node) -> None:
    """Note what is refused when a statement has been analysed, and is to be run.

    Args:
        step: written to.
        kind: of the statement's node; ``node``: its fields.
    """
    if not is_restricted(step):
        return
    for relation, privileges in _to_be_used(step, kind, node):
        schema = relation.get("schemaname")
        if schema is None and relation.get("relname") in _CLOSED:
            step.may_fail("42501", f"permission denied for {relation['relname']}")
        place = step.now.namespace(schema) if schema is not None else None
        if place is not None and not place.usable:
            step.fails("42501", f"permission denied for schema {schema}")
            continue
        found = _owned(step, relation)
        if found is None:
            continue
        allowed = may_use(step, found, privileges)
        if allowed is False:
            step.fails("42501", f"permission denied for {found.qualified_name}")
        elif allowed is None:
            step.may_fail("42501", f"permission denied for columns of {found.qualified_name}")


def _owned(step: Step, relation: Node) -> Relation | Sequence | None:
    """What a name means; of an index, its table."""
    found = step.now.find(relation).object
    if isinstance(found, Index):
        found = step.now.by_oid(found.relation_oid)
    return found if isinstance(found, Relation | Sequence) else None


def _to_be_owned(step: Step, kind: str, node: Node) -> Iterator[Node]:
    field = _OF_ITS_OWNER.get(kind)
    if field is not None and isinstance(node.get(field), dict):
        yield node[field]
    if kind == "CreateStatsStmt":
        yield from (one["RangeVar"] for one in node.get("relations", ()) if "RangeVar" in one)
    if kind == "CreateStmt":
        yield from (one["RangeVar"] for one in node.get("inhRelations", ()))
    if kind == "ViewStmt" and node.get("replace"):
        yield node["view"]
    if kind == "CommentStmt" and node.get("objtype") in _COMMENTED:
        names = names_of(node.get("object", {}))
        names = names[:-1] if node["objtype"] == "OBJECT_COLUMN" else names
        if names:
            yield relation_name(names, step)
    for one in node.get("cmds", ()) if kind == "AlterTableStmt" else ():
        command = one["AlterTableCmd"]
        if command.get("subtype") == "AT_AttachPartition":
            yield command["def"]["PartitionCmd"]["name"]
        elif command.get("subtype") == "AT_AddInherit":
            yield command["def"]["RangeVar"]
        elif command.get("subtype") == "AT_ChangeOwner":
            step.may_fail("42501", "the role may not give it away")


_COMMENTED = frozenset(
    {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE", "OBJECT_COLUMN"}
)


def _owner_of_other(step: Step, kind: str, node: Node) -> str | None:
    """The owner of a routine, type or schema that a statement alters; ``None``: it alters none, or it is not known."""
    what = str(node.get("objtype") or node.get("renameType") or node.get("objectType") or "")
    target = node.get("func") or node.get("object", {}).get("ObjectWithArgs", {})
    if kind == "CreateFunctionStmt" and node.get("replace"):
        found = step.now.routines(list(names_in(node, "funcname")))
        return found[0].owner if len(found) == 1 else None
    if kind == "AlterFunctionStmt" or (kind in _ALTERING and what in _ROUTINES):
        found = step.now.routines(list(names_in(target, "objname")))
        return found[0].owner if len(found) == 1 else None
    if kind in ("AlterEnumStmt", "AlterDomainStmt", "AlterTypeStmt"):
        one = step.now.type(list(names_in(node, "typeName")))
        return one.owner if one is not None else None
    if kind == "RenameStmt" and what == "OBJECT_SCHEMA":
        schema = step.now.namespace(str(node.get("subname")))
        step.may_fail("42501", "to rename a schema one must be allowed to create in the database")
        return schema.owner if schema is not None else None
    return None


_ALTERING = frozenset({"RenameStmt", "AlterObjectSchemaStmt", "AlterOwnerStmt", "CommentStmt"})


def _drops_of_others(step: Step, node: Node) -> bool:
    """Whether something is dropped that is not one's own, nor in a schema of one's own."""
    kind = str(node.get("removeType"))
    for one in node.get("objects", ()):
        if kind == "OBJECT_SCHEMA":
            place = step.now.namespace(names_of(one)[-1])
            if place is not None and not owns(step, place.owner):
                return True
        elif kind == "OBJECT_INDEX" or (kind in _COMMENTED and kind != "OBJECT_COLUMN"):
            found = _owned(step, relation_name(names_of(one), step))
            place = step.now.namespace(found.schema) if found is not None else None
            if found is not None and place is not None and not owns(step, found.owner) and not owns(step, place.owner):
                return True
        elif kind in ("OBJECT_EXTENSION", "OBJECT_FOREIGN_SERVER", "OBJECT_FDW", "OBJECT_PUBLICATION"):
            step.may_fail("42501", "one may not be its owner")
    return False


def _to_be_used(step: Step, kind: str, node: Node) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """The relations that a statement uses, and the privileges of which one is needed."""
    if kind == "TruncateStmt":
        yield from ((one["RangeVar"], ("TRUNCATE",)) for one in node.get("relations", ()))
    elif kind == "LockStmt":
        yield from ((one["RangeVar"], _of_lock(int(node.get("mode", 8)))) for one in node.get("relations", ()))
    elif kind == "CreateTrigStmt":
        yield node["relation"], ("TRIGGER",)
    elif kind in _MAINTAINED and "relation" in node:
        newer = step.schema.server_version_num >= _MAINTAIN_SINCE
        yield node["relation"], ("MAINTAIN",) if newer else ()
    elif kind in ("CreateStmt", "AlterTableStmt"):
        yield from _of_definition(node)
    elif kind in _QUERIES:
        if kind == "CopyStmt" and "relation" in node:
            yield node["relation"], ("INSERT",) if node.get("is_from") else ("SELECT",)
        yield from _of_query({kind: node})


def _of_lock(mode: int) -> tuple[str, ...]:
    """For LOCK TABLE in a mode, by its number: ACCESS SHARE is 1, ROW EXCLUSIVE 3."""
    strong = ("UPDATE", "DELETE", "TRUNCATE", "MAINTAIN")
    if mode <= 1:
        return ("SELECT", "INSERT", *strong)
    return ("INSERT", *strong) if mode <= 3 else strong


def _of_definition(node: Node) -> Iterator[tuple[Node, tuple[str, ...]]]:
    waiting: list[object] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            if isinstance(one.get("pktable"), dict):
                yield one["pktable"], ("REFERENCES",)
            if isinstance(one.get("TableLikeClause"), dict):
                yield one["TableLikeClause"]["relation"], ("SELECT",)
            waiting.extend(one.values())


def _of_query(tree: Node) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """The tables of a query, and of those in it; names of WITH are none."""
    named: set[str] = set()
    found: list[tuple[Node, tuple[str, ...]]] = []
    waiting: list[object] = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
            continue
        if not isinstance(one, dict):
            continue
        for key, value in one.items():
            if key == "ctename":
                named.add(str(value))
            elif key == "RangeVar":
                found.append((value, ("SELECT",)))
            elif key in _WRITES and isinstance(value, dict):
                found.append((value["relation"], _WRITES[key]))
            elif key == "MergeStmt" and isinstance(value, dict):
                actions = [each["MergeWhenClause"].get("commandType") for each in value.get("mergeWhenClauses", ())]
                found += [(value["relation"], (_ACTIONS[each],)) for each in actions if each in _ACTIONS]
            waiting.append(value)
    yield from ((one, privileges) for one, privileges in found if "schemaname" in one or one["relname"] not in named)
