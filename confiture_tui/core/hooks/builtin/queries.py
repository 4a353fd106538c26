"""Queries that a migration's ``.hooks.yaml`` gives: one SELECT each, used as a sub-select."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from confiture_tui.core.sql.script import Script

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT, and the names of its columns in their order."""

    text: str
    columns: tuple[str, ...]

    @property
    def as_source(self) -> sql.Composable:
        """The query in parentheses; the line break ends a comment that it may end with."""
        # The text is the project's own SQL, not a value: it is meant to be run.
        return sql.SQL("({}\n)").format(sql.SQL(self.text))


def read_query(conn: psycopg.Connection[Any], text: str, *, option: str) -> Query:
    """Check that a text is one SELECT that changes nothing, and find out its columns by planning it.

    Raises:
        ValueError: it is something else, or two of its columns have the same name.
        psycopg.Error: the server refuses it.
    """
    statements = Script.from_text(text).statements
    if len(statements) != 1 or statements[0].node_kind != "SelectStmt":
        problem = next((one.problem.message for one in statements if one.problem), "it is not one SELECT")
        raise ValueError(f"the option {option} is not a query: {problem}")
    node = statements[0].node or {}
    if node.get("intoClause") or node.get("lockingClause"):
        raise ValueError(f"the option {option} must only read: SELECT INTO and FOR UPDATE do more")
    query = statements[0].sql
    cursor = conn.execute(sql.SQL("SELECT * FROM ({}\n) AS source LIMIT 0").format(sql.SQL(query)))
    columns = tuple(column.name for column in cursor.description or ())
    twice = {name for name in columns if columns.count(name) > 1}
    if twice:
        raise ValueError(f"the option {option} gives two columns the name {min(twice)}")
    return Query(query, columns)
