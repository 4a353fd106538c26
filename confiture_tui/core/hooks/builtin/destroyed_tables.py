"""Which tables a migration takes data from, as far as its text and the catalog tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.risk.lost_data import bearers
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import Direction
    from confiture_tui.core.migrations.model import Migration

# The rows of a partitioned table are in its partitions, and whoever empties a table empties those that inherit from it.
_WITH_CHILDREN = """
WITH RECURSIVE family AS (
    SELECT pg_catalog.to_regclass(given.name)::oid AS oid FROM pg_catalog.unnest(%s::text[]) AS given(name)
    UNION
    SELECT i.inhrelid FROM family JOIN pg_catalog.pg_inherits i ON i.inhparent = family.oid)
SELECT n.nspname, c.relname, c.relkind::text, pg_catalog.pg_table_size(c.oid)
FROM family JOIN pg_catalog.pg_class c ON c.oid = family.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A table (``r``), partitioned table (``p``) or materialized view (``m``): names as stored, and its bytes."""

    schema: str
    name: str
    kind: str
    size: int

    @property
    def label(self) -> str:
        """Its qualified and quoted name."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"


class NotToldError(Exception):
    """What a statement destroys cannot be told from its text."""


def destroyed_tables(conn: psycopg.Connection[Any], migration: Migration, direction: Direction) -> tuple[str, ...]:
    """The tables and materialized views whose rows or columns go, qualified and quoted.

    Raises:
        NotToldError: for a statement that cannot be told.
        psycopg.Error: the catalog could not be read.
    """
    catalog = Catalog.load(conn)
    simulated = simulate(migration, catalog=catalog, direction="up" if direction == "forward" else "down")
    found: dict[str, None] = {}
    for forecast in simulated.forecasts:
        effects = forecast.effects
        if effects.destroys_data is False:
            continue
        names = bearers(forecast)
        if not names and effects.destroys_data is None:
            raise NotToldError(
                f"line {forecast.statement.line}: what {forecast.statement.tag} destroys cannot be told beforehand"
            )
        found |= dict.fromkeys(names)
    return tuple(found)


def with_children(conn: psycopg.Connection[Any], tables: tuple[str, ...]) -> tuple[Bearer, ...]:
    """Those of the tables that exist, their partitions, and whatever inherits from them."""
    from psycopg.rows import tuple_row

    rows = conn.cursor(row_factory=tuple_row).execute(_WITH_CHILDREN, (list(tables),)).fetchall()
    return tuple(Bearer(*row) for row in rows)
