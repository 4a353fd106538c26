"""The pieces of SQL that fixes are made of: every name quoted, every statement whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.catalog.reading.bulk import assembler
from confiture_tui.core.lint.model import Fix, FixStep, Safety
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.lint.objects import Own

MAX_BYTES = 63
"""Of an identifier: NAMEDATALEN - 1 (PostgreSQL documentation, 4.1.1)."""

ALTER = {
    RelationKind.TABLE: "TABLE",
    RelationKind.PARTITIONED_TABLE: "TABLE",
    RelationKind.VIEW: "VIEW",
    RelationKind.MATERIALIZED_VIEW: "MATERIALIZED VIEW",
    RelationKind.FOREIGN_TABLE: "FOREIGN TABLE",
    RelationKind.COMPOSITE_TYPE: "TYPE",
}
"""The words after ALTER, DROP and COMMENT ON for each kind of relation."""


_step, _fix = assembler(FixStep), assembler(Fix)


def one_step(up: str, down: str = "", *, safety: Safety, note: str = "", transactional: bool = True) -> Fix:
    """A fix of one step; the texts without the closing semicolon and newline."""
    step = _step(up=ended(up), down=ended(down) if down else "", transactional=transactional)
    return _fix(steps=(step,), safety=safety, note=note)


def ended(sql: str) -> str:
    """A statement with its semicolon and a newline."""
    return f"{sql};\n"


def literal(text: str) -> str:
    """A string constant, safe whatever ``standard_conforming_strings`` says."""
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def names(columns: Iterable[str]) -> str:
    """Column names for a list in SQL."""
    return ", ".join(quote_identifier(column) for column in columns)


def shortened(name: str) -> str:
    """A name cut to what the server keeps of it, at a whole character."""
    return name[:MAX_BYTES] if name.isascii() else name.encode()[:MAX_BYTES].decode(errors="ignore")


def free_name(catalog: Catalog, schema: str, *parts: str, taken: Iterable[str] = ()) -> str:
    """A name for a new relation in a schema, made of parts joined by ``_``: one that nothing there has."""
    used = set(taken)
    base = "_".join(parts)
    number = 0
    while True:
        suffix = f"_{number}" if number else ""
        # The end tells what it is (…_idx): the beginning is cut.
        head, _, tail = base.rpartition("_")
        room = MAX_BYTES - len(f"_{tail}{suffix}".encode())
        cut = head.encode()[: max(room, 1)].decode(errors="ignore")
        name = f"{cut}_{tail}{suffix}" if len(f"{base}{suffix}".encode()) > MAX_BYTES else f"{base}{suffix}"
        key = (schema, name)
        if not (key in catalog.relations or key in catalog.indexes or key in catalog.sequences or name in used):
            return name
        number += 1


def create_index(
    catalog: Catalog, own: Own, table: Relation, columns: Iterable[str], *, unique: bool = False, suffix: str = "idx"
) -> Fix:
    """A new index on columns, built without keeping anybody from writing.

    A partitioned table takes no CONCURRENTLY: its index is made empty on the table alone, one is built on each
    partition, and attaching the last makes the whole valid (PostgreSQL documentation, 5.12.2).
    """
    listed = list(columns)
    name = free_name(catalog, table.schema, table.name, *listed, suffix)
    word = "UNIQUE INDEX" if unique else "INDEX"
    keys = names(listed)
    drop = f"DROP INDEX CONCURRENTLY {qualified_name(table.schema, name)}"
    if table.kind is not RelationKind.PARTITIONED_TABLE:
        up = f"CREATE {word} CONCURRENTLY {quote_identifier(name)} ON {table.qualified_name} ({keys})"
        return one_step(up, drop, safety=Safety.REVIEW if unique else Safety.SAFE, transactional=False)
    steps = [f"CREATE {word} {quote_identifier(name)} ON ONLY {table.qualified_name} ({keys})"]
    attaches: list[str] = []
    taken = {name}
    _on_partitions(catalog, own, table, qualified_name(table.schema, name), word, listed, (steps, attaches), taken)
    text = "".join(map(ended, [*steps, *attaches]))
    # An index of a partitioned table cannot be dropped concurrently.
    step = FixStep(up=text, down=ended(drop.replace(" CONCURRENTLY", "")), transactional=False)
    return Fix(steps=(step,), safety=Safety.REVIEW if unique else Safety.SAFE)


def _on_partitions(
    catalog: Catalog,
    own: Own,
    table: Relation,
    parent_index: str,
    word: str,
    columns: list[str],
    statements: tuple[list[str], list[str]],
    taken: set[str],
) -> None:
    steps, attaches = statements
    for partition in own.children.get(table.oid, ()):
        if partition.kind is RelationKind.FOREIGN_TABLE:
            continue
        name = free_name(catalog, partition.schema, partition.name, *columns, "idx", taken=taken)
        taken.add(name)
        index = qualified_name(partition.schema, name)
        nested = partition.kind is RelationKind.PARTITIONED_TABLE
        how = "ON ONLY" if nested else "ON"
        concurrently = "" if nested else " CONCURRENTLY"
        keys = names(columns)
        steps.append(f"CREATE {word}{concurrently} {quote_identifier(name)} {how} {partition.qualified_name} ({keys})")
        if nested:
            _on_partitions(catalog, own, partition, index, word, columns, statements, taken)
        attaches.append(f"ALTER INDEX {parent_index} ATTACH PARTITION {index}")
