"""INSERT, UPDATE, DELETE, MERGE and COPY."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.expressions.reads import Read
from confiture_tui.core.effects.expressions.scope import Entry, columns_of
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.pruning import reached
from confiture_tui.core.effects.queries.assignments import missing_column
from confiture_tui.core.effects.queries.inserts import note_ancestors, note_default, read_insert
from confiture_tui.core.effects.queries.merges import read_merge
from confiture_tui.core.effects.queries.noting import note, note_scan, reader_for
from confiture_tui.core.effects.queries.rows import INSERT, note_assumed_failures, note_rows
from confiture_tui.core.effects.queries.running import note_data
from confiture_tui.core.effects.queries.targets import target_of
from confiture_tui.core.effects.queries.updates import read_delete, read_update
from confiture_tui.core.effects.schema import Presence
from confiture_tui.core.effects.statements.known_options import refuse_copy_options

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

__all__ = ["read_copy", "read_delete", "read_insert", "read_merge", "read_update"]


def read_copy(node: Node, step: Step) -> None:
    """COPY … FROM writes rows as INSERT does; COPY … TO reads a table, or runs a query."""
    refuse_copy_options(step, node)
    if node.get("is_program") or "filename" in node:
        step.note("COPY with a file or a program reaches outside the database, and no ROLLBACK takes that back")
        step.may_fail("58P01", "the file on the server may not be there")
        step.may_fail("42501", "the server may not be allowed to open the file, or the role to use files and programs")
        if node.get("is_program"):
            step.may_fail("38000", "the program may fail")
        elif not node.get("is_from") and not str(node.get("filename", "/")).startswith("/"):
            step.refuse("42602", "relative path not allowed for COPY to file")
    query = node.get("query")
    if query is not None:
        ((kind, fields),) = query.items()
        if kind != "SelectStmt" and "returningClause" not in fields:
            step.refuse("0A000", "COPY query must have a RETURNING clause")
        step.run(kind, fields)
    elif node.get("is_from"):
        _copy_from(node, step)
    else:
        _copy_to(node, step)


def _copy_to(node: Node, step: Step) -> None:
    found = step.now.find(node["relation"])
    if found.presence is Presence.MISSING:
        step.refuse("42P01", f'relation "{node["relation"]["relname"]}" does not exist')
    step.lock(found, LockMode.ACCESS_SHARE, "it is read")
    relation = found.relation
    if not found.known or relation is None:
        step.unknown_reach("what the table is made of is not known without a catalog")
        step.may_fail("42P01", f"{found.name} may not exist")
        step.may_fail("42703", f"{found.name} may not have these columns")
        step.may_fail("42809", f"{found.name} may be no table")
    elif relation.kind is not RelationKind.TABLE:
        copies_matviews = step.now.server_version_num >= 180000
        if relation.kind is not RelationKind.MATERIALIZED_VIEW or not copies_matviews:
            step.refuse("42809", f'cannot copy from {relation.kind} "{relation.name}"')
    else:
        _require_columns(step, relation, node)
    if relation is not None and found.known:
        _require_quoted(step, relation, node)
    note_scan(step, Read(found, LockMode.ACCESS_SHARE, only=True))


def _require_quoted(step: Step, relation: Relation, node: Node) -> None:
    for one in node.get("options", ()):
        if one["DefElem"].get("defname") in ("force_quote", "force_null", "force_not_null"):
            for name in one["DefElem"].get("arg", {}).get("List", {}).get("items", ()):
                if relation.column(name["String"]["sval"]) is None:
                    step.refuse(*missing_column(relation, name["String"]["sval"]))


def _copy_from(node: Node, step: Step) -> None:
    target = target_of(step, node["relation"], INSERT)
    data = step.statement.copy_data
    empty = data is not None and not data.strip("\r\n")
    if not empty and not target.replaced:
        note_data(step, target.found, changes=True if data is not None else None)
        step.write(target.found, "rows are copied into it")
    if not target.found.known:
        note_assumed_failures(step, target.found.name)
    named = target.found.relation if target.found.known else None
    if named is not None and named.kind is RelationKind.VIEW and target.relation is not None:
        step.refuse("42809", f'cannot copy to view "{named.name}"')
    relation = target.relation
    reader = reader_for(step)
    if relation is not None:
        reader.scope.entries.append(Entry(relation.name, columns_of(relation)))
        reader.read(node.get("whereClause"))
        note(step, reader)
    if "header" in {one["DefElem"].get("defname") for one in node.get("options", ())}:
        step.may_fail("22P04", "the data's first line may not be what it is to be")
    step.may_fail("22P04", "a line of the data may have another number of columns")
    step.may_fail("22P02", "a value in the data may not be one of its column's type")
    if relation is None:
        return
    names = _require_columns(step, relation, node)
    for column in relation.columns:
        if column.name not in names:
            note_default(step, relation, column)
        elif column.not_null:
            step.may_fail("23502", f'column "{column.name}" may be given NULL')
    note_ancestors(step, relation)
    members = [relation]
    if relation.is_partition:
        step.may_fail("23514", "a row may be out of the partition's bounds")
    if relation.kind is RelationKind.PARTITIONED_TABLE:
        step.may_fail("23514", "there may be no partition for a row")
        members += reached(relation, step.now)
        for member in members[1:]:
            if not empty:
                step.lock(member, LockMode.ROW_EXCLUSIVE, "new rows go to the partition")
    filled = names | {one.name for one in relation.columns if one.default is not None or one.identity is not None}
    for member in members:
        if member is relation or member.kind is RelationKind.TABLE:
            note_rows(step, member, INSERT, columns=filled, empty=empty)


def _require_columns(step: Step, relation: Relation, node: Node) -> set[str]:
    """The columns that are copied; the statement is refused when one is not there."""
    names = [one["String"].get("sval", "") for one in node.get("attlist", ())]
    for name in names:
        column = relation.column(name)
        if column is None:
            step.refuse(*missing_column(relation, name))
        if column.generated is not None:
            step.refuse("42P10", f'column "{name}" is a generated column')
    return set(names) or {column.name for column in relation.columns if column.generated is None}
