"""CREATE and ALTER EVENT TRIGGER."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_PROC, ObjectAddress
from confiture_tui.core.effects.statements.definitions import names_in
from confiture_tui.core.effects.statements.made_objects import is_there, make
from confiture_tui.core.effects.statements.settings import major_of
from confiture_tui.core.effects.statements.triggers import trigger_function
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_EVENTS = {"ddl_command_start": 0, "ddl_command_end": 0, "sql_drop": 0, "table_rewrite": 0, "login": 17}
"""The events, and the first major version that knows each."""
_KINDS = (
    "ACCESS METHOD|AGGREGATE|CAST|COLLATION|CONSTRAINT|CONVERSION|DOMAIN|EXTENSION|FOREIGN DATA WRAPPER|FOREIGN TABLE|"
    "FUNCTION|INDEX|LANGUAGE|MATERIALIZED VIEW|OPERATOR|OPERATOR CLASS|OPERATOR FAMILY|POLICY|PROCEDURE|PUBLICATION|"
    "ROUTINE|RULE|SCHEMA|SEQUENCE|SERVER|STATISTICS|SUBSCRIPTION|TABLE|TEXT SEARCH CONFIGURATION|"
    "TEXT SEARCH DICTIONARY|TEXT SEARCH PARSER|TEXT SEARCH TEMPLATE|TRANSFORM|TRIGGER|TYPE|USER MAPPING|VIEW"
)
_OTHERS = (
    "ALTER DEFAULT PRIVILEGES|ALTER LARGE OBJECT|COMMENT|CREATE TABLE AS|DROP OWNED|GRANT|IMPORT FOREIGN SCHEMA|LOGIN|"
    "REFRESH MATERIALIZED VIEW|REINDEX|REVOKE|SECURITY LABEL|SELECT INTO"
)
_WITHOUT = (
    "ALTER SYSTEM|ANALYZE|BEGIN|CALL|CHECKPOINT|CLOSE|CLUSTER|COMMIT|COPY|DEALLOCATE|DECLARE CURSOR|DELETE|DISCARD|"
    "DISCARD ALL|DO|EXECUTE|EXPLAIN|FETCH|GRANT ROLE|INSERT|LISTEN|LOAD|LOCK TABLE|MERGE|MOVE|NOTIFY|PREPARE|"
    "REASSIGN OWNED|RESET|REVOKE ROLE|SELECT|SET|SET CONSTRAINTS|SHOW|START TRANSACTION|TRUNCATE TABLE|UNLISTEN|"
    "UPDATE|VACUUM"
)
_OF_THE_SERVER = "DATABASE|EVENT TRIGGER|ROLE|TABLESPACE"
_SINCE = {"LOGIN": 17, "REINDEX": 17, "MERGE": 15}


def _tags(kinds: str, others: str) -> frozenset[str]:
    made = {f"{verb} {kind}" for verb in ("CREATE", "ALTER", "DROP") for kind in kinds.split("|")}
    return frozenset(made | set(others.split("|")))


_FIRING, _QUIET = _tags(_KINDS, _OTHERS), _tags(_OF_THE_SERVER, _WITHOUT)
# Tags that may be filtered by, and some for which no trigger fires: PostgreSQL documentation, "Event Trigger Firing
# Matrix", and src/include/tcop/cmdtaglist.h.


ENABLED = ("event triggers enabled", "")
"""Under this key of the schema's other objects: which event triggers the files have enabled, disabled or made."""


def read_create_event_trigger(node: Node, step: Step) -> None:
    """CREATE EVENT TRIGGER: from then on it runs at every such command."""
    catalog, major = step.schema.catalog, major_of(step)
    if catalog is not None and not catalog.session.is_superuser:
        step.refuse("42501", f'permission denied to create event trigger "{node["trigname"]}"')
    event = str(node.get("eventname"))
    if event not in _EVENTS or (major is not None and major < _EVENTS[event]):
        step.refuse("42601", f'unrecognized event name "{event}"')
    for one in node.get("whenclause", ()):
        element = one["DefElem"]
        if element.get("defname") != "tag":
            step.refuse("42601", f'unrecognized filter variable "{element.get("defname")}"')
        for tag in names_in(element.get("arg", {}).get("List", {}), "items"):
            _refuse_tag(step, tag.upper(), event, major)
    name = quote_identifier(str(node["trigname"]))
    if step.now.other("event trigger", name) is None and _is_in_catalog(step, node):
        step.refuse("42710", f"event trigger {name} already exists")
    function = trigger_function(step, names_in(node, "funcname"), "event_trigger")
    needs = [ObjectAddress(PG_PROC, function.oid)] if function is not None else []
    tags = [
        tag.upper() for one in node.get("whenclause", ()) for tag in names_in(one["DefElem"]["arg"]["List"], "items")
    ]
    properties = {"event": event, "tags": ",".join(tags), "function": str(function.oid if function is not None else 0)}
    make(step, "event trigger", name, needs=needs, properties=properties)
    _switch(step, name, on=True)


def _switch(step: Step, name: str, *, on: bool) -> None:
    states = step.now.other(*ENABLED)
    step.change.put_other(*ENABLED, {**(states if isinstance(states, dict) else {}), name: on})


def _is_in_catalog(step: Step, node: Node) -> bool:
    """Whether the catalog lists it; what the files have done to it since they have said themselves."""
    catalog = step.schema.catalog
    return catalog is not None and (node["trigname"],) in catalog.event_triggers


def _refuse_tag(step: Step, tag: str, event: str, major: int | None) -> None:
    newer = major is not None and major < _SINCE.get(tag, 0)
    if event == "login":
        step.refuse("0A000", "tag filtering is not supported for login event triggers")
    if (tag in _QUIET and not newer) or (tag == "REINDEX" and newer):
        step.refuse("0A000", f"event triggers are not supported for {tag}")
    if tag not in _FIRING or newer:
        step.refuse("42601", f'filter value "{tag}" not recognized for filter variable "tag"')
    if event == "table_rewrite" and tag not in ("ALTER TABLE", "ALTER TYPE", "ALTER MATERIALIZED VIEW"):
        step.refuse("0A000", f"event triggers for table_rewrite are not supported for {tag}")


def fires(tag: str, major: int) -> bool:
    """Whether event triggers fire for commands of that tag on a server of that major version."""
    return tag in _FIRING and major >= _SINCE.get(tag, 0)


def read_alter_event_trigger(node: Node, step: Step) -> None:
    """ALTER EVENT TRIGGER … ENABLE or DISABLE"""
    catalog = step.schema.catalog
    name = quote_identifier(str(node["trigname"]))
    if catalog is None:
        return
    found = step.now.other("event trigger", name)
    if not is_there(found) and (found is False or not _is_in_catalog(step, node)):
        step.refuse("42704", f"event trigger {name} does not exist")
    _switch(step, name, on=node.get("tgenabled") in ("O", "A"))
