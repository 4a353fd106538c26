"""What the service tells its clients of a migration before anything is tried."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from confiture_tui.core.catalog.diff import SchemaDiff
from confiture_tui.core.effects.model import FrozenModel, StatementEffects
from confiture_tui.core.hooks.phase import HookPhase
from confiture_tui.core.migrations.model import Finding


class PreviewedHook(FrozenModel):
    """A hook that a migration declares; none of its code was imported for that.

    Attributes:
        hook: its name.
        phase: where the declaration names one; ``None``: the hook's own.
        direction: when it runs: ``forward``, ``backward`` or ``both``.
    """

    hook: str
    phase: HookPhase | None
    direction: Literal["forward", "backward", "both"]


class MigrationPreview(FrozenModel):
    """What a migration contains, before anything is tried.

    Attributes:
        version: of the migration.
        name: of the migration.
        path: its file; ``None`` for text that came from elsewhere.
        wrapping: how the runner would wrap it: ``transaction``, ``own`` or ``none``.
        analysed: how many of its statements were analysed, and how many there are.
        statements: one entry each; what nobody looked at is ``None``.
        findings: what is wrong with the file.
        has_down: whether there is a way back.
        runner: the profile in whose name it is judged.
        hooks: what its ``.hooks.yaml`` declares, in its order.
        schema_diff: what it does to the schema, where a dry run has shown it.
    """

    version: str
    name: str
    path: Path | None
    wrapping: str
    analysed: tuple[int, int]
    statements: tuple[StatementEffects, ...]
    findings: tuple[Finding, ...] = ()
    has_down: bool = False
    runner: str = ""
    hooks: tuple[PreviewedHook, ...] = ()
    schema_diff: SchemaDiff | None = None
