"""PRIMARY KEY, UNIQUE and EXCLUDE: constraints that rest on an index, built or taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Generated
from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.models.types import TypeKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.builtins import builtins_of
from confiture_tui.core.effects.expressions import analyse
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.object_names import columns_part, relation_name
from confiture_tui.core.effects.statements.alter_table.not_null import (
    AS_CONSTRAINTS,
    is_valid_not_null,
    queue_set_not_null,
)
from confiture_tui.core.effects.statements.alter_table.placing import placed_on
from confiture_tui.core.effects.statements.alter_table.work import STORED, Alteration, Altered, Pass
from confiture_tui.core.effects.statements.definitions import blank_index, constraint_of, names_in
from confiture_tui.core.effects.statements.expressions_read import read_expression, require_boolean
from confiture_tui.core.effects.statements.index_keys import (
    KNOWN_METHODS,
    expression_name,
    require_operator_class,
)
from confiture_tui.core.effects.type_names import base_type, parse_type, user_type
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.catalog.models.indexes import Index
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

KEYS = frozenset({"CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION"})
"""The kinds of constraint that rest on an index."""
_LABELS = {"CONSTR_PRIMARY": "pkey", "CONSTR_UNIQUE": "key", "CONSTR_EXCLUSION": "excl"}
_NOT_EXCLUDING = frozenset({"gin", "brin"})
_BEFORE_OR_AFTER = frozenset({"<", "<=", ">", ">=", "<<", ">>", "&<", "&>", "<<|", "|>>", "&<|", "|&>"})
_ONE_WAY = _BEFORE_OR_AFTER | {"@>", "<@", "<<=", ">>="}
# Operators that are not commutative, of all types that have them.
_EXCLUSION_ON_PARTITIONED = 170000


def queue_key(alteration: Alteration, relation: Relation, constraint: Node) -> None:
    """Queue the adding of a constraint that rests on an index."""
    if "indexname" in constraint:
        _queue_using_index(alteration, relation, constraint)
        return
    if constraint["contype"] == "CONSTR_PRIMARY":
        for name in names_in(constraint, "keys"):
            _queue_not_null(alteration, relation, name)
    alteration.queue(relation, Pass.ADD_INDEX, lambda one: _build(alteration, one, constraint))


def without_repeated_keys(constraints: Sequence[Node]) -> list[Node]:
    """The constraints of one command; a key that says the same as another is left out, and may give it its name.

    PostgreSQL's sources, transformIndexConstraints: what counts are the columns and how rows are compared.
    """
    kept: list[Node] = []
    for one in sorted(constraints, key=lambda each: each["contype"] != "CONSTR_PRIMARY"):
        same = next((each for each in kept if _is_same_key(one, each)), None)
        if same is None:
            kept.append(one)
        elif "conname" in one and "conname" not in same:
            kept[kept.index(same)] = {**same, "conname": one["conname"]}
    return kept


def _is_same_key(one: Node, other: Node) -> bool:
    fields = ("including", "deferrable", "initdeferred", "nulls_not_distinct", "exclusions", "where_clause")
    return (
        one["contype"] in KEYS
        and other["contype"] in KEYS
        and "indexname" not in one
        and "indexname" not in other
        and names_in(one, "keys") == names_in(other, "keys")
        and all(one.get(field) == other.get(field) for field in fields)
    )


def _queue_not_null(alteration: Alteration, relation: Relation, name: str) -> None:
    """A primary key's column becomes NOT NULL; up to 17 that locks the children even where it is that already."""
    column = relation.column(name)
    always = alteration.schema.server_version_num < AS_CONSTRAINTS
    if always or column is None or not is_valid_not_null(relation, column):
        queue_set_not_null(alteration, relation, name)


# A new index


def key_index(step: Step, relation: Relation, constraint: Node) -> Index:
    """The index that such a constraint makes on a relation, named; not put anywhere yet.

    Raises:
        Refused: there cannot be such an index.
    """
    kind = constraint["contype"]
    schema = step.now
    if kind == "CONSTR_PRIMARY" and relation.primary_key is not None:
        step.refuse("42P16", f'multiple primary keys for table "{relation.name}" are not allowed')
    keys, included = key_columns(constraint), names_in(constraint, "including")
    if not schema.is_partial(relation):
        for one in (*keys, *included):
            if one is not None and relation.column(one) is None:
                step.refuse("42703", f'column "{one}" named in key does not exist')
    if kind != "CONSTR_EXCLUSION" and len(set(keys)) < len(keys):
        word = "primary key" if kind == "CONSTR_PRIMARY" else "unique"
        twice = next(one for one in keys if keys.count(one) > 1)
        step.refuse("42701", f'column "{twice}" appears twice in {word} constraint')
    if any(one is not None and _is_virtual(relation, one) for one in keys):
        what = "primary keys" if kind == "CONSTR_PRIMARY" else "unique constraints"
        step.refuse("0A000", f"{what} on virtual generated columns are not supported")
    _refuse_on_partitioned(step, relation, constraint, keys)
    _refuse_types(step, relation, constraint, keys)
    name = constraint.get("conname")
    if name is None:
        second = None if kind == "CONSTR_PRIMARY" else columns_part((*_key_names(constraint, keys), *included))
        name = relation_name(schema, relation.schema, relation.name, second, _LABELS[kind])
    elif schema.find(qualified_name(relation.schema, name)).object is not None:
        step.refuse("42P07", f'relation "{name}" already exists')
    elif relation.constraint(name) is not None:
        step.refuse("42710", f'constraint "{name}" for relation "{relation.name}" already exists')
    overlaps = bool(constraint.get("without_overlaps"))
    return replace(
        blank_index(step.change.new_oid(), relation.schema, name, relation, keys),
        access_method=constraint.get("access_method", "gist" if overlaps else "btree"),
        included_columns=included,
        expressions=tuple("" for one in keys if one is None),
        predicate="" if "where_clause" in constraint else None,
        unique=kind != "CONSTR_EXCLUSION",
        nulls_not_distinct=bool(constraint.get("nulls_not_distinct")),
        primary=kind == "CONSTR_PRIMARY",
        exclusion=kind == "CONSTR_EXCLUSION" or overlaps,
        immediate=not constraint.get("deferrable"),
        is_partitioned=relation.kind is RelationKind.PARTITIONED_TABLE,
        constraint=quote_identifier(name),
    )


def _is_virtual(relation: Relation, name: str) -> bool:
    column = relation.column(name)
    return column is not None and column.generated is Generated.VIRTUAL


def _key_names(constraint: Node, keys: tuple[str | None, ...]) -> list[str]:
    """The key's columns as the index's name has them."""
    elements = [one["List"]["items"][0]["IndexElem"] for one in constraint.get("exclusions", ())]
    return [one or expression_name(elements[place].get("expr", {})) for place, one in enumerate(keys)]


def key_columns(constraint: Node) -> tuple[str | None, ...]:
    """The key's columns in order; ``None`` for an expression."""
    if constraint["contype"] != "CONSTR_EXCLUSION":
        return names_in(constraint, "keys")
    return tuple(one["List"]["items"][0]["IndexElem"].get("name") for one in constraint.get("exclusions", ()))


def _refuse_on_partitioned(step: Step, relation: Relation, constraint: Node, keys: tuple[str | None, ...]) -> None:
    if relation.kind is not RelationKind.PARTITIONED_TABLE:
        return
    exclusion = constraint["contype"] == "CONSTR_EXCLUSION"
    if exclusion and step.schema.server_version_num < _EXCLUSION_ON_PARTITIONED:
        step.refuse("0A000", "exclusion constraints are not supported on partitioned tables")
    tables = (relation, *step.now.descendants(relation))
    divided_by = [name for one in tables if one.partitioning is not None for name in one.partitioning.columns]
    if None in divided_by:
        step.refuse("0A000", "unsupported constraint with partition key definition")
    if not set(divided_by) <= set(keys):
        step.refuse("0A000", "unique constraint on partitioned table must include all partitioning columns")


def _refuse_types(step: Step, relation: Relation, constraint: Node, keys: tuple[str | None, ...]) -> None:
    """Every column's type must have a default operator class for the index's method."""
    method = "btree"
    if constraint["contype"] == "CONSTR_EXCLUSION":
        _refuse_exclusions(step, relation, constraint, constraint.get("access_method", "btree"))
        return
    if constraint.get("without_overlaps"):
        method = "gist"
        _refuse_overlaps(step, relation, keys)
    for name in keys:
        column = relation.column(name) if name is not None else None
        require_operator_class(step, column.type if column is not None else None, (), method)


def _refuse_overlaps(step: Step, relation: Relation, keys: tuple[str | None, ...]) -> None:
    """Of WITHOUT OVERLAPS the last column is a range, and there are others."""
    if len(keys) < 2:
        step.refuse("42601", "constraint using WITHOUT OVERLAPS needs at least two columns")
    column = relation.column(keys[-1]) if keys[-1] is not None else None
    if column is None or not column.type:
        return
    name = base_type(parse_type(column.type).bare, step.now)
    own, user = builtins_of(step.schema.server_version_num).types.get(name), user_type(name, step.now)
    ranges = own.kind in ("r", "m") if own is not None else user is None or user.kind is TypeKind.RANGE
    if not ranges and step.now.known:
        step.refuse("42804", f'column "{column.name}" in WITHOUT OVERLAPS is not a range or multirange type')


def _refuse_exclusions(step: Step, relation: Relation, constraint: Node, method: str) -> None:
    """The columns and operators of an exclusion constraint; those of an unknown method are let be."""
    if "where_clause" in constraint and not step.now.is_partial(relation):
        found = read_expression(step, constraint["where_clause"], "index predicate", relation=relation)
        require_boolean(step, found, "WHERE")
    if method not in KNOWN_METHODS:
        if step.now.other("access method", quote_identifier(method)) is None:
            step.refuse("42704", f'access method "{method}" does not exist')
        return
    if method in _NOT_EXCLUDING:
        step.refuse("0A000", f'access method "{method}" does not support exclusion constraints')
    for one in constraint.get("exclusions", ()):
        element, operator = one["List"]["items"]
        names = [part["String"].get("sval", "") for part in operator.get("List", {}).get("items", ())]
        own = element["IndexElem"]
        operand = own.get("expr") or {"ColumnRef": {"fields": [{"String": {"sval": own.get("name", "")}}]}}
        if step.now.is_partial(relation):
            continue
        value = read_expression(step, operand, "index expression", relation=relation)
        require_operator_class(step, value.type.bare if value.type else None, own.get("opclass", ()), method)
        compared = {"A_Expr": {"kind": "AEXPR_OP", "name": operator.get("List", {}).get("items", ())}}
        compared["A_Expr"] |= {"lexpr": operand, "rexpr": operand}
        for problem in analyse(compared, step.now, relation=relation).facts.problems:
            step.refuse(problem.sqlstate, problem.message)
        if method in ("btree", "hash") and names[-1:] not in ([], ["="]):
            step.refuse("42809", f"operator {names[-1]} is no operator that {method} can exclude by")
        if names[-1:] and names[-1] in _ONE_WAY:
            step.refuse("42809", f"operator {names[-1]} is not commutative")


def put_key(step: Step, relation: Relation, index: Index, node: Node) -> Relation:
    """Write an index and its constraint; the constraint's oid is new, or that of ``node["parent_oid"]``'s child."""
    made = constraint_of(
        {**node, "is_enforced": True, "skip_validation": False},
        relation,
        index.name,
        step.change.new_oid(),
        tuple(one for one in index.key_columns if one is not None),
    )
    parent = int(node.get("parent_oid", 0))
    made = replace(made, index_oid=index.oid, index=index.qualified_name, parent_oid=parent)
    if parent:
        made = replace(made, is_local=False, inherited=1)
    relation = replace(relation, constraints=(*relation.constraints, made))
    step.change.put(relation)
    step.change.put(index)
    return relation


def _build(alteration: Alteration, altered: Altered, constraint: Node) -> None:
    relation = alteration.relation(altered)
    index = key_index(alteration.step, relation, constraint)
    _add_index(alteration, altered, relation, index, constraint)


def _add_index(alteration: Alteration, altered: Altered, relation: Relation, index: Index, constraint: Node) -> None:
    step = alteration.step
    put_key(step, relation, index, constraint)
    step.create(index)
    altered.made.add(index.oid)
    if relation.kind in STORED and not altered.rewrites:
        step.build(index, relation, f"the index of {index.constraint}")
        step.scan(relation, f"the index of {index.constraint} is built")
    if index.exclusion:
        step.may_fail("23P01", f"{index.constraint}: rows that exist may conflict")
    else:
        step.may_fail("23505", f"{index.constraint}: rows that exist may be duplicates")
    if relation.kind is not RelationKind.PARTITIONED_TABLE:
        return
    if not alteration.recurse and alteration.schema.children(relation):
        step.invalid_index(index)
        step.change.put(replace(index, valid=False))
    parent_oid = next((one.oid for one in alteration.relation(altered).constraints if one.index_oid == index.oid), 0)
    for child in alteration.schema.children(relation) if alteration.recurse else ():
        alteration.lock(child, "an index of a partitioned table is one of its partitions", LockMode.SHARE)
        taken = _matching(child, index)
        if taken is not None:
            step.change.put(replace(taken, parent=index.qualified_name))
            continue
        label = _LABELS[constraint["contype"]]
        second = None if index.primary else columns_part(one or "expr" for one in index.key_columns)
        name = relation_name(alteration.schema, child.schema, child.name, second, label)
        mine = placed_on(step, index, child, name, is_constraint=True)
        _add_index(alteration, alteration.table(child), child, mine, {**constraint, "parent_oid": parent_oid})


def _matching(child: Relation, index: Index) -> Index | None:
    """An index of a partition that can become the part of a new index of its parent."""
    for one in child.indexes:
        same = (
            one.key_columns == index.key_columns
            and one.included_columns == index.included_columns
            and one.access_method == index.access_method
            and one.unique == index.unique
            and one.primary == index.primary
            and one.exclusion == index.exclusion
            and one.immediate == index.immediate
            and one.nulls_not_distinct == index.nulls_not_distinct
        )
        if same and one.parent is None and one.constraint is not None and one.valid and one.predicate is None:
            return one
    return None


# An index that is there already


def _queue_using_index(alteration: Alteration, relation: Relation, constraint: Node) -> None:
    step = alteration.step
    primary = constraint["contype"] == "CONSTR_PRIMARY"
    if relation.kind is RelationKind.PARTITIONED_TABLE:
        step.refuse("0A000", "ALTER TABLE / ADD CONSTRAINT USING INDEX is not supported on partitioned tables")
    if primary and relation.primary_key is not None:
        step.refuse("42P16", f'multiple primary keys for table "{relation.name}" are not allowed')
    name = constraint["indexname"]
    index = next((one for one in relation.indexes if one.name == name), None)
    if index is not None:
        _refuse_index(step, index, constraint)
        if primary:
            for one in index.key_columns:
                if one is not None:
                    _queue_not_null(alteration, relation, one)
    elif not alteration.partial(relation):
        _refuse_missing(alteration, relation, name)
    elif primary:
        alteration.queue(relation, Pass.COLUMN_ATTRIBUTES, lambda one: _check_unknown(alteration, one, name))
    alteration.queue(relation, Pass.ADD_INDEX_CONSTRAINT, lambda one: _take_over(alteration, one, constraint))


def _check_unknown(alteration: Alteration, altered: Altered, name: str) -> None:
    alteration.check(altered, f"whether the columns of index {quote_identifier(name)} are NOT NULL is not known")
    alteration.step.may_fail("23502", f"the columns of index {quote_identifier(name)} may have NULLs")


def _refuse_missing(alteration: Alteration, relation: Relation, name: str) -> None:
    step = alteration.step
    if alteration.schema.index(qualified_name(relation.schema, name)) is not None:
        step.refuse("55000", f'index "{name}" does not belong to table "{relation.name}"')
    step.refuse("42704", f'index "{name}" does not exist')


def _refuse_index(step: Step, index: Index, constraint: Node) -> None:
    name = index.name
    if index.constraint is not None:
        step.refuse("55000", f'index "{name}" is already associated with a constraint')
    if not index.valid:
        step.refuse("55000", f'index "{name}" is not valid')
    if not index.unique:
        step.refuse("42809", f'"{name}" is not a unique index')
    if index.expressions:
        step.refuse("42809", f'index "{name}" contains expressions')
    if index.predicate is not None:
        step.refuse("42809", f'"{name}" is a partial index')
    if not index.immediate and not constraint.get("deferrable"):
        step.refuse("42809", f'"{name}" is a deferrable index')
    if index.access_method != "btree":
        step.refuse("42809", f'index "{name}" is not a btree')
    for number, (descending, nulls_first) in enumerate(zip(index.descending, index.nulls_first, strict=True), start=1):
        if descending or nulls_first:
            step.refuse("42809", f'index "{name}" column number {number} does not have default sorting behavior')


def _take_over(alteration: Alteration, altered: Altered, constraint: Node) -> None:
    """The index becomes the constraint's, and takes its name."""
    step = alteration.step
    relation = alteration.relation(altered)
    index = next((one for one in relation.indexes if one.name == constraint["indexname"]), None)
    if index is None:
        return
    name = constraint.get("conname") or index.name
    if relation.constraint(name) is not None:
        step.refuse("42710", f'constraint "{name}" for relation "{relation.name}" already exists')
    new = qualified_name(index.schema, name)
    if name != index.name and alteration.schema.find(new).object is not None:
        step.refuse("42P07", f'relation "{name}" already exists')
    taken = replace(
        index,
        name=name,
        qualified_name=new,
        constraint=quote_identifier(name),
        primary=constraint["contype"] == "CONSTR_PRIMARY",
        immediate=not constraint.get("deferrable"),
    )
    if name != index.name:
        step.change.remove(index)
        relation = alteration.relation(altered)
    put_key(step, relation, taken, constraint)


def is_key(kind: ConstraintKind) -> bool:
    """Whether constraints of a kind rest on an index of their own."""
    return kind in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUSION)
