"""Assessments for the screens that show them."""

from __future__ import annotations

from typing import Any

from confiture_tui.core.effects.model import Basis, DurationEstimate
from confiture_tui.core.risk.model import Category, Level, Risk, RiskAssessment, RollbackStrategy, Severity
from confiture_tui.core.risk.scoring import level_of
from tests.support.fake_service import statements_of
from tests.ui import samples


def risk(rule: str, statement: int | None = 1, **changes: Any) -> Risk:
    values: dict[str, Any] = {
        "rule": rule,
        "category": Category.LOCKING,
        "severity": Severity.HIGH,
        "statement": statement,
        "message": f"What {rule} is about.",
        "evidence": ("A fact.",),
        "recommendation": "Do it otherwise.",
        "points": 65,
    }
    return Risk(**(values | changes))


def assessment(version: str, name: str, sql: str, score: int, *risks: Risk, **changes: Any) -> RiskAssessment:
    statements = statements_of(sql)
    values: dict[str, Any] = {
        "version": version,
        "name": name,
        "path": None,
        "score": score,
        "level": Level(level_of(score)),
        "confidence": 0.9,
        "analysed": (len(statements), len(statements)),
        "basis": Basis.CATALOG,
        "wrapping": "transaction",
        "categories": {Category.LOCKING: score},
        "statements": statements,
        "risks": risks,
        "rollback": RollbackStrategy(strategy="down_file", data="kept", why="Nothing is dropped."),
        "estimate": DurationEstimate(low_ms=10, expected_ms=50, high_ms=400, source="a rate and a size"),
    }
    return RiskAssessment(**(values | changes))


def note() -> RiskAssessment:
    return assessment("003", "order_note", samples.SAFE_SQL, 10, risk("brief-lock", 2, severity=Severity.LOW))


def token() -> RiskAssessment:
    safe = "ALTER TABLE shop.w_orders ADD COLUMN token uuid;\n-- then fill it in batches"
    return assessment(
        "004",
        "order_token",
        samples.REWRITE_SQL,
        65,
        risk("volatile-default-rewrite", safe_sql=safe),
        risk("no-lock-timeout", severity=Severity.MEDIUM),
    )
