"""Options of foreign objects, with what may be a secret hidden."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SECRET = re.compile(r"pass|secret|token|credential|private|api_?key|access_?key", re.IGNORECASE)

HIDDEN = "***"


def option_texts(options: Sequence[str] | None) -> tuple[str, ...]:
    """``name=value`` texts, sorted; the value of whatever is named like a secret is hidden."""
    texts: list[str] = []
    for option in options or ():
        name, _, _ = option.partition("=")
        texts.append(f"{name}={HIDDEN}" if _SECRET.search(name) else option)
    return tuple(sorted(texts))
