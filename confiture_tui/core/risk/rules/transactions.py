"""What shares a transaction, and what is worked on while locks are held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.advice import transactions as advice
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import MigrationRule, RiskRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import (
    HEAVY,
    blocking,
    facts,
    listed,
    works,
)

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Simulation
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


_LONG_WORK = HEAVY | {WorkKind.WRITE}


class StatementWhileHoldingLock(RiskRule):
    """Long work after a blocking lock, in one transaction."""

    id = "statement-while-holding-lock"
    category = Category.LOCKING
    severity = Severity.HIGH
    title = "Long work while an earlier lock is held"
    why = (
        "A lock is held until the transaction ends. Whoever waits for the lock of an earlier statement waits for all "
        "that comes after it as well. ALTER, backfill and SET NOT NULL in one transaction is the worst of it; rows "
        "changed first and a table altered after them deadlocks with the application."
    )
    alternative = (
        "Split the migration: what takes long and blocks nobody in transactions of its own, what takes a blocking lock "
        "last and alone."
    )
    setup = SHOP
    bad = "BEGIN;\nALTER TABLE orders ADD COLUMN region text;\nUPDATE orders SET region = 'north';\nCOMMIT;"
    good = "ALTER TABLE orders ADD COLUMN region text;\nUPDATE orders SET region = 'north';"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether there is long work while a blocking lock of an earlier statement is held."""
        work = works(forecast, _LONG_WORK)
        if not work or not forecast.held or _is_a_few_rows(forecast, context) or _only_validates(forecast):
            return
        held = forecast.held.blocking
        if not held:
            return
        yield self.risk(
            context,
            forecast,
            f"{forecast.statement.tag} takes its time while {held[0].mode.value} on "
            f"{listed((lock.relation for lock in held[:5]), more=len(held) - 5)} is held by an earlier statement.",
            evidence=facts(forecast, context, locks=held[:4], more_locks=len(held) - 4, work=work),
            safe_sql=_in_pieces(forecast, context),
            points=context.points(Category.LOCKING, _taker(forecast, held[0].relation, context), held[0].relation),
        )


class SeveralHotTablesInOneTransaction(MigrationRule):
    """ACCESS EXCLUSIVE on two tables at once."""

    id = "several-hot-tables-in-one-transaction"
    category = Category.LOCKING
    severity = Severity.MEDIUM
    title = "Several tables locked in one transaction"
    why = (
        "The first table stays locked while the second lock is waited for, and an application that uses both in the "
        "other order deadlocks with the migration."
    )
    alternative = "One table a transaction; where that cannot be, in the order in which the application uses them."
    setup = SHOP
    bad = "BEGIN;\nALTER TABLE orders ADD COLUMN region text;\nALTER TABLE customers ADD COLUMN region text;\nCOMMIT;"
    good = "ALTER TABLE orders ADD COLUMN region text;\nALTER TABLE customers ADD COLUMN region text;"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Transactions that hold ACCESS EXCLUSIVE on more than one table through several statements."""
        tables: dict[int, dict[str, Forecast]] = {}
        for forecast in simulation.forecasts:
            if forecast.transaction is None:
                continue
            for lock in forecast.locks:
                if lock.mode.blocks_reads:
                    tables.setdefault(forecast.transaction, {}).setdefault(lock.relation, forecast)
        for locked in tables.values():
            statements = {one.statement.index: one for one in locked.values()}
            if len(locked) > 1 and len(statements) > 1:
                last = max(statements)
                yield self.risk(
                    context,
                    statements[last],
                    f"One transaction holds ACCESS EXCLUSIVE on {listed(locked)} at the same time.",
                    evidence=tuple(
                        f"Line {one.statement.line}: ACCESS EXCLUSIVE on {name}." for name, one in locked.items()
                    )[:6],
                    points=context.points(Category.LOCKING, statements[last]),
                )


class SeveralAltersOfOneTable(MigrationRule):
    """The same work twice."""

    id = "several-alters-of-one-table"
    category = Category.LOCKING
    severity = Severity.MEDIUM
    title = "Several ALTER TABLE of one table that each read or rewrite it"
    why = "Each statement reads or rewrites the table by itself. In one ALTER TABLE they share a single pass."
    alternative = "One ALTER TABLE with the sub-commands separated by commas."
    setup = SHOP
    bad = (
        "ALTER TABLE orders ALTER COLUMN quantity TYPE bigint;\n"
        "ALTER TABLE orders ALTER COLUMN total TYPE numeric(12,4);"
    )
    good = "ALTER TABLE orders\n    ALTER COLUMN quantity TYPE bigint,\n    ALTER COLUMN total TYPE numeric(12,4);"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Tables that more than one ALTER TABLE reads or rewrites while others wait."""
        passes: dict[str, list[Forecast]] = {}
        for forecast in simulation.forecasts:
            if forecast.statement.node_kind != "AlterTableStmt":
                continue
            table = forecast.before.name_of((forecast.statement.node or {})["relation"])
            locked = {lock.relation for lock in blocking(forecast)}
            kinds = {WorkKind.REWRITE, WorkKind.SCAN}
            if any(work.relation == table and table in locked for work in works(forecast, kinds)):
                passes.setdefault(table, []).append(forecast)
        for table, forecasts in passes.items():
            if len(forecasts) > 1:
                lines = listed(str(one.statement.line) for one in forecasts)
                yield self.risk(
                    context,
                    forecasts[1],
                    f"{table} is read or rewritten {len(forecasts)} times while others wait; one ALTER TABLE would do "
                    "it once.",
                    evidence=(f"ALTER TABLE on lines {lines}.",),
                    points=context.points(Category.LOCKING, forecasts[1]),
                )


def _in_pieces(forecast: Forecast, context: RuleContext) -> str | None:
    number = forecast.transaction
    return None if number is None else context.of_migration(advice.split_transactions).get(number)


def _only_validates(forecast: Forecast) -> bool:
    """VALIDATE CONSTRAINT has a rule of its own for this."""
    commands = (forecast.statement.node or {}).get("cmds", ())
    return bool(commands) and all(
        one.get("AlterTableCmd", {}).get("subtype") == "AT_ValidateConstraint" for one in commands
    )


def _is_a_few_rows(forecast: Forecast, context: RuleContext) -> bool:
    """Rows written, and so few that it is no work to speak of."""
    return all(work.kind is WorkKind.WRITE for work in forecast.works) and context.rows_changed(forecast) < 1000


def _taker(forecast: Forecast, relation: str, context: RuleContext) -> Forecast | None:
    """The statement of the same transaction that took the blocking lock first: exposure counts from it on."""
    return context.of_migration(_takers).get((forecast.transaction, relation), forecast)


def _takers(simulation: Simulation) -> Mapping[tuple[int | None, str], Forecast]:
    """The first statement with a blocking lock, by transaction and relation."""
    found: dict[tuple[int | None, str], Forecast] = {}
    for forecast in simulation.forecasts:
        for lock in blocking(forecast):
            found.setdefault((forecast.transaction, lock.relation), forecast)
    return found


RULES = (
    StatementWhileHoldingLock(),
    SeveralHotTablesInOneTransaction(),
    SeveralAltersOfOneTable(),
)
