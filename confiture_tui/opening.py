"""The words of a session that is being opened: the app has them, and the frame that is drawn before it is loaded."""

from __future__ import annotations

from typing import Final

WAITING: Final = "opening"
"""What stands in the header instead of a project."""


def opening_words(dots: str, *, demo: bool) -> str:
    """What is being done, with the signs that say that it goes on."""
    if demo:
        return f"Starting the demo's own server and building its shop {dots}"
    return f"Opening {dots}"
