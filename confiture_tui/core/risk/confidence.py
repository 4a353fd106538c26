"""How far an assessment can be trusted: computed from what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from confiture_tui.core.effects.model import Basis, Reach

if TYPE_CHECKING:
    from confiture_tui.core.effects.model import StatementEffects
    from confiture_tui.core.risk.sizes import TableSize

_OF_BASIS: Final = {None: 0.0, Basis.ASSUMED: 0.55, Basis.CATALOG: 0.95, Basis.OBSERVED: 0.99}
"""How sure one statement's effects are by what they rest on; that of the text alone is right about locks, and guesses
sizes."""
_OPAQUE: Final = 0.4
_UNKNOWN_REACH: Final = 0.7
_NOT_ASKED: Final = 0.9
_STALE: Final = 0.85


def confidence(statements: Sequence[StatementEffects], sizes: Sequence[TableSize]) -> float:
    """From 0 (nothing was analysed) to 1.

    The mean over all statements of what each rests on, less for code that cannot be read, relations that are not all
    known, and data that nobody asked; then less for statistics that are stale, by the share of the tables worked on.
    """
    if not statements:
        return 1.0
    mean = sum(_of_statement(each) for each in statements) / len(statements)
    known = [size for size in sizes if size.known]
    stale = sum(not size.fresh for size in known) / len(known) if known else 0.0
    return round(mean * (1 - stale * (1 - _STALE)), 2)


def _of_statement(effects: StatementEffects) -> float:
    value = _OF_BASIS[effects.basis]
    if effects.opaque:
        value *= _OPAQUE
    if effects.reach is Reach.UNKNOWN:
        value *= _UNKNOWN_REACH
    if effects.may_fail and effects.fails is None and any(not each.checked for each in effects.may_fail):
        value *= _NOT_ASKED
    return value
