"""The definitions of indexes: the plain ones written here, the others asked of the server.

pg_get_indexdef looks for the default operator class of each key by scanning a system catalog, and opens the table for
each expression; for tens of thousands of indexes that takes longer than reading all the rest. Most of them are plain:
btree, on columns, with the default operator class, collation and order. A test compares what is written here with what
the server writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.reading.query import Query, Row, Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.reading.context import Context

BTREE = 403
_TEXT = 25
_VARCHAR = 1043
_CHAR = 1042
_DEFAULT_COLLATION = 100
# oids of PostgreSQL's own objects, the same on every server (src/include/catalog/pg_*.dat).


def definitions_here(rows: Rows, context: Context) -> dict[int, str]:
    """The definitions of the plain indexes, by oid, as pg_get_indexdef writes them."""
    found: dict[int, str] = {}
    for row in context.steadily(rows.get("indexes", ())):
        columns = context.columns_by_number.get(row[4])
        if columns is not None and (definition := _definition(row, columns, context)) is not None:
            found[row[0]] = definition
    return found


def definitions_query(rows: Rows, known: Mapping[int, str]) -> Query:
    """A query for the definitions of the other indexes."""
    others = ",".join(str(row[0]) for row in rows.get("indexes", ()) if row[0] not in known)
    return Query(
        "index_definitions",
        "definitions of indexes",
        f"SELECT i.oid, pg_get_indexdef(i.oid) FROM unnest('{{{others}}}'::oid[]) AS i(oid)",
        required=(1,),
    )


def _definition(row: Row, columns: Mapping[int, Column], context: Context) -> str | None:
    """The definition of a plain index; ``None`` where only the server knows what is default and need not be said."""
    name, relation, access_method, kind, key_count, key, opclasses, collations, options = row[2:3] + row[4:12]
    expressions, predicate, unique, nulls_not_distinct = row[12:16]
    storage_options = row[24]
    if access_method != BTREE or expressions or predicate or storage_options:
        return None
    if options.strip("0 "):
        return None
    quoted_name = row[29] or name
    numbers = [int(number) for number in key.split()]
    if any(number not in columns for number in numbers):
        return None
    keys = [columns[number] for number in numbers]
    for column, opclass, collation in zip(keys, opclasses.split(), collations.split(), strict=False):
        if not _is_default(column, int(opclass), int(collation), context.btree_defaults):
            return None
    key_text = ", ".join([column.quoted_name for column in keys[:key_count]])
    text = (
        f"CREATE {'UNIQUE ' if unique else ''}INDEX {quoted_name} ON {'ONLY ' if kind == 'I' else ''}"
        f"{context.relation_names[relation]} USING btree ({key_text})"
    )
    if len(keys) > key_count:
        text += f" INCLUDE ({', '.join([column.quoted_name for column in keys[key_count:]])})"
    return text + (" NULLS NOT DISTINCT" if nulls_not_distinct else "")


def _is_default(column: Column, opclass: int, collation: int, defaults: Mapping[int, int]) -> bool:
    """Whether a key of this column needs neither its operator class nor its collation named."""
    base = _TEXT if column.type_oid == _VARCHAR else column.type_oid
    if defaults.get(base) != opclass:
        return False
    if collation == 0:
        return True
    return collation == _DEFAULT_COLLATION and column.collation is None and column.type_oid in (_TEXT, _VARCHAR, _CHAR)
