"""How big tables are, and how far that can be relied on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.records import quickly_made

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.catalog.models.statistics import RelationStatistics

SMALL_BYTES: Final = 10 * 1024 * 1024
"""Up to this size (``pg_relation_size``) a table can be proved small: it is read or written anew in well under a
second."""

ASSUMED_ROWS: Final = 1_000_000
ASSUMED_BYTES: Final = 1024**3
"""What a table is taken for when nothing is known of it: big enough to hurt."""

_CHANGED_SHARE: Final = 0.2
_CHANGED_ROWS: Final = 1_000
"""Statistics are fresh while no more rows than these changed since ANALYZE: twice what wakes autovacuum
(``autovacuum_analyze_scale_factor`` 0.1, ``autovacuum_analyze_threshold`` 50), and never less than a page or two."""


@quickly_made
@dataclass(frozen=True, slots=True)
class TableSize:
    """The size of a table, with its partitions; of the heap, not of its indexes.

    Attributes:
        relation: qualified name.
        rows: estimated or, where nothing is known, assumed.
        bytes: of the main forks.
        index_bytes: of all its indexes.
        known: ``False`` when rows and bytes are assumed: no catalog, or no such table in it.
        fresh: the statistics are recent enough to rely on.
        proved_small: at most ``SMALL_BYTES``, with fresh statistics.
        proved_empty: a probe found no row.
        source: where the figures come from, in a few words.
    """

    relation: str
    rows: float
    bytes: int
    index_bytes: int
    known: bool
    fresh: bool
    proved_small: bool
    proved_empty: bool
    source: str


@dataclass(slots=True)
class Sizes:
    """The sizes of the tables of one catalog, each worked out once.

    Attributes:
        catalog: ``None``: every table is assumed to be big.
        new: relations that a migration before this one creates: they are not in the catalog, and nobody fills them.
        empty: relations that a probe found without a row.
        aliases: the catalog's names of relations that statements have renamed.
    """

    catalog: Catalog | None
    new: frozenset[str] = frozenset()
    empty: set[str] = field(default_factory=set)
    aliases: Mapping[str, str] = field(default_factory=dict)
    _named: Mapping[str, Relation] | None = None
    _indexes: Mapping[str, Index] | None = None
    _children: Mapping[int, list[Relation]] | None = None
    _known: dict[str, TableSize] = field(default_factory=dict)

    def of(self, relation: str) -> TableSize:
        """The size of a table by its qualified name."""
        size = self._known.get(relation)
        if size is None:
            size = self._known[relation] = self._measure(relation)
        empty = relation in self.empty or self.aliases.get(relation) in self.empty
        return replace(size, proved_empty=True) if empty else size

    def relation(self, name: str) -> Relation | None:
        """The relation of the catalog with this qualified name."""
        if self.catalog is None:
            return None
        if self._named is None:
            self._named = {each.qualified_name: each for each in self.catalog.relations.values()}
        return self._named.get(name) or self._named.get(self.aliases.get(name, name))

    def index(self, name: str) -> Index | None:
        """The index of the catalog with this qualified name."""
        if self.catalog is None:
            return None
        if self._indexes is None:
            self._indexes = {each.qualified_name: each for each in self.catalog.indexes.values()}
        return self._indexes.get(name)

    def storage(self, relation: Relation) -> Iterator[Relation]:
        """The relation, or the partitions that hold its rows."""
        if relation.kind is not RelationKind.PARTITIONED_TABLE:
            yield relation
            return
        for child in self._partitions(relation.oid):
            yield from self.storage(child)

    def _partitions(self, oid: int) -> Iterable[Relation]:
        if self._children is None:
            children: dict[int, list[Relation]] = {}
            for each in self.catalog.relations.values() if self.catalog else ():
                if each.is_partition:
                    for parent in each.parent_oids:
                        children.setdefault(parent, []).append(each)
            self._children = children
        return self._children.get(oid, ())

    def _measure(self, name: str) -> TableSize:
        relation = self.relation(name)
        if relation is None:
            if name in self.new:
                return TableSize(name, 0, 0, 0, True, True, True, False, "made by a migration before this one")
            source = "assumed: no catalog" if self.catalog is None else "assumed: not in the catalog"
            return TableSize(name, ASSUMED_ROWS, ASSUMED_BYTES, 0, False, False, False, False, source)
        parts = list(self.storage(relation))
        if any(part.kind is RelationKind.FOREIGN_TABLE for part in parts):
            return TableSize(name, ASSUMED_ROWS, ASSUMED_BYTES, 0, False, False, False, False, "assumed: foreign table")
        statistics = [part.statistics for part in parts if part.statistics is not None]
        size = sum(_bytes(each) for each in statistics)
        fresh = all(_is_fresh(each) for each in statistics)
        indexes = sum(index.size or 0 for part in parts for index in part.indexes)
        unread = any(each.size is None for each in statistics)
        source = "pg_relation_size and " + ("fresh statistics" if fresh else "statistics that are stale or missing")
        rows = sum(_rows(each) for each in statistics)
        small = size <= SMALL_BYTES and fresh and not unread
        return TableSize(name, rows, size, indexes, True, fresh, small, False, source)


def _bytes(statistics: RelationStatistics) -> int:
    return statistics.pages * 8192 if statistics.size is None else statistics.size


def _rows(statistics: RelationStatistics) -> float:
    """As the planner does: the density of the last ANALYZE times the pages that there are now.

    Without an ANALYZE: as many as would fit at 64 bytes a row, which errs towards more.
    """
    size = _bytes(statistics)
    if statistics.rows < 0 or (statistics.rows == 0 and statistics.pages == 0):
        return max(float(statistics.live_rows), size / 64)
    density = statistics.rows / statistics.pages if statistics.pages else 0.0
    return max(density * size / 8192, float(statistics.live_rows) if density == 0 else 0.0)


def _is_fresh(statistics: RelationStatistics) -> bool:
    never = not any(
        (statistics.last_analyze, statistics.last_autoanalyze, statistics.last_vacuum, statistics.last_autovacuum)
    )
    if never:
        return statistics.size == 0
    return statistics.changed_since_analyze <= max(_CHANGED_ROWS, _CHANGED_SHARE * max(statistics.rows, 0))
