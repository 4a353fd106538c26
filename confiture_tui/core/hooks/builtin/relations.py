"""Names that a migration's ``.hooks.yaml`` gives, as relations of the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

_FIND = """
SELECT n.nspname, c.relname, c.relkind::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass(%s)
"""


@dataclass(frozen=True, slots=True)
class FoundRelation:
    """A relation that exists: its schema and name as stored, and its ``relkind``."""

    schema: str
    name: str
    kind: str

    @property
    def identifier(self) -> sql.Identifier:
        """Its qualified and quoted name."""
        return sql.Identifier(self.schema, self.name)


def find(conn: psycopg.Connection[Any], name: str, *, kinds: str, what: str) -> FoundRelation:
    """The relation that a name means on this connection, written as in SQL (``sales."Order Lines"``).

    Args:
        kinds: the ``relkind`` letters that will do.
        what: what it should be, for the message.

    Raises:
        LookupError: there is none, or it is of another kind.
    """
    from psycopg.rows import tuple_row

    row = conn.cursor(row_factory=tuple_row).execute(_FIND, (name,)).fetchone()
    if row is None:
        raise LookupError(f"there is no {what} called {name}")
    found = FoundRelation(*row)
    if found.kind not in kinds:
        raise LookupError(f"{name} is no {what}")
    return found
