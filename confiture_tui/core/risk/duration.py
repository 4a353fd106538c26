"""How long statements take: size times rate, as a range, never one bare number; with write-ahead log and disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import Sequence
from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.effects.model import DurationEstimate
from confiture_tui.core.risk.work_besides import work_besides
from confiture_tui.core.risk.writes import rows_changed

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Work
    from confiture_tui.core.risk.rates import Rates
    from confiture_tui.core.risk.sizes import Sizes

ASSUMED_SECONDS: Final = 60.0
"""What a scan, rewrite, build or bulk write is taken for where nothing is known of the table."""
_ASSUMED_SPREAD: Final = 60.0
OPAQUE_SECONDS: Final = 1.0
"""What code that cannot be read is expected to take, on top of what can be seen of it; from nothing to a minute."""
_OPAQUE_HIGH_SECONDS: Final = 60.0

MEASURED: Final = "tried on all rows in a dry run"
"""What the duration of a statement rests on that was tried where the rows are."""

_SLOWER_BUILDS: Final = {"gin": 6.0, "gist": 6.0, "spgist": 2.0, "hash": 1.3, "brin": 0.4}
"""Times a btree; measured on a table of 10^5 rows with embedded PostgreSQL 18. Others, of extensions, count as gist."""
_OTHER_BUILD: Final = 6.0
_CONCURRENTLY: Final = 2.2
"""CONCURRENTLY reads the table twice and validates."""
_TEXT_KEY: Final = 2.5
"""Times an index of numbers: strings are compared by their collation. Measured likewise, 2 to 2.7."""
_COMPUTED_DEFAULT: Final = 5.0
"""Times the cost of a row, where a rewrite computes a value for each: gen_random_uuid(), nextval()."""
_DELETE: Final = 0.4
"""Times an update of the same rows."""
_CHOSEN_SHARE: Final = 1 / 3
"""The share of the rows that a condition is expected to choose: the planner's own guess where it knows nothing
(DEFAULT_INEQ_SEL)."""
_INDEX_ENTRY_BYTES: Final = 24
_TUPLE_WAL_BYTES: Final = 80


class Cost(NamedTuple):
    """What a statement, or a part of it, costs.

    Attributes:
        low, expected, high: seconds.
        wal, disk: bytes of write-ahead log and of extra disk while it runs; ``None`` when sizes are unknown.
        source: what the seconds rest on, in a few words.
    """

    low: float
    expected: float
    high: float
    wal: int | None
    disk: int | None
    source: str

    def estimate(self) -> DurationEstimate:
        """As the public model says it."""
        return _estimate(self.low, self.expected, self.high, self.source)


@lru_cache(maxsize=1024)  # where nothing is known of the tables, one statement costs what the other does
def _estimate(low: float, expected: float, high: float, source: str) -> DurationEstimate:
    return DurationEstimate(
        low_ms=round(low * 1000, 3), expected_ms=round(expected * 1000, 3), high_ms=round(high * 1000, 3), source=source
    )


@lru_cache(maxsize=16)
def _assumed(source: str) -> Cost:
    """Work on a table of which nothing is known; ``source`` says why."""
    return Cost(
        ASSUMED_SECONDS / _ASSUMED_SPREAD,
        ASSUMED_SECONDS,
        ASSUMED_SECONDS * _ASSUMED_SPREAD,
        None,
        None,
        f"{source}; a minute for each scan, rewrite or build",
    )


class Durations:
    """Durations of the statements of one simulation.

    Args:
        sizes, rates: of the tables, and of the server's work.
        chosen: how many rows the condition of a statement chooses, where they were counted, by the statement's index.
    """

    def __init__(self, sizes: Sizes, rates: Rates, chosen: Mapping[int, int] | None = None) -> None:
        self._sizes = sizes
        self._rates = rates
        self._chosen = chosen or {}

    def of_work(self, work: Work, forecast: Forecast | None = None) -> Cost:
        """One piece of work; ``forecast`` is the statement that does it, where it makes a difference."""
        size = self._sizes.of(work.relation)
        if forecast is not None and not _grows(work, forecast):
            return self._ranged(self._rates.overhead, 0, 0)
        if not size.known:
            if work.kind is WorkKind.WRITE and forecast is not None and (rows := self.rows(forecast)) < size.rows:
                return self._ranged(rows * self._rates.write_row, int(rows * 200), 0)
            return _assumed(size.source)
        rows, megabytes = size.rows, size.bytes / 1e6
        rates = self._rates
        match work.kind:
            case WorkKind.SCAN:
                seconds = rows * rates.scan_row + megabytes * rates.scan_mb
                if _looks_up(work, forecast):
                    seconds += rows * rates.reference_row
                return self._ranged(seconds, 0, 0)
            case WorkKind.REWRITE:
                a_row = rates.rewrite_row * (_COMPUTED_DEFAULT if _adds_column(work, forecast) else 1.0)
                seconds = rows * a_row + megabytes * rates.rewrite_mb
                return self._ranged(seconds, size.bytes, size.bytes)
            case WorkKind.BUILD | WorkKind.REBUILD:
                seconds = (rows * rates.build_row + megabytes * rates.build_mb) * self._kind_of_index(work, forecast)
                seconds *= _CONCURRENTLY if concurrently(forecast) else 1.0
                known = self._sizes.index(work.index) if work.index else None
                made = known.size if known is not None and known.size else int(rows * _INDEX_ENTRY_BYTES)
                return self._ranged(seconds, made, made)
            case WorkKind.WRITE:
                rows = size.rows if forecast is None else min(self.rows(forecast), size.rows)
                return self._write(work, rows, forecast)

    def of(self, forecast: Forecast) -> Cost:
        """A whole statement, without the waits for its locks."""
        parts = [self.of_work(work, forecast) for work in passes(forecast)] if forecast.works else []
        besides = work_besides(forecast, self._sizes, self._rates)
        if besides is not None:
            parts.append(self._ranged(*besides))
        unread = bool(forecast.effects.opaque or forecast.effects.basis is None)
        found = _of_statement(self._rates.overhead, self._rates.source, (*parts,), unread)
        if forecast.measured_ms is None:
            return found
        seconds = forecast.measured_ms / 1000
        wal = found.wal if forecast.measured_wal is None else forecast.measured_wal
        spread = self._rates.spread
        return Cost(seconds / spread, seconds, seconds * spread, wal, found.disk, MEASURED)

    def rows(self, forecast: Forecast) -> float:
        """Rows that a statement changes, at most."""
        chosen = self._chosen.get(forecast.statement.index)
        return rows_changed(forecast, self._sizes.of, self._sizes.relation, chosen)

    def _write(self, work: Work, rows: float, forecast: Forecast | None) -> Cost:
        relation = self._sizes.relation(work.relation)
        indexes = len(relation.indexes) if relation is not None else 1
        size = self._sizes.of(work.relation)
        width = size.bytes / size.rows if size.rows else 100.0
        a_row = _TUPLE_WAL_BYTES + width + indexes * _INDEX_ENTRY_BYTES * 2
        reading = size.rows * self._rates.scan_row + size.bytes / 1e6 * self._rates.scan_mb if rows > 1 else 0.0
        seconds = reading + rows * self._rates.write_row * (0.6 + 0.4 * max(indexes, 1))
        wal, disk = int(rows * a_row), int(rows * (width + indexes * _INDEX_ENTRY_BYTES))
        if forecast is not None and forecast.statement.node_kind == "DeleteStmt":
            # A deleted row is only marked, and its index entries stay; unless others refer to it.
            seconds, wal, disk = reading + (seconds - reading) * _DELETE, int(rows * _TUPLE_WAL_BYTES), 0
        cost = self._ranged(seconds, wal, disk)
        if rows >= size.rows and rows > 1 and _chooses(forecast) and not self._is_counted(forecast):
            # As many as all rows at most, and nobody knows how few.
            low = self._ranged(reading, 0, 0).low
            cost = cost._replace(low=low, expected=reading + (seconds - reading) * _CHOSEN_SHARE)
        return cost

    def _is_counted(self, forecast: Forecast | None) -> bool:
        return forecast is not None and forecast.statement.index in self._chosen

    def _kind_of_index(self, work: Work, forecast: Forecast | None) -> float:
        """Times a btree of numbers."""
        method = "btree"
        known = self._sizes.index(work.index) if work.index else None
        if known is not None:
            method = known.access_method
        elif forecast is not None and forecast.statement.node_kind == "IndexStmt":
            method = str((forecast.statement.node or {}).get("accessMethod", "btree"))
        if method != "btree":
            return _SLOWER_BUILDS.get(method, _OTHER_BUILD)
        relation = self._sizes.relation(work.relation)
        keys = known.key_columns if known is not None else _new_keys(work, forecast)
        columns = [relation.column(name) for name in keys if name] if relation is not None else []
        return _TEXT_KEY if any(one is not None and one.type.startswith(_TEXTS) for one in columns) else 1.0

    def _ranged(self, seconds: float, wal: int, disk: int) -> Cost:
        spread = self._rates.spread
        return Cost(seconds / spread, seconds, seconds * spread, wal, disk, self._rates.source)


@lru_cache(maxsize=1024)  # as above
def _of_statement(overhead: float, source: str, parts: tuple[Cost, ...], unread: bool) -> Cost:
    """A statement that does these parts of work; ``unread``: and runs code besides that nobody can read."""
    found = together([Cost(overhead / 4, overhead, overhead * 10, 0, 0, source), *parts])
    if unread:
        more = Cost(0.0, OPAQUE_SECONDS, _OPAQUE_HIGH_SECONDS, None, None, "code that cannot be read is guessed")
        found = together([found, more])
    return found


def together(parts: Iterable[Cost]) -> Cost:
    """Parts that happen one after the other; what one of them does not know is unknown."""
    listed = list(parts)
    # A part may be one of several parts itself, with a source of each.
    sources = dict.fromkeys(one for each in listed if each.expected > 0 for one in each.source.split("; "))
    return Cost(
        sum(each.low for each in listed),
        sum(each.expected for each in listed),
        sum(each.high for each in listed),
        _sum(each.wal for each in listed),
        _sum(each.disk for each in listed),
        "; ".join(sources) or "nothing to do",
    )


def works_that_grow(forecast: Forecast) -> tuple[Work, ...]:
    """The work whose time grows with the table."""
    works = forecast.works
    return tuple([each for each in works if _grows(each, forecast)]) if works else works


def _grows(work: Work, forecast: Forecast) -> bool:
    """It does not where nothing is copied: TRUNCATE leaves nothing to write and to index, a sequence is one page."""
    kind = forecast.statement.node_kind
    if kind == "TruncateStmt":
        return work.kind not in (WorkKind.REWRITE, WorkKind.REBUILD)
    if work.kind is not WorkKind.REWRITE:
        return True
    if kind == "AlterSeqStmt":
        return False
    return not isinstance(forecast.before.find(work.relation).object, Sequence)


def passes(forecast: Forecast) -> list[Work]:
    """The work without the scans that another pass over the same table does along the way.

    ALTER TABLE checks all its constraints in one pass, and while it rewrites; an UPDATE reads what it writes.
    """
    listed = works_that_grow(forecast)
    seen = {each.relation for each in listed if each.kind in (WorkKind.REWRITE, WorkKind.WRITE)}
    found: list[Work] = []
    for each in listed:
        if each.kind is WorkKind.SCAN and not _looks_up(each, forecast):
            if each.relation in seen:
                continue
            seen.add(each.relation)
        found.append(each)
    return found


def _sum(values: Iterable[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def concurrently(forecast: Forecast | None) -> bool:
    """Whether an index or a materialized view is made CONCURRENTLY."""
    if forecast is None or forecast.statement.node_kind not in ("IndexStmt", "ReindexStmt", "RefreshMatViewStmt"):
        return False
    node = forecast.statement.node or {}
    return bool(node.get("concurrent")) or "concurrently" in str(node.get("params", ""))


def _chooses(forecast: Forecast | None) -> bool:
    """Whether a condition chooses the rows."""
    return forecast is not None and "whereClause" in (forecast.statement.node or {})


def _adds_column(work: Work, forecast: Forecast | None) -> bool:
    commands = ((forecast.statement.node if forecast is not None else None) or {}).get("cmds", ())
    if work.command is None or work.command >= len(commands):
        return False
    return bool(commands[work.command].get("AlterTableCmd", {}).get("subtype") == "AT_AddColumn")


_TEXTS: Final = ("text", "character", "citext")


def _new_keys(work: Work, forecast: Forecast | None) -> tuple[str | None, ...]:
    """The key columns of an index that CREATE INDEX or a constraint makes; ``None`` for an expression."""
    node = (forecast.statement.node if forecast is not None else None) or {}
    if "indexParams" in node:
        return tuple(each.get("IndexElem", {}).get("name") for each in node["indexParams"])
    commands = node.get("cmds", ())
    if work.command is None or work.command >= len(commands):
        return ()
    constraint = commands[work.command].get("AlterTableCmd", {}).get("def", {}).get("Constraint", {})
    return tuple(each.get("String", {}).get("sval") for each in constraint.get("keys", ()))


def _looks_up(work: Work, forecast: Forecast | None) -> bool:
    """Whether each row read is looked up in another table, by a query of its own: the check of a foreign key."""
    node = (forecast.statement.node if forecast is not None else None) or {}
    commands = node.get("cmds", ())
    if work.kind is not WorkKind.SCAN or work.command is None or work.command >= len(commands):
        return False
    command = commands[work.command].get("AlterTableCmd", {})
    definition = command.get("def", {})
    added = [definition, *definition.get("ColumnDef", {}).get("constraints", ())]
    if any(each.get("Constraint", {}).get("contype") == "CONSTR_FOREIGN" for each in added):
        return True
    if command.get("subtype") != "AT_ValidateConstraint" or forecast is None:
        return False
    table = forecast.before.find(node.get("relation", {})).relation
    constraint = table.constraint(command.get("name", "")) if table is not None else None
    return constraint is not None and constraint.kind is ConstraintKind.FOREIGN_KEY
