"""Running a form on a server, seeing what it did, and comparing that with what was predicted.

One statement in a transaction is run and rolled back in a database that all forms of its world share: a few
milliseconds. Anything else gets the dry run's two passes on clones of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.execution import failure_of, run_statement
from confiture_tui.core.dry_run.observer import Observer
from confiture_tui.core.dry_run.result import Outcome, Rows, StatementObservation
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.dry_run.sightings import sighting
from confiture_tui.core.effects.comparison import NAME_LISTS, compare
from confiture_tui.core.effects.model import Basis, Reach
from confiture_tui.core.effects.simulation import simulate
from confiture_tui.core.migrations.model import Migration
from confiture_tui.core.migrations.profiles import RunnerProfile, Wrapping

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_tui.core.effects.comparison import Mismatch
    from confiture_tui.core.effects.forecast import Forecast
    from confiture_tui.core.sql.script import Script
    from confiture_tui.core.sql.statement import Statement
    from confiture_tui.database.embedded import EmbeddedServer


class Runner(RunnerProfile):
    """A runner that wraps, or does not, whatever the file holds."""

    wrapping: Wrapping

    def wrapping_of(self, script: Script) -> Wrapping:
        return Wrapping.OWN if script.is_wrapped else self.wrapping


def runner(wrapped: bool) -> Runner:
    """It sets no time-outs."""
    wrapping = Wrapping.TRANSACTION if wrapped else Wrapping.NONE
    return Runner(name="test", lock_timeout_ms=None, statement_timeout_ms=None, wraps="never", wrapping=wrapping)


class Bench:
    """A session in a database in which statements are tried and rolled back, and the database's catalog."""

    def __init__(self, server: EmbeddedServer, database: str) -> None:
        self._database = server.dsn(database)
        self._connect()
        self._look_around()

    def _connect(self) -> None:
        self._conn = psycopg.connect(self._database.conninfo(), autocommit=True)
        self._conn.prepare_threshold = None
        # The reads of parallel workers are not counted.
        self._conn.execute("SET max_parallel_workers_per_gather = 0")
        self._conn.execute("SET max_parallel_maintenance_workers = 0")
        self._conn.execute("SET statement_timeout = '20s'")

    def _forget_counters(self) -> None:
        """What a statement that failed had counted must not be taken for the next one's."""
        if self._conn.info.server_version >= 150000:
            self._conn.execute("SELECT pg_catalog.pg_stat_force_next_flush()")
            return
        self._conn.close()
        self._connect()
        self._observer = _observer(self._conn)

    def _look_around(self) -> None:
        self.catalog = Catalog.load(self._conn)
        self._observer = _observer(self._conn)

    def close(self) -> None:
        """End the session."""
        self._conn.close()

    def predict(self, sql: str, *, wrapped: bool, catalog: bool = True) -> tuple[Forecast, ...]:
        """What is expected, with the database's catalog or with none."""
        known = self.catalog if catalog else None
        return simulate(Migration.from_sql(sql), catalog=known, profile=runner(wrapped)).forecasts

    def observe(self, sql: str, *, wrapped: bool) -> tuple[StatementObservation, ...]:
        """What the one statement does, in a transaction that is rolled back."""
        (statement,) = Migration.from_sql(sql).up.statements
        assert wrapped
        return (self._roll_back(statement),)

    def _roll_back(self, statement: Statement) -> StatementObservation:
        conn, observer = self._conn, self._observer
        before = observer.begin()
        try:
            ran = run_statement(conn, statement)
            found, failure = None, ran.failure
            if failure is None:
                found = sighting(statement, observer.baseline, before, observer.look(), Rows.FULL)
                try:
                    conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
                except psycopg.Error as error:  # what COMMIT would have failed with
                    found, failure = None, failure_of(error)
        finally:
            conn.execute("ROLLBACK")
            # Not undone by it.
            conn.execute("DEALLOCATE ALL")
        if failure is not None:
            self._forget_counters()
        seen: dict[str, Any] = {}
        if found is not None:
            fields = ("locks", *NAME_LISTS, "destroys_data", "changes_data")
            seen = {field: getattr(found, field) for field in fields} | {"transactional": True}
        return StatementObservation(
            index=statement.index,
            line=statement.line,
            tag=statement.tag,
            sql=statement.sql,
            basis=Basis.OBSERVED,
            reach=Reach.COMPLETE,
            outcome=Outcome.FAILED if failure else Outcome.RAN,
            fails=failure,
            **seen,
        )


def _observer(conn: psycopg.Connection[Any]) -> Observer:
    observer = Observer(conn)
    observer.start()
    observer.beware()
    return observer


class World(Bench):
    """A template database that forms share, and a clone of it to try single statements in.

    Args:
        server: where it is.
        template: the database, to which nobody is connected.
        clone: a copy of it, for what is rolled back.
    """

    def __init__(self, server: EmbeddedServer, template: str, clone: str) -> None:
        super().__init__(server, clone)
        self._shadow = Shadow.from_template(server, template, owner="postgres", rows=Rows.FULL)
        self._untouched = self.catalog
        self._bytes = self._size()

    def _size(self) -> object:
        row = self._conn.execute(
            "SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relkind IN ('r', 'm')"
        ).fetchone()
        return row[0] if row else None

    def predict(self, sql: str, *, wrapped: bool, catalog: bool = True) -> tuple[Forecast, ...]:
        """What is expected, in the clone where the statement will be tried.

        Rows that were written and rolled back leave their pages behind, and the planner counts pages.
        """
        if not self._is_rolled_back(sql, wrapped=wrapped):
            self.catalog = self._untouched
            self._bytes = None
        elif (grown := self._size()) != self._bytes:
            self._bytes = grown
            self.catalog = Catalog.load(self._conn)
        return super().predict(sql, wrapped=wrapped, catalog=catalog)

    @staticmethod
    def _is_rolled_back(sql: str, *, wrapped: bool) -> bool:
        statements = Migration.from_sql(sql).up.statements
        return wrapped and len(statements) == 1 and statements[0].node_kind != "TransactionStmt"

    def observe(self, sql: str, *, wrapped: bool) -> tuple[StatementObservation, ...]:
        """What each statement does; one in a transaction is rolled back, anything else gets clones of its own."""
        migration = Migration.from_sql(sql)
        if self._is_rolled_back(sql, wrapped=wrapped):
            return (self._roll_back(migration.up.statements[0]),)
        return self._shadow.dry_run(migration, profile=runner(wrapped)).statements


_EVERYTHING = (
    ("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'", 'DROP EXTENSION "{name}" CASCADE'),
    ("SELECT fdwname FROM pg_foreign_data_wrapper", 'DROP FOREIGN DATA WRAPPER "{name}" CASCADE'),
    ("SELECT pubname FROM pg_publication", 'DROP PUBLICATION "{name}"'),
    ("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information'", 'DROP SCHEMA "{name}" CASCADE'),
    # Roles are the whole server's: those that a script makes for itself have names of their own.
    ("SELECT rolname FROM pg_roles WHERE rolname ~ '^files_'", 'DROP OWNED BY "{name}"; DROP ROLE "{name}"'),
)
"""How to find what a script has made, and how to drop it."""


class Scratch(Bench):
    """A database that is made anew for each case, without making a new database."""

    def __init__(self, server: EmbeddedServer, database: str) -> None:
        # In a session of its own: what it counts is not to be found in the observed one.
        self._maker = psycopg.connect(server.dsn(database).conninfo(), autocommit=True)
        super().__init__(server, database)

    def renew(self, setup: str) -> None:
        """Drop everything, and run the script."""
        for find, drop in _EVERYTHING:
            for (name,) in self._maker.execute(find.encode()).fetchall():
                self._maker.execute(drop.format(name=name).encode())
        self._maker.execute("CREATE SCHEMA public")
        self.run(setup)

    def run(self, *scripts: str) -> None:
        """Run further scripts, each in a transaction, and with the settings of a new session."""
        for script in scripts:
            self._maker.execute(script.encode())
            self._maker.execute("RESET ALL; RESET ROLE")
        self._look_around()

    def close(self) -> None:
        """End the sessions."""
        self._maker.close()
        super().close()


def differences(
    predicted: Iterable[Forecast], observed: Iterable[StatementObservation]
) -> tuple[tuple[str, Mismatch], ...]:
    """Every mismatch with the statement that it is about; up to the first that failed."""
    found: list[tuple[str, Mismatch]] = []
    for forecast, seen in zip(predicted, observed, strict=True):
        if seen.outcome in (Outcome.NOT_RUN, Outcome.NOT_EXERCISED):
            continue
        found += [(forecast.statement.sql, one) for one in compare(forecast.effects, seen, cumulative=seen.cumulative)]
    return tuple(found)


def in_words(found: Iterable[tuple[str, Mismatch]]) -> str:
    """One line for each mismatch."""
    return "\n".join(f"{sql}\n    {mismatch}" for sql, mismatch in found)
