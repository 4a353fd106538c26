"""What makes ``dry-run`` exit with 1."""

from __future__ import annotations

import pytest

from confiture_tui.cli.dry_run import FailOn, exit_code
from confiture_tui.core.dry_run.result import DryRunResult, On, Outcome, Proof, Rows, StatementObservation, Verdict


def result(verdict: Verdict = Verdict.OK, *, mismatch: tuple[str, ...] = (), kept: bool = True) -> DryRunResult:
    statement = StatementObservation(index=1, line=1, tag="ALTER TABLE", sql="", outcome=Outcome.RAN, mismatch=mismatch)
    return DryRunResult(
        version="1",
        name="x",
        on=On.SHADOW,
        rows=Rows.NONE,
        ok=verdict is Verdict.OK,
        verdict=verdict,
        wrapping="transaction",
        elapsed_ms=1.0,
        statements=(statement,),
        proof=Proof(nothing_persisted=kept),
    )


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        (FailOn.ERROR, {"fails", "kept"}),
        (FailOn.WARNING, {"fails", "kept", "inconclusive"}),
        (FailOn.MISMATCH, {"fails", "kept", "mismatch"}),
        (FailOn.HIGH, {"fails", "kept", "high", "critical"}),
        (FailOn.LOW, {"fails", "kept", "low", "high", "critical"}),
        (FailOn.NEVER, set()),
    ],
)
def test_each_choice_fails_on_its_own_and_on_a_failure(fail_on: FailOn, failing: set[str]) -> None:
    cases = {
        "ok": (result(), "none"),
        "fails": (result(Verdict.FAILS), "none"),
        "kept": (result(kept=False), "none"),
        "inconclusive": (result(Verdict.INCONCLUSIVE), "none"),
        "mismatch": (result(mismatch=("scans",)), "none"),
        "low": (result(), "low"),
        "high": (result(), "high"),
        "critical": (result(), "critical"),
    }
    found = {name for name, (one, level) in cases.items() if exit_code([one], fail_on, {"1": level})}
    assert found == failing


def test_nothing_to_try_is_fine() -> None:
    assert not any(exit_code([], fail_on, {}) for fail_on in FailOn)
