"""Rules about partitioned tables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.lint.model import Category, Fix, FixStep, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import ended, free_name, one_step
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.lint.objects import Own

_UPPER = re.compile(r" TO \((.*)\)$", re.DOTALL)
_DATE = re.compile(r"'(\d{4,6}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d)[^']*)?'")


class DefaultPartitionMissingOptions(RuleOptions):
    """``strategies``: of which tables; those by range are mostly by time, and have their partitions made ahead."""

    strategies: tuple[Literal["list", "range"], ...] = ("list",)


class DefaultPartitionMissingRule(LintRule):
    """Partitioned tables without a place for what fits nowhere."""

    id = "default-partition-missing"
    category = Category.PARTITIONING
    severity = Severity.INFO
    title = "A partitioned table has no default partition."
    why = (
        "A row that fits into no partition is refused. A default partition keeps it, at a price: adding a partition "
        "then scans the default one under a lock."
    )
    options = DefaultPartitionMissingOptions
    bad = (
        "CREATE TABLE t (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1);"
    )
    good = (
        "CREATE TABLE t (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE t_d PARTITION OF t DEFAULT;"
        "CREATE TABLE h (id int PRIMARY KEY) PARTITION BY HASH (id);"
    )

    def check(self, catalog: Catalog, options: DefaultPartitionMissingOptions) -> Iterable[Violation]:
        """Tables partitioned by list, or as the settings say, without one."""
        mine = own(catalog)
        for table in mine.tables:
            if table.partitioning is None or table.partitioning.strategy not in options.strategies:
                continue
            if any(partition.partition_bound == "DEFAULT" for partition in mine.children.get(table.oid, ())):
                continue
            name = free_name(catalog, table.schema, table.name, "default")
            partition = qualified_name(table.schema, name)
            fix = one_step(
                f"CREATE TABLE {partition} PARTITION OF {table.qualified_name} DEFAULT",
                f"DROP TABLE {partition}",
                safety=Safety.REVIEW,
                note="The way back drops the rows in it.",
            )
            yield self.on(table, f"{table.qualified_name} has no default partition.", fix=fix)


class PartitionGapAheadOptions(RuleOptions):
    """``horizon_days``: for how long partitions must be there ahead; ``now``: the present, the clock unless given."""

    horizon_days: int = Field(default=14, ge=0)
    now: datetime | None = None


class PartitionGapAheadRule(LintRule):
    """Tables partitioned by time whose partitions end soon."""

    id = "partition-gap-ahead"
    category = Category.PARTITIONING
    severity = Severity.WARNING
    title = "The partitions of a table that is partitioned by time end soon, or have ended."
    why = "When the last one ends, rows are refused, or go into the default partition, from where they must be moved."
    options = PartitionGapAheadOptions
    bad = (
        "CREATE TABLE t (at date) PARTITION BY RANGE (at);"
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2001-01-01') TO ('2002-01-01');"
    )
    good = (
        "CREATE TABLE t (at date) PARTITION BY RANGE (at);"
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2001-01-01') TO ('2901-01-01');"
        "CREATE TABLE u (at date) PARTITION BY RANGE (at);"
        "CREATE TABLE u_1 PARTITION OF u FOR VALUES FROM ('2001-01-01') TO (MAXVALUE);"
    )

    def check(self, catalog: Catalog, options: PartitionGapAheadOptions) -> Iterable[Violation]:
        """Tables whose highest bound is not far enough ahead."""
        mine = own(catalog)
        now = options.now or datetime.now(UTC)
        for table in mine.tables:
            partitions = mine.children.get(table.oid, ())
            if table.partitioning is None or table.partitioning.strategy != "range" or not partitions:
                continue
            ends = [_end(partition) for partition in partitions if partition.partition_bound != "DEFAULT"]
            if not ends or any(end is None for end in ends):
                continue
            last = max(end for end in ends if end is not None)
            if last >= now + timedelta(days=options.horizon_days):
                continue
            has_default = any(partition.partition_bound == "DEFAULT" for partition in partitions)
            then = "go into its default partition" if has_default else "are refused"
            message = f"The partitions of {table.qualified_name} end on {last:%Y-%m-%d}: later rows {then}."
            yield self.on(table, message)


def _end(partition: Relation) -> datetime | None:
    """The upper bound of a range of dates or times; ``None`` for another type, and for MAXVALUE."""
    upper = _UPPER.search(partition.partition_bound or "")
    found = _DATE.match(upper[1]) if upper else None
    if found is None:
        return None
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00:00'}+00:00")
    except ValueError:
        # A year beyond 9999 is far enough ahead.
        return datetime.max.replace(tzinfo=UTC)


class PartitionIndexMissingRule(LintRule):
    """Indexes of partitioned tables that a partition lacks."""

    id = "partition-index-missing"
    category = Category.PARTITIONING
    severity = Severity.ERROR
    title = "The index of a partitioned table is not valid: a partition has no index attached to it."
    why = "It was made ON ONLY the table, and a partition was forgotten: queries of that partition read all of it."
    bad = (
        "CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1);"
        "CREATE INDEX t_a ON ONLY t (a);"
    )
    good = (
        "CREATE TABLE t (id int, a int) PARTITION BY LIST (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1);"
        "CREATE INDEX t_a ON t (a);"
    )

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Partitioned indexes that are not valid, with what is to be built and attached."""
        mine = own(catalog)
        for table in mine.tables:
            for index in table.indexes:
                if not index.is_partitioned or index.valid:
                    continue
                lacking = [
                    partition
                    for partition in mine.children.get(table.oid, ())
                    if not any(one.parent == index.qualified_name for one in partition.indexes)
                ]
                listed = ", ".join(partition.qualified_name for partition in lacking[:3])
                more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
                message = f"{index.qualified_name} is not valid: {listed or 'a partition'}{more} lacks its part."
                fix = _attach(catalog, mine, index, lacking)
                yield self.within(table, "index", index.qualified_name, message, fix=fix)


def _attach(catalog: Catalog, mine: Own, index: Index, partitions: list[Relation]) -> Fix | None:
    """Builds the missing parts and attaches them; only where all are plain tables and the keys plain columns."""
    if index.constraint is not None or not partitions or None in index.key_columns:
        return None
    if any(partition.kind is not RelationKind.TABLE for partition in partitions):
        return None
    head, separator, tail = index.definition.partition(" USING ")
    if not separator or "ON ONLY" not in head:
        return None
    up, down, taken = "", "", set[str]()
    for partition in partitions:
        columns = [column for column in index.key_columns if column]
        name = free_name(catalog, partition.schema, partition.name, *columns, "idx", taken=taken)
        taken.add(name)
        word = "CREATE UNIQUE INDEX" if index.unique else "CREATE INDEX"
        up += ended(f"{word} CONCURRENTLY {quote_identifier(name)} ON {partition.qualified_name} USING {tail}")
        up += ended(f"ALTER INDEX {index.qualified_name} ATTACH PARTITION {qualified_name(partition.schema, name)}")
    # An attached index cannot be detached: the whole goes, and comes again without its parts.
    down = ended(f"DROP INDEX {index.qualified_name}") + ended(index.definition)
    step = FixStep(up=up, down=down, transactional=False)
    return Fix(steps=(step,), safety=Safety.REVIEW if index.unique else Safety.SAFE)
