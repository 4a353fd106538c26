"""CREATE SEQUENCE and ALTER SEQUENCE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Persistence, Sequence
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.changes import blank_sequence
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.creation import is_taken, new_relation, refuse_taken_relation
from confiture_tui.core.effects.statements.definitions import type_text
from confiture_tui.core.effects.statements.named_objects import names_of, relation_name
from confiture_tui.core.effects.statements.options import option_text
from confiture_tui.core.effects.statements.targets import find_existing
from confiture_tui.core.sql.identifiers import qualified_name

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_UNLOGGED = 150000
"""From this version on sequences may be unlogged."""
_LIMITS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


def read_create_sequence(node: Node, step: Step) -> None:
    """CREATE SEQUENCE"""
    schema, name = new_relation(step, node["sequence"])
    if node.get("if_not_exists") and is_taken(step, schema, name):
        step.note(f"relation {name} already exists, skipping")
        return
    persistence = node["sequence"].get("relpersistence")
    if persistence == "u" and step.schema.known and step.schema.server_version_num < _UNLOGGED:
        step.refuse("0A000", "unlogged sequences are not supported")
    refuse_taken_relation(step, schema, name)
    temporary = persistence == "t"
    sequence = blank_sequence(step.change.new_oid(), schema, name, qualified_name(schema, name))
    if temporary:
        sequence = replace(sequence, persistence=Persistence.TEMPORARY)
    sequence = _with_options(step, sequence, node.get("options", []), created=True)
    step.create(sequence)
    step.change.put(sequence)


def read_alter_sequence(node: Node, step: Step) -> None:
    """ALTER SEQUENCE: its row is written anew for anything but OWNED BY."""
    found = find_existing(step, node["sequence"], missing_ok=bool(node.get("missing_ok")))
    if found is None:
        return
    sequence = found.object
    if sequence is not None and not isinstance(sequence, Sequence):
        step.refuse("42809", f'cannot open relation "{found.key[1]}"')
    step.lock(found, LockMode.SHARE_ROW_EXCLUSIVE, "ALTER SEQUENCE locks out nextval()")
    options = node.get("options", [])
    names = {one["DefElem"].get("defname") for one in options}
    if names - {"owned_by"}:
        step.rewrite(found, "ALTER SEQUENCE writes its row anew")
    if sequence is None:
        for one in options:
            if one["DefElem"].get("defname") == "owned_by":
                _owner(step, one["DefElem"], None)
        return
    step.change.put(_with_options(step, sequence, options, created=False))


def _with_options(step: Step, sequence: Sequence, options: list[Node], *, created: bool) -> Sequence:
    values: dict[str, int | None] = {}
    for one in options:
        element = one["DefElem"]
        name = str(element.get("defname"))
        if name == "as":
            kind = type_text(element["arg"]["TypeName"], step.now)
            if kind not in _LIMITS:
                step.refuse("22023", "sequence type must be smallint, integer, or bigint")
            if sequence.maximum == _LIMITS.get(sequence.type) or sequence.maximum > _LIMITS[kind]:
                sequence = replace(sequence, maximum=_LIMITS[kind])
            sequence = replace(sequence, type=kind)
        elif name == "owned_by":
            sequence = _owner(step, element, sequence) or sequence
        elif name == "cycle":
            sequence = replace(sequence, cycles=option_text(element.get("arg")).lower() not in ("false", ""))
        elif name in ("increment", "minvalue", "maxvalue", "start", "cache", "restart"):
            values[name] = _number(element.get("arg"))
    if values.get("increment") == 0:
        step.refuse("22023", "INCREMENT must not be zero")
    increment = values.get("increment") or sequence.increment
    minimum, maximum = values.get("minvalue"), values.get("maxvalue")
    if minimum is None:
        minimum = sequence.minimum if increment > 0 or not created else -_LIMITS[sequence.type] - 1
    if maximum is None:
        maximum = sequence.maximum if increment > 0 or not created else -1
    if minimum >= maximum:
        step.refuse("22023", f"MINVALUE ({minimum}) must be less than MAXVALUE ({maximum})")
    start = values.get("start")
    if start is None:
        start = (minimum if increment > 0 else maximum) if created else sequence.start
    if start < minimum or start > maximum:
        step.refuse("22023", f"START value ({start}) must be between MINVALUE and MAXVALUE")
    restart = values.get("restart")
    if restart is not None and not minimum <= restart <= maximum:
        step.refuse("22023", f"RESTART value ({restart}) must be between MINVALUE and MAXVALUE")
    if not created and {"minvalue", "maxvalue"} & values.keys():
        step.may_fail("22023", "its last value may lie outside the new limits")
    return replace(sequence, increment=increment, minimum=minimum, maximum=maximum, start=start)


def _number(argument: Node | None) -> int | None:
    text = option_text(argument)
    try:
        return int(text)
    except ValueError:
        return None


def _owner(step: Step, element: Node, sequence: Sequence | None) -> Sequence | None:
    """OWNED BY table.column, or NONE."""
    *table_names, column_name = names_of(element["arg"])
    if not table_names:
        if column_name.lower() != "none":
            step.refuse("42601", "invalid OWNED BY option")
        if sequence is not None and sequence.identity:
            step.refuse("0A000", "cannot change ownership of identity sequence")
        return replace(sequence, owned_by=None, owned_by_oid=0, owned_by_number=0) if sequence else None
    found = find_existing(step, relation_name(tuple(table_names), step))
    if found is None:
        return None
    step.lock(found, LockMode.ACCESS_SHARE, "OWNED BY looks at the column")
    relation = found.relation
    if relation is None or not found.known or sequence is None:
        return None
    if sequence.identity:
        step.refuse("0A000", "cannot change ownership of identity sequence")
    if relation.schema != sequence.schema:
        step.refuse("55000", "sequence must be in same schema as table it is linked to")
    column = relation.column(column_name)
    if column is None:
        step.refuse("42703", f'column "{column_name}" of relation "{relation.name}" does not exist')
    return replace(sequence, owned_by=column.qualified_name, owned_by_oid=relation.oid, owned_by_number=column.number)
