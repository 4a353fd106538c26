"""Names as statements write them, and the schemas in which an unqualified one is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.names import split_name, split_search_path
from confiture_tui.core.effects.history import UNKNOWN, Family

if TYPE_CHECKING:
    from confiture_tui.core.effects.history import History

Name = Mapping[str, Any] | str
"""A RangeVar as libpg_query writes it, or a name as written in SQL."""

Parts = tuple[str | None, str, bool]
"""Schema, relation, and whether it is temporary."""

_split = lru_cache(maxsize=4096)(split_name)
_split_path = lru_cache(maxsize=64)(split_search_path)


def name_parts(name: Name) -> Parts:
    """Schema, relation, and whether it is temporary."""
    if isinstance(name, str):
        parts = _split(name)
        return (parts[-2] if len(parts) > 1 else None), parts[-1], False
    return name.get("schemaname"), name["relname"], name.get("relpersistence") == "t"


def effective_path(history: History, version: int, search_path: str) -> tuple[str, ...]:
    """The schemas that a setting of ``search_path`` means, those that are searched without being named among them."""
    known = history.paths.get((search_path, history.schemas_changed))
    if known is not None:
        return known
    try:
        listed = _split_path(search_path)
    except ValueError:
        listed = ()
    implicit = tuple(one for one in ("pg_temp", "pg_catalog") if one not in listed)
    effective: dict[str, None] = dict.fromkeys(implicit)
    for entry in listed:
        if entry == "$user":
            if history.catalog is None:
                continue
            entry = history.catalog.session.role
        if entry in ("pg_temp", "pg_catalog") or _usable(history, version, entry):
            effective[entry] = None
    history.paths[(search_path, history.schemas_changed)] = tuple(effective)
    return tuple(effective)


def _usable(history: History, version: int, schema: str) -> bool:
    found = history.get(Family.SCHEMA, (schema,), version)
    return found is UNKNOWN or (found is not None and found.usable)
