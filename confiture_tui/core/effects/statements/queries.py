"""SELECT, VALUES, TABLE and what only looks like them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.queries.common_table import note_writes
from confiture_tui.core.effects.queries.noting import note, reader_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_tui.core.effects.expressions.scope import ScopeColumn
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]


def read_select(node: Node, step: Step) -> None:
    """A SELECT that is run; SELECT INTO makes a table as CREATE TABLE AS does."""
    into = node.get("intoClause")
    if into is not None:
        query = {key: value for key, value in node.items() if key != "intoClause"}
        step.run("CreateTableAsStmt", {"query": {"SelectStmt": query}, "into": into, "objtype": "OBJECT_TABLE"})
        return
    read_query(node, step)


def read_query(node: Node, step: Step, *, execute: bool = True) -> Mapping[str, ScopeColumn] | None:
    """Write to the step what a query does: locks and scans, and what the functions that it calls do.

    Args:
        node: the fields of a SelectStmt.
        step: written to.
        execute: it runs; else it is only looked at, as by CREATE VIEW and EXPLAIN.

    Returns:
        The columns that it gives, by name, in order; ``None`` where they are not known.
    """
    reader = reader_for(step)
    columns: Mapping[str, ScopeColumn] | None = reader.walk(reader.visitors["SelectStmt"](reader, node))
    note(step, reader, execute=execute)
    note_writes(step, reader, execute=execute)
    return columns
