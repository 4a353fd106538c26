"""That nothing of an in-place dry run stayed, and what PostgreSQL never rolls back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.counting import counted
from confiture_tui.core.dry_run.calm import calm_transaction
from confiture_tui.core.dry_run.result import Proof
from confiture_tui.core.dry_run.target_state import Hint, TargetState, Traces, read_outside
from confiture_tui.errors import Cancelled, ConfitureError, ConnectError

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.leftovers import Leftovers

_STATUS = "SELECT pg_catalog.pg_xact_status(%s::text::pg_catalog.xid8)"
_PREPARED = "SELECT p.gid FROM pg_catalog.pg_prepared_xacts p WHERE p.transaction::text = %s"
_SIZE = "SELECT pg_catalog.pg_relation_size(pg_catalog.to_regclass(%s))"

_XID_MODULUS = 2**32
"""An ``xid`` is the lower half of an ``xid8``."""

_POWERFUL = (
    "It ran as a role that may act beyond the database, and ran code: what that did to files, programs, other sessions "
    "or other servers, if anything, is neither undone nor seen."
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found after the ROLLBACK.

    Attributes:
        xid: the transaction's id.
        status: what ``pg_xact_status`` says of it; ``None`` when the server no longer knows.
        prepared: names under which it has been prepared: it would not have ended then.
        before: the state before it.
        after: the state now; ``None`` when it could not be read.
        fingerprint: the definitions' fingerprint now; ``None`` when they could not be read.
        unread: why one of them could not be read; empty when both could.
        sizes: bytes now of the tables with dead rows.
    """

    xid: int
    status: str | None
    prepared: tuple[str, ...]
    before: TargetState
    after: TargetState | None
    fingerprint: str | None
    unread: str
    sizes: dict[str, int]

    @classmethod
    def gather(cls, conn: psycopg.Connection[Any], xid: int, before: TargetState, traces: Traces) -> Evidence:
        """Look, after the ROLLBACK; the session is idle again and in autocommit mode."""
        from psycopg import errors

        fingerprint, unread, after = None, "", None
        try:
            fingerprint = Catalog.load(conn).fingerprint
        except (ConnectError, Cancelled):
            raise
        except ConfitureError as error:
            # Another session changes the schema or locks it: the dry run itself is over and has its result.
            unread = error.message
        with calm_transaction(conn):
            row = conn.execute(_STATUS, (str(xid),)).fetchone()
            prepared = tuple(str(gid) for (gid,) in conn.execute(_PREPARED, (str(xid % _XID_MODULUS),)))
        sizes: dict[str, int] = {}
        try:
            after = TargetState(fingerprint or "", *read_outside(conn))
            with calm_transaction(conn):
                for name in traces.dead_rows:
                    size = conn.execute(_SIZE, (name,)).fetchone()
                    sizes[name] = (size[0] if size else None) or 0
        except errors.LockNotAvailable as error:
            unread = unread or f"another session has locked what is to be read ({error.sqlstate})."
        return cls(xid, row[0] if row else None, prepared, before, after, fingerprint, unread, sizes)


def prove(
    evidence: Evidence,
    left: Leftovers,
    traces: Traces,
    *,
    powerful: bool = False,
    ran_code: bool = False,
    reached: tuple[str, ...] = (),
) -> Proof:
    """What the evidence says.

    Args:
        evidence: what was found after the ROLLBACK.
        left: what the rollback had left in the session, and was put right.
        traces: what the transaction touched.
        powerful: the role may do what no rollback undoes.
        ran_code: statements ran whose effects cannot be read from their text (DO, CALL, functions).
        reached: sentences on what may have acted beyond the transaction.
    """
    aborted = evidence.status == "aborted"
    same_schema = evidence.fingerprint == evidence.before.fingerprint
    new_slots = sorted(evidence.after.slots - evidence.before.slots) if evidence.after else []
    checks = [
        f"Transaction {evidence.xid} is {evidence.status or 'too old for the server to know'}.",
        _schema_sentence(evidence, aborted=aborted, same=same_schema),
        "No prepared transaction was left."
        if not evidence.prepared
        else f"The transaction was left prepared: {', '.join(evidence.prepared)}.",
        "No advisory lock was left."
        if not left.released
        else f"{_were_left(left.released, 'advisory lock')} released.",
        "No prepared statement was left."
        if not left.deallocated
        else f"{_were_left(len(left.deallocated), 'prepared statement')} deallocated: {', '.join(left.deallocated)}.",
    ]
    if powerful and evidence.after is not None:
        checks.append(
            "No replication slot was left."
            if not new_slots
            else f"{counted(len(new_slots), 'replication slot')} not there before: {', '.join(new_slots)}."
        )
    exceptions = [*_exceptions(evidence, left, traces), *reached]
    if powerful and new_slots:
        exceptions.append(
            f"WAL is kept from now on for {counted(len(new_slots), 'replication slot')} ({', '.join(new_slots)}); what "
            "is not wanted is to be dropped with pg_drop_replication_slot."
        )
    if powerful and ran_code:
        exceptions.append(_POWERFUL)
    nothing: bool | None = None
    if evidence.prepared or evidence.status not in ("aborted", None) or (powerful and new_slots):
        nothing = False
    elif aborted and same_schema:
        nothing = True
    return Proof(nothing_persisted=nothing, checks=tuple(checks), exceptions=tuple(exceptions))


def _exceptions(evidence: Evidence, left: Leftovers, traces: Traces) -> Iterator[str]:
    """What PostgreSQL never rolls back, and did stay: a sentence each."""
    yield from _moved_sequences(evidence, traces)
    if left.lost:
        yield (
            f"The migration deallocated {counted(len(left.lost), 'prepared statement')} of this session, to be "
            f"prepared again: {', '.join(left.lost)}."
        )
    if traces.dead_rows:
        tables = ", ".join(_dead(name, rows, evidence, traces) for name, rows in sorted(traces.dead_rows.items()))
        yield (
            f"Rows that were changed left dead versions behind until the next VACUUM, and WAL was written: {tables}."
            f"{_wal(traces)}"
        )
    elif traces.wal_bytes >= _MUCH_WAL:
        yield f"What was written anew is gone, but its WAL was written.{_wal(traces)}"
    if traces.unseen_rows:
        yield "A statement that did not end well may have left dead row versions behind too, until the next VACUUM."
    yield from _hints(evidence, traces)
    if evidence.after is not None and evidence.after.stats_reset != evidence.before.stats_reset:
        yield "The database's counters were reset meanwhile, by the dry run or another session: no rollback undoes it."


_MUCH_WAL = 1024 * 1024
"""Bytes that are worth a sentence."""


def _wal(traces: Traces) -> str:
    return f" The server wrote {_size(traces.wal_bytes)} of WAL meanwhile, for everybody." if traces.wal_bytes else ""


def _dead(name: str, rows: int, evidence: Evidence, traces: Traces) -> str:
    before, now = traces.sizes.get(name, 0), evidence.sizes.get(name, 0)
    grew = f", grown from {_size(before)} to {_size(now)}" if now > before else ""
    return f"{name} ({counted(rows, 'row')}{grew})"


def _size(count: int) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1024:
            return f"{count:,} {unit}"
        count = round(count / 1024)
    return f"{count:,} GB"


def _moved_sequences(evidence: Evidence, traces: Traces) -> Iterator[str]:
    after = evidence.after
    if after is None:
        yield f"Which sequences moved could not be read: {evidence.unread}"
        return
    for name, was in evidence.before.sequences.items():
        now = after.sequences.get(name)
        # Who takes a value holds a lock on the sequence until his transaction ends: others moved those without one.
        if now is None or not traces.may_have_touched(name):
            continue
        if not (was.readable and now.readable):
            if name in traces.relations:
                yield f"Sequence {name} was used; the role may not read how far it moved, and it is not set back."
            continue
        if now != was:
            who = "" if name in traces.relations else ", by the dry run or by another session"
            yield (
                f"Sequence {name} moved from {_value(was.value)} to {_value(now.value)}{who}; it is not set back, "
                "because another session may have used the values."
            )


def _value(value: int | None) -> str:
    return "unused" if value is None else str(value)


def _planned(hint: Hint) -> str:
    return f"{counted(hint.rows, 'row')} on {counted(hint.pages, 'page')}"


def _hints(evidence: Evidence, traces: Traces) -> Iterator[str]:
    if evidence.after is None:
        return
    for name, was in sorted(evidence.before.hints.items()):
        now = evidence.after.hints.get(name)
        if now is None or now == was or not traces.may_have_touched(name):
            continue
        parts = []
        if (now.rows, now.pages) != (was.rows, was.pages):
            told = "never counted" if was.rows < 0 else _planned(was)
            parts.append(f"{told} before, {_planned(now)} now")
        if now.has_index != was.has_index:
            parts.append("it is marked as having indexes until the next VACUUM")
        yield f"The planner's figures of {name} stay as the dry run left them: {'; '.join(parts)}."


def _were_left(number: int, noun: str) -> str:
    return f"{counted(number, noun)} had been left, and {'was' if number == 1 else 'were'}"


def _schema_sentence(evidence: Evidence, *, aborted: bool, same: bool) -> str:
    if evidence.fingerprint is None:
        return f"The schema could not be compared: {evidence.unread}"
    if same:
        return "The schema's fingerprint is what it was."
    if aborted:
        # What an aborted transaction did nobody can see: somebody else's was committed.
        return "The schema's fingerprint changed meanwhile, by another session."
    return "The schema's fingerprint has CHANGED."
