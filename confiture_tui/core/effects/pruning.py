"""Which partitions a query or a new row can reach, from the bounds and from values that are written plainly.

Only single-column keys of whole numbers, dates, timestamps and texts (these in lists only) are judged; by hash, whole
numbers; in any other case every partition is taken to be reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.expressions.reads import Comparison, Condition
from confiture_tui.core.effects.partition_hash import row_hash
from confiture_tui.core.effects.type_names import parse_type
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.schema import Schema

_WHOLE = frozenset({"smallint", "integer", "bigint"})
_TIMES = frozenset({"date", "timestamp without time zone"})
_TEXTS = frozenset({"text", "character varying", "boolean"})
_MOMENT = re.compile(r"\d{4}-\d\d?-\d\d?([ T]\d\d?:\d\d(:\d\d(\.\d{1,6})?)?)?")

_NULL = object()
"""Stands for NULL among the values that a key may have."""
ZONED = "timestamp with time zone"
"""A type whose texts mean a time of the session's zone where they have no offset."""
_WITH_OFFSET = re.compile(rf"(?P<moment>{_MOMENT.pattern})((?P<hours>[+-]\d\d)(:?(?P<minutes>\d\d))?|(?P<zulu>Z))?")

Bound = tuple[str, tuple[Any, ...], tuple[Any, ...]]
"""``list`` with values, ``range`` with lower and upper bounds (``None``: unbounded), ``hash`` with
modulus and remainder, ``default`` or ``other``."""

_Values = tuple[Any, Any, list[Any] | None]
"""Lowest value, highest value and whether that itself is left out, or all values that there may be."""


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
    key = _key(parent, schema)
    if key is None:
        return children
    name, type_name = key
    values = _values(name, conditions, type_name)
    if values is None:
        return children
    if parent.partitioning is not None and parent.partitioning.strategy == "hash" and values[2] is None:
        return children
    bounds = [(child, _bound(child.partition_bound or "", type_name)) for child in children]
    kept = [child for child, bound in bounds if bound[0] == "other" or _meets(bound, values, type_name)]
    if not _covered([bound for _, bound in bounds], values):
        kept += [child for child, bound in bounds if bound[0] == "default"]
    return tuple(dict.fromkeys(kept))


def _covered(bounds: list[Bound], values: _Values) -> bool:
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


def partitions_of_row(relation: Relation, schema: Schema, values: Mapping[str, object]) -> tuple[Relation, ...]:
    """The partitions that a new row may go to; ``values``: those of its columns that are known."""
    conditions = [
        Condition(name, Comparison.EQUAL, values=(value,)) for name, value in values.items() if value is not None
    ]
    return reached(relation, schema, conditions)


def has_home(relation: Relation, schema: Schema, values: Mapping[str, object]) -> bool:
    """Whether there may be a partition for a new row."""
    found = partitions_of_row(relation, schema, values)
    return any(one.kind is not RelationKind.PARTITIONED_TABLE for one in found)


def _key(parent: Relation, schema: Schema) -> tuple[str, str] | None:
    """The name and type of the one key column; ``None`` where partitions cannot be told apart here."""
    partitioning = parent.partitioning
    if partitioning is None or len(partitioning.columns) != 1:
        return None
    name = partitioning.columns[0]
    column = parent.column(name) if name is not None else None
    if name is None or column is None:
        return None
    kind = parse_type(column.type).bare
    if partitioning.strategy == "hash":
        return (name, kind) if kind in _WHOLE else None
    if kind == ZONED:
        # A text without an offset is a time of the session's zone.
        return name, zoned(kind, schema.time_zone)
    plain = kind in _WHOLE | _TIMES or (kind in _TEXTS and partitioning.strategy == "list")
    return (name, kind) if plain else None


def _values(name: str, conditions: tuple[Condition, ...], type_name: str) -> _Values | None:
    """Lowest and highest value that the key may have, or all those that it may have; ``None``: nothing is known."""
    low: Any = None
    high: Any = None
    among: list[Any] | None = None
    for condition in conditions:
        if condition.column == name and condition.comparison is Comparison.IS_NULL:
            among = [_NULL]
            continue
        if condition.column != name or condition.others or not condition.values:
            continue
        read = [_value(one, type_name) for one in condition.values]
        if None in read:
            continue
        match condition.comparison:
            case Comparison.EQUAL | Comparison.AMONG:
                among = read if among is None else [one for one in among if one in read]
            case Comparison.FROM:
                low = read[0] if low is None else max(low, read[0])
            case Comparison.TO:
                # ``<`` leaves the bound itself out, which matters to a range that begins there.
                high = (
                    (read[0], condition.operator == "<")
                    if high is None
                    else min(high, (read[0], condition.operator == "<"))
                )
    return None if low is None and high is None and among is None else (low, high, among)


def _meets(bound: Bound, values: _Values, type_name: str = "") -> bool:
    kind, lower, upper = bound
    low, high, among = values
    if kind == "default":
        return False
    if kind == "hash":
        # NULL counts for nothing in the hash.
        hashes = [0 if one is _NULL else row_hash(one, type_name) for one in among or ()]
        return any(one % lower[0] == upper[0] for one in hashes)
    if kind == "list":
        candidates = [one for one in lower if one is not None]
        if among is not None:
            return any(one in candidates or (one is _NULL and None in lower) for one in among)
        return any(_between(one, low, high) for one in candidates)
    start, end = lower[0], upper[0]
    if among is not None:
        # NULL is in no range.
        known = [one for one in among if one is not _NULL]
        return any((start is None or start <= one) and (end is None or one < end) for one in known)
    if low is not None and end is not None and low >= end:
        return False
    return not (high is not None and start is not None and (high[0] < start or (high[1] and high[0] <= start)))


def _between(value: Any, low: Any, high: Any) -> bool:
    return (low is None or value >= low) and (high is None or value < high[0] or (value == high[0] and not high[1]))


def _value(written: object, type_name: str) -> Any:
    """A constant as a value that can be compared with others of its type; ``None`` where it cannot be read."""
    if type_name in _WHOLE:
        text = str(written).strip()
        return int(text) if re.fullmatch(r"[+-]?\d+", text) and not isinstance(written, bool) else None
    if type_name.startswith(ZONED):
        return moment(str(written).strip(), type_name.partition("@")[2])
    if type_name in _TIMES:
        text = str(written).strip()
        if not _MOMENT.fullmatch(text):
            return None
        try:
            return datetime.fromisoformat(_padded(text))
        except ValueError:
            return None
    if type_name == "boolean":
        return (
            written
            if isinstance(written, bool)
            else {"t": True, "true": True, "f": False, "false": False}.get(str(written).lower())
        )
    return str(written) if not isinstance(written, bool) else None


def zoned(type_name: str, zone: str) -> str:
    """A type, with the zone that its texts are read in where that matters."""
    return f"{ZONED}@{zone}" if parse_type(type_name).bare == ZONED else type_name


def moment(text: str, zone: str) -> datetime | None:
    """A time with its offset, or one of the session's zone where that is known by its name."""
    found = _WITH_OFFSET.fullmatch(text)
    if found is None:
        return None
    hours, minutes = found["hours"], found["minutes"] or "00"
    offset = "+00:00" if found["zulu"] else f"{hours}:{minutes}" if hours else ""
    try:
        read = datetime.fromisoformat(_padded(found["moment"]) + offset)
        return read if offset else read.replace(tzinfo=ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return None


def _padded(text: str) -> str:
    return re.sub(r"(?<!\d)(\d)(?!\d)", r"0\1", text.replace("T", " "))


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
        read = [_datum(one, type_name) for one in spec["listdatums"]]
        if any(one == "?" for one in read):
            return "other", (), ()
        return "list", tuple(None if one == "null" else one[0] for one in read), ()
    if "lowerdatums" in spec and "upperdatums" in spec and len(spec["lowerdatums"]) == 1:
        low, high = _datum(spec["lowerdatums"][0], type_name), _datum(spec["upperdatums"][0], type_name)
        if "?" in (low, high):
            return "other", (), ()
        return "range", (low[0] if isinstance(low, tuple) else None,), (high[0] if isinstance(high, tuple) else None,)
    return "other", (), ()


def _datum(node: dict[str, Any], type_name: str) -> Any:
    """A bound's value in a tuple; ``null``; ``unbounded`` for MINVALUE and MAXVALUE; ``?`` where it cannot be read."""
    while "TypeCast" in node:
        node = node["TypeCast"].get("arg", {})
    reference = node.get("ColumnRef")
    if reference is not None:
        name = reference["fields"][-1].get("String", {}).get("sval", "")
        return "unbounded" if name.lower() in ("minvalue", "maxvalue") else "?"
    constant = node.get("A_Const")
    if constant is None:
        return "?"
    if constant.get("isnull"):
        return "null"
    if "ival" in constant:
        value: object = int(constant["ival"].get("ival", 0))
    elif "boolval" in constant:
        value = bool(constant["boolval"].get("boolval", False))
    elif "fval" in constant:
        value = constant["fval"].get("fval", "")
    else:
        value = constant.get("sval", {}).get("sval", "")
    read = _value(value, type_name)
    return "?" if read is None else (read,)


def ancestors(partition: Relation, schema: Schema) -> tuple[Relation, ...]:
    """The partitioned table that a table is a partition of, the one that that is a partition of, and so on."""
    found: list[Relation] = []
    while partition.is_partition and (above := schema.parents(partition)):
        partition = above[0]
        found.append(partition)
    return tuple(found)
