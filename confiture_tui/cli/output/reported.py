"""A finding as every report writes it, whoever found it: a lint rule or a risk rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]

_LEVELS: dict[str, Level] = {
    "critical": "error",
    "high": "error",
    "error": "error",
    "medium": "warning",
    "warning": "warning",
    "low": "note",
    "info": "note",
}


@dataclass(frozen=True, slots=True)
class Reported:
    """One finding.

    Attributes:
        rule: the rule's id.
        severity: the word of whoever found it: ``info`` … ``error``, or ``info`` … ``critical``.
        message: what is wrong.
        file: where it stands, relative to the project and with ``/``; ``None`` where no file is to blame.
        line: 1-based line in it; ``None`` for the whole file.
        help: what to do, which may be SQL; empty for nothing.
        title: what the rule is about, one sentence. ``why``: why that matters.
        object: the object of the database concerned, ``kind`` what it is; empty for none.
        key: the finding's identity, stable from run to run; empty without one.
        state: whether the change under review brought it; ``None`` where there is no change.
    """

    rule: str
    severity: str
    message: str
    file: str | None = None
    line: int | None = None
    help: str = ""
    title: str = ""
    why: str = ""
    object: str = ""
    kind: str = ""
    key: str = ""
    state: Literal["new", "unchanged", "absent"] | None = None

    @property
    def level(self) -> Level:
        """The severity in the three levels that SARIF and GitHub know."""
        return _LEVELS.get(self.severity, "warning")
