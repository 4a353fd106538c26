"""Every rule finds its bad example and is silent about its good one, with a catalog and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.risk.engine import RiskAssessmentEngine
from confiture_tui.core.risk.rules import RULES
from confiture_tui.core.sql.script import Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import MigrationRule, RiskRule
    from confiture_tui.database.embedded import EmbeddedServer

FROM_MAJOR = {"set-generated-expression": 17, "security-definer-view": 15}
"""Examples in a syntax that older servers do not have."""

_NEEDS_CATALOG = {
    "change-type-reindex": "without a catalog every type change is taken to rewrite the table, which is worse",
    "change-type-rechecks-constraint": "without a catalog every type change is taken to rewrite the table",
    "invalid-index-present": "that the table is partitioned, only a catalog tells",
    "delete-cascades-unindexed": "which foreign keys point here, only a catalog tells",
    "duplicate-index": "which indexes there are, only a catalog tells",
    "policies-overlap": "which policies there are, only a catalog tells",
}


def _found(rule: RiskRule | MigrationRule, which: str, catalog: Catalog | None) -> tuple[Risk, ...]:
    migration = Migration.from_sql(getattr(rule, which))
    if down := getattr(rule, f"{which}_down", None):
        migration = migration.model_copy(update={"down": Script.from_text(down)})
    assessment = RiskAssessmentEngine(catalog, runner="loose").assess(migration)
    assert not [note for note in assessment.notes if rule.id in note], assessment.notes
    return tuple(risk for risk in assessment.risks if risk.rule == rule.id)


def _skip_before(rule: RiskRule | MigrationRule, server: EmbeddedServer) -> None:
    needed = FROM_MAJOR.get(rule.id, 0)
    if server.version_num // 10000 < needed:
        pytest.skip(f"the example's syntax is from PostgreSQL {needed}")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_bad_is_found(
    rule: RiskRule | MigrationRule, server: EmbeddedServer, catalog_of: Callable[[str], Catalog]
) -> None:
    _skip_before(rule, server)
    risks = _found(rule, "bad", catalog_of(rule.setup))
    assert risks
    for risk in risks:
        assert risk.message.endswith(".")
        assert all(fact.strip() for fact in risk.evidence)
        assert risk.evidence or risk.statement is None
        assert risk.recommendation


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_good_is_silent(
    rule: RiskRule | MigrationRule, server: EmbeddedServer, catalog_of: Callable[[str], Catalog]
) -> None:
    _skip_before(rule, server)
    assert not _found(rule, "good", catalog_of(rule.setup))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_bad_is_found_without_a_catalog(rule: RiskRule | MigrationRule) -> None:
    if rule.id in _NEEDS_CATALOG:
        pytest.skip(_NEEDS_CATALOG[rule.id])
    assert _found(rule, "bad", None)
