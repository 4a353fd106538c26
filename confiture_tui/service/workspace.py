"""The synchronous side of the service: one project, its target, and the shadow that its dry runs use.

Called on job threads only, several of them at once.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from confiture_tui.config import CONFIG_FILE, DEFAULT_ENV, MIGRATIONS
from confiture_tui.core.migrations.profiles import PROFILES, RunnerProfile, profile_named
from confiture_tui.core.migrations.status import MigrationState, MigrationStatus
from confiture_tui.database.connection import connect
from confiture_tui.errors import UsageError
from confiture_tui.events import Event, EventName, Sink
from confiture_tui.service.choosing import migration_of, pending_before, refuse_to_try, refuse_without_schema
from confiture_tui.service.command_lines import session_options
from confiture_tui.service.demo_shop import OpenDemo, applied_since_opening
from confiture_tui.service.derived import write_derived_down
from confiture_tui.service.files_given import GivenFiles, tell
from confiture_tui.service.foreign import refuse_foreign
from confiture_tui.service.lending import ShadowLender
from confiture_tui.service.places import ProjectInfo, TargetInfo
from confiture_tui.service.project_files import ProjectFiles
from confiture_tui.service.servers import Servers, ShadowServer
from confiture_tui.service.target import Target, no_database

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.config import Settings
    from confiture_tui.core.catalog import Catalog
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.migrations.layouts import MigrationSet
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.risk.rates import Rates
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.database.embedded import EmbeddedServer
    from confiture_tui.service.in_place import InPlaceOptions
    from confiture_tui.service.linting import LintRequest, LintResult
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.service.running import RunSources

UNNAMED_ENVIRONMENT = "unnamed"
"""The environment of a database that was given directly, and that no environment's file knows."""


class Workspace:
    """A project that is open.

    Attributes:
        project: the project, once ``open`` has found it.
        reaching: how its database is reached.
    """

    def __init__(self, settings: Settings, *, demo: bool, sink: Sink, traffic: bool = False) -> None:
        self.settings = settings
        self._demo = demo
        self._demo_shop = OpenDemo(sink, traffic=traffic)
        self._sink = sink
        self.reaching = Target(settings)
        self._servers = Servers(settings.pg_bin)
        self._shadow_server = ShadowServer(
            self._servers,
            sink=sink,
            server_sink=self._demo_shop.only_warnings if demo else sink,
            prepare=self._demo_shop.prepare_shadow if demo else _as_it_is,
            afterwards=self._measure,
        )
        self._lender = ShadowLender(
            settings,
            self._servers,
            self._shadow_server,
            reaching=self.reaching,
            demo=demo,
            profile=lambda: self.profile,
            sink=sink,
        )
        self._files: ProjectFiles | None = None
        self._opening = threading.Lock()
        self._is_open = False
        self.project: ProjectInfo | None = None

    def _measure(self, server: EmbeddedServer) -> None:
        from confiture_tui.service.calibrating import measure_once

        measure_once(server, self._sink)

    @property
    def profile(self) -> RunnerProfile:
        """How the migrations will be run in the end: as the settings say, else by the tool that they are of.

        Raises:
            UsageError: the settings name a runner that is not known.
        """
        if self._files is not None and not self.settings.is_given("runner"):
            return PROFILES[self._files.layout.name]
        return profile_named(self.settings.runner)

    def open(self, scope: CancelScope) -> None:
        """Find the project and its migrations, and reach its database if there is one. Idempotent once it succeeded.

        When it fails or is cancelled, what it started is stopped.
        """
        with self._opening:
            if self._is_open:
                return
            scope.check()
            try:
                self._open(scope)
            except BaseException:
                if self._demo:
                    self.reaching.dsn = None
                self._demo_shop.end_traffic()
                self._shadow_server.forget()
                self._servers.stop_all()
                raise
            self._is_open = True

    def _open(self, scope: CancelScope) -> None:
        self.profile  # noqa: B018 - an unknown runner is told before anything is started
        settings = self.settings
        name, directory, environment = settings.project_dir.name, settings.project_dir, settings.env
        production = settings.is_production
        if self._demo:
            # A server of its own: a migration that is tried could reach the live shop by its comment and settings, its
            # role's settings, its sessions; and what is measured would have its traffic in it.
            self._shadow_server.begin()
            self._shadow_server.served()  # nothing of the demo is kept
            self.reaching.dsn, directory = self._demo_shop.open(self._servers.start(self._sink), scope)
            name, environment, production = "demo shop", "demo", False
            self._files = ProjectFiles(directory / MIGRATIONS)
        else:
            self._files = ProjectFiles.of_project(settings)
            self.reaching.find()
            if environment == DEFAULT_ENV and self.has_target and settings.database_url is None:
                # Nobody said which environment this database is: "local" would be a guess, and may be a wrong one.
                environment = UNNAMED_ENVIRONMENT
        files = self._files
        if files.alone is not None:
            name = files.alone.name
        self.project = ProjectInfo(
            name=name,
            directory=directory,
            environment=environment,
            is_production=production,
            findings=files.findings,
            alone=files.alone,
        )
        # Those of the demo are in the program itself, where nobody has to look for them.
        self._sink(
            Event(
                name=EventName.PROJECT_OPENED,
                message=f"{name}: {files.in_words(with_place=not self._demo)}",
                data={"environment": environment},
            )
        )
        tell(self._sink, files.findings)
        scope.check()
        if self.has_target:
            self._reach(scope)

    def _reach(self, scope: CancelScope) -> None:
        with self.reaching.connected(scope) as conn:
            self._project_files.settle(conn)
        target = self.target
        assert target is not None  # it was reached just now
        self._sink(
            Event(
                name=EventName.CONNECTED,
                message=f"{target.database} on PostgreSQL {target.server_version} as {target.role}",
                data={"source": target.source},
            )
        )

    @property
    def target(self) -> TargetInfo | None:
        """The database, once it was reached; ``None`` without one."""
        return self.reaching.info

    @property
    def has_target(self) -> bool:
        """Whether there is a database."""
        return self.reaching.dsn is not None

    def status(self, scope: CancelScope, *, reads_anew: bool = True) -> tuple[MigrationStatus, ...]:
        """Every migration with its state; without a database everything is pending.

        The files are read again: they may have been edited since. See ``ProjectFiles.status`` for ``reads_anew``.
        """
        return self._status(scope, reads_anew=reads_anew)[1]

    def _status(
        self, scope: CancelScope, *, reads_anew: bool = True
    ) -> tuple[MigrationSet, tuple[MigrationStatus, ...]]:
        """The migrations as the files are now, and their states."""
        files = self._project_files
        if not self.has_target:
            found = files.status(None, reads_anew=reads_anew)
        else:
            with self.reaching.connected(scope) as conn:
                found = files.status(conn, reads_anew=reads_anew)
        if self.project is not None:
            self.project = self.project.model_copy(update={"findings": files.findings})
        return found

    @property
    def _project_files(self) -> ProjectFiles:
        if self._files is None:
            raise AssertionError("the service is open before anything is asked of it")
        return self._files

    def migration(self, version: str) -> Migration:
        """The migration with this version, as its file was when the files were read last.

        Raises:
            UsageError: there is none.
        """
        return migration_of(self._project_files.migrations, version)

    def preview(self, version: str) -> MigrationPreview:
        """What the migration contains."""
        from confiture_tui.service.previews import preview_of

        return preview_of(self.migration(version), self.profile)

    def given_files(self) -> GivenFiles:
        """What files that are named stand for; what is to be said of them is told as events."""
        return GivenFiles(self.settings, self._sink)

    def run_sources(self, scope: CancelScope, direction: Literal["forward", "backward"] = "forward") -> RunSources:
        """What a run on the target needs to know of this project.

        Raises:
            UsageError: there is no database; where the migrations are another tool's, that is said first.
        """
        from confiture_tui.service.running import RunSources  # with the driver, which most commands do without

        project, target, dsn = self.project, self.target, self.reaching.dsn
        if project is None or target is None or dsn is None:
            refuse_foreign(self._project_files.layout, self._project_files.directory, direction)
            raise no_database("There is no database to run anything on.")
        return RunSources(
            connected=lambda: self.reaching.connected(scope),
            writable=lambda: connect(dsn),
            statuses=lambda: self._status(scope)[1],
            config_file=self._config_file(),
            host=target.host,
            database=target.database,
            read_only=self.settings.read_only,
            is_production=project.is_production,
            is_ours=self._demo,
            sink=self._sink,
            layout=self._project_files.layout,
            directory=self._project_files.directory,
            options=session_options(self.settings, project, target, is_demo=self._demo),
        )

    def _config_file(self) -> Path | None:
        """The project's ``confiture.yaml``: the one that the settings were read from, or the demo's own."""
        if self._demo and self.project is not None:
            return self.project.directory / CONFIG_FILE
        # It may have been made since.
        usual = self.settings.project_dir / CONFIG_FILE
        return self.settings.config_file or (usual if usual.is_file() else None)

    def settings_to_change(self) -> Path:
        """The project's ``confiture.yaml``, whether or not it exists, for somebody who wants to write into it.

        Raises:
            UsageError: this project is not written into.
        """
        if self._demo:
            raise UsageError(
                "The demo's project is part of the program: nothing is written into it.",
                hint="In a project of your own this writes into confiture.yaml.",
            )
        return self.settings.config_file or self.settings.project_dir / CONFIG_FILE

    def dry_run(self, version: str, scope: CancelScope) -> DryRunResult:
        """Try the migration on a shadow of the target, after the pending ones before it.

        Raises:
            UsageError: there is no such migration, it is applied already, or its file cannot be used.
            Cancelled: the scope was cancelled.
            ConfitureError: the shadow could not be made.
        """
        from confiture_tui.core.dry_run.result import Rows
        from confiture_tui.service.hooks_in_dry_runs import hooks_to_try, with_hook_notes

        migration, statuses = self._pending(version, scope)
        if self._project_files.alone is not None and not self.has_target:
            refuse_without_schema(migration, self.profile)
        before, notes = pending_before(migration, statuses)
        if self._demo:
            before = [*applied_since_opening(statuses), *before]
        with ExitStack() as loan:
            shadow = self._lender.lend(loan, before, statuses, scope)
            if shadow.rows is Rows.NONE and self.settings.rows == Rows.SYNTHETIC:
                shadow = loan.enter_context(shadow.filled(migration, scope=scope))
            hooks, blocked = hooks_to_try(migration, self._config_file())
            result = shadow.dry_run(migration, profile=self.profile, hooks=hooks, scope=scope)
        return with_hook_notes(result, blocked=blocked, earlier=before, notes=notes)

    def write_derived_down(self, version: str, result: DryRunResult) -> Path | None:
        """Write the way back that a dry run has derived and proved; its file, ``None`` when none was derived.

        Raises:
            UsageError: it is not proved, a file is there already, or the project is the demo's.
            ConfitureError: the file cannot be written.
        """
        if self._demo:
            raise UsageError(
                "The demo's project is part of the program: nothing is written into it.",
                hint="The statements are shown with the result.",
            )
        return write_derived_down(self.migration(version), result)

    def dry_run_on_target(self, version: str, options: InPlaceOptions, scope: CancelScope) -> DryRunResult:
        """Try the migration, by itself, on the target, in a transaction that is always rolled back.

        Raises:
            UsageError: there is no such migration, it is applied already, its file cannot be used, or a dry run on the
                target is not allowed here: read-only, not confirmed on production, a standby, a pooler, a superuser.
            ConnectError: there is no target, or it went away.
            Cancelled: the scope was cancelled; everything was rolled back.
        """
        from confiture_tui.service.hooks_in_dry_runs import hooks_left_out
        from confiture_tui.service.in_place import refuse_unless_allowed, try_in_place

        target, dsn = self.target, self.reaching.dsn
        refuse_unless_allowed(
            options,
            read_only=self.settings.read_only,
            is_production=self.project is not None and self.project.is_production,
            database=target.database if target is not None else None,
        )
        migration, statuses = self._pending(version, scope)
        if target is None or dsn is None:
            raise AssertionError("without a target it has been refused")
        earlier = itertools.takewhile(lambda one: one.version != version, statuses)
        before = [f"{one.version}_{one.name}" for one in earlier if one.state is MigrationState.PENDING]
        result = try_in_place(
            dsn,
            target.database,
            migration,
            options,
            wrapping=self.profile.wrapping_of(migration.up),
            before=before,
            scope=scope,
            sink=self._sink,
        )
        return result.model_copy(update={"hooks": hooks_left_out(migration)})

    def _pending(self, version: str, scope: CancelScope) -> tuple[Migration, tuple[MigrationStatus, ...]]:
        """A migration that can be tried, and the states of all.

        Raises:
            UsageError: there is no such migration, it is applied or half-way, or its file cannot be used.
        """
        migrations, statuses = self._status(scope)
        migration = migration_of(migrations, version)
        state = next((one.state for one in statuses if one.version == version), MigrationState.PENDING)
        refuse_to_try(migration, state, ours=self._project_files.layout.apply_command is None)
        return migration, statuses

    def lint(self, request: LintRequest, scope: CancelScope) -> LintResult:
        """Judge the target's schema, or the one that the files make, as asked.

        Raises:
            UsageError: the settings, the request or the baseline cannot be used.
            ConfitureError: the target cannot be read, or the shadow not be made.
            Cancelled: the scope was cancelled.
        """
        from confiture_tui.service.linting import ShadowCatalog, Sources, lint_project

        if self._demo and (request.fix or request.update_baseline):
            raise UsageError(
                "The demo's project is part of the program: nothing is written into it.",
                hint="The SQL of each fix is shown beside its finding.",
            )
        migrations, statuses = self._status(scope)
        if self._project_files.alone is not None and not self.has_target:
            for one in migrations.migrations:
                refuse_without_schema(one, self.profile)

        def live() -> Catalog:
            from confiture_tui.core.catalog import Catalog

            with self.reaching.connected(scope) as conn:
                return Catalog.load(conn)

        def shadow(before: Sequence[Migration]) -> ShadowCatalog:
            with ExitStack() as loan:
                lent = self._lender.lend(loan, before, statuses, scope)
                return ShadowCatalog(lent.catalog(scope=scope), lent.notes)

        project = self.project
        if project is None:
            raise AssertionError("the service is open before anything is asked of it")
        return lint_project(
            request,
            Sources(
                live=live if self.has_target else None,
                shadow=shadow,
                migrations=migrations,
                statuses=statuses,
                directory=project.directory,
                config_file=self._config_file(),
                production=project.is_production,
                profile=self.profile,
            ),
        )

    def calibrate(self, scope: CancelScope, *, starts: bool) -> None:
        """Measure how fast a server on this machine works, unless that is known; ``starts`` one where none runs yet.

        Raises:
            Cancelled: the scope was cancelled.
            ConfitureError: no server could be started.
        """
        if starts:
            self._shadow_server.get(scope)
        self._shadow_server.served()
        self._shadow_server.wait_until_idle(scope)

    def rates(self, conn: psycopg.Connection[Any] | None) -> Rates:
        """How fast the target works, as far as that is known: ``conn`` leads there, ``None`` without one."""
        from confiture_tui.service.calibrating import rates_for

        return rates_for(conn, ours=self._demo)

    def close(self) -> None:
        """Stop the embedded servers, and with them everything that was on them; no other is started. Idempotent."""
        self._demo_shop.end_traffic()
        self._servers.close()
        self._shadow_server.forget()
        self._lender.forget()


def _as_it_is(_server: EmbeddedServer) -> None:
    """A server that starts empty needs no preparing."""
