"""From two looks, before and after a statement, to the effects of the statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.observer import Baseline, Counters, Look, RelationState, strongest
from confiture_tui.core.dry_run.result import Rows
from confiture_tui.core.effects.model import RelationLock

if TYPE_CHECKING:
    from confiture_tui.core.effects.lock_modes import LockMode
    from confiture_tui.core.sql.statement import Statement

_LOCKED_KINDS = frozenset("rpvmSf")
"""Tables, partitioned tables, views, materialized views, sequences, foreign tables: what ``locks`` names."""
_HOLD_ROWS = frozenset("rmpf")
"""What has columns with data, if only in its partitions or on another server."""
_STORED_KINDS = frozenset("rmS")
"""What has storage of its own that a statement can write anew, indexes apart."""
_LISTED_KINDS = _LOCKED_KINDS | frozenset("iI")
"""What ``creates`` and ``drops`` name."""
_MAY_TRUNCATE = frozenset({"TruncateStmt", "DoStmt", "CallStmt", "SelectStmt", "ExecuteStmt"})
_TYPE_CHANGES = frozenset({"AT_AlterColumnType", "AT_SetExpression"})


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of one statement: the lists of ``Effects``, rows changed and bytes of write-ahead log.

    ``complete``: every relation that it touched was seen.
    """

    locks: tuple[RelationLock, ...]
    rewrites: tuple[str, ...]
    scans: tuple[str, ...]
    builds: tuple[str, ...]
    rebuilds: tuple[str, ...]
    creates: tuple[str, ...]
    drops: tuple[str, ...]
    invalid_indexes: tuple[str, ...]
    destroys_data: bool | None
    changes_data: bool | None
    rows: int
    wal_bytes: int
    complete: bool = True


def sighting(
    statement: Statement, baseline: Baseline, before: Look, after: Look, rows: Rows, *, complete: bool = True
) -> Sighting:
    """What the statement did between two looks.

    Args:
        statement: what ran: whether new storage means new values can only be told from its text.
        baseline: every relation as it was before it. Relations that the migration itself made are only ever listed
            in ``creates``.
        before: the look just before it, in the same transaction.
        after: the look just after it, in the same transaction.
        rows: what data was there: an empty shadow cannot say whether data would have been lost.
        complete: every relation that it touched was seen.
    """
    known = baseline.relations
    # Only what was touched: a database may have thousands of relations, and this runs after every statement.
    touched = after.states.keys() | after.gone | after.counters.keys()
    old = {oid: known[oid] for oid in touched if oid in known and oid in baseline.initial}
    counters = {oid: count - before.counters.get(oid, Counters()) for oid, count in after.counters.items()}
    dropped = [old[oid] for oid in after.gone if oid in old]
    created = [state for oid, state in after.states.items() if oid not in known and state.kind != "t"]
    stored = [
        (old[oid], state)
        for oid, state in after.states.items()
        if oid in old and state.storage != old[oid].storage and state.storage
    ]
    changed = sum(
        count.changed for oid, count in counters.items() if oid in after.states and after.states[oid].kind in "rmfp"
    )
    destroys = _destroys(statement, old, after, counters, dropped, rows)
    return Sighting(
        locks=existing_locks(baseline, _added(before, after)),
        rewrites=_names(was for was, _is in stored if was.kind in _STORED_KINDS),
        scans=_names(
            old[oid] for oid, count in counters.items() if count.scans > 0 and oid in old and old[oid].kind in "rm"
        ),
        builds=_names(_builds(created, dropped, old)),
        rebuilds=_names(was for was, _is in stored if was.kind == "i"),
        creates=_names(state for state in created if state.kind in _LISTED_KINDS),
        drops=_names(state for state in dropped if state.kind in _LISTED_KINDS),
        invalid_indexes=_names(
            state for oid, state in after.states.items() if not state.valid and (oid not in known or known[oid].valid)
        ),
        destroys_data=destroys,
        changes_data=_changes(statement, old, counters, rows, destroys=destroys),
        rows=changed,
        wal_bytes=max(0, after.wal - before.wal),
        complete=complete,
    )


def _names(states: Any) -> tuple[str, ...]:
    return tuple(sorted({state.name for state in states}))


def existing_locks(baseline: Baseline, modes: Mapping[int, LockMode]) -> tuple[RelationLock, ...]:
    """The locks on relations that existed before the migration, by name; TOAST's and indexes are not listed."""
    found = []
    for oid, mode in modes.items():
        state = baseline.relations.get(oid)
        if state is not None and oid in baseline.initial and state.kind in _LOCKED_KINDS:
            found.append(RelationLock(relation=state.name, mode=mode))
    return tuple(sorted(found, key=lambda lock: lock.relation))


def _added(before: Look, after: Look) -> dict[int, LockMode]:
    """The strongest lock on each relation that the statement itself added."""
    added = {}
    for oid, modes in after.locks.items():
        held = before.locks.get(oid, frozenset())
        now = strongest(modes)
        if not held or strongest(held).strength < now.strength:
            added[oid] = now
    return added


def _builds(
    created: list[RelationState], dropped: list[RelationState], old: dict[int, RelationState]
) -> list[RelationState]:
    """New indexes on tables that existed before; one that took over a dropped index's storage was not built."""
    reused = {state.storage for state in dropped if state.kind == "i"}
    return [
        state
        for state in created
        if state.kind == "i" and state.table in old and (not state.storage or state.storage not in reused)
    ]


def _dropped_columns(was: RelationState, now: RelationState) -> bool:
    return now.kind in _HOLD_ROWS and now.dropped > was.dropped


def _destroys(
    statement: Statement,
    old: dict[int, RelationState],
    after: Look,
    counters: dict[int, Counters],
    dropped: list[RelationState],
    rows: Rows,
) -> bool | None:
    """Whether rows or columns went for good; unknown where the shadow has no rows to lose."""
    # An UPDATE that moves a row to another partition counts as a deletion and an insertion.
    if statement.node_kind != "UpdateStmt" and any(
        count.deleted for oid, count in counters.items() if oid in old and old[oid].kind in "rmfp"
    ):
        return True
    losing = [state for state in dropped if state.kind in "rp" and not state.temporary]
    losing += [old[oid] for oid, state in after.states.items() if oid in old and _dropped_columns(old[oid], state)]
    # TRUNCATE gives a table new, empty storage. So does a rewrite of a table that holds dead rows only: the statement
    # decides, and code that may have done anything is taken at its worst.
    if statement.node_kind in _MAY_TRUNCATE:
        losing += [
            old[oid]
            for oid, state in after.states.items()
            if oid in old
            and state.kind == "r"
            and state.storage != old[oid].storage
            and old[oid].size != 0
            and not state.size
        ]
    if losing:
        if rows is not Rows.FULL:
            return None
        return any(state.size != 0 or state.kind == "p" for state in losing)
    if rows is not Rows.FULL and statement.node_kind in {"DeleteStmt", "MergeStmt", "TruncateStmt", "UpdateStmt"}:
        return None
    return False


def _changes(
    statement: Statement,
    old: dict[int, RelationState],
    counters: dict[int, Counters],
    rows: Rows,
    *,
    destroys: bool | None,
) -> bool | None:
    """Whether stored values changed, came or went; unknown where a conversion may or may not have changed them."""
    if any(count.changed for oid, count in counters.items() if oid in old and old[oid].kind in "rmfp"):
        return True
    if destroys is not False:
        return True if rows is Rows.FULL else None
    if statement.node_kind == "AlterTableStmt" and _TYPE_CHANGES & _subcommands(statement):
        return None
    if rows is not Rows.FULL and statement.node_kind in {"UpdateStmt", "InsertStmt", "MergeStmt"}:
        return None
    return False


def _subcommands(statement: Statement) -> set[str]:
    node = statement.node or {}
    return {
        str(command["AlterTableCmd"].get("subtype"))
        for command in node.get("cmds", ())
        if isinstance(command, dict) and "AlterTableCmd" in command
    }
