"""Which tables a query reads from end to end: the planner's choice between the table and its indexes, estimated.

The planner's own arithmetic with its default settings is followed as far as the catalog has its figures (PostgreSQL
documentation, chapter 70 "How the Planner Uses Statistics", 14.1 "Using EXPLAIN"; src/backend/optimizer/path/
costsize.c, src/backend/utils/adt/selfuncs.c, src/backend/optimizer/util/plancat.c; the same in 14 to 18). Where a
figure is not known the table is taken to be read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.expressions.reads import Comparison, Condition, Read
from confiture_tui.core.effects.type_names import parse_type
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.catalog.models.relations import Relation

_PAGE = 8192
_PAGE_HEADER, _ROW_HEADER = 24, 28
# Bytes that a page, and each row with its line pointer, take for themselves.
_SEQ_PAGE, _RANDOM_PAGE = 1.0, 4.0
_TUPLE, _INDEX_TUPLE, _OPERATOR = 0.01, 0.005, 0.0025
# The planner's cost settings: seq_page_cost, random_page_cost, cpu_tuple_cost, cpu_index_tuple_cost, cpu_operator_cost.

_HASH = 0.5
"""What a small hash table costs to make."""

_KEYS_A_PAGE = 366
"""Keys of four or eight bytes in one page of a B-tree."""

_GIN = 12.0
"""What looking up a value of a few keys in a GIN index costs: some pages for each key."""

_ALIKE = 1.01
"""Costs that differ by less are alike to the planner (STD_FUZZ_FACTOR), and what yields its first row sooner wins."""

_DISTINCT = 200.0
"""Distinct values assumed of a column that was never analyzed (DEFAULT_NUM_DISTINCT)."""
_ONE_BOUND, _TWO_BOUNDS, _NULL, _OTHER = 1 / 3, 0.005, 0.005, 0.005
# Shares of rows assumed where there are no statistics (DEFAULT_INEQ_SEL, DEFAULT_RANGE_INEQ_SEL, DEFAULT_UNK_SEL).

_WIDTHS = {
    "boolean": 1,
    '"char"': 1,
    "smallint": 2,
    "integer": 4,
    "real": 4,
    "date": 4,
    "oid": 4,
    "bigint": 8,
    "double precision": 8,
    "timestamp without time zone": 8,
    "timestamp with time zone": 8,
    "time without time zone": 8,
    "money": 8,
    "time with time zone": 12,
    "uuid": 16,
    "interval": 16,
    "name": 64,
}
_UNKNOWN_WIDTH = 32
_MAX_CHARACTER = 4
# Bytes of values (get_typavgwidth); of a character at most, in UTF-8.

_SERVED_OPERATORS = {
    "gin": {"@>", "<@", "&&", "?", "?|", "?&", "@?", "@@", "@@@"},
    "gist": {"@>", "<@", "&&", "<<", ">>", "&<", "&>", "-|-", "~=", "@@", "<<|", "|>>", "|&>", "&<|", "=", "&&&", "~"},
    "spgist": {"@>", "<@", "&&", "<<", ">>", "&<", "&>", "-|-", "~=", "^@", "<<|", "|>>"},
}
_TRIGRAM_OPERATORS = {"~~", "~~*", "~", "~*", "%"}
_PATTERN_OPERATORS = {"~~"}
_BTREE = (Comparison.EQUAL, Comparison.AMONG, Comparison.IS_NULL, Comparison.FROM, Comparison.TO)


@dataclass(frozen=True, slots=True)
class _Size:
    """What the planner takes a table to be: pages and rows; and how many pages there really are."""

    pages: float
    rows: float
    stored: float


def reads_whole(relation: Relation, read: Read, *, rows_outside: dict[int, float] | None = None) -> bool:
    """Whether reading a table with these conditions means reading it from end to end.

    Args:
        relation: a table, partition or materialized view.
        read: what is asked of it.
        rows_outside: how many rows each of the other tables is expected to give, by the identity of its read; what is
            not there is expected to give many.
    """
    size = _size(relation)
    if read.smallest and all(_orders(relation, column) for column in read.smallest) and not read.conditions:
        return False
    if read.ordered_by is not None and _orders(relation, read.ordered_by) and size.pages > 1:
        return False
    conditions = len(read.conditions) + len(read.alternatives)
    whole = size.pages * _SEQ_PAGE + size.rows * (_TUPLE + conditions * _OPERATOR)
    # Read whole, its rows are put together with the others by way of a hash table.
    joined = (whole + size.rows * _OPERATOR / 2 + _HASH) * _ALIKE if rows_outside else whole
    return all(
        cost >= (joined if looked_up else whole) for cost, looked_up in _index_costs(relation, read, size, rows_outside)
    )


def rows_given(relation: Relation, read: Read, *, joined: Condition | None = None) -> float:
    """How many rows a table is expected to give under these conditions, or for each row that ``joined`` names."""
    size = _size(relation)
    wanted = [condition for condition in read.conditions if not condition.others]
    if joined is not None:
        wanted.append(joined)
    return max(1.0, size.rows * _share(relation, wanted, size))


def _index_costs(
    relation: Relation, read: Read, size: _Size, outside: dict[int, float] | None
) -> Iterable[tuple[float, bool]]:
    """What the usable indexes cost, each with whether it is looked up for rows of other tables."""
    own = [one for one in read.conditions if not one.others]
    rows = outside or {}
    joined = [one for one in read.conditions if all(id(other) in rows for other in one.others)]
    for index in relation.indexes:
        if not (index.valid and index.ready) or not _predicate_holds(index, read.conditions):
            continue
        if (served := _served(index, own)) is not None:
            yield _cost(relation, index, served, size), False
        if len(joined) > len(own) and (served := _served(index, joined)) is not None:
            times = max((rows[id(other)] for one in served for other in one.others), default=1.0)
            yield _cost(relation, index, served, size, times), True
    for arms in read.alternatives:
        costs = [_cheapest(relation, [arm], size) for arm in arms]
        if None not in costs:
            yield sum(one for one in costs if one is not None), False


def _cheapest(relation: Relation, conditions: list[Condition], size: _Size) -> float | None:
    found = [
        _cost(relation, index, served, size)
        for index in relation.indexes
        if index.valid
        and index.ready
        and _predicate_holds(index, conditions)
        and (served := _served(index, conditions)) is not None
    ]
    return min(found, default=None)


def _served(index: Index, conditions: list[Condition]) -> list[Condition] | None:
    """The conditions that an index serves; ``None`` when it is of no use for them."""
    if not index.key_columns:
        return None
    if index.access_method == "btree":
        found: list[Condition] = []
        for place, column in enumerate(index.key_columns):
            here = [one for one in conditions if one.column == column and _in_order(index, place, one)]
            if not here:
                break
            found += here
            if not any(one.comparison in (Comparison.EQUAL, Comparison.AMONG) for one in here):
                break
        return found or None
    if index.access_method == "hash":
        return [
            one for one in conditions if one.column == index.key_columns[0] and one.comparison is Comparison.EQUAL
        ] or None
    operators = _SERVED_OPERATORS.get(index.access_method, set())
    trigram = any("trgm" in one for one in index.opclasses)
    return [
        one
        for one in conditions
        if one.column in index.key_columns
        and (
            one.operator in _TRIGRAM_OPERATORS
            if trigram
            else one.comparison is Comparison.OTHER and one.operator in operators
        )
    ] or None


def _in_order(index: Index, place: int, condition: Condition) -> bool:
    if condition.comparison in _BTREE:
        return True
    pattern = index.opclasses[place].endswith("pattern_ops") if place < len(index.opclasses) else False
    text = str(condition.values[0]) if condition.values else ""
    return pattern and condition.operator in _PATTERN_OPERATORS and text[:1] not in ("", "%", "_")


def _cost(relation: Relation, index: Index, served: list[Condition], size: _Size, times: float = 1.0) -> float:
    """The cheaper of an index scan and a bitmap scan; of so many, one after the other, all together."""
    rows = size.rows
    equal = {one.column for one in served if one.comparison is Comparison.EQUAL}
    single = index.unique and set(index.key_columns) <= equal
    scans = max((len(one.values) or 10 for one in served if one.comparison is Comparison.AMONG), default=1)
    share = 1.0 / max(rows, 1.0) if single else _share(relation, served, size)
    fetched = max(1.0, round(rows * share))
    entries = max(1.0, round(fetched / scans))
    pages = _index_pages(index, size)
    touched = math.ceil(entries * pages / rows) if pages > 1 and rows > 1 else 1.0
    read = _fetched(touched * scans * times, pages) if times * scans > 1 else touched
    access_pages = _GIN if index.access_method == "gin" else read * _RANDOM_PAGE / times
    access = access_pages + entries * scans * (_INDEX_TUPLE + len(served) * _OPERATOR)
    height = 0 if pages <= 2 else max(1, math.ceil(math.log(pages, 250)))
    descent = (math.ceil(math.log2(rows)) if rows > 1 else 0) * _OPERATOR + (height + 1) * 50 * _OPERATOR
    access += descent * scans
    table = max(size.pages, 1.0)
    heap = _fetched(fetched * times, table) / times
    by_index = access + heap * _RANDOM_PAGE + fetched * _TUPLE
    page = _RANDOM_PAGE - (_RANDOM_PAGE - _SEQ_PAGE) * math.sqrt(heap / table) if heap >= 2 else _RANDOM_PAGE
    by_bitmap = access + 0.1 * _OPERATOR * fetched + heap * page + fetched * (_TUPLE + len(served) * _OPERATOR)
    return times * min(by_index, by_bitmap)


def _fetched(rows: float, pages: float) -> float:
    """Pages read for so many rows that lie anywhere, when what was read once is kept (Mackert and Lohman)."""
    return math.ceil(min(2 * pages * rows / (2 * pages + rows), pages))


def _share(relation: Relation, conditions: list[Condition], size: _Size) -> float:
    """The share of rows that meet all of these conditions."""
    share = 1.0
    by_column: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_column.setdefault(condition.column, []).append(condition)
    for name, here in by_column.items():
        column = relation.column(name)
        kinds = {one.comparison for one in here}
        equal = _equal_share(relation, column, size)
        if Comparison.EQUAL in kinds:
            share *= equal
        elif Comparison.AMONG in kinds:
            among = next(one for one in here if one.comparison is Comparison.AMONG)
            share *= min(1.0, equal * (len(among.values) or 10))
        elif Comparison.IS_NULL in kinds:
            share *= _null_share(column)
        elif kinds & {Comparison.FROM, Comparison.TO}:
            share *= _range_share(relation, column, here, size)
        else:
            share *= _OTHER
    return share


def _equal_share(relation: Relation, column: Column | None, size: _Size) -> float:
    rows = max(size.rows, 1.0)
    if column is None:
        return 1 / min(rows, _DISTINCT)
    if any(
        index.unique and index.key_columns == (column.name,) and index.predicate is None for index in relation.indexes
    ):
        return 1 / rows
    found = column.statistics
    if found is None or (found.distinct == 0 and found.null_fraction < 1):
        distinct = 2.0 if column.type == "boolean" else min(rows, _DISTINCT)
        return 1 / distinct
    if found.null_fraction >= 1:
        return 0.0
    distinct = found.distinct if found.distinct > 0 else -found.distinct * rows
    return (1 - found.null_fraction) / max(distinct, 1.0)


def _null_share(column: Column | None) -> float:
    found = column.statistics if column is not None else None
    return found.null_fraction if found is not None else _NULL


def _range_share(relation: Relation, column: Column | None, here: list[Condition], size: _Size) -> float:
    """Of a bounded column. Of an analyzed one the planner knows the spread, and we take whole numbers to be dense."""
    both = {one.comparison for one in here} == {Comparison.FROM, Comparison.TO}
    if column is None or column.statistics is None:
        return _TWO_BOUNDS if both else _ONE_BOUND
    whole = column.type in ("smallint", "integer", "bigint")
    bounds = [one.values[0] if one.values else None for one in here]
    if not whole or not all(isinstance(one, int) for one in bounds):
        return 1.0
    if _equal_share(relation, column, size) > 2 / max(size.rows, 1.0):
        return 1.0
    low, high = 0.0, size.rows
    for one, bound in zip(here, bounds, strict=True):
        if isinstance(bound, int):
            if one.comparison is Comparison.FROM:
                low = max(low, bound)
            else:
                high = min(high, bound)
    return min(1.0, max(0.0, high - low + 1) / max(size.rows, 1.0))


def _predicate_holds(index: Index, conditions: list[Condition]) -> bool:
    """Whether a partial index holds all rows that meet the conditions, as far as that is plain."""
    if index.predicate is None:
        return True
    tree = parse(f"SELECT {index.predicate}")
    if isinstance(tree, SyntaxProblem):
        return False
    value = tree[1]["targetList"][0]["ResTarget"].get("val", {})
    test = value.get("NullTest")
    if test is not None:
        name = _column_name(test.get("arg", {}))
        null = test.get("nulltesttype") == "IS_NULL"
        return any(one.column == name and (one.comparison is Comparison.IS_NULL) == null for one in conditions)
    name, wanted = _column_name(value), True
    if "BoolExpr" in value and value["BoolExpr"].get("boolop") == "NOT_EXPR":
        name, wanted = _column_name(value["BoolExpr"]["args"][0]), False
    return name is not None and any(
        one.column == name and one.comparison is Comparison.EQUAL and one.values == (wanted,) for one in conditions
    )


def _column_name(node: dict[str, object]) -> str | None:
    reference = node.get("ColumnRef")
    if not isinstance(reference, dict):
        return None
    name: str | None = reference["fields"][-1].get("String", {}).get("sval")
    return name


def _orders(relation: Relation, column: str) -> bool:
    """Whether an index gives the rows in the order of a column."""
    return any(
        index.access_method == "btree"
        and index.valid
        and index.predicate is None
        and index.key_columns[:1] == (column,)
        for index in relation.indexes
    )


def _size(relation: Relation) -> _Size:
    """Pages and rows as the planner estimates them (estimate_rel_size)."""
    statistics = relation.statistics
    if statistics is None:
        return _Size(10.0, 1000.0, 10.0)
    analyzed = statistics.rows >= 0
    pages = float(statistics.pages if statistics.size is None else statistics.size // _PAGE)
    stored = pages
    if not analyzed and pages < 10 and relation.kind is not RelationKind.PARTITIONED_TABLE:
        pages = 10.0
    if pages == 0:
        return _Size(0.0, 0.0, 0.0)
    if analyzed and statistics.pages > 0:
        density = statistics.rows / statistics.pages
    else:
        width = sum(_width(column) for column in relation.columns)
        density = (_PAGE - _PAGE_HEADER) // (width + _ROW_HEADER)
    return _Size(pages, float(round(density * pages)), stored)


def _width(column: Column) -> int:
    found = column.statistics
    if found is not None and found.average_width > 0:
        return found.average_width
    kind = parse_type(column.type)
    fixed = _WIDTHS.get(kind.name) if not kind.is_array else None
    if fixed is not None:
        return fixed
    if kind.name == "numeric" and kind.numbers:
        return 8 + (kind.numbers[0] + 6) // 4 * 2
    if kind.name in ("character varying", "character") and kind.numbers:
        most = kind.numbers[0] * _MAX_CHARACTER + 4
        if kind.name == "character" or most <= _UNKNOWN_WIDTH:
            return most
        return _UNKNOWN_WIDTH + (min(most, 1000) - _UNKNOWN_WIDTH) // 2
    return _UNKNOWN_WIDTH


def _index_pages(index: Index, size: _Size) -> float:
    """Pages of an index; of a small one the catalog may have the size of when it was empty."""
    if index.size is not None and index.size > _PAGE:
        return index.size / _PAGE
    return 1.0 + math.ceil(size.rows * size.stored / max(size.pages, 1.0) / _KEYS_A_PAGE)
