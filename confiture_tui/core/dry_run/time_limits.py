"""Time-outs as PostgreSQL writes them: ``500ms``, ``2s``, ``1min``, or a number of milliseconds."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "min": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0}
"""The units of settings (documentation, "Parameter Names and Values"), in milliseconds."""
_MOST_MS = 2**31 - 1
"""The server keeps a time-out in an int4."""


def milliseconds(limit: float | str | timedelta) -> int:
    """A time-out in milliseconds; 0 is none.

    Args:
        limit: milliseconds, a text as the server takes it, or a length of time.

    Raises:
        ValueError: it is none, or the server could not keep it.
    """
    if isinstance(limit, timedelta):
        value = limit.total_seconds() * 1000
    elif isinstance(limit, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*", limit)
        if match is None:
            raise ValueError(f"{limit!r} is not a time-out as PostgreSQL writes it")
        value = float(match[1]) * _UNITS_MS[match[2] or "ms"]
    else:
        value = limit
    if not 0 <= value <= _MOST_MS:
        raise ValueError(f"{limit!r} is not a time-out that the server could keep")
    # Less than a millisecond is not none.
    return max(1, round(value)) if value else 0
