"""Rows changed in batches, indexes for foreign keys, sequences set beyond what is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.names import split_name
from confiture_tui.core.effects.object_names import columns_part, object_name
from confiture_tui.core.risk.advice import backfill
from confiture_tui.core.risk.advice.backfill import Rows
from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.risk.advice.subject import Subject, literal
from confiture_tui.core.risk.advice.tree import nodes_of
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.forecast import Forecast


def in_batches(forecast: Forecast) -> str | None:
    """UPDATE or DELETE of one table by key, batch by batch.

    ``None`` for statements that join other tables, return rows or write in WITH; for those that read their own table
    in a sub-select, which would find the earlier batches; for an UPDATE without a key, whose moved rows would be
    changed twice; and for one that changes the key itself.
    """
    node = forecast.statement.node or {}
    kind = forecast.statement.node_kind
    if kind not in ("UpdateStmt", "DeleteStmt") or {"withClause", "fromClause", "usingClause"} & node.keys():
        return None
    if "returningList" in node or "returningClause" in node:
        return None
    subject = Subject.of_statement(forecast)
    inner = [one for link in nodes_of(node, "SubLink") for one in nodes_of(link, "RangeVar")]
    if any(forecast.before.name_of(one) == subject.table for one in inner):
        return None
    if not subject.rows.key and kind == "UpdateStmt":
        return None
    written = {one.get("ResTarget", {}).get("name") for one in node.get("targetList", ())}
    if {quote_identifier(str(one)) for one in written} & set(subject.rows.key):
        return None
    alias = node["relation"].get("alias", {}).get("Alias", node["relation"].get("alias", {})).get("aliasname")
    source = subject.source
    place = source.word("where", 0, len(source.sql))
    condition = None if place is None else source.part(place + len("where"), len(source.sql))
    # The table by its full name, and known by the name that the user's own text gives it.
    start = source.offset(node["relation"]["location"])
    end = source.name_end(start)
    known_as = quote_identifier(alias) if alias else quote_identifier(subject.bare)
    renamed = "" if alias else f" AS {known_as}"
    head = (
        f"{source.sql[:start]}{subject.table}{renamed}{source.sql[end : len(source.sql) if place is None else place]}"
    )
    rows = Rows(subject.table, subject.rows.key, known_as)
    return (
        Recipe()
        .alone(
            "Batch by batch, each committed by itself: what is done stays done, also if a later batch fails.",
            backfill.in_batches(rows, head.rstrip(), condition),
        )
        .text()
    )


def index_first(child: Relation, key: Constraint) -> str:
    """An index on the columns of a foreign key."""
    return index_on(child.qualified_name, key.columns)


def index_on(table: str, columns: Sequence[str]) -> str:
    """An index on columns of a table, built CONCURRENTLY, under the name that the server would choose."""
    bare = split_name(table)[-1]
    name = quote_identifier(object_name(bare, columns_part(columns), "idx"))
    written = ", ".join(map(quote_identifier, columns))
    return (
        Recipe()
        .alone(
            "Builds the index; readers and writers go on.", f"CREATE INDEX CONCURRENTLY {name} ON {table} ({written})"
        )
        .text()
    )


def beyond_the_maximum(forecast: Forecast, name: str) -> str | None:
    """The sequence set to what its column holds at most; ``None`` where it is not known whose it is."""
    sequence = forecast.before.sequence(name) if name else None
    if sequence is None or sequence.owned_by is None or forecast.statement.node_kind == "DropStmt":
        return None
    schema, table, column = split_name(sequence.owned_by)
    relation = f"{quote_identifier(schema)}.{quote_identifier(table)}"
    return (
        Recipe()
        .brief(
            "Goes on from the largest number that is taken.",
            f"SELECT setval({literal(name)}, coalesce(max({quote_identifier(column)}), 0) + 1, false) FROM {relation}",
        )
        .text()
    )
