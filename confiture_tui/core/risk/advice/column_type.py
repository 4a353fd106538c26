"""Type changes: what is brief by itself, made brief by taking away what is in its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.dependencies import PG_CLASS, ObjectAddress
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.advice.column_swap import new_column
from confiture_tui.core.risk.advice.recipe import Recipe
from confiture_tui.core.risk.advice.subject import Subject

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.rules.command import Command

__all__ = ["around_views", "new_column", "under_utc", "without_constraints", "without_index"]


def without_index(command: Command) -> str | None:
    """The indexes dropped CONCURRENTLY, the type changed, the indexes built CONCURRENTLY."""
    subject = Subject.of_command(command)
    if subject.relation is None or not subject.known or subject.text is None or subject.is_partitioned:
        return None
    names = {work.index for work in command.works(WorkKind.REBUILD, WorkKind.BUILD)}
    indexes = [one for one in subject.relation.indexes if one.qualified_name in names]
    if len(indexes) != len(names) or any(one.constraint or one.parent or one.is_partitioned for one in indexes):
        return None
    recipe = Recipe()
    for index in indexes:
        recipe.alone("Queries do without it until the last step.", f"DROP INDEX CONCURRENTLY {index.qualified_name}")
    recipe.brief("Nothing is built any more.", f"ALTER TABLE {subject.table} {subject.text}")
    for index in indexes:
        recipe.alone("Builds the index; readers and writers go on.", concurrently(index.definition))
    return recipe.text()


def without_constraints(command: Command) -> str | None:
    """CHECK constraints and foreign keys dropped, the type changed, added as NOT VALID, and validated."""
    subject = Subject.of_command(command)
    if subject.relation is None or not subject.known or subject.text is None:
        return None
    mine = [
        one
        for one in subject.relation.constraints
        if one.kind in (ConstraintKind.CHECK, ConstraintKind.FOREIGN_KEY) and subject.column in one.columns
    ]
    if subject.is_partitioned or any(one.parent_oid or one.inherited or not one.validated for one in mine) or not mine:
        return None
    table = subject.table
    recipe = Recipe().brief(
        "New rows are checked again from the moment on at which this is committed.",
        *(f"ALTER TABLE {table} DROP CONSTRAINT {one.quoted_name}" for one in mine),
        f"ALTER TABLE {table} {subject.text}",
        *(f"ALTER TABLE {table} ADD CONSTRAINT {one.quoted_name} {one.definition} NOT VALID" for one in mine),
    )
    for one in mine:
        recipe.long(
            "Checks the rows that are there; readers and writers go on.",
            f"ALTER TABLE {table} VALIDATE CONSTRAINT {one.quoted_name}",
        )
    return recipe.text()


def under_utc(command: Command) -> str | None:
    """The same statement under TimeZone UTC; ``None`` where an index on the column would be rebuilt."""
    subject = Subject.of_command(command)
    if subject.text is None:
        return None
    recipe = Recipe().note("Only if the stored values are UTC.")
    if subject.relation is not None:
        if any(subject.column in index.key_columns or index.expressions for index in subject.relation.indexes):
            return None
    else:
        recipe.note("An index on the column would be rebuilt: drop it CONCURRENTLY first.")
    return recipe.brief(
        "Under UTC the stored form stays the same, so that nothing is written anew.",
        "SET LOCAL TimeZone = 'UTC'",
        f"ALTER TABLE {subject.table} {subject.text}",
    ).text()


def around_views(command: Command) -> str | None:
    """The views dropped, the type changed, the views made again, in one transaction.

    ``None`` where the change itself would write the table anew: then nobody could use it for all that time.
    """
    subject = Subject.of_command(command)
    if subject.relation is None or subject.text is None or command.works():
        return None
    views = _views_on(command.forecast, subject.relation, subject.column)
    if not views or any(one.kind is not RelationKind.VIEW or one.triggers or one.rules for one in views):
        return None
    return (
        Recipe()
        .brief(
            "Code that reads the views waits for the COMMIT. Give back grants and comments of the views, if any.",
            *(f"DROP VIEW {one.qualified_name}" for one in reversed(views)),
            f"ALTER TABLE {subject.table} {subject.text}",
            *(_create_view(one) for one in views),
        )
        .text()
    )


def concurrently(definition: str) -> str:
    """An index's definition, as pg_get_indexdef writes it, built CONCURRENTLY."""
    return definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)


def _create_view(view: Relation) -> str:
    options = f" WITH ({', '.join(view.options)})" if view.options else ""
    return f"CREATE VIEW {view.qualified_name}{options} AS {(view.definition or '').rstrip().rstrip(';')}"


def _views_on(forecast: Forecast, relation: Relation, column: str) -> list[Relation]:
    """The views that use the column, those on which others rest first."""
    catalog, found = forecast.before.catalog, relation.column(column)
    if catalog is None or found is None:
        return []
    reached = catalog.dependencies.reach(ObjectAddress(PG_CLASS, relation.oid, found.number))
    views = [
        one
        for address in reached
        if address.class_oid == PG_CLASS and address.number == 0
        if (one := catalog.relations.by_oid(address.oid)) is not None and one.oid != relation.oid
    ]
    return sorted(views, key=lambda one: one.oid)
