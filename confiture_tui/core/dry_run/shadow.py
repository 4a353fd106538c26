"""A disposable database with the target's schema, and dry runs on fresh clones of it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from textwrap import shorten
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.clones import CloneMaker, unique_name
from confiture_tui.core.dry_run.merge import merge_passes
from confiture_tui.core.dry_run.passes import cumulative_pass, observation_pass, verdict_pass
from confiture_tui.core.dry_run.prediction import beside_prediction, predict
from confiture_tui.core.dry_run.result import DryRunResult, Proof, RoundTrip, Rows
from confiture_tui.core.dry_run.round_trip import go_back, reread
from confiture_tui.core.dry_run.session import SessionSettings
from confiture_tui.core.dry_run.telling import completed, pass_started, proof_of_clones, way_back
from confiture_tui.core.migrations.profiles import PROFILES, RunnerProfile, Wrapping
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.database.failures import in_sentences
from confiture_tui.errors import Cancelled, ConfitureError
from confiture_tui.events import Event, EventName, Level, Sink, discard, with_context

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.execution import Ran
    from confiture_tui.core.effects.model import Failure
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.database.embedded import EmbeddedServer

NO_ROWS_NOTE = (
    "The shadow has no rows: times, write-ahead log, lost data and failures that data decide cannot be seen on it."
)
_REASON_LENGTH = 200
"""Characters of the server's message that a note repeats: it may quote a token of any length."""
DEFAULT_PROFILE = PROFILES["confiture"]


class Shadow:
    """A template database that holds the target's schema; every dry run works on clones of it.

    Attributes:
        rows: what data it holds.
        notes: what the reader of a result must know: objects that could not be restored, extensions that are
            stand-ins, another major version than the target's.
    """

    def __init__(
        self,
        server: EmbeddedServer,
        template: str,
        *,
        owner: str,
        rows: Rows,
        settings: SessionSettings | None = None,
        notes: Iterable[str] = (),
        owns_template: bool = True,
        owns_roles: tuple[str, ...] = (),
        plain_for_superuser: bool = False,
        sink: Sink = discard,
    ) -> None:
        self._server = server
        self._template = template
        self._owner = owner
        self._settings = settings or SessionSettings()
        self._clones = CloneMaker(server, owner, self._settings)
        self._sink = sink
        self.rows = rows
        self.notes = tuple(notes)
        self._ours: list[str] = [template] if owns_template else []
        self._roles = list(owns_roles)
        self._plain_for_superuser = plain_for_superuser
        self._catalogs: dict[str, Catalog] = {}

    @classmethod
    def of(
        cls,
        conn: psycopg.Connection[Any],
        *,
        server: EmbeddedServer | None = None,
        sink: Sink = discard,
        scope: CancelScope | None = None,
    ) -> Shadow:
        """A shadow of the database that the connection is to: its schema, no rows.

        The target is read with ``pg_dump --schema-only`` and never written.

        Args:
            conn: an idle connection to the target.
            server: where the shadow is made; the process's embedded server when not given.
            sink: where events go.
            scope: what cancels it.

        Raises:
            ConfitureError: the target's schema could not be dumped.
        """
        from psycopg.pq import TransactionStatus

        from confiture_tui.core.dry_run.dump import build_from_dump
        from confiture_tui.database.embedded import EmbeddedServer

        template = unique_name("base")
        scope = scope or CancelScope()
        was_idle = conn.info.transaction_status is TransactionStatus.IDLE
        try:
            with in_sentences("Copying the target's schema"), scope.guard(conn):
                server = server or EmbeddedServer.shared(sink=sink)
                settings = SessionSettings.read(conn)
                built = build_from_dump(conn, server, template, sink=sink, scope=scope)
        except ConfitureError:
            # What a cancelled job fails with is the cancel.
            scope.check()
            raise
        finally:
            if was_idle and not conn.closed and conn.info.transaction_status is not TransactionStatus.IDLE:
                conn.rollback()
        return cls(
            server,
            template,
            owner=built.owner,
            rows=Rows.NONE,
            settings=settings,
            notes=(NO_ROWS_NOTE, *built.notes),
            owns_roles=built.roles,
            plain_for_superuser=built.source_is_superuser,
            sink=sink,
        )

    @classmethod
    def from_template(
        cls,
        server: EmbeddedServer,
        template: str,
        *,
        owner: str,
        rows: Rows,
        settings: SessionSettings | None = None,
        sink: Sink = discard,
    ) -> Shadow:
        """A shadow whose clones are copies of an existing database, which stays when the shadow is closed."""
        return cls(server, template, owner=owner, rows=rows, settings=settings, owns_template=False, sink=sink)

    @classmethod
    def empty(cls, *, server: EmbeddedServer | None = None, sink: Sink = discard) -> Shadow:
        """A shadow of nothing: the migrations' own history is what fills it."""
        from confiture_tui.database.embedded import EmbeddedServer

        server = server or EmbeddedServer.shared(sink=sink)
        template, owner = unique_name("base"), unique_name("owner")
        server.create_login(owner)
        server.create_database(template, owner=owner)
        return cls(
            server,
            template,
            owner=owner,
            rows=Rows.NONE,
            notes=("There is no database: the schema is what the earlier migrations build.", NO_ROWS_NOTE),
            owns_roles=(owner,),
            sink=sink,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop what was made. Idempotent."""
        while self._ours:
            self._clones.drop([self._ours.pop()])
        while self._roles:
            self._server.drop_login(self._roles.pop())

    @property
    def server_version_num(self) -> int:
        """Of the server that the shadow is on, for example 180006."""
        return self._server.version_num

    def catalog(self, *, scope: CancelScope | None = None) -> Catalog:
        """The catalog of the shadow as it is, read once, from a clone of it.

        Raises:
            Cancelled: the scope was cancelled.
            ConnectError: the shadow's server went away.
        """
        scope = scope or CancelScope()
        if self._template in self._catalogs:
            return self._catalogs[self._template]
        clones: list[str] = []
        with in_sentences("Reading the shadow's schema"):
            try:
                with self._clones.connected(self._make_clone(clones), scope) as conn:
                    found = self._catalog_before(conn)
            except BaseException:
                # The first error is the one to be told: without its server a clone cannot be dropped, and is gone.
                with suppress(ConfitureError):
                    self._clones.drop(clones)
                raise
            self._clones.drop(clones)
        return found

    def after(
        self,
        migrations: Iterable[Migration],
        *,
        profile: RunnerProfile = DEFAULT_PROFILE,
        scope: CancelScope | None = None,
    ) -> Shadow:
        """A shadow on which these migrations have been applied; one that fails is left out, and noted.

        The new shadow owns its template, and must be closed like any other.
        """
        scope = scope or CancelScope()
        current, ours, notes = self._template, list[str](), list(self.notes)
        try:
            for migration in migrations:
                scope.check()
                candidate = self._clones.make(current, kind="base")
                ours.append(candidate)
                failure = self._apply(candidate, migration, profile, scope)
                if failure is None:
                    current = candidate
                    continue
                self._clones.drop([ours.pop()])
                reason = shorten(f"{failure.sqlstate}: {failure.message}", _REASON_LENGTH, placeholder=" …")
                notes.append(f"{migration.label} comes first and fails ({reason}), so it was left out here.")
                self._sink(
                    Event(
                        name=EventName.SHADOW_INCOMPLETE,
                        message=notes[-1],
                        level=Level.WARNING,
                        migration=migration.version,
                    )
                )
            self._clones.drop(ours[:-1])
            del ours[:-1]
        except BaseException:
            self._clones.drop(ours)
            raise
        advanced = Shadow(
            self._server,
            current,
            owner=self._owner,
            rows=self.rows,
            settings=self._settings,
            notes=notes,
            owns_template=bool(ours),
            plain_for_superuser=self._plain_for_superuser,
            sink=self._sink,
        )
        advanced._catalogs = self._catalogs
        return advanced

    def _apply(self, database: str, migration: Migration, profile: RunnerProfile, scope: CancelScope) -> Failure | None:
        """Apply a migration to a database of ours; its failure, if it failed."""
        with self._clones.connected(database, scope) as conn:
            results = verdict_pass(
                conn, migration.up.statements, profile.wrapping_of(migration.up), scope=scope, sink=discard
            )
        return results[-1].failure if results else None

    def dry_run(
        self,
        migration: Migration,
        *,
        profile: RunnerProfile = DEFAULT_PROFILE,
        scope: CancelScope | None = None,
    ) -> DryRunResult:
        """Run the two passes on fresh clones and say what was seen.

        Raises:
            Cancelled: the scope was cancelled.
            ConnectError: the shadow's server went away.
        """
        scope = scope or CancelScope()
        sink = with_context(self._sink, migration=migration.version)
        wrapping = profile.wrapping_of(migration.up)
        statements = migration.up.statements
        sink(
            Event(
                name=EventName.DRY_RUN_START,
                message=f"{migration.label}: dry run on a shadow, {len(statements)} statement(s), rows: {self.rows}",
                data={"statements": len(statements), "rows": str(self.rows), "wrapping": str(wrapping)},
            )
        )
        try:
            with in_sentences(f"The dry run of {migration.label}"):
                result = self._dry_run(migration, profile, scope, sink)
        except BaseException as error:
            if scope.requested and not isinstance(error, Cancelled):
                # What a cancelled job fails with is the cancel.
                error = Cancelled(f"The dry run of {migration.label} was cancelled.")
            told = "cancelled" if scope.requested else f"the dry run itself did not finish: {error}"
            sink(
                Event(
                    name=EventName.DRY_RUN_FAILED,
                    message=f"{migration.label}: {told}",
                    level=Level.WARNING if scope.requested else Level.ERROR,
                )
            )
            raise error from None
        sink(completed(migration, result))
        return result

    def _dry_run(self, migration: Migration, profile: RunnerProfile, scope: CancelScope, sink: Sink) -> DryRunResult:
        statements, wrapping = migration.up.statements, profile.wrapping_of(migration.up)
        clones: list[str] = []
        try:
            verdict_sink = with_context(sink, phase="verdict")
            pass_started(verdict_sink, "verdict")
            applied = self._make_clone(clones)
            with self._clones.connected(applied, scope) as conn:
                before = self._catalog_before(conn)
                results = verdict_pass(conn, statements, wrapping, scope=scope, sink=verdict_sink)
                after = self._left_behind(conn, migration, results, wrapping)
            simulation = predict(migration, before, profile)
            observation_sink = with_context(sink, phase="observation")
            pass_started(observation_sink, "observation")
            clone = self._make_clone(clones)
            with self._clones.connected(clone, scope, tracing=True) as conn:
                seen = observation_pass(
                    conn,
                    lambda: self._clones.administer(clone),
                    statements,
                    results,
                    wrapping,
                    self.rows,
                    scope=scope,
                    sink=observation_sink,
                )
            missing = {statements[position].index for position, one in enumerate(seen) if one is None}
            cumulated = {}
            if missing:
                pass_started(with_context(sink, phase="cumulative"), "cumulative")
                with self._clones.connected(self._make_clone(clones), scope, tracing=True) as conn:
                    cumulated = cumulative_pass(conn, statements, missing, len(results), self.rows, scope=scope)
            result = merge_passes(
                migration,
                wrapping,
                self.rows,
                results,
                seen,
                cumulated,
                schema_diff=before.diff(after) if after is not None else None,
                proof=Proof(nothing_persisted=None),
                notes=(*self.notes, *self._setting_notes()),
                plain_for_superuser=self._plain_for_superuser,
            )
            result = beside_prediction(
                result, simulation, plain_for_superuser=self._plain_for_superuser, sink=observation_sink
            )
            round_trip = None
            if result.ok and migration.down is not None and after is not None:
                round_trip = self._round_trip(applied, migration, profile, result, (before, after), scope, sink)
        except BaseException:
            # The first error is the one to be told: without its server a clone cannot be dropped, and is gone.
            with suppress(ConfitureError):
                self._clones.drop(clones)
            raise
        self._clones.drop(clones)
        proof = proof_of_clones(len(clones), self._clones.count(clones))
        return result.model_copy(update={"proof": proof, "round_trip": round_trip})

    def _round_trip(
        self,
        clone: str,
        migration: Migration,
        profile: RunnerProfile,
        result: DryRunResult,
        catalogs: tuple[Catalog, Catalog],
        scope: CancelScope,
        sink: Sink,
    ) -> RoundTrip:
        """The way back, on the clone on which the verdict pass has applied the migration."""
        sink = with_context(sink, phase="round trip")
        sink(Event(name=EventName.PASS_STARTED, message="the way back, where it was applied", level=Level.DEBUG))
        trip = go_back(
            lambda: self._clones.connected(clone, scope),
            migration,
            profile,
            result,
            before=catalogs[0],
            after=catalogs[1],
            plain_for_superuser=self._plain_for_superuser,
            scope=scope,
        )
        sink(way_back(migration, trip))
        return trip

    def _setting_notes(self) -> tuple[str, ...]:
        refused = self._clones.refused_settings
        return (f"Settings of the target that the shadow does not take: {', '.join(refused)}.",) if refused else ()

    def _left_behind(
        self, conn: psycopg.Connection[Any], migration: Migration, results: list[Ran], wrapping: Wrapping
    ) -> Catalog | None:
        """What the verdict pass left: ``None`` when it failed and its transaction took everything back."""
        failed = bool(results) and not results[-1].ok
        if failed and wrapping is not Wrapping.NONE and not migration.up.transaction_control:
            return None
        return reread(conn)

    def _catalog_before(self, fresh: psycopg.Connection[Any]) -> Catalog:
        """The catalog of the template, read once from a fresh clone: the template itself takes no connections."""
        if self._template not in self._catalogs:
            self._catalogs[self._template] = Catalog.load(fresh)
        return self._catalogs[self._template]

    def _make_clone(self, made: list[str]) -> str:
        """A fresh clone, noted in ``made`` so that it is dropped whatever happens."""
        made.append(self._clones.make(self._template))
        return made[-1]
