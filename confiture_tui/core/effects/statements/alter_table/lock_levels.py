"""The lock that each sub-command of ALTER TABLE needs; the statement takes the strongest of them at once.

Source: PostgreSQL documentation, ALTER TABLE and "Explicit Locking"; ``AlterTableGetLockLevel`` and the lock levels of
the storage parameters in ``reloptions.c``. The same in versions 14 to 18.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from confiture_tui.core.effects.lock_modes import LockMode

Node = dict[str, Any]

_SHARE_UPDATE_EXCLUSIVE = frozenset(
    {
        "AT_SetStatistics",
        "AT_ClusterOn",
        "AT_DropCluster",
        "AT_SetOptions",
        "AT_ResetOptions",
        "AT_ValidateConstraint",
        "AT_AttachPartition",
        "AT_DetachPartitionFinalize",
    }
)
_SHARE_ROW_EXCLUSIVE = frozenset(
    {
        "AT_EnableTrig",
        "AT_EnableAlwaysTrig",
        "AT_EnableReplicaTrig",
        "AT_EnableTrigAll",
        "AT_EnableTrigUser",
        "AT_DisableTrig",
        "AT_DisableTrigAll",
        "AT_DisableTrigUser",
    }
)
_STRONG_PARAMETERS = frozenset(
    {
        "autosummarize",
        "buffering",
        "check_option",
        "fastupdate",
        "gin_pending_list_limit",
        "pages_per_range",
        "security_barrier",
        "security_invoker",
        "user_catalog_table",
    }
)
# The storage parameters that need ACCESS EXCLUSIVE; all others need SHARE UPDATE EXCLUSIVE.


def lock_level(commands: Iterable[Node]) -> LockMode:
    """The mode in which the relation of an ALTER TABLE is locked: the strongest that a sub-command needs."""
    return max((_of(one) for one in commands), key=lambda mode: mode.strength, default=LockMode.ACCESS_EXCLUSIVE)


def _of(command: Node) -> LockMode:
    subtype = command.get("subtype", "")
    if subtype in _SHARE_UPDATE_EXCLUSIVE:
        return LockMode.SHARE_UPDATE_EXCLUSIVE
    if subtype in _SHARE_ROW_EXCLUSIVE:
        return LockMode.SHARE_ROW_EXCLUSIVE
    definition = command.get("def", {})
    if subtype == "AT_AddConstraint" and definition.get("Constraint", {}).get("contype") == "CONSTR_FOREIGN":
        return LockMode.SHARE_ROW_EXCLUSIVE
    if subtype == "AT_DetachPartition" and definition.get("PartitionCmd", {}).get("concurrent"):
        return LockMode.SHARE_UPDATE_EXCLUSIVE
    if subtype in ("AT_SetRelOptions", "AT_ResetRelOptions"):
        names = {one["DefElem"].get("defname") for one in definition.get("List", {}).get("items", ())}
        return LockMode.ACCESS_EXCLUSIVE if names & _STRONG_PARAMETERS else LockMode.SHARE_UPDATE_EXCLUSIVE
    return LockMode.ACCESS_EXCLUSIVE
