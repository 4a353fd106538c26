"""BEGIN, COMMIT, ROLLBACK and savepoints in the middle of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step


def read_transaction(node: dict[str, Any], step: Step) -> None:
    """Transaction control: touches no relation; decides how long locks are held and what is undone."""
    session = step.session
    kind = str(node.get("kind"))
    name = str(node.get("savepoint_name", ""))
    chained = bool(node.get("chain"))
    match kind:
        case "TRANS_STMT_BEGIN" | "TRANS_STMT_START":
            if session.transaction is None:
                session.begin(step.change.version, by_file=True)
        case "TRANS_STMT_COMMIT":
            inside = session.transaction is not None
            if chained and not inside:
                step.refuse("25P01", "COMMIT AND CHAIN can only be used in transaction blocks")
            if session.deferred:
                step.may_fail("23503", f"deferred foreign keys are looked at now: {', '.join(session.deferred)}")
            for oid in session.dropped_at_commit:
                table = step.now.by_oid(oid)
                if table is not None:
                    step.change.remove(table)
            session.commit()
            if chained:
                session.begin(step.change.version, by_file=True)
        case "TRANS_STMT_ROLLBACK":
            if chained and session.transaction is None:
                step.refuse("25P01", "ROLLBACK AND CHAIN can only be used in transaction blocks")
            version = session.rollback()
            if version is not None:
                step.change.restore(version)
            if chained:
                session.begin(step.change.version, by_file=True)
        case "TRANS_STMT_SAVEPOINT":
            _inside(step, "SAVEPOINT")
            session.savepoint(name, step.change.version)
        case "TRANS_STMT_RELEASE":
            _inside(step, "RELEASE SAVEPOINT")
            _known(step, name)
            session.release(name)
        case "TRANS_STMT_ROLLBACK_TO":
            _inside(step, "ROLLBACK TO SAVEPOINT")
            _known(step, name)
            step.change.restore(session.rollback_to(name))
        case "TRANS_STMT_PREPARE":
            # It takes the transaction away from the session; a server does so only with max_prepared_transactions.
            if session.transaction is not None:
                session.commit()
        case _:
            step.not_in_transaction()  # COMMIT PREPARED, ROLLBACK PREPARED
            step.unknown_reach("what a prepared transaction did is not in the file")


def _inside(step: Step, what: str) -> None:
    if step.session.transaction is None:
        step.refuse("25P01", f"{what} can only be used in transaction blocks")


def _known(step: Step, name: str) -> None:
    if not step.session.has_savepoint(name):
        step.refuse("3B001", f'savepoint "{name}" does not exist')
