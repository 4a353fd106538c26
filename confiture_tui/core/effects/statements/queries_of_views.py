"""The query of a view that is being made: what it reads by itself, and which columns it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.expressions.scope import SYSTEM_COLUMNS, plain_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def columns_read(read: Read) -> tuple[int, ...]:
    """The numbers of the columns of a relation that a query reads in one place."""
    relation = read.found.relation
    if relation is None:
        return ()
    names = {column.name for column in relation.columns}
    # Under an alias with names of its own the columns are called something else.
    everything = read.whole or not read.used <= names | SYSTEM_COLUMNS.keys()
    return tuple(column.number for column in relation.columns if everything or column.name in read.used)
