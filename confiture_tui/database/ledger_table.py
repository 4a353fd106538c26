"""Writing ``tb_confiture``, the table of applied migrations, as the ``confiture`` command itself does (release 1.29).

Column for column and index for index, so that a project that we run can be gone on with by that command, and the other
way round.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

_CREATE = """
CREATE TABLE {table} (
    id                uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    pk_confiture      bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    slug              text NOT NULL UNIQUE,
    version           varchar(255) NOT NULL UNIQUE,
    name              varchar(255) NOT NULL,
    applied_at        timestamptz NOT NULL DEFAULT pg_catalog.now(),
    execution_time_ms integer,
    checksum          varchar(64),
    applied_by        text,
    archived_into     varchar(255)
);
CREATE INDEX {by_key} ON {table} (pk_confiture);
CREATE INDEX {by_slug} ON {table} (slug);
CREATE INDEX {by_version} ON {table} (version);
CREATE INDEX {by_time} ON {table} (applied_at DESC);
"""
_INDEXES = {"by_key": "pk_confiture", "by_slug": "slug", "by_version": "version", "by_time": "applied_at"}

_RECORD = """
INSERT INTO {table} (slug, version, name, execution_time_ms, checksum, applied_by)
VALUES (%(slug)s, %(version)s, %(name)s, %(execution_time_ms)s, %(checksum)s, current_user)
"""
_EXISTS = "SELECT true FROM {table} WHERE version = %s"
_NEWEST = 'SELECT max(version COLLATE "C") FROM {table}'
_REMOVE = "DELETE FROM {table} WHERE version = %s"

_INTEGER_MAXIMUM = 2**31 - 1


class LedgerTable:
    """The ledger of one database, to be written.

    Args:
        schema: the schema it is in.
        name: the table's name.
    """

    def __init__(self, schema: str, name: str = "tb_confiture") -> None:
        self.schema = schema
        self.name = name
        self._table = sql.Identifier(schema, name)

    def create(self, conn: psycopg.Connection[Any]) -> None:
        """Create it where it is absent; one that an older release has made stays as it is.

        Raises:
            psycopg.Error: the role may not create tables there.
        """
        name = self._table.as_string(conn)
        row = conn.execute("SELECT pg_catalog.to_regclass(%s) IS NULL", (name,)).fetchone()
        if row is None or not row[0]:
            return
        indexes = {key: sql.Identifier(f"idx_{self.name}_{column}") for key, column in _INDEXES.items()}
        conn.execute(sql.SQL(_CREATE).format(table=self._table, **indexes))

    def holds(self, conn: psycopg.Connection[Any], version: str) -> bool:
        """Whether a version is applied, as this connection sees it."""
        return conn.execute(sql.SQL(_EXISTS).format(table=self._table), (version,)).fetchone() is not None

    def newest(self, conn: psycopg.Connection[Any]) -> str | None:
        """The greatest version that is applied, versions compared as text; ``None`` for an empty ledger."""
        row = conn.execute(sql.SQL(_NEWEST).format(table=self._table)).fetchone()
        return row[0] if row is not None else None

    def record(
        self, conn: psycopg.Connection[Any], *, version: str, name: str, checksum: str, execution_time_ms: int
    ) -> None:
        """Write the row of a migration that has just run in the same transaction, by the session's role, now.

        Raises:
            psycopg.Error: the ledger knows that version already.
        """
        row = {
            "slug": f"{name}_{version}_{datetime.now():%Y%m%d_%H%M%S}",
            "version": version,
            "name": name,
            "execution_time_ms": min(execution_time_ms, _INTEGER_MAXIMUM),
            "checksum": checksum,
        }
        conn.execute(sql.SQL(_RECORD).format(table=self._table), row)

    def remove(self, conn: psycopg.Connection[Any], version: str) -> bool:
        """Take a migration's row away; whether there was one."""
        return conn.execute(sql.SQL(_REMOVE).format(table=self._table), (version,)).rowcount > 0
