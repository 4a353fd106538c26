"""CREATE STATISTICS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.columns import Generated
from confiture_tui.core.catalog.models.dependencies import PG_CLASS, ObjectAddress
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.dropping import note_part
from confiture_tui.core.effects.expressions import analyse
from confiture_tui.core.effects.expressions.scope import SYSTEM_COLUMNS
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.operator_classes import has_operator_class
from confiture_tui.core.effects.statements.creation import new_place
from confiture_tui.core.effects.statements.definitions import names_in
from confiture_tui.core.effects.statements.expressions_read import read_expression
from confiture_tui.core.effects.statements.made_objects import make
from confiture_tui.core.effects.statements.needs import note_needs
from confiture_tui.core.effects.statements.targets import find_existing
from confiture_tui.core.effects.written import without_places
from confiture_tui.core.sql.identifiers import qualified_name

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.objects import OtherObject
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_LONGEST = 8
_KINDS = frozenset({"ndistinct", "dependencies", "mcv"})


def read_create_statistics(node: Node, step: Step) -> None:
    """CREATE STATISTICS"""
    relations = node.get("relations", [])
    if len(relations) > 1 or any("RangeVar" not in one for one in relations):
        step.refuse("0A000", "only a single relation is allowed in CREATE STATISTICS")
    found = find_existing(step, relations[0]["RangeVar"])
    if found is None:
        return
    step.lock(found, LockMode.SHARE_UPDATE_EXCLUSIVE, "CREATE STATISTICS locks out other DDL")
    relation = found.relation if found.known else None
    if relation is not None and relation.kind in (RelationKind.VIEW, RelationKind.COMPOSITE_TYPE):
        step.refuse("42809", f'cannot define statistics for relation "{relation.name}"')
    parts = names_in(node, "defnames")
    made: OtherObject | None = None
    if parts:
        schema = new_place(step, parts[-2] if len(parts) > 1 else None)
        identity = qualified_name(schema, parts[-1])
        made = make(step, "statistics object", identity, schema=schema, if_not_exists=bool(node.get("if_not_exists")))
        if made is None:
            return
    elements = [each["StatsElem"] for each in node.get("exprs", [])]
    if len(elements) > _LONGEST:
        step.refuse("54011", f"cannot have more than {_LONGEST} columns in statistics")
    if relation is None:
        return
    names, expressions = _read(step, relation, elements)
    kinds = names_in(node, "stat_types")
    for kind in kinds:
        if kind not in _KINDS:
            step.refuse("42601", f'unrecognized statistics kind "{kind}"')
    if not names and len(expressions) == 1 and kinds:
        step.refuse("0A000", "when building statistics on a single expression, statistics kinds may not be specified")
    if len(names) == 1 and not expressions:
        step.refuse("42P17", "extended statistics require at least 2 columns")
    if len(set(names)) < len(names):
        step.refuse("42701", "duplicate column name in statistics definition")
    plain = [without_places(one) for one in expressions]
    if any(one in plain[:place] for place, one in enumerate(plain)):
        step.refuse("42701", "duplicate expression in statistics definition")
    if made is not None:
        address = ObjectAddress(made.class_oid, made.oid)
        note_part(step, relation, address)
        for name in names:
            column = relation.column(name)
            if column is not None:
                step.change.depend(address, ObjectAddress(PG_CLASS, relation.oid, column.number), "a")
        for expression in expressions:
            note_needs(
                step, address, analyse(expression, step.now, relation=relation).facts, relation=relation, kind="a"
            )


def _read(step: Step, relation: Relation, elements: list[Node]) -> tuple[list[str], list[Node]]:
    """The columns and the expressions; a column in brackets is a column."""
    names: list[str] = []
    expressions: list[Node] = []
    for one in elements:
        fields = one.get("expr", {}).get("ColumnRef", {}).get("fields", ())
        name = one.get("name") or (fields[-1].get("String", {}).get("sval") if fields else None)
        if name is None:
            found = read_expression(step, one["expr"], "statistics expression", relation=relation)
            kind = found.type.bare if found.type is not None else None
            expressions.append(one["expr"])
            checked = len(elements) > 1
        else:
            column = relation.column(name)
            if column is None:
                if name in SYSTEM_COLUMNS:
                    step.refuse("0A000", "statistics creation on system columns is not supported")
                step.refuse("42703", f'column "{name}" does not exist')
            if column.generated is Generated.VIRTUAL:
                step.refuse("0A000", "statistics creation on virtual generated columns is not supported")
            kind, checked = column.type, True
            names.append(name)
        if checked and kind and not has_operator_class(step.now, kind, "btree"):
            step.refuse("0A000", f"type {kind} has no default btree operator class, and cannot be used in statistics")
    return names, expressions
