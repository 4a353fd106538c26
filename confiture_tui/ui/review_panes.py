"""The panes of Review, in their order: what each is called, and which command tells the same."""

from __future__ import annotations

from typing import Final

PANES: Final = {
    "statements": "Statements",
    "risk": "Risk",
    "sql": "SQL",
    "report": "Dry run",
    "schema": "Schema",
    "way": "Hooks, back",
}
"""Titles by name."""
COMMANDS: Final = {
    "statements": "assess",
    "risk": "assess",
    "sql": "preview",
    "report": "dry-run",
    "schema": "dry-run",
    "way": "preview",
}
"""The command that tells what a pane shows."""
