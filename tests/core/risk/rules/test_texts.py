"""The texts of the rules: a documentation page is made of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from confiture_tui.core.risk.rules import RULES
from confiture_tui.core.sql.script import Script

if TYPE_CHECKING:
    from confiture_tui.core.risk.rule import MigrationRule, RiskRule

_ENGINES_OWN = {
    "blocking-lock",
    "heavy-work",
    "data-may-be-lost",
    "certain-failure",
    "may-fail",
    "breaks-running-code",
    "no-way-back",
    "not-analysed",
    "touches-existing",
    "unknown-reach",
    "unused-ignore",
}


def test_ids_are_unique() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & _ENGINES_OWN


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_texts(rule: RiskRule | MigrationRule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    assert rule.title[0].isupper() or rule.title.split()[0] in ("char(n)", "json", "serial", "timestamp", "varchar(n)")
    assert not rule.title.endswith(".")
    for text in (rule.why, rule.alternative):
        assert text.endswith((".", ")."))
        assert "  " not in text
        assert "\n" not in text
    for sql in (rule.setup, rule.bad, rule.good):
        assert not Script.from_text(sql).problems
    assert rule.bad != rule.good or hasattr(rule, "good_down")
