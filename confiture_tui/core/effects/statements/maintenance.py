"""VACUUM, ANALYZE, CLUSTER, REINDEX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Persistence, Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.queries.foreign_tables import note_access
from confiture_tui.core.effects.schema import Presence
from confiture_tui.core.effects.statements.known_options import refuse_unknown_options, refuse_vacuum_options
from confiture_tui.core.effects.statements.options import option
from confiture_tui.core.effects.statements.targets import find_existing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_AE = LockMode.ACCESS_EXCLUSIVE
_SUE = LockMode.SHARE_UPDATE_EXCLUSIVE
_STORED = frozenset({RelationKind.TABLE, RelationKind.MATERIALIZED_VIEW})
_VACUUMED = _STORED | {RelationKind.PARTITIONED_TABLE}
_ANALYZES_CHILDREN = 180000
"""From this version on ANALYZE of a table analyzes those that inherit from it too, and knows ONLY."""
_MAINTAIN = 170000
"""From this version on who has MAINTAIN on a table may reindex it, without being its owner."""
_NO_ORDER = frozenset({"hash", "gin", "spgist", "brin"})
"""The access methods that CLUSTER cannot go by (``amclusterable``)."""


def read_vacuum(node: Node, step: Step) -> None:
    """VACUUM [FULL] [ANALYZE] …, and ANALYZE …"""
    vacuum = bool(node.get("is_vacuumcmd"))
    full = vacuum and option(node, "full")
    listed = [one.get("VacuumRelation", {}) for one in node.get("rels", [])]
    refuse_vacuum_options(step, node, tables=bool(listed))
    if vacuum:
        step.not_in_transaction()
    if not listed:
        for each in _all_relations(step, _VACUUMED, "every table is worked on"):
            _vacuum(step, each, vacuum=vacuum, full=full)
        return
    for one in listed:
        found = find_existing(step, one["relation"])
        if found is None:
            continue
        relation = found.relation
        if relation is None or not found.known:
            _assume_vacuum(step, found, vacuum=vacuum, full=full)
            continue
        if relation.kind not in _VACUUMED and relation.kind is not RelationKind.FOREIGN_TABLE:
            step.note(f"skipping {found.name}: it cannot be {'vacuumed' if vacuum else 'analyzed'}")
            continue
        names = [column["String"].get("sval", "") for column in one.get("va_cols", [])]
        for place, name in enumerate(names):
            if name in names[:place]:
                step.refuse("42701", f'column "{name}" of relation "{relation.name}" appears more than once')
            if relation.column(name) is None:
                step.refuse("42703", f'column "{name}" of relation "{relation.name}" does not exist')
        _vacuum_tree(step, relation, vacuum=vacuum, full=full, node=node, only=not one["relation"].get("inh", False))


def _vacuum_tree(step: Step, relation: Relation, *, vacuum: bool, full: bool, node: Node, only: bool) -> None:
    """A table with its partitions; ANALYZE reads those that inherit, and from 18 on analyzes them too."""
    below = step.now.descendants(relation)
    partitioned = relation.kind is RelationKind.PARTITIONED_TABLE
    newer = step.schema.server_version_num >= _ANALYZES_CHILDREN
    included = (partitioned or (newer and not vacuum)) and not (only and newer)
    for each in (relation, *(below if included else ())):
        if each.kind is RelationKind.FOREIGN_TABLE and not vacuum:
            note_access(step, each)
        _vacuum(step, each, vacuum=vacuum, full=full)
    if not included and (not vacuum or option(node, "analyze")):
        for each in below:
            step.lock(each, LockMode.ACCESS_SHARE, "ANALYZE samples the tables that inherit")


def _vacuum(step: Step, relation: Relation, *, vacuum: bool, full: bool) -> None:
    if relation.kind is RelationKind.FOREIGN_TABLE and vacuum:
        return
    if full:
        step.lock(relation, _AE, "VACUUM FULL writes it anew")
        if relation.kind in _STORED:
            rewrite_with_indexes(step, relation, "VACUUM FULL writes it anew")
    else:
        step.lock(relation, _SUE, "VACUUM and ANALYZE lock out other DDL")


def _assume_vacuum(step: Step, found: Found, *, vacuum: bool, full: bool) -> None:
    step.lock(found, _AE if full else _SUE, "VACUUM FULL writes it anew" if full else "it locks out other DDL")
    step.unknown_reach("without a catalog its partitions and indexes are not known")
    if full:
        step.rewrite(found, "VACUUM FULL writes it anew")
        step.scan(found, "VACUUM FULL reads it")
    del vacuum


def read_cluster(node: Node, step: Step) -> None:
    """CLUSTER a table by an index, or all that have been clustered before."""
    refuse_unknown_options(step, "CLUSTER", node.get("params", []))
    if "relation" not in node:
        for each in _all_relations(step, _STORED, "every table that was clustered before is written anew"):
            clustered = next((one for one in each.indexes if one.clustered), None)
            if clustered is not None:
                _cluster(step, each)
        return
    found = find_existing(step, node["relation"])
    if found is None:
        return
    step.lock(found, _AE, "CLUSTER writes it anew")
    relation = found.relation
    if relation is None or not found.known:
        step.unknown_reach("without a catalog its indexes are not known")
        step.transactional_unknown()
        step.rewrite(found, "CLUSTER writes it anew")
        step.scan(found, "CLUSTER reads it")
        return
    if relation.kind not in _VACUUMED:
        step.refuse("42809", f'"{relation.name}" is not a table or materialized view')
    partitioned = relation.kind is RelationKind.PARTITIONED_TABLE
    if partitioned and step.schema.server_version_num < 150000:
        step.refuse("0A000", "cannot cluster a partitioned table")
    name = node.get("indexname")
    index = next((one for one in relation.indexes if (one.name == name if name else one.clustered)), None)
    if index is None:
        if name is None:
            step.refuse("42704", f'there is no previously clustered index for table "{relation.name}"')
        elsewhere = step.now.find({"schemaname": relation.schema, "relname": name}).missing
        if elsewhere:
            step.refuse("42704", f'index "{name}" for table "{relation.name}" does not exist')
        step.refuse("42809", f'"{name}" is not an index for table "{relation.name}"')
    check_clusterable(step, index)
    if partitioned:
        step.not_in_transaction()
        for child in step.now.descendants(relation):
            step.lock(child, _AE, "CLUSTER writes it anew")
            if child.kind in _STORED:
                rewrite_with_indexes(step, child, "CLUSTER writes it anew")
        return
    _cluster(step, relation)
    step.change.put(
        replace(relation, indexes=tuple(replace(one, clustered=one.oid == index.oid) for one in relation.indexes))
    )


def check_clusterable(step: Step, index: Index) -> None:
    """See that CLUSTER can go by an index.

    Raises:
        Refused: it cannot.
    """
    if index.access_method in _NO_ORDER:
        step.refuse("0A000", f'cannot cluster on index "{index.name}": its access method does not support clustering')
    if index.predicate is not None:
        step.refuse("0A000", f'cannot cluster on partial index "{index.name}"')
    if not index.valid:
        step.refuse("0A000", f'cannot cluster on invalid index "{index.name}"')


def _cluster(step: Step, relation: Relation) -> None:
    step.lock(relation, _AE, "CLUSTER writes it anew")
    rewrite_with_indexes(step, relation, "CLUSTER writes it anew")


def rewrite_with_indexes(step: Step, relation: Relation, why: str) -> None:
    """The table is read and written anew, and all its indexes with it."""
    step.rewrite(relation, why)
    step.scan(relation, f"{why}, from its old storage")
    for index in relation.indexes:
        step.rebuild(index, relation, why)


def read_reindex(node: Node, step: Step) -> None:
    """REINDEX INDEX, TABLE, SCHEMA, DATABASE, SYSTEM; CONCURRENTLY."""
    refuse_unknown_options(step, "REINDEX", node.get("params", []))
    concurrent = option(node, "concurrently", field="params")
    if any(one["DefElem"].get("defname") == "tablespace" for one in node.get("params", ())):
        step.may_fail("42704", "the tablespace may not exist")
    if "relation" in node:
        _refuse_system(node, step, concurrent=concurrent)
    match node.get("kind"):
        case "REINDEX_OBJECT_INDEX":
            _reindex_index(node, step, concurrent=concurrent)
        case "REINDEX_OBJECT_TABLE":
            _reindex_table(node, step, concurrent=concurrent)
        case "REINDEX_OBJECT_SCHEMA":
            name = node.get("name", "")
            if step.now.has_schema(name) is False:
                step.refuse("3F000", f'schema "{name}" does not exist')
            for each in _all_relations(step, _STORED, "every table of the schema is worked on", schema=name):
                _reindex(step, each, each.indexes, concurrent=concurrent)
        case "REINDEX_OBJECT_DATABASE":
            _require_current(node, step)
            for each in _all_relations(step, _STORED, "every table is worked on"):
                _reindex(step, each, each.indexes, concurrent=concurrent)
        case _:
            _require_current(node, step)
            if concurrent:
                step.refuse("0A000", "cannot reindex system catalogs concurrently")


def _refuse_system(node: Node, step: Step, *, concurrent: bool) -> None:
    """PostgreSQL's own relations are a superuser's, and never reindexed CONCURRENTLY."""
    catalog = step.schema.catalog
    found = step.now.find(node["relation"])
    if catalog is None or found.presence is not Presence.SYSTEM:
        return
    if not catalog.session.is_superuser:
        if catalog.server_version_num < _MAINTAIN:
            step.refuse("42501", f"must be owner of table {found.key[1]}")
        step.may_fail("42501", f"only a superuser, or who has MAINTAIN, may reindex {found.name}")
    if concurrent:
        step.refuse("0A000", "cannot reindex system catalogs concurrently")


def _require_current(node: Node, step: Step) -> None:
    """REINDEX DATABASE and SYSTEM work on the session's database, whose name may be left out from 16 on."""
    catalog = step.schema.catalog
    if catalog is not None and node.get("name", catalog.database) != catalog.database:
        step.refuse("0A000", "can only reindex the currently open database")


def _reindex_index(node: Node, step: Step, *, concurrent: bool) -> None:
    found = find_existing(step, node["relation"])
    if found is None:
        return
    if found.object is not None and not isinstance(found.object, Index):
        step.refuse("42809", f'"{found.key[1]}" is not an index')
    index = found.object
    table = step.now.by_oid(index.relation_oid) if isinstance(index, Index) else None
    if not isinstance(index, Index) or not isinstance(table, Relation):
        step.unknown_reach("without a catalog the table of the index is not known")
        step.transactional_unknown()
        step.rebuild(found.name, found.name, "REINDEX builds it anew")
        return
    if not index.is_partitioned:
        _reindex(step, table, (index,), concurrent=concurrent)
        return
    step.not_in_transaction()
    if not concurrent:
        step.lock(table, LockMode.SHARE, "REINDEX locks out writers")
    for part in _parts_of(step, index):
        owner = step.now.by_oid(part.relation_oid)
        if isinstance(owner, Relation) and not part.is_partitioned:
            _reindex(step, owner, (part,), concurrent=concurrent)


def _parts_of(step: Step, index: Index) -> Iterable[Index]:
    """The indexes of partitions that are attached to a partitioned one, and to those in turn."""
    table = step.now.by_oid(index.relation_oid)
    if not isinstance(table, Relation):
        return
    for child in step.now.children(table):
        for one in child.indexes:
            if one.parent == index.qualified_name:
                yield one
                yield from _parts_of(step, one)


def _reindex_table(node: Node, step: Step, *, concurrent: bool) -> None:
    found = find_existing(step, node["relation"])
    if found is None:
        return
    relation = found.relation
    if relation is None or not found.known:
        if found.object is not None and relation is None:
            step.refuse("42809", f'"{found.key[1]}" is not a table or materialized view')
        step.lock(found, _SUE if concurrent else LockMode.SHARE, "REINDEX works on its indexes")
        step.scan(found, "REINDEX reads it for each index")
        step.transactional_unknown()
        step.unknown_reach("without a catalog its partitions and indexes are not known")
        return
    if relation.kind not in _VACUUMED:
        step.refuse("42809", f'"{relation.name}" is not a table or materialized view')
    if relation.kind is not RelationKind.PARTITIONED_TABLE:
        _reindex(step, relation, relation.indexes, concurrent=concurrent)
        return
    step.not_in_transaction()
    mode = _SUE if concurrent else LockMode.SHARE
    for one in (relation, *step.now.descendants(relation)):
        step.lock(one, mode, "REINDEX locks out writers" if not concurrent else "REINDEX locks out other DDL")
        if one.kind in _STORED:
            _reindex(step, one, one.indexes, concurrent=concurrent)


def _reindex(step: Step, table: Relation, indexes: Iterable[Index], *, concurrent: bool) -> None:
    listed = tuple(indexes)
    # Nobody else sees a temporary table: CONCURRENTLY is not used on one.
    concurrent = concurrent and table.persistence is not Persistence.TEMPORARY
    if not concurrent:
        step.lock(table, LockMode.SHARE, "REINDEX locks out writers")
        for index in listed:
            step.scan(table, "REINDEX reads it for each index")
            step.rebuild(index, table, "REINDEX builds it anew")
        return
    step.lock(table, _SUE, "REINDEX CONCURRENTLY locks out other DDL")
    for index in listed:
        if index.exclusion:
            continue
        if index.unique:
            step.may_fail("23505", "a duplicate would be found, and leave an index behind that is not valid")
        step.scan(table, "REINDEX reads it for each index")
        # A new index is built beside the old one, and takes its name when it is ready.
        step.build(index, table, "REINDEX CONCURRENTLY builds a new one in its place")
        if step.schema.is_old(index):
            step.create(index)
            step.drop(index)


def _all_relations(
    step: Step, kinds: frozenset[RelationKind], why: str, *, schema: str | None = None
) -> list[Relation]:
    if not step.schema.known:
        step.unknown_reach(f"without a catalog: {why}")
    found = [one for one in step.now.relations(schema) if isinstance(one, Relation) and one.kind in kinds]
    return [one for one in found if one.persistence is not Persistence.TEMPORARY]
