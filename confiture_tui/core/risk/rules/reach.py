"""What a statement reaches that it does not name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.constraints import ConstraintKind
from confiture_tui.core.catalog.models.dependencies import (
    PG_CLASS,
    PG_CONSTRAINT,
    PG_EXTENSION,
    PG_NAMESPACE,
    PG_PROC,
    PG_TYPE,
    ObjectAddress,
)
from confiture_tui.core.catalog.models.relations import Relation, RelationKind
from confiture_tui.core.risk.advice.tree import strings
from confiture_tui.core.sql.identifiers import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.advice.tree import Node
    from confiture_tui.core.risk.rules.command import Command

_TOLD = frozenset(
    {"view", "materialized view", "table", "partitioned table", "foreign table", "function", "procedure", "aggregate"}
    | {"trigger", "policy", "domain", "type", "column", "sequence", "constraint", "rule"}
)


def dropped_by_name(forecast: Forecast) -> tuple[ObjectAddress, ...]:
    """What a DROP, or DROP COLUMN and DROP CONSTRAINT of an ALTER TABLE, names and the catalog knows."""
    node = forecast.statement.node or {}
    if forecast.statement.node_kind == "AlterTableStmt":
        relation = forecast.before.relation(node["relation"])
        return () if relation is None else tuple(_parts_of(relation, node))
    found: list[ObjectAddress] = []
    kind = node.get("removeType", "")
    for one in node.get("objects", ()):
        address = _address(forecast, kind, one)
        if address is not None:
            found.append(address)
    return tuple(found)


def relations_dropped(forecast: Forecast) -> tuple[str, ...]:
    """The relations that a DROP names and that were there before."""
    names = []
    for one in (forecast.statement.node or {}).get("objects", ()):
        parts = strings(one.get("List", {}).get("items", ()))
        name = forecast.before.name_of(".".join(quote_identifier(part) for part in parts))
        if forecast.before.existed_before(name):
            names.append(name)
    return tuple(names)


def columns_dropped(forecast: Forecast) -> tuple[str, ...]:
    """Columns of tables that CASCADE takes with it, of tables that stay themselves."""
    catalog, targets = forecast.before.catalog, dropped_by_name(forecast)
    if catalog is None or not targets:
        return ()
    described = [catalog.describe(one) for one in catalog.dependencies.reach(*targets) if one.class_oid == PG_CLASS]
    return tuple(sorted(name for kind, name in filter(None, described) if kind == "column"))


def cascade_reaches(forecast: Forecast) -> tuple[str, ...]:
    """Kind and name of what CASCADE takes with it, apart from parts of what is named itself."""
    catalog, targets = forecast.before.catalog, dropped_by_name(forecast)
    if catalog is None or not targets:
        return ()
    own = {address.oid for address in targets if address.class_oid == PG_CLASS and address.number == 0}
    own_names = {catalog.describe(one) for one in targets}
    found: set[tuple[str, str]] = set()
    for address in catalog.dependencies.reach(*targets):
        described = catalog.describe(address)
        if described is None or described in own_names or described[0] not in _TOLD:
            continue
        if _is_part_of(forecast, address, own):
            continue
        found.add(described)
    return tuple(f"{kind} {name}" for kind, name in sorted(found))


def is_made_here(forecast: Forecast) -> bool:
    """Whether everything that a DROP names was made by the migration itself, as far as can be told."""
    node = forecast.statement.node or {}
    if forecast.statement.node_kind == "AlterTableStmt":
        return not forecast.before.existed_before(forecast.before.name_of(node["relation"]))
    kind = node.get("removeType", "")
    for one in node.get("objects", ()):
        parts = _name_parts(kind, one)
        if kind in _RELATIONS:
            new = not forecast.before.existed_before(forecast.before.name_of(_written(parts)))
        elif kind in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
            found = forecast.before.type(parts) if parts else None
            new = found is not None and not forecast.before.is_old(found)
        elif kind == "OBJECT_SCHEMA":
            new = not schema_is_old(forecast, parts[-1] if parts else "")
        else:
            new = False
        if not new:
            return False
    return True


def schema_is_old(forecast: Forecast, name: str) -> bool:
    """Whether a schema was there before the migration, or may have been."""
    catalog = forecast.before.catalog
    if catalog is not None:
        return catalog.schemas.get((name,)) is not None
    return forecast.before.has_schema(name) is None


def referenced_by_dropped_keys(command: Command) -> tuple[str, ...] | None:
    """The tables referenced by the foreign keys that a DROP CONSTRAINT or DROP COLUMN takes away.

    ``None`` when nobody can tell: the table is not known, or the constraint is not.
    """
    relation = command.forecast.before.find(command.table).relation
    if relation is None:
        return None if command.subtype == "AT_DropConstraint" else ()
    if command.subtype == "AT_DropConstraint":
        constraint = relation.constraint(command.name)
        if constraint is None:
            return () if command.forecast.before.known else None
        keys = [constraint]
    else:
        keys = [one for one in relation.constraints if command.name in one.columns]
    return tuple(
        one.referenced_relation
        for one in keys
        if one.kind is ConstraintKind.FOREIGN_KEY and one.referenced_relation is not None
        if one.referenced_relation != command.table
    )


def default_partitions(forecast: Forecast, parent: str) -> frozenset[str]:
    """The DEFAULT partition of a partitioned table, with its own partitions."""
    relation = forecast.before.relation(parent)
    if relation is None:
        return frozenset()
    defaults = [one for one in forecast.before.children(relation) if one.partition_bound == "DEFAULT"]
    below = [each for one in defaults for each in forecast.before.descendants(one)]
    return frozenset(one.qualified_name for one in (*defaults, *below))


_RELATIONS = frozenset(
    {
        "OBJECT_TABLE",
        "OBJECT_VIEW",
        "OBJECT_MATVIEW",
        "OBJECT_FOREIGN_TABLE",
        "OBJECT_SEQUENCE",
        "OBJECT_INDEX",
    }
)


def _parts_of(relation: Relation, node: Node) -> Iterable[ObjectAddress]:
    for one in node.get("cmds", ()):
        command = one.get("AlterTableCmd", {})
        if command.get("subtype") == "AT_DropColumn" and (column := relation.column(command.get("name", ""))):
            yield ObjectAddress(PG_CLASS, relation.oid, column.number)
        elif command.get("subtype") == "AT_DropConstraint":
            constraint = relation.constraint(command.get("name", ""))
            if constraint is not None:
                yield ObjectAddress(PG_CONSTRAINT, constraint.oid)


def _address(forecast: Forecast, kind: str, one: Node) -> ObjectAddress | None:
    parts = _name_parts(kind, one)
    if not parts:
        return None
    if kind in _RELATIONS:
        relation = forecast.before.find(_written(parts)).object
        return None if relation is None else ObjectAddress(PG_CLASS, relation.oid)
    if kind in ("OBJECT_TYPE", "OBJECT_DOMAIN"):
        found = forecast.before.type(parts)
        return None if found is None else ObjectAddress(PG_TYPE, found.oid)
    if kind in ("OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"):
        routines = forecast.before.routines(parts)
        return ObjectAddress(PG_PROC, routines[0].oid) if len(routines) == 1 else None
    catalog = forecast.before.catalog
    if catalog is not None and kind == "OBJECT_EXTENSION":
        extension = catalog.extensions.get((parts[-1],))
        return None if extension is None else ObjectAddress(PG_EXTENSION, extension.oid)
    if catalog is not None and kind == "OBJECT_SCHEMA":
        schema = catalog.schemas.get((parts[-1],))
        return None if schema is None else ObjectAddress(PG_NAMESPACE, schema.oid)
    return None


def _name_parts(kind: str, one: Node) -> tuple[str, ...]:
    if "String" in one:
        return (str(one["String"].get("sval", "")),)
    if "TypeName" in one:
        return strings(one["TypeName"].get("names", ()))
    if "ObjectWithArgs" in one:
        return strings(one["ObjectWithArgs"].get("objname", ()))
    return strings(one.get("List", {}).get("items", ()))


def _written(parts: tuple[str, ...]) -> str:
    return ".".join(map(quote_identifier, parts))


def _is_part_of(forecast: Forecast, address: ObjectAddress, own: set[int]) -> bool:
    """Whether it belongs to a table that is named: its columns, constraints, triggers, sequences, indexes."""
    if address.class_oid == PG_CLASS and address.number:
        return address.oid in own
    catalog = forecast.before.catalog
    if catalog is None:
        return False
    relations = [one for oid in own if isinstance(one := forecast.before.by_oid(oid), Relation)]
    for relation in relations:
        parts = {each.oid for each in relation.constraints} | {each.oid for each in relation.indexes}
        parts |= {each.oid for each in relation.triggers} | {each.oid for each in relation.rules}
        parts |= {each.oid for each in relation.policies}
        if address.oid in parts:
            return True
        if any(one.oid == address.oid for one in forecast.before.owned_sequences(relation)):
            return True
        if relation.row_type_oid == address.oid and address.class_oid == PG_TYPE:
            return True
        if relation.kind is RelationKind.PARTITIONED_TABLE and any(
            one.oid == address.oid for one in forecast.before.descendants(relation)
        ):
            return True
    return False
