"""Tables and materialized views that are written anew as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.advice import views as advice
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import RiskRule
from confiture_tui.core.risk.rules.command import Command, CommandRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import facts, listed, works

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


class VacuumFullOrCluster(RiskRule):
    """VACUUM FULL and CLUSTER."""

    id = "vacuum-full-or-cluster"
    category = Category.LOCKING
    severity = Severity.HIGH
    title = "VACUUM FULL or CLUSTER"
    why = (
        "The whole table and all its indexes are written anew under ACCESS EXCLUSIVE, and need as much free disk "
        "again until it is done."
    )
    alternative = (
        "Plain VACUUM makes the space usable again without blocking anybody. To give it back to the system, pg_repack "
        "or pg_squeeze work online; both are extensions. No plain SQL does (REPACK CONCURRENTLY comes with "
        "PostgreSQL 19)."
    )
    setup = SHOP
    bad = "VACUUM FULL orders;"
    good = "VACUUM orders;"
    nodes = frozenset({"VacuumStmt", "ClusterStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether a table is written anew."""
        rewritten = works(forecast, {WorkKind.REWRITE})
        if rewritten:
            yield self.risk(
                context,
                forecast,
                f"{listed(work.relation for work in rewritten)} and all indexes are written anew while nobody can use "
                "them.",
                evidence=facts(forecast, context, work=rewritten),
                relation=rewritten[0].relation,
            )


class RewriteByStorageChange(CommandRule):
    """SET LOGGED, UNLOGGED, TABLESPACE, ACCESS METHOD."""

    id = "rewrite-by-storage-change"
    category = Category.LOCKING
    severity = Severity.HIGH
    title = "Change of storage that rewrites the table"
    why = (
        "SET LOGGED, SET UNLOGGED, SET TABLESPACE and SET ACCESS METHOD write the table (and, but for SET TABLESPACE, "
        "its indexes) anew under ACCESS EXCLUSIVE. An UNLOGGED table is empty after a crash, and is on no replica."
    )
    alternative = (
        "There is no online form. Do it in a maintenance window, or copy the rows in batches into a new table, kept in "
        "step by a trigger, and swap the two by renaming."
    )
    setup = SHOP
    bad = "ALTER TABLE orders SET UNLOGGED;"
    good = "ALTER TABLE orders SET (fillfactor = 90);"
    subtypes = frozenset({"AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace", "AT_SetAccessMethod"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether the table is written anew."""
        if rewritten := command.works(WorkKind.REWRITE, WorkKind.REBUILD):
            lost = "; unlogged, it is empty after a crash" if command.subtype == "AT_SetUnLogged" else ""
            yield self.risk(
                context,
                command.forecast,
                f"{listed(work.relation for work in rewritten)} is written anew while nobody can use it{lost}.",
                evidence=command.evidence(context),
                relation=command.table,
            )


class RefreshMatviewNotConcurrent(RiskRule):
    """REFRESH MATERIALIZED VIEW that stops readers."""

    id = "refresh-matview-not-concurrent"
    category = Category.LOCKING
    severity = Severity.HIGH
    title = "REFRESH MATERIALIZED VIEW without CONCURRENTLY"
    why = "The view's query runs, and its result is written, under ACCESS EXCLUSIVE: its readers wait for all of it."
    alternative = (
        "REFRESH MATERIALIZED VIEW CONCURRENTLY: its readers go on. It needs a unique index of the view on plain "
        "columns, without WHERE, and a view that has been filled once."
    )
    setup = (
        SHOP + "\nCREATE MATERIALIZED VIEW sales AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY 1;"
        "\nCREATE UNIQUE INDEX sales_customer_uq ON sales (customer_id);"
    )
    bad = "REFRESH MATERIALIZED VIEW sales;"
    good = "REFRESH MATERIALIZED VIEW CONCURRENTLY sales;"
    nodes = frozenset({"RefreshMatViewStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether a view that was there before is written while its readers wait."""
        node = forecast.statement.node or {}
        view = forecast.before.name_of(node["relation"])
        written = tuple(work for work in works(forecast) if work.relation == view)
        if node.get("concurrent") or not written:
            return
        found = forecast.before.relation(node["relation"])
        if found is not None and not found.populated:
            return
        yield self.risk(
            context,
            forecast,
            f"Readers of {view} wait until its query has run and its result is written.",
            evidence=facts(forecast, context),
            safe_sql=advice.refresh_concurrently(forecast),
            relation=view,
        )


RULES = (VacuumFullOrCluster(), RewriteByStorageChange(), RefreshMatviewNotConcurrent())
