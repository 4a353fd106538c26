"""How a tool runs a migration: what it wraps in a transaction, and which time-outs it sets."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from confiture_tui.core.sql.transaction_block import refusal_in_transaction_block

if TYPE_CHECKING:
    from confiture_tui.core.sql.script import Script
    from confiture_tui.core.sql.statement import Statement


class Wrapping(StrEnum):
    """What transaction a migration's statements run in."""

    TRANSACTION = "transaction"
    """One, which the runner opens and commits."""
    OWN = "own"
    """One, by the file's own BEGIN and COMMIT."""
    NONE = "none"
    """None: each statement is a transaction of its own."""


class RunnerProfile(BaseModel):
    """What a runner promises.

    Attributes:
        name: of the runner.
        lock_timeout_ms: the ``lock_timeout`` it sets, in milliseconds; ``None``: it leaves the server's.
        statement_timeout_ms: the ``statement_timeout`` it sets, in milliseconds; ``None``: it leaves the server's.
        wraps: what it wraps files in: ``when_possible`` (all but those that hold a statement that cannot run in a
            transaction block), ``as_confiture`` (as the ``confiture`` command line decides), ``never``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    lock_timeout_ms: int | None
    statement_timeout_ms: int | None
    wraps: Literal["when_possible", "as_confiture", "never"]

    def wrapping_of(self, script: Script) -> Wrapping:
        """How this runner wraps that script. A BEGIN … COMMIT around the whole file is honoured as the file's own.

        Raises:
            ConfitureError: the parser's library is not installed.
        """
        if script.is_wrapped:
            return Wrapping.OWN
        match self.wraps:
            case "when_possible":
                alone = any(refusal_in_transaction_block(one) for one in script.statements)
            case "as_confiture":
                # It looks at the whole file at once: with one statement that it cannot parse it sees nothing.
                alone = not script.problems and any(_confiture_runs_alone(one) for one in script.statements)
            case "never":
                alone = True
        return Wrapping.NONE if alone else Wrapping.TRANSACTION


def _confiture_runs_alone(statement: Statement) -> bool:
    """Whether the ``confiture`` command line (0.44) runs a file outside a transaction because of this statement.

    Its list is its own: ALTER TYPE … ADD VALUE, ANALYZE and CLUSTER of one table are on it without need; ALTER SYSTEM,
    tablespaces, subscriptions, DISCARD ALL, REINDEX DATABASE and DETACH PARTITION CONCURRENTLY are missing, so that
    files with them fail there, as the dry run shows.
    """
    node = statement.node or {}
    match statement.node_kind:
        case "AlterEnumStmt" | "ClusterStmt" | "CreatedbStmt" | "DropdbStmt" | "VacuumStmt":
            return True
        case "IndexStmt" | "DropStmt":
            return bool(node.get("concurrent"))
        case "ReindexStmt":
            return any(one.get("DefElem", {}).get("defname") == "concurrently" for one in node.get("params", ()))
    return False


PROFILES: Mapping[str, RunnerProfile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            # Sets no time-out for what it runs: its --lock-timeout is for its own advisory lock only.
            RunnerProfile(name="confiture", lock_timeout_ms=None, statement_timeout_ms=None, wraps="as_confiture"),
            # Two seconds: everybody else queues behind a lock that is waited for, so the wait must be short.
            RunnerProfile(name="confiture-tui", lock_timeout_ms=2000, statement_timeout_ms=None, wraps="when_possible"),
            # A file that is handed to psql: every statement by itself, whatever the server's settings are.
            RunnerProfile(name="loose", lock_timeout_ms=None, statement_timeout_ms=None, wraps="never"),
        )
    }
)
"""The runners that are known, by name."""
