"""Kind and name of every object of a catalog by its address, so that dependencies can be told in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.dependencies import (
    PG_CLASS,
    PG_CONSTRAINT,
    PG_EVENT_TRIGGER,
    PG_EXTENSION,
    PG_NAMESPACE,
    PG_POLICY,
    PG_PROC,
    PG_REWRITE,
    PG_TRIGGER,
    PG_TYPE,
    ObjectAddress,
)
from confiture_tui.core.catalog.models.types import TypeKind

if TYPE_CHECKING:
    from confiture_tui.core.catalog.catalog import Catalog
    from confiture_tui.core.catalog.models.relations import Relation

Described = tuple[ObjectAddress, tuple[str, str]]


def addresses_of(catalog: Catalog) -> dict[ObjectAddress, tuple[str, str]]:
    """``(kind, qualified name)`` by address, in the words of ``SchemaChange.kind``."""
    return dict(_all(catalog))


def _all(catalog: Catalog) -> Iterator[Described]:
    for schema in catalog.schemas.values():
        yield ObjectAddress(PG_NAMESPACE, schema.oid), ("schema", schema.quoted_name)
    for extension in catalog.extensions.values():
        yield ObjectAddress(PG_EXTENSION, extension.oid), ("extension", extension.quoted_name)
    for relation in catalog.relations.values():
        yield from _of_relation(relation)
    for index in catalog.indexes.values():
        yield ObjectAddress(PG_CLASS, index.oid), ("index", index.qualified_name)
    for sequence in catalog.sequences.values():
        yield ObjectAddress(PG_CLASS, sequence.oid), ("sequence", sequence.qualified_name)
    for each in catalog.types.values():
        kind = "domain" if each.kind is TypeKind.DOMAIN else "type"
        yield ObjectAddress(PG_TYPE, each.oid), (kind, each.qualified_name)
        for constraint in each.constraints:
            yield ObjectAddress(PG_CONSTRAINT, constraint.oid), ("constraint", constraint.qualified_name)
    for routine in catalog.routines.values():
        yield ObjectAddress(PG_PROC, routine.oid), (routine.kind.value, routine.signature)
    for event_trigger in catalog.event_triggers.values():
        yield ObjectAddress(PG_EVENT_TRIGGER, event_trigger.oid), ("event trigger", event_trigger.quoted_name)
    for other in catalog.others.values():
        yield ObjectAddress(other.class_oid, other.oid), (other.kind, other.identity)


def _of_relation(relation: Relation) -> Iterator[Described]:
    yield ObjectAddress(PG_CLASS, relation.oid), (relation.kind.value, relation.qualified_name)
    for column in relation.columns:
        yield ObjectAddress(PG_CLASS, relation.oid, column.number), ("column", column.qualified_name)
    for constraint in relation.constraints:
        yield ObjectAddress(PG_CONSTRAINT, constraint.oid), ("constraint", constraint.qualified_name)
    for trigger in relation.triggers:
        yield ObjectAddress(PG_TRIGGER, trigger.oid), ("trigger", trigger.qualified_name)
    for rule in relation.rules:
        yield ObjectAddress(PG_REWRITE, rule.oid), ("rule", rule.qualified_name)
    for policy in relation.policies:
        yield ObjectAddress(PG_POLICY, policy.oid), ("policy", policy.qualified_name)
