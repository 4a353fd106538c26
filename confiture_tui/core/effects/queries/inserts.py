"""INSERT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.expressions.base import NOTHING, Reader
from confiture_tui.core.effects.expressions.policies import read_policies
from confiture_tui.core.effects.expressions.queries import read_with
from confiture_tui.core.effects.expressions.reads import Value
from confiture_tui.core.effects.expressions.scope import Entry, Scope, ScopeColumn, columns_of
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.pruning import ancestors, has_home, partitions_of_row
from confiture_tui.core.effects.queries.assignments import mismatch, missing_column, written
from confiture_tui.core.effects.queries.calls import note_calls
from confiture_tui.core.effects.queries.common_table import note_writes
from confiture_tui.core.effects.queries.noting import note, note_assignment, reader_for
from confiture_tui.core.effects.queries.published import refuse_unidentified
from confiture_tui.core.effects.queries.returning import read_returning
from confiture_tui.core.effects.queries.rows import (
    INSERT,
    UPDATE,
    has_row_trigger,
    note_assumed_failures,
    note_rows,
    parsed_expression,
)
from confiture_tui.core.effects.queries.running import note_data
from confiture_tui.core.effects.queries.targets import Target, target_of
from confiture_tui.core.effects.type_names import UNKNOWN, user_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confiture_tui.core.catalog.models.columns import Column
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]


def read_insert(node: Node, step: Step, *, execute: bool = True, scope: Scope | None = None) -> None:
    """INSERT: ROW EXCLUSIVE on the table, and all that new rows reach."""
    target = target_of(step, node["relation"], INSERT, execute=execute)
    reader = reader_for(step, Scope(outer=scope, variables=step.variables) if scope is not None else None)
    reader.walk(read_with(reader, node.get("withClause")))
    names = [one["ResTarget"]["name"] for one in node.get("cols", ())]
    in_parts = [place for place, one in enumerate(node.get("cols", ())) if "indirection" in one["ResTarget"]]
    if not in_parts:
        _refuse_twice(step, names)
    select = node.get("selectStmt", {}).get("SelectStmt")
    rows, inserted, outputs = _source(reader, select)
    for row in rows:
        for place in in_parts:
            # A value of an element or field, whose type is not the column's.
            row[place : place + 1] = [NOTHING] * len(row[place : place + 1])
    if execute and not target.replaced:
        # Through a view it is the table behind it that changes.
        written_to = target.relation or target.found
        note_data(step, written_to, changes=_certainly_inserts(node, select))
        step.write(written_to, "rows are inserted")
    _read_rest(reader, node, target)
    if target.relation is not None:
        reader.walk(read_policies(reader, target.relation, "INSERT"))
    note(step, reader, execute=execute)
    note_writes(step, reader, execute=execute)
    relation = target.relation
    if relation is None:
        _check_widths(step, names, rows)
        if outputs is not None:
            _check_width(step, names, len(outputs))
        if execute and not target.found.known:
            note_assumed_failures(step, target.found.name)
        return
    if target.columns is not None:
        names = [target.columns.get(name, name) for name in names] or list(target.columns.values())
    columns = _columns(step, relation, names, rows, node, outputs)
    if "onConflictClause" in node:
        _refuse_new_values(step, relation if target.columns is None else None, node["onConflictClause"])
    if "onConflictClause" in node and target.direct:
        _refuse_conflict(step, relation, node["onConflictClause"].get("infer", {}))
    if columns is None or not execute:
        return
    _note_new_rows(step, relation, columns, rows, inserted, node)


def _certainly_inserts(node: Node, select: Node | None) -> bool | None:
    """Whether rows are inserted for certain; else ``None``: a condition decides."""
    if node.get("onConflictClause", {}).get("action") == "ONCONFLICT_NOTHING":
        return None
    if select is None or "valuesLists" in select:
        return True
    return None if {"whereClause", "larg", "limitCount", "havingClause"} & select.keys() else True


_Source = tuple[list[list[Value | None]], bool, list[Value] | None]


def _source(reader: Reader, select: Node | None) -> _Source:
    """The rows of VALUES, where ``None`` is DEFAULT; whether they are all rows, known one by one; a query's columns."""
    if select is None:
        return [[]], True, None
    if "valuesLists" not in select or "withClause" in select:
        columns = reader.walk(reader.visitors["SelectStmt"](reader, select))
        return [], False, None if columns is None else _outputs(columns, select)
    rows: list[list[Value | None]] = []
    for row in select["valuesLists"]:
        items = row.get("List", {}).get("items", [])
        rows.append([None if "SetToDefault" in item else reader.read(item) for item in items])
    return rows, True, None


def _outputs(columns: Mapping[str, ScopeColumn], select: Node) -> list[Value]:
    """The values that a query gives, as far as they are known: their types, and literals in quotes."""
    targets = [one.get("ResTarget", {}).get("val", {}) for one in select.get("targetList", ())]
    found = [Value(one.type) for one in columns.values()]
    if len(targets) == len(found):
        for place, target in enumerate(targets):
            text = target.get("A_Const", {}).get("sval")
            if text is not None and found[place].type == UNKNOWN:
                found[place] = Value(UNKNOWN, False, literal=str(text.get("sval", "")))
    return found


def _read_rest(reader: Reader, node: Node, target: Target) -> None:
    """ON CONFLICT and RETURNING, where the table's columns can be named, and those of the row that was refused."""
    relation = target.found.relation if target.found.known else None
    columns = columns_of(relation) if relation is not None else None
    alias = node["relation"].get("alias", {}).get("aliasname") or node["relation"]["relname"]
    reader.scope.entries = [Entry(alias, columns)]
    conflict = node.get("onConflictClause")
    if conflict is not None:
        reader.scope.entries.append(Entry("excluded", columns, by_name_only=True))
        reader.walk(reader.visit_anything(conflict.get("targetList", [])))
        reader.walk(reader.visit(conflict.get("whereClause")))
        reader.scope.entries.pop()
    read_returning(reader, node, columns)


def _refuse_twice(step: Step, names: list[str]) -> None:
    """A column is named once, whatever the table is; parts of one (an array's elements) may be several."""
    for name in names:
        if names.count(name) > 1:
            step.refuse("42701", f'column "{name}" specified more than once')


def _check_widths(step: Step, names: list[str], rows: list[list[Value | None]]) -> None:
    """What is wrong whatever the table is."""
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        step.refuse("42601", "VALUES lists must all be the same length")
    for width in widths:
        _check_width(step, names, width)


def _check_width(step: Step, names: Sequence[str], width: int) -> None:
    if names and width > len(names):
        step.refuse("42601", "INSERT has more expressions than target columns")
    if names and 0 < width < len(names):
        step.refuse("42601", "INSERT has more target columns than expressions")


def _columns(
    step: Step,
    relation: Relation,
    names: list[str],
    rows: list[list[Value | None]],
    node: Node,
    outputs: list[Value] | None,
) -> list[Column] | None:
    """The columns that get a value, in the order of the values; what is certain to be refused is noted."""
    columns: list[Column] = []
    for name in names:
        column = relation.column(name)
        if column is None:
            step.refuse(*missing_column(relation, name))
        columns.append(column)
    _check_widths(step, names, rows)
    width = max(map(len, rows), default=0)
    if outputs is not None:
        _check_outputs(step, columns if names else list(relation.columns), names, outputs, node)
        if not names:
            return list(relation.columns)[: len(outputs)]
    if not names:
        columns = list(relation.columns)
        if rows and width > len(columns):
            step.refuse("42601", "INSERT has more expressions than target columns")
        columns = columns[:width] if rows else columns
    override = str(node.get("override", ""))
    for place, column in enumerate(columns):
        defaults = [row[place] is None for row in rows] or [False]
        refusal = written(column, default=all(defaults), inserts=True, override=override)
        if refusal is not None and not (names == [] and not rows):
            step.fails(*refusal)
        for row in rows:
            value = row[place]
            if value is not None:
                note_assignment(step, column, value)
    return columns


def _check_outputs(step: Step, columns: list[Column], names: list[str], outputs: list[Value], node: Node) -> None:
    """The columns of a query, one after the other, are stored in those of the table."""
    _check_width(step, names or [column.name for column in columns][: max(len(outputs), 1)], len(outputs))
    if any("indirection" in one["ResTarget"] for one in node.get("cols", ())):
        return
    for column, output in zip(columns, outputs, strict=False):
        refusal = written(column, default=False, inserts=True, override=str(node.get("override", "")))
        if refusal is None:
            refusal = mismatch(column, output, step.now)
        if refusal is not None:
            step.fails(*refusal)


def _refuse_new_values(step: Step, relation: Relation | None, clause: Node) -> None:
    """DO UPDATE says of which conflict, and of columns that there are."""
    if clause.get("action") != "ONCONFLICT_UPDATE":
        return
    if not clause.get("infer"):
        step.refuse("42601", "ON CONFLICT DO UPDATE requires inference specification or constraint name")
    for one in clause.get("targetList", ()) if relation is not None else ():
        if relation is not None and relation.column(one["ResTarget"]["name"]) is None:
            step.refuse(*missing_column(relation, one["ResTarget"]["name"]))


def _refuse_conflict(step: Step, relation: Relation, infer: Node) -> None:
    """ON CONFLICT names a constraint, or columns that a unique index is over."""
    name = infer.get("conname")
    if name is not None and relation.constraint(name) is None:
        step.refuse("42704", f'constraint "{name}" for table "{relation.name}" does not exist')
    constraint = relation.constraint(name) if name is not None else None
    if constraint is not None and constraint.deferrable:
        step.refuse(
            "55000", "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters"
        )
    keys = [one["IndexElem"].get("name") for one in infer.get("indexElems", ())]
    for key in keys:
        if key is not None and relation.column(key) is None:
            step.refuse("42703", f'column "{key}" does not exist')
    if not keys or None in keys or step.now.is_partial(relation):
        return
    fitting = [one for one in relation.indexes if one.unique and set(one.key_columns) == set(keys)]
    whole = "whereClause" not in infer
    if not any(one.immediate and (not whole or one.predicate is None) for one in fitting):
        step.refuse("42P10", "there is no unique or exclusion constraint matching the ON CONFLICT specification")


def _note_new_rows(
    step: Step,
    relation: Relation,
    columns: list[Column],
    rows: list[list[Value | None]],
    listed: bool,
    node: Node,
) -> None:
    """Defaults, NOT NULL, partitions, and what hangs on the rows."""
    given = {column.name for column in columns}
    if node.get("override") == "OVERRIDING_USER_VALUE":
        given -= {column.name for column in columns if column.identity is not None}
    omitted = [column for column in relation.columns if column.name not in given]
    defaulted = [column for place, column in enumerate(columns) if any(row[place] is None for row in rows)]
    for column in (*omitted, *defaulted):
        note_default(step, relation, column)
    _note_nulls(step, relation, columns, omitted, rows, listed)
    # A column left to a default that is not NULL is written as well, and its foreign key is looked up.
    filled = {
        column.name
        for place, column in enumerate(columns)
        if not rows or any(row[place] is None or row[place].null is not True for row in rows)  # type: ignore[union-attr]
    }
    filled |= {column.name for column in omitted if column.default is not None or column.identity is not None}
    known = [_plain(columns, row) for row in rows]
    note_ancestors(step, relation)
    for member in _members(step, relation, columns, rows, listed):
        if member is not relation:
            step.lock(member, LockMode.ROW_EXCLUSIVE, "new rows go to the partition")
        if member.kind is RelationKind.TABLE or member is relation:
            note_rows(
                step,
                member,
                INSERT,
                columns=filled,
                rows=known,
                named=member is relation,
                skips_conflicts=_passes_over(node.get("onConflictClause", {})),
            )
        if node.get("onConflictClause", {}).get("action") == "ONCONFLICT_UPDATE":
            targets = node["onConflictClause"].get("targetList", ())
            refuse_unidentified(step, member, "update")
            note_rows(step, member, UPDATE, columns=[one["ResTarget"]["name"] for one in targets])


def _passes_over(conflict: Node) -> bool:
    """Whether rows are passed over whatever unique key they break; one that is deferrable is checked all the same."""
    return conflict.get("action") == "ONCONFLICT_NOTHING" and "infer" not in conflict


def _plain(columns: list[Column], row: list[Value | None]) -> dict[str, object]:
    """A row's values, as far as they are written plainly."""
    return {
        column.name: value.literal
        for column, value in zip(columns, row, strict=True)
        if value is not None and value.literal is not None
    }


def note_ancestors(step: Step, relation: Relation) -> None:
    """A row that is written to a partition by name is checked against its bounds, for which its parents are opened."""
    for parent in ancestors(relation, step.now):
        step.lock(parent, LockMode.ACCESS_SHARE, "the partition's bounds are looked up")


def note_default(step: Step, relation: Relation, column: Column) -> None:
    """What evaluating a column's default does: mostly, draw from a sequence."""
    if column.identity is not None:
        for sequence in step.now.owned_sequences(relation):
            if sequence.owned_by_number == column.number:
                step.lock(sequence, LockMode.ROW_EXCLUSIVE, f"{column.qualified_name} draws from it")
        return
    if column.default is None or column.generated is not None:
        return
    node = parsed_expression(column.default)
    if node is None:
        return
    reader = Reader(step.now)
    reader.read(node)
    note_calls(step, reader.facts)


def _note_nulls(
    step: Step,
    relation: Relation,
    columns: list[Column],
    omitted: list[Column],
    rows: Sequence[Sequence[Value | None]],
    listed: bool,
) -> None:
    """NULL for a column that is NOT NULL: certain where it is written, unless a trigger may put something there."""
    mended = has_row_trigger(relation, INSERT, before=True)
    _refuse_domain_nulls(step, columns, omitted, rows)
    for column in omitted:
        if column.not_null and column.default is None and column.identity is None:
            message = f'null value in column "{column.name}" of relation "{relation.name}" violates not-null constraint'
            if mended or not listed:
                step.may_fail("23502", message)
            else:
                step.fails("23502", message)
    for place, column in enumerate(columns):
        if not column.not_null or column.generated is not None:
            continue
        message = f'null value in column "{column.name}" of relation "{relation.name}" violates not-null constraint'
        values = [row[place] for row in rows]
        if not listed:
            step.may_fail("23502", message)
        elif any(
            (value is None and column.default is None and column.identity is None)
            or (value is not None and value.null is True)
            for value in values
        ):
            if mended:
                step.may_fail("23502", message)
            else:
                step.fails("23502", message)
        elif any(value is not None and value.null is None for value in values):
            step.may_fail("23502", message)


def _refuse_domain_nulls(
    step: Step, columns: list[Column], omitted: list[Column], rows: Sequence[Sequence[Value | None]]
) -> None:
    """A domain that is NOT NULL refuses NULL as soon as it is written, whatever a trigger would do."""
    given = [
        column
        for place, column in enumerate(columns)
        if any((value := row[place]) is not None and value.null is True for row in rows)
    ]
    left = [one for one in omitted if one.default is None and one.identity is None and one.generated is None]
    for column in (*given, *(left if rows else [])):
        domain = user_type(column.type, step.now)
        if domain is not None and domain.not_null and (column in given or domain.default is None):
            step.fails("23502", f"domain {domain.name} does not allow null values")


def _members(
    step: Step, relation: Relation, columns: list[Column], rows: list[list[Value | None]], listed: bool
) -> list[Relation]:
    """The table, and the partitions that the rows may go to."""
    if relation.kind is not RelationKind.PARTITIONED_TABLE:
        return [relation]
    found: dict[int, Relation] = {relation.oid: relation}
    if not listed:
        for one in partitions_of_row(relation, step.now, {}):
            found[one.oid] = one
        step.may_fail("23514", f"{relation.qualified_name}: there may be no partition for a row")
    absent = {
        column.name
        for column in relation.columns
        if column.name not in {one.name for one in columns}
        and not (column.default or column.identity or column.generated)
    }
    for row in rows:
        values = _plain(columns, row)
        nulls = absent | {
            column.name
            for column, value in zip(columns, row, strict=True)
            if (value.null is True if value is not None else not (column.default or column.identity))
        }
        if not has_home(relation, step.now, values, nulls):
            step.fails("23514", f'no partition of relation "{relation.name}" found for row')
        for one in partitions_of_row(relation, step.now, values, nulls):
            found[one.oid] = one
    return list(found.values())
