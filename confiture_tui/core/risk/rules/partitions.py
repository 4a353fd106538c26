"""Partitions: attached, created, detached."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.advice import partitions as advice
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import RiskRule
from confiture_tui.core.risk.rules.command import Command, CommandRule
from confiture_tui.core.risk.rules.examples import EVENTS
from confiture_tui.core.risk.rules.facts import facts
from confiture_tui.core.risk.rules.reach import default_partitions

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext

_FILLED_2026 = (
    "\nCREATE TABLE events_2026 (id bigint NOT NULL, day date NOT NULL, payload text);"
    "\nINSERT INTO events_2026 SELECT i, date '2026-01-01' + i % 300, 'q' || i FROM generate_series(1, 1000) i;"
)
_DEFAULT = (
    "\nCREATE TABLE events_rest PARTITION OF events DEFAULT;"
    "\nINSERT INTO events SELECT i, date '2030-01-01', 'r' || i FROM generate_series(1, 1000) i;"
)


class _Partition(CommandRule):
    category = Category.LOCKING
    severity = Severity.HIGH
    subtypes = frozenset({"AT_AttachPartition"})


class AttachPartitionScan(_Partition):
    """ATTACH PARTITION that reads the new partition."""

    id = "attach-partition-scan"
    title = "ATTACH PARTITION that reads the table"
    why = (
        "Unless a valid CHECK constraint proves that all rows belong there, the table to be attached is read from end "
        "to end under ACCESS EXCLUSIVE on it, while SHARE UPDATE EXCLUSIVE is held on the parent."
    )
    alternative = (
        "Add a CHECK that says what the partition's bounds say, as NOT VALID; VALIDATE it in another transaction; "
        "ATTACH, which is brief then; drop the CHECK."
    )
    setup = EVENTS + _FILLED_2026
    bad = "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    good = (
        "ALTER TABLE events_2026 ADD CONSTRAINT bounds\n"
        "    CHECK (day IS NOT NULL AND day >= '2026-01-01' AND day < '2027-01-01') NOT VALID;\n"
        "ALTER TABLE events_2026 VALIDATE CONSTRAINT bounds;\n"
        "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    )

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether the new partition is read."""
        default = default_partitions(command.forecast, command.table)
        scans = tuple(work for work in command.works(WorkKind.SCAN) if work.relation not in default)
        if scans:
            yield self.risk(
                context,
                command.forecast,
                f"All of {scans[0].relation} is read to see that its rows belong to {command.table}, while nobody can "
                "use it.",
                evidence=command.evidence(context, scans),
                safe_sql=advice.attach_with_check(command),
                relation=scans[0].relation,
            )


class AttachPartitionScansDefault(_Partition):
    """A new partition makes the DEFAULT partition be read."""

    id = "attach-partition-scans-default"
    title = "New partition that reads the DEFAULT partition"
    why = (
        "Rows of the new partition may be in the DEFAULT partition, so that is read from end to end under ACCESS "
        "EXCLUSIVE, unless a valid CHECK on it proves that there are none. The lock is taken in any case."
    )
    alternative = (
        "Add a CHECK to the DEFAULT partition that rules the new bounds out, as NOT VALID; VALIDATE it in another "
        "transaction; ATTACH; drop the CHECK. Rows that are in the way must be moved first."
    )
    setup = EVENTS + _DEFAULT + _FILLED_2026
    bad = "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    good = (
        "ALTER TABLE events_rest ADD CONSTRAINT elsewhere\n"
        "    CHECK (NOT (day IS NOT NULL AND day >= '2026-01-01' AND day < '2027-01-01')) NOT VALID;\n"
        "ALTER TABLE events_rest VALIDATE CONSTRAINT elsewhere;\n"
        "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    )
    nodes = frozenset({"AlterTableStmt", "CreateStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Sub-commands of ALTER TABLE, and CREATE TABLE … PARTITION OF."""
        if forecast.statement.node_kind == "AlterTableStmt":
            yield from super().check(forecast, context)
            return
        node = forecast.statement.node or {}
        if not node.get("partbound"):
            return
        for scan in forecast.works:
            if scan.kind is WorkKind.SCAN:
                yield self.risk(
                    context,
                    forecast,
                    f"All of {scan.relation}, the DEFAULT partition, is read while nobody can use it.",
                    evidence=facts(forecast, context),
                    safe_sql=advice.create_then_attach(forecast),
                    relation=scan.relation,
                )

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether the DEFAULT partition is read."""
        default = default_partitions(command.forecast, command.table)
        scans = tuple(work for work in command.works(WorkKind.SCAN) if work.relation in default)
        if scans:
            yield self.risk(
                context,
                command.forecast,
                f"All of {scans[0].relation}, the DEFAULT partition, is read while nobody can use it.",
                evidence=command.evidence(context, scans),
                safe_sql=advice.attach_with_check(command),
                relation=scans[0].relation,
            )
        elif command.forecast.before.find(command.table).object is None:
            yield self.risk(
                context,
                command.forecast,
                f"If {command.table} has a DEFAULT partition, all of it is read while nobody can use it.",
                evidence=command.evidence(context, ()),
                relation=command.table,
            )


class CreatePartitionLocksParent(RiskRule):
    """CREATE TABLE … PARTITION OF."""

    id = "create-partition-locks-parent"
    category = Category.LOCKING
    severity = Severity.MEDIUM
    title = "CREATE TABLE … PARTITION OF locks the parent"
    why = (
        "A partition that is created in its place takes ACCESS EXCLUSIVE on the parent: brief, but everybody queues "
        "behind the wait for it."
    )
    alternative = (
        "CREATE TABLE … (LIKE parent INCLUDING ALL), then ATTACH PARTITION: that takes SHARE UPDATE EXCLUSIVE on the "
        "parent, for which neither readers nor writers wait."
    )
    setup = EVENTS
    bad = "CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    good = (
        "CREATE TABLE events_2026 (LIKE events INCLUDING ALL);\n"
        "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    )
    nodes = frozenset({"CreateStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether a parent that was there before is locked."""
        node = forecast.statement.node or {}
        if not node.get("partbound"):
            return
        parent = forecast.before.name_of(node["inhRelations"][0]["RangeVar"])
        locks = [lock for lock in forecast.locks if lock.relation == parent and lock.mode.blocks_reads]
        if locks:
            yield self.risk(
                context,
                forecast,
                f"Creating the partition in its place takes ACCESS EXCLUSIVE on {parent}.",
                evidence=facts(forecast, context),
                safe_sql=advice.create_then_attach(forecast),
                relation=parent,
            )


class DetachPartitionNotConcurrent(_Partition):
    """DETACH PARTITION that stops everybody."""

    id = "detach-partition-not-concurrent"
    severity = Severity.MEDIUM
    title = "DETACH PARTITION without CONCURRENTLY"
    why = (
        "DETACH PARTITION takes ACCESS EXCLUSIVE on the parent and on the partition: brief, but everybody queues "
        "behind the wait for it."
    )
    alternative = (
        "DETACH PARTITION … CONCURRENTLY, outside a transaction: SHARE UPDATE EXCLUSIVE on the parent. Not possible "
        "where the parent has a DEFAULT partition; a run that was cut off is completed by DETACH PARTITION … FINALIZE. "
        "It leaves a CHECK with the old bounds on the table."
    )
    setup = EVENTS
    bad = "ALTER TABLE events DETACH PARTITION events_2025;"
    good = "ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY;"
    subtypes = frozenset({"AT_DetachPartition"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Whether the parent is locked against readers."""
        concurrent = command.node.get("def", {}).get("PartitionCmd", {}).get("concurrent")
        if not concurrent and any(lock.mode.blocks_reads for lock in command.locks):
            yield self.risk(
                context,
                command.forecast,
                f"Detaching the partition takes ACCESS EXCLUSIVE on {command.table}.",
                evidence=command.evidence(context),
                safe_sql=advice.detach_concurrently(command),
                relation=command.table,
            )


RULES = (
    AttachPartitionScan(),
    AttachPartitionScansDefault(),
    CreatePartitionLocksParent(),
    DetachPartitionNotConcurrent(),
)
