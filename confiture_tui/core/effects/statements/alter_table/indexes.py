"""ALTER INDEX, and ALTER TABLE on an index: they lock the index, and the table hardly at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.statements.alter_table.partition_parts import same_index
from confiture_tui.core.effects.statements.alter_table.storage import option_text
from confiture_tui.core.effects.statements.parameters import refuse_index_parameter
from confiture_tui.core.effects.statements.targets import find_existing

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_ALLOWED = frozenset(
    {"AT_SetStatistics", "AT_SetTableSpace", "AT_SetRelOptions", "AT_ResetRelOptions", "AT_ChangeOwner"}
)


def alter_index(step: Step, found: Found, commands: list[Node]) -> None:
    """Read the sub-commands of an ALTER on an index."""
    index = found.object if isinstance(found.object, Index) else None
    for number, command in enumerate(commands):
        step.command = number
        subtype = command["subtype"]
        if subtype == "AT_AttachPartition":
            if "bound" in command["def"]["PartitionCmd"]:
                step.refuse("42P17", f'"{found.key[-1]}" is not a partitioned table')
            _attach(step, found, index, command)
            continue
        sets = subtype in ("AT_SetRelOptions", "AT_ResetRelOptions")
        if subtype not in _ALLOWED or (sets and index is not None and index.is_partitioned):
            step.refuse("42809", f'ALTER action cannot be performed on relation "{found.key[-1]}"')
        if subtype == "AT_SetStatistics" and index is not None:
            _refuse_statistics(step, index, command.get("num", 0))
        if subtype == "AT_SetTableSpace":
            index = _move(step, found, index, command["name"])
        elif sets and index is not None:
            index = _options(step, index, command)
    step.command = None


def _refuse_statistics(step: Step, index: Index, number: int) -> None:
    """Statistics are kept of an index's expressions only."""
    if number > len(index.key_columns) + len(index.included_columns):
        step.refuse("42703", f'column number {number} of relation "{index.name}" does not exist')
    if 0 < number <= len(index.key_columns) and index.key_columns[number - 1] is not None:
        step.refuse("0A000", f'cannot alter statistics on non-expression column of index "{index.name}"')


def _move(step: Step, found: Found, index: Index | None, tablespace: str) -> Index | None:
    if tablespace not in ("pg_default", index.tablespace if index is not None else None):
        step.may_fail("42704", f'tablespace "{tablespace}" may not exist')
    if index is None:
        step.rebuild(found.name, found, f"the index's file is copied to {tablespace}")
        return None
    wanted = None if tablespace == "pg_default" else tablespace
    if index.tablespace == wanted:
        return index
    if not index.is_partitioned:
        step.rebuild(index, index.relation, f"the index's file is copied to {tablespace}")
    index = replace(index, tablespace=wanted)
    step.change.put(index)
    return index


def _options(step: Step, index: Index, command: Node) -> Index:
    kept = dict(one.partition("=")[::2] for one in index.options)
    for one in command.get("def", {}).get("List", {}).get("items", ()):
        element = one["DefElem"]
        if command["subtype"] == "AT_ResetRelOptions":
            kept.pop(element.get("defname", ""), None)
        else:
            refuse_index_parameter(step, element, index.access_method)
            kept[element.get("defname", "")] = option_text(element.get("arg"))
    index = replace(index, options=tuple(f"{name}={value}" for name, value in kept.items()))
    step.change.put(index)
    return index


_COMPARED = ("key_columns", "included_columns", "access_method", "unique")
# What is plain of an index: the texts of expressions and predicates may be written in several ways.


def _attach(step: Step, found: Found, index: Index | None, command: Node) -> None:
    """An index of a partition becomes part of its parent's index; the tables are looked at."""
    part = find_existing(step, command["def"]["PartitionCmd"]["name"])
    if part is None:
        return
    if index is None or not isinstance(part.object, Index):
        if part.known and not isinstance(part.object, Index):
            step.refuse("42P17", f'"{part.key[-1]}" is not an index')
        step.unknown_reach("the tables of the indexes are not known")
        return
    if not index.is_partitioned:
        step.refuse("42809", f'"{index.name}" is not a partitioned index')
    for one in (index, part.object):
        step.lock(one.relation, LockMode.ACCESS_SHARE, "the tables of the indexes are looked at")
    if part.object.parent == index.qualified_name:
        return
    refusal = f'cannot attach index "{part.object.name}" as a partition of index "{index.name}"'
    if part.object.parent is not None:
        step.refuse("55000", refusal)
    table = step.now.find(part.object.relation).relation
    parents = step.now.parents(table) if table is not None else ()
    if index.relation_oid not in [one.oid for one in parents]:
        step.refuse("55000", refusal)
    if table is not None and any(one.parent == index.qualified_name for one in table.indexes):
        step.refuse("55000", refusal)
    if any(getattr(part.object, one) != getattr(index, one) for one in _COMPARED) or (
        (part.object.predicate is None) != (index.predicate is None)
    ):
        step.refuse("42P17", refusal)
    if not same_index(part.object, index):
        step.may_fail("42P17", f"the definitions of {part.object.name} and {index.name} may not match")
    step.change.put(replace(part.object, parent=index.qualified_name))
    _validate_parent(step, index)


def _validate_parent(step: Step, index: Index) -> None:
    """A partitioned index becomes valid once every partition has its part."""
    table = step.now.by_oid(index.relation_oid)
    children = step.now.children(table) if isinstance(table, Relation) else ()
    if all(any(one.parent == index.qualified_name and one.valid for one in child.indexes) for child in children):
        step.change.put(replace(index, valid=True))
