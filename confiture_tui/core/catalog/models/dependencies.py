"""What depends on what (``pg_depend``), and so what a DROP … CASCADE reaches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

PG_CLASS = 1259
PG_TYPE = 1247
PG_PROC = 1255
PG_CONSTRAINT = 2606
PG_ATTRDEF = 2604
PG_REWRITE = 2618
PG_TRIGGER = 2620
PG_NAMESPACE = 2615
PG_EXTENSION = 3079
PG_POLICY = 3256
PG_EVENT_TRIGGER = 3466
# The oids of PostgreSQL's own catalogs are laid down in its sources (src/include/catalog/pg_*.h) and the same on
# every server; a test compares them with a server.


class ObjectAddress(NamedTuple):
    """One object: the oid of the catalog that holds it, its oid there, and a column's number (0: the whole)."""

    class_oid: int
    oid: int
    number: int = 0


class Dependency(NamedTuple):
    """One row of ``pg_depend``: ``dependent`` needs ``referenced``.

    ``kind`` is ``deptype``: ``n`` normal, ``a`` automatic, ``i`` internal, ``P`` and ``S`` of partitions, ``e`` member
    of an extension, ``x`` automatic on an extension.
    """

    dependent: ObjectAddress
    referenced: ObjectAddress
    kind: str


Group = tuple[int, int, str, str, str, str, str]
Row = tuple[int, int, int, int, int, int, str]


class Dependencies:
    """The dependencies among a database's own objects. Kept as the server's text, and indexed when first asked.

    Args:
        groups: ``classid``, ``refclassid``, ``deptype``, and of the rows that have these the ``objid``, ``objsubid``,
            ``refobjid``, ``refobjsubid``, each as one array in PostgreSQL's text form.
    """

    def __init__(self, groups: Iterable[Group] = ()) -> None:
        self._groups = tuple(groups)

    def __len__(self) -> int:
        return sum(group[3].count(",") + 1 for group in self._groups)

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        return tuple(
            (class_oid, oid, number, ref_class_oid, ref_oid, ref_number, kind)
            for class_oid, ref_class_oid, kind, *texts in self._groups
            for oid, number, ref_oid, ref_number in zip(
                *(map(int, text[1:-1].split(",")) for text in texts), strict=True
            )
        )

    @cached_property
    def _dependents(self) -> Mapping[tuple[int, int], list[Dependency]]:
        index: defaultdict[tuple[int, int], list[Dependency]] = defaultdict(list)
        for row in self._rows:
            index[row[3], row[4]].append(_edge(row))
        return dict(index)

    @cached_property
    def _references(self) -> Mapping[tuple[int, int], list[Dependency]]:
        index: defaultdict[tuple[int, int], list[Dependency]] = defaultdict(list)
        for row in self._rows:
            index[row[0], row[1]].append(_edge(row))
        return dict(index)

    def dependents(self, address: ObjectAddress) -> tuple[Dependency, ...]:
        """What needs this object directly; of a whole object also what needs one of its columns."""
        edges = self._dependents.get((address.class_oid, address.oid), ())
        return tuple(edge for edge in edges if address.number in (0, edge.referenced.number))

    def references(self, address: ObjectAddress) -> tuple[Dependency, ...]:
        """What this object needs directly; of a whole object also what one of its columns needs."""
        edges = self._references.get((address.class_oid, address.oid), ())
        return tuple(edge for edge in edges if address.number in (0, edge.dependent.number))

    def reach(self, *targets: ObjectAddress) -> frozenset[ObjectAddress]:
        """All that goes when the targets are dropped with CASCADE, themselves included.

        Follows PostgreSQL's own rule (PostgreSQL documentation, 52.18 ``pg_depend``): whatever depends on a dropped
        object goes too, and an object that is an internal part of another takes that other one with it.
        A column's counterpart in inheriting tables is not found here: that is no dependency but a recursion of ALTER
        TABLE. Nor is what only the text of a function's body needs.
        """
        reached: set[ObjectAddress] = set()
        waiting = list(targets)
        first = set(targets)
        while waiting:
            address = waiting.pop()
            if address in reached or address._replace(number=0) in reached:
                continue
            reached.add(address)
            waiting.extend(edge.dependent for edge in self.dependents(address))
            if address not in first:
                waiting.extend(
                    edge.referenced
                    for edge in self._references.get((address.class_oid, address.oid), ())
                    if edge.dependent.number == address.number and edge.kind in "ie"
                )
        whole = {(address.class_oid, address.oid) for address in reached if address.number == 0}
        return frozenset(
            address for address in reached if address.number == 0 or (address.class_oid, address.oid) not in whole
        )


def _edge(row: Row) -> Dependency:
    class_oid, oid, number, ref_class_oid, ref_oid, ref_number, kind = row
    return Dependency(ObjectAddress(class_oid, oid, number), ObjectAddress(ref_class_oid, ref_oid, ref_number), kind)
