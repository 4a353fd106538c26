"""The door for text from files, databases and events to the screen.

A terminal obeys control characters: a comment in a migration could retitle the window, draw over a question or write
the clipboard; marks that turn the writing direction could make SQL read as something that it is not. Here they become
visible characters that do nothing. What leaves this door must go on as ``Content``, or into a sink with markup off:
it does not touch square brackets, which are ordinary SQL.
"""

from __future__ import annotations

from typing import Final

from confiture_tui.terminal import safe_text

__all__ = ["safe_line", "safe_text"]

_ONE_LINE: Final = {0x09: " ", 0x0A: "\N{RETURN SYMBOL}"}


def safe_line(text: str) -> str:
    """``safe_text`` for one line of a list or a log: line feeds are shown as a return sign, tabs as a space."""
    if text.isprintable():
        return text
    return safe_text(text.replace("\r\n", "\n")).translate(_ONE_LINE)
