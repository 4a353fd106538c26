"""Indexes built, dropped and rebuilt while readers and writers go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.effects.object_names import columns_part, object_name
from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.risk.advice.subject import Subject, literal
from confiture_tui.core.risk.advice.tree import Node, strings
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.advice.source import Source

_CHECK = "SELECT indexrelid::regclass FROM pg_index\nWHERE indrelid = {table}::regclass AND NOT indisvalid"


def create_concurrently(forecast: Forecast) -> str | None:
    """CREATE INDEX CONCURRENTLY; of a partitioned table partition by partition."""
    subject = Subject.of_statement(forecast)
    node = forecast.statement.node or {}
    parts = _parts(subject.source, node)
    if parts is None:
        return None
    if subject.is_partitioned and subject.relation is not None:
        return _by_partition(subject, node, parts, subject.relation)
    head, _, tail = parts
    return (
        Recipe()
        .alone(
            "Builds the index; readers and writers go on. If it fails, drop the invalid index CONCURRENTLY first.",
            f"{head} CONCURRENTLY {_name(subject, node)} ON {subject.table}{tail}",
        )
        .text()
    )


def _by_partition(subject: Subject, node: Node, parts: tuple[str, str, str], parent: Relation) -> str | None:
    head, _, tail = parts
    before = subject.forecast.before
    name = node.get("idxname") or subject.index_name(_columns(node), "idx")
    recipe = Recipe()
    # From the top: an index of a sub-partitioned table is attached when its own partitions' have been.
    pending: list[tuple[Relation, str, str | None]] = [(parent, name, None)]
    tops: list[str] = []
    attach: list[tuple[str, str]] = []
    leaves: list[tuple[Relation, str]] = []
    while pending:
        table, index, above = pending.pop(0)
        full = f"{quote_identifier(table.schema)}.{quote_identifier(index)}"
        if above is not None:
            attach.append((above, full))
        if table.partitioning is None:
            leaves.append((table, index))
            continue
        tops.append(f"{head} {quote_identifier(index)} ON ONLY {table.qualified_name}{tail}")
        for child in before.children(table):
            if child.kind.value == "foreign table":
                return None
            pending.append((child, object_name(child.name, columns_part(_columns(node)), "idx"), full))
    recipe.brief("The index of the partitioned table itself: empty, and invalid for now.", *tops)
    for table, index in leaves:
        recipe.alone(
            "Builds the partition's index; readers and writers go on.",
            f"{head} CONCURRENTLY {quote_identifier(index)} ON {table.qualified_name}{tail}",
        )
    return recipe.brief(
        "Attaches them from the bottom up; with the last one the index above becomes valid.",
        *(f"ALTER INDEX {above} ATTACH PARTITION {below}" for above, below in reversed(attach)),
    ).text()


def drop_concurrently(forecast: Forecast) -> str | None:
    """DROP INDEX CONCURRENTLY, one index a statement."""
    node = forecast.statement.node or {}
    names = [strings(one.get("List", {}).get("items", ())) for one in node.get("objects", ())]
    recipe = Recipe()
    for parts in names:
        name = forecast.before.name_of(".".join(map(quote_identifier, parts)))
        found = forecast.before.find(name).object
        if isinstance(found, Index) and (found.is_partitioned or found.constraint or found.parent):
            return None
        exists = "IF EXISTS " if node.get("missing_ok") else ""
        recipe.alone("Waits for those who use it; nobody waits.", f"DROP INDEX CONCURRENTLY {exists}{name}")
    return recipe.text()


def reindex_concurrently(forecast: Forecast) -> str | None:
    """REINDEX … CONCURRENTLY."""
    node = forecast.statement.node or {}
    kind = str(node.get("kind", "")).removeprefix("REINDEX_OBJECT_")
    if kind not in ("INDEX", "TABLE", "SCHEMA", "DATABASE"):
        return None
    name = quote_identifier(node.get("name", "")) if "name" in node else ""
    if "relation" in node:
        name = forecast.before.name_of(node["relation"])
    if kind == "DATABASE" and not name:
        return None
    return (
        Recipe()
        .alone(
            "Builds each index beside the old one; readers and writers go on.", f"REINDEX {kind} CONCURRENTLY {name}"
        )
        .text()
    )


def check_valid(forecast: Forecast) -> str | None:
    """The statement, and a look at what it left."""
    node = forecast.statement.node or {}
    if "relation" not in node or forecast.statement.node_kind != "IndexStmt":
        return None
    table = forecast.before.name_of(node["relation"])
    recipe = Recipe().alone("Waits as long as it must.", forecast.statement.sql)
    return recipe.brief(
        "Lists what is invalid: drop it CONCURRENTLY and run step 1 again.", _CHECK.format(table=literal(table))
    ).text()


def drop_invalid_first(forecast: Forecast, *, known: bool) -> str | None:
    """An index of that name dropped first; then the statement without IF NOT EXISTS.

    Args:
        known: that it is invalid; else it is said to look first, for a valid one would be dropped too.
    """
    subject = Subject.of_statement(forecast)
    node = forecast.statement.node or {}
    parts = _parts(subject.source, node)
    if parts is None or "idxname" not in node:
        return None
    head, _, tail = parts
    name = quote_identifier(node["idxname"])
    full = f"{subject.schema}.{name}"
    recipe = Recipe()
    if not known:
        recipe.note(
            "Only where this says false; a valid index of that name is what is wanted:\n"
            f"SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass({literal(full)});"
        )
    return (
        recipe.alone("Takes away what an earlier run has left.", f"DROP INDEX CONCURRENTLY IF EXISTS {full}")
        .alone("Builds the index; readers and writers go on.", f"{head} CONCURRENTLY {name} ON {subject.table}{tail}")
        .text()
    )


def index_text(subject: Subject, node: Node) -> tuple[str, str] | None:
    """``CREATE [UNIQUE] INDEX`` and what stands behind the table's name."""
    parts = _parts(subject.source, node)
    return None if parts is None else (parts[0], parts[2])


def _parts(source: Source, node: Node) -> tuple[str, str, str] | None:
    """The statement's head, the table as written, and what follows the table."""
    location = node.get("relation", {}).get("location")
    if location is None:
        return None
    start = source.offset(location)
    end = source.name_end(start)
    rest = source.sql[end:]
    if rest.lstrip().startswith(")"):
        rest = rest.lstrip()[1:]
    head = "CREATE UNIQUE INDEX" if node.get("unique") else "CREATE INDEX"
    return head, source.sql[start:end], rest


def _name(subject: Subject, node: Node) -> str:
    name = node.get("idxname") or subject.index_name(_columns(node), "idx")
    exists = "IF NOT EXISTS " if node.get("if_not_exists") else ""
    return f"{exists}{quote_identifier(name)}"


def _columns(node: Node) -> tuple[str, ...]:
    elements = [*node.get("indexParams", ()), *node.get("indexIncludingParams", ())]
    return tuple(one.get("IndexElem", {}).get("name", "expr") for one in elements)
