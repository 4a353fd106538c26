"""What the extensions that come with PostgreSQL bring along: types, functions, operators and their classes, casts.

The table under ``data`` was read from servers of majors 14 to 18 by ``tests/support/extensions.py``; it is loaded when
first asked for. In it ``@`` stands for the schema that an extension is in.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.columns import Volatility
from confiture_tui.core.catalog.models.dependencies import PG_EXTENSION, PG_PROC, PG_TYPE, ObjectAddress
from confiture_tui.core.catalog.models.objects import OtherObject
from confiture_tui.core.catalog.models.routines import Routine, RoutineKind
from confiture_tui.core.catalog.models.types import Type, TypeKind
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.builtins import FIRST_MAJOR, LAST_MAJOR
from confiture_tui.core.effects.changes import blank_type
from confiture_tui.core.sql.identifiers import qualified_name, quote_identifier

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.objects import Extension
    from confiture_tui.core.effects.step import Step

_DATA = Path(__file__).with_name("data") / "extensions.tsv"
_VOLATILITIES = {"i": Volatility.IMMUTABLE, "s": Volatility.STABLE, "v": Volatility.VOLATILE}
_KINDS = {"f": RoutineKind.FUNCTION, "a": RoutineKind.AGGREGATE, "w": RoutineKind.WINDOW, "p": RoutineKind.PROCEDURE}
_CLASSES = {
    "operator": 2617,
    "operator class": 2616,
    "operator family": 2753,
    "cast": 2605,
    "text search template": 3764,
    "text search dictionary": 3600,
}
# The oids of their catalogs: PostgreSQL's sources, src/include/catalog.


def is_listed(extension: str) -> bool:
    """Whether it is known what an extension brings along."""
    return extension in _lines()


def bring_along(step: Step, extension: Extension, schema: str) -> None:
    """Make the members of a listed extension, in a schema, as its script does."""
    major = step.schema.server_version_num // 10000 if step.schema.known else None
    owner = ObjectAddress(PG_EXTENSION, extension.oid)
    prefix = f"{quote_identifier(schema)}."
    for kind, *fields, since, until in _lines()[extension.name]:
        if major is not None and not int(since or FIRST_MAJOR) <= min(max(major, FIRST_MAJOR), LAST_MAJOR) <= int(
            until or LAST_MAJOR
        ):
            continue
        name, *others = (fields[0], *(one.replace("@.", prefix) for one in fields[1:]))
        if kind == "cast":
            name = name.replace("@.", prefix)
        address = _make(step, extension, schema, kind, (name, *others))
        step.change.depend(address, owner, "e")


def _make(step: Step, extension: Extension, schema: str, kind: str, fields: tuple[str, ...]) -> ObjectAddress:
    name = fields[0]
    if kind == "type":
        made = _type(step, extension, schema, fields)
        step.change.put_type(made)
        return ObjectAddress(PG_TYPE, made.oid)
    if kind == "function":
        routine = _routine(step, extension, schema, fields)
        step.change.put_routine(routine)
        return ObjectAddress(PG_PROC, routine.oid)
    properties: Mapping[str, str] = {}
    identity = qualified_name(schema, name)
    match kind:
        case "operator":
            identity = f"{quote_identifier(schema)}.{name}({fields[1]})"
            properties = {"function": _signature(fields[2]), "result": fields[3]}
        case "operator class":
            identity = f"{identity} USING {fields[1]}"
            properties = {"type": fields[2], "default": fields[3]}
        case "operator family":
            identity = f"{identity} USING {fields[1]}"
        case "cast":
            identity = f"({name})"
            properties = {"context": fields[1], "method": fields[2], "function": _signature(fields[3])}
    other = OtherObject(
        class_oid=_CLASSES[kind],
        oid=step.change.new_oid(),
        kind=kind,
        identity=identity,
        owner=extension.owner,
        properties=tuple(properties.items()),
        extension=extension.name,
        acl=None,
        comment=None,
    )
    step.change.put_other(kind, identity, other)
    return ObjectAddress(other.class_oid, other.oid)


def _signature(function: str) -> str:
    """As a routine's signature: a space after each comma."""
    return function.replace(",", ", ")


def _type(step: Step, extension: Extension, schema: str, fields: tuple[str, ...]) -> Type:
    name, category, preferred, *_ = fields
    return replace(
        blank_type(step.change.new_oid(), step.change.new_oid(), schema, name, TypeKind.BASE),
        owner=extension.owner,
        properties=(f"category={category}", f"preferred={preferred}"),
        extension=extension.name,
    )


def _routine(step: Step, extension: Extension, schema: str, fields: tuple[str, ...]) -> Routine:
    name, types, arguments, result, letters, *_ = fields
    return Routine(
        oid=step.change.new_oid(),
        schema=schema,
        name=name,
        qualified_name=qualified_name(schema, name),
        kind=_KINDS[letters[0]],
        argument_types=types,
        identity_arguments=arguments,
        arguments=arguments,
        result=result or None,
        language="c",
        volatility=_VOLATILITIES[letters[1]],
        strict=letters.endswith("s") and len(letters) > 2,
        security_definer=False,
        leakproof=False,
        parallel="safe",
        configuration=(),
        cost=1,
        rows=0,
        support=None,
        source="",
        sql_body=None,
        library=None,
        transforms=(),
        definition="",
        owner=extension.owner,
        extension=extension.name,
        acl=None,
        comment=None,
    )


@cache
def _lines() -> Mapping[str, list[list[str]]]:
    """The lines of the table, by the extension's name."""
    found: dict[str, list[list[str]]] = {}
    for line in _DATA.read_text(encoding="utf-8").splitlines():
        extension, *fields = line.split("\t")
        found.setdefault(extension, []).append(fields)
    return found
