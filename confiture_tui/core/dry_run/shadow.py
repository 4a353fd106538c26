"""A disposable database with the target's schema, and dry runs on fresh clones of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from textwrap import shorten
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.counting import counted
from confiture_tui.core.dry_run.clones import CloneMaker
from confiture_tui.core.dry_run.passes import verdict_pass
from confiture_tui.core.dry_run.prediction import touched_by
from confiture_tui.core.dry_run.result import DryRunResult, Rows
from confiture_tui.core.dry_run.session import SessionSettings
from confiture_tui.core.dry_run.synthetic import fill, tables_to_fill
from confiture_tui.core.dry_run.telling import completed
from confiture_tui.core.dry_run.two_passes import TwoPasses
from confiture_tui.core.migrations.profiles import PROFILES, RunnerProfile
from confiture_tui.database.cancellation import CancelScope
from confiture_tui.database.disposable import unique_name
from confiture_tui.database.failures import in_sentences
from confiture_tui.errors import Cancelled, ConfitureError
from confiture_tui.events import Event, EventName, Level, Sink, discard, with_context

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.core.dry_run.host import ShadowHost
    from confiture_tui.core.effects.model import Failure
    from confiture_tui.core.hooks.hook import Hook
    from confiture_tui.core.migrations.model import Migration

NO_ROWS_NOTE = (
    "The shadow has no rows: times, write-ahead log, lost data and failures that data decide cannot be seen on it."
)
SYNTHETIC_NOTE = (
    "The rows are invented: times, write-ahead log, counts, lost data and what particular values decide cannot be seen "
    "on them."
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
        server: ShadowHost,
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
        server: ShadowHost | None = None,
        sink: Sink = discard,
        scope: CancelScope | None = None,
    ) -> Shadow:
        """A shadow of the database that the connection is to: its schema, no rows.

        The target is read with ``pg_dump --schema-only`` and never written.

        Args:
            conn: an idle connection to the target.
            server: where the shadow is made; when not given, the process's embedded server, of the target's major where
                programs of that are at hand.
            sink: where events go.
            scope: what cancels it.

        Raises:
            LacksRightsError: the connection's role may not read every definition.
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
                server = server or EmbeddedServer.shared(major=conn.info.server_version // 10000, sink=sink)
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
        server: ShadowHost,
        template: str,
        *,
        owner: str,
        rows: Rows,
        settings: SessionSettings | None = None,
        notes: Iterable[str] = (),
        sink: Sink = discard,
    ) -> Shadow:
        """A shadow whose clones are copies of an existing database, which stays when the shadow is closed."""
        return cls(
            server, template, owner=owner, rows=rows, settings=settings, notes=notes, owns_template=False, sink=sink
        )

    @classmethod
    def empty(
        cls,
        *,
        server: ShadowHost | None = None,
        settings: SessionSettings | None = None,
        note: str = "There is no database: the schema is what the earlier migrations build.",
        sink: Sink = discard,
    ) -> Shadow:
        """A shadow of nothing: the migrations' own history is what fills it; ``note`` says why."""
        from confiture_tui.database.embedded import EmbeddedServer

        server = server or EmbeddedServer.shared(sink=sink)
        template, owner = unique_name("base"), server.role or unique_name("owner")
        if server.role is None:
            server.create_login(owner)
        server.create_database(template, owner=owner)
        return cls(
            server,
            template,
            owner=owner,
            rows=Rows.NONE,
            settings=settings,
            notes=(note, NO_ROWS_NOTE),
            owns_roles=(owner,) if server.role is None else (),
            sink=sink,
        )

    def description(self) -> dict[str, Any]:
        """What there is to know about the template, so that ``kept`` can make a shadow of it elsewhere."""
        return {
            "template": self._template,
            "owner": self._owner,
            "roles": self._roles,
            "notes": list(self.notes),
            "plain_for_superuser": self._plain_for_superuser,
        }

    @classmethod
    def kept(
        cls, server: ShadowHost, description: Mapping[str, Any], *, settings: SessionSettings, sink: Sink = discard
    ) -> Shadow:
        """The shadow without rows that a description is of, on a server that was started with its template."""
        return cls(
            server,
            description["template"],
            owner=description["owner"],
            rows=Rows.NONE,
            settings=settings,
            notes=description["notes"],
            owns_roles=tuple(description["roles"]),
            plain_for_superuser=description["plain_for_superuser"],
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
                clones.append(self._clones.make(self._template))
                with self._clones.connected(clones[0], scope) as conn:
                    found = self._catalogs[self._template] = Catalog.load(conn)
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

    def filled(self, migration: Migration, *, scope: CancelScope | None = None) -> Shadow:
        """A shadow in which rows were invented in the tables that a migration touches.

        The new shadow owns its template, and must be closed like any other.

        Raises:
            Cancelled: the scope was cancelled.
            ConfitureError: the shadow's server refuses, or went away.
        """
        scope = scope or CancelScope()
        catalog = self.catalog(scope=scope)
        touched = tables_to_fill(catalog, touched_by(migration, catalog))
        template = self._clones.make(self._template, kind="base")
        try:
            with in_sentences("Inventing rows"), self._clones.connected(template, scope) as conn:
                said = fill(conn, catalog, touched)
        except BaseException:
            with suppress(ConfitureError):
                self._clones.drop([template])
            raise
        return Shadow(
            self._server,
            template,
            owner=self._owner,
            rows=Rows.SYNTHETIC,
            settings=self._settings,
            notes=(SYNTHETIC_NOTE, *said, *(note for note in self.notes if note != NO_ROWS_NOTE)),
            plain_for_superuser=self._plain_for_superuser,
            sink=self._sink,
        )

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
        hooks: Sequence[Hook] = (),
        scope: CancelScope | None = None,
    ) -> DryRunResult:
        """Run the two passes on fresh clones and say what was seen.

        Args:
            migration: what is tried.
            profile: how it would be run.
            hooks: those that run with it, in their order.
            scope: what cancels it.

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
                message=f"{migration.label}: dry run on a shadow, {counted(len(statements), 'statement')}, "
                f"rows: {self.rows}",
                data={"statements": len(statements), "rows": str(self.rows), "wrapping": str(wrapping)},
            )
        )
        passes = TwoPasses(
            self._clones,
            self._template,
            migration,
            profile,
            rows=self.rows,
            notes=self.notes,
            hooks=hooks,
            before=self._catalogs.get(self._template),
            plain_for_superuser=self._plain_for_superuser,
            scope=scope,
            sink=sink,
        )
        try:
            with in_sentences(f"The dry run of {migration.label}"):
                result = passes.run()
            self._catalogs[self._template] = passes.before
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
