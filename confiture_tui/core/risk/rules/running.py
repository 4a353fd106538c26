"""What becomes of a file when it is run: by whom, how often, and whether it can be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import MigrationRule, RiskRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import (
    listed,
)
from confiture_tui.core.risk.scoring import MAY_BREAK

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Simulation
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


class TransactionControlInMigration(MigrationRule):
    """COMMIT or ROLLBACK in the middle of a file."""

    id = "transaction-control-in-migration"
    category = Category.INTEGRITY
    severity = Severity.HIGH
    title = "Transaction control in the middle of a migration"
    why = (
        "A COMMIT ends the transaction that the runner opened: what came before stays when a later statement fails, "
        "and the runner's own record may be written outside any transaction."
    )
    alternative = "Leave it out, and split the migration in two; or use the runner's own marker for no transaction."
    setup = SHOP
    bad = "ALTER TABLE orders ADD COLUMN region text;\nCOMMIT;\nALTER TABLE orders ADD COLUMN city text;"
    good = "BEGIN;\nALTER TABLE orders ADD COLUMN region text;\nCOMMIT;"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Every statement of the kind that is not the file's own wrapper."""
        wrapped = str(simulation.wrapping) == "transaction"
        control = {one.index for one in simulation.migration.up.transaction_control}
        found = [one for one in simulation.forecasts if one.statement.index in control]
        ends = [one for one in found if (one.statement.node or {}).get("kind") not in _SAVEPOINTS]
        if not ends:
            return
        yield self.risk(
            context,
            ends[0],
            f"{ends[0].statement.tag} on line {ends[0].statement.line} "
            + ("ends the runner's transaction." if wrapped else "makes transactions of its own inside the file."),
            evidence=tuple(f"Line {one.statement.line}: {one.statement.tag}." for one in ends[:5]),
            points=40 if wrapped else MAY_BREAK // 2,
        )


class NotRerunnable(MigrationRule):
    """A file that cannot be run again after it failed half-way."""

    id = "not-rerunnable"
    category = Category.INTEGRITY
    severity = Severity.LOW
    title = "Migration that cannot be run again"
    why = (
        "Without a transaction around it, a failure half-way leaves the first statements done. The second run then "
        "fails at them, because what they make is there already."
    )
    alternative = (
        "Put the file in a transaction; or split it, so that each part is one statement; or use IF [NOT] EXISTS, but "
        "not with CONCURRENTLY, where it hides an invalid index."
    )
    setup = SHOP
    bad = "CREATE TABLE regions (id int PRIMARY KEY);\nCREATE INDEX CONCURRENTLY orders_status_ix ON orders (status);"
    good = "CREATE INDEX CONCURRENTLY orders_status_ix ON orders (status);"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Whether statements before the last one fail when they are run twice."""
        if str(simulation.wrapping) != "none" or len(simulation.forecasts) < 2:
            return
        once = [one for one in simulation.forecasts[:-1] if _only_once(one)]
        if once:
            lines = f"line{'s' if len(once) > 1 else ''} {listed(str(one.statement.line) for one in once)}"
            fails = "statements" if len(once) > 1 else "statement"
            yield self.risk(
                context,
                once[0],
                f"Nothing wraps the file in a transaction: after a failure further down, the {fails} on {lines} would "
                "fail when it is run again.",
                evidence=tuple(f"Line {one.statement.line}: {one.statement.tag}." for one in once[:4]),
                points=5,
                severity=Severity.LOW,
            )


class OpaqueStatement(RiskRule):
    """Code that cannot be read."""

    id = "opaque-statement"
    category = Category.INTEGRITY
    severity = Severity.MEDIUM
    title = "Statement whose effects cannot be read"
    why = (
        "What DO, CALL, a function or dynamic SQL does cannot be told from the text alone: locks, rewrites and lost "
        "data may be missing from this assessment."
    )
    alternative = "A dry run on a shadow shows what it does. Where it can be, write it as plain statements."
    setup = SHOP
    bad = (
        "DO $$ BEGIN\n"
        "    EXECUTE (SELECT 'ALTER TABLE ' || relname || ' ADD COLUMN region text'\n"
        "             FROM pg_class WHERE relname = 'orders');\n"
        "END $$;"
    )
    good = "ALTER TABLE orders ADD COLUMN region text;"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether the statement runs what could not be read."""
        if not forecast.effects.opaque:
            return
        yield self.risk(
            context,
            forecast,
            f"What {forecast.statement.tag} on line {forecast.statement.line} does could not be read completely.",
            evidence=tuple(f"{note.rstrip('.')}." for note in forecast.notes[:4]),
            points=30,
            severity=Severity.MEDIUM,
        )


_SAVEPOINTS = frozenset({"TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO"})


_MAKING = frozenset(
    {
        "CreateStmt",
        "CreateTableAsStmt",
        "ViewStmt",
        "CreateSeqStmt",
        "CreateEnumStmt",
        "CompositeTypeStmt",
        "CreateDomainStmt",
        "CreateRangeStmt",
        "CreateTrigStmt",
        "CreateSchemaStmt",
        "CreateExtensionStmt",
        "CreatePolicyStmt",
        "IndexStmt",
        "AlterTableStmt",
        "RenameStmt",
        "DropStmt",
        "AlterEnumStmt",
        "CreateFunctionStmt",
        "InsertStmt",
    }
)


_RUNS_TWICE = frozenset(
    {
        "AT_ColumnDefault",
        "AT_DropNotNull",
        "AT_SetNotNull",
        "AT_SetStatistics",
        "AT_SetStorage",
        "AT_SetRelOptions",
        "AT_ResetRelOptions",
        "AT_ChangeOwner",
        "AT_ValidateConstraint",
        "AT_AlterColumnType",
        "AT_EnableRowSecurity",
        "AT_DisableRowSecurity",
        "AT_ForceRowSecurity",
        "AT_NoForceRowSecurity",
        "AT_ReplicaIdentity",
        "AT_SetLogged",
        "AT_SetUnLogged",
        "AT_EnableTrig",
        "AT_DisableTrig",
    }
)


def _only_once(forecast: Forecast) -> bool:
    """Whether the statement fails, or does its work twice, when it is run a second time."""
    node = forecast.statement.node or {}
    kind = forecast.statement.node_kind
    if kind not in _MAKING or node.get("if_not_exists") or node.get("missing_ok") or node.get("replace"):
        return False
    if kind == "AlterEnumStmt":
        return not node.get("skipIfNewValExists")
    if kind == "InsertStmt":
        return "onConflictClause" not in node
    if kind != "AlterTableStmt":
        return True
    return any(
        one.get("AlterTableCmd", {}).get("subtype") not in _RUNS_TWICE
        and not one.get("AlterTableCmd", {}).get("missing_ok")
        for one in node.get("cmds", ())
    )


RULES = (
    TransactionControlInMigration(),
    NotRerunnable(),
    OpaqueStatement(),
)
