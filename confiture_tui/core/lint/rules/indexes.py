"""Rules about indexes: twice there, of no use, not valid, or not fit for what they index."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.lint.model import Category, Fix, FixStep, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import create_index, ended, one_step

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.indexes import Index


def drop_index(index: Index, *, safety: Safety, note: str = "") -> Fix | None:
    """Dropping an index that belongs to no constraint and no partitioned index; ``None`` for others."""
    if index.constraint is not None or index.parent is not None:
        return None
    if index.is_partitioned:
        # DROP INDEX CONCURRENTLY takes no partitioned index.
        return one_step(f"DROP INDEX {index.qualified_name}", index.definition, safety=Safety.REVIEW, note=note)
    again = index.definition
    for words in ("CREATE UNIQUE INDEX ", "CREATE INDEX "):
        if again.startswith(words):
            again = f"{words}CONCURRENTLY {again.removeprefix(words)}"
    return one_step(
        f"DROP INDEX CONCURRENTLY {index.qualified_name}", again, safety=safety, note=note, transactional=False
    )


def _keys(index: Index) -> tuple[tuple[object, ...], ...]:
    """What each key is: column or expression, operator class, collation, order."""
    expressions = iter(index.expressions)
    texts = [column if column is not None else ("expression", next(expressions, "")) for column in index.key_columns]
    return tuple(zip(texts, index.opclasses, index.collations, index.descending, index.nulls_first, strict=True))


def _bound(index: Index) -> bool:
    """Whether something else than queries needs it: a constraint, or replication."""
    return index.constraint is not None or index.primary or index.replica_identity


class DuplicateIndexRule(LintRule):
    """Indexes that are there twice."""

    id = "duplicate-index"
    category = Category.PERFORMANCE
    severity = Severity.WARNING
    title = "Two indexes are the same."
    why = "Both are written for every row and read into memory, and only one is used."
    bad = "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX ON t (a); CREATE INDEX ON t (a);"
    good = (
        "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX ON t (a); CREATE INDEX ON t (a DESC NULLS FIRST, id);"
        "CREATE INDEX ON t (a) WHERE a > 1; CREATE INDEX ON t USING hash (a);"
    )

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Indexes with the keys, the condition and the uniqueness of an earlier one."""
        mine = own(catalog)
        rested_on = {key.index_oid for _, key in mine.foreign_keys}
        for table in mine.relations:
            first: dict[object, Index] = {}

            def order(index: Index) -> tuple[bool, bool, int, int]:
                """What has to stay comes first; among equals the one that is used more, then the older one."""
                return not _bound(index), index.oid not in rested_on, -index.scans, index.oid

            for index in sorted(table.indexes, key=order):
                if not index.valid:
                    continue
                what = (
                    index.access_method,
                    _keys(index),
                    index.included_columns,
                    index.predicate,
                    index.unique,
                    index.nulls_not_distinct,
                    index.exclusion,
                )
                other = first.setdefault(what, index)
                if other is index or index.primary:
                    continue
                message = f"{index.qualified_name} is the same index as {other.qualified_name}."
                fix = None if index.oid in rested_on else drop_index(index, safety=Safety.SAFE)
                yield self.within(table, "index", index.qualified_name, message, fix=fix)


class RedundantIndexOptions(RuleOptions):
    """``min_size``: bytes that an index has at least to be worth telling of."""

    min_size: int = Field(default=0, ge=0)


class RedundantIndexRule(LintRule):
    """Indexes that another one contains."""

    id = "redundant-index"
    category = Category.PERFORMANCE
    severity = Severity.INFO
    title = "Another index does all that an index does."
    why = (
        "The longer one answers the same queries. The shorter is smaller, which now and then matters: look at its "
        "scans before it goes."
    )
    options = RedundantIndexOptions
    bad = "CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE INDEX ON t (a); CREATE INDEX ON t (a, b);"
    good = (
        "CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE UNIQUE INDEX ON t (a); CREATE INDEX ON t (a, b);"
        "CREATE INDEX ON t (b); CREATE INDEX ON t (b, a) WHERE a > 1;"
    )

    def check(self, catalog: Catalog, options: RedundantIndexOptions) -> Iterable[Violation]:
        """Plain btree indexes whose keys are the first keys, or all keys, of one that does more."""
        for table in own(catalog).relations:
            plain = [
                (index, _keys(index))
                for index in table.indexes
                if index.access_method == "btree" and index.valid and index.predicate is None
            ]
            for index, keys in plain:
                if index.unique or index.exclusion or _bound(index) or (index.size or 0) < options.min_size:
                    continue
                if index.included_columns:
                    continue
                # One that is unique, or includes columns, and has the same keys: of equals, duplicate-index tells.
                same = next((one for one, theirs in plain if theirs == keys and _does_more(one)), None)
                longer = same or next(
                    (one for one, theirs in plain if len(theirs) > len(keys) and theirs[: len(keys)] == keys), None
                )
                if longer is None:
                    continue
                if same is not None:
                    what = "unique index" if same.unique else "index"
                    message = f"{index.qualified_name} has the keys of the {what} {same.qualified_name}, and no more."
                else:
                    message = f"{index.qualified_name} is the beginning of {longer.qualified_name}."
                fix = drop_index(index, safety=Safety.REVIEW)
                yield self.within(table, "index", index.qualified_name, message, fix=fix)


def _does_more(index: Index) -> bool:
    """Whether it does something that a plain index of its keys does not."""
    return index.unique or bool(index.included_columns)


class InvalidIndexRule(LintRule):
    """Indexes that a failed CREATE INDEX CONCURRENTLY left behind."""

    id = "invalid-index"
    category = Category.PERFORMANCE
    severity = Severity.ERROR
    title = "An index is not valid: it is written and never read."
    why = (
        "CREATE INDEX CONCURRENTLY that fails, or is cancelled, leaves it behind; a unique one even refuses rows. If "
        "one is being built just now, this is not yet a finding."
    )
    bad = (
        "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1), (2, 1);"
        "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);"
    )
    good = (
        "CREATE TABLE t (id int, a int) PARTITION BY LIST (id); ALTER TABLE t ADD PRIMARY KEY (id);"
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX t_a ON ONLY t (a);"
    )

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Invalid indexes of what has rows; of a partitioned table they wait for its partitions' (another rule)."""
        for relation in own(catalog).stored:
            for index in relation.indexes:
                # REINDEX CONCURRENTLY's leftovers have a rule of their own.
                if index.valid or index.being_built or index.name.rstrip("0123456789").endswith(("_ccnew", "_ccold")):
                    continue
                message = f"{index.qualified_name} is not valid: its build failed."
                name = index.qualified_name
                fix = None
                if index.parent is None and index.constraint is None:
                    steps = (FixStep(up=ended(f"REINDEX INDEX CONCURRENTLY {name}"), transactional=False),)
                    note = (
                        "Rows that break its uniqueness must go first; otherwise it fails again."
                        if index.unique
                        else ""
                    )
                    fix = Fix(steps=steps, safety=Safety.REVIEW if index.unique else Safety.SAFE, note=note)
                yield self.within(relation, "index", name, message, fix=fix)


class UnusedIndexOptions(RuleOptions):
    """When an index counts as unused.

    Attributes:
        min_age_days: days for which the server must have counted.
        min_size: bytes that it has at least.
        now: the present; the clock unless given.
    """

    min_age_days: int = Field(default=30, ge=0)
    min_size: int = Field(default=1024 * 1024, ge=0)
    now: datetime | None = None


class UnusedIndexRule(LintRule):
    """Indexes that no query has used since the server counts."""

    id = "unused-index"
    category = Category.PERFORMANCE
    severity = Severity.INFO
    title = "No query has used an index since the server began to count."
    why = (
        "It is written for every row. But replicas count for themselves, and the report at the end of the year comes "
        "once a year: ask before it goes."
    )
    options = UnusedIndexOptions
    needs_statistics = True
    example = '{"min_age_days": 0, "min_size": 0}'
    bad = "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE INDEX ON t (a); INSERT INTO t VALUES (1, 1);"
    good = "CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE);"

    def check(self, catalog: Catalog, options: UnusedIndexOptions) -> Iterable[Violation]:
        """Indexes without a scan, where the counters are old enough to tell."""
        since = catalog.statistics_reset
        now = options.now or datetime.now(UTC)
        if options.min_age_days and (since is None or now - since < timedelta(days=options.min_age_days)):
            return
        for relation in own(catalog).stored:
            for index in relation.indexes:
                if index.scans or index.unique or index.exclusion or _bound(index) or index.parent is not None:
                    continue
                if index.valid and (index.size or 0) >= options.min_size:
                    counted = f" since {since:%Y-%m-%d}" if since else ""
                    message = f"{index.qualified_name} was not used{counted}."
                    fix = drop_index(index, safety=Safety.REVIEW, note="Look at the replicas' counters first.")
                    yield self.within(relation, "index", index.qualified_name, message, fix=fix)


class TooManyIndexesOptions(RuleOptions):
    """``max``: how many indexes a table may have."""

    max: int = Field(default=10, ge=1)


class TooManyIndexesRule(LintRule):
    """Tables with very many indexes."""

    id = "too-many-indexes"
    category = Category.PERFORMANCE
    severity = Severity.INFO
    title = "A table has very many indexes."
    why = "Every row that is written is written into each of them, and an UPDATE of any indexed column is never HOT."
    options = TooManyIndexesOptions
    example = '{"max": 2}'
    bad = "CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE INDEX ON t (a); CREATE INDEX ON t (b);"
    good = "CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE INDEX ON t (a);"

    def check(self, catalog: Catalog, options: TooManyIndexesOptions) -> Iterable[Violation]:
        """Tables with more indexes than allowed."""
        for relation in own(catalog).relations:
            if len(relation.indexes) > options.max:
                yield self.on(relation, f"{relation.qualified_name} has {len(relation.indexes)} indexes.")


class IndexNullLeadingOptions(RuleOptions):
    """``min_null_fraction``: the share of NULLs from which on it is told; ``min_rows``: of the table, at least."""

    min_null_fraction: float = Field(default=0.9, ge=0, le=1)
    min_rows: int = Field(default=1000, ge=0)


class IndexNullLeadingRule(LintRule):
    """Indexes of columns that are nearly always NULL."""

    id = "index-null-leading"
    category = Category.PERFORMANCE
    severity = Severity.INFO
    title = "An index begins with a column that is nearly always NULL."
    why = "A partial index of the rows that have a value is a fraction of the size and answers the same queries."
    options = IndexNullLeadingOptions
    needs_statistics = True
    reads = frozenset({"column statistics"})
    bad = (
        "CREATE TABLE t (id int PRIMARY KEY, gone date); CREATE INDEX ON t (gone);"
        "INSERT INTO t SELECT n FROM generate_series(1, 2000) n; ANALYZE t;"
    )
    good = (
        "CREATE TABLE t (id int PRIMARY KEY, gone date); CREATE INDEX ON t (gone) WHERE gone IS NOT NULL;"
        "INSERT INTO t SELECT n FROM generate_series(1, 2000) n; ANALYZE t;"
    )

    def check(self, catalog: Catalog, options: IndexNullLeadingOptions) -> Iterable[Violation]:
        """Indexes without a condition on such columns."""
        for relation in own(catalog).stored:
            if relation.statistics is None or relation.statistics.rows < options.min_rows:
                continue
            for index in relation.indexes:
                column = relation.column(index.key_columns[0]) if index.key_columns[0] else None
                if index.predicate is not None or index.unique or column is None or column.statistics is None:
                    continue
                nulls = column.statistics.null_fraction
                if nulls >= options.min_null_fraction and nulls:
                    message = f"{index.qualified_name} begins with {column.quoted_name}, which is NULL in {nulls:.0%} "
                    message += "of the rows: an index WHERE it is not would do."
                    yield self.within(relation, "index", index.qualified_name, message)


class BooleanIndexRule(LintRule):
    """Indexes of one boolean column."""

    id = "boolean-index"
    category = Category.PERFORMANCE
    severity = Severity.INFO
    title = "An index has a boolean column as its only key."
    why = "It tells two halves apart, which is seldom worth reading it. A partial index on what is looked for is."
    bad = "CREATE TABLE t (id int PRIMARY KEY, done boolean); CREATE INDEX ON t (done);"
    good = (
        "CREATE TABLE t (id int PRIMARY KEY, done boolean); CREATE INDEX ON t (id) WHERE NOT done;"
        "CREATE INDEX ON t (done, id);"
    )

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Indexes without a condition on one boolean column."""
        for relation in own(catalog).relations:
            for index in relation.indexes:
                if len(index.key_columns) != 1 or index.predicate is not None or index.unique:
                    continue
                column = relation.column(index.key_columns[0] or "")
                if column is not None and column.type == "boolean":
                    message = f"{index.qualified_name} is on the boolean column {column.quoted_name} alone."
                    yield self.within(relation, "index", index.qualified_name, message)


class ArrayBtreeIndexRule(LintRule):
    """Btree indexes of arrays."""

    id = "array-btree-index"
    category = Category.PERFORMANCE
    severity = Severity.INFO
    title = "A btree index is on an array column."
    why = "It finds whole arrays only. What is in an array is found by a GIN index."
    bad = "CREATE TABLE t (id int PRIMARY KEY, tags text[]); CREATE INDEX ON t (tags);"
    good = "CREATE TABLE t (id int PRIMARY KEY, tags text[]); CREATE INDEX ON t USING gin (tags);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Ordinary btree indexes with an array among their keys."""
        for relation in own(catalog).relations:
            for index in relation.indexes:
                if index.access_method != "btree" or index.unique:
                    continue
                for name in index.key_columns:
                    column = relation.column(name) if name else None
                    if column is not None and column.type.endswith("[]"):
                        message = f"{index.qualified_name} is a btree index on the array {column.quoted_name}."
                        yield self.within(relation, "index", index.qualified_name, message)
                        break


class MaterializedViewNoUniqueRule(LintRule):
    """Materialized views that can be refreshed only while nobody reads them."""

    id = "materialized-view-no-unique"
    category = Category.PERFORMANCE
    severity = Severity.INFO
    title = "A materialized view has no unique index, so it cannot be refreshed concurrently."
    why = (
        "REFRESH … CONCURRENTLY needs a unique index of plain columns without a condition (PostgreSQL documentation, "
        "REFRESH MATERIALIZED VIEW); without it every refresh keeps readers waiting."
    )
    bad = "CREATE MATERIALIZED VIEW m AS SELECT 1 AS id;"
    good = "CREATE MATERIALIZED VIEW m AS SELECT 1 AS id; CREATE UNIQUE INDEX ON m (id);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Materialized views without such an index."""
        mine = own(catalog)
        for view in mine.views:
            if view.kind is not RelationKind.MATERIALIZED_VIEW or any(_refreshes(index) for index in view.indexes):
                continue
            key = next((column.name for column in view.columns if column.name == "id"), None)
            fix = create_index(catalog, mine, view, [key], unique=True, suffix="key") if key else None
            yield self.on(view, f"{view.qualified_name} has no unique index: no REFRESH CONCURRENTLY.", fix=fix)


def _refreshes(index: Index) -> bool:
    return index.unique and index.valid and index.predicate is None and None not in index.key_columns
