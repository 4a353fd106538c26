"""The values that settings take.

The table under ``data`` was read from ``pg_settings`` of servers 14 to 18 by ``tests/support/builtins.py``: numbers,
truth values and enums. What a setting made of text takes is looked at in the server's own functions.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from typing import NamedTuple

from confiture_tui.core.effects.builtins import LAST_MAJOR, table_rows


class Taken(Enum):
    """Whether a value is taken."""

    YES = "yes"
    PERHAPS = "perhaps"
    NO = "no"


class _Kind(NamedTuple):
    type: str
    unit: str
    low: str
    high: str
    values: str
    context: str


_TRUTHS = re.compile(r"t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|1|0", re.IGNORECASE)
_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z]*)\s*")
_MEMORY = {"B": 1.0, "kB": 1024.0, "8kB": 8192.0, "MB": 1024.0**2, "GB": 1024.0**3, "TB": 1024.0**4}
_TIME = {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0}
_HIDDEN = frozenset(["true", "false", "yes", "no", "on", "off", "1", "0", "debug", "info"])
"""What some enums take too, though they do not list it."""
_OF_THE_BUILD = frozenset({"default_toast_compression", "wal_compression"})
_TEXTS = {
    "timezone": frozenset({"utc", "gmt", "default"}),
    "client_encoding": frozenset({"utf8", "utf-8", "unicode", "latin1", "sql_ascii"}),
    "default_tablespace": frozenset({"", "pg_default"}),
    "default_table_access_method": frozenset({"heap"}),
    "temp_tablespaces": frozenset({"", "pg_default"}),
    "session_preload_libraries": frozenset({""}),
    "local_preload_libraries": frozenset({""}),
    "default_text_search_config": frozenset({"simple", "english", "pg_catalog.simple", "pg_catalog.english"}),
    "datestyle": frozenset({"iso, mdy", "iso, dmy", "iso, ymd", "iso", "german", "postgres", "sql"}),
    "timezone_abbreviations": frozenset({"default"}),
    "wal_consistency_checking": frozenset({""}),
    "restrict_nonsystem_relation_kind": frozenset({""}),
    "createrole_self_grant": frozenset({""}),
    "backtrace_functions": frozenset({""}),
    "max_stack_depth": frozenset({"2mb"}),
    "vacuum_buffer_usage_limit": frozenset({"0", "256kb", "1mb", "2mb"}),
    "seed": frozenset({"0", "0.5"}),
    "lc_messages": frozenset({"c", "posix"}),
    "lc_monetary": frozenset({"c", "posix"}),
    "lc_numeric": frozenset({"c", "posix"}),
    "lc_time": frozenset({"c", "posix"}),
}
"""Settings that servers look at with functions of their own, and values that all of them take."""


@cache
def _kinds(major: int) -> dict[str, _Kind]:
    return {name: _Kind(*rest) for name, *rest in table_rows("settings", major)}


def is_superusers(name: str, major: int | None) -> bool:
    """Whether only a superuser, or who has been granted it, may set it."""
    kind = _kinds(major or LAST_MAJOR).get(name)
    return kind is not None and kind.context.startswith("superuser")


def takes(name: str, value: str, major: int | None) -> Taken:
    """Whether a setting (by its lower-case name) takes a value."""
    if name in _TEXTS:
        return Taken.YES if value.lower() in _TEXTS[name] else Taken.PERHAPS
    kind = _kinds(major or LAST_MAJOR).get(name)
    if kind is None:
        return Taken.YES
    match kind.type:
        case "bool":
            return Taken.YES if _TRUTHS.fullmatch(value.strip()) else Taken.NO
        case "enum":
            if value.lower() in kind.values.split(","):
                return Taken.YES
            return Taken.PERHAPS if value.lower() in _HIDDEN or name in _OF_THE_BUILD else Taken.NO
    return _takes_number(kind, value)


def _takes_number(kind: _Kind, value: str) -> Taken:
    found = _NUMBER.fullmatch(value)
    if found is None:
        return Taken.PERHAPS if value.strip().lower().startswith(("0x", "-0x", "+0x")) else Taken.NO
    number, unit = float(found.group(1)), found.group(2)
    if unit:
        units = _MEMORY if kind.unit in _MEMORY else _TIME
        if not kind.unit or unit not in units or unit == "8kB":
            return Taken.NO
        number = number * units[unit] / units[kind.unit]
    if kind.type == "integer":
        number = round(number)
    return Taken.YES if float(kind.low) <= number <= float(kind.high) else Taken.NO
