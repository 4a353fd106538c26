"""As much of JSON Schema as the contracts of our documents need: types, keys, values, and what lists hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}


def problems(value: Any, schema: dict[str, Any], definitions: dict[str, Any] | None = None) -> list[str]:
    """What does not fit, each with its place; nothing when all does."""
    return list(_problems(value, schema, schema.get("definitions", {}) if definitions is None else definitions, "$"))


def _problems(value: Any, schema: dict[str, Any], definitions: dict[str, Any], place: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = definitions[schema["$ref"]]
    wanted = schema.get("type")
    if wanted is not None and (
        not isinstance(value, _TYPES[wanted]) or (wanted == "integer" and isinstance(value, bool))
    ):
        yield f"{place}: no {wanted}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and re.search(schema["pattern"], value) is None:
        yield f"{place}: {value!r} does not match {schema['pattern']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{place}: {value} is less than {schema['minimum']}"
    if isinstance(value, dict):
        yield from _of_object(value, schema, definitions, place)
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _problems(item, schema["items"], definitions, f"{place}[{number}]")


def _of_object(value: dict[str, Any], schema: dict[str, Any], definitions: dict[str, Any], place: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    yield from (f"{place}: lacks {name}" for name in schema.get("required", ()) if name not in value)
    for name, item in value.items():
        if name in properties:
            yield from _problems(item, properties[name], definitions, f"{place}.{name}")
        elif isinstance(others := schema.get("additionalProperties", {}), dict):
            yield from _problems(item, others, definitions, f"{place}.{name}")
        else:
            yield f"{place}: {name} is not known"
