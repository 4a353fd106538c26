"""Rules about who may do what: functions' search_path, grants to PUBLIC, extensions, owners."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.access import PUBLIC
from confiture_tui.core.catalog.models.relations import RelationKind
from confiture_tui.core.catalog.models.routines import RoutineKind
from confiture_tui.core.lint.model import Category, Fix, Safety, Severity, Violation
from confiture_tui.core.lint.objects import own
from confiture_tui.core.lint.rule import LintRule, RuleOptions
from confiture_tui.core.lint.sql import ALTER, one_step
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.catalog.models.access import Acl
    from confiture_tui.core.catalog.models.routines import Routine

_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"})


def _sets_search_path(routine: Routine) -> bool:
    return any(setting.startswith("search_path=") for setting in routine.configuration)


def _looks_names_up(routine: Routine) -> bool:
    """Whether names in its body are looked up when it runs: not in C, and not in a body parsed when it was made."""
    return routine.kind in (RoutineKind.FUNCTION, RoutineKind.PROCEDURE) and (
        routine.sql_body is None and routine.language not in ("c", "internal")
    )


def _pin(routine: Routine) -> Fix:
    word = "PROCEDURE" if routine.kind is RoutineKind.PROCEDURE else "FUNCTION"
    path = f"{quote_identifier(routine.schema)}, pg_temp"
    return one_step(
        f"ALTER {word} {routine.signature} SET search_path = {path}",
        f"ALTER {word} {routine.signature} RESET search_path",
        safety=Safety.REVIEW,
        note="Names of other schemas in its body must then be written with their schema.",
    )


class SecurityDefinerSearchPathRule(LintRule):
    """SECURITY DEFINER without a search_path of its own."""

    id = "security-definer-search-path"
    category = Category.SECURITY
    severity = Severity.ERROR
    title = "A SECURITY DEFINER function runs with its caller's search_path."
    why = (
        "The caller chooses which tables and functions its names mean, and they run with the owner's rights "
        "(PostgreSQL documentation, CREATE FUNCTION, Writing SECURITY DEFINER Functions Safely)."
    )
    bad = "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
    good = (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
        " AS 'SELECT 1'; "
        "CREATE FUNCTION h() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    )

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Functions and procedures of that kind that set none."""
        for routine in own(catalog).routines:
            if routine.security_definer and not _sets_search_path(routine) and _looks_names_up(routine):
                message = f"{routine.signature} runs with its owner's rights and its caller's search_path."
                yield self.violation(
                    routine.kind.value, routine.signature, message, schema=routine.schema, fix=_pin(routine)
                )


class FunctionSearchPathMutableRule(LintRule):
    """Functions without a search_path of their own."""

    id = "function-search-path-mutable"
    category = Category.SECURITY
    severity = Severity.INFO
    enabled = False
    title = "What the names in a function mean depends on its caller's search_path."
    why = "It works for one role and fails, or means another table, for the next. Off by default: most do no harm."
    bad = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    good = "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = pg_catalog AS 'SELECT 1';"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Functions and procedures that set none; SECURITY DEFINER has a rule of its own."""
        for routine in own(catalog).routines:
            if not routine.security_definer and not _sets_search_path(routine) and _looks_names_up(routine):
                message = f"{routine.signature} runs with its caller's search_path."
                yield self.violation(
                    routine.kind.value, routine.signature, message, schema=routine.schema, fix=_pin(routine)
                )


class PublicSchemaCreateRule(LintRule):
    """Schemas in which everybody may create objects."""

    id = "public-schema-create"
    category = Category.SECURITY
    severity = Severity.WARNING
    title = "Everybody may create objects in a schema."
    why = (
        "Whoever can connect can put a table or function there that others then use by mistake. Up to PostgreSQL 14 "
        "the schema public comes like that, and an upgrade keeps it."
    )
    bad = "DO $$ BEGIN EXECUTE format('GRANT CREATE ON SCHEMA %I TO PUBLIC', current_schema()); END $$;"
    good = "DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO PUBLIC', current_schema()); END $$;"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Schemas with CREATE for PUBLIC."""
        for schema in catalog.schemas.values():
            if schema.extension is None and _has(schema.acl, "CREATE"):
                fix = one_step(
                    f"REVOKE CREATE ON SCHEMA {schema.quoted_name} FROM PUBLIC",
                    f"GRANT CREATE ON SCHEMA {schema.quoted_name} TO PUBLIC",
                    safety=Safety.SAFE,
                )
                message = f"Everybody may create objects in schema {schema.quoted_name}."
                yield self.violation("schema", schema.quoted_name, message, schema=schema.name, fix=fix)


def _has(acl: Acl | None, privilege: str) -> bool:
    return any(grant.grantee == PUBLIC and privilege in grant.privileges for grant in acl or ())


class GrantToPublicRule(LintRule):
    """Grants of writing to everybody."""

    id = "grant-to-public"
    category = Category.SECURITY
    severity = Severity.WARNING
    title = "Everybody may write to a table."
    why = "PUBLIC is every role that there is and that there will be."
    bad = "CREATE TABLE notes (id int PRIMARY KEY); GRANT INSERT ON notes TO PUBLIC;"
    good = "CREATE TABLE notes (id int PRIMARY KEY); GRANT SELECT ON notes TO PUBLIC;"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Tables and views on which PUBLIC has a right to write."""
        for relation in own(catalog).relations:
            rights = sorted(
                {
                    right
                    for grant in relation.acl or ()
                    if grant.grantee == PUBLIC
                    for right in grant.privileges
                    if right in _WRITES
                }
            )
            if rights and relation.kind is not RelationKind.COMPOSITE_TYPE:
                listed = ", ".join(rights)
                fix = one_step(
                    f"REVOKE {listed} ON TABLE {relation.qualified_name} FROM PUBLIC",
                    f"GRANT {listed} ON TABLE {relation.qualified_name} TO PUBLIC",
                    safety=Safety.REVIEW,
                    note="Roles that have the right from PUBLIC alone lose it.",
                )
                yield self.on(relation, f"Everybody has {listed} on {relation.qualified_name}.", fix=fix)


class ExtensionInPublicRule(LintRule):
    """Extensions in the schema public."""

    id = "extension-in-public"
    category = Category.SECURITY
    severity = Severity.INFO
    title = "An extension's objects lie in the schema public, among your own."
    why = "Its functions are in everybody's way, and a dump of your schema is hard to tell from its objects."
    bad = "CREATE EXTENSION citext SCHEMA public;"
    good = "CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions;"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Extensions there."""
        for extension in catalog.extensions.values():
            if extension.schema == "public":
                message = f"Extension {extension.quoted_name} lies in the schema public."
                fix = one_step(
                    f"CREATE SCHEMA IF NOT EXISTS extensions;\n"
                    f"ALTER EXTENSION {extension.quoted_name} SET SCHEMA extensions",
                    f"ALTER EXTENSION {extension.quoted_name} SET SCHEMA public",
                    safety=Safety.REVIEW,
                    note="Not every extension can be moved, and search_path must then name the schema extensions.",
                )
                yield self.violation("extension", extension.quoted_name, message, schema="", fix=fix)


class ExtensionOutdatedRule(LintRule):
    """Extensions older than what the server offers."""

    id = "extension-outdated"
    category = Category.SECURITY
    severity = Severity.INFO
    title = "An extension is older than the version that the server would install."
    why = "Mistakes that its newer version mends are still there; read its notes before the update."
    bad = "CREATE EXTENSION hstore VERSION '1.4';"
    good = "CREATE EXTENSION hstore;"

    def check(self, catalog: Catalog, options: RuleOptions) -> Iterable[Violation]:
        """Extensions with another version than the default one."""
        for extension in catalog.extensions.values():
            offered = extension.default_version
            if offered is not None and offered != extension.version:
                message = f"Extension {extension.quoted_name} is {extension.version}; the server offers {offered}."
                fix = one_step(f"ALTER EXTENSION {extension.quoted_name} UPDATE", safety=Safety.REVIEW)
                yield self.violation("extension", extension.quoted_name, message, schema="", fix=fix)


class OwnerMixedOptions(RuleOptions):
    """``expected_owner``: who should own everything; the owner of most objects of a schema unless given."""

    expected_owner: str | None = None


class OwnerMixedRule(LintRule):
    """Tables of one schema that belong to several roles."""

    id = "owner-mixed"
    category = Category.SECURITY
    severity = Severity.INFO
    title = "A table's owner is not the owner of its schema's other tables."
    why = "Who runs the migrations may alter only what it owns: the next migration of this table fails."
    options = OwnerMixedOptions
    bad = (
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
        "CREATE TABLE c (id int PRIMARY KEY); ALTER TABLE c OWNER TO pg_monitor;"
    )
    good = "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"

    def check(self, catalog: Catalog, options: OwnerMixedOptions) -> Iterable[Violation]:
        """Tables and views with another owner than most of their schema."""
        schemas = defaultdict(list)
        for relation in own(catalog).relations:
            schemas[relation.schema].append(relation)
        for relations in schemas.values():
            owners = Counter(relation.owner for relation in relations)
            expected = options.expected_owner or owners.most_common(1)[0][0]
            for relation in relations:
                if relation.owner == expected:
                    continue
                word = ALTER[relation.kind]
                fix = one_step(
                    f"ALTER {word} {relation.qualified_name} OWNER TO {quote_identifier(expected)}",
                    f"ALTER {word} {relation.qualified_name} OWNER TO {quote_identifier(relation.owner)}",
                    safety=Safety.REVIEW,
                )
                message = f"{relation.qualified_name} belongs to {relation.owner}; here it should be {expected}."
                yield self.on(relation, message, fix=fix)
