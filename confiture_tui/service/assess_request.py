"""What is to be assessed: to be had without what assesses it, which takes a while to be loaded."""

from __future__ import annotations

from confiture_tui.core.effects.model import FrozenModel


class AssessRequest(FrozenModel):
    """What is to be assessed, and how.

    Attributes:
        versions: which migrations; all pending ones when empty.
        allow: ids of rules whose risks are accepted.
        asks_data: read-only questions to the data, within a budget of time.
    """

    versions: tuple[str, ...] = ()
    allow: frozenset[str] = frozenset()
    asks_data: bool = True
