"""The examples that rules bring along, built on a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg

from confiture_tui.core.lint.config import LintConfig, RuleSettings
from confiture_tui.core.sql.script import Script

if TYPE_CHECKING:
    from confiture_tui.core.lint.rule import LintRule


def schema_of(rule: type[LintRule], quality: str) -> str:
    return f"{quality}_{rule.id}".replace("-", "_")


def build(conn: psycopg.Connection[Any], sql: str) -> None:
    """Run an example, each statement for itself, as its author would; only a unique index may be refused."""
    for statement in Script.from_text(sql).statements:
        try:
            conn.execute(statement.sql.encode())
        except psycopg.errors.UniqueViolation:
            assert "CONCURRENTLY" in statement.sql
        if conn.info.server_version >= 150000:
            # Else what a session changed would be counted when it likes, after the ANALYZE that follows perhaps.
            conn.execute("SELECT pg_stat_force_next_flush()")


def settings(rule: type[LintRule]) -> LintConfig:
    options = json.loads(rule.example) if rule.example else {}
    return LintConfig(rules={rule.id: RuleSettings(options=options)}, select=(rule.id,), plugins=False)
