"""What the code that runs now relies on: views, functions, constraints, defaults, freedom to write."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice.tree import nodes_of, strings
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import RiskRule
from confiture_tui.core.risk.rules.command import Command, CommandRule, constraints_of
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import facts, listed
from confiture_tui.core.risk.rules.made import made_by
from confiture_tui.core.risk.scoring import BREAKS, MAY_BREAK
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext

_FUNCTION = "CREATE FUNCTION price(n numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';"
_ROUTINES = frozenset({"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"})


class _Drop(RiskRule):
    category = Category.COMPATIBILITY
    severity = Severity.HIGH
    nodes = frozenset({"DropStmt"})


class DropView(_Drop):
    """DROP VIEW."""

    id = "drop-view"
    title = "DROP VIEW"
    why = "Code that reads the view fails from now on."
    alternative = "Move the code first. A view that only changes is replaced in the same transaction."
    setup = SHOP + "\nCREATE VIEW open_orders AS SELECT id, status FROM orders WHERE status = 'open';"
    bad = "DROP VIEW open_orders;"
    good = "BEGIN;\nDROP VIEW open_orders;\nCREATE VIEW open_orders AS SELECT id FROM orders;\nCOMMIT;"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Views that were there before and are not there at the end."""
        node = forecast.statement.node or {}
        if node.get("removeType") not in ("OBJECT_VIEW", "OBJECT_MATVIEW"):
            return
        for one in node.get("objects", ()):
            parts = strings(one.get("List", {}).get("items", ()))
            view = forecast.before.name_of(".".join(map(quote_identifier, parts)))
            if not forecast.before.existed_before(view) or context.simulation.after.find(view).relation is not None:
                continue
            yield self.risk(
                context,
                forecast,
                f"Code that reads {view} fails.",
                evidence=facts(forecast, context),
                points=BREAKS,
            )


class DropFunction(_Drop):
    """DROP FUNCTION."""

    id = "drop-function"
    title = "DROP FUNCTION"
    why = (
        "Code that calls the function fails from now on. PostgreSQL does not know which function bodies call it, so "
        "nothing warns of those either."
    )
    alternative = "Move the code first. CREATE OR REPLACE where only the body changes."
    setup = _FUNCTION
    bad = "DROP FUNCTION price(numeric);"
    good = (
        "CREATE FUNCTION twice(n numeric) RETURNS numeric LANGUAGE sql AS 'SELECT n * 2';\n"
        "DROP FUNCTION twice(numeric);"
    )

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Routines that were there before and are not there at the end."""
        node = forecast.statement.node or {}
        if node.get("removeType") not in _ROUTINES:
            return
        for one in node.get("objects", ()):
            parts = strings(one.get("ObjectWithArgs", {}).get("objname", ()))
            known = forecast.before.routines(parts) if parts else ()
            if known and not any(forecast.before.is_old(routine) for routine in known):
                continue
            if not known and forecast.before.known:
                continue
            remaining = context.simulation.after.routines(parts) if parts else ()
            if len(remaining) >= len(known) and remaining:
                continue
            yield self.risk(
                context,
                forecast,
                f"Code that calls {'.'.join(map(quote_identifier, parts))}() fails.",
                evidence=facts(forecast, context),
                points=BREAKS,
            )


class ReplaceViewOrFunction(RiskRule):
    """CREATE OR REPLACE of what is there."""

    id = "replace-view-or-function"
    category = Category.COMPATIBILITY
    severity = Severity.LOW
    title = "View or function replaced"
    why = "Code that runs now gets the new one in the middle of its work: another result under the same name."
    alternative = "Keep names, columns and types of the result; where the meaning changes, give it a new name."
    setup = _FUNCTION
    bad = "CREATE OR REPLACE FUNCTION price(n numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT n * 3';"
    good = "CREATE OR REPLACE FUNCTION cost(n numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT n * 3';"
    nodes = frozenset({"ViewStmt", "CreateFunctionStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether something of that name was there before, or may have been."""
        node = forecast.statement.node or {}
        if not node.get("replace"):
            return
        if forecast.statement.node_kind == "ViewStmt":
            name = forecast.before.name_of(node["view"])
            there = forecast.before.existed_before(name)
        else:
            parts = strings(node.get("funcname", ()))
            name = ".".join(map(quote_identifier, parts)) + "()"
            known = forecast.before.routines(parts)
            there = any(forecast.before.is_old(one) for one in known) or (not known and not forecast.before.known)
        if there:
            yield self.risk(
                context,
                forecast,
                f"Code that uses {name} gets the new definition at once.",
                evidence=facts(forecast, context),
                points=MAY_BREAK,
            )


class _Given(CommandRule):
    """A guarantee or convenience that goes."""

    category = Category.COMPATIBILITY
    severity = Severity.LOW
    setup = SHOP


class DropConstraint(_Given):
    """DROP CONSTRAINT."""

    id = "drop-constraint"
    title = "Constraint dropped"
    why = "What the constraint kept out may come in from now on; ON CONFLICT that names it, or its columns, fails."
    alternative = "Say which guarantee goes, and who gives it instead. Adding it again means checking every row."
    setup = SHOP + "\nALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0);"
    bad = "ALTER TABLE orders DROP CONSTRAINT total_positive;"
    good = (
        "ALTER TABLE orders ADD CONSTRAINT helper CHECK (quantity > 0) NOT VALID;\n"
        "ALTER TABLE orders DROP CONSTRAINT helper;"
    )
    subtypes = frozenset({"AT_DropConstraint"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Constraints that were there before and are not there at the end."""
        before = command.forecast.before
        if not before.existed_before(command.table):
            return
        relation = before.find(command.table).relation
        constraint = None if relation is None else relation.constraint(command.name)
        if constraint is None and (before.known or _added_before(command, context)):
            return
        if constraint is not None and constraint.oid <= 0 and not before.is_old(constraint):
            return
        after = context.simulation.after.find(command.table).relation
        if after is not None and after.constraint(command.name) is not None:
            return
        what = constraint.definition if constraint is not None else "what it guarantees"
        yield self.risk(
            context,
            command.forecast,
            f"{command.table} loses {quote_identifier(command.name)}: {what}.",
            evidence=command.evidence(context, ()),
            points=MAY_BREAK,
        )


class DropDefault(_Given):
    """DROP DEFAULT."""

    id = "drop-default"
    title = "Default dropped"
    why = "Inserts that leave the column out store NULL from now on, or fail where it is NOT NULL."
    alternative = "Make sure that all code gives the column a value first."
    setup = SHOP + "\nALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open';"
    bad = "ALTER TABLE orders ALTER COLUMN status DROP DEFAULT;"
    good = (
        "ALTER TABLE orders ADD COLUMN region text NOT NULL DEFAULT 'north';\n"
        "ALTER TABLE orders ALTER COLUMN region DROP DEFAULT;"
    )
    subtypes = frozenset({"AT_ColumnDefault", "AT_DropExpression", "AT_DropIdentity"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Defaults of columns that were there before."""
        if command.node.get("def") or not _is_old_column(command, context):
            return
        relation = command.forecast.before.relation(command.table)
        column = None if relation is None else relation.column(command.name)
        if column is not None and column.default is None and column.identity is None:
            return
        required = column is not None and column.not_null
        yield self.risk(
            context,
            command.forecast,
            f"Inserts that leave out {command.table}.{quote_identifier(command.name)} "
            + ("fail." if required else "store NULL, or fail if it is NOT NULL."),
            evidence=command.evidence(context, ()),
            points=BREAKS if required else MAY_BREAK,
        )


class DropNotNull(_Given):
    """DROP NOT NULL."""

    id = "drop-not-null"
    title = "NOT NULL dropped"
    why = "Code that reads the column may meet a NULL that it does not expect."
    alternative = "Release code that can bear NULL first."
    bad = "ALTER TABLE customers ALTER COLUMN email DROP NOT NULL;"
    good = "ALTER TABLE customers ADD COLUMN nick text;\nALTER TABLE customers ALTER COLUMN nick DROP NOT NULL;"
    subtypes = frozenset({"AT_DropNotNull"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Columns that were there before, and NOT NULL."""
        if not _is_old_column(command, context):
            return
        relation = command.forecast.before.relation(command.table)
        column = None if relation is None else relation.column(command.name)
        if column is not None and not column.not_null:
            return
        yield self.risk(
            context,
            command.forecast,
            f"{command.table}.{quote_identifier(command.name)} may hold NULL from now on.",
            evidence=command.evidence(context, ()),
            points=10,
        )


class SetDefault(_Given):
    """SET DEFAULT."""

    id = "set-default"
    severity = Severity.INFO
    title = "Default set or changed"
    why = (
        "Inserts that leave the column out store another value from now on; rows that are there keep theirs. Code that "
        "names all columns is not affected."
    )
    alternative = "Nothing, if both values are right for the code that runs now."
    bad = "ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'new';"
    good = "ALTER TABLE orders ADD COLUMN region text;\nALTER TABLE orders ALTER COLUMN region SET DEFAULT 'north';"
    subtypes = frozenset({"AT_ColumnDefault"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Defaults of columns that were there before."""
        if not command.node.get("def") or not _is_old_column(command, context):
            return
        yield self.risk(
            context,
            command.forecast,
            f"Inserts that leave out {command.table}.{quote_identifier(command.name)} store the new default.",
            evidence=command.evidence(context, ()),
            points=5,
            severity=Severity.INFO,
        )


class NewWriteRestriction(RiskRule):
    """A constraint, or a trigger, that old code does not know."""

    id = "new-write-restriction"
    category = Category.COMPATIBILITY
    severity = Severity.LOW
    title = "New restriction for writers"
    why = (
        "Code that runs now does not know the new constraint: its inserts and updates fail where they break it, also "
        "with NOT VALID, which spares only the rows that are there."
    )
    alternative = "Enforce it in the code first, release that, and add the constraint when nothing breaks it any more."
    setup = SHOP
    bad = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;"
    good = "ALTER TABLE orders ADD COLUMN region text;\nALTER TABLE orders ADD CHECK (region <> '') NOT VALID;"
    nodes = frozenset({"AlterTableStmt", "IndexStmt"})
    subtypes = frozenset({"AT_SetNotNull", "AT_AddConstraint", "AT_AddColumn"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Constraints on columns that were there before."""
        node = forecast.statement.node or {}
        if "relation" not in node:
            return
        table = forecast.before.name_of(node["relation"])
        if not forecast.before.existed_before(table):
            return
        found = []
        if forecast.statement.node_kind == "IndexStmt":
            if node.get("unique") and not _all_new(
                forecast, table, [one["IndexElem"].get("name", "") for one in node.get("indexParams", ())], context
            ):
                found.append("a unique index")
        else:
            found += _restrictions(forecast, table, node, context)
        if found:
            yield self.risk(
                context,
                forecast,
                f"Writes to {table} by running code that break {listed(found)} fail from now on.",
                evidence=facts(forecast, context, work=()),
                points=MAY_BREAK,
            )


_KINDS = {
    "CONSTR_CHECK": "the new CHECK",
    "CONSTR_FOREIGN": "the new foreign key",
    "CONSTR_UNIQUE": "the new UNIQUE",
    "CONSTR_PRIMARY": "the new primary key",
    "CONSTR_EXCLUSION": "the new exclusion constraint",
    "CONSTR_NOTNULL": "the new NOT NULL",
}


def _restrictions(forecast: Forecast, table: str, node: object, context: RuleContext) -> Iterable[str]:
    commands = node.get("cmds", ()) if isinstance(node, dict) else ()
    for one in commands:
        command = one.get("AlterTableCmd", {})
        subtype = command.get("subtype")
        if subtype == "AT_SetNotNull":
            if not _all_new(forecast, table, [command.get("name", "")], context):
                yield _KINDS["CONSTR_NOTNULL"]
        elif subtype == "AT_AddConstraint":
            constraint = command.get("def", {}).get("Constraint", {})
            kind = constraint.get("contype", "")
            if "indexname" in constraint or (constraint.get("is_enforced") is False and kind == "CONSTR_CHECK"):
                continue
            columns = [*strings(constraint.get("keys", ())), *strings(constraint.get("fk_attrs", ()))]
            columns += _columns_in(constraint.get("raw_expr"))
            if kind in _KINDS and not _all_new(forecast, table, columns, context):
                yield _KINDS[kind]
        elif subtype == "AT_AddColumn":
            column = command.get("def", {}).get("ColumnDef", {})
            if constraints_of(column, "CONSTR_NOTNULL", "CONSTR_PRIMARY") and not constraints_of(
                column, "CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"
            ):
                names = column.get("typeName", {}).get("names", ())
                if not names or "serial" not in str(names[-1].get("String", {}).get("sval", "")):
                    yield f"the new required column {quote_identifier(column.get('colname', ''))}"


def _columns_in(expression: object) -> list[str]:
    return [strings(one.get("fields", ()))[-1] for one in nodes_of(expression, "ColumnRef") if one.get("fields")]


def _all_new(forecast: Forecast, table: str, columns: list[str], context: RuleContext) -> bool:
    """Whether all columns were made by this migration: then no code that runs now writes them."""
    made = context.of_migration(made_by)
    return bool(columns) and made.has_columns(table, columns, up_to=forecast.statement.index)


def _is_old_column(command: Command, context: RuleContext) -> bool:
    return command.forecast.before.existed_before(command.table) and not _all_new(
        command.forecast, command.table, [command.name], context
    )


def _added_before(command: Command, context: RuleContext) -> bool:
    """Whether this migration itself added the constraint."""
    made = context.of_migration(made_by)
    return made.constraints.get(command.name, command.forecast.statement.index) < command.forecast.statement.index


RULES = (
    DropView(),
    DropFunction(),
    ReplaceViewOrFunction(),
    DropConstraint(),
    DropDefault(),
    DropNotNull(),
    SetDefault(),
    NewWriteRestriction(),
)
