"""CREATE TABLE: what it makes, and what it locks of what exists already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.dependencies import PG_CLASS, PG_TYPE, ObjectAddress
from confiture_tui.core.catalog.models.relations import Partitioning, Persistence, Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.changes import blank_relation
from confiture_tui.core.effects.expressions import volatility
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.object_names import constraint_name
from confiture_tui.core.effects.statements.alter_table.checks import check_constraint
from confiture_tui.core.effects.statements.alter_table.foreign_keys import foreign_key, on_partitions
from confiture_tui.core.effects.statements.alter_table.keys import key_index, put_key, without_repeated_keys
from confiture_tui.core.effects.statements.alter_table.not_null import AS_CONSTRAINTS
from confiture_tui.core.effects.statements.collations import note_collation
from confiture_tui.core.effects.statements.create_like import copy_afterwards, copy_columns
from confiture_tui.core.effects.statements.create_partition import join_parent, lock_parent
from confiture_tui.core.effects.statements.create_table_checks import (
    refuse_keys,
    refuse_parent,
    refuse_partition_key,
    refuse_storage,
)
from confiture_tui.core.effects.statements.creation import is_taken, new_relation, refuse_taken_relation
from confiture_tui.core.effects.statements.definitions import (
    ColumnParts,
    column_of,
    column_parts,
    constraint_of,
    names_in,
    next_number,
    with_attribute,
)
from confiture_tui.core.effects.statements.expressions_read import note_stored_default, read_default
from confiture_tui.core.effects.statements.generated import note_generated, read_generated, refuse_virtual_type
from confiture_tui.core.effects.statements.needs import note_default, note_serial
from confiture_tui.core.effects.statements.own_sequences import make_sequence, serial_default
from confiture_tui.core.effects.statements.targets import find_existing
from confiture_tui.core.effects.type_names import type_of_node
from confiture_tui.core.effects.types_known import refuse_set, require_column_type, require_type
from confiture_tui.core.effects.written import Written
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.constraints import Constraint
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_PERSISTENCE = {"p": Persistence.PERMANENT, "u": Persistence.UNLOGGED, "t": Persistence.TEMPORARY}
_GENERATED_IN_PARTITIONS = 160000
"""From this version on a partition may have another generation expression than its parent."""
_STRATEGIES = {
    "PARTITION_STRATEGY_RANGE": "range",
    "PARTITION_STRATEGY_LIST": "list",
    "PARTITION_STRATEGY_HASH": "hash",
}


def read_create_table(node: Node, step: Step) -> None:
    """Read a ``CreateStmt``."""
    schema, name = new_relation(step, node["relation"])
    if node.get("if_not_exists") and is_taken(step, schema, name):
        step.note(f"relation {qualified_name(schema, name)} exists already: skipped")
        return
    partition = node.get("partbound")
    parents = _parents(node, step, partition is not None)
    for found in parents:
        if partition is not None:
            lock_parent(step, found)
        else:
            step.lock(found, LockMode.SHARE_UPDATE_EXCLUSIVE, "the parent gets a child")
    refuse_taken_relation(step, schema, name)
    relation = _begin(node, step, schema, name)
    refuse_storage(step, relation, node)
    if partition is not None and parents:
        refuse_parent(step, relation, parents[0])
    likes_found = _likes(node, step)
    step.create(relation)
    step.change.put(relation)
    relation = _take_columns(step, relation, node, parents)
    constraints, likes = _elements(node, step, relation, likes_found)
    relation = _of(step, relation)
    _read_generated(node, step, relation)
    if "partspec" in node:
        refuse_partition_key(step, relation, node["partspec"])
    _put_constraints(step, relation, constraints)
    for like in likes:
        copy_afterwards(step, _of(step, relation), like)
    if partition is not None:
        join_parent(step, _of(step, relation), parents, partition)
        refuse_keys(step, _of(step, relation))
    if node.get("oncommit") == "ONCOMMIT_DROP":
        _end_at_commit(step, _of(step, relation))


def _end_at_commit(step: Step, relation: Relation) -> None:
    """ON COMMIT DROP: outside a transaction block that is at once."""
    if step.in_transaction:
        step.session.dropped_at_commit.append(relation.oid)
    else:
        step.change.remove(relation)


def _of(step: Step, relation: Relation) -> Relation:
    """The relation as it is by now."""
    found = step.now.by_oid(relation.oid)
    return found if isinstance(found, Relation) else relation


def _parents(node: Node, step: Step, partition: bool) -> list[Found]:
    found = [find_existing(step, one["RangeVar"]) for one in node.get("inhRelations", ())]
    for one in found:
        relation = one.relation if one is not None else None
        if relation is None or one is None or not one.known:
            continue
        if partition and relation.kind is not RelationKind.PARTITIONED_TABLE:
            step.refuse("42P17", f'"{relation.name}" is not partitioned')
        if not partition and relation.kind is RelationKind.PARTITIONED_TABLE:
            step.refuse("42809", f'cannot inherit from partitioned table "{relation.name}"')
        if not partition and relation.is_partition:
            step.refuse("42809", f'cannot inherit from partition "{relation.name}"')
    return [one for one in found if one is not None]


def _begin(node: Node, step: Step, schema: str, name: str) -> Relation:
    specification = node.get("partspec")
    kind = RelationKind.PARTITIONED_TABLE if specification is not None else RelationKind.TABLE
    persistence = _PERSISTENCE[node["relation"].get("relpersistence", "p")]
    if schema == "pg_temp":
        persistence = Persistence.TEMPORARY
    relation = blank_relation(step.change.new_oid(), schema, name, qualified_name(schema, name), kind, persistence)
    if node.get("tablespacename"):
        relation = replace(relation, tablespace=node["tablespacename"])
    if specification is None:
        return relation
    elements = [one["PartitionElem"] for one in specification.get("partParams", ())]
    strategy = _STRATEGIES[specification["strategy"]]
    columns = tuple(one.get("name") for one in elements)
    key = f"{strategy.upper()} ({', '.join(quote_identifier(one) if one else '…' for one in columns)})"
    return replace(relation, partitioning=Partitioning(strategy, key, columns))


def _take_columns(step: Step, relation: Relation, node: Node, parents: list[Found]) -> Relation:
    """The columns of the parents, and of the composite type of a typed table."""
    for found in parents:
        parent = found.relation
        if parent is None or not found.known:
            step.unknown_reach(f"the columns of {found.name} are not known")
            relation = replace(relation, parents=(*relation.parents, found.name))
            continue
        for column in parent.columns:
            there = relation.column(column.name)
            if there is not None:
                if there.type != column.type:
                    step.refuse("42804", f'inherited column "{column.name}" has a type conflict')
                continue
            inherited = replace(
                column,
                relation=relation.qualified_name,
                number=next_number(relation),
                is_local=False,
                inherited=1,
                has_missing_value=False,
                identity=column.identity if "partbound" in node else None,
                comment=None,
                acl=None,
                figures=None,
            )
            note_stored_default(step, inherited)
            relation = replace(relation, columns=(*relation.columns, inherited))
        checks = tuple(
            _inherited_check(step, relation, one)
            for one in parent.constraints
            if one.kind in (ConstraintKind.CHECK, ConstraintKind.NOT_NULL) and not one.no_inherit
        )
        relation = replace(
            relation,
            parents=(*relation.parents, parent.qualified_name),
            parent_oids=(*relation.parent_oids, parent.oid),
            constraints=(*relation.constraints, *checks),
        )
    if "ofTypename" in node:
        relation = _typed(step, relation, node["ofTypename"])
    step.change.put(relation)
    return relation


def _inherited_check(step: Step, relation: Relation, one: Any) -> Any:
    made = replace(
        one,
        oid=step.change.new_oid(),
        owner_name=relation.qualified_name,
        relation_oid=relation.oid,
        is_local=False,
        inherited=1,
    )
    expression = step.now.check_expression(one)
    if expression is not None:
        step.change.remember_expression(made.oid, expression)
    return made


def _typed(step: Step, relation: Relation, type_node: Node) -> Relation:
    require_type(step, type_node)
    found = type_of_node(type_node, step.now)
    composite = step.now.relation(found.name) if found is not None else None
    if found is not None and step.now.known:
        if composite is None:
            step.refuse("42809", f"type {found} is not a composite type")
        if composite.kind is not RelationKind.COMPOSITE_TYPE:
            step.refuse("42809", f"type {found} is the row type of another table")
    if composite is None:
        return relation
    columns = tuple(
        replace(one, relation=relation.qualified_name, number=number)
        for number, one in enumerate(composite.columns, start=1)
    )
    if composite.row_type_oid:
        step.change.depend(ObjectAddress(PG_CLASS, relation.oid), ObjectAddress(PG_TYPE, composite.row_type_oid))
    return replace(relation, of_type=composite.qualified_name, columns=columns)


def _likes(node: Node, step: Step) -> list[Found | None]:
    """What the LIKE clauses mean, looked up while the new table is not there: it may hide one of its own name."""
    clauses = [one["TableLikeClause"] for one in node.get("tableElts", ()) if "TableLikeClause" in one]
    return [find_existing(step, one["relation"]) for one in clauses]


def _elements(
    node: Node, step: Step, relation: Relation, likes_found: list[Found | None]
) -> tuple[list[Node], list[tuple[Found, Node]]]:
    """Go through the columns, and collect the constraints and LIKE clauses in their order."""
    constraints: list[Node] = []
    likes: list[tuple[Found, Node]] = []
    _require_types(node, step)
    try:
        for element in node.get("tableElts", ()):
            ((kind, fields),) = element.items()
            if kind == "ColumnDef":
                relation, own = _add_column(step, relation, fields)
                constraints += own
            elif kind == "Constraint":
                if str(fields["contype"]).startswith("CONSTR_ATTR") and constraints:
                    constraints[-1] = with_attribute(constraints[-1], fields["contype"])
                else:
                    constraints.append(fields)
            elif kind == "TableLikeClause":
                step.change.put(relation)
                relation = _like(step, relation, fields, likes, likes_found.pop(0))
    finally:
        step.change.put(relation)
    return constraints, likes


def _require_types(node: Node, step: Step) -> None:
    """The types of all columns are looked for before any default is read.

    Raises:
        Refused: one certainly does not exist.
    """
    for element in node.get("tableElts", ()):
        definition = element.get("ColumnDef", {})
        if definition.get("typeName"):
            parts = column_parts(definition)
            if parts.serial is None:
                require_column_type(step, parts.name, parts.type_node, parts.collation)


def _read_generated(node: Node, step: Step, relation: Relation) -> None:
    """The generated columns, which may name columns that come after them."""
    for element in node.get("tableElts", ()):
        definition = element.get("ColumnDef")
        if definition is None or "constraints" not in definition:
            continue
        parts = column_parts(definition)
        column = relation.column(parts.name)
        if parts.generated is None or column is None:
            continue
        read_generated(step, relation, parts.name, parts.generated, stored=parts.stored)
        if not parts.stored:
            refuse_virtual_type(step, column)
        note_generated(step, relation, column, parts.generated)


def _like(
    step: Step, relation: Relation, clause: Node, likes: list[tuple[Found, Node]], found: Found | None
) -> Relation:
    """The table with the columns that a LIKE clause copies, which is noted for what is copied afterwards."""
    if found is None:
        return relation
    step.lock(found, LockMode.ACCESS_SHARE, "LIKE looks at it")
    copy_columns(step, relation, found, clause)
    likes.append((found, clause))
    return _of(step, relation)


def _add_column(step: Step, relation: Relation, definition: Node) -> tuple[Relation, list[Node]]:
    """The table with a further column, not yet put; and the column's constraints, as those of the table."""
    parts = column_parts(definition)
    existing = relation.column(parts.name)
    if not parts.type_node:
        return _merge(step, relation, parts)
    if parts.serial is None:
        refuse_set(step, parts.name, parts.type_node)
        require_column_type(step, parts.name, parts.type_node, parts.collation)
    if existing is not None and existing.inherited == 0:
        step.refuse("42701", f'column "{parts.name}" specified more than once')
    number = next_number(relation) if existing is None else existing.number
    column = column_of(parts, relation, number, step.now)
    if parts.default is not None:
        read_default(step, column, parts.default, executed=False)
        note_default(step, relation, column, parts.default)
    if parts.serial is not None or parts.identity is not None:
        sequence = make_sequence(
            step, relation, column, identity=parts.identity is not None, options=parts.identity_options
        )
        if parts.serial is not None:
            column = replace(column, default=serial_default(sequence))
            note_serial(step, relation, column, sequence)
    note_collation(step, ObjectAddress(PG_CLASS, relation.oid, number), parts.collation)
    if existing is not None:
        if column.type != existing.type:
            step.refuse("42804", f'column "{parts.name}" has a type conflict')
        column = replace(column, inherited=existing.inherited, not_null=column.not_null or existing.not_null)
        columns = tuple(column if one.name == parts.name else one for one in relation.columns)
    else:
        columns = (*relation.columns, column)
    return replace(relation, columns=columns), _constraints_of(parts)


def _merge(step: Step, relation: Relation, parts: ColumnParts) -> tuple[Relation, list[Node]]:
    """A column that a partition or typed table has already gets more options."""
    column = relation.column(parts.name)
    if column is None:
        if not relation.parents or relation.parent_oids:
            step.refuse("42703", f'column "{parts.name}" does not exist')
        return relation, _constraints_of(parts)
    older = step.schema.known and step.schema.server_version_num < _GENERATED_IN_PARTITIONS
    if parts.generated is not None and older:
        step.refuse("0A000", "generated columns are not supported on partitions")
    if parts.generated is not None and column.generated is None:
        step.refuse("42611", f'child column "{parts.name}" specifies generation expression')
    if column.generated is not None and not older and (parts.default is not None or parts.identity is not None):
        step.refuse("42611", f'column "{parts.name}" inherits from generated column but specifies default')
    changed = replace(column, not_null=column.not_null or parts.not_null, is_local=True)
    if parts.default is not None:
        worst = volatility(parts.default, step.now) or Volatility.VOLATILE
        changed = replace(changed, default=Written(parts.default), default_volatility=worst)
    columns = tuple(changed if one.name == parts.name else one for one in relation.columns)
    return replace(relation, columns=columns), _constraints_of(parts)


def _constraints_of(parts: ColumnParts) -> list[Node]:
    found: list[Node] = []
    own = [{"String": {"sval": parts.name}}]
    if parts.not_null:
        written = parts.not_null_written or {}
        found.append({**written, "contype": "CONSTR_NOTNULL", "keys": own})
    for one in parts.constraints:
        field = {"CONSTR_FOREIGN": "fk_attrs", "CONSTR_CHECK": None}.get(one["contype"], "keys")
        found.append({**one, field: own} if field is not None else one)
    return found


_ORDER = ("CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION", "CONSTR_CHECK", "CONSTR_FOREIGN")


def _place(constraint: Node) -> int:
    kind = constraint["contype"]
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _put_constraints(step: Step, relation: Relation, constraints: list[Node]) -> None:
    """NOT NULLs first, then keys with their indexes, at last foreign keys, whose other tables are locked."""
    primary = [one for one in constraints if one["contype"] == "CONSTR_PRIMARY"]
    if len(primary) > 1:
        step.refuse("42P16", f'multiple primary keys for table "{relation.name}" are not allowed')
    not_nulls = [one for one in constraints if one["contype"] == "CONSTR_NOTNULL"]
    if not_nulls:
        step.change.put(_not_null(step, relation, not_nulls))
    for one in sorted(without_repeated_keys(constraints), key=_place):
        relation = _of(step, relation)
        match one["contype"]:
            case "CONSTR_PRIMARY" | "CONSTR_UNIQUE" | "CONSTR_EXCLUSION":
                _key(step, relation, one)
            case "CONSTR_CHECK":
                _check(step, relation, one)
            case "CONSTR_FOREIGN":
                made, _found = foreign_key(step, relation, {**one, "skip_validation": True, "trusted": True})
                relation = _of(step, relation)
                parts = on_partitions(step, made)
                step.change.put(replace(relation, constraints=(*relation.constraints, made, *parts)))


def _not_null(step: Step, relation: Relation, nodes: list[Node]) -> Relation:
    """The table with NOT NULL on columns, not yet put."""
    names = {name for one in nodes for name in names_in(one, "keys")}
    columns = tuple(
        replace(one, not_null=True) if one.name in names and not one.not_null else one for one in relation.columns
    )
    if step.schema.server_version_num < AS_CONSTRAINTS:
        return replace(relation, columns=columns)
    made: list[Constraint] = []
    known = {one.columns for one in relation.constraints if one.kind is ConstraintKind.NOT_NULL}
    taken = {one.name for one in relation.constraints}
    for node in nodes:
        for name in names_in(node, "keys"):
            if (name,) in known:
                continue
            chosen = node.get("conname") or constraint_name(step.now, relation, name, "not_null", taken)
            made.append(constraint_of(node, relation, chosen, step.change.new_oid(), (name,)))
            known.add((name,))
            taken.add(chosen)
    return replace(relation, columns=columns, constraints=(*relation.constraints, *made))


def _key(step: Step, relation: Relation, node: Node) -> None:
    if node["contype"] == "CONSTR_PRIMARY":
        relation = _not_null(step, relation, [{"contype": "CONSTR_NOTNULL", "keys": node.get("keys", [])}])
        step.change.put(relation)
    index = key_index(step, relation, node)
    put_key(step, relation, index, node)
    step.create(index)


def _check(step: Step, relation: Relation, node: Node) -> None:
    name = node.get("conname")
    existing = relation.constraint(name) if name is not None else None
    if existing is not None:
        if existing.inherited and existing.kind is ConstraintKind.CHECK:
            return  # merges with the parent's
        step.refuse("42710", f'constraint "{name}" for relation "{relation.name}" already exists')
    # There are no rows that it could not hold for.
    made = check_constraint(step, relation, {**node, "skip_validation": False}, None)
    step.change.put(replace(relation, constraints=(*relation.constraints, made)))
