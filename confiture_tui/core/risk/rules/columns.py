"""New columns: what makes ADD COLUMN more than a change of the catalog."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.advice import columns as advice
from confiture_tui.core.risk.advice.tree import nodes_of
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rules.command import Command, CommandRule, constraints_of
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.risk.advice.tree import Node
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext

_SERIAL = frozenset({"serial", "serial2", "serial4", "serial8", "smallserial", "bigserial"})


class _AddColumn(CommandRule):
    """A rule about ADD COLUMN."""

    category = Category.LOCKING
    severity = Severity.HIGH
    setup = SHOP
    subtypes = frozenset({"AT_AddColumn"})


class AddColumnVolatileDefault(_AddColumn):
    """A default that must be computed for every row."""

    id = "add-column-volatile-default"
    title = "New column with a volatile default"
    why = (
        "A volatile default gives every existing row a value of its own, so the whole table and all its indexes are "
        "written anew under ACCESS EXCLUSIVE: nobody reads or writes it meanwhile. A constant or a STABLE default such "
        "as now() is computed once and kept in the catalog."
    )
    alternative = (
        "Add the column without a default, set the default for new rows, and fill the existing rows in batches."
    )
    bad = "ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();"
    good = "ALTER TABLE orders ADD COLUMN created_at timestamptz DEFAULT now();"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether the default is why the table is written anew."""
        column = command.column
        if not constraints_of(column, "CONSTR_DEFAULT") or _draws_numbers(column):
            return
        if works := command.works(WorkKind.REWRITE):
            yield self.risk(
                context,
                command.forecast,
                f"Adding {_name(command)} with a volatile default writes {works[0].relation} and its indexes anew.",
                evidence=command.evidence(context),
                safe_sql=advice.volatile_default(command),
                relation=command.table,
            )


class AddColumnAutoIncrement(_AddColumn):
    """serial, identity, or DEFAULT nextval(…)."""

    id = "add-column-auto-increment"
    title = "New column that numbers the rows"
    why = (
        "A serial or identity column, or a default of nextval(), draws a number for every existing row, so the whole "
        "table and all its indexes are written anew under ACCESS EXCLUSIVE."
    )
    alternative = (
        "Add a plain column and a sequence, set the default for new rows, number the existing rows in batches, prove "
        "NOT NULL through a CHECK, and make it an identity column last."
    )
    bad = "ALTER TABLE orders ADD COLUMN number bigserial;"
    good = "ALTER TABLE orders ADD COLUMN number bigint;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether the column numbers rows that are there."""
        if _draws_numbers(command.column) and (works := command.works(WorkKind.REWRITE)):
            yield self.risk(
                context,
                command.forecast,
                f"Numbering the rows in {_name(command)} writes {works[0].relation} and its indexes anew.",
                evidence=command.evidence(context),
                safe_sql=advice.auto_increment(command),
                relation=command.table,
            )


class AddColumnStoredGenerated(_AddColumn):
    """GENERATED ALWAYS AS (…) STORED."""

    id = "add-column-stored-generated"
    title = "New stored generated column"
    why = (
        "The value of a stored generated column is computed for every existing row, so the whole table and all its "
        "indexes are written anew under ACCESS EXCLUSIVE."
    )
    alternative = (
        "No online form reaches a stored generated column. From PostgreSQL 18 a VIRTUAL one costs nothing; before, a "
        "plain column kept by a trigger, filled in batches, gives readers the same values."
    )
    bad = "ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (total * 1.2) STORED;"
    good = "ALTER TABLE orders ADD COLUMN gross numeric;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether a stored expression is computed for rows that are there."""
        generated = constraints_of(command.column, "CONSTR_GENERATED")
        if any(one.get("generated_kind", "s") == "s" for one in generated) and (
            works := command.works(WorkKind.REWRITE)
        ):
            yield self.risk(
                context,
                command.forecast,
                f"Computing {_name(command)} for every row writes {works[0].relation} and its indexes anew.",
                evidence=command.evidence(context),
                safe_sql=advice.stored_generated(command),
                relation=command.table,
            )


class AddColumnConstrainedDomain(_AddColumn):
    """A domain with constraints as the type."""

    id = "add-column-constrained-domain"
    title = "New column of a domain with constraints"
    why = (
        "The domain's constraints have to be checked for the new column of every existing row, so the whole table and "
        "all its indexes are written anew under ACCESS EXCLUSIVE, even where the value is NULL."
    )
    alternative = (
        "Use the domain's base type, and the domain's condition as a CHECK constraint of the table: NOT VALID first, "
        "then VALIDATE. No online form reaches a column of the domain itself."
    )
    setup = SHOP + "\nCREATE DOMAIN percentage AS int CHECK (VALUE BETWEEN 0 AND 100);"
    bad = "ALTER TABLE orders ADD COLUMN discount percentage;"
    good = "ALTER TABLE orders ADD COLUMN discount int;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether the domain of the column is why the table is written anew."""
        column = command.column
        if _draws_numbers(column) or constraints_of(column, "CONSTR_DEFAULT", "CONSTR_GENERATED"):
            return
        if command.works(WorkKind.REWRITE):
            yield self.risk(
                context,
                command.forecast,
                f"The domain of {_name(command)} has constraints: the table and its indexes are written anew.",
                evidence=command.evidence(context),
                safe_sql=advice.constrained_domain(command),
                relation=command.table,
            )


class AddRequiredColumn(_AddColumn):
    """NOT NULL without a default."""

    id = "add-required-column"
    category = Category.INTEGRITY
    severity = Severity.CRITICAL
    title = "New NOT NULL column without a default"
    why = (
        "Existing rows have no value for the new column: the statement fails with 23502 unless the table is empty. It "
        "reads the table under ACCESS EXCLUSIVE to find out."
    )
    alternative = (
        "Add the column as nullable, or with a default; let the code write it; fill the existing rows in batches; set "
        "NOT NULL through a validated CHECK."
    )
    bad = "ALTER TABLE orders ADD COLUMN channel text NOT NULL;"
    good = "ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT 'web';"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether rows that are there would have no value."""
        column = command.column
        required = constraints_of(column, "CONSTR_NOTNULL", "CONSTR_PRIMARY")
        given = constraints_of(column, "CONSTR_DEFAULT", "CONSTR_GENERATED", "CONSTR_IDENTITY")
        if not required or given or _draws_numbers(column):
            return
        if command.works(WorkKind.SCAN, WorkKind.REWRITE, WorkKind.BUILD):
            yield self.risk(
                context,
                command.forecast,
                f"Rows of {command.table} have no value for {_name(command)}: the statement fails unless it is empty.",
                evidence=command.evidence(context),
                safe_sql=advice.required(command),
                relation=command.table,
            )


class AddColumnInlineCheck(_AddColumn):
    """CHECK in the column definition."""

    id = "add-column-inline-check"
    title = "New column with a CHECK constraint"
    why = (
        "A CHECK that comes with a new column is checked at once: the whole table is read under ACCESS EXCLUSIVE, "
        "although every row has the same value."
    )
    alternative = "Add the column by itself; then the CHECK as NOT VALID; then VALIDATE it in another transaction."
    bad = "ALTER TABLE orders ADD COLUMN weight int DEFAULT 1 CHECK (weight > 0);"
    good = "ALTER TABLE orders ADD COLUMN weight int DEFAULT 1;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether the CHECK makes it read the table."""
        if not constraints_of(command.column, "CONSTR_CHECK"):
            return
        if works := command.works(WorkKind.SCAN):
            yield self.risk(
                context,
                command.forecast,
                f"The CHECK of {_name(command)} reads all of {works[0].relation} while nobody can use it.",
                evidence=command.evidence(context),
                safe_sql=advice.inline_check(command),
                relation=command.table,
            )


class AddColumnInlineUnique(_AddColumn):
    """UNIQUE or PRIMARY KEY in the column definition."""

    id = "add-column-inline-unique"
    title = "New column with a UNIQUE constraint"
    why = "The index of the constraint is built under ACCESS EXCLUSIVE: the table cannot be read or written meanwhile."
    alternative = "Add the column by itself, build the unique index CONCURRENTLY, then add the constraint USING INDEX."
    bad = "ALTER TABLE orders ADD COLUMN reference text UNIQUE;"
    good = "ALTER TABLE orders ADD COLUMN reference text;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether an index is built for it."""
        if not constraints_of(command.column, "CONSTR_UNIQUE", "CONSTR_PRIMARY"):
            return
        if works := command.works(WorkKind.BUILD):
            yield self.risk(
                context,
                command.forecast,
                f"The unique index for {_name(command)} is built on {works[0].relation} under ACCESS EXCLUSIVE.",
                evidence=command.evidence(context),
                safe_sql=advice.inline_unique(command),
                relation=command.table,
            )


class AddColumnInlineReference(_AddColumn):
    """REFERENCES in the column definition."""

    id = "add-column-inline-reference"
    title = "New column with a foreign key"
    why = (
        "The foreign key also takes SHARE ROW EXCLUSIVE on the referenced table, for which its writers wait. Where the "
        "column has a default, every row has to be looked up there while the lock is held."
    )
    alternative = (
        "Add the column by itself; then the foreign key as NOT VALID, which is brief; then VALIDATE it in another "
        "transaction."
    )
    bad = "ALTER TABLE orders ADD COLUMN owner_id bigint DEFAULT 1 REFERENCES customers (id);"
    good = "ALTER TABLE orders ADD COLUMN owner_id bigint DEFAULT 1;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether it locks a referenced table that was there before."""
        if not constraints_of(command.column, "CONSTR_FOREIGN"):
            return
        others = [lock for lock in command.locks if lock.relation != command.table]
        works = command.works(WorkKind.SCAN)
        if not others and not works:
            return
        locked = others[0].relation if others else command.table
        what = f"checks every row of {command.table} against it" if works else "is brief, but its writers wait"
        yield self.risk(
            context,
            command.forecast,
            f"The foreign key of {_name(command)} locks {locked} and {what}.",
            evidence=command.evidence(context),
            safe_sql=advice.inline_reference(command),
            relation=command.table if works else locked,
        )


def _name(command: Command) -> str:
    return f"{command.table}.{quote_identifier(str(command.column.get('colname', '')))}"


def _draws_numbers(column: Node) -> bool:
    """serial, identity, or a default that calls nextval."""
    names = column.get("typeName", {}).get("names", ())
    if names and names[-1].get("String", {}).get("sval") in _SERIAL:
        return True
    if constraints_of(column, "CONSTR_IDENTITY"):
        return True
    defaults = constraints_of(column, "CONSTR_DEFAULT")
    return bool(defaults) and any(
        call.get("funcname", [{}])[-1].get("String", {}).get("sval") == "nextval"
        for call in nodes_of(list(defaults), "FuncCall")
    )


RULES = (
    AddColumnVolatileDefault(),
    AddColumnAutoIncrement(),
    AddColumnStoredGenerated(),
    AddColumnConstrainedDomain(),
    AddRequiredColumn(),
    AddColumnInlineCheck(),
    AddColumnInlineUnique(),
    AddColumnInlineReference(),
)
