"""The six points of a migration at which hooks run."""

from __future__ import annotations

from enum import StrEnum


class HookPhase(StrEnum):
    """When a hook runs.

    ``BEFORE_VALIDATION → BEGIN → BEFORE_DDL → statements → AFTER_DDL → AFTER_VALIDATION → ledger row → COMMIT →
    CLEANUP``; after a failure everything is rolled back, and then ``ON_ERROR`` runs.
    """

    BEFORE_VALIDATION = "BEFORE_VALIDATION"
    """Before the migration's transaction, each hook in a transaction of its own. A failure stops the migration."""
    BEFORE_DDL = "BEFORE_DDL"
    """In the migration's transaction, before its first statement."""
    AFTER_DDL = "AFTER_DDL"
    """In the migration's transaction, after its last statement: the place of a backfill."""
    AFTER_VALIDATION = "AFTER_VALIDATION"
    """In the migration's transaction, just before the ledger's row: the place of a check that may still refuse."""
    CLEANUP = "CLEANUP"
    """After the commit, each hook in a transaction of its own; a failure is told and changes nothing."""
    ON_ERROR = "ON_ERROR"
    """After a failure and its rollback, each hook in a transaction of its own; a failure is told and never hides the
    first one."""

    @classmethod
    def _missing_(cls, value: object) -> HookPhase | None:
        """A name is a name in small letters too."""
        return cls.__members__.get(str(value).upper())

    @property
    def in_transaction(self) -> bool:
        """Whether hooks of this phase run inside the migration's transaction."""
        return self in (HookPhase.BEFORE_DDL, HookPhase.AFTER_DDL, HookPhase.AFTER_VALIDATION)

    @property
    def best_effort(self) -> bool:
        """Whether a failure in this phase is told only, and the next hook runs all the same."""
        return self in (HookPhase.CLEANUP, HookPhase.ON_ERROR)
