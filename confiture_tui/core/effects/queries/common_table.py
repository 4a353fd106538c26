"""The INSERT, UPDATE, DELETE and MERGE in a WITH."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_tui.core.effects.expressions.base import Reader
    from confiture_tui.core.effects.step import Step


def note_writes(step: Step, reader: Reader, *, execute: bool = True) -> None:
    """Write to the step what the writes in a statement's WITH do: they run, asked for or not."""
    from confiture_tui.core.effects.queries.inserts import read_insert
    from confiture_tui.core.effects.queries.merges import read_merge
    from confiture_tui.core.effects.queries.updates import read_delete, read_update

    readers = {
        "InsertStmt": read_insert,
        "UpdateStmt": read_update,
        "DeleteStmt": read_delete,
        "MergeStmt": read_merge,
    }
    for kind, node, scope in reader.facts.writes:
        readers[kind](node, step, execute=execute, scope=scope)
