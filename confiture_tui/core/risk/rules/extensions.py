"""Extensions: updated, dropped, and where their objects go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice.tree import strings
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import MigrationRule, RiskRule
from confiture_tui.core.risk.rules.facts import facts, listed
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Simulation
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


class ExtensionChange(RiskRule):
    """ALTER EXTENSION, DROP EXTENSION, CREATE EXTENSION."""

    id = "extension-change"
    category = Category.COMPATIBILITY
    severity = Severity.LOW
    title = "Extension updated or dropped"
    why = (
        "The update runs a script that this assessment cannot read: functions change, and tables that use its types or "
        "index methods may be locked or need a REINDEX. Dropping it takes away what others use."
    )
    alternative = "Read the extension's update path (pg_extension_update_paths), and try it on a copy."
    setup = "CREATE EXTENSION citext;"
    bad = "ALTER EXTENSION citext UPDATE;"
    good = "CREATE TABLE scratch (id int);"
    nodes = frozenset({"AlterExtensionStmt", "DropStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Extensions that change or go."""
        node = forecast.statement.node or {}
        if forecast.statement.node_kind == "DropStmt":
            if node.get("removeType") != "OBJECT_EXTENSION":
                return
            what = f"dropped: {listed(map(quote_identifier, strings(node.get('objects', ()))))}"
        else:
            what = f"updated: {quote_identifier(node.get('extname', ''))}"
        yield self.risk(
            context,
            forecast,
            f"An extension is {what}.",
            evidence=facts(forecast, context),
            points=20,
        )


class ExtensionInPublic(RiskRule):
    """CREATE EXTENSION into public."""

    id = "extension-in-public"
    category = Category.SECURITY
    severity = Severity.LOW
    title = "Extension in the schema public"
    why = "Its functions and operators lie beside the application's own, open to everybody, and names may collide."
    alternative = "CREATE SCHEMA extensions, and CREATE EXTENSION … SCHEMA extensions."
    bad = "CREATE EXTENSION citext;"
    good = "CREATE SCHEMA extensions;\nCREATE EXTENSION citext SCHEMA extensions;"
    nodes = frozenset({"CreateExtensionStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Extensions that go to public by name, or because nothing else is said."""
        node = forecast.statement.node or {}
        schema = None
        for one in node.get("options", ()):
            if one.get("DefElem", {}).get("defname") == "schema":
                schema = one["DefElem"].get("arg", {}).get("String", {}).get("sval")
        if node.get("extname") in _WITH_SCHEMA_OF_ITS_OWN:
            return
        if (schema or forecast.before.creation_schema) == "public":
            yield self.risk(
                context,
                forecast,
                f"The objects of {quote_identifier(node.get('extname', ''))} go into public.",
                evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag}.",),
            )


class ExtensionOutdated(MigrationRule):
    """CREATE or ALTER EXTENSION to a version by name."""

    id = "extension-outdated"
    category = Category.SECURITY
    severity = Severity.INFO
    title = "Extension pinned to a version"
    why = (
        "The version is written down, so a server with a newer one installs the older, and later servers may not have "
        "it at all."
    )
    alternative = "Leave the version out: the server's default version is the one that it comes with."
    bad = "CREATE EXTENSION citext VERSION '1.4';"
    good = "CREATE EXTENSION citext;"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Versions by name."""
        for forecast in simulation.forecasts:
            if forecast.statement.node_kind not in ("CreateExtensionStmt", "AlterExtensionStmt"):
                continue
            node = forecast.statement.node or {}
            for one in node.get("options", ()):
                if one.get("DefElem", {}).get("defname") == "new_version":
                    version = one["DefElem"].get("arg", {}).get("String", {}).get("sval", "")
                    yield self.risk(
                        context,
                        forecast,
                        f"{quote_identifier(node.get('extname', ''))} is pinned to version {version}.",
                        evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag}.",),
                        severity=Severity.INFO,
                    )


_WITH_SCHEMA_OF_ITS_OWN = frozenset({"plpgsql", "pg_cron", "adminpack", "pgtap_schema", "timescaledb_toolkit"})


RULES = (
    ExtensionChange(),
    ExtensionInPublic(),
    ExtensionOutdated(),
)
