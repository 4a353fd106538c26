"""What became of violations between two states of a schema."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.catalog import Catalog
from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.lint.model import LintReport, Violation

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.relations import Relation


class LintComparison(FrozenModel):
    """The violations that are new, gone, and still there; a violation is known by its key.

    Attributes:
        added: found after and not before, as found after.
        fixed: found before and not after, as found before.
        unchanged: found in both, as found after.
    """

    added: tuple[Violation, ...] = ()
    fixed: tuple[Violation, ...] = ()
    unchanged: tuple[Violation, ...] = ()


def compare_reports(before: LintReport, after: LintReport) -> LintComparison:
    """What a change adds and fixes. Rules that ran only once say nothing of it."""
    both = frozenset(before.rules) & frozenset(after.rules)
    old = {one.key: one for one in before.violations if one.rule in both}
    new = {one.key: one for one in after.violations if one.rule in both}
    return LintComparison(
        added=tuple(one for key, one in new.items() if key not in old),
        fixed=tuple(one for key, one in old.items() if key not in new),
        unchanged=tuple(one for key, one in new.items() if key in old),
    )


def with_figures_of(catalog: Catalog, live: Catalog) -> Catalog:
    """A catalog with the sizes, counts of rows and traffic that another has of relations of the same name.

    A shadow has the target's definitions and none of its figures; rules that weigh by size need them.
    """
    relations = [_relation(one, live.relations.get((one.schema, one.name))) for one in catalog.relations.values()]
    last = {key: sequence.last_value for key, sequence in live.sequences.items()}
    return Catalog(
        server_version_num=catalog.server_version_num,
        server_version=catalog.server_version,
        database=catalog.database,
        encoding=catalog.encoding,
        session=catalog.session,
        not_visible=catalog.not_visible,
        statistics_reset=live.statistics_reset,
        schemas=catalog.schemas.values(),
        relations=relations,
        indexes=[index for one in relations for index in one.indexes],
        sequences=[
            replace(one, last_value=last.get((one.schema, one.name), one.last_value))
            for one in catalog.sequences.values()
        ],
        types=catalog.types.values(),
        routines=catalog.routines.values(),
        extensions=catalog.extensions.values(),
        event_triggers=catalog.event_triggers.values(),
        others=catalog.others.values(),
        default_privileges=catalog.default_privileges,
        dependencies=catalog.dependencies,
        temporary=catalog.temporary,
        system_names=catalog.system_names,
    )


def _relation(one: Relation, live: Relation | None) -> Relation:
    if live is None:
        return one
    columns = {column.name: column for column in live.columns}
    indexes = {index.name: index for index in live.indexes}
    return replace(
        one,
        statistics=live.statistics,
        traffic=live.traffic,
        columns=tuple(_column(column, columns.get(column.name)) for column in one.columns),
        indexes=tuple(_index(index, indexes.get(index.name)) for index in one.indexes),
    )


def _column(one: Column, live: Column | None) -> Column:
    return one if live is None else replace(one, figures=live.figures)


def _index(one: Index, live: Index | None) -> Index:
    if live is None:
        return one
    return replace(one, rows=live.rows, pages=live.pages, size=live.size, scans=live.scans)
