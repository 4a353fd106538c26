"""Invented rows: a few in each table that a migration touches, which satisfy what the tables demand of rows.

They show what work a statement does when there is a row at all, and what fails on any row. They are nobody's data:
times, counts, losses and what particular values decide cannot be seen on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.catalog.models.types import TypeKind

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.relations import Relation

ROWS_EACH: Final = 20
"""Rows that are invented for a table; fewer where a key or an enum allows fewer."""
_MOST_TABLES: Final = 200
"""Tables that are filled at most, with those that they refer to."""

_TEXTS: Final = (
    "'row {n}'",
    "'row{n}@example.com'",
    "'https://example.com/{n}'",
    "'{n:04}'",
    "chr(64 + {n})",
    "'A{n}'",
)
"""Forms of text that CHECK constraints ask for, tried one after the other."""
_LITERAL: Final = re.compile(r"'((?:[^']|'')*)'")
_LOWER_BOUND: Final = re.compile(r"FROM \(('(?:[^']|'')*'|-?[\d.]+)\)")
_LISTED: Final = re.compile(r"IN \((.+)\)")
_MODIFIER: Final = re.compile(r"\((\d+)(?:,-?\d+)?\)")

_VALUES: Final = {
    "smallint": "{n}",
    "integer": "{n}",
    "bigint": "{n}",
    "real": "{n}",
    "double precision": "{n}",
    "numeric": "{n}",
    "money": "{n}::pg_catalog.money",
    "boolean": "{n} % 2 = 0",
    "date": "DATE '2020-01-01' + {n}",
    "timestamp without time zone": "TIMESTAMP '2020-01-01' + {n} * INTERVAL '1 hour'",
    "timestamp with time zone": "TIMESTAMPTZ '2020-01-01 00:00+00' + {n} * INTERVAL '1 hour'",
    "time without time zone": "TIME '00:00' + {n} * INTERVAL '1 minute'",
    "time with time zone": "TIMETZ '00:00+00' + {n} * INTERVAL '1 minute'",
    "interval": "{n} * INTERVAL '1 hour'",
    "uuid": "pg_catalog.md5('{n}')::pg_catalog.uuid",
    "json": "'{{\"n\": {n}}}'",
    "jsonb": "'{{\"n\": {n}}}'",
    "bytea": "pg_catalog.decode(pg_catalog.md5('{n}'), 'hex')",
    "inet": "'10.0.0.{n}'",
    "cidr": "'10.0.{n}.0/24'",
    "macaddr": "'08:00:2b:01:02:{n:02}'",
    "xml": "'<n>{n}</n>'",
    "tsvector": "'row{n}'",
    "point": "'({n},{n})'",
    "oid": "{n}",
    "bit": "{n}::pg_catalog.bit(1)",
    "bit varying": "{n}::pg_catalog.bit(8)",
    "int4range": "'[{n},{n}]'",
    "int8range": "'[{n},{n}]'",
    "numrange": "'[{n},{n}]'",
    "daterange": "pg_catalog.daterange(DATE '2020-01-01' + {n}, DATE '2020-01-02' + {n})",
    "tstzrange": "pg_catalog.tstzrange(TIMESTAMPTZ '2020-01-01 00:00+00' + {n} * INTERVAL '1 day', NULL)",
}
_IS_TEXT: Final = frozenset({"text", "character varying", "character", "name", "public.citext"})


def tables_to_fill(catalog: Catalog, names: Iterable[str]) -> tuple[Relation, ...]:
    """The tables among some relations, and those that their foreign keys refer to: these first."""
    found: dict[int, Relation] = {}
    waiting: set[int] = set()

    def visit(relation: Relation | None) -> None:
        stored = (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE)
        if relation is None or relation.kind not in stored or relation.is_partition or relation.extension is not None:
            return
        if relation.oid in found or relation.oid in waiting or len(found) >= _MOST_TABLES:
            return
        waiting.add(relation.oid)
        for constraint in relation.constraints:
            if constraint.referenced_oid:
                visit(by_oid.get(constraint.referenced_oid))
        found[relation.oid] = relation

    by_oid = {one.oid: one for one in catalog.relations.values()}
    by_name = {one.qualified_name: one for one in catalog.relations.values()}
    for name in sorted(names):
        visit(_whole(by_name.get(name), by_name))
    return tuple(found.values())


def _whole(relation: Relation | None, by_name: dict[str, Relation]) -> Relation | None:
    """The partitioned table that a partition belongs to, at the top; any other relation itself."""
    while relation is not None and relation.is_partition and relation.parents:
        relation = by_name.get(relation.parents[0])
    return relation


def fill(conn: psycopg.Connection[Any], catalog: Catalog, tables: Sequence[Relation]) -> tuple[str, ...]:
    """Invent rows for tables, parents first, in a transaction that is committed; what came of it in words.

    Args:
        conn: idle, in autocommit mode.
        catalog: of the same database.
        tables: as ``tables_to_fill`` orders them.
    """
    filled, notes = [], []
    with conn.transaction():
        for table in tables:
            number, why = _fill_one(conn, catalog, table)
            if number:
                filled.append(table.qualified_name)
            else:
                notes.append(f"No row could be invented for {table.qualified_name}: {why}.")
    if filled:
        notes.insert(0, f"Up to {ROWS_EACH} rows were invented in each of: {', '.join(filled)}.")
    return tuple(notes)


def _fill_one(conn: psycopg.Connection[Any], catalog: Catalog, table: Relation) -> tuple[int, str]:
    """How many rows were invented, and why there are none."""
    import psycopg

    number, why = 0, "it has no column that a value is needed for"
    for form in range(len(_TEXTS)):
        for n in range(1, ROWS_EACH * 2 + 1):
            try:
                with conn.transaction():
                    conn.execute(_row(conn, catalog, table, n, form).encode())
                number += 1
            except _Unknown as unknown:
                return number, str(unknown)
            except psycopg.Error as error:
                if conn.closed:
                    raise
                why = (error.diag.message_primary or str(error)).rstrip(".")
            if number == ROWS_EACH:
                return number, ""
        if number:
            break
    return number, why


class _Unknown(Exception):
    """No value can be invented for a column that needs one."""


def _row(conn: psycopg.Connection[Any], catalog: Catalog, table: Relation, n: int, form: int) -> str:
    """The INSERT of the n-th row."""
    keys = _references(conn, table, n)
    names, values = [], []
    for column in table.columns:
        if column.generated is not None or column.identity is not None or "nextval(" in (column.default or ""):
            continue
        value = keys.get(column.name) or _given(catalog, table, column, n) or _value(catalog, column.type, n, form)
        if value is None and not column.not_null:
            continue
        if value is None:
            raise _Unknown(f"no value of the type {column.type} is known for its column {column.quoted_name}")
        names.append(column.quoted_name)
        values.append(value)
    if not names:
        return f"INSERT INTO {table.qualified_name} DEFAULT VALUES"
    return f"INSERT INTO {table.qualified_name} ({', '.join(names)}) VALUES ({', '.join(values)})"


def _references(conn: psycopg.Connection[Any], table: Relation, n: int) -> dict[str, str]:
    """Values for the columns of foreign keys: those of a row that is there; NULL where there is none."""
    found: dict[str, str] = {}
    for constraint in table.constraints:
        if constraint.kind is not ConstraintKind.FOREIGN_KEY or constraint.referenced_relation is None:
            continue
        if constraint.referenced_oid == table.oid:
            nullable = all(not column.not_null for column in table.columns if column.name in constraint.columns)
            found |= dict.fromkeys(constraint.columns, "NULL") if nullable else {}
            continue
        where = constraint.referenced_relation
        row = conn.execute(f"SELECT pg_catalog.count(*) FROM {where}".encode()).fetchone()
        count = int(row[0]) if row else 0
        for mine, theirs in zip(constraint.columns, constraint.referenced_columns, strict=True):
            picked = f'(SELECT "{theirs.replace(chr(34), chr(34) * 2)}" FROM {where} ORDER BY 1 '
            found[mine] = f"{picked}OFFSET {(n - 1) % count} LIMIT 1)" if count else "NULL"
    return found


def _given(catalog: Catalog, table: Relation, column: Column, n: int) -> str | None:
    """A value that a CHECK of the column, or the bounds of the table's partitions, name."""
    if table.partitioning is not None and table.partitioning.columns == (column.name,):
        bounds = [value for one in catalog.relations.values() if one.is_partition for value in _bounds(table, one)]
        return bounds[n % len(bounds)] if bounds else None
    literals = [text for one in table.constraints if _is_about(one, column) for text in _literals(one.definition)]
    if literals and _plain(column.type) in _IS_TEXT:
        return literals[n % len(literals)]
    return None


def _bounds(table: Relation, partition: Relation) -> list[str]:
    """Values of the key that rows of a partition may have, as its bound writes them."""
    if partition.parents[:1] != (table.qualified_name,) or partition.partition_bound is None:
        return []
    listed = _LISTED.search(partition.partition_bound)
    return [listed[1].split(", ")[0]] if listed else _LOWER_BOUND.findall(partition.partition_bound)


def _is_about(constraint: Constraint, column: Column) -> bool:
    return constraint.kind is ConstraintKind.CHECK and constraint.columns == (column.name,)


def _literals(definition: str) -> Iterator[str]:
    """The texts that a list of values holds: what a pattern holds is no value."""
    if "ARRAY[" in definition or " = " in definition:
        yield from (found.group() for found in _LITERAL.finditer(definition))


def _value(catalog: Catalog, type_name: str, n: int, form: int) -> str | None:
    """An expression that gives the n-th value of a type; ``None`` where none is known."""
    if type_name.endswith("[]"):
        element = _value(catalog, type_name.removesuffix("[]"), n, form)
        return None if element is None else f"ARRAY[{element}]::{type_name}"
    plain = _plain(type_name)
    if plain in _IS_TEXT:
        text = _TEXTS[form].format(n=n)
        length = _MODIFIER.search(type_name)
        return f"pg_catalog.left({text}, {length[1]})" if length else text
    if plain in _VALUES:
        return _VALUES[plain].format(n=n)
    own = next((one for one in catalog.types.values() if one.qualified_name == plain), None)
    if own is None:
        return None
    if own.kind is TypeKind.ENUM and own.labels:
        label = own.labels[n % len(own.labels)].replace("'", "''")
        return f"'{label}'::{plain}"
    if own.kind is TypeKind.DOMAIN and own.base_type is not None:
        base = _value(catalog, own.base_type, n, form)
        return None if base is None else f"({base})::{plain}"
    return None


def _plain(type_name: str) -> str:
    """The type without its modifier: ``character varying`` of ``character varying(20)``."""
    return _MODIFIER.sub("", type_name)
