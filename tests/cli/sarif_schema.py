"""The part of SARIF 2.1.0 that our reports use, as a schema of our own.

It is stricter than the standard: whatever it does not name is refused, so that a report cannot grow by a key that
nobody compared with the standard. What it does name has the form that the standard demands (OASIS SARIF 2.1.0, by
section: 3.13 log, 3.14 run, 3.19 tool component, 3.27 result, 3.28 location, 3.49 reporting descriptor).
"""

from __future__ import annotations

from typing import Any

_TEXT = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string"}},
    "additionalProperties": False,
}
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_URI = {"type": "string", "pattern": r"^[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+$"}
_INDEX = {"type": "integer", "minimum": 0}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_RULE = _object(
    ["id"],
    id={"type": "string"},
    shortDescription=_TEXT,
    fullDescription=_TEXT,
    help=_TEXT,
    defaultConfiguration=_object([], level=_LEVEL),
)
_LOCATION = _object(
    [],
    physicalLocation=_object(
        ["artifactLocation"],
        artifactLocation=_object(["uri"], uri=_URI, uriBaseId={"type": "string"}),
        region=_object(["startLine"], startLine={"type": "integer", "minimum": 1}),
    ),
    logicalLocations=_list(_object([], fullyQualifiedName={"type": "string"}, kind={"type": "string"})),
)
_RESULT = _object(
    ["message", "ruleId", "ruleIndex", "level"],
    ruleId={"type": "string"},
    ruleIndex=_INDEX,
    level=_LEVEL,
    message=_TEXT,
    locations=_list(_LOCATION),
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
    baselineState={"enum": ["new", "unchanged", "updated", "absent"]},
    properties={"type": "object"},
)
_INVOCATION = _object(
    ["executionSuccessful"],
    executionSuccessful={"type": "boolean"},
    toolExecutionNotifications=_list(_object(["message"], message=_TEXT, level=_LEVEL)),
)
_DRIVER = _object(["name"], name={"type": "string"}, version={"type": "string"}, rules=_list(_RULE))

SARIF: dict[str, Any] = {
    **_object(
        ["version", "runs"],
        version={"enum": ["2.1.0"]},
        runs=_list(
            _object(
                ["tool"],
                tool=_object(["driver"], driver=_DRIVER),
                columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                results=_list(_RESULT),
                invocations=_list(_INVOCATION),
            )
        ),
    ),
}
SARIF["properties"]["$schema"] = _URI
