"""New names beside the old ones, until no code uses the old ones any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.access import PUBLIC
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.object_names import object_name
from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.risk.advice.subject import Subject
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.forecast import Forecast

_ON_VIEWS = ("SELECT", "INSERT", "UPDATE", "DELETE")
_TABLES = (RelationKind.TABLE, RelationKind.PARTITIONED_TABLE)


def column_in_steps(forecast: Forecast) -> str | None:
    """A view in the table's place that shows the column under both names; the rename itself later."""
    subject = Subject.of_statement(forecast)
    node = forecast.statement.node or {}
    relation = subject.relation
    if relation is not None and relation.kind not in _TABLES:
        return None
    old, new = quote_identifier(node["subname"]), quote_identifier(node["newname"])
    name = quote_identifier(subject.bare)
    helper = quote_identifier(object_name(subject.bare, None, "table"))
    recipe = Recipe().note(
        "A simple view is read and written like its table (not by TRUNCATE, COPY … FROM, or LOCK of the table)."
    )
    recipe.brief(
        f"A view takes the table's place and shows {old} as {new} too: old and new code both run.",
        f"ALTER TABLE {subject.table} RENAME TO {helper}",
        f"CREATE VIEW {subject.table}{_invoker(forecast)} AS SELECT *, {old} AS {new} FROM {subject.schema}.{helper}",
        *_grants(relation, subject.table),
    )
    return recipe.later(
        f"When no code uses {old} any more, in one transaction:",
        f"DROP VIEW {subject.table}",
        f"ALTER TABLE {subject.schema}.{helper} RENAME TO {name}",
        f"ALTER TABLE {subject.table} RENAME COLUMN {old} TO {new}",
    ).text()


def table_with_view(forecast: Forecast) -> str | None:
    """The rename, and a view with the old name, in one transaction."""
    subject = Subject.of_statement(forecast)
    node = forecast.statement.node or {}
    relation = subject.relation
    if relation is not None and relation.kind not in _TABLES:
        return None
    if "newname" in node:
        new = f"{subject.schema}.{quote_identifier(node['newname'])}"
    else:
        new = f"{quote_identifier(node.get('newschema', ''))}.{quote_identifier(subject.bare)}"
    recipe = Recipe().note(
        "A simple view is read and written like its table (not by TRUNCATE, COPY … FROM, or LOCK of the table)."
    )
    recipe.brief(
        "The new name, and a view with the old one: old and new code both run.",
        forecast.statement.sql,
        f"CREATE VIEW {subject.table}{_invoker(forecast)} AS SELECT * FROM {new}",
        *_grants(relation, subject.table),
    )
    return recipe.later("When no code uses the old name any more:", f"DROP VIEW {subject.table}").text()


def _invoker(forecast: Forecast) -> str:
    """The rights and policies of the table stay those of whoever asks; from PostgreSQL 15 on."""
    known = forecast.before.known and forecast.before.server_version_num >= 150000
    return " WITH (security_invoker = true)" if known else ""


def _grants(relation: Relation | None, view: str) -> list[str]:
    """The table's grants, for the view; none are known without a catalog."""
    found = []
    for grant in (relation.acl or ()) if relation is not None else ():
        rights = [one for one in _ON_VIEWS if one in grant.privileges]
        if rights and relation is not None and grant.grantee != relation.owner:
            who = "PUBLIC" if grant.grantee == PUBLIC else quote_identifier(grant.grantee)
            found.append(f"GRANT {', '.join(rights)} ON {view} TO {who}")
    return found
