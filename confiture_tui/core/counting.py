"""Numbers of things, in words."""

from __future__ import annotations


def counted(number: float, noun: str, many: str | None = None) -> str:
    """``1 row``, ``1,200 rows``; ``many`` where the plural is not made with an s."""
    return f"{number:,.0f} {noun if number == 1 else many or f'{noun}s'}"
