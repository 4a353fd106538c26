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
        self._worst: dict[Category, int] = dict.fromkeys(Category, 0)
        self._at: defaultdict[tuple[Category, int], list[Claim]] = defaultdict(list)
        self._of_relation: defaultdict[tuple[Category, str], list[Claim]] = defaultdict(list)
        spanning: list[Claim] = []
        for claim in claims:
            self._worst[claim.category] = max(self._worst[claim.category], claim.points)
            self._at[claim.category, claim.first].append(claim)
            if claim.last > claim.first:
                spanning.append(claim)
                if claim.relation is not None:
                    self._of_relation[claim.category, claim.relation].append(claim)
        self._spanned = _highest(spanning, statements)

    def points(self, category: Category, statement: int | None, relation: str | None) -> int:
        """The most that a claim gives a statement (``None``: any), about a relation (``None``: any)."""
        if statement is None:
            return self._worst[category]
        here = [*self._at[category, statement], *(self._at[category, 0] if category is Category.REVERSIBILITY else ())]
        if relation is not None:
            here = [each for each in here if each.relation in (None, relation)]
            here += [each for each in self._of_relation[category, relation] if each.covers(statement)]
        best = max((each.points for each in here), default=0)
        return max(best, self._spanned[statement]) if category is Category.LOCKING and relation is None else best


def _highest(spanning: Iterable[Claim], statements: int) -> list[int]:
    """For each statement the most points of the claims that span it; a transaction's claims all end together."""
    starts: defaultdict[int, int] = defaultdict(int)
    ends: dict[int, int] = {}
    for claim in spanning:
        starts[claim.first] = max(starts[claim.first], claim.points)
        ends[claim.first] = claim.last
    highest = [0] * (statements + 1)
    current, until = 0, 0
    for statement in range(1, statements + 1):
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
            self._best[key] = max(self._best[key], risk.points)
        ends = {claim.last for claim in claims if claim.last > claim.first}
        # From each statement to the end of its transaction; nobody but locking speaks of more than one statement.
        self._later = [0] * (statements + 2)
        for statement in range(statements, 0, -1):
            after = 0 if statement in ends else self._later[statement + 1]
            self._later[statement] = max(after, self._best[Category.LOCKING, statement])

    def covers(self, claim: Claim) -> bool:
        """Whether a risk of the same category, about one of the claim's statements, has as many points."""
        if claim.last > claim.first:
            return self._later[claim.first] >= claim.points
        return self._best[claim.category, claim.first] >= claim.points
