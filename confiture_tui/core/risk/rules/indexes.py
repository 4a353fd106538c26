"""Indexes: built, dropped and rebuilt with and without CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.advice import indexes as advice
from confiture_tui.core.risk.advice.tree import option, strings
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import MigrationRule, RiskRule
from confiture_tui.core.risk.rules.examples import EVENTS, SHOP
from confiture_tui.core.risk.rules.facts import blocking, facts, listed, size_fact, works
from confiture_tui.core.risk.scoring import CERTAIN_FAILURE, NOT_ASKED
from confiture_tui.core.sql.identifiers import quote_identifier
from confiture_tui.core.sql.transaction_block import refusal_in_transaction_block

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Simulation
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


class _Index(RiskRule):
    category = Category.LOCKING
    severity = Severity.HIGH
    setup = SHOP
    nodes = frozenset({"IndexStmt"})


class CreateIndexNotConcurrent(_Index):
    """CREATE INDEX that stops writers."""

    id = "create-index-not-concurrent"
    title = "CREATE INDEX without CONCURRENTLY"
    why = (
        "The index is built under SHARE: writers of the table wait until the transaction ends. On a partitioned table "
        "the indexes of all partitions are built under that lock."
    )
    alternative = (
        "CREATE INDEX CONCURRENTLY, outside a transaction. On a partitioned table: CREATE INDEX ON ONLY the parent, "
        "CONCURRENTLY on each partition, then ATTACH each."
    )
    bad = "CREATE INDEX orders_status_ix ON orders (status);"
    good = "CREATE INDEX CONCURRENTLY orders_status_ix ON orders (status);"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether an index is built while writers wait."""
        node = forecast.statement.node or {}
        built = works(forecast, {WorkKind.BUILD})
        if node.get("concurrent") or not built:
            return
        table = forecast.before.name_of(node["relation"])
        tables = dict.fromkeys(work.relation for work in built)
        yield self.risk(
            context,
            forecast,
            f"The index is built on {listed(tables)} while writers wait.",
            evidence=facts(forecast, context, work=built),
            safe_sql=advice.create_concurrently(forecast),
            relation=next(iter(tables), table),
        )


class DropIndexNotConcurrent(RiskRule):
    """DROP INDEX that stops everybody."""

    id = "drop-index-not-concurrent"
    category = Category.LOCKING
    severity = Severity.MEDIUM
    title = "DROP INDEX without CONCURRENTLY"
    why = (
        "DROP INDEX takes ACCESS EXCLUSIVE on the table. The work is brief, but while it waits for the lock everybody "
        "queues behind it."
    )
    alternative = "DROP INDEX CONCURRENTLY, outside a transaction: it waits for others without making anybody wait."
    setup = SHOP + "\nCREATE INDEX orders_status_ix ON orders (status);"
    bad = "DROP INDEX orders_status_ix;"
    good = "DROP INDEX CONCURRENTLY orders_status_ix;"
    nodes = frozenset({"DropStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether the index of a table that was there before is dropped."""
        node = forecast.statement.node or {}
        if node.get("removeType") != "OBJECT_INDEX" or node.get("concurrent"):
            return
        locks = blocking(forecast)
        names = [strings(one.get("List", {}).get("items", ())) for one in node.get("objects", ())]
        found = [forecast.before.find(".".join(map(quote_identifier, one))) for one in names]
        if locks or any(one.object is None and not one.missing for one in found):
            yield self.risk(
                context,
                forecast,
                f"Dropping the index locks {listed(lock.relation for lock in locks) or 'its table'} against readers "
                "and writers.",
                evidence=facts(forecast, context, work=()),
                safe_sql=advice.drop_concurrently(forecast),
                relation=locks[0].relation if locks else None,
            )


class ConcurrentlyInTransaction(RiskRule):
    """What cannot run in a transaction block, in one."""

    id = "concurrently-in-transaction"
    category = Category.INTEGRITY
    severity = Severity.CRITICAL
    title = "Statement that cannot run in a transaction"
    why = "PostgreSQL refuses it inside a transaction block (25001), so the migration fails there."
    alternative = (
        "Put it in a migration of its own that runs outside a transaction: by the runner's marker for it, or without "
        "BEGIN and COMMIT in the file."
    )
    setup = SHOP
    bad = "BEGIN;\nCREATE INDEX CONCURRENTLY orders_status_ix ON orders (status);\nCOMMIT;"
    good = "CREATE INDEX CONCURRENTLY orders_status_ix ON orders (status);"
    nodes = frozenset(
        {
            "AlterDatabaseStmt",
            "AlterSubscriptionStmt",
            "AlterSystemStmt",
            "AlterTableStmt",
            "ClusterStmt",
            "CreateSubscriptionStmt",
            "CreateTableSpaceStmt",
            "CreatedbStmt",
            "DiscardStmt",
            "DropStmt",
            "DropSubscriptionStmt",
            "DropTableSpaceStmt",
            "DropdbStmt",
            "IndexStmt",
            "ReindexStmt",
            "VacuumStmt",
        }
    )

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether it runs in a transaction and cannot."""
        if forecast.transaction is None or not _inside(forecast, context):
            return
        if refusal := refusal_in_transaction_block(forecast.statement):
            yield self.risk(
                context,
                forecast,
                f"{refusal.rstrip('.')}, and here it is in one: the migration fails with 25001.",
                evidence=(
                    f"Line {forecast.statement.line}: {forecast.statement.tag}.",
                    f"The file is wrapped in a transaction ({context.simulation.wrapping}).",
                ),
                points=CERTAIN_FAILURE,
            )


class ConcurrentlyOnPartitioned(_Index):
    """CREATE INDEX CONCURRENTLY on a partitioned table."""

    id = "concurrently-on-partitioned"
    category = Category.INTEGRITY
    severity = Severity.CRITICAL
    title = "CONCURRENTLY on a partitioned table"
    why = "PostgreSQL (up to 18) cannot build an index on a partitioned table CONCURRENTLY: it fails with 0A000."
    alternative = (
        "CREATE INDEX ON ONLY the parent, which is brief and leaves it invalid; CREATE INDEX CONCURRENTLY on each "
        "partition; ALTER INDEX … ATTACH PARTITION for each: with the last one the parent's index becomes valid."
    )
    setup = EVENTS
    bad = "CREATE INDEX CONCURRENTLY events_payload_ix ON events (payload);"
    good = "CREATE INDEX events_payload_ix ON ONLY events (payload);"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether the table is partitioned."""
        node = forecast.statement.node or {}
        if not node.get("concurrent"):
            return
        found = forecast.before.find(node["relation"])
        if found.relation is not None and found.relation.kind is RelationKind.PARTITIONED_TABLE:
            yield self.risk(
                context,
                forecast,
                f"{found.name} is partitioned: no index can be built on it CONCURRENTLY.",
                evidence=(*facts(forecast, context), "0A000: feature not supported."),
                safe_sql=advice.create_concurrently(forecast),
                points=CERTAIN_FAILURE,
            )
        elif found.object is None and not found.missing:
            yield self.risk(
                context,
                forecast,
                f"If {found.name} is partitioned, the statement fails with 0A000.",
                evidence=facts(forecast, context),
                points=0,
                severity=Severity.INFO,
            )


class ConcurrentlyMayLeaveInvalidIndex(RiskRule):
    """What a failed CONCURRENTLY leaves behind."""

    id = "concurrently-may-leave-invalid-index"
    category = Category.INTEGRITY
    severity = Severity.LOW
    title = "CONCURRENTLY may leave an invalid index"
    why = (
        "A CREATE or REINDEX … CONCURRENTLY that fails half-way (duplicates: 23505, lock_timeout: 55P03, a cancel) "
        "leaves an index that is kept up to date and never used. A second run must drop it first."
    )
    alternative = (
        "Look for duplicates first where the index is unique; look at pg_index.indisvalid afterwards; when it failed, "
        "DROP INDEX CONCURRENTLY what is left and run it again."
    )
    setup = SHOP
    bad = "CREATE UNIQUE INDEX CONCURRENTLY customers_email_uq ON customers (email);"
    good = "CREATE TABLE notes (id int, body text);\nCREATE UNIQUE INDEX notes_id_uq ON notes (id);"
    nodes = frozenset({"IndexStmt", "ReindexStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether an index is built CONCURRENTLY on a table that was there before."""
        node = forecast.statement.node or {}
        concurrent = node.get("concurrent") or option(node.get("params", ()), "concurrently")
        built = works(forecast, {WorkKind.BUILD, WorkKind.REBUILD})
        if not concurrent or not built:
            return
        duplicates = bool(node.get("unique")) and forecast.statement.node_kind == "IndexStmt"
        probes = [one for one in context.probes(forecast) if one.sqlstate == "23505"]
        asked = bool(probes) and all(one.found is False for one in probes)
        yield self.risk(
            context,
            forecast,
            f"If it fails half-way, an invalid index stays on {built[0].relation}.",
            evidence=(
                *facts(forecast, context, locks=()),
                *(f"Duplicates: {'none found' if one.found is False else one.why_not or 'found'}." for one in probes),
            ),
            safe_sql=advice.check_valid(forecast),
            points=0 if asked or not duplicates else min(NOT_ASKED, 20),
            severity=Severity.LOW if duplicates and not asked else Severity.INFO,
        )


class IfNotExistsHidesInvalidIndex(_Index):
    """IF NOT EXISTS looks at the name only."""

    id = "if-not-exists-hides-invalid-index"
    category = Category.INTEGRITY
    severity = Severity.MEDIUM
    title = "IF NOT EXISTS takes an invalid index for a good one"
    why = (
        "IF NOT EXISTS asks for the name only. After a CREATE INDEX CONCURRENTLY that failed, the second run finds the "
        "invalid index, does nothing and reports success; the index is never used, and a unique one guards nothing."
    )
    alternative = "Leave IF NOT EXISTS out, or drop an invalid index of that name CONCURRENTLY first."
    setup = (
        SHOP + "\nCREATE INDEX orders_status_ix ON orders (status);"
        "\nUPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_status_ix'::regclass;"
    )
    bad = "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_status_ix ON orders (status);"
    good = "DROP INDEX CONCURRENTLY orders_status_ix;\nCREATE INDEX CONCURRENTLY orders_status_ix ON orders (status);"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether an index of that name is there, invalid, or may be."""
        node = forecast.statement.node or {}
        if not node.get("if_not_exists"):
            return
        table = forecast.before.find(node["relation"])
        name = node.get("idxname", "")
        found = forecast.before.find(_index_name(table.key[0], name))
        invalid = isinstance(found.object, Index) and not found.object.valid and not found.object.is_partitioned
        possible = found.object is None and not found.missing and node.get("concurrent") and not table.missing
        if not invalid and not possible:
            return
        if possible and not forecast.before.existed_before(table.name):
            return
        says = "is there and invalid: nothing happens" if invalid else "is there and invalid, nothing happens"
        yield self.risk(
            context,
            forecast,
            f"{'' if invalid else 'If '}{found.name} {says}, and the statement succeeds.",
            evidence=(
                f"Line {forecast.statement.line}: {forecast.statement.tag} IF NOT EXISTS.",
                f"{found.name}: indisvalid is false." if invalid else "Without a catalog: the text alone was read.",
            ),
            safe_sql=advice.drop_invalid_first(forecast, known=invalid),
            points=NOT_ASKED if invalid else 0,
            severity=Severity.MEDIUM if invalid else Severity.INFO,
        )


class ReindexNotConcurrent(RiskRule):
    """REINDEX that stops writers."""

    id = "reindex-not-concurrent"
    category = Category.LOCKING
    severity = Severity.HIGH
    title = "REINDEX without CONCURRENTLY"
    why = (
        "Indexes are built anew under SHARE on the table, for which writers wait, and ACCESS EXCLUSIVE on each index, "
        "for which readers that would use it wait as well."
    )
    alternative = "REINDEX … CONCURRENTLY, outside a transaction."
    setup = SHOP
    bad = "REINDEX TABLE orders;"
    good = "REINDEX TABLE CONCURRENTLY orders;"
    nodes = frozenset({"ReindexStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether indexes are rebuilt while writers wait."""
        node = forecast.statement.node or {}
        if option(node.get("params", ()), "concurrently"):
            return
        rebuilt = works(forecast, {WorkKind.REBUILD})
        if rebuilt or blocking(forecast):
            names = listed(work.relation for work in rebuilt) or "the tables concerned"
            yield self.risk(
                context,
                forecast,
                f"Indexes of {names} are built anew while others wait.",
                evidence=facts(forecast, context, work=rebuilt),
                safe_sql=advice.reindex_concurrently(forecast),
                relation=rebuilt[0].relation if rebuilt else None,
            )


class InvalidIndexPresent(MigrationRule):
    """An index that the migration leaves invalid."""

    id = "invalid-index-present"
    category = Category.INTEGRITY
    severity = Severity.MEDIUM
    title = "Index that stays invalid"
    why = (
        "An invalid index costs every write and serves no query. The index of a partitioned table stays invalid until "
        "each partition has an index that is attached to it."
    )
    alternative = "Attach an index of every partition (ALTER INDEX … ATTACH PARTITION), or drop and build it anew."
    setup = EVENTS
    bad = "CREATE INDEX events_payload_ix ON ONLY events (payload);"
    good = (
        "CREATE INDEX events_payload_ix ON ONLY events (payload);\n"
        "CREATE INDEX CONCURRENTLY events_2025_payload_ix ON events_2025 (payload);\n"
        "ALTER INDEX events_payload_ix ATTACH PARTITION events_2025_payload_ix;"
    )

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Whether an index that a statement left invalid still is at the end."""
        for forecast in simulation.forecasts:
            for name in forecast.effects.invalid_indexes or ():
                index = simulation.after.find(name).object
                if isinstance(index, Index) and not index.valid:
                    yield self.risk(
                        context,
                        forecast,
                        f"{name} is still invalid when the migration has ended.",
                        evidence=(
                            f"Line {forecast.statement.line}: {forecast.statement.tag}.",
                            size_fact(context.size_of(index.relation)),
                        ),
                        points=20,
                    )


def _inside(forecast: Forecast, context: RuleContext) -> bool:
    """Whether its transaction is a block: with other statements, or the runner's or the file's own BEGIN."""
    fails = forecast.effects.fails
    return (fails is not None and fails.sqlstate == "25001") or str(context.simulation.wrapping) != "none"


def _index_name(schema: str, name: str) -> str:
    return f"{quote_identifier(schema)}.{quote_identifier(name)}"


RULES = (
    CreateIndexNotConcurrent(),
    DropIndexNotConcurrent(),
    ConcurrentlyInTransaction(),
    ConcurrentlyOnPartitioned(),
    ConcurrentlyMayLeaveInvalidIndex(),
    IfNotExistsHidesInvalidIndex(),
    ReindexNotConcurrent(),
    InvalidIndexPresent(),
)
