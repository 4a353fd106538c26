"""What an earlier run left, and what can be done about it."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from confiture_tui.core.effects.begun import Begun
from confiture_tui.core.runner import advisory_lock
from confiture_tui.core.runner.invalid_indexes import FoundIndex, drop, find_index, index_name, left_invalid_by
from confiture_tui.core.runner.journal import ENDED_UNSEEN, JournalEntry, JournalState
from confiture_tui.core.runner.session import APPLICATION_NAME
from confiture_tui.core.runner.unknown_outcome import Settled, outcome_of
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import psycopg

    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.runner.journal import Journal
    from confiture_tui.database.ledger_table import LedgerTable

_ALIVE = "SELECT true FROM pg_catalog.pg_stat_activity WHERE pid = %s AND application_name = %s"


class LeftState(StrEnum):
    """What an entry that was not brought to an end means now."""

    RUNNING = "running"
    """A session of it is still there: it is going on, or is being rolled back."""
    PARTLY_DONE = "partly_done"
    """Part of it stands: statements outside a transaction, or what a hook has committed by itself."""
    HOOKS_PENDING = "hooks_pending"
    """The migration is committed; hooks after it are not done."""
    UNKNOWN = "unknown"
    """Whether its transaction was committed cannot be found out."""


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A run that nobody brought to an end.

    Attributes:
        entry: the journal's.
        state: what it means now.
        sentence: what was done, what was not, what is invalid.
        actions: what can be done: ``resume``, ``clean_up``, ``mark_applied``, ``mark_pending``, ``wait``.
        invalid: the indexes that it has left behind, not valid, qualified; only where the migration's file was at hand.
    """

    entry: JournalEntry
    state: LeftState
    sentence: str
    actions: tuple[str, ...]
    invalid: tuple[str, ...] = ()


def settle_journal(conn: psycopg.Connection[Any], journal: Journal) -> tuple[LeftOver, ...]:
    """Correct entries whose end is known, and tell of the others.

    A transaction that was rolled back, and one that was committed whole, need nobody.

    Args:
        conn: in autocommit mode.

    Raises:
        psycopg.Error: a question failed.
    """
    left = []
    for entry, state in _looked_at(conn, journal):
        if isinstance(state, JournalState):
            journal.update(conn, entry.id, state=state, error=_SETTLED[state])
        else:
            left.append(_left_over(entry, state))
    return tuple(left)


def left_overs(
    conn: psycopg.Connection[Any], journal: Journal, migrations: Iterable[Migration] = ()
) -> tuple[LeftOver, ...]:
    """What nobody brought to an end, as ``settle_journal`` tells it, without writing anything.

    Args:
        migrations: the files, which tell what an interrupted statement may have left behind.

    Raises:
        psycopg.Error: a question failed.
    """
    files = {one.version: one for one in migrations}
    return tuple(
        _left_over(entry, state, left_invalid(conn, entry, files.get(entry.version)))
        for entry, state in _looked_at(conn, journal)
        if isinstance(state, LeftState)
    )


def history(conn: psycopg.Connection[Any], journal: Journal) -> tuple[JournalEntry, ...]:
    """All entries, the newest first, each as it stands now, without writing anything.

    One that says it is running, of a session that is gone, has been rolled back or stopped half-way.

    Raises:
        psycopg.Error: a question failed.
    """
    looked = {entry.id: (entry, state) for entry, state in _looked_at(conn, journal)}
    return tuple(_as_it_stands(*looked[one.id]) if one.id in looked else one for one in journal.entries(conn))


def _as_it_stands(entry: JournalEntry, state: JournalState | LeftState) -> JournalEntry:
    if isinstance(state, JournalState):
        return dataclasses.replace(entry, state=state, error=_SETTLED[state])
    if state is LeftState.PARTLY_DONE:
        return dataclasses.replace(entry, state=JournalState.INTERRUPTED)
    return entry


def left_invalid(
    conn: psycopg.Connection[Any], entry: JournalEntry, migration: Migration | None
) -> tuple[FoundIndex, ...]:
    """The invalid indexes that the statement has left which was under way when a run stopped.

    Raises:
        psycopg.Error: a question failed.
    """
    if migration is None or migration.checksum != entry.checksum or entry.transactional:
        return ()
    script = migration.up if entry.direction == "forward" else migration.down
    if script is None or not entry.statement_done < entry.statement_begun <= len(script.statements):
        return ()
    return left_invalid_by(conn, script.statements[entry.statement_begun - 1])


def begun_by(conn: psycopg.Connection[Any], left: LeftOver, migration: Migration) -> Begun | None:
    """How far the run came, as going on with it would find it; ``None`` where that cannot be told by statements.

    Raises:
        psycopg.Error: a question failed.
    """
    entry = left.entry
    if entry.direction != "forward" or migration.checksum != entry.checksum:
        return None
    if left.state is LeftState.HOOKS_PENDING:
        return Begun(entry.statements)
    if entry.transactional:
        return None
    done, statements = entry.statement_done, migration.up.statements
    if done < entry.statement_begun <= len(statements):
        # The index of one that had no time to say so is there and valid.
        name = index_name(conn, statements[entry.statement_begun - 1])
        index = find_index(conn, name) if name is not None else None
        done += index is not None and index.valid
    return Begun(done, left.invalid)


def _looked_at(conn: psycopg.Connection[Any], journal: Journal) -> list[tuple[JournalEntry, JournalState | LeftState]]:
    looked = []
    for entry in journal.open_entries(conn):
        state = _state(conn, entry)
        # A commit whose end only the server knew: from here on the entry says it too.
        pending = state is LeftState.HOOKS_PENDING
        looked.append((dataclasses.replace(entry, state=JournalState.HOOKS_PENDING) if pending else entry, state))
    return looked


_SETTLED = {
    JournalState.DONE: None,
    JournalState.HOOKS_PENDING: None,
    JournalState.FAILED: ENDED_UNSEEN,
}


def _state(conn: psycopg.Connection[Any], entry: JournalEntry) -> JournalState | LeftState:
    if entry.backend_pid is not None and conn.execute(_ALIVE, (entry.backend_pid, APPLICATION_NAME)).fetchone():
        return LeftState.RUNNING
    if entry.state == JournalState.HOOKS_PENDING:
        return LeftState.HOOKS_PENDING
    if not entry.transactional:
        return LeftState.PARTLY_DONE if entry.statement_begun else JournalState.FAILED
    if entry.state == JournalState.COMMITTING and entry.transaction_id is not None:
        match outcome_of(conn, entry.transaction_id):
            case Settled.COMMITTED:
                return LeftState.HOOKS_PENDING if entry.hooks_after else JournalState.DONE
            case Settled.ABORTED:
                return JournalState.FAILED
            case _:
                return LeftState.UNKNOWN
    if entry.state == JournalState.INTERRUPTED:
        return LeftState.PARTLY_DONE
    # In one transaction, and it never came to the commit: PostgreSQL has rolled it back.
    return JournalState.FAILED


def _left_over(entry: JournalEntry, state: LeftState, found: tuple[FoundIndex, ...] = ()) -> LeftOver:
    label = entry.label
    invalid = () if state is LeftState.RUNNING else tuple(index.label for index in found)
    match state:
        case LeftState.RUNNING:
            sentence = f"{label} is still running, in the session {entry.backend_pid}."
            actions: tuple[str, ...] = ("wait",)
        case LeftState.HOOKS_PENDING:
            hooks = f" (done: {', '.join(entry.hooks_done)})" if entry.hooks_done else ""
            sentence = f"{label} is committed, but hooks after the commit are not done{hooks}."
            actions = ("resume", "mark_applied")
        case LeftState.PARTLY_DONE if entry.transactional:
            sentence = f"{label} stopped half-way, and part of it stands. {entry.error or ''}".rstrip()
            actions = ("mark_applied", "mark_pending")
        case LeftState.PARTLY_DONE:
            begun = entry.statement_begun
            unsure = (
                f" Statement {begun} was begun, and how it ended is not known." if begun > entry.statement_done else ""
            )
            stands = _stand(entry.statement_done)
            sentence = f"{label} stopped half-way: {stands}, of {entry.statements}.{unsure}"
            if invalid:
                sentence += f" It has left {', '.join(invalid)}, which is not valid."
            actions = ("resume", *(("clean_up",) if invalid else ()), "mark_applied", "mark_pending")
        case _:
            sentence = f"{label}: whether its transaction {entry.transaction_id} was committed is not known."
            actions = ("mark_applied", "mark_pending")
    return LeftOver(entry, state, sentence, actions, invalid)


def mark(
    conn: psycopg.Connection[Any],
    journal: Journal,
    ledger: LedgerTable,
    entry: JournalEntry,
    *,
    applied: bool,
) -> None:
    """Settle an entry by a person's word: the migration counts as applied, or as not applied.

    Nothing but the ledger and the journal is changed, in one transaction.

    Args:
        conn: in autocommit mode.

    Raises:
        LockHeld: a run is under way.
        UsageError: somebody has gone on with it since the entry was read.
        psycopg.Error: one of the two could not be written.
    """
    with _as_it_was(conn, journal, entry), conn.transaction():
        there = ledger.holds(conn, entry.version)
        if applied and not there:
            ledger.record(conn, version=entry.version, name=entry.name, checksum=entry.checksum, execution_time_ms=0)
        elif not applied and there:
            ledger.remove(conn, entry.version)
        word = "applied" if applied else "pending"
        journal.update(conn, entry.id, state=JournalState.SETTLED, error=f"Marked as {word} by hand.")


def clean_up(
    conn: psycopg.Connection[Any], journal: Journal, entry: JournalEntry, migration: Migration
) -> tuple[FoundIndex, ...]:
    """Drop the invalid indexes that an interrupted statement has left; what else stands, stays.

    Where no statement before it stands, nothing of the migration does any more, and it counts as pending again.

    Args:
        conn: in autocommit mode.

    Returns:
        What was dropped.

    Raises:
        LockHeld: a run is under way.
        UsageError: somebody has gone on with it since the entry was read.
        psycopg.Error: an index could not be dropped, or the journal not be written.
    """
    with _as_it_was(conn, journal, entry):
        dropped = left_invalid(conn, entry, migration)
        for index in dropped:
            drop(conn, index)
        if dropped and not entry.statement_done:
            text = "What it had left behind was dropped: nothing of it stands."
            journal.update(conn, entry.id, state=JournalState.SETTLED, error=text)
        return dropped


def refuse_unless_as_it_was(conn: psycopg.Connection[Any], journal: Journal, entry: JournalEntry) -> None:
    """Refuse to go on from what an entry said when it was read, where it says something else by now.

    Args:
        conn: the session that holds the migration lock.

    Raises:
        UsageError: it does.
        psycopg.Error: the journal could not be read.
    """

    def stands(one: JournalEntry) -> tuple[int, int, int]:
        return one.id, one.statement_begun, one.statement_done

    if stands(entry) not in map(stands, journal.open_entries(conn)):
        raise UsageError(
            f"Somebody has gone on with {entry.label} meanwhile.", hint="Nothing was changed. Look at the status."
        )


@contextmanager
def _as_it_was(conn: psycopg.Connection[Any], journal: Journal, entry: JournalEntry) -> Iterator[None]:
    """No run is under way while the block runs, and none has gone on with this entry since it was read."""
    with advisory_lock.held(conn):
        refuse_unless_as_it_was(conn, journal, entry)
        yield


def _stand(done: int) -> str:
    """Which statements stand, of those that have no transaction in common."""
    if done == 0:
        return "no statement is known to stand"
    return "statement 1 stands" if done == 1 else f"statements 1 to {done} stand"
