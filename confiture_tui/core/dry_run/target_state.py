"""What is compared before and after an in-place dry run, and what the run itself is known to have touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.calm import calm_transaction
from confiture_tui.core.dry_run.observer import FIRST_USER_OID

if TYPE_CHECKING:
    import psycopg

# A value that the role may not read is not known; one that was never given out is NULL too.
_SEQUENCES = """
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), c.oid::int8,
       pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT')
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)
 ORDER BY 1
"""
_LAST_VALUES = """
SELECT c.oid::int8, pg_catalog.pg_sequence_last_value(c.oid) FROM pg_catalog.pg_class c WHERE c.oid = ANY(%s::oid[])
"""
_AT_ONCE = 500
"""Sequences that are read in one transaction, which holds a lock on each until its end."""
# What ANALYZE and CREATE INDEX write in place, without a version that a rollback could bring back (source: PostgreSQL
# documentation, "ANALYZE" and the notes of "CREATE INDEX"; measured on 14 to 18).
_HINTS = f"""
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
       c.reltuples::float8, c.relpages, c.relhasindex
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND c.oid >= {FIRST_USER_OID} AND n.nspname !~ '^pg_toast'
"""
_SLOTS = "SELECT s.slot_name::text FROM pg_catalog.pg_replication_slots s"
_RESET = """
SELECT s.stats_reset::text FROM pg_catalog.pg_stat_database s WHERE s.datname = pg_catalog.current_database()
"""


class SequenceValue(NamedTuple):
    """The last value that a sequence gave out: ``None`` when it gave none, or when the role may not read it."""

    readable: bool
    value: int | None


class Hint(NamedTuple):
    """What the planner was last told of a table: rows (-1 for never), pages, and whether it has indexes."""

    rows: float
    pages: int
    has_index: bool


@dataclass(frozen=True, slots=True)
class TargetState:
    """What is compared before and after.

    Attributes:
        fingerprint: of the definitions.
        sequences: their last values, by name.
        hints: what the planner was last told, by table.
        slots: the replication slots of the server.
        stats_reset: when the database's counters were last thrown away, as text.
    """

    fingerprint: str
    sequences: Mapping[str, SequenceValue]
    hints: Mapping[str, Hint]
    slots: frozenset[str]
    stats_reset: str | None

    @classmethod
    def read(cls, conn: psycopg.Connection[Any]) -> TargetState:
        """The state now, as an idle session in autocommit mode sees it."""
        return cls(Catalog.load(conn).fingerprint, *read_outside(conn))


_Outside = tuple[dict[str, SequenceValue], dict[str, Hint], frozenset[str], str | None]


def read_outside(conn: psycopg.Connection[Any]) -> _Outside:
    """Sequences, hints, slots and the time of the last reset: all that a transaction's end does not bring back.

    Raises:
        psycopg.errors.LockNotAvailable: another session keeps a sequence locked.
    """
    sequences = _sequences(conn)
    with calm_transaction(conn):
        hints = {str(name): Hint(rows, pages, has_index) for name, rows, pages, has_index in conn.execute(_HINTS)}
        slots = frozenset(str(name) for (name,) in conn.execute(_SLOTS))
        row = conn.execute(_RESET).fetchone()
    return sequences, hints, slots, row[0] if row else None


def _sequences(conn: psycopg.Connection[Any]) -> dict[str, SequenceValue]:
    with calm_transaction(conn):
        known = conn.execute(_SEQUENCES).fetchall()
    readable = [oid for _name, oid, may_read in known if may_read]
    values: dict[int, int | None] = {}
    for start in range(0, len(readable), _AT_ONCE):
        with calm_transaction(conn):
            values.update(conn.execute(_LAST_VALUES, (readable[start : start + _AT_ONCE],)).fetchall())
    # One that was dropped between the two questions is not there any more.
    return {
        str(name): SequenceValue(may_read, values.get(oid))
        for name, oid, may_read in known
        if not may_read or oid in values
    }


@dataclass(slots=True)
class Traces:
    """What the transaction is known to have touched; the locks tell, which are kept until its end.

    Attributes:
        relations: tables, sequences and others that existed before and that it locked.
        dead_rows: rows that it inserted, updated or deleted, by table: their versions stay until VACUUM.
        sizes: bytes of those tables before.
        wal_bytes: write-ahead log written meanwhile, by everybody.
        complete: false when a statement failed: what it had touched by then is not known.
        unseen_rows: a statement failed that may have changed rows by then.
    """

    relations: set[str] = field(default_factory=set)
    dead_rows: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    sizes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    wal_bytes: int = 0
    complete: bool = True
    unseen_rows: bool = False

    def may_have_touched(self, relation: str) -> bool:
        """Whether the transaction touched a relation, or that is not known."""
        return not self.complete or relation in self.relations
