"""Figures as an operator reads them."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1024)  # where nothing is known of the tables, most times are the same
def seconds_in_words(seconds: float) -> str:
    """``4 ms``, ``1.3 s``, ``2 min``, ``1.5 h``: as precise as an estimate can be."""
    if seconds < 0.0995:
        return f"{max(seconds * 1000, 0):.0f} ms"
    if seconds < 99.5:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"


def bytes_in_words(count: float) -> str:
    """``512 bytes``, ``3.2 MB``, ``14 GB``, in powers of 1,000 of the units that PostgreSQL calls kB, MB, GB."""
    if count < 1000:
        return f"{count:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.5:
            return f"{count:.2g} {unit}" if count < 9.95 else f"{count:.0f} {unit}"
    return f"{count / 1000:.2g} TB"
