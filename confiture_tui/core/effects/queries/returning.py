"""RETURNING of INSERT, UPDATE and DELETE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.expressions.scope import row_versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_tui.core.effects.expressions.base import Reader
    from confiture_tui.core.effects.expressions.scope import ScopeColumn

Node = dict[str, Any]


def read_returning(reader: Reader, node: Node, columns: Mapping[str, ScopeColumn] | None) -> None:
    """Read what is given back.

    Args:
        reader: its scope has the target's table, and what else may be named.
        node: the statement.
        columns: of the rows that are written; ``None`` where they are not known.
    """
    clause = node.get("returningClause", {})
    named = {one["ReturningOption"]["option"]: one["ReturningOption"]["value"] for one in clause.get("options", ())}
    versions = row_versions(
        columns,
        reader.schema,
        old=named.get("RETURNING_OPTION_OLD", "old"),
        new=named.get("RETURNING_OPTION_NEW", "new"),
    )
    reader.scope.entries = [*reader.scope.entries, *versions]
    known = {one.name for one in reader.scope.entries} | set(reader.scope.variables)
    for one in clause.get("exprs", ()):
        value = one["ResTarget"].get("val", {})
        fields = value.get("ColumnRef", {}).get("fields", ())
        if not any("A_Star" in part for part in fields):
            reader.read(value)
        elif len(fields) == 2 and reader.schema.known and reader.scope.outer is None:
            table = fields[0].get("String", {}).get("sval")
            if table not in known and None not in known:
                reader.problem("42P01", f'missing FROM-clause entry for table "{table}"')
