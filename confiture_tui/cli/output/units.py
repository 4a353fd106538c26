"""Figures as people read them."""

from __future__ import annotations


def milliseconds(value: float | None) -> str:
    """``0.42 ms``, ``12.3 ms``, ``4.21 s``, ``3 min 05 s``, ``4 h 00 min``; ``-`` when there is none."""
    if value is None:
        return "-"
    # Each limit is where rounding reaches the next form: 9.996 is 10.0 ms, not 10.00 ms.
    if value < 9.995:
        return f"{value:.2f} ms"
    if value < 999.95:
        return f"{value:.1f} ms"
    if value < 59_995:
        return f"{value / 1_000:.2f} s"
    if value < 3_599_500:
        minutes, seconds = divmod(round(value / 1_000), 60)
        return f"{minutes} min {seconds:02} s"
    hours, minutes = divmod(round(value / 60_000), 60)
    return f"{hours} h {minutes:02} min"


def size(value: int | None) -> str:
    """Bytes in powers of 1024, as ``pg_size_pretty`` counts them; ``-`` when there is none."""
    if value is None:
        return "-"
    if value < 1_024:
        return f"{value} B"
    amount = float(value)
    for unit in ("kB", "MB", "GB"):
        amount /= 1_024
        if round(amount, 1) < 1_024:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1_024:,.1f} TB"


def count(value: int | None) -> str:
    """``1,234``; ``-`` when there is none."""
    return "-" if value is None else f"{value:,}"


def plural(number: int, noun: str) -> str:
    """``1 statement``, ``2 statements``, ``2 fixes``."""
    ending = "es" if noun.endswith(("s", "x", "ch", "sh")) else "s"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}{ending}"
