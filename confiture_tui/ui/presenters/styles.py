"""The names of the styles that presenters use.

Most are component classes of every screen, defined in ``app.tcss``. Those that fill the cells behind the text are
written out in terms of the variables of ``theme.tcss``: Textual 8.2 drops a component class's background and reverse
video when it is used within a text.
"""

from __future__ import annotations

from typing import Final

CLASSES: Final = frozenset(
    {
        "strong",
        "quiet",
        "tab",
        "tab-active",
        "key",
        "label",
        "heading",
        "relation",
        "severity-error",
        "severity-warning",
        "severity-info",
        "severity-debug",
        "risk-none",
        "risk-low",
        "risk-medium",
        "risk-high",
        "risk-critical",
        "verdict-ok",
        "verdict-fails",
        "verdict-rewrites",
        "verdict-blocks",
        "verdict-unclear",
        "lock-blocks-reads",
        "lock-blocks-writes",
        "lock-quiet",
        "state-pending",
        "state-applied",
        "state-attention",
        "state-running",
        "diff-added",
        "diff-removed",
        "diff-changed",
    }
)


FILLED: Final = {
    "pill": "bold $pill-text on $pill",
    # Reverse video, so that it stands out without colours too: the two are given the other way round.
    "env-production": "bold reverse $env-production on $env-production-text",
    "env-staging": "bold $env-staging-text on $env-staging",
    "env-other": "bold $env-other-text on $env-other",
}


def style(name: str) -> str:
    """The style as ``Content`` wants it. A name that is not in the lists is a defect: KeyError."""
    if name in CLASSES:
        return f".{name}"
    return FILLED[name]
