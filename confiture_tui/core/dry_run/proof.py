"""That nothing of an in-place dry run stayed, and what PostgreSQL never rolls back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.calm import calm_transaction
from confiture_tui.core.dry_run.result import Proof
from confiture_tui.errors import Cancelled, ConfitureError, ConnectError

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.leftovers import Leftovers

_SEQUENCES = """
SELECT pg_catalog.quote_ident(schemaname) || '.' || pg_catalog.quote_ident(sequencename), last_value
  FROM pg_catalog.pg_sequences ORDER BY 1
"""
_STATUS = "SELECT pg_catalog.pg_xact_status(%s::text::pg_catalog.xid8)"
_PREPARED = "SELECT p.gid FROM pg_catalog.pg_prepared_xacts p WHERE p.transaction::text = %s"

_XID_MODULUS = 2**32
"""An ``xid`` is the lower half of an ``xid8``."""


@dataclass(frozen=True, slots=True)
class TargetState:
    """What is compared before and after: the definitions' fingerprint, and the sequences' last values."""

    fingerprint: str
    sequences: dict[str, int | None]

    @classmethod
    def read(cls, conn: psycopg.Connection[Any]) -> TargetState:
        """The state now, as an idle session in autocommit mode sees it."""
        return cls(Catalog.load(conn).fingerprint, _sequences(conn))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found after the ROLLBACK.

    Attributes:
        xid: the transaction's id.
        status: what ``pg_xact_status`` says of it; ``None`` when the server no longer knows.
        prepared: names under which it has been prepared: it would not have ended then.
        before: the state before it.
        fingerprint: the definitions' fingerprint now; ``None`` when they could not be read.
        unread: why they could not be read; empty when they could.
        sequences: their last values now.
    """

    xid: int
    status: str | None
    prepared: tuple[str, ...]
    before: TargetState
    fingerprint: str | None
    unread: str
    sequences: dict[str, int | None]

    @classmethod
    def gather(cls, conn: psycopg.Connection[Any], xid: int, before: TargetState) -> Evidence:
        """Look, after the ROLLBACK; the session is idle again and in autocommit mode."""
        fingerprint, unread = None, ""
        try:
            fingerprint = Catalog.load(conn).fingerprint
        except (ConnectError, Cancelled):
            raise
        except ConfitureError as error:
            # Another session changes the schema or locks it: the dry run itself is over and has its result.
            unread = error.message
        sequences = _sequences(conn)
        with calm_transaction(conn):
            row = conn.execute(_STATUS, (str(xid),)).fetchone()
            prepared = tuple(str(gid) for (gid,) in conn.execute(_PREPARED, (str(xid % _XID_MODULUS),)))
        return cls(xid, row[0] if row else None, prepared, before, fingerprint, unread, sequences)


def _sequences(conn: psycopg.Connection[Any]) -> dict[str, int | None]:
    with calm_transaction(conn):
        return {str(name): value for name, value in conn.execute(_SEQUENCES)}


def prove(evidence: Evidence, left: Leftovers, *, wrote: bool) -> Proof:
    """What the evidence says.

    Args:
        evidence: what was found after the ROLLBACK.
        left: what the rollback had left in the session, and was put right.
        wrote: rows were changed: their dead versions stay until VACUUM.
    """
    aborted = evidence.status == "aborted"
    same_schema = evidence.fingerprint == evidence.before.fingerprint
    checks = (
        f"Transaction {evidence.xid} is {evidence.status or 'too old for the server to know'}.",
        _schema_sentence(evidence, aborted=aborted, same=same_schema),
        "No prepared transaction was left."
        if not evidence.prepared
        else f"The transaction was left prepared: {', '.join(evidence.prepared)}.",
        "No advisory lock was left."
        if not left.released
        else f"{left.released} advisory lock(s) had been left, and were released.",
        "No prepared statement was left."
        if not left.deallocated
        else f"Prepared statement(s) had been left, and were deallocated: {', '.join(left.deallocated)}.",
    )
    exceptions = [
        f"Sequence {name} moved from {evidence.before.sequences[name]} to {value}; it is not set back, "
        "because another session may have used the values."
        for name, value in evidence.sequences.items()
        if name in evidence.before.sequences and value != evidence.before.sequences[name]
    ]
    if left.lost:
        exceptions.append(
            f"The migration deallocated prepared statement(s) of this session: {', '.join(left.lost)}; "
            "they have to be prepared again."
        )
    if wrote:
        exceptions.append(
            "Rows that were changed left dead versions behind until the next VACUUM, and WAL was written."
        )
    nothing: bool | None = None
    if evidence.prepared or evidence.status not in ("aborted", None):
        nothing = False
    elif aborted and same_schema:
        nothing = True
    return Proof(nothing_persisted=nothing, checks=checks, exceptions=tuple(exceptions))


def _schema_sentence(evidence: Evidence, *, aborted: bool, same: bool) -> str:
    if evidence.fingerprint is None:
        return f"The schema could not be compared: {evidence.unread}"
    if same:
        return "The schema's fingerprint is what it was."
    if aborted:
        # What an aborted transaction did nobody can see: somebody else's was committed.
        return "The schema's fingerprint changed meanwhile, by another session."
    return "The schema's fingerprint has CHANGED."
