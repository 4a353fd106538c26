"""What writing rows of a table reaches besides the table: triggers, foreign keys, defaults, checks, sequences."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.effects.expressions.base import Reader
from confiture_tui.core.effects.expressions.reads import Comparison, Condition, Read
from confiture_tui.core.effects.expressions.scope import Entry, Scope, columns_of
from confiture_tui.core.effects.lock_modes import LockMode
from confiture_tui.core.effects.plans import reads_whole
from confiture_tui.core.effects.pruning import ancestors, reached
from confiture_tui.core.effects.queries.calls import note_calls, run_routine
from confiture_tui.core.effects.queries.published import refuse_unidentified
from confiture_tui.core.effects.queries.running import note_data, unknown
from confiture_tui.core.effects.schema import Found, Presence
from confiture_tui.core.effects.type_names import parse_type, user_type
from confiture_tui.core.effects.written import tree_of
from confiture_tui.core.sql.parser import parse
from confiture_tui.core.sql.statement import SyntaxProblem

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.triggers import Trigger
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

INSERT, DELETE, UPDATE = 4, 8, 16
_ROW, _BEFORE, _INSTEAD = 1, 2, 64
# Bits of a trigger's type (pg_trigger.h).


@dataclass(frozen=True, slots=True)
class TriggerTerms:
    """When a trigger fires: events and columns, as CREATE TRIGGER says; and what it calls its transition tables."""

    events: int
    before: bool
    instead: bool
    each_row: bool
    columns: frozenset[str]
    conditional: bool
    transitions: tuple[str, ...] = ()


def terms_of(definition: str) -> TriggerTerms | None:
    """What a trigger's definition says; ``None`` when it cannot be read."""
    node = tree_of(definition)
    return _terms(node) if node is not None else _terms_written(definition)


@lru_cache(maxsize=1024)
def _terms_written(definition: str) -> TriggerTerms | None:
    tree = parse(definition)
    return None if isinstance(tree, SyntaxProblem) or tree[0] != "CreateTrigStmt" else _terms(tree[1])


def _terms(node: Node) -> TriggerTerms:
    timing = node.get("timing", 0)
    return TriggerTerms(
        node.get("events", 0),
        bool(timing & _BEFORE),
        bool(timing & _INSTEAD),
        bool(node.get("row")),
        frozenset(one["String"].get("sval", "") for one in node.get("columns", ())),
        "whenClause" in node,
        tuple(one["TriggerTransition"].get("name", "") for one in node.get("transitionRels", ())),
    )


def known_empty(relation: Relation) -> bool:
    """Whether the catalog saw that a table has no page at all, so that no row of it can be touched."""
    statistics = relation.statistics
    return relation.kind is RelationKind.TABLE and statistics is not None and statistics.size == 0


def has_row_trigger(relation: Relation, event: int, *, before: bool) -> bool:
    """Whether a trigger for each row may change what is written, or keep it from being written."""
    for trigger in relation.triggers:
        terms = terms_of(trigger.definition)
        if trigger.enabled == "disabled" or terms is None:
            continue
        if terms.events & event and terms.each_row and terms.before == before:
            return True
    return False


def note_rows(
    step: Step,
    relation: Relation,
    event: int,
    *,
    columns: Collection[str] | None = None,
    empty: bool = False,
    nulls: Collection[str] = (),
    rows: Sequence[Mapping[str, object]] = (),
    seen: frozenset[tuple[int, int]] = frozenset(),
    named: bool = True,
    skips_conflicts: bool = False,
) -> None:
    """What inserting, updating or deleting rows of one table does beyond it.

    Args:
        step: written to.
        relation: whose rows are written: a table, or a partition.
        event: ``INSERT``, ``UPDATE`` or ``DELETE``.
        columns: those that are given a value (INSERT) or a new one (UPDATE); ``None`` for all.
        nulls: of an UPDATE, the columns that are given NULL.
        rows: of an INSERT, each new row as far as its values are written plainly; empty where they are not known.
        empty: no row is there to be written: only triggers for the whole statement fire.
        seen: what is being gone through already, so that circles end.
        named: it is what the statement names, not a partition or child of that: triggers for each statement fire.
        skips_conflicts: rows whose key is there already are passed over: ON CONFLICT DO NOTHING without a target.
    """
    if (relation.oid, event) in seen:
        return
    seen |= {(relation.oid, event)}
    _note_triggers(step, relation, event, columns, empty=empty, named=named)
    if empty:
        return
    if event != DELETE:
        _note_own_foreign_keys(step, relation, event, columns, nulls, rows)
        _note_expressions(step, relation)
        _note_possible_failures(step, relation, event, columns, skips_conflicts=skips_conflicts)
    if event != INSERT:
        for child, constraint in step.now.referencing(relation):
            _note_reference(step, relation, child, constraint, event, columns, seen)


def _note_triggers(
    step: Step, relation: Relation, event: int, columns: Collection[str] | None, *, empty: bool, named: bool
) -> None:
    for trigger in relation.triggers:
        if trigger.enabled in ("disabled", "replica"):
            continue
        terms = terms_of(trigger.definition)
        if terms is None:
            unknown(step, f"the trigger {trigger.quoted_name} cannot be read")
            continue
        if not terms.events & event or (empty and terms.each_row) or not (named or terms.each_row):
            continue
        if event == UPDATE and terms.columns and columns is not None and not terms.columns & set(columns):
            continue
        if terms.before and terms.each_row and event != DELETE and relation.is_partition:
            _note_leaving(step, relation, trigger)
        outer = step.transitions
        step.transitions = dict.fromkeys(terms.transitions, relation)
        note_trigger(step, trigger, maybe=terms.conditional or terms.each_row)
        step.transitions = outer


def _note_leaving(step: Step, relation: Relation, trigger: Trigger) -> None:
    """A trigger before the row is written may change its key, so that it does not belong into the partition."""
    routine = step.now.routine_by_oid(trigger.function_oid)
    keys = {name for one in ancestors(relation, step.now) if one.partitioning for name in one.partitioning.columns}
    source = routine.source if routine is not None else ""
    words = set(re.findall(r"\w+", source.lower()))
    if source and None not in keys and not words & {str(one).lower() for one in keys} and not _SETS_ROW.search(source):
        return
    why = f"the trigger {trigger.quoted_name} may change a row's key, so that it is out of the partition's bounds"
    step.may_fail("0A000" if trigger.parent_oid else "23514", why)
    step.may_fail("23514", why)


_SETS_ROW = re.compile(r"\bnew\s*(?::=|=)|\binto\s+new\b", re.IGNORECASE)


def note_trigger(step: Step, trigger: Trigger, *, maybe: bool) -> None:
    """What a trigger's function does."""
    routine = step.now.routine_by_oid(trigger.function_oid)
    if routine is None:
        if not trigger.function.startswith("pg_catalog."):
            unknown(step, f"what the trigger {trigger.quoted_name} does is not known")
    elif routine.oid not in step.running:
        run_routine(step, routine, maybe=maybe)


def _note_own_foreign_keys(
    step: Step,
    relation: Relation,
    event: int,
    columns: Collection[str] | None,
    nulls: Collection[str],
    rows: Sequence[Mapping[str, object]],
) -> None:
    for constraint in relation.constraints:
        if constraint.kind is not ConstraintKind.FOREIGN_KEY or not constraint.enforced:
            continue
        if any(one.oid == constraint.parent_oid for one in relation.constraints):
            continue  # one for each partition of what is referenced: the rows are looked up through the whole
        if constraint.match != "FULL" and set(constraint.columns) & set(nulls):
            continue
        if columns is not None:
            written = set(constraint.columns) & set(columns)
            if not written or (event == INSERT and constraint.match != "FULL" and written != set(constraint.columns)):
                continue
        parent = step.now.by_oid(constraint.referenced_oid)
        if not isinstance(parent, Relation):
            step.unknown_reach(f"what {constraint.quoted_name} references is not known")
            continue
        why = f"the foreign key {constraint.quoted_name} looks for the row that is referenced"
        for row in rows or ({},):
            known = {
                there: row[here]
                for here, there in zip(constraint.columns, constraint.referenced_columns, strict=True)
                if here in row
            }
            _look_up(step, parent, constraint.referenced_columns, LockMode.ROW_SHARE, why, known)
        _defer(step, constraint)
        step.may_fail("23503", f"{relation.qualified_name}: {constraint.quoted_name} finds no such row")


def _defer(step: Step, constraint: Constraint) -> None:
    """A foreign key may be looked at only when the transaction is committed."""
    if constraint.initially_deferred or (constraint.deferrable and step.session.constraints_deferred):
        step.session.deferred[constraint.quoted_name] = None


def _note_reference(
    step: Step,
    relation: Relation,
    child: Relation,
    constraint: Constraint,
    event: int,
    columns: Collection[str] | None,
    seen: frozenset[tuple[int, int]],
) -> None:
    """Rows that are referenced go, or get another key: what the foreign key does about it."""
    if not constraint.enforced or constraint.kind is not ConstraintKind.FOREIGN_KEY:
        return
    if event == UPDATE and columns is not None and not set(constraint.referenced_columns) & set(columns):
        return
    action = (constraint.on_delete if event == DELETE else constraint.on_update) or "NO ACTION"
    name = constraint.quoted_name
    if constraint.parent_oid and any(
        one.oid == constraint.parent_oid for other, one in step.now.referencing(relation) if other.oid != child.oid
    ):
        return  # a partition of the referencing table: reached through that table
    if action in ("NO ACTION", "RESTRICT"):
        _look_up(
            step, child, constraint.columns, LockMode.ROW_SHARE, f"the foreign key {name} looks for referencing rows"
        )
        _defer(step, constraint)
        step.may_fail(
            "23001" if action == "RESTRICT" and step.now.server_version_num >= 180000 else "23503",
            f"{child.qualified_name} still references the rows ({name})",
        )
        return
    why = f"the foreign key {name} passes the change on ({action})"
    _look_up(step, child, constraint.columns, LockMode.ROW_EXCLUSIVE, why)
    inner = DELETE if event == DELETE and action == "CASCADE" else UPDATE
    note_data(step, child, changes=True, destroys=inner == DELETE)
    for member in (child, *reached(child, step.now)):
        if member.kind is RelationKind.TABLE:
            step.write(member, why)
    own = child if child.kind is RelationKind.TABLE else None
    for member in [own] if own else [one for one in reached(child, step.now) if one.kind is RelationKind.TABLE]:
        if not known_empty(member):
            refuse_unidentified(step, member, "delete" if inner == DELETE else "update", certain=False)
            note_rows(
                step,
                member,
                inner,
                columns=None if inner == DELETE else constraint.columns,
                nulls=constraint.columns if action == "SET NULL" else (),
                seen=seen,
                named=member is child,
            )


def _look_up(
    step: Step,
    relation: Relation,
    columns: tuple[str, ...],
    mode: LockMode,
    why: str,
    values: Mapping[str, object] | None = None,
) -> None:
    """A query that a foreign key runs on another table: by equality of some columns, with values that may be known."""
    known = values or {}
    found = Found(relation.qualified_name, (relation.schema, relation.name), relation, Presence.KNOWN)
    conditions = [
        Condition(column, Comparison.EQUAL, values=(known[column],) if column in known else ()) for column in columns
    ]
    read = Read(found, mode, conditions=conditions)
    step.lock(relation, mode, why)
    members = [relation]
    if relation.kind is RelationKind.PARTITIONED_TABLE:
        members += reached(relation, step.now, conditions)
        for member in members[1:]:
            step.lock(member, mode, why)
    for member in members:
        if member.kind is RelationKind.TABLE and reads_whole(member, read):
            step.scan(member, f"{why}: no index serves it")


def _note_expressions(step: Step, relation: Relation) -> None:
    """CHECK constraints and generated columns may call functions of the user's."""
    for constraint in relation.constraints:
        if constraint.kind is ConstraintKind.CHECK and constraint.enforced:
            _note_expression(step, relation, _checked(constraint.definition))
    for column in relation.columns:
        if column.generated is not None and column.default is not None:
            _note_expression(step, relation, column.default)


def _checked(definition: str) -> str:
    start = definition.find("(")
    end = definition.rfind(")")
    return definition[start : end + 1]


def _note_expression(step: Step, relation: Relation, text: str) -> None:
    node = parsed_expression(text)
    if node is None:
        return
    reader = Reader(step.now, Scope(entries=[Entry(relation.name, columns_of(relation))]))
    reader.read(node)
    note_calls(step, reader.facts)


def parsed_expression(text: str) -> Node | None:
    """The syntax tree of an expression of the catalog or of the files. It is read from; nobody writes to it."""
    return tree_of(text) or _parsed_expression(text)


@lru_cache(maxsize=2048)
def _parsed_expression(text: str) -> Node | None:
    tree = parse(f"SELECT {text}")
    if isinstance(tree, SyntaxProblem):
        return None
    targets = tree[1].get("targetList", [])
    value: Node | None = targets[0].get("ResTarget", {}).get("val") if len(targets) == 1 else None
    return value


_ASSUMED_WRITE = {
    "42P01": "it may not exist",
    "42703": "it may not have these columns",
    "42809": "it may be no table",
    "55000": "it may be a view that cannot be written through",
    "428C9": "a column may be generated, or an identity",
    "42804": "a value may be of another type than its column",
    "42601": "it may have fewer columns than there are values",
    "22P02": "a text may not be a value of its column's type",
    "22001": "a text may be too long for its column",
    "22003": "a number may be out of its column's range",
    "23505": "a key may be there already",
    "23502": "a column may be given NULL that does not take it",
    "23514": "a check may not hold, or there may be no partition for a row",
    "23503": "a foreign key may be violated",
}
_ASSUMED_DELETE = ("42P01", "42703", "42809", "55000", "23503")


def note_assumed_failures(step: Step, name: str, *, deletes: bool = False) -> None:
    """What a catalog would tell of writing to a table, where there is none."""
    for sqlstate, why in _ASSUMED_WRITE.items():
        if not deletes or sqlstate in _ASSUMED_DELETE:
            step.may_fail(sqlstate, f"{name}: {why}")


def _note_possible_failures(
    step: Step, relation: Relation, event: int, columns: Collection[str] | None, *, skips_conflicts: bool
) -> None:
    written = None if columns is None else set(columns)
    for constraint in relation.constraints:
        concerned = written is None or event == INSERT or not constraint.columns
        concerned = concerned or bool((written or set()) & set(constraint.columns))
        if not concerned or not constraint.enforced:
            continue
        if constraint.kind is ConstraintKind.CHECK:
            step.may_fail("23514", f"{relation.qualified_name}: {constraint.quoted_name} may not hold")
        elif constraint.kind is ConstraintKind.EXCLUSION and not (skips_conflicts and not constraint.deferrable):
            step.may_fail("23P01", f"{relation.qualified_name}: {constraint.quoted_name} may be violated")
    for index in relation.indexes:
        keys = {one for one in index.key_columns if one is not None}
        if skips_conflicts and index.immediate:
            continue
        if index.unique and not index.exclusion and (written is None or not keys or keys & written):
            step.may_fail("23505", f"{index.qualified_name}: a key may be there already")
        elif index.unique and index.exclusion and (written is None or not keys or keys & written):
            step.may_fail("23P01", f"{index.qualified_name}: it may overlap with what is there")
            step.may_fail("23514", f"{index.qualified_name}: an empty range overlaps with nothing")
    for column in relation.columns:
        if written is not None and column.name not in written:
            continue
        domain = user_type(parse_type(column.type).bare, step.now)
        if domain is not None and domain.base_type is not None and (domain.constraints or domain.not_null):
            step.may_fail("23514", f"{column.qualified_name}: the value may not fit the domain {domain.qualified_name}")
