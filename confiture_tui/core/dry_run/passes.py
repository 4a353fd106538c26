"""The passes over a fresh clone: the verdict, the observation, and the cumulative look.

**Verdict**: the migration wrapped as its runner would wrap it. **Observation**: each statement in a transaction of its
own, so that its locks are its own exactly, up to the statement at which the verdict failed. **Cumulative**: all in one
transaction again, looked at after each statement, for those that only work in their predecessors' transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from confiture_tui.core.dry_run.execution import (
    ACTIVE_SQL_TRANSACTION,
    INVALID_TRANSACTION_TERMINATION,
    Ran,
    explanations,
    run_statement,
)
from confiture_tui.core.dry_run.observer import Look, Observer
from confiture_tui.core.dry_run.result import Rows
from confiture_tui.core.dry_run.sightings import Sighting, existing_locks, sighting
from confiture_tui.core.dry_run.watcher import Watcher
from confiture_tui.core.migrations.profiles import Wrapping
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.catalog.diff import SchemaDiff
    from confiture_tui.core.dry_run.hooked import HookRun
    from confiture_tui.core.dry_run.schema_changes import SchemaChanges
    from confiture_tui.core.effects.model import RelationLock
    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.database.cancellation import CancelScope

_SERVER_WIDE = frozenset(
    {
        "CreatedbStmt",
        "DropdbStmt",
        "AlterDatabaseStmt",
        "AlterDatabaseSetStmt",
        "AlterDatabaseRefreshCollStmt",
        "CreateTableSpaceStmt",
        "DropTableSpaceStmt",
        "AlterTableSpaceOptionsStmt",
        "AlterSystemStmt",
        "CreateRoleStmt",
        "AlterRoleStmt",
        "AlterRoleSetStmt",
        "CreateSubscriptionStmt",
        "AlterSubscriptionStmt",
        "DropSubscriptionStmt",
        "DropRoleStmt",
        "GrantRoleStmt",
    }
)
"""What acts on a whole server: on a shadow it would act on the shadow's, and outlive the clone."""

_SERVER_WIDE_TYPES = frozenset({"OBJECT_DATABASE", "OBJECT_TABLESPACE", "OBJECT_ROLE", "OBJECT_PARAMETER_ACL"})
"""The same, for what names the kind of its object: COMMENT, GRANT, SECURITY LABEL, ALTER … OWNER, RENAME."""
_TYPE_FIELDS = ("objtype", "objectType", "removeType", "renameType")

_MAY_SET = frozenset({"VariableSetStmt", "SelectStmt", "DoStmt", "CallStmt", "ExecuteStmt", "DiscardStmt"})
"""What may change settings of the session, and with them what our own queries see."""

_TRANSACTION_ONLY = frozenset({ACTIVE_SQL_TRANSACTION, INVALID_TRANSACTION_TERMINATION})


@dataclass(frozen=True, slots=True)
class Seen:
    """What the observation found of one statement.

    Attributes:
        sighting: what it did; ``None`` when it could not be seen.
        locks: of a statement that failed, the locks that it was seen to ask for; its sighting is ``None`` then.
        evidence: what the server says of its work when it is asked to explain itself (``debug1``).
        schema_diff: what it did to the schema; ``None`` where that was not looked at.
        transactional: whether it ran inside a transaction block; ``None`` when that was not tried.
        cumulative: it was seen together with the statements before it.
    """

    sighting: Sighting | None
    transactional: bool | None
    cumulative: bool = False
    locks: tuple[RelationLock, ...] | None = None
    evidence: tuple[str, ...] = ()
    schema_diff: SchemaDiff | None = None


def verdict_pass(
    conn: psycopg.Connection[Any],
    statements: Sequence[Statement],
    wrapping: Wrapping,
    *,
    scope: CancelScope,
    sink: Sink,
    hooks: HookRun | None = None,
) -> list[Ran]:
    """Run the statements as their runner would; stops at the first failure, which is the last element then.

    A failure at COMMIT (a deferred constraint) is that of the last statement. Hooks run around the statements; where
    one fails nothing more is run, and the failure is theirs.
    """
    results: list[Ran] = []
    conn.autocommit = True
    if hooks is not None and not hooks.first(conn):
        hooks.on_error(conn)
        return results
    if wrapping is not Wrapping.NONE:
        conn.execute("BEGIN")
    if hooks is not None and not hooks.before_statements(conn):
        conn.rollback()
        hooks.on_error(conn)
        return results
    for statement in statements:
        scope.check()
        if _is_server_wide(statement):
            results.append(
                Ran(0.0, (), None, skipped=f"{statement.tag} acts on the whole server: the shadow is another one.")
            )
            continue
        _started(sink, statement)
        ran = run_statement(conn, statement, scope=scope)
        if not ran.ok:
            # Whatever a statement fails with that was cancelled is the cancel.
            scope.check()
        results.append(ran)
        _ended(sink, statement, ran)
        if not ran.ok:
            conn.rollback()
            if hooks is not None:
                hooks.on_error(conn)
            return results
    if wrapping is Wrapping.NONE:
        # A BEGIN that the file never ends: a runner's session would end without a COMMIT.
        conn.rollback()
    elif hooks is not None and not hooks.after_statements(conn):
        conn.rollback()
        hooks.on_error(conn)
        return results
    elif hooks is not None or any(not one.skipped for one in results):
        failure = _commit(conn, statements[-1]) if statements else None
        if failure is not None:
            last = results[-1]
            results[-1] = Ran(last.elapsed_ms, last.notices, failure.failure)
            _ended(sink, statements[-1], results[-1])
            if hooks is not None:
                hooks.on_error(conn)
            return results
    if hooks is not None:
        hooks.after_commit(conn)
    return results


def _is_server_wide(statement: Statement) -> bool:
    node = statement.node or {}
    return statement.node_kind in _SERVER_WIDE or any(node.get(name) in _SERVER_WIDE_TYPES for name in _TYPE_FIELDS)


def _commit(conn: psycopg.Connection[Any], last: Statement) -> Ran | None:
    """Commit; a failure of the commit itself, or ``None``."""
    import psycopg

    from confiture_tui.core.dry_run.execution import failure_of

    try:
        conn.execute("COMMIT")
    except psycopg.Error as error:
        conn.rollback()
        failure = failure_of(error)
        return Ran(0.0, (), failure.model_copy(update={"line": last.line}))
    return None


def observation_pass(
    conn: psycopg.Connection[Any],
    administer: Callable[[], psycopg.Connection[Any]],
    statements: Sequence[Statement],
    results: Sequence[Ran],
    wrapping: Wrapping,
    rows: Rows,
    *,
    scope: CancelScope,
    sink: Sink,
    changes: SchemaChanges | None = None,
) -> list[Seen | None]:
    """See each statement on its own, up to the verdict's failure.

    ``changes`` looks at the schema after each.

    An element is ``None`` where a statement that the verdict saw succeed failed on its own: it needs its
    predecessors' transaction, and the cumulative pass must look at it.
    """
    observer = Observer(conn, own=True, empty=rows is Rows.NONE)
    observer.start()
    seen: list[Seen | None] = []
    for statement, verdict in zip(statements, results, strict=False):
        scope.check()
        if wrapping is not Wrapping.NONE and _binds_what_follows(statement):
            # From here on statements depend on what the transaction was before them.
            seen += [None] * (len(results) - len(seen))
            return seen
        if verdict.skipped or statement.node_kind == "TransactionStmt":
            # Each statement has a transaction of its own here: the file's transaction control has nothing to do.
            seen.append(Seen(None, None))
            continue
        one = _observe(conn, administer, observer, statement, verdict, wrapping, rows, scope)
        if one is not None and one.sighting is not None and changes is not None:
            one = replace(one, schema_diff=changes.since_last(statement))
        seen.append(one)
        if one is not None and one.sighting is not None:
            _sighted(sink, statement, one.sighting, failed=verdict.failure is not None)
    return seen


def _observe(
    conn: psycopg.Connection[Any],
    administer: Callable[[], psycopg.Connection[Any]],
    observer: Observer,
    statement: Statement,
    verdict: Ran,
    wrapping: Wrapping,
    rows: Rows,
    scope: CancelScope,
) -> Seen | None:
    conn.autocommit = True
    before = observer.begin()
    ran = run_statement(conn, statement, scope=scope)
    if statement.node_kind in _MAY_SET:
        observer.beware(code=statement.node_kind != "VariableSetStmt")
    if ran.ok:
        if wrapping is not Wrapping.NONE:
            _keep_local_setting(conn, statement)
        after = _last_look(conn, observer)
        if after is None or ran.status != verdict.status:
            # It did something else than in its own transaction: rows that a temporary table had lost, for example.
            return None
        found = sighting(statement, observer.baseline, before, after, rows)
        observer.accept(after, committed=True)
        _refresh_names(observer, statement)
        return Seen(found, transactional=True, evidence=explanations(ran))
    conn.rollback()
    refused = ran.failure is not None and ran.failure.sqlstate in _TRANSACTION_ONLY
    if refused and wrapping is Wrapping.NONE:
        watcher = Watcher(conn, administer, scope)
        watched, before, after = watcher.run(statement, observer)
        found = sighting(statement, observer.baseline, before, after, rows, complete=watcher.complete)
        observer.accept(after)
        if watched.ok == verdict.ok:
            return Seen(found, transactional=False, evidence=explanations(watched))
        return None
    if not verdict.ok:
        if refused:
            return Seen(None, transactional=False)
        conn.execute("BEGIN")
        asked = Watcher(conn, administer, scope).locks_of_failure(statement)
        conn.rollback()
        return Seen(None, transactional=None, locks=existing_locks(observer.baseline, asked))
    return None


def _last_look(conn: psycopg.Connection[Any], observer: Observer) -> Look | None:
    """What a statement did, and its commit; ``None`` where it cannot be committed alone, or not be looked at."""
    import psycopg

    try:
        return observer.look_and_commit()
    except psycopg.errors.InvalidSqlStatementName:
        observer.beware()
    except psycopg.Error:
        if conn.closed:
            raise
    conn.rollback()
    return None


_SAVEPOINTS = frozenset({"TRANS_STMT_SAVEPOINT", "TRANS_STMT_ROLLBACK_TO", "TRANS_STMT_ROLLBACK"})


def _binds_what_follows(statement: Statement) -> bool:
    """Whether later statements may only be understood in the same transaction: savepoints, local ``set_config``."""
    if statement.node_kind == "TransactionStmt":
        return (statement.node or {}).get("kind") in _SAVEPOINTS
    return statement.node_kind == "SelectStmt" and "set_config" in statement.sql.lower()


def _keep_local_setting(conn: psycopg.Connection[Any], statement: Statement) -> None:
    """``SET LOCAL`` holds for the rest of the migration's transaction; here, for the rest of the session."""
    node = statement.node or {}
    if statement.node_kind == "VariableSetStmt" and node.get("is_local") and node.get("name"):
        conn.execute(
            "SELECT pg_catalog.set_config(%s, pg_catalog.current_setting(%s), false)", (node["name"], node["name"])
        )


def _refresh_names(observer: Observer, statement: Statement) -> None:
    """Renaming a schema, or moving objects between schemas, renames relations that it does not lock."""
    if statement.node_kind in {"RenameStmt", "AlterObjectSchemaStmt", "AlterExtensionContentsStmt"}:
        observer.refresh()


def cumulative_pass(
    conn: psycopg.Connection[Any],
    statements: Sequence[Statement],
    wanted: set[int],
    count: int,
    rows: Rows,
    *,
    scope: CancelScope,
) -> dict[int, Seen]:
    """Run the first ``count`` statements in one transaction and look after each of the ``wanted`` (by index).

    A lock that an earlier statement holds already hides that of a later one: what is found is marked cumulative.
    """
    from psycopg.pq import TransactionStatus

    observer = Observer(conn)
    observer.start()
    found: dict[int, Seen] = {}
    conn.autocommit = True
    conn.execute("BEGIN")
    before = observer.look()
    for statement in statements[:count]:
        scope.check()
        if _is_server_wide(statement):
            continue
        ran = run_statement(conn, statement, scope=scope)
        if statement.node_kind in _MAY_SET:
            observer.beware()
        if not ran.ok:
            break
        if statement.node_kind == "TransactionStmt":
            # A ROLLBACK, also one to a savepoint, makes relations what they were; a COMMIT ends the transaction.
            if conn.info.transaction_status is TransactionStatus.IDLE:
                conn.execute("BEGIN")
            observer.refresh()
            before = observer.look()
            continue
        after = observer.look()
        if statement.index in wanted:
            found[statement.index] = Seen(
                sighting(statement, observer.baseline, before, after, rows), transactional=True, cumulative=True
            )
        observer.accept(after)
        _refresh_names(observer, statement)
        before = after
    conn.rollback()
    return found


def _started(sink: Sink, statement: Statement) -> None:
    sink(
        Event(
            name=EventName.STATEMENT_START,
            message=f"line {statement.line}: {statement.tag}",
            statement=statement.index,
            level=Level.DEBUG,
        )
    )


def _ended(sink: Sink, statement: Statement, ran: Ran) -> None:
    for notice in ran.notices:
        sink(Event(name=EventName.SERVER_NOTICE, message=notice, statement=statement.index))
    if ran.failure is None:
        sink(
            Event(
                name=EventName.STATEMENT_COMPLETED,
                message=f"line {statement.line}: {statement.tag}",
                statement=statement.index,
                duration_ms=ran.elapsed_ms,
            )
        )
        return
    sink(
        Event(
            name=EventName.STATEMENT_FAILED,
            message=f"line {ran.failure.line or statement.line}: {statement.tag} failed with "
            f"{ran.failure.sqlstate}: {ran.failure.message}",
            level=Level.ERROR,
            statement=statement.index,
            duration_ms=ran.elapsed_ms,
            data={"sqlstate": ran.failure.sqlstate},
        )
    )


def _sighted(sink: Sink, statement: Statement, found: Sighting, *, failed: bool) -> None:
    """One line that says what was seen: locks first, they are what hurts."""
    label = f"line {statement.line}: {statement.tag}{', until it failed' if failed else ''}"
    parts = [f"{lock.mode} on {lock.relation}" for lock in found.locks]
    for word, names in (
        ("rewrites", found.rewrites),
        ("scans", found.scans),
        ("builds", found.builds),
        ("rebuilds", found.rebuilds),
        ("drops", found.drops),
        ("leaves invalid", found.invalid_indexes),
    ):
        if names:
            parts.append(f"{word} {', '.join(names)}")
    sink(
        Event(
            name=EventName.STATEMENT_FAILED if failed else EventName.STATEMENT_COMPLETED,
            message=f"{label}: {'; '.join(parts) or 'takes no lock on a relation'}",
            statement=statement.index,
            rows_affected=found.rows,
            data={
                "locks": [lock.model_dump(mode="json") for lock in found.locks],
                "rewrites": list(found.rewrites),
                "scans": list(found.scans),
                "builds": list(found.builds),
            },
        )
    )
