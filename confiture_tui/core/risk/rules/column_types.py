"""ALTER COLUMN … TYPE and SET EXPRESSION: what is written anew, checked again, or breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.advice import column_type as advice
from confiture_tui.core.risk.duration import works_that_grow
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rules.command import Command, CommandRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import listed
from confiture_tui.core.risk.rules.lookups import loses_precision, types_of
from confiture_tui.core.risk.scoring import MAY_BREAK
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Work
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext

_TIMES = frozenset({"timestamp without time zone", "timestamp with time zone"})


class _ChangeType(CommandRule):
    """A rule about ALTER COLUMN … TYPE."""

    category = Category.LOCKING
    severity = Severity.HIGH
    setup = SHOP
    subtypes = frozenset({"AT_AlterColumnType"})


class ChangeTypeRewrite(_ChangeType):
    """The values are stored in another form."""

    id = "change-type-rewrite"
    title = "Column type change that rewrites the table"
    why = (
        "The new type stores its values in another form, so the whole table and all its indexes are written anew under "
        "ACCESS EXCLUSIVE. Changes that keep the form, such as varchar to a longer varchar or to text, do not."
    )
    alternative = (
        "Add a column of the new type, keep it in step by a trigger, fill it in batches, build its indexes "
        "CONCURRENTLY, and swap the two columns in one brief transaction."
    )
    bad = "ALTER TABLE orders ALTER COLUMN quantity TYPE bigint;"
    good = "ALTER TABLE orders ALTER COLUMN code TYPE varchar(100);"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether the table is written anew."""
        if works := command.works(WorkKind.REWRITE):
            yield self.risk(
                context,
                command.forecast,
                f"Changing the type of {_column(command)} writes {listed(_tables(command, works))} and all indexes "
                "anew.",
                evidence=command.evidence(context),
                safe_sql=advice.new_column(command),
                relation=command.table,
            )


def _tables(command: Command, works: Iterable[Work]) -> Iterator[str]:
    """What is written anew, without the page of a sequence."""
    growing = {work.relation for work in works_that_grow(command.forecast)}
    return (work.relation for work in works if work.relation in growing)


class ChangeTypeReindex(_ChangeType):
    """The table stays; an index on the column does not."""

    id = "change-type-reindex"
    title = "Column type change that rebuilds an index"
    why = (
        "The stored values stay as they are, but an index orders or compares them differently from now on (another "
        "collation or operator class), so it is built anew under ACCESS EXCLUSIVE."
    )
    alternative = (
        "Drop the index CONCURRENTLY, change the type, which is brief then, and create the index CONCURRENTLY again. "
        "Queries do without the index meanwhile."
    )
    setup = SHOP + "\nCREATE INDEX orders_code_ix ON orders (code);"
    bad = 'ALTER TABLE orders ALTER COLUMN code TYPE varchar(50) COLLATE "C";'
    good = "ALTER TABLE orders ALTER COLUMN code TYPE text;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether only indexes are built anew."""
        rebuilt = command.works(WorkKind.REBUILD, WorkKind.BUILD)
        if rebuilt and not command.works(WorkKind.REWRITE):
            names = listed(work.index or work.relation for work in rebuilt)
            yield self.risk(
                context,
                command.forecast,
                f"Changing the type of {_column(command)} builds {names} anew while nobody can use {command.table}.",
                evidence=command.evidence(context, rebuilt),
                safe_sql=advice.without_index(command),
                relation=command.table,
            )


class ChangeTypeRechecksConstraint(_ChangeType):
    """A CHECK or foreign key on the column is checked again."""

    id = "change-type-rechecks-constraint"
    title = "Column type change that checks constraints again"
    why = (
        "Every CHECK and foreign key on the column is checked again for all rows under ACCESS EXCLUSIVE; a foreign key "
        "locks both tables."
    )
    alternative = (
        "Drop the constraint, change the type, add the constraint again as NOT VALID, and VALIDATE it in another "
        "transaction. Rows that break it may come in between; VALIDATE finds them."
    )
    setup = SHOP + "\nALTER TABLE orders ADD CONSTRAINT orders_code_check CHECK (code <> '');"
    bad = "ALTER TABLE orders ALTER COLUMN code TYPE varchar(100);"
    good = "ALTER TABLE orders ALTER COLUMN status TYPE varchar;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether rows are read for the sake of constraints alone."""
        scans = command.works(WorkKind.SCAN)
        if scans and not command.works(WorkKind.REWRITE):
            yield self.risk(
                context,
                command.forecast,
                f"Changing the type of {_column(command)} checks its constraints again: all rows of "
                f"{listed(work.relation for work in scans)} are read while nobody can use {command.table}.",
                evidence=command.evidence(context, scans),
                safe_sql=advice.without_constraints(command),
                relation=command.table,
            )


class ChangeTypeLossy(_ChangeType):
    """Values that do not fit, or are rounded."""

    id = "change-type-lossy"
    category = Category.INTEGRITY
    severity = Severity.CRITICAL
    title = "Column type change that values may not survive"
    why = (
        "The new type holds less than the old one: values are rounded or cut off, or the statement fails with 22001 or "
        "22003 at the first value that does not fit."
    )
    alternative = (
        "Ask for the longest or largest value first. Where values do not fit, fill a new column with what they are to "
        "become, and keep the old one for as long as somebody may ask for it."
    )
    bad = "ALTER TABLE orders ALTER COLUMN total TYPE numeric(6,1);"
    good = "ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,2);"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether values may not fit, or are changed on the way."""
        effects = command.forecast.effects
        lossy = loses_precision(command)
        unfit = [one for one in effects.may_fail or () if one.sqlstate in ("22001", "22003")]
        if not lossy and not unfit:
            return
        evidence = [*command.evidence(context), *(f"{one.sqlstate}: {one.why.rstrip('.')}." for one in unfit)]
        if unfit:
            yield self.risk(
                context,
                command.forecast,
                f"Values of {_column(command)} may not fit the new type: the statement fails if one does not.",
                evidence=evidence,
            )
        if lossy:
            yield self.risk(
                context,
                command.forecast,
                f"Values of {_column(command)} lose digits or characters on the way to the new type.",
                evidence=evidence,
                category=Category.DATA_LOSS,
                points=max(context.points(Category.DATA_LOSS, command.forecast), 30),
            )


class ChangeTypeDependsOnTimezone(_ChangeType):
    """timestamp to timestamptz, or back."""

    id = "change-type-depends-on-timezone"
    category = Category.INTEGRITY
    severity = Severity.MEDIUM
    title = "Column type change whose result depends on TimeZone"
    why = (
        "Between timestamp and timestamptz every value is read as a local time of the session's TimeZone. Under UTC "
        "nothing is written anew; under any other zone the whole table is, and a wrong zone moves every value."
    )
    alternative = (
        "Say which zone the stored values are in: SET LOCAL TimeZone = 'UTC' if they are UTC, which also spares the "
        "rewrite, or USING column AT TIME ZONE 'the zone'."
    )
    bad = "SET TimeZone = 'Europe/Paris';\nALTER TABLE orders ALTER COLUMN placed_at TYPE timestamptz;"
    good = "SET TimeZone = 'UTC';\nALTER TABLE orders ALTER COLUMN placed_at TYPE timestamptz;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether the session's zone decides what the values become."""
        old, new = types_of(command)
        if command.column.get("raw_default") or new is None or new.name not in _TIMES or new.is_array:
            return
        if old is not None and (old.name == new.name or old.name not in _TIMES):
            return
        zone = command.forecast.settings.get("timezone")
        if zone is None and context.catalog is not None:
            zone = context.catalog.session.time_zone
        if zone is not None and zone.upper() in ("UTC", "ETC/UTC", "GMT", "ETC/GMT"):
            return
        yield self.risk(
            context,
            command.forecast,
            f"What the values of {_column(command)} become depends on TimeZone, which is {zone or 'not known'}.",
            evidence=(*command.evidence(context), f"TimeZone: {zone or 'not set in the file, and no catalog'}."),
            safe_sql=advice.under_utc(command),
            points=30,
        )


class ChangeTypeUsedByView(_ChangeType):
    """A view or rule uses the column."""

    id = "change-type-used-by-view"
    category = Category.INTEGRITY
    severity = Severity.CRITICAL
    title = "Column type change under a view"
    why = "PostgreSQL refuses to change the type of a column that a view or rule uses (0A000)."
    alternative = "Drop the views, change the type, and create the views again, in one transaction."
    setup = SHOP + "\nCREATE VIEW order_codes AS SELECT id, code FROM orders;"
    bad = "ALTER TABLE orders ALTER COLUMN code TYPE text;"
    good = "ALTER TABLE orders ALTER COLUMN status TYPE varchar;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether a view stands in the way, or nobody knows."""
        fails = command.forecast.effects.fails
        if fails is not None and fails.sqlstate == "0A000":
            yield self.risk(
                context,
                command.forecast,
                f"The type of {_column(command)} cannot be changed: {fails.message.rstrip('.')}.",
                evidence=(*command.evidence(context, ()), *((f"{fails.detail.rstrip('.')}.",) if fails.detail else ())),
                safe_sql=advice.around_views(command),
            )
        elif context.catalog is None and command.forecast.before.find(command.table).object is None:
            yield self.risk(
                context,
                command.forecast,
                f"If a view uses {_column(command)}, the statement fails.",
                evidence=command.evidence(context, ()),
                points=MAY_BREAK,
            )


class ChangeTypeBreaksPreparedStatements(_ChangeType):
    """Prepared statements that return the column."""

    id = "change-type-breaks-prepared-statements"
    category = Category.COMPATIBILITY
    severity = Severity.LOW
    title = "Column type change under prepared statements"
    why = (
        "A prepared statement that returns the column fails once with 'cached plan must not change result type', also "
        "where nothing is written anew and however small the table is. Drivers and poolers keep many of them."
    )
    alternative = "Expect the error once for each connection, or have the application reconnect right after."
    bad = "ALTER TABLE orders ALTER COLUMN code TYPE text;"
    good = "ALTER TABLE orders ADD COLUMN code_text text;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Every change of a type that was there before."""
        if not command.forecast.before.existed_before(command.table):
            return
        yield self.risk(
            context,
            command.forecast,
            f"Prepared statements that return {_column(command)} fail once after its type has changed.",
            evidence=(f"Line {command.forecast.statement.line}: {command.forecast.statement.tag}.",),
            points=MAY_BREAK,
        )


class SetGeneratedExpression(CommandRule):
    """SET EXPRESSION on a stored generated column."""

    id = "set-generated-expression"
    category = Category.LOCKING
    severity = Severity.HIGH
    title = "New expression for a stored generated column"
    why = (
        "Every value is computed anew: the whole table and its indexes are written under ACCESS EXCLUSIVE, and the old "
        "values are gone. The form exists from PostgreSQL 17 on."
    )
    alternative = (
        "No online form keeps a stored generated column. Add a plain column for the new values, kept by a trigger and "
        "filled in batches, and let the code move to it."
    )
    setup = (
        "CREATE TABLE prices (id int PRIMARY KEY, net int, gross int GENERATED ALWAYS AS (net * 2) STORED);\n"
        "INSERT INTO prices SELECT i, i FROM generate_series(1, 1000) i;"
    )
    bad = "ALTER TABLE prices ALTER COLUMN gross SET EXPRESSION AS (net * 3);"
    good = "ALTER TABLE prices ADD COLUMN gross_2 int;"
    subtypes = frozenset({"AT_SetExpression"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether the table is written anew."""
        if works := command.works(WorkKind.REWRITE):
            yield self.risk(
                context,
                command.forecast,
                f"Computing {_column(command)} anew writes {works[0].relation} and its indexes anew.",
                evidence=command.evidence(context),
                relation=command.table,
            )


def _column(command: Command) -> str:
    return f"{command.table}.{quote_identifier(command.name)}"


RULES = (
    ChangeTypeRewrite(),
    ChangeTypeReindex(),
    ChangeTypeRechecksConstraint(),
    ChangeTypeLossy(),
    ChangeTypeDependsOnTimezone(),
    ChangeTypeUsedByView(),
    ChangeTypeBreaksPreparedStatements(),
    SetGeneratedExpression(),
)
