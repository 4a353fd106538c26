"""The settings that a session on the target has, so that a session on the shadow means the same by the same text.

``search_path`` decides what an unqualified name is, ``TimeZone`` what a conversion to ``timestamptz`` does: they may
come from the database, the role or the connection string.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

_READ = """
SELECT s.name, pg_catalog.current_setting(s.name)
  FROM pg_catalog.pg_settings s
 WHERE s.source IN ('database', 'user', 'database user', 'client')
   AND s.context = 'user'
   AND s.name <> ALL(%s)
 ORDER BY s.name
"""

_NOT_COPIED = (
    # The driver's own.
    "application_name",
    "client_encoding",
    # Time-outs: what runs on the shadow waits for nobody.
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
    # A role that only reads on the target must be able to try on the shadow.
    "default_transaction_read_only",
    # What names something of the target's server.
    "default_tablespace",
    "temp_tablespaces",
    "lc_messages",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "log_statement",
)


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Settings by name, as ``current_setting`` writes them."""

    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def read(cls, conn: psycopg.Connection[Any]) -> SessionSettings:
        """What database, role and connection string set for this session, and any user may set."""
        from psycopg.rows import tuple_row

        with conn.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(_READ, (list(_NOT_COPIED),))
            return cls(MappingProxyType({str(name): str(value) for name, value in cursor}))

    def install(self, admin: psycopg.Connection[Any], *, database: str, role: str) -> tuple[str, ...]:
        """Make them the defaults of a role's sessions in a database, so that ``RESET`` returns to them too.

        Returns the names of those that this server refuses.
        """
        import psycopg
        from psycopg import sql

        refused = []
        for name, value in self.values.items():
            setting = sql.Identifier(*name.split("."))
            place = sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} FROM CURRENT").format(
                sql.Identifier(role), sql.Identifier(database), setting
            )
            try:
                # By way of our own session, as a parameter: the value is somebody else's text.
                admin.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))
                admin.execute(place)
            except psycopg.Error:
                refused.append(name)
        admin.execute("RESET ALL")
        return tuple(refused)
