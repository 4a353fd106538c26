"""The limits of an in-place dry run: a migration's own settings may lower them, and never lift them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.execution import Ran
    from confiture_tui.core.sql.statement import Statement

IDLE = "idle_in_transaction_session_timeout"

# Time-outs are read as intervals: the server writes them as `1s` or `1min`, and `pg_settings` makes every row of it.
_READ = """
SELECT pg_catalog.pg_current_xact_id()::text::int8,
       (extract(epoch FROM pg_catalog.current_setting('lock_timeout')::interval) * 1000)::int8,
       (extract(epoch FROM pg_catalog.current_setting('statement_timeout')::interval) * 1000)::int8,
       (extract(epoch FROM pg_catalog.current_setting('idle_in_transaction_session_timeout')::interval) * 1000)::int8,
       pg_catalog.current_setting('client_encoding') = 'UTF8' AND pg_catalog.current_setting('row_security') = 'on'
"""
_WRITE = "SELECT pg_catalog.set_config(%s, %s, true)"

_LIMIT_OF = {"55P03": "lock_timeout", "57014": "statement_timeout"}
"""Which limit an error may come from, by SQLSTATE (documentation, "PostgreSQL Error Codes")."""
_CLOCKS_DIFFER = 0.99
"""Ours counts from before the server's and to after it; by how much they run apart is far less than this."""


class Ceiling:
    """The limits of one dry run's transaction, in milliseconds; 0 is none.

    Attributes:
        notes: what was put back, one sentence for each setting.
        disturbed: the session's settings are no longer those that the dry run gave it.
    """

    def __init__(self, conn: psycopg.Connection[Any], *, lock_timeout_ms: int, statement_timeout_ms: int) -> None:
        self._conn = conn
        self._limits = {
            "lock_timeout": lock_timeout_ms,
            "statement_timeout": statement_timeout_ms,
            # Between two statements the session waits for us, not for the migration.
            IDLE: statement_timeout_ms,
        }
        self._noted: dict[str, str] = {}
        self._in_force = dict(self._limits)
        self.disturbed = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What was put back, one sentence for each setting."""
        return tuple(self._noted.values())

    def reached(self, sqlstate: str, ran: Ran) -> bool:
        """Whether a statement that failed so was ended by the time-out behind that error, and by nobody.

        The clock tells, not the server's text, which may be in any language: who cancels comes before the time-out.
        """
        limit = self._in_force[_LIMIT_OF[sqlstate]]
        return bool(limit) and ran.elapsed_ms >= limit * _CLOCKS_DIFFER

    def own_limit(self, sqlstate: str) -> str | None:
        """The dry run's own limit behind an error, in words; ``None`` when there is none, or it is the migration's."""
        name = _LIMIT_OF.get(sqlstate)
        if name is None or not self._limits[name] or self._in_force[name] != self._limits[name]:
            return None
        return f"{name} of {self._limits[name]} ms"

    def set(self) -> None:
        """Give the transaction its limits."""
        for name in self._limits:
            self._set(name)

    def set_idle(self) -> None:
        """Give it the limit between statements only."""
        self._set(IDLE)

    def _set(self, name: str) -> None:
        self._conn.execute(_WRITE, (name, str(self._limits[name])))

    def check(self, statement: Statement | None = None) -> int:
        """Put back the limits that were lifted; the transaction's id, with which that was found out in one query."""
        row = self._conn.execute(_READ.encode()).fetchone()
        if row is None:
            raise AssertionError("a SELECT of constants has one row")
        xid, *values, familiar = row
        self.disturbed = not familiar or values != list(self._limits.values())
        for (name, limit), value in zip(self._limits.items(), values, strict=True):
            self._in_force[name] = value
            lifted = limit and (value == 0 or value > limit)
            if lifted or (name == IDLE and value != limit):
                self._set(name)
                self._in_force[name] = limit
                if statement is not None:
                    became = f"{value} ms" if value else "no limit"
                    self._noted.setdefault(
                        name,
                        f"Line {statement.line}: {name} became {became}; the dry run keeps its own, {limit} ms.",
                    )
        return int(xid)
