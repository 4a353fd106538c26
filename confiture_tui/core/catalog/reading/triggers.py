"""Reads triggers, rules, policies and event triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.dependencies import PG_EVENT_TRIGGER, PG_POLICY, PG_REWRITE, PG_TRIGGER
from confiture_tui.core.catalog.models.triggers import EventTrigger, Policy, Rule, Trigger
from confiture_tui.core.catalog.reading.query import USER_OR_OWN_TEMPORARY_SCHEMA, Query, Rows, qualified

if TYPE_CHECKING:
    from confiture_tui.core.catalog.reading.context import Context

ENABLED = {"O": "origin", "D": "disabled", "R": "replica", "A": "always"}
COMMANDS = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}

QUERIES = (
    Query(
        "triggers",
        "triggers",
        f"""SELECT t.oid, t.tgrelid, t.tgname, quote_ident(t.tgname),
                pg_get_triggerdef(t.oid), t.tgenabled,
                {qualified("pn.nspname", "p.proname")}, t.tgfoid, t.tgconstraint, t.tgparentid
            FROM pg_trigger t
            JOIN pg_class c ON c.oid = t.tgrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_proc p ON p.oid = t.tgfoid
            JOIN pg_namespace pn ON pn.oid = p.pronamespace
            WHERE (NOT t.tgisinternal OR (t.tgparentid <> 0 AND t.tgconstraint = 0))
              AND {USER_OR_OWN_TEMPORARY_SCHEMA}""",
        required=(4,),
    ),
    Query(
        "rules",
        "rules",
        f"""SELECT w.oid, w.ev_class, w.rulename, quote_ident(w.rulename), pg_get_ruledef(w.oid), w.ev_enabled
            FROM pg_rewrite w
            JOIN pg_class c ON c.oid = w.ev_class
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE w.rulename <> '_RETURN' AND {USER_OR_OWN_TEMPORARY_SCHEMA}""",
    ),
    Query(
        "policies",
        "row security policies",
        f"""SELECT p.oid, p.polrelid, p.polname, quote_ident(p.polname), p.polcmd, p.polpermissive,
                ARRAY(SELECT CASE WHEN role = 0 THEN '' ELSE pg_get_userbyid(role)::text END
                      FROM unnest(p.polroles) AS role),
                pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
            FROM pg_policy p
            JOIN pg_class c ON c.oid = p.polrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE {USER_OR_OWN_TEMPORARY_SCHEMA}""",
    ),
    Query(
        "event_triggers",
        "event triggers",
        f"""SELECT e.oid, e.evtname, quote_ident(e.evtname), e.evtevent, e.evttags,
                {qualified("n.nspname", "p.proname")}, e.evtfoid, e.evtenabled, pg_get_userbyid(e.evtowner)
            FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid
            JOIN pg_namespace n ON n.oid = p.pronamespace""",
    ),
)


def build_triggers(rows: Rows, context: Context) -> list[tuple[int, Trigger]]:
    """The triggers, each with the oid of its relation."""
    return [
        (
            relation,
            Trigger(
                oid,
                context.relation_names[relation],
                name,
                quoted,
                definition,
                ENABLED[enabled],
                function,
                function_oid,
                constraint,
                parent,
                context.comment(PG_TRIGGER, oid),
            ),
        )
        for (
            oid,
            relation,
            name,
            quoted,
            definition,
            enabled,
            function,
            function_oid,
            constraint,
            parent,
        ) in rows.get("triggers", ())
        if relation in context.relation_names
    ]


def build_rules(rows: Rows, context: Context) -> list[tuple[int, Rule]]:
    """The rules, each with the oid of its relation."""
    return [
        (
            relation,
            Rule(
                oid,
                context.relation_names[relation],
                name,
                quoted,
                definition,
                ENABLED[enabled],
                context.comment(PG_REWRITE, oid),
            ),
        )
        for oid, relation, name, quoted, definition, enabled in rows.get("rules", ())
        if relation in context.relation_names
    ]


def build_policies(rows: Rows, context: Context) -> list[tuple[int, Policy]]:
    """The policies, each with the oid of its relation."""
    return [
        (
            relation,
            Policy(
                oid,
                context.relation_names[relation],
                name,
                quoted,
                COMMANDS[command],
                permissive,
                tuple(sorted(roles)),
                using,
                with_check,
                context.comment(PG_POLICY, oid),
            ),
        )
        for oid, relation, name, quoted, command, permissive, roles, using, with_check in rows.get("policies", ())
        if relation in context.relation_names
    ]


def build_event_triggers(rows: Rows, context: Context) -> list[EventTrigger]:
    """The event triggers."""
    return [
        EventTrigger(
            oid,
            name,
            quoted,
            event,
            tuple(sorted(tags or ())),
            function,
            function_oid,
            ENABLED[enabled],
            owner,
            context.comment(PG_EVENT_TRIGGER, oid),
            context.extension(PG_EVENT_TRIGGER, oid),
        )
        for oid, name, quoted, event, tags, function, function_oid, enabled, owner in rows.get("event_triggers", ())
    ]
