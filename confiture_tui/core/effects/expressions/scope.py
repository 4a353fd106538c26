"""What the names in an expression can mean: tables and sub-selects in FROM, columns, variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from confiture_tui.core.effects.type_names import parse_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.expressions.reads import Read
    from confiture_tui.core.effects.schema import Schema

SYSTEM_COLUMNS = {
    "ctid": "tid",
    "tableoid": "oid",
    "xmin": "xid",
    "xmax": "xid",
    "cmin": "cid",
    "cmax": "cid",
}
"""The columns that every table has besides its own, and their types."""


class ScopeColumn(NamedTuple):
    """A column that can be named.

    Attributes:
        type: bare name; ``None`` where it is not known to us. ``not_null``: it cannot be NULL.
        origin: the table that is read and its column, where the value is that column's own; ``None`` for anything
            computed.
    """

    type: str | None
    not_null: bool = False
    origin: tuple[Read, str] | None = None


@dataclass(slots=True)
class Entry:
    """One item of FROM.

    Attributes:
        name: its alias, or the table's name; ``None`` for a sub-select without an alias.
        columns: by name; ``None`` where they are not known.
        schema: of a table that was named with its schema; ``None`` otherwise.
        read: the table that it is; ``None`` for others.
        by_name_only: its columns are named with the item's name before them.
    """

    name: str | None
    columns: Mapping[str, ScopeColumn] | None
    schema: str | None = None
    read: Read | None = None
    by_name_only: bool = False


@dataclass(slots=True)
class Scope:
    """The names of one query level, and of those around it.

    Attributes:
        entries: the items of its FROM.
        outer: the level around it. ``ctes``: columns of the queries in its WITH, by name; ``None``: not known.
        variables: types of a routine's variables and arguments, by name.
        subplan: the level is run anew for each row of the level around it, whose columns are then as constants.
        aliases: names of its output columns, that ORDER BY and GROUP BY may use.
        merged: columns that joins have made one of two, in their order; ``None``: which is not known.
    """

    outer: Scope | None = None
    entries: list[Entry] = field(default_factory=list)
    ctes: dict[str, Cte] = field(default_factory=dict)
    variables: Mapping[str, str | None] = field(default_factory=dict)
    subplan: bool = False
    aliases: set[str] = field(default_factory=set)
    merged: dict[str, None] | None = field(default_factory=dict)

    def levels(self) -> Iterator[tuple[Scope, bool]]:
        """This level and those around it, each with whether a sub-plan lies between."""
        level: Scope | None = self
        crossed = False
        while level is not None:
            yield level, crossed
            crossed = crossed or level.subplan
            level = level.outer

    def cte(self, name: str) -> Cte | None:
        """The query in a WITH that a name means; ``None`` when it means something else."""
        for level, _ in self.levels():
            if name in level.ctes:
                return level.ctes[name]
        return None


@dataclass(slots=True)
class Cte:
    """A query in WITH.

    Attributes:
        columns: that it gives; ``None``: not known.
        used: it was asked for.
        reads: what it reads, which it does not when it is not asked for.
        rows: how many rows a recursive query is expected to give each time; ``None`` for others.
    """

    columns: Mapping[str, ScopeColumn] | None
    used: bool = False
    reads: list[Read] = field(default_factory=list)
    rows: float | None = None


class Meaning(NamedTuple):
    """What a column reference means.

    Attributes:
        column: ``None`` when it cannot be told.
        missing: it certainly means nothing; ``table``: not even the table it names is there.
        parameter: a value from outside the query level that is run for each row: as good as a constant.
        variable: a routine's variable.
        row: a whole row.
        ambiguous: it may be a column of several tables, which the server refuses.
    """

    column: ScopeColumn | None = None
    missing: bool = False
    missing_table: bool = False
    parameter: bool = False
    variable: bool = False
    row: bool = False
    ambiguous: bool = False


def columns_of(relation: Relation, read: Read | None = None) -> dict[str, ScopeColumn]:
    """The columns of a table or view as an expression sees them."""
    found = {
        column.name: ScopeColumn(parse_type(column.type).bare, column.not_null, (read, column.name) if read else None)
        for column in relation.columns
    }
    for name, type_name in SYSTEM_COLUMNS.items():
        found.setdefault(name, ScopeColumn(type_name, True, (read, name) if read else None))
    return found


_NAMES_VERSIONS = 180000


def row_versions(
    columns: Mapping[str, ScopeColumn] | None, schema: Schema, *, old: str = "old", new: str = "new"
) -> list[Entry]:
    """What RETURNING calls the rows before and after, from PostgreSQL 18 on."""
    if schema.server_version_num < _NAMES_VERSIONS:
        return []
    return [Entry(old, columns, by_name_only=True), Entry(new, columns, by_name_only=True)]


def another_key(columns: Mapping[str, ScopeColumn], name: str) -> str:
    """The key of a further column of a query: its name, or one that nothing can mean where the name is taken."""
    return f"{name}\0{len(columns)}" if name in columns else name


def plain_name(key: str) -> str:
    """The name of the column that a query's columns have under a key."""
    return key.partition("\0")[0]


def look_up(parts: tuple[str, ...], scope: Scope) -> Meaning:
    """What a column reference, given by its parts, means."""
    return _unqualified(parts[0], scope) if len(parts) == 1 else _qualified(parts, scope)


def _unqualified(name: str, scope: Scope) -> Meaning:
    complete = True
    for level, crossed in scope.levels():
        found: ScopeColumn | None = None
        for entry in level.entries:
            if entry.columns is None:
                complete = False
            elif name in entry.columns and not entry.by_name_only:
                if found is not None:
                    return Meaning(found, parameter=crossed, ambiguous=_is_ambiguous(name, level))
                found = entry.columns[name]
                if entry.read is not None:
                    entry.read.used.add(name)
        if found is not None:
            return Meaning(found, parameter=crossed)
        if complete and any(entry.name == name for entry in level.entries):
            return Meaning(row=True, parameter=crossed)
        if name in level.aliases:
            return Meaning()
        if name in level.variables:
            return Meaning(ScopeColumn(level.variables[name]), parameter=True, variable=True)
    return Meaning(missing=complete)


def _is_ambiguous(name: str, level: Scope) -> bool:
    return level.merged is not None and name not in level.merged


def _qualified(parts: tuple[str, ...], scope: Scope) -> Meaning:
    table, name = parts[-2], parts[-1]
    unknown = False
    for level, crossed in scope.levels():
        for entry in level.entries:
            if entry.name is None and entry.columns is None:
                unknown = True
            if entry.name != table or (len(parts) > 2 and entry.schema is not None and entry.schema != parts[-3]):
                continue
            if entry.columns is None:
                return Meaning(parameter=crossed)
            if name in entry.columns:
                if entry.read is not None:
                    entry.read.used.add(name)
                return Meaning(entry.columns[name], parameter=crossed)
            # ``row.function`` and ``row.field`` are written alike, so that only a plain table says for certain.
            return Meaning(missing=(entry.read or entry.schema) is not None and len(parts) == 2)
        if table in level.variables or name in level.variables:
            return Meaning(ScopeColumn(None), parameter=True, variable=True)
    return Meaning(missing=not unknown, missing_table=not unknown)
