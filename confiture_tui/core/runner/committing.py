"""The commit, whose outcome must be known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.execution import failure_of
from confiture_tui.core.runner.failures import HalfWay, StatementFailed
from confiture_tui.core.runner.unknown_outcome import Settled, settle
from confiture_tui.errors import ConfitureError, ConnectError
from confiture_tui.events import EventName, Level

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.runner.job import MigrationJob
    from confiture_tui.core.runner.run import Run

_TRANSACTION = "SELECT pg_catalog.pg_current_xact_id()::text"


def current_transaction(conn: psycopg.Connection[Any]) -> str:
    """The id of the transaction that is open, assigned now if it had none."""
    row = conn.execute(_TRANSACTION).fetchone()
    assert row is not None  # a SELECT without FROM gives one row
    return str(row[0])


def commit(run: Run, conn: psycopg.Connection[Any], job: MigrationJob, transaction_id: str) -> None:
    """Commit, and where the connection is lost meanwhile, find out how it ended. When it returns, it is committed.

    Raises:
        StatementFailed: the server refused, and rolled back.
        ConnectError: the connection was lost, and the server rolled back.
        HalfWay: the connection was lost, and how it ended is not known.
    """
    import psycopg

    try:
        tag = conn.execute("COMMIT").statusmessage
    except psycopg.Error as error:
        if not run.lost(error):
            raise StatementFailed(failure_of(error), None) from error
        _settle(run, job, transaction_id)
        return
    if tag != "COMMIT":
        raise ConfitureError(f"{job.migration.label}: the server answered {tag} to COMMIT: nothing of it stands.")


def _settle(run: Run, job: MigrationJob, transaction_id: str) -> None:
    label = job.migration.label
    run.emit(
        EventName.OUTCOME_UNKNOWN,
        f"{label}: the connection was lost during COMMIT; the server is asked what became of transaction "
        f"{transaction_id}.",
        level=Level.WARNING,
        migration=job.migration.version,
    )
    outcome = settle(run.connect, transaction_id, wait_s=run.policy.outcome_wait_s)
    run.emit(
        EventName.OUTCOME_SETTLED,
        f"{label}: transaction {transaction_id} is {outcome.value}.",
        migration=job.migration.version,
    )
    match outcome:
        case Settled.COMMITTED:
            return
        case Settled.ABORTED:
            raise ConnectError(
                f"{label}: the connection was lost during COMMIT, and the server rolled it back.",
                hint="Nothing of it stands. Try again when the server is well.",
            )
        case _:
            raise HalfWay(
                f"{label}: the connection was lost during COMMIT, and whether it was committed is not known.",
                hint="Run `status` when the server answers again: it asks about the transaction and says how it ended.",
            )
