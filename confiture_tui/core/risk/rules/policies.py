"""Row security and its policies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.risk.advice.tree import nodes_of, strings
from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import MigrationRule, RiskRule
from confiture_tui.core.risk.rules.command import Command, CommandRule
from confiture_tui.core.risk.rules.facts import listed
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.triggers import Policy
    from confiture_tui.core.effects.forecast import Forecast, Simulation
    from confiture_tui.core.risk.advice.tree import Node
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext

_NOTES = "CREATE TABLE notes (id int PRIMARY KEY, owner text, body text);\nINSERT INTO notes VALUES (1, 'ann', 'x');"
_WITH_POLICY = _NOTES + "\nCREATE POLICY own ON notes USING (owner = current_user);"


class RlsEnabledWithoutPolicy(MigrationRule):
    """ENABLE ROW LEVEL SECURITY and no policy."""

    id = "rls-enabled-without-policy"
    category = Category.SECURITY
    severity = Severity.MEDIUM
    title = "Row security without a policy"
    why = (
        "Without a policy row security hides every row from all but the owner and roles that bypass it: queries of the "
        "application find nothing, and its writes fail."
    )
    alternative = "Create the policies first, and ENABLE ROW LEVEL SECURITY last, in one transaction."
    setup = _NOTES
    bad = "ALTER TABLE notes ENABLE ROW LEVEL SECURITY;"
    good = "CREATE POLICY own ON notes USING (owner = current_user);\nALTER TABLE notes ENABLE ROW LEVEL SECURITY;"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Tables that end up with row security and without a policy."""
        for forecast, table in _switched(simulation, "AT_EnableRowSecurity"):
            if forecast.before.existed_before(table) and not _has_policy(simulation, table, context):
                sure = simulation.after.relation(table) is not None
                yield self.risk(
                    context,
                    forecast,
                    f"{table} has row security and {'no policy' if sure else 'no policy in this file'}: nobody but its "
                    "owner sees a row.",
                    evidence=(f"Line {forecast.statement.line}: ENABLE ROW LEVEL SECURITY on {table}.",),
                )


class PolicyWithoutRls(MigrationRule):
    """A policy on a table without row security."""

    id = "policy-without-rls"
    category = Category.SECURITY
    severity = Severity.MEDIUM
    title = "Policy on a table without row security"
    why = "A policy does nothing until ROW LEVEL SECURITY is enabled on the table: all rows stay visible to all."
    alternative = "ALTER TABLE … ENABLE ROW LEVEL SECURITY after the policies."
    setup = _NOTES
    bad = "CREATE POLICY own ON notes USING (owner = current_user);"
    good = "CREATE POLICY own ON notes USING (owner = current_user);\nALTER TABLE notes ENABLE ROW LEVEL SECURITY;"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Policies on tables that end up without row security."""
        enabled = {table for _, table in _switched(simulation, "AT_EnableRowSecurity")}
        for forecast in simulation.forecasts:
            if forecast.statement.node_kind != "CreatePolicyStmt":
                continue
            table = forecast.before.name_of((forecast.statement.node or {})["table"])
            relation = simulation.after.find(table).relation
            if table in enabled or (relation is not None and relation.row_security):
                continue
            yield self.risk(
                context,
                forecast,
                f"The policy does nothing: row security is not enabled on {table}.",
                evidence=(f"Line {forecast.statement.line}: CREATE POLICY on {table}.",),
                severity=Severity.MEDIUM if simulation.after.known else Severity.LOW,
            )


class RlsOff(CommandRule):
    """DISABLE or NO FORCE ROW LEVEL SECURITY."""

    id = "rls-off"
    category = Category.SECURITY
    severity = Severity.HIGH
    title = "Row security switched off"
    why = "From now on every role with rights on the table sees, and may change, all of its rows."
    alternative = "Change the policies instead; or take the rights away from the roles that should not see all rows."
    setup = _WITH_POLICY + "\nALTER TABLE notes ENABLE ROW LEVEL SECURITY;"
    bad = "ALTER TABLE notes DISABLE ROW LEVEL SECURITY;"
    good = "ALTER TABLE notes FORCE ROW LEVEL SECURITY;"
    subtypes = frozenset({"AT_DisableRowSecurity", "AT_NoForceRowSecurity"})

    def check_command(self, command: Command, context: RuleContext) -> Iterable[Risk]:
        """Tables that were there before, and had it."""
        relation = command.forecast.before.relation(command.table)
        force = command.subtype == "AT_NoForceRowSecurity"
        if relation is not None and not (relation.force_row_security if force else relation.row_security):
            return
        if command.forecast.before.existed_before(command.table):
            who = "its owner" if force else "every role with rights on it"
            yield self.risk(
                context,
                command.forecast,
                f"All rows of {command.table} are open to {who} from now on.",
                evidence=command.evidence(context, ()),
                severity=Severity.MEDIUM if force else Severity.HIGH,
            )


class PolicyChange(RiskRule):
    """A policy of an existing table is created, changed or dropped."""

    id = "policy-change"
    category = Category.SECURITY
    severity = Severity.MEDIUM
    title = "Policy changed"
    why = "Who sees and changes which rows is another from now on; running code may find more rows, or fewer."
    alternative = "Try each role's queries against a copy, before and after."
    setup = _WITH_POLICY
    bad = "ALTER POLICY own ON notes USING (owner = session_user);"
    good = "CREATE TABLE drafts (id int, owner text);\nCREATE POLICY own ON drafts USING (owner = current_user);"
    nodes = frozenset({"CreatePolicyStmt", "AlterPolicyStmt", "DropStmt"})

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Policies of tables that were there before."""
        node = forecast.statement.node or {}
        if forecast.statement.node_kind == "DropStmt":
            if node.get("removeType") != "OBJECT_POLICY":
                return
            items = [strings(one.get("List", {}).get("items", ())) for one in node.get("objects", ())]
            tables = [".".join(map(quote_identifier, parts[:-1])) for parts in items if len(parts) > 1]
        else:
            tables = [forecast.before.name_of(node["table"])]
        tables = [name for one in tables if forecast.before.existed_before(name := forecast.before.name_of(one))]
        if tables:
            yield self.risk(
                context,
                forecast,
                f"Which rows of {listed(tables)} a role sees and changes is another from now on.",
                evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag}.",),
            )


class _Policy(RiskRule):
    category = Category.SECURITY
    nodes = frozenset({"CreatePolicyStmt", "AlterPolicyStmt"})


class PolicyAlwaysTrue(_Policy):
    """USING (true)."""

    id = "policy-always-true"
    severity = Severity.MEDIUM
    title = "Policy that is always true"
    why = "A permissive policy whose condition is always true opens all rows to its roles, whatever others say."
    alternative = "State the condition; or, if all rows are meant to be open, name the roles and allow SELECT alone."
    setup = _NOTES + "\nALTER TABLE notes ENABLE ROW LEVEL SECURITY;"
    bad = "CREATE POLICY everybody ON notes USING (true);"
    good = "CREATE POLICY own ON notes USING (owner = current_user);"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Conditions that are the constant TRUE; of SELECT alone it is a common and honest choice."""
        node = forecast.statement.node or {}
        true = [name for name in ("qual", "with_check") if _is_true(node.get(name))]
        restrictive = forecast.statement.node_kind == "CreatePolicyStmt" and not node.get("permissive")
        if not true or node.get("cmd_name") == "select" or restrictive:
            return
        table = forecast.before.name_of(node["table"])
        yield self.risk(
            context,
            forecast,
            f"{quote_identifier(node.get('policy_name', ''))} lets its roles see or write every row of {table}.",
            evidence=(f"Line {forecast.statement.line}: the condition is true.",),
        )


class PoliciesOverlap(MigrationRule):
    """Two permissive policies for one role and command."""

    id = "policies-overlap"
    category = Category.SECURITY
    severity = Severity.LOW
    title = "Policies that overlap"
    why = (
        "Permissive policies for the same role and command are joined by OR: the widest decides, and each is evaluated "
        "for every row."
    )
    alternative = "One policy for each role and command; or make the narrower one RESTRICTIVE."
    setup = _WITH_POLICY
    bad = "CREATE POLICY shared ON notes FOR SELECT USING (body <> '');"
    good = "CREATE POLICY shared ON notes AS RESTRICTIVE FOR SELECT USING (body <> '');"

    def check(self, simulation: Simulation, context: RuleContext) -> Iterable[Risk]:
        """Policies that this migration creates beside others."""
        made: dict[str, list[tuple[str, str, frozenset[str]]]] = {}
        for forecast in simulation.forecasts:
            node = forecast.statement.node or {}
            if forecast.statement.node_kind != "CreatePolicyStmt" or not node.get("permissive"):
                continue
            table = forecast.before.name_of(node["table"])
            command = str(node.get("cmd_name", "all")).upper()
            roles = frozenset(_role(one.get("RoleSpec", {})) for one in node.get("roles", ())) or frozenset({""})
            relation = forecast.before.find(table).relation
            known = made.setdefault(table, [_shape(one) for one in (relation.policies if relation else ())])
            mine = (node.get("policy_name", ""), command, roles)
            others = [
                name
                for name, other, theirs in known
                if name != mine[0] and (other == command or "ALL" in (other, command)) and _meet(theirs, roles)
            ]
            if mine[0] not in [name for name, _, _ in known]:
                known.append(mine)
            if others:
                yield self.risk(
                    context,
                    forecast,
                    f"On {table} the policy is joined by OR with {listed(map(quote_identifier, others))}.",
                    evidence=(f"Line {forecast.statement.line}: CREATE POLICY … FOR {command}.",),
                )


class PolicyPerRowCall(_Policy):
    """A function call that could be made once."""

    id = "policy-per-row-call"
    severity = Severity.LOW
    title = "Policy that calls a function for every row"
    why = (
        "A call such as current_setting() in a policy is made for every row that a query looks at. In a sub-select of "
        "its own it is made once a query."
    )
    alternative = "Write (SELECT current_setting(…)) in place of current_setting(…)."
    setup = _NOTES + "\nALTER TABLE notes ENABLE ROW LEVEL SECURITY;"
    bad = "CREATE POLICY own ON notes USING (owner = current_setting('app.user'));"
    good = "CREATE POLICY own ON notes USING (owner = (SELECT current_setting('app.user')));"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Calls without a column among their arguments, outside a sub-select."""
        node = forecast.statement.node or {}
        calls = sorted({name for part in ("qual", "with_check") for name in _calls(node.get(part))})
        if calls:
            table = forecast.before.name_of(node["table"])
            yield self.risk(
                context,
                forecast,
                f"{listed(f'{name}()' for name in calls)} is called for every row of {table}.",
                evidence=(f"Line {forecast.statement.line}: {forecast.statement.tag}.",),
            )


def _switched(simulation: Simulation, subtype: str) -> Iterable[tuple[Forecast, str]]:
    for forecast in simulation.forecasts:
        if forecast.statement.node_kind != "AlterTableStmt":
            continue
        node = forecast.statement.node or {}
        if any(one.get("AlterTableCmd", {}).get("subtype") == subtype for one in node.get("cmds", ())):
            yield forecast, forecast.before.name_of(node["relation"])


def _has_policy(simulation: Simulation, table: str, context: RuleContext) -> bool:
    relation = simulation.after.find(table).relation
    if relation is not None and relation.policies:
        return True
    return table in context.of_migration(_given_policies)


def _given_policies(simulation: Simulation) -> frozenset[str]:
    """The tables that policies are created on."""
    return frozenset(
        one.before.name_of((one.statement.node or {})["table"])
        for one in simulation.forecasts
        if one.statement.node_kind == "CreatePolicyStmt"
    )


def _is_true(condition: Node | None) -> bool:
    return bool((condition or {}).get("A_Const", {}).get("boolval", {}).get("boolval"))


def _shape(policy: Policy) -> tuple[str, str, frozenset[str]]:
    # A restrictive one meets nobody: it is no OR.
    roles = frozenset(policy.roles) if policy.permissive else frozenset[str]()
    return policy.name, policy.command, roles


def _role(spec: Node) -> str:
    return "" if spec.get("roletype") == "ROLESPEC_PUBLIC" else str(spec.get("rolename", spec.get("roletype", "")))


def _meet(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other) and (bool(one & other) or "" in one or "" in other)


def _calls(expression: object) -> Iterable[str]:
    """Functions called with constants alone, outside sub-selects."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            call = node.get("FuncCall")
            if isinstance(call, dict) and not any(True for _ in nodes_of(call.get("args", []), "ColumnRef")):
                yield strings(call.get("funcname", ()))[-1]
            waiting.extend(value for key, value in node.items() if key != "SubLink")


RULES = (
    RlsEnabledWithoutPolicy(),
    PolicyWithoutRls(),
    RlsOff(),
    PolicyChange(),
    PolicyAlwaysTrue(),
    PoliciesOverlap(),
    PolicyPerRowCall(),
)
