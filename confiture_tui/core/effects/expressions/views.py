"""Reading a view: its own query, which the server runs in its place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.expressions.scope import Scope, ScopeColumn, columns_of
from confiture_tui.core.effects.written import tree_of
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.expressions.base import Reader, Walk
    from confiture_tui.core.effects.expressions.reads import Read


@lru_cache(maxsize=256)
def _query_of(definition: str) -> dict[str, Any] | None:
    """The syntax tree of a view's definition. It is read from; nobody writes to it."""
    tree = parse(definition.rstrip().removesuffix(";"))
    return None if isinstance(tree, SyntaxProblem) or tree[0] != "SelectStmt" else tree[1]


def query_of(view: Relation) -> dict[str, Any] | None:
    """The fields of the SelectStmt that a view is; ``None`` when it cannot be read."""
    return None if view.definition is None else tree_of(view.definition) or _query_of(view.definition)


def read_view(reader: Reader, view: Relation, read: Read) -> Walk:
    """Read a view's query; yields its columns, those of the underlying tables where they are plainly that."""
    own = columns_of(view)
    query = query_of(view)
    if query is None or view.qualified_name in reader.views:
        reader.facts.complete = reader.facts.complete and query is not None
        return own
    scope, through, views = reader.scope, reader.through, reader.views
    reader.scope = Scope()
    reader.through = through or view.qualified_name
    reader.views = views | {view.qualified_name}
    problems = len(reader.facts.problems)
    columns: Mapping[str, ScopeColumn] | None = yield reader.visitors["SelectStmt"](reader, query)
    if len(reader.facts.problems) > problems:
        # The view is there, and keeps what it needs: what its text names has got another name since.
        del reader.facts.problems[problems:]
        reader.facts.complete = False
    reader.scope, reader.through, reader.views = scope, through, views
    if columns is None:
        return own
    return {name: ScopeColumn(kept.type, kept.not_null, inner.origin) for (name, kept), inner in _pairs(own, columns)}


def _pairs(
    own: Mapping[str, ScopeColumn], columns: Mapping[str, ScopeColumn]
) -> list[tuple[tuple[str, ScopeColumn], ScopeColumn]]:
    """A view's columns, each with the column of its query in the same place."""
    inner = list(columns.values())
    nothing = ScopeColumn(None)
    return [(item, inner[place] if place < len(inner) else nothing) for place, item in enumerate(own.items())]
