"""Questions about columns, keys and sequences that more than one rule asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.constraints import Constraint, ConstraintKind
from confiture_tui.core.effects.type_names import parse_type, type_of_node
from confiture_tui.core.risk.advice.tree import nodes_of, strings
from confiture_tui.core.risk.rules.made import made_before
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.forecast import Forecast, Simulation
    from confiture_tui.core.effects.type_names import TypeRef
    from confiture_tui.core.risk.advice.tree import Node
    from confiture_tui.core.risk.rule import RuleContext
    from confiture_tui.core.risk.rules.command import Command

_RANK = {"smallint": 1, "integer": 2, "bigint": 3, "numeric": 4}
_INEXACT = frozenset({"real", "double precision"})
_STRINGS = frozenset({"character varying", "character", "bit varying", "bit"})
_MOMENTS = frozenset({"timestamp without time zone", "timestamp with time zone"})
_CLOCKS = _MOMENTS | {"time without time zone", "time with time zone", "interval"}


def types_of(command: Command) -> tuple[TypeRef | None, TypeRef | None]:
    """The type of a column before and after ALTER COLUMN … TYPE; ``None`` for what is not known."""
    relation = command.forecast.before.find(command.table).relation
    column = None if relation is None else relation.column(command.name)
    old = None if column is None else parse_type(column.type)
    return old, type_of_node(dict(command.column.get("typeName", {})), command.forecast.before)


def loses_precision(command: Command) -> bool:
    """Whether ALTER COLUMN … TYPE changes values without failing: rounded, cut off, moved to a coarser grain."""
    old, new = types_of(command)
    if old is None or new is None or old.is_array or new.is_array or command.column.get("raw_default"):
        return False
    if old.name == "numeric" and new.name == "numeric":
        return _scale(new) is not None and (_scale(old) is None or (_scale(old) or 0) > (_scale(new) or 0))
    if old.name in ("numeric", *_INEXACT) and new.name in ("smallint", "integer", "bigint"):
        return _scale(old) != 0
    if old.name in ("numeric", "bigint", "double precision") and new.name in _INEXACT:
        return old.name != new.name
    if old.name in _MOMENTS and new.name in ("date", "time without time zone", "time with time zone"):
        return True
    if old.name in _CLOCKS and new.name in _CLOCKS:
        before, after = _digits(old), _digits(new)
        return after is not None and (before is None or before > after)
    return False


def may_not_fit(command: Command) -> bool:
    """Whether a value of the old type may be too large or too long for the new one."""
    old, new = types_of(command)
    if old is None or new is None or old.is_array or new.is_array:
        return False
    if new.name in _RANK and old.name in _RANK:
        if new.name == "numeric" and old.name == "numeric":
            return _whole_digits(new) is not None and (
                _whole_digits(old) is None or (_whole_digits(old) or 0) > (_whole_digits(new) or 0)
            )
        return _RANK[new.name] < _RANK[old.name]
    if new.name in _STRINGS and new.modifier.isdigit():
        return not old.modifier.isdigit() or int(old.modifier) > int(new.modifier)
    return False


def fills_new_columns(forecast: Forecast, node: Node, context: RuleContext) -> bool:
    """Whether an UPDATE writes only columns that the migration itself has added: nothing is lost by it."""
    written = {one.get("ResTarget", {}).get("name", "") for one in node.get("targetList", ())}
    return bool(written) and made_before(forecast, context, forecast.before.name_of(node["relation"]), written)


def unindexed_references(forecast: Forecast, relation: Relation, node: Node) -> Iterator[tuple[Relation, Constraint]]:
    """The foreign keys to a table that a statement makes the server follow without an index to go by."""
    written, deletes = _written_columns(forecast, node)
    for child, key in forecast.before.referencing(relation):
        if key.kind is not ConstraintKind.FOREIGN_KEY or key.parent_oid:
            continue
        if not deletes and not written & set(key.referenced_columns):
            continue
        if not has_index_on(child, key.columns):
            yield child, key


def _written_columns(forecast: Forecast, node: Node) -> tuple[set[str], bool]:
    """The columns that UPDATE, DELETE or MERGE gives rows that are there; and whether it deletes some."""
    kind = forecast.statement.node_kind
    clauses = [one.get("MergeWhenClause", {}) for one in node.get("mergeWhenClauses", ())]
    updating = [one for one in clauses if one.get("commandType") == "CMD_UPDATE"] if kind == "MergeStmt" else [node]
    deletes = kind == "DeleteStmt" or any(one.get("commandType") == "CMD_DELETE" for one in clauses)
    return {
        str(one.get("ResTarget", {}).get("name")) for each in updating for one in each.get("targetList", ())
    }, deletes


def has_index_on(relation: Relation, columns: Sequence[str]) -> bool:
    """Whether a valid, whole index begins with these columns, in any order."""
    wanted = set(columns)
    return any(
        one.predicate is None
        and one.access_method in ("btree", "hash")
        and (one.valid or one.is_partitioned)
        and set(one.key_columns[: len(wanted)]) == wanted
        for one in relation.indexes
    )


def sequences_reset(forecast: Forecast) -> Iterator[tuple[str, str]]:
    """Sequences that were there before and start again or go: name (empty where nobody knows) and what happens."""
    node = forecast.statement.node or {}
    before = forecast.before
    match forecast.statement.node_kind:
        case "AlterSeqStmt":
            name = before.name_of(node["sequence"])
            told = {one.get("DefElem", {}).get("defname") for one in node.get("options", ())}
            if before.existed_before(name) and told & {"restart", "minvalue", "maxvalue", "increment", "cycle"}:
                what = "starts again" if "restart" in told else "gives other numbers from now on"
                yield name, what
        case "DropStmt" if node.get("removeType") == "OBJECT_SEQUENCE":
            for one in node.get("objects", ()):
                parts = strings(one.get("List", {}).get("items", ()))
                name = before.name_of(".".join(map(quote_identifier, parts)))
                if before.existed_before(name):
                    yield name, "goes: inserts that rely on it fail"
        case "SelectStmt":
            for call in nodes_of(node, "FuncCall"):
                if strings(call.get("funcname", ()))[-1:] == ("setval",):
                    yield _sequence_named(forecast, call), "is set to another value"
        case "TruncateStmt" if node.get("restart_seqs"):
            for one in node.get("relations", ()):
                relation = before.find(one.get("RangeVar", {})).relation
                for sequence in before.owned_sequences(relation) if relation is not None else ():
                    if before.existed_before(sequence.qualified_name):
                        yield sequence.qualified_name, "starts again"
        case "AlterTableStmt":
            for one in node.get("cmds", ()):
                command = one.get("AlterTableCmd", {})
                options = command.get("def", {}).get("List", {}).get("items", ())
                if command.get("subtype") == "AT_SetIdentity" and any(
                    each.get("DefElem", {}).get("defname") == "restart" for each in options
                ):
                    yield "", f"of {before.name_of(node['relation'])}.{quote_identifier(command['name'])} starts again"


def name_is_taken_again(forecast: Forecast, name: str, context: RuleContext) -> bool:
    """Whether a later statement of the same transaction is the next that makes something of that name."""
    makers = context.of_migration(_makers).get(name, ())
    later = next((one for one in makers if one.statement.index > forecast.statement.index), None)
    return later is not None and later.transaction is not None and later.transaction == forecast.transaction


def _makers(simulation: Simulation) -> Mapping[str, list[Forecast]]:
    """The statements that make something, by its name."""
    found: dict[str, list[Forecast]] = {}
    for forecast in simulation.forecasts:
        for name in forecast.effects.creates or ():
            found.setdefault(name, []).append(forecast)
    return found


def _sequence_named(forecast: Forecast, call: Node) -> str:
    for one in call.get("args", ())[:1]:
        inner = one.get("TypeCast", {}).get("arg", one)
        text = inner.get("A_Const", {}).get("sval", {}).get("sval")
        if text:
            try:
                return forecast.before.name_of(text)
            except ValueError:
                return ""
    return ""


def _scale(one: TypeRef) -> int | None:
    """Digits behind the point of a numeric; ``None`` for as many as there are."""
    digits = one.modifier.partition(",")[2]
    return int(digits) if digits.lstrip("-").isdigit() else None


def _whole_digits(one: TypeRef) -> int | None:
    precision, _, scale = one.modifier.partition(",")
    return int(precision) - int(scale or 0) if precision.isdigit() and scale.lstrip("-").isdigit() else None


def _digits(one: TypeRef) -> int | None:
    """Digits of the seconds; ``None`` for six."""
    digits = one.modifier.strip("()")
    return int(digits) if digits.isdigit() and int(digits) < 6 else None
