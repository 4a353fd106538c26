"""Whether a statement touches anything that was there before the migration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.effects.schema import Schema

_Node = Mapping[str, Any]

_KINDS: Final = """
    AlterPolicyStmt AlterSeqStmt AlterTableMoveAllStmt AlterTableStmt ClusterStmt CopyStmt CreatePolicyStmt
    CreateSeqStmt CreateStatsStmt CreateStmt CreateTableAsStmt CreateTrigStmt DeclareCursorStmt DeleteStmt ExplainStmt
    IndexStmt InsertStmt LockStmt
    MergeStmt RefreshMatViewStmt ReindexStmt RuleStmt SelectStmt TruncateStmt UpdateStmt VacuumStmt
    ViewStmt
    CompositeTypeStmt ConstraintsSetStmt CreateDomainStmt CreateEnumStmt CreateExtensionStmt CreateRangeStmt
    CreateSchemaStmt DefineStmt DiscardStmt FetchStmt ClosePortalStmt ListenStmt UnlistenStmt NotifyStmt PrepareStmt
    DeallocateStmt TransactionStmt VariableSetStmt VariableShowStmt
"""
_TELL_BY_LOCKS: Final = frozenset(_KINDS.split())
"""Kinds of statement that lock every relation of before that they touch, or that touch nothing but their session and
what they make."""

_RELATIONS: Final = frozenset(
    {
        "OBJECT_FOREIGN_TABLE",
        "OBJECT_INDEX",
        "OBJECT_MATVIEW",
        "OBJECT_SEQUENCE",
        "OBJECT_TABLE",
        "OBJECT_VIEW",
    }
)


def touches_existing(forecast: Forecast) -> bool:
    """Whether the statement reads, changes, drops or describes something that was there before the migration.

    Where that cannot be told it is taken to.
    """
    effects, node = forecast.effects, forecast.statement.node
    if node is None or effects.opaque or effects.locks or effects.drops or forecast.works:
        return True
    kind = forecast.statement.node_kind
    if kind in _TELL_BY_LOCKS:
        return effects.reach != "complete" and bool(effects.locks is None)
    before = forecast.before
    match kind:
        case "CreateFunctionStmt":
            return bool(node.get("replace")) and _routine_is_old(node.get("funcname", ()), before)
        case "GrantStmt":
            objects = node.get("objects", ())
            return not all("RangeVar" in each and not _relation_is_old(each["RangeVar"], before) for each in objects)
        case "CommentStmt" | "SecLabelStmt":
            return _named_is_old(str(node.get("objtype")), node.get("object", {}), before)
        case "AlterOwnerStmt" | "RenameStmt" | "AlterObjectSchemaStmt" if "relation" in node:
            return _relation_is_old(node["relation"], before)
        case "AlterOwnerStmt":
            return _named_is_old(str(node.get("objectType")), node.get("object", {}), before)
        case "AlterEnumStmt":
            return _type_is_old(_parts(node.get("typeName", ())), before)
        case "DropStmt":
            return effects.locks is None or _drops_what_is_old(node, before)
    return True


def _drops_what_is_old(node: _Node, before: Schema) -> bool:
    """Of relations, types, routines and schemas it is known; of other things nothing is known here."""
    kind, objects = str(node.get("removeType")), node.get("objects", ())
    if kind in _RELATIONS:
        return any(_relation_is_old(_range(_parts(each.get("List", {}).get("items", ()))), before) for each in objects)
    if kind in ("OBJECT_TYPE", "OBJECT_DOMAIN") and node.get("missing_ok") and before.known:
        types = (before.type(_parts(each.get("TypeName", {}).get("names", ()))) for each in objects)
        return any(found is not None and before.is_old(found) for found in types)
    return any(_named_is_old(kind, each, before) for each in objects)


def _named_is_old(kind: str, written: _Node, before: Schema) -> bool:
    """Something named as COMMENT names it."""
    parts = _parts(written.get("List", {}).get("items", ()))
    match kind:
        case "OBJECT_TABLE" | "OBJECT_VIEW" | "OBJECT_MATVIEW" | "OBJECT_SEQUENCE" | "OBJECT_INDEX":
            return _relation_is_old(_range(parts), before)
        case "OBJECT_COLUMN" | "OBJECT_TABCONSTRAINT" | "OBJECT_TRIGGER" | "OBJECT_POLICY" | "OBJECT_RULE":
            return _relation_is_old(_range(parts[:-1]), before)
        case "OBJECT_TYPE" | "OBJECT_DOMAIN":
            names = written.get("TypeName", {}).get("names", ())
            return _type_is_old(_parts(names) or parts, before)
        case "OBJECT_FUNCTION" | "OBJECT_PROCEDURE" | "OBJECT_ROUTINE":
            return _routine_is_old(written.get("ObjectWithArgs", {}).get("objname", ()), before)
        case "OBJECT_SCHEMA":
            name = str(written.get("String", {}).get("sval", ""))
            catalog = before.catalog
            return catalog is None or (name,) in catalog.schemas
    return True


def _parts(items: Any) -> list[str]:
    return [str(each.get("String", {}).get("sval", "")) for each in items]


def _range(parts: list[str]) -> _Node:
    if len(parts) == 1:
        return {"relname": parts[0]}
    return {"schemaname": parts[-2], "relname": parts[-1]} if parts else {}


def _relation_is_old(range_var: _Node, before: Schema) -> bool:
    if not range_var.get("relname"):
        return True
    found = before.find(range_var)
    return not found.missing and before.is_old(found.object)


def _type_is_old(parts: list[str], before: Schema) -> bool:
    found = before.type(parts) if parts else None
    return found is None or before.is_old(found)


def _routine_is_old(items: Any, before: Schema) -> bool:
    parts = _parts(items)
    found = before.routines(parts) if parts else ()
    if not found:
        return not before.known
    return any(before.is_old(each) for each in found)
