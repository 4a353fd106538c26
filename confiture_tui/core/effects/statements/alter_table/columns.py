"""ADD COLUMN: whether it rewrites, checks, and what it makes besides the column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.dependencies import PG_CLASS, ObjectAddress
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.expressions import analyse, planned_volatility
from confiture_tui.core.effects.statements.alter_table.checks import queue_check
from confiture_tui.core.effects.statements.alter_table.foreign_keys import queue_foreign_key
from confiture_tui.core.effects.statements.alter_table.keys import KEYS, queue_key, without_repeated_keys
from confiture_tui.core.effects.statements.alter_table.not_null import keep_not_null
from confiture_tui.core.effects.statements.alter_table.typed import typed_tables
from confiture_tui.core.effects.statements.alter_table.work import (
    STORED,
    SYSTEM_COLUMNS,
    Alteration,
    Altered,
    Pass,
)
from confiture_tui.core.effects.statements.collations import note_collation
from confiture_tui.core.effects.statements.definitions import (
    ColumnParts,
    column_of,
    column_parts,
    next_number,
)
from confiture_tui.core.effects.statements.expressions_read import read_default
from confiture_tui.core.effects.statements.generated import note_generated, read_generated, refuse_virtual_type
from confiture_tui.core.effects.statements.needs import note_default, note_serial
from confiture_tui.core.effects.statements.own_sequences import make_sequence, serial_default
from confiture_tui.core.effects.type_names import type_of_node
from confiture_tui.core.effects.types_known import domain_of, refuse_set, require_column_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.columns import Column

Node = dict[str, Any]

_REFUSES_SETS = 170000
"""The version from which ADD COLUMN sees that the type is no SETOF; CREATE TABLE always does."""


def prepare_add_column(alteration: Alteration, relation: Relation, command: Node) -> None:
    """Queue ADD COLUMN; for a composite type, for the tables of that type too."""
    if relation.of_type is not None:
        alteration.step.refuse("42809", "cannot add column to typed table")
    definition = command["def"]["ColumnDef"]
    parts = column_parts(definition)
    missing_ok = bool(command.get("missing_ok"))
    if relation.kind is RelationKind.COMPOSITE_TYPE:
        for table in typed_tables(alteration, relation, command):
            alteration.queue(
                table, Pass.ADD_COLUMN, lambda one: _add(alteration, one, parts, missing_ok, recursing=False)
            )
    alteration.queue(relation, Pass.ADD_COLUMN, lambda one: _add(alteration, one, parts, missing_ok, recursing=False))


def _add(alteration: Alteration, altered: Altered, parts: ColumnParts, missing_ok: bool, *, recursing: bool) -> None:
    step = alteration.step
    relation = alteration.relation(altered)
    if relation.is_partition and not recursing:
        step.refuse("42809", "cannot add column to a partition")
    existing = relation.column(parts.name)
    if existing is not None:
        if recursing:
            _merge(alteration, relation, existing, parts)
        elif missing_ok:
            step.note(f"column {existing.qualified_name} exists already: skipped")
        else:
            step.refuse("42701", f'column "{parts.name}" of relation "{relation.name}" already exists')
        return
    if parts.name in SYSTEM_COLUMNS:
        step.refuse("42701", f'column name "{parts.name}" conflicts with a system column name')
    if not recursing:
        _refuse_contradictions(alteration, relation, parts)
    column = column_of(parts, relation, next_number(relation, alteration.schema), alteration.schema)
    if parts.generated is not None and not parts.stored:
        refuse_virtual_type(step, column)
    if parts.default is not None:
        read_default(step, column, parts.default, executed=relation.kind in STORED)
        note_default(step, relation, column, parts.default)
    note_collation(step, ObjectAddress(PG_CLASS, relation.oid, column.number), parts.collation)
    if recursing:
        column = replace(column, is_local=False, inherited=1)
    relation = alteration.update(relation, columns=(*relation.columns, column))
    if parts.not_null:
        relation = keep_not_null(alteration, relation, parts.name, parts.not_null_written, recursing=recursing)
    if parts.generated is not None:
        note_generated(step, relation, column, parts.generated)
    if not recursing:
        _make_sequence(alteration, relation, column, parts)
        _queue_constraints(alteration, relation, parts)
    if relation.kind in STORED:
        _fill(alteration, altered, relation, column, parts)
    children = alteration.children(relation, "a new column goes to the children too")
    if children and not alteration.recurse:
        step.refuse("42P16", "column must be added to child tables too")
    for child in children:
        _add(alteration, alteration.table(child), parts, missing_ok=False, recursing=True)


def _merge(alteration: Alteration, relation: Relation, existing: Column, parts: ColumnParts) -> None:
    """A child has a column of that name: it becomes the same column, if the types agree."""
    column = column_of(parts, relation, existing.number, alteration.schema)
    if existing.type and column.type and existing.type != column.type:
        alteration.step.refuse("42804", f'child table "{relation.name}" has different type for column "{parts.name}"')
    alteration.update_column(relation, existing, inherited=existing.inherited + 1)


def _refuse_contradictions(alteration: Alteration, relation: Relation, parts: ColumnParts) -> None:
    step = alteration.step
    if parts.serial is None:
        if step.schema.server_version_num >= _REFUSES_SETS:
            refuse_set(step, parts.name, parts.type_node)
        require_column_type(step, parts.name, parts.type_node, parts.collation)
    row = type_of_node(parts.type_node, step.now)
    if row is not None and row.name == relation.qualified_name and not alteration.partial(relation):
        step.refuse("42P16", f"composite type {relation.name} cannot be made a member of itself")
    if parts.identity is not None:
        if relation.is_partition:
            step.refuse("0A000", "identity columns are not supported on partitions")
        whole = relation.kind is RelationKind.PARTITIONED_TABLE and step.schema.server_version_num >= 170000
        if alteration.recurse and not whole and alteration.schema.children(relation):
            step.refuse("42P16", "cannot recursively add identity column to table that has child tables")
    if parts.generated is not None:
        read_generated(step, relation, parts.name, parts.generated, stored=parts.stored)


def _make_sequence(alteration: Alteration, relation: Relation, column: Column, parts: ColumnParts) -> None:
    if parts.serial is not None or parts.identity is not None:
        step = alteration.step
        sequence = make_sequence(
            step, relation, column, identity=parts.identity is not None, options=parts.identity_options
        )
        if parts.serial is not None:
            now = alteration.relation(alteration.table(relation))
            alteration.update_column(now, column, default=serial_default(sequence))
            note_serial(step, relation, column, sequence)


def _queue_constraints(alteration: Alteration, relation: Relation, parts: ColumnParts) -> None:
    own = [{"String": {"sval": parts.name}}]
    keys = [{**one, "keys": own} if one["contype"] in KEYS else one for one in parts.constraints]
    for constraint in without_repeated_keys(keys):
        match constraint["contype"]:
            case "CONSTR_PRIMARY" | "CONSTR_UNIQUE":
                queue_key(alteration, relation, constraint)
            case "CONSTR_CHECK":
                queue_check(alteration, relation, constraint)
            case "CONSTR_FOREIGN":
                # Without a default all values are NULL, which reference nothing.
                filled = parts.default is not None or parts.generated is not None or parts.serial is not None
                nothing = parts.default is not None and "isnull" in parts.default.get("A_Const", {})
                queue_foreign_key(
                    alteration,
                    relation,
                    {**constraint, "fk_attrs": own, "all_null": nothing},
                    skip_validation=not filled,
                )


def _fill(alteration: Alteration, altered: Altered, relation: Relation, column: Column, parts: ColumnParts) -> None:
    """How the rows that exist get the new column's value: not at all, from the catalog, or by a rewrite."""
    step = alteration.step
    name = column.qualified_name
    filled = False
    domain = domain_of(step, parts.type_node)
    if parts.identity is not None or parts.serial is not None:
        alteration.rewrite(altered, f"every row draws its value of {name} from a sequence")
        filled = True
    elif parts.generated is not None:
        altered.computes = True
        if parts.stored:
            alteration.rewrite(altered, f"{name} is computed and stored for every row")
    elif domain.constrained is not False:
        alteration.rewrite(altered, f"the domain of {name} has constraints, which are checked row by row")
        for failure in domain.failures:
            step.may_fail(failure, f"the domain of {name} may refuse the value that existing rows get")
        if domain.constrained is None:
            step.unknown_reach(f"whether the type of {name} is a domain with constraints is not known")
    elif parts.default is not None:
        filled = _default(alteration, altered, relation, name, parts.default)
    elif domain.default is not None:
        altered.computes = True
        filled = domain.default is not Volatility.VOLATILE
        if not filled:
            alteration.rewrite(altered, f"the default of the domain of {name} is volatile")
    if parts.not_null and not filled:
        alteration.check(altered, f"{name} is NOT NULL and has no default")
        step.may_fail("23502", f"{name} has no value in the rows that exist")


def _default(alteration: Alteration, altered: Altered, relation: Relation, name: str, default: Node) -> bool:
    """Whether existing rows get a value, which is kept in the catalog unless the default is volatile."""
    altered.computes = True
    found = analyse(default, alteration.schema)
    worst = planned_volatility(found, alteration.schema)
    if worst is None or worst is Volatility.VOLATILE:
        why = "is volatile" if worst is not None else "calls a function that is not known, and may be volatile"
        alteration.rewrite(altered, f"the default of {name} {why}")
        return found.null is not True
    return found.null is not True
