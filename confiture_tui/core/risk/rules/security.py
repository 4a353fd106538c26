"""Rights, owners, and functions and views that act as somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice import security as advice
from confiture_tui.core.risk.advice.tree import nodes_of, strings
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import RiskRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import facts, listed
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast, Simulation
    from confiture_tui.core.risk.advice.tree import Node
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext


class GrantOrRevoke(RiskRule):
    """GRANT and REVOKE on what was there before."""

    id = "grant-or-revoke"
    category = Category.SECURITY
    severity = Severity.LOW
    title = "Rights given or taken"
    why = "After GRANT somebody may do more; after REVOKE running code may fail with 42501."
    alternative = "Grant to roles, not to PUBLIC; before a REVOKE, make sure who uses the right."
    setup = SHOP
    bad = "GRANT SELECT ON orders TO PUBLIC;"
    good = "CREATE TABLE scratch (id int);\nGRANT SELECT ON scratch TO CURRENT_USER;"
    nodes = frozenset({"GrantStmt", "GrantRoleStmt", "AlterDefaultPrivilegesStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Rights on relations that were there before, on other things, and memberships."""
        node = forecast.statement.node or {}
        if forecast.statement.node_kind == "GrantStmt" and node.get("objtype") == "OBJECT_TABLE":
            names = [forecast.before.name_of(one["RangeVar"]) for one in node.get("objects", ()) if "RangeVar" in one]
            if names and not any(map(forecast.before.existed_before, names)):
                return
            what = listed(names) or "all tables of a schema"
        else:
            what = "a role" if forecast.statement.node_kind == "GrantRoleStmt" else "its objects"
        everybody = any(
            one.get("RoleSpec", {}).get("roletype") == "ROLESPEC_PUBLIC" for one in node.get("grantees", ())
        )
        gives = node.get("is_grant", node.get("action", {}).get("is_grant", False))
        verb = "gives rights on" if gives else "takes rights on"
        yield self.risk(
            context,
            forecast,
            f"{forecast.statement.tag} {verb} {what}{' to everybody' if everybody and gives else ''}.",
            evidence=facts(forecast, context),
            severity=Severity.MEDIUM if everybody and gives else Severity.LOW,
        )


class OwnerChange(RiskRule):
    """OWNER TO."""

    id = "owner-change"
    category = Category.SECURITY
    severity = Severity.MEDIUM
    title = "Owner changed"
    why = (
        "The old owner loses every right that it had as the owner, the new one gets them all; a SECURITY DEFINER "
        "function runs with the new owner's rights from now on."
    )
    alternative = "Grant the old owner what running code needs, in the same transaction."
    setup = SHOP
    bad = "ALTER TABLE orders OWNER TO pg_monitor;"
    good = "CREATE TABLE scratch (id int);\nALTER TABLE scratch OWNER TO CURRENT_USER;"
    nodes = frozenset({"AlterTableStmt", "AlterOwnerStmt", "ReassignOwnedStmt"})
    subtypes = frozenset({"AT_ChangeOwner"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Owners of what was there before."""
        node = forecast.statement.node or {}
        if forecast.statement.node_kind == "AlterTableStmt":
            owners = [
                one["AlterTableCmd"].get("newowner", {})
                for one in node.get("cmds", ())
                if one.get("AlterTableCmd", {}).get("subtype") == "AT_ChangeOwner"
            ]
            name = forecast.before.name_of(node["relation"])
            if not owners or not forecast.before.existed_before(name):
                return
            relation = forecast.before.relation(node["relation"])
            if relation is not None and owners[0].get("rolename") == relation.owner:
                return
            what = name
        else:
            what = "everything that the role owns" if forecast.statement.node_kind == "ReassignOwnedStmt" else "it"
        yield self.risk(
            context,
            forecast,
            f"{forecast.statement.tag} gives {what} to another owner.",
            evidence=facts(forecast, context),
        )


class SecurityDefinerExposed(RiskRule):
    """A SECURITY DEFINER function that everybody may call."""

    id = "security-definer-exposed"
    category = Category.SECURITY
    severity = Severity.HIGH
    title = "SECURITY DEFINER function open to everybody"
    why = (
        "The function runs with its owner's rights, and EXECUTE of a new function is given to PUBLIC: every role may "
        "do what the function does."
    )
    alternative = "REVOKE EXECUTE … FROM PUBLIC in the same transaction, and grant it to those who need it."
    setup = SHOP
    bad = (
        "CREATE FUNCTION purge() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' "
        "AS 'DELETE FROM public.orders WHERE false';"
    )
    good = bad + "\nREVOKE EXECUTE ON FUNCTION purge() FROM PUBLIC;"
    nodes = frozenset({"CreateFunctionStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """New SECURITY DEFINER functions whose EXECUTE nobody takes from PUBLIC later in the migration."""
        node = forecast.statement.node or {}
        if not _option(node, "security") or _is_trigger(node):
            return
        name = strings(node.get("funcname", ()))
        if not name or _revoked(name[-1], forecast, context):
            return
        yield self.risk(
            context,
            forecast,
            f"Everybody may run {'.'.join(map(quote_identifier, name))}() with its owner's rights.",
            evidence=(f"Line {forecast.statement.line}: SECURITY DEFINER, and no REVOKE … FROM PUBLIC after it.",),
            safe_sql=advice.revoke_from_public(forecast),
        )


class SearchPathMutable(RiskRule):
    """A function without a search_path of its own."""

    id = "search-path-mutable"
    category = Category.SECURITY
    severity = Severity.MEDIUM
    title = "Function without a search_path of its own"
    why = (
        "Names in the function mean what the caller's search_path says. Of a SECURITY DEFINER function a caller can "
        "thus make it run code of the caller's own with the owner's rights."
    )
    alternative = "SET search_path = '' (and qualified names inside), or pg_catalog, pg_temp last."
    setup = SHOP
    bad = (
        "CREATE FUNCTION purge() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM public.orders WHERE false';"
    )
    good = (
        "CREATE FUNCTION purge() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' "
        "AS 'DELETE FROM public.orders WHERE false';"
    )
    nodes = frozenset({"CreateFunctionStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """SECURITY DEFINER functions; others are a matter of taste, and information only."""
        node = forecast.statement.node or {}
        definer = _option(node, "security")
        if not definer or _sets_search_path(node, forecast, context):
            return
        name = ".".join(map(quote_identifier, strings(node.get("funcname", ()))))
        yield self.risk(
            context,
            forecast,
            f"A caller's search_path decides what {name}() runs with its owner's rights.",
            evidence=(f"Line {forecast.statement.line}: SECURITY DEFINER without SET search_path.",),
            safe_sql=advice.fix_search_path(forecast),
        )


class SecurityDefinerView(RiskRule):
    """A view over a table with row security."""

    id = "security-definer-view"
    category = Category.SECURITY
    severity = Severity.MEDIUM
    title = "View that passes row security by"
    why = (
        "A view reads its tables with its owner's rights: the policies of the tables are those of the owner, not of "
        "whoever asks. From PostgreSQL 15 security_invoker makes it the other way round."
    )
    alternative = "CREATE VIEW … WITH (security_invoker = true)."
    setup = (
        "CREATE TABLE notes (id int PRIMARY KEY, owner text);\n"
        "CREATE POLICY own ON notes USING (owner = current_user);\nALTER TABLE notes ENABLE ROW LEVEL SECURITY;"
    )
    bad = "ALTER TABLE notes ENABLE ROW LEVEL SECURITY;\nCREATE VIEW all_notes AS SELECT * FROM notes;"
    good = "CREATE VIEW all_notes WITH (security_invoker = true) AS SELECT * FROM notes;"
    nodes = frozenset({"ViewStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Views without security_invoker over tables with row security."""
        node = forecast.statement.node or {}
        if any(one.get("DefElem", {}).get("defname") == "security_invoker" for one in node.get("options", ())):
            return
        if not context.of_migration(_may_be_secured):
            return
        secured = []
        for one in nodes_of(node.get("query"), "RangeVar"):
            relation = forecast.before.find(one).relation
            if (relation is not None and relation.row_security) or _enabled_here(forecast, one, context):
                secured.append(forecast.before.name_of(one))
        if secured:
            view = forecast.before.name_of(node["view"])
            yield self.risk(
                context,
                forecast,
                f"{view} shows rows of {listed(secured)} by its owner's policies, not by those of whoever asks.",
                evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag} without security_invoker.",),
                safe_sql=advice.security_invoker(forecast, view),
            )


def _option(node: Node, name: str) -> bool:
    for one in node.get("options", ()):
        element = one.get("DefElem", {})
        if element.get("defname") == name:
            return bool(element.get("arg", {}).get("Boolean", {}).get("boolval", False))
    return False


def _is_trigger(node: Node) -> bool:
    names = node.get("returnType", {}).get("names", ())
    return bool(names) and names[-1].get("String", {}).get("sval") in ("trigger", "event_trigger")


def _sets_search_path(node: Node, forecast: Forecast, context: RuleContext) -> bool:
    if any(
        one.get("DefElem", {}).get("arg", {}).get("VariableSetStmt", {}).get("name") == "search_path"
        for one in node.get("options", ())
    ):
        return True
    wanted = strings(node.get("funcname", ()))
    return bool(wanted) and context.of_migration(_paths_set).get(wanted[-1], 0) >= forecast.statement.index


def _paths_set(simulation: Simulation) -> Mapping[str, int]:
    """The last statement that sets a function's search_path, by the function's name without its schema."""
    found: dict[str, int] = {}
    for forecast in simulation.forecasts:
        node = forecast.statement.node or {}
        if forecast.statement.node_kind != "AlterFunctionStmt":
            continue
        name = strings(node.get("func", {}).get("objname", ()))
        sets = any(
            one.get("DefElem", {}).get("arg", {}).get("VariableSetStmt", {}).get("name") == "search_path"
            for one in node.get("actions", ())
        )
        if sets and name:
            found[name[-1]] = forecast.statement.index
    return found


def _revoked(name: str, forecast: Forecast, context: RuleContext) -> bool:
    revoked = context.of_migration(_revokes)
    return max(revoked.get(name, 0), revoked.get(None, 0)) >= forecast.statement.index


def _revokes(simulation: Simulation) -> Mapping[str | None, int]:
    """The last statement that takes rights on a function, by its name without its schema; ``None``: on all at once."""
    found: dict[str | None, int] = {}
    for forecast in simulation.forecasts:
        node = forecast.statement.node or {}
        if forecast.statement.node_kind != "GrantStmt" or node.get("is_grant"):
            continue
        if node.get("targtype") == "ACL_TARGET_ALL_IN_SCHEMA":
            found[None] = forecast.statement.index
        for one in node.get("objects", ()):
            parts = strings(one.get("ObjectWithArgs", {}).get("objname", ()))
            if parts:
                found[parts[-1]] = forecast.statement.index
    return found


def _may_be_secured(simulation: Simulation) -> bool:
    """Whether any table at all can have row security: one of the catalog has, or a statement has enabled it."""
    start = simulation.forecasts[0].before
    if not start.is_untouched or _enabled_by(simulation):
        return True
    return start.catalog is not None and any(one.row_security for one in start.catalog.relations.values())


def _enabled_by(simulation: Simulation) -> Mapping[str, int]:
    """The tables whose row security the migration enables, with the index of the first statement that does."""
    found: dict[str, int] = {}
    for one in simulation.forecasts:
        node = one.statement.node or {}
        if one.statement.node_kind == "AlterTableStmt" and any(
            each.get("AlterTableCmd", {}).get("subtype") == "AT_EnableRowSecurity" for each in node.get("cmds", ())
        ):
            found.setdefault(one.before.name_of(node["relation"]), one.statement.index)
    return found


def _enabled_here(forecast: Forecast, name: Node, context: RuleContext) -> bool:
    index = context.of_migration(_enabled_by).get(forecast.before.name_of(name))
    return index is not None and index <= forecast.statement.index


RULES = (
    GrantOrRevoke(),
    OwnerChange(),
    SecurityDefinerExposed(),
    SearchPathMutable(),
    SecurityDefinerView(),
)
