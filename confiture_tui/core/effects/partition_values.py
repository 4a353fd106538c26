"""Values that partitions are told apart by, as they are written in bounds, conditions and rows."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from confiture_tui.core.effects.expressions.reads import Comparison, Condition
from confiture_tui.core.effects.type_names import parse_type

WHOLE = frozenset({"smallint", "integer", "bigint"})
TIMES = frozenset({"date", "timestamp without time zone"})
TEXTS = frozenset({"text", "character varying", "boolean"})
_MOMENT = re.compile(r"\d{4}-\d\d?-\d\d?([ T]\d\d?:\d\d(:\d\d(\.\d{1,6})?)?)?")

NULL = object()
"""Stands for NULL among the values that a key may have."""
ZONED = "timestamp with time zone"
"""A type whose texts mean a time of the session's zone where they have no offset."""
_WITH_OFFSET = re.compile(rf"(?P<moment>{_MOMENT.pattern})((?P<hours>[+-]\d\d)(:?(?P<minutes>\d\d))?|(?P<zulu>Z))?")

Values = tuple[Any, Any, list[Any] | None]
"""Lowest value, highest value and whether that itself is left out, or all values that there may be."""


def values_of(name: str, conditions: tuple[Condition, ...], type_name: str) -> Values | None:
    """Lowest and highest value that the key may have, or all those that it may have; ``None``: nothing is known."""
    low: Any = None
    high: Any = None
    among: list[Any] | None = None
    for condition in conditions:
        if condition.column == name and condition.comparison is Comparison.IS_NULL:
            among = [NULL]
            continue
        if condition.column != name or condition.others or not condition.values:
            continue
        read = [value_of(one, type_name) for one in condition.values]
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


def value_of(written: object, type_name: str) -> Any:
    """A constant as a value that can be compared with others of its type; ``None`` where it cannot be read."""
    if type_name in WHOLE:
        text = str(written).strip()
        return int(text) if re.fullmatch(r"[+-]?\d+", text) and not isinstance(written, bool) else None
    if type_name.startswith(ZONED):
        return moment(str(written).strip(), type_name.partition("@")[2])
    if type_name in TIMES:
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


def datum_of(node: dict[str, Any], type_name: str) -> Any:
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
    read = value_of(value, type_name)
    return "?" if read is None else (read,)
