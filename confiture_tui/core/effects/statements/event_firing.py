"""What the event triggers of the database do at a command.

They fire for the command itself, not for those that it is made of (the sequence of a serial column, an element of
CREATE SCHEMA).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from confiture_tui.core.catalog.models.objects import OtherObject
from confiture_tui.core.effects.queries.calls import run_routine
from confiture_tui.core.effects.queries.running import unknown
from confiture_tui.core.effects.statements.event_triggers import ENABLED, fires

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

_OFF = frozenset({"off", "false", "no", "0"})
_REWRITING = frozenset({"ALTER TABLE", "ALTER TYPE", "ALTER MATERIALIZED VIEW"})
_OF_THE_SERVER = frozenset(
    {"OBJECT_DATABASE", "OBJECT_TABLESPACE", "OBJECT_PARAMETER_ACL", "OBJECT_ROLE", "OBJECT_EVENT_TRIGGER"}
)


class _Firing(NamedTuple):
    """An event trigger: when it fires (every tag: no tags), and its function."""

    name: str
    event: str
    tags: frozenset[str]
    function: int


def run_event_triggers(step: Step, *, before: bool) -> None:
    """Read what the event triggers of a statement do: those that run before it, or after it.

    Args:
        step: of the statement.
        before: it has not been read yet.
    """
    catalog = step.schema.catalog
    if catalog is None or not (catalog.event_triggers or step.schema.other(*ENABLED) is not None):
        return
    tag = _tag(step)
    if not fires(tag, step.schema.server_version_num // 10000) or step.settings.get("event_triggers", "on") in _OFF:
        return
    for one in _in_order(step):
        if one.tags and tag not in one.tags:
            continue
        match one.event:
            case "ddl_command_start" if before:
                _run(step, one, maybe=False)
            case "ddl_command_end" if not before:
                _run(step, one, maybe=False)
            case "sql_drop" if not before and (tag.startswith(("DROP ", "ALTER ")) or tag == "CREATE SCHEMA"):
                _run(step, one, maybe=True)
            case "table_rewrite" if not before and tag in _REWRITING and step.rewrites:
                _run(step, one, maybe=True)


def _tag(step: Step) -> str:
    node = step.statement.node or {}
    if step.statement.node_kind == "SelectStmt":
        return "SELECT INTO" if "intoClause" in node else ""
    if str(node.get("objtype") or node.get("renameType") or node.get("objectType") or "") in _OF_THE_SERVER:
        return ""
    return step.statement.tag


def _in_order(step: Step) -> Iterator[_Firing]:
    """Those that are there and enabled, by name."""
    catalog = step.schema.catalog
    found: dict[str, _Firing] = {}
    states = step.now.other(*ENABLED)
    for trigger in catalog.event_triggers.values() if catalog is not None else ():
        on = trigger.enabled not in ("disabled", "replica")
        if isinstance(states, dict):
            on = states.get(trigger.quoted_name, on)
        if on and step.now.other("event trigger", trigger.quoted_name) is None:
            tags = frozenset(one.upper() for one in trigger.tags)
            found[trigger.name] = _Firing(trigger.quoted_name, trigger.event, tags, trigger.function_oid)
    for made in step.now.others():
        if isinstance(made, OtherObject) and made.kind == "event trigger":
            properties = dict(made.properties)
            tags = frozenset(filter(None, (properties.get("tags") or "").split(",")))
            function = int(properties.get("function") or 0)
            found[made.identity] = _Firing(made.identity, properties.get("event") or "", tags, function)
    for _name, one in sorted(found.items()):
        if not isinstance(states, dict) or states.get(one.name, True):
            yield one


def _run(step: Step, trigger: _Firing, *, maybe: bool) -> None:
    routine = step.now.routine_by_oid(trigger.function)
    if routine is None:
        unknown(step, f"what the event trigger {trigger.name} does is not known")
        return
    run_routine(step, routine, maybe=maybe)
