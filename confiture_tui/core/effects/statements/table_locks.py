"""TRUNCATE and LOCK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.expressions.views import query_of
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.queries.foreign_tables import note_access
from confiture_tui.core.effects.statements.queries_of_views import direct_reads
from confiture_tui.core.effects.statements.targets import find_existing, refuse_system_catalog
from confiture_tui.core.effects.taking_away import proved_without_rows

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_AE = LockMode.ACCESS_EXCLUSIVE
_BY_STRENGTH = {mode.strength: mode for mode in LockMode}
_TRUNCATED = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.FOREIGN_TABLE})
_LOCKED = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.VIEW})


def read_truncate(node: Node, step: Step) -> None:
    """TRUNCATE … [RESTART IDENTITY] [CASCADE]"""
    restart = bool(node.get("restart_seqs"))
    cascade = node.get("behavior") == "DROP_CASCADE"
    tables: dict[int, Relation] = {}
    for one in node["relations"]:
        refuse_system_catalog(step, one["RangeVar"])
        found = find_existing(step, one["RangeVar"])
        if found is None:
            continue
        step.lock(found, _AE, "TRUNCATE gives it new, empty storage")
        relation = found.relation
        if relation is None or not found.known:
            if found.object is not None and relation is None:
                step.refuse("42809", f'"{found.key[1]}" is not a table')
            _assume_truncated(step, found, cascade=cascade)
            continue
        if relation.kind not in _TRUNCATED:
            step.refuse("42809", f'"{relation.name}" is not a table')
        only = not one["RangeVar"].get("inh", False)
        if only and relation.kind is RelationKind.PARTITIONED_TABLE:
            step.refuse("42809", "cannot truncate only a partitioned table")
        for each in (relation, *(() if only else step.now.descendants(relation))):
            tables[each.oid] = each
    waiting = list(tables.values())
    while waiting:
        table = waiting.pop()
        for other, _constraint in step.now.referencing(table):
            if other.oid in tables:
                continue
            if not cascade:
                step.refuse("0A000", f"cannot truncate a table referenced in a foreign key constraint: {other.name}")
            # A partition's part of its parent's foreign key references the same.
            for each in (other, *(step.now.descendants(other) if other.partitioning is not None else ())):
                if each.oid not in tables:
                    tables[each.oid] = each
                    waiting.append(each)
    for table in tables.values():
        _truncate(step, table, restart=restart)


def _truncate(step: Step, table: Relation, *, restart: bool) -> None:
    if table.kind is RelationKind.FOREIGN_TABLE:
        note_access(step, table)
    step.lock(table, _AE, "TRUNCATE gives it new, empty storage")
    if restart:
        for sequence in step.now.owned_sequences(table):
            step.lock(sequence, _AE, "RESTART IDENTITY sets it back")
            step.rewrite(sequence, "RESTART IDENTITY sets it back")
    if table.kind is RelationKind.TABLE:
        step.rewrite(table, "TRUNCATE gives it new, empty storage")
        for index in table.indexes:
            step.scan(table, "the indexes are built on the new, empty storage")
            step.rebuild(index, table, "TRUNCATE builds it anew, empty")
    if table.kind is not RelationKind.PARTITIONED_TABLE and step.schema.is_old(table):
        lost = None if proved_without_rows(table) else True
        step.destroys_data(lost)
        step.changes_data(lost)
    if any("TRUNCATE" in one.definition for one in table.triggers):
        step.opaque(f"triggers of {table.qualified_name} run")


def _assume_truncated(step: Step, found: Found, *, cascade: bool) -> None:
    step.unknown_reach("without a catalog its partitions, its indexes and what references it are not known")
    step.rewrite(found, "TRUNCATE gives it new, empty storage")
    step.destroys_data(True)
    step.changes_data(True)
    if not cascade:
        step.may_fail("0A000", "a foreign key may reference it")


def read_lock(node: Node, step: Step) -> None:
    """LOCK TABLE … IN … MODE; of a view also all that it reads."""
    if step.session.transaction is None:
        step.refuse("25P01", "LOCK TABLE can only be used in transaction blocks")
    mode = _BY_STRENGTH[int(node.get("mode", LockMode.ACCESS_EXCLUSIVE.strength))]
    if node.get("nowait"):
        step.may_fail("55P03", "NOWAIT: somebody may hold a lock on it")
    for one in node["relations"]:
        found = find_existing(step, one["RangeVar"])
        if found is None:
            continue
        relation = found.relation
        if found.object is not None and (relation is None or (found.known and relation.kind not in _LOCKED)):
            step.refuse("42809", f'cannot lock relation "{found.key[1]}"')
        _lock(step, found, mode, only=not one["RangeVar"].get("inh", False), seen=set())


def _lock(step: Step, found: Found | Relation, mode: LockMode, *, only: bool, seen: set[int]) -> None:
    relation = found if isinstance(found, Relation) else found.relation
    step.lock(found, mode, f"LOCK TABLE asks for {mode}")
    if relation is None or step.now.is_partial(relation):
        step.unknown_reach("without a catalog its partitions, or the tables beneath a view, are not known")
        return
    if relation.oid in seen:
        return
    seen.add(relation.oid)
    if relation.kind is RelationKind.VIEW:
        query = query_of(relation)
        if query is None:
            step.unknown_reach(f"the query of {relation.qualified_name} could not be read")
            return
        for read in direct_reads(query, step.now):
            inside = read.found.relation
            if inside is not None and inside.kind in _LOCKED:
                _lock(step, inside, mode, only=read.only, seen=seen)
    elif not only:
        for child in step.now.descendants(relation):
            step.lock(child, mode, f"LOCK TABLE asks for {mode}, of children too")
