"""What an expression of the raw syntax tree is: its type, how volatile, what it calls and reads.

The server's own analysis is followed as far as the text and the catalog go (PostgreSQL documentation, chapter 10 and
36.7); where something is not known to us that is said, never guessed to be harmless.
"""

from __future__ import annotations

from confiture_tui.core.effects.expressions.analysis import Expression, analyse, planned_volatility, type_of, volatility

__all__ = ["Expression", "analyse", "planned_volatility", "type_of", "volatility"]
