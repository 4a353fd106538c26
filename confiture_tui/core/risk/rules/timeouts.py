"""Blocking locks, and the time-outs that bound the wait for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice import transactions as advice
from confiture_tui.core.risk.advice.tree import option
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import MigrationRule, RiskRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import (
    HEAVY,
    blocking,
    count,
    facts,
    listed,
    lock_fact,
    milliseconds,
    strongest,
    works,
)
from confiture_tui.core.risk.scoring import BRIEF_LOCK_WITHOUT_TIMEOUT

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Lock, Simulation
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


_ENOUGH_FOR_CONCURRENTLY_MS = 60_000.0
_ONCE_BOUNDED = "Try again when the lock_timeout strikes; put nothing that takes long after it in the same transaction."


class BriefAccessExclusive(RiskRule):
    """A blocking lock for a change of the catalog alone."""

    id = "brief-access-exclusive"
    category = Category.LOCKING
    severity = Severity.MEDIUM
    title = "Brief blocking lock"
    why = (
        "Only the catalog changes, in milliseconds. But the lock has to be waited for, and whoever comes later queues "
        "behind the wait: one long query in front of it stops the application until it has ended. From then on the "
        "lock is held until the transaction ends."
    )
    alternative = (
        "Set a short lock_timeout and try again when it strikes; put nothing that takes long after it in the same "
        "transaction."
    )
    setup = SHOP
    bad = "ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'open';"
    good = "ALTER TABLE orders ALTER COLUMN status SET STATISTICS 500;"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether a blocking lock is taken, and no table is worked on meanwhile."""
        if forecast.statement.node_kind in _DATA_STATEMENTS:
            return
        locks = strongest(blocking(forecast))
        if not locks or any(work.kind in HEAVY for work in forecast.works):
            return
        new = [lock for lock in locks if _is_stronger(lock, forecast.held.strongest(lock.relation))]
        if not new:
            return
        waiting = "readers and writers" if any(lock.mode.blocks_reads for lock in new) else "writers"
        timeout = context.lock_timeout_ms(forecast)
        bound = (
            f"lock_timeout is {milliseconds(timeout)}." if timeout else "Neither file nor runner sets a lock_timeout."
        )
        open_now = [one for lock in new for one in context.open_transactions(lock.relation)]
        yield self.risk(
            context,
            forecast,
            f"{forecast.statement.tag} takes {new[0].mode.value} on {listed(lock.relation for lock in new)}: brief, "
            f"but {waiting} queue behind it while it waits.",
            evidence=(
                *facts(forecast, context, locks=new),
                bound,
                *(
                    f"A transaction open for {one.age_seconds:.0f} s holds {one.mode.value} on {one.relation}."
                    for one in sorted(open_now, key=lambda one: -one.age_seconds)[:2]
                ),
            ),
            recommendation=_ONCE_BOUNDED if timeout else None,
            safe_sql=None if timeout else advice.with_timeouts(forecast),
            relation=new[0].relation,
        )


class MissingLockTimeout(MigrationRule):
    """Nothing bounds the wait for a blocking lock."""

    id = "missing-lock-timeout"
    category = Category.LOCKING
    severity = Severity.MEDIUM
    title = "Blocking lock without lock_timeout"
    why = (
        "While a statement waits for a blocking lock, everybody who comes later queues behind it. Without lock_timeout "
        "that lasts as long as the longest transaction in front: measured, a change of 1 ms behind a query of 3 s cost "
        "the application 32 s; a lock_timeout of 200 ms made that 1 s."
    )
    alternative = "SET LOCAL lock_timeout to a second or two at most, and try again when it strikes."
    setup = SHOP
    bad = "ALTER TABLE orders ADD COLUMN region text;"
    good = "SET lock_timeout = '1s';\nALTER TABLE orders ADD COLUMN region text;"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Statements that wait for a blocking lock without bounds; one finding for all of them."""
        bare = [
            one
            for one in simulation.forecasts
            if context.lock_timeout_ms(one) is None
            and one.statement.node_kind not in _DATA_STATEMENTS
            and any(lock.mode.blocks_writes for lock in one.locks)
        ]
        if not bare:
            return
        first = bare[0]
        locked = strongest(lock for one in bare for lock in blocking(one))
        more = f" and {count(len(bare) - 1, 'more statement')}" if len(bare) > 1 else ""
        yield self.risk(
            context,
            first,
            f"Nothing bounds the wait of {first.statement.tag} on line {first.statement.line}{more} for a blocking "
            "lock.",
            evidence=(
                *(lock_fact(lock) for lock in locked[:4]),
                f"Neither the file nor the runner {context.profile.name} sets lock_timeout.",
            ),
            safe_sql=advice.with_timeouts(first),
            points=min(max(context.points(Category.LOCKING, first), 1), BRIEF_LOCK_WITHOUT_TIMEOUT),
        )


class LockTimeoutTooShortForConcurrently(RiskRule):
    """CONCURRENTLY cut off while it waits for others."""

    id = "lock-timeout-too-short-for-concurrently"
    category = Category.INTEGRITY
    severity = Severity.MEDIUM
    title = "Short lock_timeout for CONCURRENTLY"
    why = (
        "CREATE INDEX CONCURRENTLY and its like wait for every transaction that is open, and nobody waits for them "
        "meanwhile. A short lock_timeout cuts that off with 55P03 and leaves an invalid index, or a partition half "
        "detached."
    )
    alternative = "SET lock_timeout = 0, or minutes, for these statements alone."
    setup = SHOP
    bad = "SET lock_timeout = '2s';\nCREATE INDEX CONCURRENTLY orders_status_ix ON orders (status);"
    good = "SET lock_timeout = 0;\nCREATE INDEX CONCURRENTLY orders_status_ix ON orders (status);"
    nodes = frozenset({"IndexStmt", "ReindexStmt", "DropStmt", "AlterTableStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether it is one of them, under a lock_timeout of less than a minute."""
        timeout = context.lock_timeout_ms(forecast)
        if not timeout or timeout >= _ENOUGH_FOR_CONCURRENTLY_MS or not _concurrent(forecast):
            return
        if not forecast.locks:
            return
        yield self.risk(
            context,
            forecast,
            f"{forecast.statement.tag} … CONCURRENTLY is cut off when a transaction stays open for longer than "
            f"{milliseconds(timeout)}.",
            evidence=(
                f"Line {forecast.statement.line}: lock_timeout is {milliseconds(timeout)}.",
                *(
                    f"A transaction on {one.relation} has been open for {one.age_seconds:.0f} s."
                    for one in context.open_transactions(forecast.locks[0].relation)[:2]
                ),
            ),
            safe_sql=advice.without_timeouts(forecast),
            points=20,
        )


class MissingStatementTimeout(MigrationRule):
    """Nothing bounds the work under a blocking lock."""

    id = "missing-statement-timeout"
    category = Category.LOCKING
    severity = Severity.INFO
    title = "Work under a blocking lock without statement_timeout"
    why = (
        "A statement that takes longer than anybody thought holds its locks for all that time. A statement_timeout "
        "ends it, and with it the wait of everybody else."
    )
    alternative = "SET LOCAL statement_timeout to what the application can bear."
    setup = SHOP
    bad = "ALTER TABLE orders ALTER COLUMN quantity TYPE bigint;"
    good = "SET statement_timeout = '30s';\nALTER TABLE orders ALTER COLUMN quantity TYPE bigint;"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """The first statement that works under a blocking lock without bounds."""
        for forecast in simulation.forecasts:
            locks = blocking(forecast)
            if locks and works(forecast) and context.statement_timeout_ms(forecast) is None:
                yield self.risk(
                    context,
                    forecast,
                    f"Nothing bounds how long {forecast.statement.tag} on line {forecast.statement.line} may hold "
                    f"{locks[0].mode.value} on {locks[0].relation}.",
                    evidence=(f"Neither the file nor the runner {context.profile.name} sets statement_timeout.",),
                    points=0,
                    severity=Severity.INFO,
                )
                return


_DATA_STATEMENTS = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "SelectStmt", "CopyStmt"})


def _is_stronger(lock: Lock, held: Lock | None) -> bool:
    return held is None or held.mode.strength < lock.mode.strength


def _concurrent(forecast: Forecast) -> bool:
    node = forecast.statement.node or {}
    return bool(
        node.get("concurrent")
        or option(node.get("params", ()), "concurrently")
        or any(
            one.get("AlterTableCmd", {}).get("def", {}).get("PartitionCmd", {}).get("concurrent")
            for one in node.get("cmds", ())
        )
    )


RULES = (
    BriefAccessExclusive(),
    MissingLockTimeout(),
    LockTimeoutTooShortForConcurrently(),
    MissingStatementTimeout(),
)
