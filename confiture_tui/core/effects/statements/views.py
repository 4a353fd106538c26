"""CREATE VIEW, CREATE MATERIALIZED VIEW, REFRESH MATERIALIZED VIEW."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.dependencies import PG_CLASS, PG_REWRITE, ObjectAddress
from confiture_tui.core.catalog.models.relations import Persistence, Relation, RelationKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.changes import blank_relation
from confiture_tui.core.effects.expressions.views import query_of
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.queries.noting import note_named
from confiture_tui.core.effects.statements.creation import is_taken, new_relation, refuse_taken_relation
from confiture_tui.core.effects.statements.definitions import blank_column, type_oid
from confiture_tui.core.effects.statements.needs import note_needs
from confiture_tui.core.effects.statements.parameters import refuse_parameter
from confiture_tui.core.effects.statements.queries_of_views import read_definition, require_names
from confiture_tui.core.effects.statements.targets import find_existing
from confiture_tui.core.effects.type_names import parse_type
from confiture_tui.core.effects.written import Written
from confiture_tui.core.sql.identifiers import qualified_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_tui.core.effects.expressions.reads import Facts
    from confiture_tui.core.effects.expressions.scope import ScopeColumn
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_AE = LockMode.ACCESS_EXCLUSIVE


def read_view(node: Node, step: Step) -> None:
    """CREATE [OR REPLACE] [TEMP] VIEW"""
    query = node["query"]["SelectStmt"]
    for one in node.get("options", ()):
        refuse_parameter(step, one.get("DefElem", {}), "view", resets=False)
    facts, columns = read_definition(query, step.now)
    for problem in facts.problems:
        step.refuse(problem.sqlstate, problem.message)
    if not facts.complete:
        step.unknown_reach("without a catalog what the query reads is not wholly known")
    reads = [read for read in facts.reads if read.through is None]
    note_named(step, facts)
    for read in reads:
        step.lock(read.found, read.mode, "the view's query reads it")
    schema, name = new_relation(step, node["view"])
    if any(read.found.key[0] == "pg_temp" for read in reads) and "schemaname" not in node["view"]:
        schema = "pg_temp"
    names = tuple(one["String"].get("sval", "") for one in node.get("aliases", []))
    require_names(step, columns, names, too_many="CREATE VIEW specifies more column names than columns")
    existing = step.now.find({"schemaname": schema, "relname": name})
    if node.get("replace") and not existing.missing:
        _replace(step, existing, columns, names, query, facts)
        return
    refuse_taken_relation(step, schema, name)
    view = replace(_relation(step, schema, name, RelationKind.VIEW, columns, names), definition=Written(query))
    step.create(view)
    step.change.put(view)
    note_needs(step, ObjectAddress(PG_CLASS, view.oid), facts)


def _replace(
    step: Step,
    existing: Found,
    columns: Mapping[str, ScopeColumn] | None,
    names: tuple[str, ...],
    query: Node,
    facts: Facts,
) -> None:
    step.lock(existing, _AE, "CREATE OR REPLACE VIEW changes it")
    view = existing.relation
    if view is None or not existing.known:
        if existing.object is not None and view is None:
            step.refuse("42809", f'"{existing.key[1]}" is not a view')
        step.unknown_reach("without a catalog it is not known whether the view exists")
        step.may_fail("42P16", "its columns may change, which only DROP VIEW allows")
        return
    if view.kind is not RelationKind.VIEW:
        step.refuse("42809", f'"{view.name}" is not a view')
    if columns is None:
        step.may_fail("42P16", "its columns may change, which only DROP VIEW allows")
    else:
        _check_columns(step, view, columns, names)
    changed = _relation(step, view.schema, view.name, RelationKind.VIEW, columns, names)
    changed = replace(view, columns=changed.columns if columns is not None else view.columns, definition=Written(query))
    for edge in _rules(step, view):
        step.change.forget_needs(edge)
    step.change.forget_needs(ObjectAddress(PG_CLASS, view.oid))
    step.change.put(changed)
    note_needs(step, ObjectAddress(PG_CLASS, view.oid), facts)


def _rules(step: Step, view: Relation) -> list[ObjectAddress]:
    """The rule that makes a view a view, as the catalog's dependencies know it."""
    edges = step.schema.dependents(ObjectAddress(PG_CLASS, view.oid))
    return [edge.dependent for edge in edges if edge.dependent.class_oid == PG_REWRITE and edge.kind == "i"]


def _check_columns(step: Step, view: Relation, columns: Mapping[str, ScopeColumn], names: tuple[str, ...]) -> None:
    """A view that is replaced keeps its columns, in name, order and type; new ones come behind them."""
    given = [*names, *list(columns)[len(names) :]]
    types = [one.type for one in columns.values()]
    if len(given) < len(view.columns):
        step.refuse("42P16", "cannot drop columns from view")
    for old, name, kind in zip(view.columns, given, types, strict=False):
        if old.name != name:
            step.refuse("42P16", f'cannot change name of view column "{old.name}" to "{name}"')
        if kind not in (None, "unknown") and kind != parse_type(old.type).bare:
            step.refuse("42P16", f'cannot change data type of view column "{name}" from {old.type} to {kind}')


def _relation(
    step: Step,
    schema: str,
    name: str,
    kind: RelationKind,
    columns: Mapping[str, ScopeColumn] | None,
    names: tuple[str, ...],
) -> Relation:
    full = qualified_name(schema, name)
    persistence = Persistence.TEMPORARY if schema == "pg_temp" else Persistence.PERMANENT
    relation = blank_relation(step.change.new_oid(), schema, name, full, kind, persistence)
    given = dict(columns or {})
    listed = [*names, *list(given)[len(names) :]]
    types = [one.type for one in given.values()]
    return replace(
        relation,
        columns=tuple(
            blank_column(
                full,
                one,
                number,
                type=(kind_of := _plain_type(types[number - 1] if number <= len(types) else None)),
                type_oid=type_oid(kind_of, step.now),
            )
            for number, one in enumerate(listed, start=1)
        ),
    )


def _plain_type(kind: str | None) -> str:
    return "text" if kind == "unknown" else kind or ""


def read_create_materialized_view(node: Node, step: Step) -> None:
    """CREATE MATERIALIZED VIEW … [WITH NO DATA]: a CREATE TABLE AS that remembers its query."""
    into = node["into"]
    schema, name = new_relation(step, into["rel"])
    if node.get("if_not_exists") and is_taken(step, schema, name):
        step.note(f"relation {name} already exists, skipping")
        return
    query = node["query"].get("SelectStmt", {})
    facts, columns = read_definition(query, step.now)
    for problem in facts.problems:
        step.refuse(problem.sqlstate, problem.message)
    refuse_taken_relation(step, schema, name)
    note_named(step, facts)
    reads = [read for read in facts.reads if read.through is None]
    if any(read.found.key[0] == "pg_temp" for read in reads):
        step.refuse("0A000", "materialized views must not use temporary tables or views")
    names = tuple(one["String"].get("sval", "") for one in into.get("colNames", []))
    require_names(step, columns, names, too_many="too many column names were specified")
    if into.get("skipData"):
        for read in reads:
            step.lock(read.found, read.mode, "the view's query reads it")
        if not facts.complete:
            step.unknown_reach("without a catalog what the query reads is not wholly known")
    else:
        step.run("SelectStmt", query)
    for one in into.get("options", ()):
        refuse_parameter(step, one.get("DefElem", {}), "materialized view", resets=False)
    view = _relation(step, schema, name, RelationKind.MATERIALIZED_VIEW, columns, names)
    view = replace(view, populated=not into.get("skipData"), definition=Written(query))
    step.create(view)
    step.change.put(view)
    note_needs(step, ObjectAddress(PG_CLASS, view.oid), facts)


def read_refresh(node: Node, step: Step) -> None:
    """REFRESH MATERIALIZED VIEW [CONCURRENTLY] [WITH NO DATA]"""
    concurrent, empty = bool(node.get("concurrent")), bool(node.get("skipData"))
    found = find_existing(step, node["relation"])
    if found is None:
        return
    mode = LockMode.EXCLUSIVE if concurrent else _AE
    step.lock(found, mode, "REFRESH replaces its rows")
    view = found.relation
    if found.object is not None and (view is None or (found.known and view.kind is not RelationKind.MATERIALIZED_VIEW)):
        if view is None or view.kind in (RelationKind.VIEW, RelationKind.FOREIGN_TABLE):
            step.refuse("42809", f'"{found.key[1]}" is not a table or materialized view')
        step.refuse("0A000", f'"{found.key[1]}" is not a materialized view')
    if concurrent and empty:
        step.refuse("42601", "CONCURRENTLY and WITH NO DATA options cannot be used together")
    step.changes_data(None)
    if view is None or not found.known:
        step.unknown_reach("without a catalog what it reads is not known")
        step.scan(found, "REFRESH reads it")
        if not concurrent:
            step.rewrite(found, "REFRESH writes it anew")
        return
    if concurrent and not view.populated:
        step.refuse("0A000", "CONCURRENTLY cannot be used when the materialized view is not populated")
    if concurrent and not any(_identifies_rows(view, number) for number in range(len(view.indexes))):
        step.refuse("55000", f'cannot refresh materialized view "{view.qualified_name}" concurrently')
    if not empty:
        query = query_of(view)
        if query is None:
            step.unknown_reach("its query could not be read")
        else:
            step.run("SelectStmt", query)
    if concurrent:
        step.may_fail("21000", "its rows may hold duplicates")
        step.scan(view, "REFRESH CONCURRENTLY compares it with its query's result")
        return
    step.rewrite(view, "REFRESH writes it anew")
    for index in view.indexes:
        step.scan(view, "the indexes are built from its new storage")
        step.rebuild(index, view, "REFRESH builds it anew")
    step.change.put(replace(view, populated=not empty))


def _identifies_rows(view: Relation, number: int) -> bool:
    """Whether an index is unique, whole, and over plain columns: what CONCURRENTLY needs."""
    index = view.indexes[number]
    return index.unique and index.valid and index.predicate is None and None not in index.key_columns
