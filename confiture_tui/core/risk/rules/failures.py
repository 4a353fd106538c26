"""Statements that fail, or may."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from confiture_tui.core.risk.model import Category, Severity
from confiture_tui.core.risk.rule import RiskRule
from confiture_tui.core.risk.rules.examples import SHOP
from confiture_tui.core.risk.rules.facts import listed

if TYPE_CHECKING:
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.risk.model import Risk
    from confiture_tui.core.risk.rule import RuleContext

_BY_DATA = frozenset({"22001", "22003", "22007", "22008", "22P02", "23502", "23503", "23505", "23514", "23P01"})


class FailsOnExistingData(RiskRule):
    """The rows that are there decide."""

    id = "fails-on-existing-data"
    category = Category.INTEGRITY
    severity = Severity.CRITICAL
    title = "Rows that are there may make it fail"
    why = (
        "NULLs (23502), orphans (23503), duplicates (23505), rows that break a CHECK (23514), values that do not fit "
        "(22001, 22003) make the statement fail, after it has held its locks for as long as it took to find them."
    )
    alternative = (
        "Ask the data first: connected to the database, the question is asked read-only and counted here. Mend the "
        "rows, or add the constraint as NOT VALID where that is possible."
    )
    setup = SHOP + "\nINSERT INTO customers VALUES (101, 'c1@example.com');"
    bad = "ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE (email);"
    good = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;"

    def check(self, forecast: Forecast, context: RuleContext) -> Iterable[Risk]:
        """Possible failures that data decide, with what probes found."""
        possible = [one for one in forecast.effects.may_fail or () if one.sqlstate in _BY_DATA]
        if not possible:
            return
        probes = [one for one in context.probes(forecast) if one.sqlstate in _BY_DATA]
        points = context.points(Category.INTEGRITY, forecast)
        if points == 0:
            return
        bad = [one for one in probes if one.found]
        if forecast.effects.fails is not None and not bad:
            # Its points are those of the certain failure, which is told by itself.
            return
        if bad:
            message = f"The statement fails: there are {listed(one.found_in_words() for one in bad)}."
        else:
            whys = listed((one.why.rstrip(".") for one in possible), 2)
            message = f"The data decide whether {forecast.statement.tag} fails: {whys}."
        yield self.risk(
            context,
            forecast,
            message,
            evidence=(
                f"Line {forecast.statement.line}: {forecast.statement.tag}.",
                *(f"{one.sqlstate}: {one.why.rstrip('.')}." for one in possible[:4] if not bad),
                *(one.sentence() for one in probes[:4]),
                *(() if probes else ("Nobody asked the data: there is no connection to the database.",)),
                *(f"This finds them: {one.rows_sql}" for one in bad[:2] if one.rows_sql),
            ),
            recommendation=_FOUND if bad else None,
            points=points,
        )


_FOUND = (
    "Mend these rows before it is run, in a migration of its own; where the constraint can be NOT VALID, it can be "
    "added before that, and holds for new rows at once."
)


RULES = (FailsOnExistingData(),)
