"""Rules about what the server itself keeps: statistics, transaction ids, dead rows. They need the live database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.lint.model import Category, Fix, FixStep, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import ended

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.relations import Relation

_PAGE = 8192
_ROW_OVERHEAD = 28
"""Bytes of a row's header and its line pointer (PostgreSQL documentation, 66.6)."""


def _analyze(relation: Relation) -> Fix:
    return Fix(steps=(FixStep(up=ended(f"ANALYZE {relation.qualified_name}")),), safety=Safety.MANUAL)


class StaleStatisticsOptions(RuleOptions):
    """When statistics are stale.

    Attributes:
        changed_share: of the rows that changed since the last ANALYZE.
        min_changed: rows that changed at least.
    """

    changed_share: float = Field(default=0.5, ge=0)
    min_changed: int = Field(default=10_000, ge=1)


class StaleStatisticsRule(LintRule):
    """Tables whose statistics are of another time."""

    id = "stale-statistics"
    category = Category.HEALTH
    severity = Severity.INFO
    title = "A table has changed much since its statistics were taken."
    why = "The planner chooses by figures that no longer hold. Autovacuum does this from a tenth of the rows on."
    options = StaleStatisticsOptions
    needs_statistics = True
    example = '{"min_changed": 10}'
    bad = (
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 20); ANALYZE t;"
        "INSERT INTO t SELECT generate_series(21, 90);"
    )
    good = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 90); ANALYZE t;"

    def check(self, catalog: Catalog, options: StaleStatisticsOptions) -> Iterable[Violation]:
        """Tables that were analyzed once and have changed since."""
        for relation in own(catalog).stored:
            figures = relation.statistics
            if figures is None or figures.rows < 0 or not (figures.last_analyze or figures.last_autoanalyze):
                continue
            changed = figures.changed_since_analyze
            if changed >= options.min_changed and changed >= options.changed_share * max(figures.rows, 1):
                message = f"{changed:,} rows of {relation.qualified_name} changed since its statistics were taken."
                yield self.on(relation, message, fix=_analyze(relation))


class NeverAnalyzedOptions(RuleOptions):
    """``min_size``: bytes that a table has at least to be worth telling of."""

    min_size: int = Field(default=1024 * 1024, ge=0)


class NeverAnalyzedRule(LintRule):
    """Tables with rows and without statistics."""

    id = "never-analyzed"
    category = Category.HEALTH
    severity = Severity.INFO
    title = "A table has rows and was never analyzed."
    why = "The planner guesses how many rows there are, and what is in them; ANALYZE tells it."
    options = NeverAnalyzedOptions
    needs_statistics = True
    example = '{"min_size": 1}'
    bad = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);"
    good = (
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); ANALYZE t; CREATE TABLE u (id int PRIMARY KEY);"
    )

    def check(self, catalog: Catalog, options: NeverAnalyzedOptions) -> Iterable[Violation]:
        """Tables that take up room and of which the server knows no count of rows."""
        for relation in own(catalog).stored:
            figures = relation.statistics
            if figures is not None and figures.rows < 0 and (figures.size or 0) >= options.min_size:
                yield self.on(relation, f"{relation.qualified_name} was never analyzed.", fix=_analyze(relation))


class XidAgeOptions(RuleOptions):
    """Transactions since a table's rows were last frozen: ``warn_above`` tells, ``error_above`` is an error."""

    warn_above: int = Field(default=500_000_000, ge=0)
    error_above: int = Field(default=1_200_000_000, ge=0)


class XidAgeRule(LintRule):
    """Tables that vacuum has not reached for very long."""

    id = "xid-age"
    category = Category.HEALTH
    severity = Severity.WARNING
    title = "A table was not vacuumed for so many transactions that their ids begin to run out."
    why = (
        "At about two thousand million the server takes no more writes (PostgreSQL documentation, 24.1.5). Autovacuum "
        "prevents it from 200 million on, unless something holds it up: a transaction that is open for days, a "
        "prepared one, a replication slot."
    )
    options = XidAgeOptions
    needs_statistics = True
    example = '{"warn_above": 0, "error_above": 2000000000}'
    bad = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);"
    good = "CREATE VIEW v AS SELECT 1 AS id;"

    def check(self, catalog: Catalog, options: XidAgeOptions) -> Iterable[Violation]:
        """Tables whose oldest row is that old."""
        for relation in own(catalog).stored:
            age = relation.statistics.frozen_xid_age if relation.statistics else None
            if age is not None and age > options.warn_above:
                severity = Severity.ERROR if age > options.error_above else None
                message = f"{relation.qualified_name} was last frozen {age:,} transactions ago."
                step = FixStep(up=ended(f"VACUUM (FREEZE) {relation.qualified_name}"), transactional=False)
                fix = Fix(steps=(step,), safety=Safety.MANUAL)
                yield self.on(relation, message, fix=fix, severity=severity)


class TableBloatOptions(RuleOptions):
    """When a table is bloated: the share of its pages that hold nothing, and the bytes that these are."""

    min_share: float = Field(default=0.5, ge=0, le=1)
    min_waste: int = Field(default=100 * 1024 * 1024, ge=0)


class TableBloatRule(LintRule):
    """Tables that take up much more room than their rows."""

    id = "table-bloat"
    category = Category.HEALTH
    severity = Severity.INFO
    enabled = False
    title = "A table seems to take up much more room than its rows need."
    why = "It is an estimate from the average width of its columns; only pgstattuple knows. Off by default."
    options = TableBloatOptions
    needs_statistics = True
    reads = frozenset({"column statistics"})
    example = '{"min_waste": 100000}'
    bad = (
        "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t SELECT n, repeat('x', 500) FROM"
        " generate_series(1, 2000) n; DELETE FROM t WHERE id > 50 AND id < 1990; ANALYZE t;"
    )
    good = (
        "CREATE TABLE t (id int PRIMARY KEY, a text);"
        "INSERT INTO t SELECT n, 'x' FROM generate_series(1, 2000) n; ANALYZE t;"
    )

    def check(self, catalog: Catalog, options: TableBloatOptions) -> Iterable[Violation]:
        """Tables whose rows, by the statistics, fill a small part of their pages."""
        for relation in own(catalog).stored:
            figures = relation.statistics
            if figures is None or figures.rows < 0 or not figures.size or relation.kind is not RelationKind.TABLE:
                continue
            if figures.size < options.min_waste:
                continue
            if any(column.figures is None for column in relation.columns) and figures.rows:
                continue
            width = sum(
                one.statistics.average_width * (1 - one.statistics.null_fraction)
                for one in relation.columns
                if one.statistics
            )
            needed = figures.rows * (width + _ROW_OVERHEAD)
            waste = figures.size - needed - _PAGE
            if waste >= options.min_waste and waste >= options.min_share * figures.size:
                message = f"About {waste / figures.size:.0%} of {relation.qualified_name} may be empty (an estimate)."
                yield self.on(relation, message)
