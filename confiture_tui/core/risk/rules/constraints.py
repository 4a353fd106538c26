"""Constraints of tables that have rows: NOT NULL, CHECK, FOREIGN KEY, UNIQUE, PRIMARY KEY, EXCLUDE."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.advice import constraints as advice
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import RiskRule
from confiture_tui.core.risk.rules.command import Command, CommandRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import facts, listed
from confiture_tui.core.risk.rules.reach import referenced_by_dropped_keys
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Work
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


class _Constraint(CommandRule):
    """A rule about ADD CONSTRAINT and its like."""

    category = Category.LOCKING
    severity = Severity.HIGH
    setup = SHOP
    subtypes = frozenset({"AT_AddConstraint"})


class SetNotNullScan(_Constraint):
    """SET NOT NULL that has to look for NULLs."""

    id = "set-not-null-scan"
    title = "SET NOT NULL that reads the table"
    why = (
        "PostgreSQL reads the whole table under ACCESS EXCLUSIVE to make sure that there is no NULL, unless a valid "
        "CHECK constraint proves it already."
    )
    alternative = (
        "Add CHECK (column IS NOT NULL) as NOT VALID, VALIDATE it in another transaction, SET NOT NULL, which takes "
        "the CHECK as its proof, and drop the CHECK."
    )
    bad = "ALTER TABLE orders ALTER COLUMN status SET NOT NULL;"
    good = (
        "ALTER TABLE orders ADD CONSTRAINT status_there CHECK (status IS NOT NULL) NOT VALID;\n"
        "ALTER TABLE orders VALIDATE CONSTRAINT status_there;\n"
        "ALTER TABLE orders ALTER COLUMN status SET NOT NULL;"
    )
    subtypes = frozenset({"AT_SetNotNull", "AT_AddConstraint"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether NULLs have to be looked for."""
        if command.subtype == "AT_AddConstraint" and command.constraint.get("contype") != "CONSTR_NOTNULL":
            return
        if works := command.works(WorkKind.SCAN):
            name = command.name or listed(_columns(command, "keys"))
            yield self.risk(
                context,
                command.forecast,
                f"All of {_tables(works)} is read to make sure that {quote_identifier(name)} holds no NULL, while "
                "nobody can use it.",
                evidence=command.evidence(context),
                safe_sql=advice.not_null(command, name),
                relation=works[0].relation,
            )


class AddCheckWithoutNotValid(_Constraint):
    """ADD CHECK that checks all rows at once."""

    id = "add-check-without-not-valid"
    title = "CHECK constraint without NOT VALID"
    why = "All rows are checked under ACCESS EXCLUSIVE: the table cannot be read or written meanwhile."
    alternative = (
        "Add it as NOT VALID, which is brief and holds for new rows at once; VALIDATE it in another transaction, under "
        "SHARE UPDATE EXCLUSIVE, for which nobody waits."
    )
    bad = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0);"
    good = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether rows are read for it."""
        if command.constraint.get("contype") != "CONSTR_CHECK":
            return
        if works := command.works(WorkKind.SCAN):
            yield self.risk(
                context,
                command.forecast,
                f"{_constraint(command)} is checked for all rows of {_tables(works)} while nobody can use it.",
                evidence=command.evidence(context),
                safe_sql=advice.not_valid(command),
                relation=works[0].relation,
            )


class ValidateInSameTransaction(RiskRule):
    """VALIDATE CONSTRAINT while an earlier statement's lock is still held."""

    id = "validate-in-same-transaction"
    category = Category.LOCKING
    severity = Severity.HIGH
    title = "VALIDATE in the transaction that took the lock"
    why = (
        "NOT VALID and VALIDATE are worth their while only in two transactions. In one, the blocking lock of the first "
        "statement is kept while the second reads the table."
    )
    alternative = "Put VALIDATE CONSTRAINT in a transaction, or migration, of its own."
    setup = SHOP
    bad = (
        "BEGIN;\n"
        "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;\n"
        "ALTER TABLE orders VALIDATE CONSTRAINT total_positive;\n"
        "COMMIT;"
    )
    good = (
        "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;\n"
        "ALTER TABLE orders VALIDATE CONSTRAINT total_positive;"
    )
    nodes = frozenset({"AlterTableStmt"})
    subtypes = frozenset({"AT_ValidateConstraint"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether a validated table is locked already, by an earlier statement or sub-command."""
        commands = (forecast.statement.node or {}).get("cmds", ())
        for position, one in enumerate(commands):
            command = one.get("AlterTableCmd", {})
            if command.get("subtype") != "AT_ValidateConstraint":
                continue
            works = [work for work in forecast.works if work.kind is WorkKind.SCAN and work.command == position]
            read = {work.relation for work in works}
            held = [lock for lock in forecast.held.on(*read) if lock.mode.blocks_writes]
            held += [
                lock
                for lock in forecast.locks
                if lock.relation in read and lock.mode.blocks_writes and lock.command not in (None, position)
            ]
            if held:
                name = quote_identifier(command.get("name", ""))
                yield self.risk(
                    context,
                    forecast,
                    f"{name} is validated while {held[0].mode.value} on {held[0].relation} is held: the table is read "
                    "from end to end, and others wait.",
                    evidence=facts(forecast, context, locks=held, work=works),
                    safe_sql=advice.two_transactions(forecast, context.simulation),
                    relation=held[0].relation,
                )


class AddForeignKeyWithoutNotValid(_Constraint):
    """ADD FOREIGN KEY that looks every row up."""

    id = "add-foreign-key-without-not-valid"
    title = "Foreign key without NOT VALID"
    why = (
        "Every row is looked up in the referenced table under SHARE ROW EXCLUSIVE on both tables: writers of both wait."
    )
    alternative = (
        "Add it as NOT VALID, which is brief and holds for new rows at once; VALIDATE it in another transaction, for "
        "which nobody waits. On a partitioned table NOT VALID is possible from PostgreSQL 18 on; before, add the "
        "foreign key to each partition that way first."
    )
    bad = "ALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id);"
    good = (
        "ALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) "
        "NOT VALID;"
    )

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether rows are looked up."""
        if command.constraint.get("contype") != "CONSTR_FOREIGN":
            return
        if works := command.works(WorkKind.SCAN):
            target = command.forecast.before.name_of(command.constraint.get("pktable", {"relname": "?"}))
            yield self.risk(
                context,
                command.forecast,
                f"{_constraint(command)} is checked for all rows of {command.table} while writers of it and of "
                f"{target} wait.",
                evidence=command.evidence(context, works),
                safe_sql=advice.foreign_key(command),
                relation=command.table,
            )


class DropForeignKeyLocksParent(CommandRule):
    """Dropping a foreign key locks the referenced table too."""

    id = "drop-foreign-key-locks-parent"
    category = Category.LOCKING
    severity = Severity.MEDIUM
    title = "Dropping a foreign key locks the referenced table"
    why = (
        "The triggers of a foreign key sit on both tables, so dropping it takes ACCESS EXCLUSIVE on the referenced "
        "table as well. The work is brief; the wait for the lock on a busy parent need not be."
    )
    alternative = (
        "Lock the referenced table first, with a short lock_timeout, and try again later when it is not to be had: "
        "then nobody queues behind a wait in the middle of the statement."
    )
    setup = (
        SHOP + "\nALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers;"
    )
    bad = "ALTER TABLE orders DROP CONSTRAINT orders_customer_fk;"
    good = "ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open';"
    subtypes = frozenset({"AT_DropConstraint", "AT_DropColumn"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether a foreign key's other table is locked."""
        others = referenced_by_dropped_keys(command)
        locked = [lock for lock in command.locks if lock.mode.blocks_reads and lock.relation in (others or ())]
        if locked:
            yield self.risk(
                context,
                command.forecast,
                f"Dropping the foreign key also takes ACCESS EXCLUSIVE on {listed(lock.relation for lock in locked)}.",
                evidence=command.evidence(context, ()),
                safe_sql=advice.parents_first(command, tuple(lock.relation for lock in locked)),
                relation=locked[0].relation,
            )
        elif others is None:
            yield self.risk(
                context,
                command.forecast,
                f"If {quote_identifier(command.name)} is a foreign key, or takes one with it, the referenced table is "
                "locked with ACCESS EXCLUSIVE as well.",
                evidence=command.evidence(context, ()),
                relation=command.table,
            )


class AddUniqueWithoutIndex(_Constraint):
    """ADD UNIQUE that builds its index."""

    id = "add-unique-without-index"
    title = "UNIQUE constraint that builds its index"
    why = (
        "The index is built under ACCESS EXCLUSIVE: the table cannot be read or written meanwhile. UNIQUE has no "
        "NOT VALID form."
    )
    alternative = "Build the unique index CONCURRENTLY, then add the constraint USING INDEX, which is brief."
    bad = "ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE (email);"
    good = (
        "CREATE UNIQUE INDEX CONCURRENTLY customers_email_key ON customers (email);\n"
        "ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE USING INDEX customers_email_key;"
    )

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether an index is built."""
        if command.constraint.get("contype") != "CONSTR_UNIQUE":
            return
        if works := command.works(WorkKind.BUILD):
            yield self.risk(
                context,
                command.forecast,
                f"The index of {_constraint(command)} is built on {_tables(works)} while nobody can use it.",
                evidence=command.evidence(context),
                safe_sql=advice.using_index(command),
                relation=works[0].relation,
            )


class AddPrimaryKeyWithoutIndex(_Constraint):
    """ADD PRIMARY KEY that builds its index."""

    id = "add-primary-key-without-index"
    title = "PRIMARY KEY that builds its index"
    why = (
        "The index is built under ACCESS EXCLUSIVE, and where a column allows NULL the whole table is read for them "
        "as well. PRIMARY KEY has no NOT VALID form."
    )
    alternative = (
        "Make the columns NOT NULL through a validated CHECK, build the unique index CONCURRENTLY, then add the "
        "primary key USING INDEX, which is brief."
    )
    setup = (
        "CREATE TABLE visits (id bigint NOT NULL, page text);\n"
        "INSERT INTO visits SELECT i, 'p' || i FROM generate_series(1, 1000) i;"
    )
    bad = "ALTER TABLE visits ADD CONSTRAINT visits_pkey PRIMARY KEY (id);"
    good = (
        "CREATE UNIQUE INDEX CONCURRENTLY visits_pkey ON visits (id);\n"
        "ALTER TABLE visits ADD CONSTRAINT visits_pkey PRIMARY KEY USING INDEX visits_pkey;"
    )

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether an index is built."""
        if command.constraint.get("contype") != "CONSTR_PRIMARY" or "indexname" in command.constraint:
            return
        if works := command.works(WorkKind.BUILD):
            yield self.risk(
                context,
                command.forecast,
                f"The index of the primary key is built on {_tables(works)} while nobody can use it.",
                evidence=command.evidence(context),
                safe_sql=advice.using_index(command),
                relation=works[0].relation,
            )


class PrimaryKeyUsingNullableIndex(_Constraint):
    """PRIMARY KEY USING INDEX on a column that allows NULL."""

    id = "primary-key-using-nullable-index"
    title = "PRIMARY KEY USING INDEX on a nullable column"
    why = (
        "The index is there, but a primary key needs NOT NULL: where the column allows NULL, PostgreSQL reads the "
        "whole table under ACCESS EXCLUSIVE to look for one."
    )
    alternative = "Make the columns NOT NULL through a validated CHECK first; then USING INDEX is brief."
    setup = (
        "CREATE TABLE visits (id bigint, page text);\n"
        "INSERT INTO visits SELECT i, 'p' || i FROM generate_series(1, 1000) i;\n"
        "CREATE UNIQUE INDEX visits_id ON visits (id);"
    )
    bad = "ALTER TABLE visits ADD CONSTRAINT visits_pkey PRIMARY KEY USING INDEX visits_id;"
    good = (
        "ALTER TABLE visits ADD CONSTRAINT id_there CHECK (id IS NOT NULL) NOT VALID;\n"
        "ALTER TABLE visits VALIDATE CONSTRAINT id_there;\n"
        "ALTER TABLE visits ALTER COLUMN id SET NOT NULL;\n"
        "ALTER TABLE visits ADD CONSTRAINT visits_pkey PRIMARY KEY USING INDEX visits_id;"
    )

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether NULLs have to be looked for."""
        if command.constraint.get("contype") != "CONSTR_PRIMARY" or "indexname" not in command.constraint:
            return
        if works := command.works(WorkKind.SCAN):
            index = quote_identifier(command.constraint["indexname"])
            yield self.risk(
                context,
                command.forecast,
                f"A column of {index} allows NULL: all of {_tables(works)} is read while nobody can use it.",
                evidence=command.evidence(context),
                safe_sql=advice.primary_key_not_null_first(command),
                relation=works[0].relation,
            )


class AddExclusionConstraint(_Constraint):
    """ADD EXCLUDE."""

    id = "add-exclusion-constraint"
    title = "Exclusion constraint"
    why = (
        "The index is built under ACCESS EXCLUSIVE: the table cannot be read or written meanwhile. EXCLUDE has neither "
        "a NOT VALID nor a USING INDEX form; the same holds for UNIQUE and PRIMARY KEY WITHOUT OVERLAPS."
    )
    alternative = (
        "There is no online form. Add it in a maintenance window; or while the table is small; or let a trigger watch "
        "over new rows until then."
    )
    setup = (
        "CREATE TABLE bookings (id int PRIMARY KEY, during int4range);\n"
        "INSERT INTO bookings SELECT i, int4range(i * 10, i * 10 + 5) FROM generate_series(1, 1000) i;"
    )
    bad = "ALTER TABLE bookings ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&);"
    good = "CREATE INDEX CONCURRENTLY bookings_during_ix ON bookings USING gist (during);"

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether an index is built."""
        if command.constraint.get("contype") != "CONSTR_EXCLUSION":
            return
        if works := command.works(WorkKind.BUILD):
            yield self.risk(
                context,
                command.forecast,
                f"The index of {_constraint(command)} is built on {_tables(works)} while nobody can use it.",
                evidence=command.evidence(context),
                relation=works[0].relation,
            )


def _constraint(command: Command) -> str:
    name = command.constraint.get("conname")
    return quote_identifier(name) if name else "The new constraint"


def _columns(command: Command, field: str) -> tuple[str, ...]:
    return tuple(one.get("String", {}).get("sval", "") for one in command.constraint.get(field, ()))


def _tables(works: Iterable[Work]) -> str:
    return listed(work.relation for work in works)


RULES = (
    SetNotNullScan(),
    AddCheckWithoutNotValid(),
    ValidateInSameTransaction(),
    AddForeignKeyWithoutNotValid(),
    DropForeignKeyLocksParent(),
    AddUniqueWithoutIndex(),
    AddPrimaryKeyWithoutIndex(),
    PrimaryKeyUsingNullableIndex(),
    AddExclusionConstraint(),
)
