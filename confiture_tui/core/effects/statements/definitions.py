"""Columns, constraints and indexes as the catalog would list them, made from a statement's syntax tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Column, Generated, Identity, Volatility
from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.indexes import Index
from confiture_tui.core.effects.expressions import volatility
from confiture_tui.core.effects.type_names import type_of_node
from confiture_tui.core.effects.written import Written
from confiture_tui.core.records import quickly_made
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.schema import Schema

Node = dict[str, Any]

SERIAL_TYPES = {
    "smallserial": "smallint",
    "serial2": "smallint",
    "serial": "integer",
    "serial4": "integer",
    "bigserial": "bigint",
    "serial8": "bigint",
}
"""The words that stand for an integer column with a sequence of its own (documentation, 8.1.4 "Serial Types")."""


@quickly_made
@dataclass(frozen=True, slots=True)
class ColumnParts:
    """A column's definition, taken apart.

    Attributes:
        name: as stored. ``type_node``: of its type. ``collation``: the COLLATE, ``None`` without one.
        serial: the integer type that a serial word stands for; ``None`` for any other type.
        default: the DEFAULT's expression. ``generated``: the generation expression; ``None`` without.
        stored: the generated column is STORED. ``identity``: what kind of identity column it is.
        identity_options: of its sequence.
        not_null: NOT NULL is written, or follows from serial, identity or PRIMARY KEY in the column's definition.
        not_null_written: the NOT NULL constraint; ``None`` when it is not written.
        constraints: CHECK, UNIQUE, PRIMARY KEY and REFERENCES, with their attributes folded in.
    """

    name: str
    type_node: Node
    collation: Node | None
    serial: str | None
    default: Node | None
    generated: Node | None
    stored: bool
    identity: Identity | None
    identity_options: tuple[Node, ...]
    not_null: bool
    not_null_written: Node | None
    constraints: tuple[Node, ...]


def column_parts(definition: Node) -> ColumnParts:
    """Take a ``ColumnDef`` apart."""
    constraints: list[Node] = []
    default: Node | None = definition.get("raw_default")
    generated: Node | None = None
    identity: Identity | None = None
    options: tuple[Node, ...] = ()
    written: Node | None = None
    stored = primary = False
    for wrapped in definition.get("constraints", ()):
        one: Node = wrapped["Constraint"]
        match one["contype"]:
            case "CONSTR_DEFAULT":
                default = one.get("raw_expr")
            case "CONSTR_GENERATED":
                generated = one.get("raw_expr")
                stored = one.get("generated_kind", "s") == "s"
            case "CONSTR_IDENTITY":
                identity = Identity.ALWAYS if one.get("generated_when") == "a" else Identity.BY_DEFAULT
                options = tuple(one.get("options", ()))
            case "CONSTR_NOTNULL":
                written = one
            case "CONSTR_PRIMARY":
                primary = True
                constraints.append(one)
            case "CONSTR_CHECK" | "CONSTR_UNIQUE" | "CONSTR_FOREIGN":
                constraints.append(one)
            case attribute if constraints:
                constraints[-1] = with_attribute(constraints[-1], str(attribute))
    names = [part["String"].get("sval", "") for part in definition.get("typeName", {}).get("names", ())]
    serial = SERIAL_TYPES.get(names[0]) if len(names) == 1 else None
    return ColumnParts(
        name=definition["colname"],
        type_node=definition.get("typeName", {}),
        collation=definition.get("collClause"),
        serial=serial,
        default=default,
        generated=generated,
        stored=stored,
        identity=identity,
        identity_options=options,
        not_null=written is not None or serial is not None or identity is not None or primary,
        not_null_written=written,
        constraints=tuple(constraints),
    )


def with_attribute(constraint: Node, attribute: str) -> Node:
    """A constraint with what an attribute after it (DEFERRABLE, NOT ENFORCED, …) says."""
    match attribute:
        case "CONSTR_ATTR_DEFERRABLE":
            return {**constraint, "deferrable": True}
        case "CONSTR_ATTR_NOT_DEFERRABLE":
            return {**constraint, "deferrable": False}
        case "CONSTR_ATTR_DEFERRED":
            return {**constraint, "deferrable": True, "initdeferred": True}
        case "CONSTR_ATTR_NOT_ENFORCED":
            return {**constraint, "is_enforced": False, "skip_validation": True, "initially_valid": False}
    return constraint


def type_text(node: Node, schema: Schema) -> str:
    """A type as ``format_type`` writes it; as written where it is not known."""
    found = type_of_node(node, schema)
    if found is not None:
        return str(found)
    names = [part["String"].get("sval", "") for part in node.get("names", ()) if "String" in part]
    text = ".".join(quote_identifier(name) for name in names)
    return f"{text}[]" if "arrayBounds" in node else text


def type_oid(text: str, schema: Schema) -> int:
    """The oid of a user's type, of an array of it, or of a table's rows; 0 for PostgreSQL's own or unknown ones."""
    if "." not in text:
        return 0
    element = text.removesuffix("[]")
    try:
        found = schema.type(element)
        table = schema.relation(element) if found is None and element == text else None
    except ValueError:
        return 0
    if found is None:
        return table.row_type_oid if table is not None else 0
    return found.oid if element == text else found.array_oid


def column_of(parts: ColumnParts, relation: Relation, number: int, schema: Schema) -> Column:
    """The column that a definition makes."""
    text = parts.serial or type_text(parts.type_node, schema)
    expression = parts.generated if parts.generated is not None else parts.default
    default: str | None = None
    worst: Volatility | None = None
    if expression is not None:
        default, worst = Written(expression), volatility(expression, schema, relation=relation) or Volatility.VOLATILE
    elif parts.serial is not None:
        default, worst = "nextval", Volatility.VOLATILE
    return blank_column(
        relation.qualified_name,
        parts.name,
        number,
        type=text,
        type_oid=type_oid(text, schema),
        not_null=parts.not_null,
        default=default,
        default_volatility=worst,
        generated=None if parts.generated is None else Generated.STORED if parts.stored else Generated.VIRTUAL,
        identity=parts.identity,
    )


def blank_column(
    relation: str,
    name: str,
    number: int,
    *,
    type: str = "",
    type_oid: int = 0,
    not_null: bool = False,
    default: str | None = None,
    default_volatility: Volatility | None = None,
    generated: Generated | None = None,
    identity: Identity | None = None,
) -> Column:
    """A column of which only this much is known."""
    return Column(
        relation=relation,
        number=number,
        name=name,
        quoted_name=quote_identifier(name),
        type=type,
        type_oid=type_oid,
        type_modifier=-1,
        not_null=not_null,
        default=default,
        default_volatility=default_volatility,
        generated=generated,
        identity=identity,
        collation=None,
        storage="plain",
        compression=None,
        statistics_target=None,
        options=(),
        fdw_options=(),
        is_local=True,
        inherited=0,
        has_missing_value=False,
        acl=None,
        comment=None,
        figures=None,
    )


def next_number(relation: Relation, schema: Schema | None = None) -> int:
    """The number of the next column; with the schema, also columns that were dropped keep theirs."""
    dropped = schema.other(DROPPED_COLUMN, str(relation.oid)) if schema is not None else 0
    numbers = [one.number for one in relation.columns]
    return max([*numbers, dropped if isinstance(dropped, int) else 0]) + 1


DROPPED_COLUMN = "dropped column"
"""Under this kind of ``Family.OTHER`` and a relation's oid: the highest number of a column that was dropped."""

_KINDS = {
    "CONSTR_CHECK": ConstraintKind.CHECK,
    "CONSTR_FOREIGN": ConstraintKind.FOREIGN_KEY,
    "CONSTR_PRIMARY": ConstraintKind.PRIMARY_KEY,
    "CONSTR_UNIQUE": ConstraintKind.UNIQUE,
    "CONSTR_EXCLUSION": ConstraintKind.EXCLUSION,
    "CONSTR_NOTNULL": ConstraintKind.NOT_NULL,
}
_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_MATCHES = {"s": "SIMPLE", "f": "FULL", "p": "PARTIAL"}


def constraint_of(node: Node, relation: Relation, name: str, oid: int, columns: Sequence[str]) -> Constraint:
    """The constraint that a ``Constraint`` node makes; references and index are the caller's to fill in."""
    kind = _KINDS[node["contype"]]
    enforced = bool(node.get("is_enforced", kind not in (ConstraintKind.CHECK, ConstraintKind.FOREIGN_KEY)))
    foreign = kind is ConstraintKind.FOREIGN_KEY
    return Constraint(
        oid=oid,
        owner_name=relation.qualified_name,
        name=name,
        quoted_name=quote_identifier(name),
        kind=kind,
        relation_oid=relation.oid,
        domain_oid=0,
        definition="",
        validated=enforced and not node.get("skip_validation"),
        enforced=enforced,
        deferrable=bool(node.get("deferrable")),
        initially_deferred=bool(node.get("initdeferred")),
        no_inherit=bool(node.get("is_no_inherit")),
        columns=tuple(columns),
        referenced_relation=None,
        referenced_oid=0,
        referenced_columns=(),
        on_update=_ACTIONS.get(node.get("fk_upd_action", "a")) if foreign else None,
        on_delete=_ACTIONS.get(node.get("fk_del_action", "a")) if foreign else None,
        match=_MATCHES.get(node.get("fk_matchtype", "s")) if foreign else None,
        index_oid=0,
        index=None,
        parent_oid=0,
        is_local=True,
        inherited=0,
        disabled_triggers="",
        comment=None,
    )


def blank_index(
    oid: int,
    schema: str,
    name: str,
    relation: Relation,
    key_columns: Sequence[str | None],
    *,
    access_method: str = "btree",
    included_columns: tuple[str, ...] = (),
    expressions: tuple[str, ...] = (),
    predicate: str | None = None,
    opclasses: tuple[str, ...] = (),
    collations: tuple[str | None, ...] | None = None,
    descending: tuple[bool, ...] | None = None,
    nulls_first: tuple[bool, ...] | None = None,
    unique: bool = False,
    nulls_not_distinct: bool = False,
    is_partitioned: bool = False,
) -> Index:
    """An index over some columns (``None``: an expression); a plain B-tree where nothing else is said."""
    count = len(key_columns)
    return Index(
        oid=oid,
        schema=schema,
        name=name,
        qualified_name=qualified_name(schema, name),
        relation=relation.qualified_name,
        relation_oid=relation.oid,
        definition="",
        access_method=access_method,
        key_columns=tuple(key_columns),
        included_columns=included_columns,
        expressions=expressions,
        predicate=predicate,
        opclasses=opclasses,
        collations=(None,) * count if collations is None else collations,
        descending=(False,) * count if descending is None else descending,
        nulls_first=(False,) * count if nulls_first is None else nulls_first,
        unique=unique,
        nulls_not_distinct=nulls_not_distinct,
        primary=False,
        exclusion=False,
        immediate=True,
        valid=True,
        ready=True,
        live=True,
        clustered=False,
        replica_identity=False,
        is_partitioned=is_partitioned,
        parent=None,
        constraint=None,
        options=(),
        tablespace=None,
        statistics_targets=(),
        rows=-1,
        pages=0,
        size=None,
        scans=0,
        comment=None,
    )


def names_in(node: Node, field: str) -> tuple[str, ...]:
    """The strings of a list of names."""
    return tuple(one["String"].get("sval", "") for one in node.get(field, ()))
