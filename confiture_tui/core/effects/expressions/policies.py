"""Row security: the conditions that the server adds to a query on a table with policies."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.expressions.scope import Entry, Scope, columns_of
from confiture_tui.core.effects.written import tree_of
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.expressions.base import Reader, Walk


@lru_cache(maxsize=512)
def _expression(text: str) -> dict[str, Any] | None:
    """The syntax tree of a policy's expression. It is read from; nobody writes to it."""
    tree = parse(f"SELECT {text}")
    if isinstance(tree, SyntaxProblem):
        return None
    value: dict[str, Any] | None = tree[1]["targetList"][0]["ResTarget"].get("val")
    return value


def read_policies(reader: Reader, relation: Relation, *commands: str) -> Walk:
    """Read the policies that apply to the session's role for these commands, ``SELECT`` for example.

    They do not apply to superusers, nor to the table's owner unless they are forced on it. Of which roles a role is a
    member is not known here, so that policies for others are read too.
    """
    catalog = reader.schema.catalog
    if catalog is None or not relation.row_security or catalog.session.is_superuser:
        return
    if relation.owner == catalog.session.role and not relation.force_row_security:
        return
    for policy in relation.policies:
        if policy.command not in ("ALL", *commands):
            continue
        for text in (policy.using, policy.with_check):
            node = (tree_of(text) or _expression(text)) if text else None
            if node is not None:
                outer = reader.scope
                reader.scope = Scope(
                    entries=[Entry(relation.name, columns_of(relation), relation.schema)], subplan=True
                )
                problems = len(reader.facts.problems)
                yield reader.visit(node)
                del reader.facts.problems[problems:]  # as of a view that is there
                reader.scope = outer
