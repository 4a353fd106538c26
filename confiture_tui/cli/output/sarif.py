"""Findings as SARIF 2.1.0, which code scanning services read (OASIS, Static Analysis Results Interchange Format)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from confiture_tui.terminal import safe_json

if TYPE_CHECKING:
    from confiture_tui.cli.output.reported import Reported

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "confitureTui/v1"
_ROOT = "PROJECT"


def sarif(findings: Sequence[Reported], *, version: str, notes: Iterable[str] = ()) -> str:
    """The document as text that ends with a newline.

    Args:
        findings: in the order in which they are written.
        version: of confiture-tui.
        notes: what is to be said of the run itself.
    """
    rules = {one.rule: one for one in reversed(findings)}
    order = {rule: place for place, rule in enumerate(sorted(rules))}
    driver = {
        "name": "confiture-tui",
        "version": version,
        "rules": [_rule(rules[rule]) for rule in order],
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, order[one.rule]) for one in findings],
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [{"level": "note", "message": {"text": note}} for note in notes],
            }
        ],
    }
    document = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}
    return safe_json(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def _rule(one: Reported) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": one.rule,
        "shortDescription": {"text": one.title or one.rule},
        "defaultConfiguration": {"level": one.level},
    }
    if one.why:
        rule["fullDescription"] = {"text": one.why}
        rule["help"] = {"text": one.why}
    return rule


def _result(one: Reported, rule_index: int) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if one.file is not None:
        # One that lies outside the project is absolute, and a URI then.
        absolute = one.file.startswith("/") or one.file[1:3] == ":/"
        uri = f"file:///{quote(one.file.lstrip('/'))}" if absolute else quote(one.file)
        physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
        if not absolute:
            physical["artifactLocation"]["uriBaseId"] = _ROOT
        if one.line is not None:
            physical["region"] = {"startLine": one.line}
        location["physicalLocation"] = physical
    if one.object:
        location["logicalLocations"] = [{"fullyQualifiedName": one.object, "kind": one.kind or "object"}]
    text = f"{one.message}\n\n{one.help}" if one.help else one.message
    result: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": rule_index,
        "level": one.level,
        "message": {"text": text},
    }
    if location:
        result["locations"] = [location]
    if one.key:
        result["partialFingerprints"] = {FINGERPRINT: one.key}
    if one.state is not None:
        result["baselineState"] = one.state
    result["properties"] = {"severity": one.severity}
    return result
