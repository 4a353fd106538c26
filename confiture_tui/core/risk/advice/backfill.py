"""Changing the rows of a large table in batches, each committed by itself, as one DO block of plain SQL.

A block that commits must run outside a transaction. It can be stopped at any moment and run again: what is done is
done, and the condition leaves it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROWS = 5000
"""Rows a batch: row locks are held for some tens of milliseconds."""
PAGES = 500
"""Pages a batch (4 MB), where there is no key to go by."""
PASSES = 10
"""Rows that the application changes meanwhile may have moved behind the place that is being worked on: so often the
whole is gone through again, at most, until nothing is left."""
PAUSE = "0.05"
"""Seconds between batches, for replicas and autovacuum to keep up."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table, and how to walk them.

    Attributes:
        table: qualified, quoted.
        key: quoted columns of a unique, never NULL key that an index orders; empty where none is known.
        alias: what the changing statement calls the table; the table's name where it has none.
    """

    table: str
    key: tuple[str, ...] = ()
    alias: str | None = None


def in_batches(rows: Rows, head: str, condition: str | None, *, repeat: bool = False) -> str:
    """A DO block that runs ``head WHERE condition`` batch by batch.

    Args:
        rows: which table, and its key.
        head: ``UPDATE t SET …`` or ``DELETE FROM t``, without WHERE.
        condition: which rows are meant, without WHERE; ``None`` for all.
        repeat: go through it again until a whole pass changes nothing; the condition must then exclude what is done.
    """
    # A variable that is called as a column is ambiguous. The user's text must not name one of ours, and ours are
    # qualified by the block's label, so that they never mean a column.
    own = "batch"
    while any(own in text for text in (head, condition or "", rows.table, *rows.key)):
        own += "_"
    declarations, loop = (_by_key if rows.key else _by_page)(rows, own, _change(rows, own, head, condition, repeat))
    if repeat:
        declarations = [*declarations, f"{own}_rows bigint;", f"{own}_changed bigint;"]
        loop = [
            f"FOR {own}_pass IN 1..{PASSES} LOOP",
            f"    {own}_changed := 0;",
            *(f"    {line}" for line in loop),
            f"    EXIT WHEN {own}_changed = 0;",
            "END LOOP;",
        ]
    lines = [
        f"<<{own}>>",
        "DECLARE",
        *(f"    {one}" for one in declarations),
        "BEGIN",
        *(f"    {line}" for line in loop),
        "END",
    ]
    return "DO " + dollar_quoted("\n".join(lines), "backfill")


def _by_key(rows: Rows, own: str, change: list[str]) -> tuple[list[str], list[str]]:
    first, last = _variables(rows, own)
    declarations = [
        f"{name} {rows.table}.{column}%TYPE;"
        for names in (first, last)
        for name, column in zip(names, rows.key, strict=True)
    ]
    keys, backwards = ", ".join(rows.key), ", ".join(f"{column} DESC" for column in rows.key)
    found = f"SELECT {keys} INTO {', '.join(first)} FROM {rows.table}"
    loop = [
        f"{found} ORDER BY {keys} LIMIT 1;",
        "WHILE FOUND LOOP",
        f"    SELECT {keys} INTO {', '.join(last)} FROM (",
        f"        SELECT {keys} FROM {rows.table} WHERE {_row(rows.key, '>=', _labelled(own, first), '')}",
        f"        ORDER BY {keys} LIMIT {ROWS}",
        f"    ) AS rows_of_{own} ORDER BY {backwards} LIMIT 1;",
        *change,
        "    COMMIT;",
        f"    PERFORM pg_sleep({PAUSE});",
        f"    {found} WHERE {_row(rows.key, '>', _labelled(own, last), '')} ORDER BY {keys} LIMIT 1;",
        "END LOOP;",
    ]
    return declarations, loop


def _by_page(rows: Rows, own: str, change: list[str]) -> tuple[list[str], list[str]]:
    relation = _regclass(rows)
    loop = [
        f"SELECT greatest(pg_relation_size({relation}), max(pg_relation_size(relid))) / 8192 INTO {own}_end",
        f"FROM pg_partition_tree({relation});",
        f"{own}_page := 0;",
        f"WHILE {own}_page <= {own}_end LOOP",
        *change,
        "    COMMIT;",
        f"    PERFORM pg_sleep({PAUSE});",
        f"    {own}_page := {own}_page + {PAGES};",
        "END LOOP;",
    ]
    return [f"{own}_page bigint;", f"{own}_end bigint;"], loop


def _change(rows: Rows, own: str, head: str, condition: str | None, counted: bool) -> list[str]:
    """The changing statement for one batch. The user's own text stays as it is: it may hold strings of many lines."""
    table = f"{rows.alias or rows.table}."
    if rows.key:
        first, last = _variables(rows, own)
        within = [
            _row(rows.key, ">=", _labelled(own, first), table),
            _row(rows.key, "<=", _labelled(own, last), table),
        ]
    else:
        within = [
            f"{table}ctid >= format('(%s,0)', {own}.{own}_page)::tid",
            f"{table}ctid < format('(%s,0)', {own}.{own}_page + {PAGES})::tid",
        ]
    conditions = [*within, *_given(condition)]
    return [
        f"    {head}",
        f"    WHERE {conditions[0]}",
        *(f"      AND {one}" for one in conditions[1:-1]),
        f"      AND {conditions[-1]};",
        *(
            [f"    GET DIAGNOSTICS {own}_rows = ROW_COUNT;", f"    {own}_changed := {own}_changed + {own}_rows;"]
            if counted
            else []
        ),
    ]


def _variables(rows: Rows, own: str) -> tuple[list[str], list[str]]:
    """The keys of the first and of the last row of a batch."""
    numbers = range(1, len(rows.key) + 1)
    return [f"{own}_first_{number}" for number in numbers], [f"{own}_last_{number}" for number in numbers]


def _labelled(own: str, names: Sequence[str]) -> list[str]:
    return [f"{own}.{name}" for name in names]


def _given(condition: str | None) -> list[str]:
    # The line break: the user's condition may end in a comment.
    return [f"({condition}\n)" if "--" in condition else f"({condition})"] if condition else []


def _row(columns: Sequence[str], operator: str, values: Sequence[str], prefix: str) -> str:
    left = [f"{prefix}{column}" for column in columns]
    if len(left) == 1:
        return f"{left[0]} {operator} {values[0]}"
    return f"({', '.join(left)}) {operator} ({', '.join(values)})"


def _regclass(rows: Rows) -> str:
    return "'" + rows.table.replace("'", "''") + "'::regclass"


def dollar_quoted(body: str, tag: str) -> str:
    """A body between dollar quotes that do not occur in it."""
    number = 0
    while (quote := f"${tag}{number or ''}$") in body:
        number += 1
    return f"{quote}\n{body}\n{quote}"
