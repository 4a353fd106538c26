"""Rules about row level security."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.lint.model import Category, Fix, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import one_step

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.relations import Relation


def _enable(table: Relation, note: str = "") -> Fix:
    return one_step(
        f"ALTER TABLE {table.qualified_name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table.qualified_name} DISABLE ROW LEVEL SECURITY",
        safety=Safety.REVIEW,
        note=note,
    )


class RlsDisabledOptions(RuleOptions):
    """``roles``: only grants to these count; none given: to anybody but the owner. Everybody is ``public``."""

    roles: tuple[str, ...] = ()


class RlsDisabledRule(LintRule):
    """Tables that others than the owner may read, without row level security."""

    id = "rls-disabled"
    category = Category.SECURITY
    severity = Severity.WARNING
    enabled = False
    title = "A table that other roles may use has no row level security."
    why = "Where clients connect straight to the database, a grant without row level security shows every row."
    options = RlsDisabledOptions
    bad = "CREATE TABLE account (id int PRIMARY KEY); GRANT SELECT ON account TO PUBLIC;"
    good = (
        "CREATE TABLE account (id int PRIMARY KEY); GRANT SELECT ON account TO PUBLIC;"
        "ALTER TABLE account ENABLE ROW LEVEL SECURITY; CREATE TABLE inner_part (id int PRIMARY KEY);"
    )

    def check(self, catalog: Catalog, options: RlsDisabledOptions) -> Iterable[Violation]:
        """Tables with grants to others whose rows are not protected."""
        for table in own(catalog).tables:
            if table.row_security:
                continue
            grantees = {grant.grantee or "public" for grant in table.acl or () if grant.grantee != table.owner}
            reached = sorted(grantees & set(options.roles) if options.roles else grantees)
            if reached:
                message = f"{table.qualified_name} has no row level security, and {', '.join(reached)} may use it."
                yield self.on(table, message, fix=_enable(table, "Without policies it shows no row to anybody else."))


class RlsPolicyNoEnableRule(LintRule):
    """Policies on a table whose row level security is off."""

    id = "rls-policy-no-enable"
    category = Category.SECURITY
    severity = Severity.ERROR
    title = "A table has policies, but row level security is off: they do nothing."
    why = "Somebody wrote the policies and believes that they hold."
    bad = "CREATE TABLE account (id int PRIMARY KEY); CREATE POLICY p ON account USING (id = 1);"
    good = RlsDisabledRule.good.replace("PUBLIC", "CURRENT_USER") + "CREATE POLICY p ON account USING (id = 1);"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Tables with policies that are not applied."""
        for table in own(catalog).tables:
            if table.policies and not table.row_security:
                count = len(table.policies)
                what = "a policy" if count == 1 else f"{count} policies"
                message = f"{table.qualified_name} has {what}, but row level security is off: nothing holds."
                yield self.on(table, message, fix=_enable(table, "From then on the policies decide who sees what."))


class RlsEnabledNoPolicyRule(LintRule):
    """Row level security without a policy."""

    id = "rls-enabled-no-policy"
    category = Category.SECURITY
    severity = Severity.INFO
    title = "Row level security is on, and there is no policy: nobody but the owner sees a row."
    why = "That may be meant, to shut a table. If it is, a comment should say so."
    bad = "CREATE TABLE account (id int PRIMARY KEY); ALTER TABLE account ENABLE ROW LEVEL SECURITY;"
    good = RlsPolicyNoEnableRule.good

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Tables that are shut."""
        for table in own(catalog).tables:
            if table.row_security and not table.policies:
                message = f"{table.qualified_name} has row level security and no policy: only its owner sees rows."
                yield self.on(table, message)


class RlsPolicyTrueRule(LintRule):
    """Policies that let everybody write."""

    id = "rls-policy-true"
    category = Category.SECURITY
    severity = Severity.WARNING
    title = "A policy lets everybody that it is for write every row."
    why = "Its condition is simply true: row level security is on in name only."
    bad = (
        "CREATE TABLE account (id int PRIMARY KEY); ALTER TABLE account ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY p ON account USING (true);"
    )
    good = (
        "CREATE TABLE account (id int PRIMARY KEY); ALTER TABLE account ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY p ON account FOR SELECT USING (true);"
        "CREATE POLICY w ON account FOR UPDATE USING (id = 1) WITH CHECK (true);"
    )

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Permissive policies for writing without a condition."""
        for table in own(catalog).tables:
            for policy in table.policies:
                if not policy.permissive or policy.command == "SELECT":
                    continue
                # INSERT has WITH CHECK alone; without one, USING stands for it (PostgreSQL, CREATE POLICY).
                conditions = {text for text in (policy.using, policy.with_check) if text is not None}
                if conditions == {"true"}:
                    who = ", ".join(role or "everybody" for role in policy.roles)
                    message = f"Policy {policy.quoted_name} of {table.qualified_name} lets {who} write every row."
                    yield self.within(table, "policy", policy.qualified_name, message)


class ViewNotSecurityInvokerRule(LintRule):
    """Views that read tables with row level security with their owner's rights."""

    id = "view-not-security-invoker"
    category = Category.SECURITY
    severity = Severity.WARNING
    title = "A view shows the rows of a table with row level security by its owner's rights."
    why = (
        "Policies are applied for the view's owner, not for who asks: the view shows what the table would not. From "
        "PostgreSQL 15 on, `security_invoker` makes the view ask as its user."
    )
    bad = RlsPolicyNoEnableRule.good + "CREATE VIEW accounts AS SELECT * FROM account;"
    good = RlsPolicyNoEnableRule.good + "CREATE VIEW accounts WITH (security_invoker) AS SELECT * FROM account;"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Views over protected tables, straight or through other views, that others may read."""
        mine = own(catalog)
        protected: dict[int, str] = {}

        def reaches(oid: int) -> str:
            """The protected table that a view's query reads by its owner's rights; empty without one."""
            if oid not in protected:
                protected[oid] = ""
                for read in sorted(mine.reads.get(oid, ())):
                    relation = catalog.relations.by_oid(read)
                    if relation is None:
                        continue
                    if relation.row_security:
                        protected[oid] = relation.qualified_name
                        break
                    if relation.kind is RelationKind.VIEW and (found := reaches(read)):
                        protected[oid] = found
                        break
            return protected[oid]

        for view in mine.views:
            if _asks_as_its_user(view) or not (table := reaches(view.oid)):
                continue
            others = sorted({grant.grantee or "everybody" for grant in view.acl or () if grant.grantee != view.owner})
            message = f"{view.qualified_name} shows rows of {table} by the rights of its owner"
            message += f", to {', '.join(others)}." if others else "; nobody else may read it so far."
            fix = None
            if view.kind is RelationKind.VIEW and catalog.server_version_num >= 150000:
                fix = one_step(
                    f"ALTER VIEW {view.qualified_name} SET (security_invoker = true)",
                    f"ALTER VIEW {view.qualified_name} RESET (security_invoker)",
                    safety=Safety.REVIEW,
                    note="Who reads the view then needs SELECT on the tables behind it.",
                )
            yield self.on(view, message, fix=fix, severity=None if others else Severity.INFO)


def _asks_as_its_user(view: Relation) -> bool:
    return any(
        option in ("security_invoker=true", "security_invoker=on", "security_invoker=1", "security_invoker=yes")
        for option in view.options
    )
