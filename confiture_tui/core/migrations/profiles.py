"""How a tool runs a migration: what it wraps in a transaction, and which time-outs it sets."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from confiture_tui.core.sql.transaction_block import refusal_in_transaction_block
from confiture_tui.errors import UsageError

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


class Wraps(StrEnum):
    """What a runner wraps a file in."""

    ALWAYS = "always"
    """One transaction, whatever is in it."""
    WHEN_POSSIBLE = "when_possible"
    """One transaction, unless a statement cannot run in a transaction block."""
    UNLESS_ALL_ALONE = "unless_all_alone"
    """One transaction, unless every statement is one that cannot run in a transaction block."""
    TOGETHER = "together"
    """Nothing, but the text is sent as one query, which the server runs as one transaction: PostgreSQL's
    "Multiple Statements in a Simple Query"."""
    AS_CONFITURE = "as_confiture"
    """As the ``confiture`` command line decides."""
    NEVER = "never"
    """Nothing: statement by statement."""


class RunnerProfile(BaseModel):
    """What a runner promises.

    Attributes:
        name: of the runner.
        lock_timeout_ms: the ``lock_timeout`` it sets, in milliseconds; ``None``: it leaves the server's.
        bounds_concurrent_waits: it sets that also for statements outside a transaction that hold up nobody while they
            wait: CREATE INDEX CONCURRENTLY and its like.
        statement_timeout_ms: the ``statement_timeout`` it sets, in milliseconds; ``None``: it leaves the server's.
        wraps: what it wraps files in.
        wraps_marked: what it wraps files in that a mark of its own asks to leave out of a transaction.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    lock_timeout_ms: int | None = None
    bounds_concurrent_waits: bool = True
    statement_timeout_ms: int | None = None
    wraps: Wraps
    wraps_marked: Wraps = Wraps.NEVER

    def wrapping_of(self, script: Script) -> Wrapping:
        """How this runner wraps that script. A BEGIN … COMMIT around the whole file is honoured as the file's own.

        Raises:
            ConfitureError: the parser's library is not installed.
        """
        if script.is_wrapped:
            return Wrapping.OWN
        statements = script.statements
        match self.wraps_marked if script.transactional is False else self.wraps:
            case Wraps.ALWAYS:
                alone = False
            case Wraps.WHEN_POSSIBLE:
                alone = any(refusal_in_transaction_block(one) for one in statements)
            case Wraps.UNLESS_ALL_ALONE:
                alone = bool(statements) and all(refusal_in_transaction_block(one) for one in statements)
            case Wraps.TOGETHER:
                # What begins and ends transactions itself is beyond the one that the server makes.
                alone = len(statements) < 2 or any(_ends_transaction(one) for one in statements)
            case Wraps.AS_CONFITURE:
                # It looks at the whole file at once: with one statement that it cannot parse it sees nothing.
                alone = not script.problems and any(_confiture_runs_alone(one) for one in statements)
            case Wraps.NEVER:
                alone = True
        return Wrapping.NONE if alone else Wrapping.TRANSACTION


def _ends_transaction(statement: Statement) -> bool:
    return (statement.node or {}).get("kind") in ("TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK")


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
            RunnerProfile(name="confiture", wraps=Wraps.AS_CONFITURE),
            # Two seconds: everybody else queues behind a lock that is waited for, so the wait must be short.
            RunnerProfile(
                name="confiture-tui", lock_timeout_ms=2000, bounds_concurrent_waits=False, wraps=Wraps.WHEN_POSSIBLE
            ),
            # A file that is handed to psql: every statement by itself, whatever the server's settings are.
            RunnerProfile(name="loose", wraps=Wraps.NEVER),
            # None of the tools below sets a time-out unless it is told to by an option of its own.
            RunnerProfile(name="atlas", wraps=Wraps.ALWAYS),
            RunnerProfile(name="dbmate", wraps=Wraps.ALWAYS, wraps_marked=Wraps.TOGETHER),
            RunnerProfile(name="diesel", wraps=Wraps.ALWAYS, wraps_marked=Wraps.TOGETHER),
            RunnerProfile(name="flyway", wraps=Wraps.UNLESS_ALL_ALONE),
            RunnerProfile(name="golang-migrate", wraps=Wraps.TOGETHER),
            RunnerProfile(name="goose", wraps=Wraps.ALWAYS),
            RunnerProfile(name="graphile-migrate", wraps=Wraps.ALWAYS, wraps_marked=Wraps.TOGETHER),
            RunnerProfile(name="node-pg-migrate", wraps=Wraps.ALWAYS),
            RunnerProfile(name="pop", wraps=Wraps.ALWAYS, wraps_marked=Wraps.TOGETHER),
            RunnerProfile(name="prisma", wraps=Wraps.TOGETHER),
            RunnerProfile(name="rails", wraps=Wraps.ALWAYS),
            RunnerProfile(name="sqitch", wraps=Wraps.NEVER),
            RunnerProfile(name="sqlx", wraps=Wraps.ALWAYS, wraps_marked=Wraps.TOGETHER),
            # From its release 2.109 on; before it, a file with a statement that cannot run in a transaction fails.
            RunnerProfile(name="supabase", wraps=Wraps.WHEN_POSSIBLE),
        )
    }
)
"""The runners that are known, by name."""


def profile_named(name: str) -> RunnerProfile:
    """The profile that somebody asks for.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in PROFILES:
        raise UsageError(f"There is no runner profile '{name}'.", hint=f"Profiles: {', '.join(PROFILES)}.")
    return PROFILES[name]
