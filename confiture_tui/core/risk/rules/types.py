"""Domains, composite types and enums that tables use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.risk.advice import domains as advice
from confiture_tui.core.risk.advice.tree import nodes_of, strings
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import MigrationRule, RiskRule
from confiture_tui.core.risk.rules.facts import facts, listed, works
from confiture_tui.core.risk.scoring import CERTAIN_FAILURE, MAY_BREAK
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Simulation
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext

_MOOD = (
    "CREATE TYPE mood AS ENUM ('sad', 'ok');\n"
    "CREATE TABLE people (id int PRIMARY KEY, mood mood);\n"
    "INSERT INTO people SELECT i, 'ok' FROM generate_series(1, 1000) i;"
)


class DomainConstraintScan(RiskRule):
    """A domain's new constraint is checked in every table."""

    id = "domain-constraint-scan"
    category = Category.LOCKING
    severity = Severity.HIGH
    title = "Domain constraint that reads every table"
    why = (
        "Every table with a column of the domain is read from end to end under SHARE: their writers wait. VALIDATE "
        "CONSTRAINT of a domain takes SHARE as well, so NOT VALID only puts the wait off."
    )
    alternative = (
        "Add the constraint as NOT VALID: it holds for new values at once, and takes no lock on any table. VALIDATE "
        "reads all tables under SHARE: leave it for a quiet hour, or leave it out."
    )
    setup = (
        "CREATE DOMAIN amount AS int;\n"
        "CREATE TABLE payments (id int PRIMARY KEY, paid amount);\n"
        "INSERT INTO payments SELECT i, i FROM generate_series(1, 1000) i;"
    )
    bad = "ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE > 0);"
    good = "ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;"
    nodes = frozenset({"AlterDomainStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether tables are read, or nobody knows which."""
        node = forecast.statement.node or {}
        scans = works(forecast, {WorkKind.SCAN})
        adds = node.get("subtype") in ("C", "O", "V") and not node.get("def", {}).get("Constraint", {}).get(
            "skip_validation"
        )
        domain = ".".join(quote_identifier(one) for one in strings(node.get("typeName", ())))
        name = strings(node.get("typeName", ()))
        if scans:
            tables = listed(work.relation for work in scans)
            yield self.risk(
                context,
                forecast,
                f"{tables} {'is' if len(scans) == 1 else 'are'} read from end to end while writers wait.",
                evidence=facts(forecast, context, work=scans),
                safe_sql=advice.domain_not_valid(forecast),
                relation=scans[0].relation,
            )
        elif adds and not forecast.before.known and forecast.before.type(name) is None:
            yield self.risk(
                context,
                forecast,
                f"Every table that uses {domain} is read from end to end while writers wait.",
                evidence=facts(forecast, context),
                safe_sql=advice.domain_not_valid(forecast),
            )


class AlterTypeHitsTables(RiskRule):
    """ALTER TYPE … CASCADE of a composite type."""

    id = "alter-type-hits-tables"
    category = Category.LOCKING
    severity = Severity.MEDIUM
    title = "ALTER TYPE that alters tables"
    why = (
        "Tables made OF a composite type change with it: they are locked with ACCESS EXCLUSIVE and get, lose or change "
        "the column, although the statement names none of them."
    )
    alternative = "Know the tables, and treat the statement as an ALTER TABLE of each: with a lock_timeout, by itself."
    setup = (
        "CREATE TYPE point_of_sale AS (id int, name text);\n"
        "CREATE TABLE shops OF point_of_sale;\n"
        "INSERT INTO shops SELECT i, 's' || i FROM generate_series(1, 1000) i;"
    )
    bad = "ALTER TYPE point_of_sale ADD ATTRIBUTE city text CASCADE;"
    good = "CREATE TYPE place AS (id int, name text);\nALTER TYPE place ADD ATTRIBUTE city text CASCADE;"
    nodes = frozenset({"AlterTableStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether tables are altered with the type."""
        node = forecast.statement.node or {}
        if node.get("objtype") != "OBJECT_TYPE":
            return
        locks = [lock for lock in forecast.locks if lock.mode.blocks_writes]
        cascades = any(one.get("AlterTableCmd", {}).get("behavior") == "DROP_CASCADE" for one in node.get("cmds", ()))
        name = forecast.before.name_of(node["relation"])
        if locks:
            yield self.risk(
                context,
                forecast,
                f"ALTER TYPE {name} also alters {listed(lock.relation for lock in locks)}.",
                evidence=facts(forecast, context),
                relation=locks[0].relation,
            )
        elif cascades and forecast.before.find(node["relation"]).object is None:
            yield self.risk(
                context,
                forecast,
                f"ALTER TYPE {name} … CASCADE also alters every table made OF it.",
                evidence=facts(forecast, context),
            )


class AddEnumValue(RiskRule):
    """ALTER TYPE … ADD VALUE."""

    id = "add-enum-value"
    category = Category.COMPATIBILITY
    severity = Severity.LOW
    title = "New value of an enum"
    why = (
        "No lock and no work, but code that reads the column meets a value that it does not know, and the value can "
        "never be removed again."
    )
    alternative = "Release code that understands the value first; then add it; then write it."
    setup = _MOOD
    bad = "ALTER TYPE mood ADD VALUE 'happy';"
    good = "ALTER TABLE people ADD COLUMN note text;"
    nodes = frozenset({"AlterEnumStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Whether a value is added to an enum that was there before."""
        node = forecast.statement.node or {}
        name = strings(node.get("typeName", ()))
        if node.get("oldVal") is not None or _is_new_type(forecast, name) or _has_label(forecast, node):
            return
        yield self.risk(
            context,
            forecast,
            f"Running code that reads {'.'.join(map(quote_identifier, name))} may not know the new value.",
            evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag}.",),
            points=MAY_BREAK,
        )


class EnumValueUsedInSameTransaction(MigrationRule):
    """A value that is added and used in one transaction."""

    id = "enum-value-used-in-same-transaction"
    category = Category.INTEGRITY
    severity = Severity.CRITICAL
    title = "New enum value used in the same transaction"
    why = "A new value of an enum cannot be used before the transaction that added it has ended: 55P04."
    alternative = "Add the value in one migration and use it in the next."
    setup = _MOOD
    bad = "BEGIN;\nALTER TYPE mood ADD VALUE 'happy';\nINSERT INTO people VALUES (2000, 'happy');\nCOMMIT;"
    good = "ALTER TYPE mood ADD VALUE 'happy';\nINSERT INTO people VALUES (2000, 'happy');"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Statements that fail with 55P04, and constants that look like it."""
        added: dict[int, dict[str, Forecast]] = {}
        for forecast in simulation.forecasts:
            node = forecast.statement.node or {}
            if forecast.effects.fails is not None and forecast.effects.fails.sqlstate == "55P04":
                yield self._fails(forecast, context, CERTAIN_FAILURE, forecast.effects.fails.message)
                continue
            if forecast.transaction is None or str(simulation.wrapping) == "none":
                continue
            values = added.setdefault(forecast.transaction, {})
            if forecast.statement.node_kind == "AlterEnumStmt":
                if node.get("newVal") and not node.get("oldVal") and not _made_here(forecast, node):
                    values[node["newVal"]] = forecast
            elif used := values.keys() & set(_constants(node)) if values else None:
                word = min(used)
                yield self._fails(forecast, context, CERTAIN_FAILURE - 10, f"'{word}' was added in this transaction")

    def _fails(self, forecast: Forecast, context: RuleContext, points: int, why: str) -> Risk:
        return self.risk(
            context,
            forecast,
            "The statement uses an enum value that its own transaction has added, and fails with 55P04.",
            evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag}.", f"{why.rstrip('.')}."),
            points=points,
        )


def _constants(tree: object) -> Iterable[str]:
    for constant in nodes_of(tree, "A_Const"):
        if isinstance(text := constant.get("sval"), dict):
            yield text.get("sval", "")


def _made_here(forecast: Forecast, node: object) -> bool:
    return isinstance(node, dict) and _is_new_type(forecast, strings(node.get("typeName", ())))


def _has_label(forecast: Forecast, node: Mapping[str, Any]) -> bool:
    """Whether the enum is known to have the value already."""
    found = forecast.before.type(strings(node.get("typeName", ())))
    return found is not None and node.get("newVal") in found.labels


def _is_new_type(forecast: Forecast, name: tuple[str, ...]) -> bool:
    found = forecast.before.type(name) if name else None
    return found is not None and not forecast.before.is_old(found)


RULES = (DomainConstraintScan(), AlterTypeHitsTables(), AddEnumValue(), EnumValueUsedInSameTransaction())
