"""Time-outs on the command line."""

from __future__ import annotations

from confiture_tui.errors import UsageError


def milliseconds_of(text: str, option: str) -> int:
    """A time-out in milliseconds, one at least.

    Raises:
        UsageError: it is none.
    """
    from confiture_tui.core.dry_run.time_limits import milliseconds

    try:
        value = milliseconds(text)
    except ValueError:
        value = 0
    if value == 0:
        raise UsageError(
            f"{option}: '{text}' is not a time-out.",
            hint="Write it as PostgreSQL does: 500ms, 2s or 1min. There is no dry run in place without one.",
        )
    return value
