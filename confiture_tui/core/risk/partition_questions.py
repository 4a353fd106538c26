"""Whether rows fit where ATTACH PARTITION puts them, and whether the default partition has rows of the new one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.relations import Relation
from confiture_tui.core.effects.forecast import WorkKind
from confiture_tui.core.effects.partition_bounds import (
    All,
    AnyOf,
    Comparison,
    Condition,
    NullTest,
    condition_of_bound,
)
from confiture_tui.core.effects.partition_values import zoned
from confiture_tui.core.risk.advice.subject import literal
from confiture_tui.core.risk.harmless import compares_alike
from confiture_tui.core.risk.tables import NOT_THERE, VIOLATIONS, Node, Table, TablesOfCatalog, cannot
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.effects.schema import Schema
    from confiture_tui.core.risk.probes import Question

_NOT_UNDERSTOOD = "the bound is not one of constants for one column"


def of_attach(
    tables: TablesOfCatalog, forecast: Forecast, parent: Table | None, definition: Node
) -> Iterator[Question]:
    """The questions of one ATTACH PARTITION; what constraints prove already is not asked.

    Args:
        tables: to look names up with.
        forecast: of the statement.
        parent: the partitioned table.
        definition: the ``PartitionCmd``.
    """
    child = tables.table(definition.get("name", {}))
    schema = forecast.before
    divided = schema.by_oid(parent.relation.oid) if parent is not None else None
    read = {work.relation for work in forecast.works if work.kind is WorkKind.SCAN}
    if not read:
        return
    words = f"rows of {child.source if child else 'the table'} that do not fit the partition's bound"
    if parent is None or child is None or not isinstance(divided, Relation):
        yield cannot(VIOLATIONS, words, NOT_THERE)
        return
    condition = _condition(schema, divided, child.relation, definition.get("bound", {}))
    if child.source in read:
        if condition is None or divided.is_partition or not tables.as_named(child, _keys(divided)):
            yield cannot(VIOLATIONS, words, _NOT_UNDERSTOOD)
        else:
            yield tables.made(VIOLATIONS, words, f"SELECT FROM {child.name} WHERE NOT ({condition})", child)
    default = next((one for one in schema.children(divided) if one.partition_bound == "DEFAULT"), None)
    if default is None or default.qualified_name not in read:
        return
    words = f"rows of the default partition {default.qualified_name} that belong to the new one"
    there = tables.named(default.qualified_name)
    if condition is None or there is None or not tables.as_named(there, _keys(divided)):
        yield cannot(VIOLATIONS, words, _NOT_UNDERSTOOD)
    else:
        yield tables.made(VIOLATIONS, words, f"SELECT FROM {there.name} WHERE {condition}", there)


def _condition(schema: Schema, parent: Relation, child: Relation, bound: Node) -> str | None:
    """What rows of the partition must meet, as SQL on columns that both tables have; ``None``: not understood."""
    names = parent.partitioning.columns if parent.partitioning is not None else ()
    if len(names) != 1 or names[0] is None:
        return None
    column, own = parent.column(names[0]), child.column(names[0])
    if column is None or own is None or not compares_alike(column.type, schema):
        return None
    found = condition_of_bound(dict(bound), names, (zoned(column.type, schema.time_zone),))
    return _as_sql(found)


def _keys(parent: Relation) -> list[str]:
    return [name for name in (parent.partitioning.columns if parent.partitioning is not None else ()) if name]


def _as_sql(condition: Condition) -> str | None:
    match condition:
        case NullTest(column, is_null):
            return f"{quote_identifier(column)} IS {'' if is_null else 'NOT '}NULL"
        case Comparison(column, operator, value):
            # How strings are ordered, the key's collation says, not the column's.
            if isinstance(value, str) and operator != "=":
                return None
            return f"{quote_identifier(column)} {operator} {_constant(value)}"
        case All(parts) | AnyOf(parts):
            each = [_as_sql(one) for one in parts]
            known = [one for one in each if one is not None]
            word = " AND " if isinstance(condition, All) else " OR "
            return f"({word.join(known)})" if known and len(known) == len(each) else None
        case _:
            return None


def _constant(value: Decimal | datetime | str | bool) -> str:
    """A constant that takes the type of what it is compared with."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return literal(f"{value:f}" if value.is_finite() else str(value))
        case datetime():
            return literal(value.isoformat(sep=" "))
        case str():
            return literal(value)
