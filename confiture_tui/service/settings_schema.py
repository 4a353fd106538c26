"""JSON Schemas (2020-12) of the settings files, for editors that complete and check them."""

from __future__ import annotations

from typing import Any

from confiture_tui.config import ROWS, USER_KEYS, OutputFormat
from confiture_tui.core.lint.config import CustomRule, Exemption
from confiture_tui.core.lint.model import Severity
from confiture_tui.core.lint.rules import RULES
from confiture_tui.core.migrations.profiles import PROFILES
from confiture_tui.core.runner.policy import RunPolicy
from confiture_tui.events import Level
from confiture_tui.service.settings_file import SettingsFile

_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_SWITCH: dict[str, Any] = {"type": "boolean"}


def schema_of(file: SettingsFile) -> dict[str, Any]:
    """The schema of one kind of file."""
    common = _common()
    title = {
        SettingsFile.PROJECT: "confiture.yaml of a project",
        SettingsFile.USER: "config.yaml of a user of confiture-tui",
        SettingsFile.ENVIRONMENT: "db/environments/NAME.yaml of a project",
    }[file]
    if file is SettingsFile.USER:
        properties = {name: common[name] for name in USER_KEYS}
    elif file is SettingsFile.PROJECT:
        env = _TEXT | {"description": "The environment: db/environments/NAME.yaml; local by default."}
        properties = {"env": env, **common, "running": _running(), "hooks": _hooks(), "linting": _linting()}
    else:
        properties = {
            "database_url": _TEXT | {"description": "Where its database is; ${NAME} stands for a variable."},
            "production": _SWITCH | {"description": "Whether changing it takes a typed confirmation."},
            **common,
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": properties,
        # Other tools keep settings of their own in an environment's file.
        "additionalProperties": file is SettingsFile.ENVIRONMENT,
    }


def _common() -> dict[str, Any]:
    """The settings that have an option of the command line."""
    return {
        "migrations_dir": _TEXT | {"description": "Where the migrations are; db/migrations by default."},
        "read_only": _SWITCH | {"description": "Nothing may change the database."},
        "log_file": _TEXT | {"description": "Every event is written there, as a line of JSON."},
        "log_level": {"enum": [level.word for level in Level], "description": "From which level on events are told."},
        "format": {"enum": [one.value for one in OutputFormat], "description": "How results are printed."},
        "runner": {"enum": list(PROFILES), "description": "What will run the migrations in the end."},
        "pg_bin": _TEXT | {"description": "PostgreSQL's programs for the shadow; built in by default."},
        "shadow_dsn": _TEXT | {"description": "A server on which shadows are made; the embedded one by default."},
        "clone_dsn": _TEXT
        | {"description": "A copy of the database, rows included: dry runs are made on copies of it."},
        "rows": {"enum": list(ROWS), "description": "What data a shadow holds."},
        "shadow_cache": _SWITCH | {"description": "Whether shadows are kept for the next dry run."},
        "theme": _TEXT | {"description": "The app's colours, by the name of a theme."},
        "ascii": _SWITCH | {"description": "Whether the app draws with ASCII only; as the terminal is by default."},
    }


def _running() -> dict[str, Any]:
    schema = RunPolicy.model_json_schema()
    definitions = schema.pop("$defs")
    limits = definitions["GiveWayLimits"] | {"additionalProperties": False}
    schema["properties"]["give_way"] = {
        "anyOf": [limits, {"const": False}],
        "description": "How much others may suffer from a run before it lets them through; false: it never does.",
    }
    return schema | {"additionalProperties": False, "description": "The limits of runs."}


def _hooks() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "allow": _TEXTS | {"description": "Hooks of installed packages; all when left out."},
            "deny": _TEXTS | {"description": "Hooks that may not be used."},
        },
        "additionalProperties": False,
    }


def _linting() -> dict[str, Any]:
    severity = {"enum": [one.value for one in Severity]}
    switch = {"anyOf": [_SWITCH, {"enum": ["on", "off", "ignore"]}]}
    exemption = Exemption.model_json_schema() | {"additionalProperties": False}
    exemptions = {"type": "array", "items": {"anyOf": [_TEXT, exemption]}}
    rule = {
        "type": "object",
        "properties": {
            "enabled": switch,
            "severity": severity,
            "options": {"type": "object"},
            "exemptions": exemptions,
        },
        "additionalProperties": False,
    }
    either = {"anyOf": [switch, severity, rule]}
    custom = CustomRule.model_json_schema()["properties"]
    one_or_more = {"anyOf": [_TEXT, _TEXTS]}
    own_rule = {
        "type": "object",
        "properties": {
            **dict.fromkeys(("pattern", "patterns", "kind", "kinds", "schema", "schemas", "objects"), one_or_more),
            **{name: custom[name] for name in ("name", "message")},
            "severity": severity,
        },
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "description": "What the linter is told.",
        "properties": {
            "rules": {
                "type": "object",
                "properties": {one.id: either | {"description": one.title} for one in RULES},
                "additionalProperties": either,
            },
            "custom_rules": {
                "anyOf": [
                    {"type": "object", "additionalProperties": {"anyOf": [_TEXT, own_rule]}},
                    {"type": "array", "items": own_rule},
                ]
            },
            "exclude_schemas": one_or_more,
            "exemptions": exemptions,
            "plugins": {"anyOf": [_SWITCH, _TEXTS]},
            "fail_on": {"enum": [*severity["enum"], "never"]},
            "baseline": _TEXT,
            "production": _SWITCH,
        },
        "additionalProperties": False,
    }
