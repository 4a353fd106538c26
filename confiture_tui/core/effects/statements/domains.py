"""CREATE DOMAIN and ALTER DOMAIN: a constraint that is checked scans every table that uses the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.dependencies import PG_TYPE, ObjectAddress
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.catalog.models.types import Type, TypeKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.expressions import analyse, volatility
from confiture_tui.core.effects.literals import unreadable
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.queries.noting import note_named
from confiture_tui.core.effects.statements.definitions import names_in, type_oid, type_text
from confiture_tui.core.effects.statements.expressions_read import require_boolean
from confiture_tui.core.effects.statements.needs import note_type
from confiture_tui.core.effects.statements.type_lookup import find_type_named
from confiture_tui.core.effects.statements.types import new_type, place_of_type
from confiture_tui.core.effects.type_names import parse_type
from confiture_tui.core.effects.types_known import require_type
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_STORED = frozenset({RelationKind.TABLE, RelationKind.MATERIALIZED_VIEW})
_USING = _STORED | {RelationKind.PARTITIONED_TABLE, RelationKind.FOREIGN_TABLE}


def read_create_domain(node: Node, step: Step) -> None:
    """CREATE DOMAIN"""
    schema, name = place_of_type(step, names_in(node, "domainname"))
    require_type(step, node["typeName"])
    base = type_text(node["typeName"], step.now)
    domain = replace(
        new_type(step, schema, name, TypeKind.DOMAIN), base_type=base, base_type_oid=type_oid(base, step.now)
    )
    for one in node.get("constraints", []):
        domain = _with_constraint(step, domain, one["Constraint"])
    step.change.put_type(domain)
    note_type(step, ObjectAddress(PG_TYPE, domain.oid), node["typeName"])


def _with_constraint(step: Step, domain: Type, constraint: Node) -> Type:
    match constraint["contype"]:
        case "CONSTR_DEFAULT":
            default = constraint.get("raw_expr")
            literal = (default or {}).get("A_Const", {}).get("sval")
            if literal is not None and domain.base_type is not None:
                refusal = unreadable(parse_type(domain.base_type), str(literal.get("sval", "")), step.now)
                if refusal is not None:
                    step.refuse(*refusal)
            return replace(domain, default="", default_volatility=volatility(default, step.now))
        case "CONSTR_NOTNULL":
            return replace(domain, not_null=True)
        case "CONSTR_CHECK":
            base = parse_type(domain.base_type).bare if domain.base_type else None
            found = analyse(constraint.get("raw_expr"), step.now, variables={"value": base})
            note_named(step, found.facts)
            for problem in found.facts.problems:
                if problem.sqlstate != "42703":  # VALUE is no column
                    step.refuse(problem.sqlstate, problem.message)
            require_boolean(step, found, "CHECK")
            return replace(domain, constraints=(*domain.constraints, _check(step, domain, constraint)))
        case "CONSTR_NULL":
            return domain
    return step.refuse("42601", "domains have no such constraints")


def _check(step: Step, domain: Type, constraint: Node) -> Constraint:
    name = constraint.get("conname")
    taken = {one.name for one in domain.constraints}
    if name in taken:
        step.refuse("42710", f'constraint "{name}" for domain "{domain.name}" already exists')
    if name is None:
        name, number = f"{domain.name}_check", 0
        while name in taken:
            number += 1
            name = f"{domain.name}_check{number}"
    return Constraint(
        oid=step.change.new_oid(),
        owner_name=domain.qualified_name,
        name=name,
        quoted_name=quote_identifier(name),
        kind=ConstraintKind.CHECK,
        relation_oid=0,
        domain_oid=domain.oid,
        definition="CHECK (…)",
        validated=not constraint.get("skip_validation"),
        enforced=True,
        deferrable=False,
        initially_deferred=False,
        no_inherit=False,
        columns=(),
        referenced_relation=None,
        referenced_oid=0,
        referenced_columns=(),
        on_update=None,
        on_delete=None,
        match=None,
        index_oid=0,
        index=None,
        parent_oid=0,
        is_local=True,
        inherited=0,
        disabled_triggers="",
        comment=None,
    )


def read_alter_domain(node: Node, step: Step) -> None:
    """ALTER DOMAIN"""
    parts = names_in(node, "typeName")
    found = find_type_named(parts, None, step)
    if found.table is not None or (found.type is not None and found.type.kind is not TypeKind.DOMAIN):
        step.refuse("42809", f"{parts[-1]} is not a domain")
    subtype = node["subtype"]
    domain = found.type
    if domain is None:
        if subtype in ("O", "C", "V") and not node.get("def", {}).get("Constraint", {}).get("skip_validation"):
            step.unknown_reach("without a catalog the tables that use the domain, which it reads, are not known")
            step.may_fail("23502" if subtype == "O" else "23514", "values that are there may violate it")
        return
    match subtype:
        case "T":
            default = node.get("def")
            worst = volatility(default, step.now) if default is not None else None
            step.change.put_type(replace(domain, default=None if default is None else "", default_volatility=worst))
        case "N":
            step.change.put_type(replace(domain, not_null=False))
        case "O":
            if not domain.not_null:
                _scan(step, domain, "23502", "there may be NULLs")
                step.change.put_type(replace(domain, not_null=True))
        case "C":
            constraint = node["def"]["Constraint"]
            changed = _with_constraint(step, domain, constraint)
            if not constraint.get("skip_validation") and changed != domain:
                state = "23502" if constraint["contype"] == "CONSTR_NOTNULL" else "23514"
                _scan(step, domain, state, "values that are there may violate it")
            step.change.put_type(changed)
        case "X" | "V":
            _drop_or_validate(node, step, domain, validate=subtype == "V")


def _drop_or_validate(node: Node, step: Step, domain: Type, *, validate: bool) -> None:
    name = node.get("name")
    constraint = next((one for one in domain.constraints if one.name == name), None)
    if constraint is None:
        if node.get("missing_ok"):
            step.note(f"constraint {name} does not exist, skipping")
            return
        step.refuse("42704", f'constraint "{name}" of domain "{domain.name}" does not exist')
    others = tuple(one for one in domain.constraints if one.oid != constraint.oid)
    if not validate:
        step.change.put_type(replace(domain, constraints=others))
        return
    if constraint.kind is not ConstraintKind.CHECK:
        step.refuse("42809", f'constraint "{name}" of domain "{domain.name}" is not a check constraint')
    _scan(step, domain, "23514", "values that are there may violate it")
    step.change.put_type(replace(domain, constraints=(*others, constraint.as_validated())))


def _scan(step: Step, domain: Type, sqlstate: str, why: str) -> None:
    """Every table with a column of the domain, or of a domain over it, is locked and read."""
    used = False
    for relation in _users(step, domain):
        if relation.kind in _STORED:
            used = True
            step.lock(relation, LockMode.SHARE, f"it has columns of the domain {domain.qualified_name}")
            step.scan(relation, f"values of the domain {domain.qualified_name} are checked")
    if used:
        step.may_fail(sqlstate, why)


def _users(step: Step, domain: Type) -> Iterator[Relation]:
    schema = step.now
    waiting, seen = [domain], {domain.oid}
    while waiting:
        one = waiting.pop()
        if one.oid > 0:
            _refuse_inside_others(step, one)
        for relation, _column in schema.columns_of_type(one.oid):
            yield relation
        for other in schema.types():
            if other.kind is TypeKind.DOMAIN and other.base_type_oid == one.oid and other.oid not in seen:
                seen.add(other.oid)
                waiting.append(other)


def _refuse_inside_others(step: Step, domain: Type) -> None:
    """The server does not look into arrays, ranges and rows: it refuses where a table stores one."""
    schema = step.now
    containers = {domain.array_oid}
    waiting = [relation for relation, _column in schema.columns_of_type(domain.oid)]
    containers.update(
        one.oid for one in schema.types() if one.kind is TypeKind.RANGE and one.subtype == domain.qualified_name
    )
    containers.update(relation.row_type_oid for relation in waiting)
    containers.update(_arrays_of(step, [relation.row_type_oid for relation in waiting]))
    for oid in containers - {0}:
        for relation, column in schema.columns_of_type(oid):
            if relation.kind in _USING:
                step.refuse(
                    "0A000", f'cannot alter type "{domain.name}" because column "{column.qualified_name}" uses it'
                )


def _arrays_of(step: Step, row_types: list[int]) -> Iterator[int]:
    """The oids of the array types of rows, as the catalog's dependencies know them."""
    from confiture_tui.core.catalog.models.dependencies import PG_TYPE, ObjectAddress

    for oid in row_types:
        if oid:
            for edge in step.schema.dependents(ObjectAddress(PG_TYPE, oid)):
                if edge.dependent.class_oid == PG_TYPE and edge.kind == "i":
                    yield edge.dependent.oid
