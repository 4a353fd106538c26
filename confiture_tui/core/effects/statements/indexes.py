"""CREATE INDEX, on plain and partitioned tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Generated, Volatility
from confiture_tui.core.catalog.models.dependencies import PG_CLASS, ObjectAddress
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.expressions import analyse, volatility
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.object_names import columns_part, object_name, relation_name
from confiture_tui.core.effects.operator_classes import named_class
from confiture_tui.core.effects.statements.alter_table.partition_parts import same_index
from confiture_tui.core.effects.statements.collations import note_collation
from confiture_tui.core.effects.statements.definitions import blank_index, names_in
from confiture_tui.core.effects.statements.expressions_read import read_expression, require_boolean
from confiture_tui.core.effects.statements.index_keys import (
    KNOWN_METHODS,
    expression_name,
    require_operator_class,
)
from confiture_tui.core.effects.statements.made_objects import addresses
from confiture_tui.core.effects.statements.needs import note_needs
from confiture_tui.core.effects.statements.parameters import refuse_index_parameter
from confiture_tui.core.effects.statements.targets import find_existing, refuse_system_catalog
from confiture_tui.core.effects.type_names import parse_type
from confiture_tui.core.effects.types_known import require_collation
from confiture_tui.core.effects.written import Written
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_INDEXED = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED_TABLE, RelationKind.MATERIALIZED_VIEW})
_NO_COLUMNS = frozenset({"record", "void", "anyelement", "trigger"})
_SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"})


def read_index(node: Node, step: Step) -> None:
    """CREATE [UNIQUE] INDEX [CONCURRENTLY] [IF NOT EXISTS] … ON [ONLY] …"""
    concurrent = bool(node.get("concurrent"))
    mode = LockMode.SHARE_UPDATE_EXCLUSIVE if concurrent else LockMode.SHARE
    refuse_system_catalog(step, node["relation"])
    found = find_existing(step, node["relation"])
    if found is None:
        return
    step.lock(found, mode, "CREATE INDEX locks out other DDL" if concurrent else "CREATE INDEX locks out writers")
    if node.get("unique"):
        step.may_fail("23505", "there may be duplicates")
    relation = found.relation
    if relation is None or not found.known:
        _assume(node, step, found)
        return
    only = not node["relation"].get("inh", False)
    partitioned = relation.kind is RelationKind.PARTITIONED_TABLE
    parts = step.now.descendants(relation) if partitioned and not only else ()
    for one in parts:
        step.lock(one, mode, "CREATE INDEX on a partitioned table locks every partition")
    if relation.kind not in _INDEXED:
        step.refuse("42809", f'cannot create index on relation "{relation.name}"')
    if partitioned and concurrent:
        step.refuse("0A000", f'cannot create index on partitioned table "{relation.name}" concurrently')
    _check(node, step, relation)
    names = _key_names(node)
    name = node.get("idxname")
    if name is None:
        name = relation_name(step.now, relation.schema, relation.name, columns_part(names), "idx")
    elif step.now.find({"schemaname": relation.schema, "relname": name}).object is not None:
        if node.get("if_not_exists"):
            _note_invalid(step, relation.schema, name)
            return
        step.refuse("42P07", f'relation "{name}" already exists')
    index = _index(node, step, relation, name)
    if partitioned:
        children = step.now.children(relation)
        if only and children:
            index = replace(index, valid=False)
            step.invalid_index(index)
        step.create(index)
        _put(node, step, relation, index)
        if not only:
            for child in children:
                _on_partition(node, step, child, index, names)
        return
    _build(node, step, relation, index)


def _note_invalid(step: Step, schema: str, name: str) -> None:
    existing = step.now.find({"schemaname": schema, "relname": name}).object
    if isinstance(existing, Index) and not existing.valid and not existing.is_partitioned:
        step.note(f"index {existing.qualified_name} exists and is not valid: IF NOT EXISTS leaves it so")
    else:
        step.note(f"relation {name} already exists, skipping")


def _build(node: Node, step: Step, relation: Relation, index: Index) -> None:
    step.scan(relation, "CREATE INDEX reads the table")
    step.build(index, relation, "CREATE INDEX builds it")
    step.create(index)
    _put(node, step, relation, index)


def _put(node: Node, step: Step, relation: Relation, index: Index) -> None:
    """Put an index, with what its expressions need."""
    step.change.put(index)
    for one in node.get("indexParams", ()):
        if "collation" in one["IndexElem"]:
            clause = {"collname": one["IndexElem"]["collation"]}
            note_collation(step, ObjectAddress(PG_CLASS, index.oid), clause)
    for name in index.opclasses:
        for found in addresses(step, "operator class", f"{name} USING {quote_identifier(index.access_method)}"):
            step.change.depend(ObjectAddress(PG_CLASS, index.oid), found)
    expressions = [one["IndexElem"]["expr"] for one in node.get("indexParams", ()) if "expr" in one["IndexElem"]]
    for one in (*expressions, *([node["whereClause"]] if "whereClause" in node else [])):
        facts = analyse(one, step.now, relation=relation).facts
        note_needs(step, ObjectAddress(PG_CLASS, index.oid), facts, relation=relation, kind="a")


def _on_partition(node: Node, step: Step, child: Relation, parent: Index, names: list[str]) -> None:
    """On a partition: an index that fits and belongs to no other is taken over, else one is built."""
    if child.kind is RelationKind.FOREIGN_TABLE:
        if node.get("unique"):
            step.fails("42809", f'cannot create unique index: "{child.name}" is a foreign table')
        return
    for existing in child.indexes:
        if existing.parent is None and same_index(existing, parent):
            step.change.put(replace(existing, parent=parent.qualified_name))
            if not existing.valid:
                step.invalid_index(parent)
            return
    name = relation_name(step.now, child.schema, child.name, columns_part(names), "idx")
    index = replace(_index(node, step, child, name), parent=parent.qualified_name)
    if child.kind is not RelationKind.PARTITIONED_TABLE:
        _build(node, step, child, index)
        return
    step.create(index)
    _put(node, step, child, index)
    for grandchild in step.now.children(child):
        _on_partition(node, step, grandchild, index, names)


def _assume(node: Node, step: Step, found: Found) -> None:
    """On a table that is only assumed to exist."""
    step.unknown_reach("without a catalog its partitions are not known")
    name = node.get("idxname")
    if name is None:
        name = object_name(found.key[1], columns_part(_key_names(node)), "idx")
    elif node.get("if_not_exists"):
        step.note("without a catalog it is taken not to exist yet")
    else:
        step.may_fail("42P07", "a relation of that name may exist")
    relation = step.change.glimpse(found)
    index = _index(node, step, relation, name)
    step.scan(found, "CREATE INDEX reads the table")
    step.build(index, found, "CREATE INDEX builds it")
    step.create(index)
    step.change.put(index)


def _check(node: Node, step: Step, relation: Relation) -> None:
    """What the server refuses whatever the data are."""
    method = node.get("accessMethod", "btree")
    if node.get("tableSpace") not in (None, "", "pg_default", "pg_global") and step.schema.known:
        step.may_fail("42704", f'tablespace "{node["tableSpace"]}" may not exist')
    if method not in KNOWN_METHODS and step.now.other("access method", method) is None:
        step.refuse("42704", f'access method "{method}" does not exist')
    if node.get("unique") and method in KNOWN_METHODS and method != "btree":
        step.refuse("0A000", f'access method "{method}" does not support unique indexes')
    if node.get("indexIncludingParams") and method in ("hash", "gin", "brin"):
        step.refuse("0A000", f'access method "{method}" does not support included columns')
    if len(node.get("indexParams", [])) > 1 and method in ("hash", "spgist"):
        step.refuse("0A000", f'access method "{method}" does not support multicolumn indexes')
    for one in node.get("options", ()):
        refuse_index_parameter(step, one.get("DefElem", {}), method)
    if "whereClause" in node:
        _check_expression(step, node["whereClause"], relation, "predicate")
    for one in node.get("indexParams", []):
        _check_key(step, one["IndexElem"], relation, method)
    for one in node.get("indexIncludingParams", []):
        _check_column(step, one["IndexElem"].get("name"), relation)
    if relation.partitioning is not None and node.get("unique"):
        keys = {one["IndexElem"].get("name") for one in node.get("indexParams", [])}
        tables = (relation, *(step.now.descendants(relation) if node["relation"].get("inh") else ()))
        divided_by = {name for one in tables if one.partitioning is not None for name in one.partitioning.columns}
        if None in divided_by or not keys.issuperset(divided_by):
            step.refuse("0A000", "unique constraint on partitioned table must include all partitioning columns")


def _check_key(step: Step, element: Node, relation: Relation, method: str) -> None:
    sorts = element.get("ordering") != "SORTBY_DEFAULT" or element.get("nulls_ordering") != "SORTBY_NULLS_DEFAULT"
    if "expr" in element:
        value = _check_expression(step, element["expr"], relation, "expression")
        require_operator_class(step, value, element.get("opclass", ()), method)
        _refuse_order(step, method, sorts=sorts)
        return
    _check_column(step, element.get("name"), relation)
    column = relation.column(element.get("name", ""))
    if "collation" in element:
        kind = parse_type(column.type) if column is not None and column.type else None
        require_collation(step, kind, element["collation"])
    require_operator_class(step, column.type if column is not None else None, element.get("opclass", ()), method)
    _refuse_order(step, method, sorts=sorts)


def _refuse_order(step: Step, method: str, *, sorts: bool) -> None:
    if sorts and method in KNOWN_METHODS and method != "btree":
        step.refuse("0A000", f'access method "{method}" does not support ASC/DESC options')


def _check_column(step: Step, name: str | None, relation: Relation) -> None:
    if name is None:
        return
    column = relation.column(name)
    if column is None:
        if name in _SYSTEM_COLUMNS:
            step.refuse("0A000", "index creation on system columns is not supported")
        step.refuse("42703", f'column "{name}" does not exist')
    if column.generated is Generated.VIRTUAL:
        step.refuse("0A000", "indexes on virtual generated columns are not supported")


def _check_expression(step: Step, expression: Node, relation: Relation, what: str) -> str | None:
    """The type of the expression; ``None`` where it is not known."""
    found = read_expression(step, expression, f"index {what}", relation=relation)
    if what == "predicate":
        require_boolean(step, found, "WHERE")
    worst = volatility(expression, step.now, relation=relation)
    if worst is None:
        step.may_fail("42P17", f"functions in index {what} must be marked IMMUTABLE")
    elif worst is not Volatility.IMMUTABLE:
        step.refuse("42P17", f"functions in index {what} must be marked IMMUTABLE")
    named = (relation.column(parts[-1]) for parts in found.facts.columns)
    if any(column is not None and column.generated is Generated.VIRTUAL for column in named):
        step.refuse("0A000", "indexes on virtual generated columns are not supported")
    for call in found.facts.calls:
        if not call.system:
            step.may_fail("P0001", f"{call.name} runs for every row, and may raise an error")
    if found.type is not None and found.type.name in _NO_COLUMNS:
        step.refuse("42P16", f"an index's column has pseudo-type {found.type.name}")
    return found.type.bare if found.type is not None else None


def _key_names(node: Node) -> list[str]:
    """The names that the server gives to the index's columns; a second one of the same name gets a number."""
    names: list[str] = []
    for one in (*node.get("indexParams", []), *node.get("indexIncludingParams", [])):
        element = one["IndexElem"]
        name = element.get("indexcolname") or element.get("name") or expression_name(element.get("expr", {}))
        chosen, number = name, 0
        while chosen in names:
            number += 1
            chosen = f"{name}{number}"
        names.append(chosen)
    return names


def _nulls_first(element: Node) -> bool:
    order = element.get("nulls_ordering", "SORTBY_NULLS_DEFAULT")
    if order == "SORTBY_NULLS_DEFAULT":
        return element.get("ordering") == "SORTBY_DESC"
    return bool(order == "SORTBY_NULLS_FIRST")


def _operator_class(element: Node, step: Step, method: str) -> str:
    """The qualified name of the operator class; empty for the default one, ``?`` where it is not known."""
    if "opclass" not in element:
        return ""
    found = named_class(step.now, names_in(element, "opclass"), method)
    return "?" if found is None or found.name is None else found.name


def _index(node: Node, step: Step, relation: Relation, name: str) -> Index:
    elements = [one["IndexElem"] for one in node.get("indexParams", [])]
    return blank_index(
        step.change.new_oid(),
        relation.schema,
        name,
        relation,
        [one.get("name") for one in elements],
        access_method=node.get("accessMethod", "btree"),
        included_columns=tuple(one["IndexElem"].get("name", "") for one in node.get("indexIncludingParams", [])),
        expressions=tuple(Written(one["expr"]) for one in elements if "expr" in one),
        predicate=Written(node["whereClause"]) if "whereClause" in node else None,
        opclasses=tuple(_operator_class(one, step, node.get("accessMethod", "btree")) for one in elements),
        collations=tuple("?" if "collation" in one else None for one in elements),
        descending=tuple(one.get("ordering") == "SORTBY_DESC" for one in elements),
        nulls_first=tuple(map(_nulls_first, elements)),
        unique=bool(node.get("unique")),
        nulls_not_distinct=bool(node.get("nulls_not_distinct")),
        is_partitioned=relation.kind is RelationKind.PARTITIONED_TABLE,
    )
