"""Sub-commands that change entries of the catalog and nothing else: triggers, rules, row security, owner, identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.ownership import give, role_named
from confiture_tui.core.effects.statements.alter_table.work import Alteration, Altered, Pass
from confiture_tui.core.effects.statements.roles import require_roles

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.indexes import Index

Node = dict[str, Any]

_TRIGGERS_RECURSE = 140005
"""The version from which ENABLE and DISABLE TRIGGER go to the partitions (release notes of 14.5)."""
_STATES = {"Enable": "origin", "Disable": "disabled", "EnableAlways": "always", "EnableReplica": "replica"}


def prepare_trigger(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue ENABLE and DISABLE TRIGGER."""
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _trigger(alteration, one, command))


def _trigger(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    name = command.get("name")
    found = next((one for one in relation.triggers if one.name == name), None)
    if name is not None and found is None and not alteration.partial(relation):
        step.refuse("42704", f'trigger "{name}" for table "{relation.name}" does not exist')
    alteration.unseen_children(relation)
    if alteration.recurse and _goes_to_partitions(alteration, relation, command):
        for child in alteration.schema.descendants(relation):
            alteration.lock(child, "triggers of a partitioned table are triggers of its partitions")
    state = _STATES[command["subtype"].removeprefix("AT_").partition("Trig")[0]]
    if found is not None:
        changed = replace(found, enabled=state)
        alteration.update(
            relation, triggers=tuple(changed if one.oid == changed.oid else one for one in relation.triggers)
        )


def _goes_to_partitions(alteration: Alteration, relation: Relation, command: Node) -> bool:
    """Whether a row trigger of a partitioned table is meant, foreign keys' own among them unless USER is written."""
    if relation.kind is not RelationKind.PARTITIONED_TABLE:
        return False
    if alteration.schema.server_version_num < _TRIGGERS_RECURSE:
        return False
    name = command.get("name")
    if any("FOR EACH ROW" in one.definition for one in relation.triggers if name in (None, one.name)):
        return True
    if name is not None or command["subtype"].endswith("User"):
        return False
    has_own = any(one.kind is ConstraintKind.FOREIGN_KEY and one.enforced for one in relation.constraints)
    return has_own or any(one.enforced for _table, one in alteration.schema.referencing(relation))


def prepare_rule(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue ENABLE and DISABLE RULE."""
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _rule(alteration, one, command))


def _rule(alteration: Alteration, altered: Altered, command: Node) -> None:
    relation = alteration.relation(altered)
    name = command["name"]
    known = any(one.name == name for one in relation.rules) or (
        name == "_RETURN" and relation.kind in (RelationKind.VIEW, RelationKind.MATERIALIZED_VIEW)
    )
    if not known and not alteration.partial(relation):
        alteration.step.refuse("42704", f'rule "{name}" for relation "{relation.name}" does not exist')


def prepare_row_security(alteration: Alteration, relation: Relation, command: Node) -> None:
    """ENABLE, DISABLE, FORCE and NO FORCE ROW LEVEL SECURITY."""
    changes = {
        "AT_EnableRowSecurity": {"row_security": True},
        "AT_DisableRowSecurity": {"row_security": False},
        "AT_ForceRowSecurity": {"force_row_security": True},
        "AT_NoForceRowSecurity": {"force_row_security": False},
    }[command["subtype"]]
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _put(alteration, one, **changes))


def prepare_owner(alteration: Alteration, relation: Relation, command: Node) -> None:
    """OWNER TO: the indexes and owned sequences follow."""
    step = alteration.step
    role = command.get("newowner", {})
    require_roles(step, [role])
    name = role_named(step, role)
    if relation.owner and name == relation.owner:
        return
    for sequence in alteration.schema.owned_sequences(relation):
        step.lock(sequence, LockMode.ACCESS_EXCLUSIVE, "a table's own sequences change their owner with it")
    if alteration.partial(relation):
        step.unknown_reach(f"the sequences of {relation.qualified_name} are not known")
    if name is not None:
        alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: give(step, alteration.relation(one), name))


def prepare_replica_identity(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue REPLICA IDENTITY."""
    alteration.queue(relation, Pass.MISCELLANEOUS, lambda one: _replica_identity(alteration, one, command))


def _replica_identity(alteration: Alteration, altered: Altered, command: Node) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    statement = command["def"]["ReplicaIdentityStmt"]
    kind = {"n": "nothing", "f": "full", "d": "default", "i": "index"}[statement["identity_type"]]
    index: Index | None = None
    if kind == "index":
        name = statement["name"]
        index = next((one for one in relation.indexes if one.name == name), None)
        if index is None and not alteration.partial(relation):
            if alteration.schema.find(f'"{relation.schema}"."{name}"').missing:
                step.refuse("42704", f'index "{name}" for table "{relation.name}" does not exist')
            step.refuse("42809", f'"{name}" is not an index for table "{relation.name}"')
        if index is not None:
            _refuse_identity(alteration, relation, index)
    indexes = tuple(
        replace(one, replica_identity=index is not None and one.oid == index.oid)
        if one.replica_identity or (index is not None and one.oid == index.oid)
        else one
        for one in relation.indexes
    )
    alteration.update(relation, replica_identity=kind, indexes=indexes)


def _refuse_identity(alteration: Alteration, relation: Relation, index: Index) -> None:
    step = alteration.step
    if not index.unique:
        step.refuse("42809", f'cannot use non-unique index "{index.name}" as replica identity')
    if not index.immediate:
        step.refuse("0A000", f'cannot use non-immediate index "{index.name}" as replica identity')
    if index.expressions:
        step.refuse("0A000", f'cannot use expression index "{index.name}" as replica identity')
    if index.predicate is not None:
        step.refuse("0A000", f'cannot use partial index "{index.name}" as replica identity')
    for name in index.key_columns:
        column = relation.column(name) if name is not None else None
        if column is not None and not column.not_null:
            step.refuse(
                "42809",
                f'index "{index.name}" cannot be used as replica identity because column "{name}" is nullable',
            )


def _put(alteration: Alteration, altered: Altered, **changes: Any) -> None:
    alteration.update(alteration.relation(altered), **changes)


def prepare_nothing(alteration: Alteration, relation: Relation, command: Node) -> None:
    """What only the statement's own lock is needed for."""
