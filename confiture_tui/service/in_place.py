"""A dry run on the target itself: who may ask for one, over which connection, and what the reader must know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import Field

from confiture_tui.core.dry_run.executor import (
    DEFAULT_LOCK_TIMEOUT_MS,
    DEFAULT_STATEMENT_TIMEOUT_MS,
    DryRunExecutor,
)
from confiture_tui.core.dry_run.result import DryRunResult, Verdict
from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.migrations.profiles import Wrapping
from confiture_tui.core.traffic.model import GiveWayLimits
from confiture_tui.database.connection import connect
from confiture_tui.database.dsn import Dsn
from confiture_tui.errors import ConnectError, UsageError

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.events import Sink

_APPLICATION = "confiture-tui dry run"
_MISSING = frozenset({"3F000", "42703", "42704", "42883", "42P01"})
"""Schemas, columns, objects, functions and relations that are not there (documentation, "PostgreSQL Error Codes")."""

_FINE_WHEN_COMMITTED = frozenset({"55P04", "55006"})
"""A new enum value that is used in the transaction which adds it; a table with pending trigger events."""


class InPlaceOptions(FrozenModel):
    """How a dry run on the target is to be.

    Attributes:
        as_role: the role to run as; ``None`` for that of the connection string.
        allow_superuser: let a role in that can do what no rollback undoes.
        lock_timeout_ms: how long a statement may wait for a lock, in milliseconds.
        statement_timeout_ms: how long a statement may run, in milliseconds.
        give_way: how much others may suffer.
        confirmation: the database's name as the operator typed it; on production nothing runs without it.
    """

    as_role: str | None = None
    allow_superuser: bool = False
    lock_timeout_ms: int = Field(default=DEFAULT_LOCK_TIMEOUT_MS, gt=0)
    statement_timeout_ms: int = Field(default=DEFAULT_STATEMENT_TIMEOUT_MS, gt=0)
    give_way: GiveWayLimits = GiveWayLimits()
    confirmation: str | None = None


def refuse_unless_allowed(
    options: InPlaceOptions, *, read_only: bool, is_production: bool, database: str | None
) -> None:
    """Refuse a dry run on the target that was not meant to be.

    Args:
        options: what was asked for.
        read_only: the session may change nothing.
        is_production: the environment is production.
        database: the target's name; ``None`` without one.

    Raises:
        UsageError: the session is read-only, there is no database, or its name was not typed on production.
    """
    if read_only:
        raise UsageError(
            "This session is read-only: nothing is tried on the target, not even what is rolled back.",
            hint="Dry-run on the shadow, or leave out --read-only.",
        )
    if database is None:
        raise UsageError(
            "There is no target to try anything on.",
            hint="Give --dsn, set CONFITURE_DATABASE_URL, or write db/environments/NAME.yaml.",
        )
    if is_production and options.confirmation != database:
        asked = "was not given" if options.confirmation is None else f"is not {options.confirmation}"
        raise UsageError(
            f"This is production, and a dry run on the target holds real locks: the database's name {asked}.",
            hint=f"Give its name, {database}, with --confirm, or dry-run on the shadow.",
        )


def try_in_place(
    dsn: Dsn,
    database: str,
    migration: Migration,
    options: InPlaceOptions,
    *,
    wrapping: Wrapping = Wrapping.TRANSACTION,
    before: Sequence[str] = (),
    scope: CancelScope,
    sink: Sink,
) -> DryRunResult:
    """Try a migration on the target, in a transaction that is always rolled back.

    Args:
        dsn: the target.
        database: its name.
        migration: what is tried.
        options: how.
        wrapping: how a runner would wrap it; here it is always one transaction.
        before: the labels of pending migrations that a runner would apply first; here they are not.
        scope: what cancels it.
        sink: where events go.

    Raises:
        ConnectError: there is no connection, or it was lost.
        ConfitureError, Cancelled: as ``DryRunExecutor.run``.
    """
    executor = DryRunExecutor(
        allow_superuser=options.allow_superuser,
        lock_timeout_ms=options.lock_timeout_ms,
        statement_timeout_ms=options.statement_timeout_ms,
        give_way=options.give_way,
        sink=sink,
    )
    scope.check()
    with _connected(dsn, database, options.as_role) as (conn, notes):
        result = executor.run(conn, migration, scope=scope)
    if before:
        notes = (*notes, f"Pending migrations that come first were not applied: {', '.join(before)}.")
    if wrapping is Wrapping.NONE and len(migration.up.statements) > 1:
        notes = (*notes, "A runner runs each statement by itself; here all of them were in one transaction.")
    state = result.failure.sqlstate if result.failure is not None else ""
    # What it misses may be what earlier ones would have made; what it may not do, it may do after a COMMIT.
    if (before and state in _MISSING) or (wrapping is Wrapping.NONE and state in _FINE_WHEN_COMMITTED):
        result = result.model_copy(update={"verdict": Verdict.INCONCLUSIVE, "ok": False})
    return result.model_copy(update={"notes": (*result.notes, *notes)})


@contextmanager
def _connected(dsn: Dsn, database: str, role: str | None) -> Iterator[tuple[psycopg.Connection[Any], tuple[str, ...]]]:
    """A connection of the dry run's own, and what the reader must know of it."""
    import psycopg
    from psycopg import sql

    if role is None:
        with connect(dsn, application_name=_APPLICATION) as conn:
            yield conn, ()
        return
    parameters = dsn.parameters() | {"dbname": database}
    if parameters.get("user") != role:
        # The password is another role's.
        parameters.pop("password", None)
    try:
        own = connect(Dsn.of_parameters(parameters | {"user": role}, source=dsn.source), application_name=_APPLICATION)
    except ConnectError as error:
        refused = error
    else:
        with own as conn:
            yield conn, (f"It ran as the role {role}, which logged in itself.",)
        return
    with connect(dsn, application_name=_APPLICATION) as conn:
        try:
            conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        except psycopg.Error as error:
            words = error.diag.message_primary or type(error).__name__
            raise UsageError(
                f"Nothing can be tried as the role {role}: it cannot log in ({refused.message}) "
                f"and SET ROLE fails ({words}).",
                hint="Name a role that may log in or that yours is a member of.",
            ) from None
        yield conn, (f"It ran as the role {role} by SET ROLE, from which RESET ROLE leads back to {conn.info.user}.",)
