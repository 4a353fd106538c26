"""ALTER TABLE, and ALTER INDEX, VIEW, SEQUENCE, TYPE where the grammar makes them the same statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, RelationKind, Sequence
from confiture_tui.core.effects.schema import Presence
from confiture_tui.core.effects.statements.alter_table.columns import prepare_add_column
from confiture_tui.core.effects.statements.alter_table.constraints import (
    prepare_add_constraint,
    prepare_drop_constraint,
    prepare_validate,
)
from confiture_tui.core.effects.statements.alter_table.drop_column import prepare_drop_column
from confiture_tui.core.effects.statements.alter_table.enforcement import prepare_alter_constraint
from confiture_tui.core.effects.statements.alter_table.finish import finish
from confiture_tui.core.effects.statements.alter_table.indexes import alter_index
from confiture_tui.core.effects.statements.alter_table.inheritance import (
    prepare_inherit,
    prepare_no_inherit,
    prepare_not_of,
    prepare_of,
)
from confiture_tui.core.effects.statements.alter_table.lock_levels import lock_level
from confiture_tui.core.effects.statements.alter_table.markers import (
    prepare_nothing,
    prepare_owner,
    prepare_replica_identity,
    prepare_row_security,
    prepare_rule,
    prepare_trigger,
)
from confiture_tui.core.effects.statements.alter_table.not_null import prepare_drop_not_null, prepare_set_not_null
from confiture_tui.core.effects.statements.alter_table.partitions import (
    prepare_attach,
    prepare_detach,
    prepare_finalize,
)
from confiture_tui.core.effects.statements.alter_table.sequences import alter_sequence
from confiture_tui.core.effects.statements.alter_table.storage import (
    prepare_access_method,
    prepare_cluster,
    prepare_column_options,
    prepare_foreign_options,
    prepare_parameters,
    prepare_persistence,
    prepare_statistics,
    prepare_tablespace,
)
from confiture_tui.core.effects.statements.alter_table.types import prepare_type
from confiture_tui.core.effects.statements.alter_table.values import (
    prepare_add_identity,
    prepare_default,
    prepare_drop_expression,
    prepare_drop_identity,
    prepare_set_expression,
    prepare_set_identity,
)
from confiture_tui.core.effects.statements.alter_table.work import Alteration
from confiture_tui.core.effects.statements.targets import find_existing, kind_of, refuse_system_catalog, require_kind

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]
Prepare = Callable[[Alteration, Relation, Node], None]

_T, _P, _V = RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.VIEW
_M, _F, _C = RelationKind.MATERIALIZED_VIEW, RelationKind.FOREIGN_TABLE, RelationKind.COMPOSITE_TYPE
_ANY = frozenset(RelationKind)

_COMMANDS: Mapping[str, tuple[frozenset[RelationKind], Prepare]] = {
    "AT_AddColumn": (frozenset({_T, _P, _C, _F}), prepare_add_column),
    "AT_DropColumn": (frozenset({_T, _P, _C, _F}), prepare_drop_column),
    "AT_AlterColumnType": (frozenset({_T, _P, _C, _F}), prepare_type),
    "AT_ColumnDefault": (frozenset({_T, _P, _V, _F}), prepare_default),
    "AT_AddIdentity": (frozenset({_T, _P, _V, _F}), prepare_add_identity),
    "AT_SetIdentity": (frozenset({_T, _P, _V, _F}), prepare_set_identity),
    "AT_DropIdentity": (frozenset({_T, _P, _V, _F}), prepare_drop_identity),
    "AT_SetExpression": (frozenset({_T, _P, _F}), prepare_set_expression),
    "AT_DropExpression": (frozenset({_T, _P, _F}), prepare_drop_expression),
    "AT_SetNotNull": (frozenset({_T, _P, _F}), prepare_set_not_null),
    "AT_DropNotNull": (frozenset({_T, _P, _F}), prepare_drop_not_null),
    "AT_SetStatistics": (frozenset({_T, _P, _M, _F}), prepare_statistics),
    "AT_SetStorage": (frozenset({_T, _P, _M, _F}), prepare_statistics),
    "AT_SetOptions": (frozenset({_T, _P, _M, _F}), prepare_column_options),
    "AT_ResetOptions": (frozenset({_T, _P, _M, _F}), prepare_column_options),
    "AT_SetCompression": (frozenset({_T, _P, _M}), prepare_column_options),
    "AT_AlterColumnGenericOptions": (frozenset({_F}), prepare_column_options),
    "AT_AddConstraint": (frozenset({_T, _P, _F}), prepare_add_constraint),
    "AT_DropConstraint": (frozenset({_T, _P, _F}), prepare_drop_constraint),
    "AT_ValidateConstraint": (frozenset({_T, _P, _F}), prepare_validate),
    "AT_AlterConstraint": (frozenset({_T, _P}), prepare_alter_constraint),
    "AT_SetLogged": (frozenset({_T, _P}), prepare_persistence),
    "AT_SetUnLogged": (frozenset({_T, _P}), prepare_persistence),
    "AT_SetAccessMethod": (frozenset({_T, _P, _M}), prepare_access_method),
    "AT_SetTableSpace": (frozenset({_T, _P, _M}), prepare_tablespace),
    "AT_SetRelOptions": (frozenset({_T, _P, _V, _M}), prepare_parameters),
    "AT_ResetRelOptions": (frozenset({_T, _P, _V, _M}), prepare_parameters),
    "AT_ClusterOn": (frozenset({_T, _P, _M}), prepare_cluster),
    "AT_DropCluster": (frozenset({_T, _P, _M}), prepare_cluster),
    "AT_AddInherit": (frozenset({_T, _P, _F}), prepare_inherit),
    "AT_DropInherit": (frozenset({_T, _P, _F}), prepare_no_inherit),
    "AT_AddOf": (frozenset({_T, _P}), prepare_of),
    "AT_DropOf": (frozenset({_T, _P}), prepare_not_of),
    "AT_ReplicaIdentity": (frozenset({_T, _P, _M}), prepare_replica_identity),
    "AT_EnableTrig": (frozenset({_T, _P, _F}), prepare_trigger),
    "AT_EnableAlwaysTrig": (frozenset({_T, _P, _F}), prepare_trigger),
    "AT_EnableReplicaTrig": (frozenset({_T, _P, _F}), prepare_trigger),
    "AT_EnableTrigAll": (frozenset({_T, _P, _F}), prepare_trigger),
    "AT_EnableTrigUser": (frozenset({_T, _P, _F}), prepare_trigger),
    "AT_DisableTrig": (frozenset({_T, _P, _F}), prepare_trigger),
    "AT_DisableTrigAll": (frozenset({_T, _P, _F}), prepare_trigger),
    "AT_DisableTrigUser": (frozenset({_T, _P, _F}), prepare_trigger),
    "AT_EnableRule": (frozenset({_T, _P}), prepare_rule),
    "AT_EnableAlwaysRule": (frozenset({_T, _P}), prepare_rule),
    "AT_EnableReplicaRule": (frozenset({_T, _P}), prepare_rule),
    "AT_DisableRule": (frozenset({_T, _P}), prepare_rule),
    "AT_EnableRowSecurity": (frozenset({_T, _P}), prepare_row_security),
    "AT_DisableRowSecurity": (frozenset({_T, _P}), prepare_row_security),
    "AT_ForceRowSecurity": (frozenset({_T, _P}), prepare_row_security),
    "AT_NoForceRowSecurity": (frozenset({_T, _P}), prepare_row_security),
    "AT_ChangeOwner": (_ANY, prepare_owner),
    "AT_GenericOptions": (frozenset({_F}), prepare_foreign_options),
    "AT_DropOids": (frozenset({_T, _P, _F}), prepare_nothing),
    "AT_AttachPartition": (frozenset({_P}), prepare_attach),
    "AT_DetachPartition": (frozenset({_P}), prepare_detach),
    "AT_DetachPartitionFinalize": (frozenset({_P}), prepare_finalize),
}
# By sub-command: the kinds of relation that it may be used on, and what prepares it (``ATPrepCmd``).


def read_alter_table(node: Node, step: Step) -> None:
    """Read an ``AlterTableStmt``."""
    refuse_system_catalog(step, node["relation"])
    found = find_existing(step, node["relation"], missing_ok=bool(node.get("missing_ok")))
    if found is None:
        return
    object_type = node.get("objtype", "OBJECT_TABLE")
    require_kind(step, found, object_type)
    commands = [one["AlterTableCmd"] for one in node.get("cmds", ())]
    mode = lock_level(commands)
    if isinstance(found.object, Index) or (found.presence is Presence.ASSUMED and object_type == "OBJECT_INDEX"):
        alter_index(step, found, commands)
        return
    step.lock(found, mode, f"{step.statement.tag or 'ALTER TABLE'} needs it")
    if isinstance(found.object, Sequence) or (found.presence is Presence.ASSUMED and object_type == "OBJECT_SEQUENCE"):
        alter_sequence(step, found, commands)
        return
    relation = step.change.glimpse(found, kind_of(object_type))
    alteration = Alteration(step, relation, mode, recurse=bool(node["relation"].get("inh")))
    for number, command in enumerate(commands):
        step.command = number
        subtype = command["subtype"]
        known = _COMMANDS.get(subtype)
        if known is None:
            step.opaque(f"the sub-command {subtype} is not analysed")
            step.unknown_reach(f"the sub-command {subtype} is not analysed")
            continue
        kinds, prepare = known
        if relation.kind not in kinds and not step.schema.is_partial(relation):
            if subtype == "AT_AttachPartition" and step.schema.server_version_num < 180000:
                step.refuse("42P17", f'table "{relation.name}" is not partitioned')
            step.refuse("42809", f'ALTER action cannot be performed on relation "{relation.name}"')
        # Each sub-command finds the table as the statement found it.
        prepare(alteration, relation, command)
    alteration.run()
    finish(alteration)
