"""A target for dry runs in place, and a look at all of it before and after each."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import psycopg

from confiture_tui.core.dry_run.executor import DryRunExecutor
from confiture_tui.core.migrations.model import Migration
from tests.support.everything import Everything

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.sql.script import Script
    from confiture_tui.database.embedded import EmbeddedServer

SCHEMA = """
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (id serial PRIMARY KEY, p_id int REFERENCES p DEFERRABLE INITIALLY DEFERRED, note text);
CREATE SEQUENCE s;
CREATE PROCEDURE commits() LANGUAGE plpgsql AS 'BEGIN INSERT INTO p VALUES (2); COMMIT; END';
CREATE FUNCTION commits_too() RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE ''COM'' || ''MIT''; END';
ALTER TABLE p OWNER TO plain;
ALTER TABLE t OWNER TO plain;
ALTER SEQUENCE s OWNER TO plain;
ALTER PROCEDURE commits OWNER TO plain;
GRANT CREATE ON SCHEMA public TO plain;
INSERT INTO p VALUES (1);
INSERT INTO t (p_id) SELECT 1 FROM generate_series(1, 100);
"""


class Target:
    """A database, a session of the role ``plain`` that owns what is in it, and a superuser who looks on.

    Attributes:
        moved: the sequences that the last run has moved.
        steady: nobody but the runs touches it: what was found after one is what there is before the next.
    """

    def __init__(self, server: EmbeddedServer, name: str) -> None:
        self.server = server
        self.name = name
        self.moved: set[str] = set()
        self.steady = False
        self._after: Everything | None = None
        self.admin: psycopg.Connection[Any] = psycopg.connect(server.dsn(name).conninfo(), autocommit=True)
        self.conn: psycopg.Connection[Any] = psycopg.connect(server.dsn(name, "plain").conninfo(), autocommit=True)

    def close(self) -> None:
        self.conn.close()
        self.admin.close()

    def run(self, sql: str, *, superuser: bool = False, forge: dict[int, str] | None = None) -> DryRunResult:
        """Try it, and see that all is as it was but for the sequences that the proof lists."""
        migration = Migration.from_sql(sql, version="007", name="leak")
        if forge:
            migration = migration.model_copy(update={"up": _Forged(migration.up, forge)})
        before = (self._after if self.steady else None) or Everything.of(self.admin)
        conn = self.conn
        if superuser:
            conn = psycopg.connect(self.server.dsn(self.name).conninfo(), autocommit=True)
        try:
            return DryRunExecutor(allow_superuser=superuser).run(conn, migration)
        finally:
            after = self._after = Everything.of(self.admin)
            before.must_be(after)
            self.moved = before.moved_sequences(after)
            if superuser:
                conn.close()


class _Forged:
    """A script as a splitter and a parser would give it that had missed something."""

    def __init__(self, script: Script, sql: dict[int, str]) -> None:
        self.statements = tuple(dataclasses.replace(one, sql=sql.get(one.index, one.sql)) for one in script.statements)
        self.transaction_control = ()
        self.meta_commands = ()
