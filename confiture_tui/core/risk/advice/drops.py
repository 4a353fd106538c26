"""Dropping and emptying by name, and letting go of other tables first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.names import split_name
from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.risk.advice.tree import strings
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast


def let_go_first(forecast: Forecast) -> str | None:
    """The foreign keys of the tables dropped one by one, partitions detached; then the DROP."""
    node = forecast.statement.node or {}
    recipe = Recipe()
    names = []
    for one in node.get("objects", ()):
        parts = strings(one.get("List", {}).get("items", ()))
        relation = forecast.before.relation(".".join(map(quote_identifier, parts)))
        if relation is None:
            return None
        names.append(relation.qualified_name)
        for parent in forecast.before.parents(relation) if relation.is_partition else ():
            if any(each.partition_bound == "DEFAULT" for each in forecast.before.children(parent)):
                return None
            recipe.alone(
                "Takes the partition out; nobody waits.",
                f"ALTER TABLE {parent.qualified_name} DETACH PARTITION {relation.qualified_name} CONCURRENTLY",
            )
        for key in relation.constraints:
            if key.kind is ConstraintKind.FOREIGN_KEY and not key.parent_oid:
                recipe.brief(
                    f"Lets go of {key.referenced_relation}.",
                    f"ALTER TABLE {relation.qualified_name} DROP CONSTRAINT {key.quoted_name}",
                )
    cascade = " CASCADE" if node.get("behavior") == "DROP_CASCADE" else ""
    return recipe.brief("Locks nothing but what is dropped.", f"DROP TABLE {', '.join(names)}{cascade}").text()


def columns_by_name(forecast: Forecast, columns: Iterable[str]) -> str | None:
    """The columns dropped by name, table by table; then the DROP without CASCADE."""
    node = forecast.statement.node or {}
    if node.get("removeType") not in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        return None
    by_table: defaultdict[str, list[str]] = defaultdict(list)
    for column in columns:
        schema, table, name = split_name(column)
        by_table[qualified_name(schema, table)].append(quote_identifier(name))
    recipe = Recipe()
    for table, names in by_table.items():
        dropped = ", ".join(f"DROP COLUMN {name}" for name in names)
        recipe.brief("Says which values go.", f"ALTER TABLE {table} {dropped}")
    kind = "DOMAIN" if node.get("removeType") == "OBJECT_DOMAIN" else "TYPE"
    types = [
        ".".join(map(quote_identifier, strings(one.get("TypeName", {}).get("names", ()))))
        for one in node.get("objects", ())
    ]
    return recipe.brief("Fails if anything else still uses it.", f"DROP {kind} {', '.join(types)}").text()


def truncate_by_name(forecast: Forecast, tables: Iterable[str]) -> str:
    """TRUNCATE of all tables by name, without CASCADE."""
    node = forecast.statement.node or {}
    restart = " RESTART IDENTITY" if node.get("restart_seqs") else ""
    names = ", ".join(sorted(tables))
    return (
        Recipe()
        .brief("Says which tables are emptied; fails if one was forgotten.", f"TRUNCATE {names}{restart}")
        .text()
    )
