"""Giving things another name in the simulated schema, everywhere that the name is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, Sequence
from confiture_tui.core.catalog.names import split_name
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.written import Written, tree_of
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_tui.core.catalog.catalog import AnyRelation
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]


def rename_relation(step: Step, relation: AnyRelation, name: str) -> None:
    """A relation, index or sequence gets another name within its schema."""
    if isinstance(relation, Index):
        _rename_index(step, relation, name)
        return
    place_relation(step, relation, relation.schema, name)


def place_relation(step: Step, relation: Relation | Sequence, schema: str, name: str) -> None:
    """A relation or sequence gets another name or schema; whatever names it goes on doing so, its indexes follow."""
    full = qualified_name(schema, name)
    if isinstance(relation, Sequence):
        step.change.move(relation, replace(relation, schema=schema, name=name, qualified_name=full))
        return
    views_follow(step, relation, full)
    referencing, children = step.now.referencing(relation), step.now.children(relation)
    sequences = step.now.owned_sequences(relation)
    indexes = tuple(
        replace(one, schema=schema, qualified_name=qualified_name(schema, one.name), relation=full)
        for one in relation.indexes
    )
    placed = {index.oid: index.qualified_name for index in indexes}
    changed = replace(
        relation,
        schema=schema,
        name=name,
        qualified_name=full,
        columns=tuple(replace(one, relation=full) for one in relation.columns),
        constraints=tuple(
            replace(
                one,
                owner_name=full,
                index=placed.get(one.index_oid, one.index),
                referenced_relation=full if one.referenced_oid == relation.oid else one.referenced_relation,
            )
            for one in relation.constraints
        ),
        triggers=tuple(replace(one, relation=full) for one in relation.triggers),
        rules=tuple(replace(one, relation=full) for one in relation.rules),
        policies=tuple(replace(one, relation=full) for one in relation.policies),
        indexes=indexes,
    )
    step.change.move(relation, changed)
    for old, index in zip(relation.indexes, indexes, strict=True):
        if old.schema != schema:
            step.change.move(old, index)
        else:
            step.change.put(index)
    for other, _constraint in referencing:
        current = step.now.by_oid(other.oid)
        if isinstance(current, Relation) and other.oid != relation.oid:
            step.change.put(_referencing(current, relation.oid, full))
    for child in children:
        now = step.now.by_oid(child.oid)
        if isinstance(now, Relation):
            both = zip(now.parents, now.parent_oids, strict=True)
            step.change.put(replace(now, parents=tuple(full if oid == relation.oid else one for one, oid in both)))
    for old in relation.indexes:
        parts_follow(step, relation, old.qualified_name, placed[old.oid])
    for sequence in sequences:
        current_one = step.now.by_oid(sequence.oid)
        column = changed.column_numbered(sequence.owned_by_number)
        if isinstance(current_one, Sequence):
            owned_by = column.qualified_name if column is not None else full
            step.change.put(replace(current_one, owned_by=owned_by))
    types_follow(step, {relation.row_type_oid: full})


def parts_follow(step: Step, table: Relation, old: str, new: str) -> None:
    """The parts of a partitioned table's index name it by its new name."""
    if old == new:
        return
    for child in step.now.children(table):
        for index in child.indexes:
            if index.parent == old:
                step.change.put(replace(index, parent=new))


def types_follow(step: Step, names: Mapping[int, str]) -> None:
    """Columns of types with these oids have types of these names."""
    for oid, full in names.items():
        for relation, _column in step.now.columns_of_type(oid) if oid else ():
            current = step.now.by_oid(relation.oid)
            if isinstance(current, Relation):
                columns = tuple(replace(each, type=full) if each.type_oid == oid else each for each in current.columns)
                step.change.put(replace(current, columns=columns))


def views_follow(step: Step, relation: Relation, full: str) -> None:
    """The views that read a relation go on reading it: where their text names it, it gets the name to come."""
    for view in step.now.views_on(relation):
        if view.definition is None:
            continue
        written = tree_of(view.definition)
        changed = _renamed_query(view.definition, relation, full) if written is None else None
        if written is not None:
            changed = Written(_renamed_tree(written, relation, full))
        step.change.put(replace(view, definition=changed))


def _renamed_tree(tree: Any, relation: Relation, full: str) -> Any:
    """A query's tree with a table's new name, where it may be named with its schema or without."""
    if isinstance(tree, list):
        return [_renamed_tree(one, relation, full) for one in tree]
    if not isinstance(tree, dict):
        return tree
    copied = {key: _renamed_tree(value, relation, full) for key, value in tree.items()}
    one: Node = copied.get("RangeVar", {})
    if one.get("relname") == relation.name and one.get("schemaname", relation.schema) == relation.schema:
        schema, name = split_name(full)[-2:]
        alias = one.get("alias", {"aliasname": relation.name})
        copied["RangeVar"] = {**one, "schemaname": schema, "relname": name, "alias": alias}
    return copied


def _renamed_query(definition: str, relation: Relation, full: str) -> str | None:
    """A query's text with a table's new name; ``None`` where it cannot be read."""
    parsed = parse(definition.rstrip().removesuffix(";"))
    if isinstance(parsed, SyntaxProblem):
        return None
    text = definition.encode()
    old = relation.qualified_name.encode()
    for place, has_alias in sorted(_mentions(parsed[1], relation), reverse=True):
        if text[place : place + len(old)] != old:
            return None
        alias = "" if has_alias else f" {quote_identifier(relation.name)}"
        text = text[:place] + f"{full}{alias}".encode() + text[place + len(old) :]
    return text.decode()


def _mentions(tree: Node, relation: Relation) -> list[tuple[int, bool]]:
    """Where a query names a relation: 0-based byte offsets, and whether it gives it an alias."""
    found: list[tuple[int, bool]] = []
    waiting: list[Any] = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
            one = value.get("RangeVar")
            if one is not None and (one.get("schemaname"), one.get("relname")) == (relation.schema, relation.name):
                found.append((one.get("location", 0), "alias" in one))
    return found


def _referencing(other: Relation, oid: int, full: str) -> Relation:
    return replace(
        other,
        constraints=tuple(
            replace(one, referenced_relation=full) if one.referenced_oid == oid else one for one in other.constraints
        ),
    )


def _rename_index(step: Step, index: Index, name: str) -> None:
    """An index gets another name, and the constraint that owns it with it."""
    full = qualified_name(index.schema, name)
    renamed = replace(index, name=name, qualified_name=full)
    if index.constraint is not None:
        renamed = replace(renamed, constraint=quote_identifier(name))
    step.change.move(index, renamed)
    table = step.now.by_oid(index.relation_oid)
    if isinstance(table, Relation):
        parts_follow(step, table, index.qualified_name, full)
        step.change.put(
            replace(
                table,
                constraints=tuple(
                    replace(one, name=name, quoted_name=quote_identifier(name), index=full)
                    if one.index_oid == index.oid and one.kind is not ConstraintKind.FOREIGN_KEY
                    else one
                    for one in table.constraints
                ),
            )
        )


def rename_column(step: Step, relation: Relation, old: str, new: str) -> None:
    """A column gets another name, in constraints, indexes and the partition key too."""
    columns = tuple(
        replace(one, name=new, quoted_name=quote_identifier(new)) if one.name == old else one
        for one in relation.columns
    )
    partitioning = relation.partitioning
    if partitioning is not None:
        partitioning = replace(partitioning, columns=tuple(new if one == old else one for one in partitioning.columns))
    indexes = tuple(
        replace(
            one,
            key_columns=tuple(new if each == old else each for each in one.key_columns),
            included_columns=_named(one.included_columns, old, new),
        )
        for one in relation.indexes
    )
    before = relation.column(old)
    for view in step.now.views_on(relation, before) if before is not None else ():
        # Its text names the column as it was called, and cannot be read any more.
        step.change.put(replace(view, definition=None))
    referencing = step.now.referencing(relation)
    changed = replace(
        relation,
        columns=columns,
        partitioning=partitioning,
        indexes=indexes,
        constraints=tuple(_renamed_in(step, one, old, new) for one in relation.constraints),
    )
    step.change.put(changed)
    for index, was in zip(indexes, relation.indexes, strict=True):
        if index != was:
            step.change.put(index)
    for other, _constraint in referencing:
        current = step.now.by_oid(other.oid)
        if isinstance(current, Relation):
            step.change.put(
                replace(
                    current,
                    constraints=tuple(
                        replace(one, referenced_columns=_named(one.referenced_columns, old, new))
                        if one.referenced_oid == relation.oid
                        else one
                        for one in current.constraints
                    ),
                )
            )


def _named(names: tuple[str, ...], old: str, new: str) -> tuple[str, ...]:
    return tuple(new if one == old else one for one in names)


def _renamed_in(step: Step, constraint: Constraint, old: str, new: str) -> Constraint:
    if old not in constraint.columns:
        return constraint
    changed = replace(constraint, columns=_named(constraint.columns, old, new))
    if constraint.kind is not ConstraintKind.CHECK:
        return changed
    expression = step.now.check_expression(constraint)
    if expression is None:
        return changed
    # Its syntax tree is kept by its oid, and that of before still has the old name.
    changed = replace(changed, oid=step.change.new_oid())
    step.change.remember_expression(changed.oid, _with_column_renamed(expression, old, new))
    return changed


def _with_column_renamed(tree: Node, old: str, new: str) -> Node:
    """A copy of a syntax tree with a column's name changed; without recursion, since trees may be deep."""
    result: list[Any] = [None]
    waiting: list[tuple[Any, Any, Any]] = [(tree, result, 0)]
    while waiting:
        value, place, key = waiting.pop()
        if isinstance(value, dict):
            copy: Any = {}
            reference = value.get("ColumnRef")
            if reference is not None and reference["fields"][-1].get("String", {}).get("sval") == old:
                fields = [*reference["fields"][:-1], {"String": {"sval": new}}]
                value = {"ColumnRef": {**reference, "fields": fields}}
                place[key] = value
                continue
            waiting.extend((one, copy, name) for name, one in value.items())
        elif isinstance(value, list):
            copy = [None] * len(value)
            waiting.extend((one, copy, number) for number, one in enumerate(value))
        else:
            copy = value
        place[key] = copy
    renamed: Node = result[0]
    return renamed


def rename_constraint(step: Step, relation: Relation, old: str, new: str) -> None:
    """A constraint of a table gets another name; the index of a key with it."""
    constraint = relation.constraint(old)
    if constraint is None:
        return
    index = next((one for one in relation.indexes if one.oid == constraint.index_oid), None)
    if index is not None and constraint.kind is not ConstraintKind.FOREIGN_KEY:
        _rename_index(step, index, new)
        return
    step.change.put(
        replace(
            relation,
            constraints=tuple(
                replace(one, name=new, quoted_name=quote_identifier(new)) if one.oid == constraint.oid else one
                for one in relation.constraints
            ),
        )
    )
