"""Triggers that are switched off, and how logical replication finds rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rules.command import Command, CommandRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Simulation
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


class DisableTrigger(CommandRule):
    """DISABLE TRIGGER that stays off."""

    id = "disable-trigger"
    category = Category.INTEGRITY
    severity = Severity.MEDIUM
    title = "Trigger switched off"
    why = (
        "While it is off, what the trigger does is not done for anybody's rows; with ALL that includes foreign keys. "
        "Rows written meanwhile are not made up for when it is on again."
    )
    alternative = "Switch it on again in the same transaction; or SET LOCAL session_replication_role for one session."
    setup = (
        SHOP + "\nCREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "\nCREATE TRIGGER audit BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION noop();"
    )
    bad = "ALTER TABLE orders DISABLE TRIGGER audit;"
    good = "ALTER TABLE orders ENABLE TRIGGER audit;"
    subtypes = frozenset({"AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Triggers that are off at the end, and those that are off for a while."""
        if not command.forecast.before.existed_before(command.table):
            return
        what = quote_identifier(command.name) if command.name else "every trigger"
        again = _enabled_again(command, context)
        stays = f"{what} on {command.table} is off" + (" for a part of the migration." if again else " from now on.")
        yield self.risk(
            context,
            command.forecast,
            stays,
            evidence=command.evidence(context, ()),
            points=10 if again else 30,
        )


class ReplicaIdentityChange(CommandRule):
    """REPLICA IDENTITY."""

    id = "replica-identity-change"
    category = Category.INTEGRITY
    severity = Severity.LOW
    title = "Replica identity changed"
    why = (
        "Logical replication names rows by the replica identity. With NOTHING, updates and deletes of a published "
        "table fail; with FULL, all columns of every changed row go into the write-ahead log."
    )
    alternative = "DEFAULT with a primary key, or USING INDEX; tell the subscribers before it changes."
    setup = SHOP
    bad = "ALTER TABLE orders REPLICA IDENTITY NOTHING;"
    good = "CREATE TABLE scratch (id int PRIMARY KEY);\nALTER TABLE scratch REPLICA IDENTITY FULL;"
    subtypes = frozenset({"AT_ReplicaIdentity"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Tables that were there before."""
        if not command.forecast.before.existed_before(command.table):
            return
        kind = command.node.get("def", {}).get("ReplicaIdentityStmt", {}).get("identity_type")
        says = {"n": "updates and deletes fail if it is published", "f": "every change logs all columns"}.get(
            kind, "subscribers find rows in another way"
        )
        yield self.risk(
            context,
            command.forecast,
            f"{command.table} has another replica identity from now on: {says}.",
            evidence=command.evidence(context, ()),
            points=30 if kind == "n" else 10,
        )


def _enabled_again(command: Command, context: RuleContext) -> bool:
    enabled = context.of_migration(_enabled).get(command.table, ())
    return any(index > command.forecast.statement.index and name in ("", command.name) for index, name in enabled)


def _enabled(simulation: Simulation) -> Mapping[str, list[tuple[int, str]]]:
    """The triggers that are enabled, by table: the statement's index and the trigger's name, empty for all of them."""
    found: dict[str, list[tuple[int, str]]] = {}
    for one in simulation.forecasts:
        node = one.statement.node or {}
        for each in node.get("cmds", ()) if one.statement.node_kind == "AlterTableStmt" else ():
            command = each.get("AlterTableCmd", {})
            if str(command.get("subtype", "")).startswith("AT_Enable"):
                table = one.before.name_of(node["relation"])
                found.setdefault(table, []).append((one.statement.index, command.get("name", "")))
    return found


RULES = (
    DisableTrigger(),
    ReplicaIdentityChange(),
)
