"""Rules about running out: of numbers in a key, of values in a sequence; and about how columns get their numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import Field

from confiture_tui.core.lint.model import Category, Fix, FixStep, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import ended, literal

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.catalog.models.relations import Relation, Sequence

_LIMITS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
LAST_VALUES = "last values of sequences"


def _sequences(catalog: Catalog) -> dict[tuple[int, int], Sequence]:
    """The sequence that each column owns, by the table's oid and the column's number."""
    return {
        (sequence.owned_by_oid, sequence.owned_by_number): sequence
        for sequence in catalog.sequences.values()
        if sequence.owned_by_oid
    }


def _used(sequence: Sequence, column: Column | None) -> float | None:
    """The share of its values that a sequence has given out, as far as its column can hold them; 0 to 1."""
    if sequence.last_value is None:
        return None
    limit = _LIMITS.get(column.type, _LIMITS["bigint"]) if column else _LIMITS["bigint"]
    if sequence.increment < 0:
        lowest = max(sequence.minimum, -limit - 1)
        span, gone = sequence.maximum - lowest, sequence.maximum - sequence.last_value
    else:
        span, gone = min(sequence.maximum, limit) - sequence.minimum, sequence.last_value - sequence.minimum
    return max(0.0, min(1.0, gone / span)) if span > 0 else 1.0


class IntPrimaryKeyOptions(RuleOptions):
    """``error_above``: the share of the numbers gone from which on it is an error, 0 to 1."""

    error_above: float = Field(default=0.5, ge=0, le=1)


class IntPrimaryKeyRule(LintRule):
    """Primary keys with numbers of four bytes or fewer."""

    id = "int-primary-key"
    category = Category.CAPACITY
    severity = Severity.WARNING
    title = "A primary key is of type integer or smallint."
    why = (
        "After 2,147,483,647 rows, also deleted and rolled back ones, every INSERT fails, and the change to bigint "
        "writes the table and all that references it anew. It is told as info where no sequence fills the column."
    )
    options = IntPrimaryKeyOptions
    reads = frozenset({LAST_VALUES})
    bad = "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY); CREATE TABLE s (id serial PRIMARY KEY);"
    good = (
        "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY); CREATE TABLE c (code text PRIMARY KEY);"
    )

    def check(self, catalog: Catalog, options: IntPrimaryKeyOptions) -> Iterable[Violation]:
        """Such columns in primary keys that a sequence fills, or that are the whole key."""
        sequences = _sequences(catalog)
        for table in own(catalog).tables:
            key = table.primary_key
            for name in key.key_columns if key else ():
                column = table.column(name or "")
                if column is None or column.type not in ("integer", "smallint"):
                    continue
                sequence = sequences.get((table.oid, column.number))
                filled = sequence is not None or "nextval(" in (column.default or "")
                if not filled and (key is None or len(key.key_columns) > 1 or self._is_reference(table, column)):
                    continue
                used = _used(sequence, column) if sequence else None
                message = f"{column.qualified_name}, a primary key, is {column.type}"
                severity = None if filled else Severity.INFO
                if used is not None and used >= 0.01:
                    message += f": {used:.0%} of its numbers are gone"
                    severity = Severity.ERROR if used > options.error_above else None
                fix = _widened(table, column, sequence)
                yield self.within(table, "column", column.qualified_name, f"{message}.", fix=fix, severity=severity)

    def _is_reference(self, table: Relation, column: Column) -> bool:
        return any(one.referenced_oid and column.name in one.columns for one in table.constraints)


def _widened(table: Relation, column: Column, sequence: Sequence | None) -> Fix:
    """To bigint; the sequence of an identity column follows by itself, that of a serial one does not."""
    alter = f"ALTER TABLE {table.qualified_name} ALTER COLUMN {column.quoted_name} TYPE"
    up, down = ended(f"{alter} bigint"), ended(f"{alter} {column.type}")
    if sequence is not None and not sequence.identity and sequence.type != "bigint":
        up += ended(f"ALTER SEQUENCE {sequence.qualified_name} AS bigint")
        down = ended(f"ALTER SEQUENCE {sequence.qualified_name} AS {sequence.type}") + down
    note = (
        "It writes the table and its indexes anew while nobody can read it; columns that reference it must follow. On "
        "a large table add a new column and swap."
    )
    return Fix(steps=(FixStep(up=up, down=down),), safety=Safety.REVIEW, note=note)


class SequenceExhaustionOptions(RuleOptions):
    """Shares of the values that are left, 0 to 1: at most ``error_below`` is an error, ``warn_below`` a warning."""

    error_below: float = Field(default=0.1, ge=0, le=1)
    warn_below: float = Field(default=0.2, ge=0, le=1)


class SequenceExhaustionRule(LintRule):
    """Sequences that are nearly at their end."""

    id = "sequence-exhaustion"
    category = Category.CAPACITY
    severity = Severity.ERROR
    title = "A sequence has given out nearly all of its values, or all that its column can hold."
    why = "When it is at its end every INSERT that needs it fails."
    options = SequenceExhaustionOptions
    reads = frozenset({LAST_VALUES})
    needs_statistics = True
    bad = "CREATE TABLE t (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY); SELECT setval('t_id_seq', 32000);"
    good = (
        "CREATE TABLE t (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY); SELECT setval('t_id_seq', 20000);"
        "CREATE SEQUENCE round AS smallint CYCLE; SELECT setval('round', 32767);"
    )

    def check(self, catalog: Catalog, options: SequenceExhaustionOptions) -> Iterable[Violation]:
        """Sequences that do not cycle and have little left."""
        for sequence in own(catalog).sequences:
            if sequence.cycles:
                continue
            table = catalog.relations.by_oid(sequence.owned_by_oid)
            column = table.column_numbered(sequence.owned_by_number) if table else None
            used = _used(sequence, column)
            if used is None or 1 - used > max(options.warn_below, options.error_below):
                continue
            left = 1 - used
            message = f"{sequence.qualified_name} has {left:.1%} of its values left"
            narrow = column is not None and _LIMITS.get(column.type, 0) < sequence.maximum
            message += f" that {column.qualified_name} can hold." if narrow and column else "."
            yield self.violation(
                "sequence",
                sequence.qualified_name,
                message,
                schema=sequence.schema,
                relation=table.qualified_name if table else None,
                severity=None if left <= options.error_below else Severity.WARNING,
            )


class PreferIdentityRule(LintRule):
    """Columns that take their numbers from an owned sequence by a default: serial."""

    id = "prefer-identity"
    category = Category.TYPES
    severity = Severity.INFO
    title = "A column is serial instead of an identity column."
    why = (
        "The rights on a serial column's sequence are granted apart, its default can be dropped by accident, and a "
        "copy of the table by LIKE shares the sequence. Identity columns are the standard, and know no such surprise."
    )
    bad = "CREATE TABLE t (id bigserial PRIMARY KEY);"
    good = "CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Columns with nextval of their own sequence as the default."""
        sequences = _sequences(catalog)
        for table, column in own(catalog).columns:
            if column.default is None or "nextval(" not in column.default or column.identity is not None:
                continue
            sequence = sequences.get((table.oid, column.number))
            if sequence is not None and not sequence.identity:
                message = f"{column.qualified_name} is a serial column; an identity column would be safer."
                fix = _to_identity(table, column, sequence) if not table.partitioning and column.not_null else None
                yield self.within(table, "column", column.qualified_name, message, fix=fix)


def _to_identity(table: Relation, column: Column, sequence: Sequence) -> Fix:
    alter = f"ALTER TABLE {table.qualified_name} ALTER COLUMN {column.quoted_name}"
    of_column = f"pg_get_serial_sequence({literal(table.qualified_name)}, {literal(column.name)})"
    following = f"coalesce((SELECT max({column.quoted_name}) FROM {table.qualified_name}), 0) + 1, false"
    up = (
        ended(f"{alter} DROP DEFAULT")
        + ended(f"DROP SEQUENCE {sequence.qualified_name}")
        + ended(f"{alter} ADD GENERATED BY DEFAULT AS IDENTITY")
        + ended(f"SELECT setval({of_column}, {following})")
    )
    down = (
        ended(f"{alter} DROP IDENTITY")
        + ended(f"CREATE SEQUENCE {sequence.qualified_name} AS {sequence.type} OWNED BY {column.qualified_name}")
        + ended(f"{alter} SET DEFAULT nextval({literal(sequence.qualified_name)})")
        + ended(f"SELECT setval({literal(sequence.qualified_name)}, {following})")
    )
    note = f"Grants on {sequence.qualified_name} go with it; nothing else may use it."
    return Fix(steps=(FixStep(up=up, down=down),), safety=Safety.REVIEW, note=note)


class SerialNotPkRule(LintRule):
    """Columns filled from a sequence that are part of no key."""

    id = "serial-not-pk"
    category = Category.TYPES
    severity = Severity.INFO
    title = "A column is filled from its own sequence and is part of no unique key."
    why = "Serial was perhaps meant as the type of a reference: then it numbers rows that have nothing to do with it."
    bad = "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id serial);"
    good = "CREATE TABLE t (id bigserial PRIMARY KEY, number serial UNIQUE);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Serial columns in no primary key and no unique index."""
        sequences = _sequences(catalog)
        for table, column in own(catalog).columns:
            if column.default is None or "nextval(" not in column.default:
                continue
            if (table.oid, column.number) not in sequences:
                continue
            if not any(index.unique and column.name in index.key_columns for index in table.indexes):
                message = f"{column.qualified_name} is filled from its own sequence and is part of no unique key."
                yield self.within(table, "column", column.qualified_name, message)
