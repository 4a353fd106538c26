"""Looking claims and risks up by statement: in constant time, since a file may hold ten thousand statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from confiture_tui.core.risk.model import Category

if TYPE_CHECKING:
    from confiture_tui.core.risk.claims import Claim
    from confiture_tui.core.risk.model import Risk


class Board:
    """The claims of one migration.

    A claim of locking may speak of several statements: all from the one that takes the lock to the end of its
    transaction.
    """

    def __init__(self, claims: Sequence[Claim], statements: int) -> None:
        self._worst: defaultdict[Category, int] = defaultdict(int)
        self._best: defaultdict[tuple[Category, int], int] = defaultdict(int)
        self._at: defaultdict[tuple[Category, int], list[Claim]] = defaultdict(list)
        self._of_relation: defaultdict[tuple[Category, str], list[Claim]] = defaultdict(list)
        spanning: list[Claim] = []
        for claim in claims:
            category, points, place = claim.category, claim.points, (claim.category, claim.first)
            if points > self._worst[category]:
                self._worst[category] = points
            if points > self._best[place]:
                self._best[place] = points
            self._at[place].append(claim)
            if claim.last > claim.first:
                spanning.append(claim)
                if claim.relation is not None:
                    self._of_relation[claim.category, claim.relation].append(claim)
        self._spanned = _highest(spanning, statements)

    def points(self, category: Category, statement: int | None, relation: str | None) -> int:
        """The most that a claim gives a statement (``None``: any), about a relation (``None``: any)."""
        if statement is None:
            return self._worst[category]
        if relation is not None:
            return self._about(category, statement, relation)
        best = self._best.get((category, statement), 0)
        if category is Category.REVERSIBILITY:
            return max(best, self._best.get((category, 0), 0))
        return max(best, self._spanned[statement]) if category is Category.LOCKING else best

    def _about(self, category: Category, statement: int, relation: str) -> int:
        """The most that a claim gives a statement about one relation."""
        here = list(self._at.get((category, statement), ()))
        if category is Category.REVERSIBILITY:
            here += self._at.get((category, 0), ())
        points = [each.points for each in here if each.relation is None or each.relation == relation]
        spanning = self._of_relation.get((category, relation), ())
        return max(points + [each.points for each in spanning if each.covers(statement)], default=0)


def _highest(spanning: Iterable[Claim], statements: int) -> list[int]:
    """For each statement the most points of the claims that span it; a transaction's claims all end together."""
    starts: defaultdict[int, int] = defaultdict(int)
    ends: dict[int, int] = {}
    for claim in spanning:
        starts[claim.first] = max(starts[claim.first], claim.points)
        ends[claim.first] = claim.last
    highest = [0] * (statements + 1)
    current, until = 0, 0
    for statement in range(1, statements + 1) if starts else ():
        if statement > until:
            current = 0
        if statement in starts:
            current = max(current, starts[statement])
            until = max(until, ends[statement])
        highest[statement] = current
    return highest


class Told:
    """What risks have been told, so that a fact is not told twice."""

    def __init__(self, risks: Iterable[Risk], claims: Iterable[Claim], statements: int) -> None:
        self._best: defaultdict[tuple[Category, int], int] = defaultdict(int)
        for risk in risks:
            key = (risk.category, risk.statement or 0)
            if risk.points > self._best[key]:
                self._best[key] = risk.points
        ends = {claim.last for claim in claims if claim.last > claim.first}
        # From each statement to the end of its transaction; nobody but locking speaks of more than one statement.
        self._later = [0] * (statements + 2)
        for statement in range(statements, 0, -1) if ends else ():
            after = 0 if statement in ends else self._later[statement + 1]
            self._later[statement] = max(after, self._best.get((Category.LOCKING, statement), 0))

    def covers(self, claim: Claim) -> bool:
        """Whether a risk of the same category, about one of the claim's statements, has as many points."""
        if claim.last > claim.first:
            return self._later[claim.first] >= claim.points
        return self._best.get((claim.category, claim.first), 0) >= claim.points
