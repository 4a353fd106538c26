"""What a hook is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from confiture_tui.core.hooks.phase import HookPhase

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.hooks.context import HookContext
    from confiture_tui.core.hooks.result import HookResult


class HookOptions(BaseModel):
    """Base of the options of a hook: what a migration's ``.hooks.yaml`` gives it. Unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Hook(ABC):
    """Code that runs at one point of a migration.

    >>> class Count(Hook):
    ...     name = "count_orders"
    ...     phase = HookPhase.AFTER_DDL
    ...
    ...     def execute(self, conn, context):
    ...         (count,) = conn.execute("SELECT count(*) FROM orders").fetchone()
    ...         return HookResult(statistics={"orders": count})

    Class attributes:
        name: what a migration's ``.hooks.yaml`` calls it: lower case, digits and underscores. The class's name in
            snake case where it is left out.
        phase: when it runs, unless the migration says otherwise.
        phases: the phases in which a migration may use it; only ``phase`` where it is left empty.
        Options: the model of its options.
        transactional: it runs inside the migration's transaction, where its phase is in one. With ``False`` the
            migration, with its ledger row, is committed before this hook's phase: the hook then runs on a connection
            in autocommit and makes transactions of its own with ``conn.transaction()``.
        idempotent: running it again after a failure does no harm: only then a run that gave way is tried again.
        timeout_s: seconds it may take; ``None``: as long as it takes. Its statement is cancelled then; where it is
            Python code that does not end, the connection is cut, so that nothing stays locked, and the hook's thread
            is left behind.
        outside_effects: it does something outside the database (a message, a file), which no rollback takes back: a
            dry run does not run it.
    """

    name: ClassVar[str] = ""
    phase: ClassVar[HookPhase]
    phases: ClassVar[frozenset[HookPhase]] = frozenset()
    Options: ClassVar[type[HookOptions]] = HookOptions
    transactional: ClassVar[bool] = True
    idempotent: ClassVar[bool] = False
    timeout_s: ClassVar[float | None] = None
    outside_effects: ClassVar[bool] = False

    # Defaults for a subclass whose own __init__ does not call this one.
    options: Any = None
    _asked_for: HookPhase | None = None

    def __init__(
        self, options: HookOptions | Mapping[str, Any] | None = None, *, phase: HookPhase | str | None = None
    ) -> None:
        """A hook with its options, for the phase given or its own.

        Raises:
            ValueError: it cannot run in that phase.
            pydantic.ValidationError: the options are wrong, or it needs some and none were given.
        """
        self.options = options if isinstance(options, HookOptions) else self.Options.model_validate(dict(options or {}))
        self._asked_for = HookPhase(phase) if phase is not None else None
        if self.runs_in not in self.allowed_phases():
            names = ", ".join(sorted(self.allowed_phases()))
            raise ValueError(f"{self.hook_name()} cannot run in {self.runs_in}, only in {names}")

    @property
    def runs_in(self) -> HookPhase:
        """The phase in which this one runs."""
        return self._asked_for if self._asked_for is not None else HookPhase(self.phase)

    @classmethod
    def hook_name(cls) -> str:
        """Its name: the class's own in snake case where none is given."""
        return cls.name or "".join(
            f"_{letter.lower()}" if letter.isupper() and number else letter.lower()
            for number, letter in enumerate(cls.__name__)
        )

    @classmethod
    def allowed_phases(cls) -> frozenset[HookPhase]:
        """The phases in which it may run."""
        return cls.phases or frozenset((cls.phase,))

    @abstractmethod
    def execute(self, conn: psycopg.Connection[Any], context: HookContext) -> HookResult | None:
        """Do the work; ``None`` counts as a result without figures.

        Args:
            conn: the connection of the run, guarded: ``commit``, ``rollback``, ``close`` and the change of
                ``autocommit`` are refused. ``conn.transaction()`` is a savepoint, or, where the hook is not
                transactional, a transaction.
            context: what it may know, and how it reports.

        Raises:
            Exception: whatever it raises is its failure, and undoes the migration (see ``HookPhase``).
        """
