"""The query of a view that is being made: what it reads by itself, and which columns it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.expressions.scope import plain_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.expressions.reads import Facts, Read
    from confiture_tui.core.effects.expressions.scope import ScopeColumn
    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]


def read_definition(query: Node, schema: Schema) -> tuple[Facts, Mapping[str, ScopeColumn] | None]:
    """What a query (the fields of its SelectStmt) holds, and its columns by name; ``None`` where they are not known."""
    reader = Reader(schema)
    columns: Mapping[str, ScopeColumn] | None = Reader.walk(reader.visitors["SelectStmt"](reader, query))
    return reader.facts, columns


def direct_reads(query: Node, schema: Schema) -> tuple[Read, ...]:
    """The tables, views and sequences that a query itself mentions, not what the views among them read in turn."""
    facts, _columns = read_definition(query, schema)
    return tuple(read for read in facts.reads if read.through is None)


def require_names(
    step: Step, columns: Mapping[str, ScopeColumn] | None, names: Sequence[str], *, too_many: str
) -> list[str]:
    """The names of the columns that are made of a query's: those that are listed, then the query's own.

    Args:
        step: refuses them.
        columns: of the query; ``None`` where they are not known.
        names: that the statement lists.
        too_many: what the server says when those are more than the query has columns.

    Raises:
        Refused: there are more names than columns, or two are the same.
    """
    own = list(columns or ())
    if columns is not None and len(names) > len(own):
        step.refuse("42601", too_many)
    listed = [*names, *map(plain_name, own[len(names) :])]
    for place, name in enumerate(listed):
        if name in listed[:place]:
            step.refuse("42701", f'column "{name}" specified more than once')
    return listed


@dataclass(frozen=True, slots=True)
class NamedColumns:
    """The columns that a query's text names, in any of its parts.

    Names are matched, not resolved: where a sub-select names a column that another table has too, both count.

    Attributes:
        names: those without a table before them. ``qualified``: with what stands before them.
        stars: what stands before a star. ``everything``: there is a bare star, or a NATURAL JOIN.
        aliases: what the query calls a relation, by the relation's own name.
    """

    names: frozenset[str]
    qualified: frozenset[tuple[str, str]]
    stars: frozenset[str]
    everything: bool
    aliases: Mapping[str, frozenset[str]]

    def of(self, relation: Relation) -> tuple[int, ...]:
        """The numbers of those that are a relation's."""
        called = self.aliases.get(relation.name, frozenset())
        if self.everything or called & self.stars or called & self.names:
            return tuple(column.number for column in relation.columns)
        return tuple(
            column.number
            for column in relation.columns
            if column.name in self.names or any((alias, column.name) in self.qualified for alias in called)
        )


def columns_named(query: Node) -> NamedColumns:
    """The columns that a query (the fields of its SelectStmt) names."""
    names: set[str] = set()
    qualified: set[tuple[str, str]] = set()
    stars: set[str] = set()
    aliases: dict[str, set[str]] = {}
    everything = False
    waiting: list[Any] = [query]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
            continue
        if not isinstance(one, dict):
            continue
        for key, value in one.items():
            if isinstance(value, list):
                waiting += value
                if key == "usingClause":
                    names.update(part["String"].get("sval", "") for part in value if "String" in part)
            elif key == "ColumnRef":
                fields = value.get("fields", [])
                parts = [part["String"].get("sval", "") for part in fields if "String" in part]
                if len(parts) < len(fields) and any("A_Star" in part for part in fields):
                    stars.update(parts[-1:])
                    everything = everything or not parts
                elif len(parts) > 1:
                    qualified.add((parts[-2], parts[-1]))
                elif parts:
                    names.add(parts[0])
            elif isinstance(value, dict):
                waiting.append(value)
            elif key == "relname":
                aliases.setdefault(value, set()).add(one.get("alias", {}).get("aliasname", value))
            elif key == "isNatural":
                everything = everything or bool(value)
    called = {name: frozenset(found) for name, found in aliases.items()}
    return NamedColumns(frozenset(names), frozenset(qualified), frozenset(stars), everything, called)
