"""Every object of a catalog as its defining texts: the one form that both ``diff`` and ``fingerprint`` rest on.

Nothing here depends on oids, on the order in which objects were made, on statistics, sizes, the values of sequences,
or whether a materialized view is populated. Members of extensions are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from confiture_tui.core.catalog.definition import (
    Attributes,
    Definition,
    flag_text,
    grants_text,
    list_text,
    owned,
    role_text,
)
from confiture_tui.core.catalog.models.relations import Relation
from confiture_tui.core.catalog.models.types import Type, TypeKind
from confiture_tui.core.catalog.table_definitions import constraint_definition, definitions_of_relation

if TYPE_CHECKING:
    from confiture_tui.core.catalog.catalog import Catalog
    from confiture_tui.core.catalog.models.relations import Sequence
    from confiture_tui.core.catalog.models.routines import Routine
    from confiture_tui.core.catalog.models.triggers import EventTrigger
    from confiture_tui.core.catalog.names import Key, Objects


class _MayBeMember(Protocol):
    @property
    def extension(self) -> str | None: ...


T = TypeVar("T", bound=_MayBeMember)


def definitions_of(catalog: Catalog) -> tuple[Definition, ...]:
    """All definitions, in the order of kind and name."""
    return tuple(sorted(_all(catalog), key=lambda each: (each.kind, each.name)))


def definitions_that_differ(before: Catalog, after: Catalog) -> tuple[list[Definition], list[Definition]]:
    """The definitions of two catalogs, in no order, without those of objects that are defined alike in both.

    Two snapshots of one database are alike but for a few objects, and comparing an object is much less work than
    writing down its definitions twice.
    """
    alike = _Alike(
        _alike(before.relations, after.relations, _AS_DEFINED),
        _alike(before.sequences, after.sequences),
        _alike(before.types, after.types),
        _alike(before.routines, after.routines),
    )
    return list(_all(before, alike)), list(_all(after, alike))


class _Alike(NamedTuple):
    """The keys of what is defined alike in two catalogs."""

    relations: frozenset[Key] = frozenset()
    sequences: frozenset[Key] = frozenset()
    types: frozenset[Key] = frozenset()
    routines: frozenset[Key] = frozenset()


_AS_DEFINED: Final = attrgetter(
    *(field.name for field in fields(Relation) if field.name not in ("statistics", "traffic"))
)
"""What of a relation its definitions are made of: its figures change by themselves."""


def _alike(one: Objects[T], other: Objects[T], what: Callable[[T], object] = lambda each: each) -> frozenset[Key]:
    return frozenset(
        key for key, each in one.items() if (same := other.get(key)) is not None and what(each) == what(same)
    )


_NOTHING: Final = _Alike()


def _all(catalog: Catalog, leaving_out: _Alike = _NOTHING) -> Iterator[Definition]:
    yield from _of_the_database(catalog)
    for relation in _own(catalog.relations, leaving_out.relations):
        yield from definitions_of_relation(relation)
    for sequence in _own(catalog.sequences, leaving_out.sequences):
        yield _sequence(sequence)
    for each in _own(catalog.types, leaving_out.types):
        # A composite type stands among the relations.
        if each.kind is not TypeKind.COMPOSITE:
            yield _type(each)
            yield from (constraint_definition(constraint) for constraint in each.constraints)
    for routine in _own(catalog.routines, leaving_out.routines):
        yield _routine(routine)


def _own(objects: Objects[T], leaving_out: frozenset[Key]) -> Iterator[T]:
    """What no extension owns, without some of it."""
    return (each for key, each in objects.items() if each.extension is None and key not in leaving_out)


def _of_the_database(catalog: Catalog) -> Iterator[Definition]:
    for schema in catalog.schemas.values():
        if schema.extension is None:
            attributes = owned(schema.owner, schema.acl, schema.comment)
            yield Definition("schema", schema.quoted_name, None, f"CREATE SCHEMA {schema.quoted_name}", attributes)
    for extension in catalog.extensions.values():
        yield Definition(
            "extension",
            extension.quoted_name,
            None,
            f"CREATE EXTENSION {extension.quoted_name} SCHEMA {extension.schema} VERSION '{extension.version}'",
            (
                ("version", extension.version),
                ("schema", extension.schema),
                ("owner", extension.owner),
                ("comment", extension.comment),
            ),
        )
    for event_trigger in catalog.event_triggers.values():
        if event_trigger.extension is None:
            yield _event_trigger(event_trigger)
    for privileges in catalog.default_privileges:
        where = f" IN SCHEMA {privileges.schema}" if privileges.schema else ""
        name = f"FOR ROLE {role_text(privileges.role)}{where} ON {privileges.object_kind.upper()}"
        grants = grants_text(privileges.acl)
        yield Definition("default privileges", name, None, grants or "", (("grants", grants),))
    for other in catalog.others.values():
        if other.extension is None:
            text = "; ".join(f"{name}: {value}" for name, value in other.properties if value is not None)
            ownership = owned(other.owner, other.acl, other.comment)
            yield Definition(other.kind, other.identity, None, text, (*other.properties, *ownership))


def _event_trigger(event_trigger: EventTrigger) -> Definition:
    attributes: Attributes = (
        ("event", event_trigger.event),
        ("tags", list_text(event_trigger.tags)),
        ("function", event_trigger.function),
        ("enabled", event_trigger.enabled),
        ("owner", event_trigger.owner),
        ("comment", event_trigger.comment),
    )
    text = f"ON {event_trigger.event} EXECUTE FUNCTION {event_trigger.function}()"
    return Definition("event trigger", event_trigger.quoted_name, None, text, attributes)


def _sequence(sequence: Sequence) -> Definition:
    parameters: Attributes = (
        ("type", sequence.type),
        ("start", str(sequence.start)),
        ("minimum", str(sequence.minimum)),
        ("maximum", str(sequence.maximum)),
        ("increment", str(sequence.increment)),
        ("cache", str(sequence.cache)),
        ("cycle", flag_text(sequence.cycles)),
        ("owned by", sequence.owned_by),
        ("identity", flag_text(sequence.identity or None)),
        ("persistence", sequence.persistence.value),
    )
    text = (
        f"AS {sequence.type} START WITH {sequence.start} INCREMENT BY {sequence.increment} MINVALUE {sequence.minimum} "
        f"MAXVALUE {sequence.maximum} CACHE {sequence.cache}{' CYCLE' if sequence.cycles else ''}"
    )
    if sequence.owned_by:
        text += f" OWNED BY {sequence.owned_by}"
    ownership = owned(sequence.owner, sequence.acl, sequence.comment)
    return Definition("sequence", sequence.qualified_name, None, text, (*parameters, *ownership))


def _type(each: Type) -> Definition:
    labels = ", ".join("'" + label.replace("'", "''") + "'" for label in each.labels)
    attributes: Attributes = (
        ("kind", each.kind.value),
        ("labels", labels or None),
        ("base type", each.base_type),
        ("not null", flag_text(each.not_null or None)),
        ("default", each.default),
        ("collation", each.collation),
        ("subtype", each.subtype),
        ("multirange", each.multirange),
        ("properties", list_text(each.properties)),
        *owned(each.owner, each.acl, each.comment),
    )
    match each.kind:
        case TypeKind.ENUM:
            text = f"AS ENUM ({labels})"
        case TypeKind.DOMAIN:
            text = f"AS {each.base_type}{' NOT NULL' if each.not_null else ''}"
            text += f" DEFAULT {each.default}" if each.default is not None else ""
        case TypeKind.RANGE:
            text = f"AS RANGE (subtype = {each.subtype})"
        case _:
            text = ", ".join(each.properties)
    kind = "domain" if each.kind is TypeKind.DOMAIN else "type"
    return Definition(kind, each.qualified_name, None, text, attributes)


def _routine(routine: Routine) -> Definition:
    aggregate = routine.definition if routine.kind == "aggregate" else None
    attributes: Attributes = (
        ("arguments", routine.arguments),
        ("result", routine.result),
        ("language", routine.language),
        ("volatility", routine.volatility.value),
        ("strict", flag_text(routine.strict)),
        ("security definer", flag_text(routine.security_definer)),
        ("leakproof", flag_text(routine.leakproof)),
        ("parallel", routine.parallel),
        ("configuration", list_text(routine.configuration)),
        ("cost", f"{routine.cost:g}"),
        ("rows", f"{routine.rows:g}"),
        ("support", routine.support),
        ("transforms", list_text(routine.transforms)),
        ("body", routine.sql_body if routine.sql_body is not None else routine.source),
        ("library", routine.library),
        ("aggregate", aggregate),
        *owned(routine.owner, routine.acl, routine.comment),
    )
    return Definition(routine.kind.value, routine.signature, None, routine.definition, attributes)
