"""Which partitions a query or a new row can reach, from the bounds and from values that are written plainly.

Only keys of whole numbers, dates, timestamps and texts (these in lists only) are judged, of several columns only in
ranges; by hash, whole numbers; in any other case every partition is taken to be reached.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.expressions.reads import Comparison, Condition
from confiture_tui.core.effects.partition_hash import row_hash
from confiture_tui.core.effects.partition_values import (
    NULL,
    TEXTS,
    TIMES,
    WHOLE,
    ZONED,
    Values,
    datum_of,
    values_of,
    zoned,
)
from confiture_tui.core.effects.range_keys import Box
from confiture_tui.core.effects.type_names import parse_type
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.schema import Schema

Bound = tuple[str, tuple[Any, ...], tuple[Any, ...]]
"""``list`` with values, ``range`` with lower and upper bounds (``None``: unbounded), ``hash`` with
modulus and remainder, ``default`` or ``other``."""


def reached(relation: Relation, schema: Schema, conditions: Iterable[Condition] = ()) -> tuple[Relation, ...]:
    """The partitions (theirs too) that rows meeting the conditions may be in, or the children of a plain table.

    Args:
        relation: a partitioned table, or one that others inherit from.
        schema: where its partitions are looked up.
        conditions: what the rows must meet.
    """
    conditions = tuple(conditions)
    found: dict[int, Relation] = {}
    waiting = [relation]
    while waiting:
        parent = waiting.pop(0)
        for child in _within(parent, schema.children(parent), conditions, schema):
            if child.oid not in found:
                found[child.oid] = child
                waiting.append(child)
    return tuple(found.values())


def _within(
    parent: Relation, children: tuple[Relation, ...], conditions: tuple[Condition, ...], schema: Schema
) -> tuple[Relation, ...]:
    partitioning = parent.partitioning
    if partitioning is not None and partitioning.strategy == "range" and len(partitioning.columns) > 1:
        return _within_ranges(parent, children, conditions, schema)
    key = _key(parent, schema)
    if key is None:
        return children
    name, type_name = key
    values = values_of(name, conditions, type_name)
    if values is None:
        return children
    if parent.partitioning is not None and parent.partitioning.strategy == "hash" and values[2] is None:
        return children
    bounds = [(child, _bound(child.partition_bound or "", type_name)) for child in children]
    kept = [child for child, bound in bounds if bound[0] == "other" or _meets(bound, values, type_name)]
    if not _covered([bound for _, bound in bounds], values):
        kept += [child for child, bound in bounds if bound[0] == "default"]
    return tuple(dict.fromkeys(kept))


def _within_ranges(
    parent: Relation, children: tuple[Relation, ...], conditions: tuple[Condition, ...], schema: Schema
) -> tuple[Relation, ...]:
    """Of a table that is divided by ranges of several columns."""
    columns = parent.partitioning.columns if parent.partitioning is not None else ()
    keys: list[tuple[str, str]] = []
    for name in columns:
        key = _plain_key(parent, name, schema, "range")
        if key is None:
            break
        keys.append(key)
    box = Box.of(tuple(keys), conditions, whole=len(keys) == len(columns))
    if box is None:
        return children
    kept: list[Relation] = []
    certain = False
    for child in children:
        written = child.partition_bound or ""
        if written.strip().upper() == "DEFAULT":
            continue
        meets = box.meets(written)
        certain = certain or meets is True
        if meets is not False:
            kept.append(child)
    if not (certain and box.is_row):
        kept += [one for one in children if (one.partition_bound or "").strip().upper() == "DEFAULT"]
    return tuple(kept)


def _covered(bounds: list[Bound], values: Values) -> bool:
    """Whether every value in question has a partition of its own, so that none goes to the default one."""
    low, high, among = values
    if among is not None:
        return all(any(_meets(bound, (None, None, [value])) for bound in bounds) for value in among)
    ranges = [bound for bound in bounds if bound[0] == "range"]
    reached_to = low
    while high is None or reached_to is None or reached_to < high[0] or (reached_to == high[0] and not high[1]):
        ends = [end[0] for _, start, end in ranges if _goes_on(start[0], end[0], reached_to)]
        if not ends:
            return False
        if ends[0] is None:
            return True
        reached_to = ends[0]
    return True


def _goes_on(start: Any, end: Any, reached_to: Any) -> bool:
    """Whether a range holds what comes next; ``None`` is the infinity on its side."""
    if reached_to is None:
        return start is None
    return (start is None or start <= reached_to) and (end is None or end > reached_to)


def partitions_of_row(
    relation: Relation, schema: Schema, values: Mapping[str, object], nulls: Collection[str] = ()
) -> tuple[Relation, ...]:
    """The partitions that a new row may go to; ``values``: those of its columns that are known; ``nulls``: NULL."""
    conditions = [
        Condition(name, Comparison.EQUAL, values=(value,)) for name, value in values.items() if value is not None
    ]
    conditions += [Condition(name, Comparison.IS_NULL) for name in nulls]
    return reached(relation, schema, conditions)


def has_home(relation: Relation, schema: Schema, values: Mapping[str, object], nulls: Collection[str] = ()) -> bool:
    """Whether there may be a partition for a new row."""
    found = partitions_of_row(relation, schema, values, nulls)
    return any(one.kind is not RelationKind.PARTITIONED_TABLE for one in found)


def _key(parent: Relation, schema: Schema) -> tuple[str, str] | None:
    """The name and type of the one key column; ``None`` where partitions cannot be told apart here."""
    partitioning = parent.partitioning
    if partitioning is None or len(partitioning.columns) != 1:
        return None
    return _plain_key(parent, partitioning.columns[0], schema, partitioning.strategy)


def _plain_key(parent: Relation, name: str | None, schema: Schema, strategy: str) -> tuple[str, str] | None:
    """The name and type of a key column whose values can be compared here; ``None`` of any other."""
    column = parent.column(name) if name is not None else None
    if name is None or column is None:
        return None
    kind = parse_type(column.type).bare
    if strategy == "hash":
        return (name, kind) if kind in WHOLE else None
    if kind == ZONED:
        # A text without an offset is a time of the session's zone.
        return name, zoned(kind, schema.time_zone)
    plain = kind in WHOLE | TIMES or (kind in TEXTS and strategy == "list")
    return (name, kind) if plain else None


def _meets(bound: Bound, values: Values, type_name: str = "") -> bool:
    kind, lower, upper = bound
    low, high, among = values
    if kind == "default":
        return False
    if kind == "hash":
        # NULL counts for nothing in the hash.
        hashes = [0 if one is NULL else row_hash(one, type_name) for one in among or ()]
        return any(one % lower[0] == upper[0] for one in hashes)
    if kind == "list":
        candidates = [one for one in lower if one is not None]
        if among is not None:
            return any(one in candidates or (one is NULL and None in lower) for one in among)
        return any(_between(one, low, high) for one in candidates)
    start, end = lower[0], upper[0]
    if among is not None:
        # NULL is in no range.
        known = [one for one in among if one is not NULL]
        return any((start is None or start <= one) and (end is None or one < end) for one in known)
    if low is not None and end is not None and low >= end:
        return False
    return not (high is not None and start is not None and (high[0] < start or (high[1] and high[0] <= start)))


def _between(value: Any, low: Any, high: Any) -> bool:
    return (low is None or value >= low) and (high is None or value < high[0] or (value == high[0] and not high[1]))


@lru_cache(maxsize=4096)
def _bound(written: str, type_name: str) -> Bound:
    if written.strip().upper() == "DEFAULT":
        return "default", (), ()
    tree = parse(f"CREATE TABLE c PARTITION OF p {written}")
    if isinstance(tree, SyntaxProblem):
        return "other", (), ()
    spec = tree[1].get("partbound", {})
    if "modulus" in spec:
        return "hash", (spec["modulus"],), (spec.get("remainder", 0),)
    if "listdatums" in spec:
        read = [datum_of(one, type_name) for one in spec["listdatums"]]
        if any(one == "?" for one in read):
            return "other", (), ()
        return "list", tuple(None if one == "null" else one[0] for one in read), ()
    if "lowerdatums" in spec and "upperdatums" in spec and len(spec["lowerdatums"]) == 1:
        low, high = datum_of(spec["lowerdatums"][0], type_name), datum_of(spec["upperdatums"][0], type_name)
        if "?" in (low, high):
            return "other", (), ()
        return "range", (low[0] if isinstance(low, tuple) else None,), (high[0] if isinstance(high, tuple) else None,)
    return "other", (), ()


def ancestors(partition: Relation, schema: Schema) -> tuple[Relation, ...]:
    """The partitioned table that a table is a partition of, the one that that is a partition of, and so on."""
    found: list[Relation] = []
    while partition.is_partition and (above := schema.parents(partition)):
        partition = above[0]
        found.append(partition)
    return tuple(found)
