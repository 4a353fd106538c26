"""Durations, sizes and counts as a person reads them; always a digit or two more than can be compared by eye."""

from __future__ import annotations


def duration(milliseconds: float) -> str:
    """``0.4 ms``, ``41 ms``, ``3.2 s``, ``2 min 05 s``, ``1 h 02 min``."""
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def size(count: int) -> str:
    """Bytes in units of 1024: ``0 B``, ``812 B``, ``1.5 MiB``."""
    if count < 1024:
        return f"{count} B"
    value = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        value /= 1024
        if value < 1023.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1024:.1f} TiB"


def number(count: int) -> str:
    """``1,234``."""
    return f"{count:,}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``2 rows``: the plural is the singular with an s unless it is given."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"
