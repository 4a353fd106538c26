"""The first rows of a table that the migration itself makes: whether two of them have the same key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation

_Node = Mapping[str, Any]

_WHOLE_NUMBERS: Final = ("smallint", "integer", "bigint", "numeric")
_STRINGS: Final = ("text", "character varying")


def keys_differ(insert: _Node, relation: Relation) -> bool:
    """Whether the rows of an INSERT of constants into an empty table are certain to keep all its unique indexes.

    Args:
        insert: the fields of the InsertStmt.
        relation: the table as it is then.
    """
    rows = insert.get("selectStmt", {}).get("SelectStmt", {}).get("valuesLists", ())
    if not rows or "withClause" in insert or relation.triggers or relation.rules:
        return False
    if len(rows) == 1:
        return True
    named = [each.get("ResTarget", {}).get("name") for each in insert.get("cols", ())]
    places = named or [column.name for column in relation.columns]
    values = [each.get("List", {}).get("items", ()) for each in rows]
    return all(
        index.predicate is None and _differ([relation.column(key or "") for key in index.key_columns], places, values)
        for index in relation.indexes
        if index.unique
    )


def _differ(keys: Sequence[Column | None], places: Sequence[str], rows: Sequence[Sequence[Any]]) -> bool:
    """Whether the key columns that can be compared by their text alone tell all the rows apart."""
    compared: list[tuple[Column, int]] = []
    for key in keys:
        if key is None:
            return False
        if key.name in places:
            compared.append((key, places.index(key.name)))
        elif key.identity is not None:
            return True  # a value of its own for each row
    seen = set()
    for row in rows:
        texts = tuple(_text(column, row[place] if place < len(row) else None) for column, place in compared)
        seen.add(texts if all(texts) else None)
    return bool(compared) and None not in seen and len(seen) == len(rows)


def _text(column: Column, value: Any) -> str | None:
    """A constant that equals another one in this column only if their texts do; ``None`` for all else."""
    constant = value.get("A_Const", {}) if isinstance(value, dict) else {}
    if "ival" in constant and column.type.startswith(_WHOLE_NUMBERS):
        return json.dumps(constant["ival"])
    if "sval" in constant and column.type.startswith(_STRINGS) and column.collation is None:
        return json.dumps(constant["sval"])
    return None
