"""A look at the target just before a run: who is in the way, and what would make it go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.runner.session import APPLICATION_NAME
from confiture_tui.core.traffic.activity import Occupant, OccupantKind, in_the_way

if TYPE_CHECKING:
    import psycopg

LONG_TRANSACTION_MS = 1_000
"""A transaction that has been open for longer is told: a lock that waits for it makes everybody wait."""
LAG_S = 10.0
"""Seconds by which a replica may be behind without being told."""

_SESSIONS_OF_OURS = """
SELECT pid, coalesce(state, 'unknown') FROM pg_catalog.pg_stat_activity
WHERE application_name = %s AND datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
"""
_INVALID = """
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), r.name
FROM pg_catalog.unnest(%s::text[]) AS r(name)
JOIN pg_catalog.pg_index i ON i.indrelid = pg_catalog.to_regclass(r.name)
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid ORDER BY 1
"""
_NOT_OURS = """
SELECT r.name, pg_catalog.pg_get_userbyid(c.relowner)
FROM pg_catalog.unnest(%s::text[]) AS r(name)
JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(r.name)
WHERE NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') ORDER BY 1
"""
_PUBLISHED = """
SELECT r.name, pg_catalog.string_agg(DISTINCT p.pubname::text, ', ' ORDER BY p.pubname::text)
FROM pg_catalog.unnest(%s::text[]) AS r(name)
JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(r.name)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_publication_tables p ON p.schemaname = n.nspname AND p.tablename = c.relname
GROUP BY r.name ORDER BY r.name
"""
_LAG = """
SELECT coalesce(application_name, client_addr::text, 'a replica'), EXTRACT(epoch FROM replay_lag)::float8
FROM pg_catalog.pg_stat_replication WHERE replay_lag > pg_catalog.make_interval(secs => %s) ORDER BY 1
"""
_HIDDEN_REPLICAS = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication WHERE state IS NULL"
"""Of sessions that a role may not look at the server tells only that they are there."""
_SLOTS = """
SELECT slot_name::text, pg_catalog.pg_size_pretty(
         pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn))
FROM pg_catalog.pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL ORDER BY 1
"""


class PreflightFinding(FrozenModel):
    """Something to know before a run begins.

    Attributes:
        code: what kind of finding, in kebab case; stable.
        level: ``refuse``: the run would fail, or harm; ``warning``; ``note``.
        sentence: what it is, and what to do.
    """

    code: str
    level: Literal["refuse", "warning", "note"]
    sentence: str


def preflight(conn: psycopg.Connection[Any], relations: Sequence[str]) -> tuple[PreflightFinding, ...]:
    """Look at the target.

    Args:
        conn: in autocommit mode.
        relations: those that the migrations lock, qualified and quoted.

    Raises:
        psycopg.Error: a question failed.
    """
    names = list(relations)
    found: list[PreflightFinding] = []

    def add(code: str, level: Literal["refuse", "warning", "note"], sentence: str) -> None:
        found.append(PreflightFinding(code=code, level=level, sentence=sentence))

    found += filter(None, map(_occupied, in_the_way(conn, names)))
    for name, owner in conn.execute(_NOT_OURS, (names,)).fetchall():
        add("not-owner", "warning", f"{name} belongs to {owner}: this role may not change it.")
    for pid, state in conn.execute(_SESSIONS_OF_OURS, (APPLICATION_NAME,)).fetchall():
        add("session-left-over", "warning", f"A session of an earlier run is still there ({pid}, {state}).")
    for index, table in conn.execute(_INVALID, (names,)).fetchall():
        add("invalid-index", "warning", f"The index {index} of {table} is not valid: drop it or rebuild it.")
    for table, publications in conn.execute(_PUBLISHED, (names,)).fetchall():
        add(
            "logically-replicated",
            "warning",
            f"{table} is published by {publications}: subscribers do not get the change of its schema; "
            "change them first when columns are added.",
        )
    for replica, lag in conn.execute(_LAG, (LAG_S,)).fetchall():
        add("replica-behind", "warning", f"The replica {replica} is {lag:.0f} s behind; a rewrite makes it worse.")
    (hidden,) = conn.execute(_HIDDEN_REPLICAS).fetchone() or (0,)
    if hidden:
        replicas = "replica is" if hidden == 1 else "replicas are"
        add(
            "replica-hidden", "note", f"How far {hidden} {replicas} behind, this role may not see: it needs pg_monitor."
        )
    for slot, kept in conn.execute(_SLOTS).fetchall():
        add("inactive-slot", "warning", f"The replication slot {slot} is not in use and keeps {kept} of WAL.")
    return tuple(found)


def _occupied(occupant: Occupant) -> PreflightFinding | None:
    tables = ", ".join(sorted({lock.relation for lock in occupant.locks}))
    match occupant.kind:
        case OccupantKind.PREPARED:
            return PreflightFinding(
                code="prepared-transaction",
                level="warning",
                sentence=f"The {occupant.label} holds locks on {tables} and stays until somebody ends it: "
                "COMMIT PREPARED or ROLLBACK PREPARED.",
            )
        case OccupantKind.WRAPAROUND:
            return PreflightFinding(
                code="wraparound-vacuum",
                level="warning",
                sentence=f"An autovacuum to prevent wraparound works on {tables} and does not step aside: wait for it.",
            )
        case OccupantKind.SESSION if (occupant.transaction_ms or 0) >= LONG_TRANSACTION_MS:
            seconds = (occupant.transaction_ms or 0) / 1000
            return PreflightFinding(
                code="long-transaction",
                level="warning",
                sentence=f"The transaction of {occupant.label} on {tables} has been open for {seconds:,.0f} s: "
                "a lock has to wait for it.",
            )
        case _:
            return None
