"""Where the shadows of a project's target come from: the embedded server, what was kept, a server of the user's own.

Called on job threads only, several of them at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog import Catalog
from confiture_tui.core.dry_run.cache import ShadowCache, shadow_key
from confiture_tui.core.dry_run.dump import LacksRightsError
from confiture_tui.core.dry_run.result import Rows
from confiture_tui.core.dry_run.session import SessionSettings
from confiture_tui.core.dry_run.shadow import Shadow
from confiture_tui.core.dry_run.stamps import Stamps
from confiture_tui.database.borrowed import BorrowedServer
from confiture_tui.database.connection import connect
from confiture_tui.database.dsn import Dsn
from confiture_tui.events import Event, EventName, Level, Sink
from confiture_tui.service.servers import Servers, ShadowServer, Wanted
from confiture_tui.service.shelf import ShadowShelf

if TYPE_CHECKING:
    import psycopg

    from confiture_tui.config import Settings
    from confiture_tui.core.dry_run.host import ShadowHost
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.database.cancellation import CancelScope

    Connect = Callable[[], AbstractContextManager[psycopg.Connection[Any]]]

_MOST_DIFFERENCES = 5
"""Differences between a clone and the target that are named one by one."""


class Shadows:
    """Makes shadows and lends them.

    Args:
        settings: whether they are to be kept, and where else than on the embedded server they are made.
        servers: starts the embedded one.
        server: the embedded one, started at first use.
        profile: how the migrations before the chosen one are run.
        sink: where events go.
    """

    def __init__(
        self,
        settings: Settings,
        servers: Servers,
        server: ShadowServer,
        *,
        profile: Callable[[], RunnerProfile],
        sink: Sink,
    ) -> None:
        self._settings = settings
        self._servers = servers
        self._server = server
        self._profile = profile
        self._sink = sink
        self._cache = ShadowCache(sink=sink) if settings.shadow_cache else None
        self._stamps = Stamps(self._cache.directory if self._cache is not None else None)
        self._shelf = ShadowShelf(sink)
        self._lock = threading.Lock()
        self._borrowed: BorrowedServer | None = None

    def lend(
        self,
        loan: ExitStack,
        server: ShadowHost,
        key: str,
        make: Callable[[], Shadow],
        before: Sequence[Migration],
        scope: CancelScope,
    ) -> Shadow:
        """The shadow that ``make`` makes, after some migrations; given back when ``loan`` ends."""

        def apply(shadow: Shadow, migrations: Sequence[Migration]) -> Shadow:
            return shadow.after(migrations, profile=self._profile(), scope=scope)

        lent = loan.enter_context(self._shelf.lent(server, key, make, before=before, apply=apply, scope=scope))
        self._server.served()
        return lent

    def of_nothing(self, loan: ExitStack, before: Sequence[Migration], scope: CancelScope) -> Shadow:
        """The shadow of no database, after some migrations."""
        server = self._host(None, scope) or self._server.get(scope)
        return self.lend(loan, server, "", lambda: Shadow.empty(server=server, sink=self._sink), before, scope)

    def of_target(
        self,
        loan: ExitStack,
        connected: Connect,
        before: Sequence[Migration],
        applied: Sequence[Migration],
        scope: CancelScope,
    ) -> Shadow:
        """The shadow of the target as it is now, after some migrations; given back when ``loan`` ends.

        It is made again when the target's schema, or what a session on it is set to, has changed.

        Args:
            loan: ends when the shadow is no longer needed.
            connected: opens a session on the target that only reads.
            before: the migrations that come first.
            applied: those that the target has had, from which the shadow is built where it may not be dumped.
            scope: what cancels it.
        """
        with connected() as conn:
            definitions, settings = self._stamps.definitions(conn), SessionSettings.read(conn)
            key = f"{definitions.fingerprint} {sorted(settings.values.items())}"
            borrowed = self._host(conn, scope)
            if borrowed is not None and self._settings.clone_dsn is not None:
                return self._of_clone(loan, borrowed, key, Catalog.load(conn), settings, before, scope)
            if borrowed is not None:
                return self._lend_or_rebuild(
                    loan,
                    borrowed,
                    key,
                    lambda: Shadow.of(conn, server=borrowed, sink=self._sink, scope=scope),
                    settings,
                    before,
                    applied,
                    scope,
                )
            major = conn.info.server_version // 10000
            kept_as = shadow_key(conn, definitions, self._servers.binaries(major)) if self._cache is not None else None
            server = self._server.get(scope, Wanted(major=major, cache=self._cache, key=kept_as))

            def make() -> Shadow:
                description = self._server.brought(server, kept_as)
                if description is not None:
                    return self._brought(Shadow.kept(server, description, settings=settings, sink=self._sink), conn)
                shadow = Shadow.of(conn, server=server, sink=self._sink, scope=scope)
                if self._cache is not None and kept_as is not None:
                    self._cache.keep(kept_as, server, shadow, database=conn.info.dbname)
                return shadow

            return self._lend_or_rebuild(loan, server, key, make, settings, before, applied, scope)

    def forget(self) -> None:
        """Let go of the shadows: the embedded server has been stopped. On a server of the user's own drop them."""
        self._shelf.forget()
        with self._lock:
            borrowed, self._borrowed = self._borrowed, None
        if borrowed is not None:
            borrowed.close()

    def _brought(self, shadow: Shadow, conn: psycopg.Connection[Any]) -> Shadow:
        message = f"The shadow of {conn.info.dbname} is ready: its schema has not changed since it was kept."
        self._sink(Event(name=EventName.SHADOW_READY, message=message))
        return shadow

    def _lend_or_rebuild(
        self,
        loan: ExitStack,
        server: ShadowHost,
        key: str,
        make: Callable[[], Shadow],
        settings: SessionSettings,
        before: Sequence[Migration],
        applied: Sequence[Migration],
        scope: CancelScope,
    ) -> Shadow:
        """Lend what ``make`` makes; where the role may not dump the target, what its migrations make of nothing."""
        try:
            return self.lend(loan, server, key, make, before, scope)
        except LacksRightsError as error:
            refused = error
        if not applied:
            raise refused
        note = (
            f"The target's schema could not be copied ({refused.message.rstrip('.')}), so the shadow was built from "
            f"the {len(applied)} migrations that it has had: what else was done to it is not there."
        )
        self._sink(Event(name=EventName.SHADOW_INCOMPLETE, message=note, level=Level.WARNING))

        def rebuild() -> Shadow:
            return Shadow.empty(server=server, settings=settings, note=note, sink=self._sink)

        return self.lend(loan, server, f"history {key}", rebuild, [*applied, *before], scope)

    def _of_clone(
        self,
        loan: ExitStack,
        server: BorrowedServer,
        key: str,
        target: Catalog,
        settings: SessionSettings,
        before: Sequence[Migration],
        scope: CancelScope,
    ) -> Shadow:
        """The shadow that a copy of the target, rows included, is the template of; the copy itself stays as it is."""
        given = self._settings.clone_dsn
        assert given is not None  # the caller has looked
        with connect(Dsn.of(given.get_secret_value(), source="--clone-dsn")) as conn, scope.guard(conn):
            clone = Catalog.load(conn)
            name = conn.info.dbname
        note = _differences(target, clone)

        def make() -> Shadow:
            return Shadow.from_template(
                server,
                name,
                owner=server.role,
                rows=Rows.FULL,
                settings=settings,
                notes=(note,) if note else (),
                sink=self._sink,
            )

        return self.lend(loan, server, f"{key} {clone.fingerprint}", make, before, scope)

    def _host(self, target: psycopg.Connection[Any] | None, scope: CancelScope) -> BorrowedServer | None:
        """The user's own server, if one was named.

        Raises:
            UsageError: it will not do.
            ConnectError: it cannot be reached.
        """
        given = self._settings.clone_dsn or self._settings.shadow_dsn
        if given is None:
            return None
        with self._lock:
            scope.check()
            if self._borrowed is None or not self._borrowed.is_running:
                is_clone = self._settings.clone_dsn is not None
                dsn = Dsn.of(given.get_secret_value(), source="--clone-dsn" if is_clone else "--shadow-dsn")
                if is_clone:
                    # A database can be copied only while nobody is connected to it, we neither.
                    dsn = dsn.with_dbname("postgres")
                major = target.info.server_version // 10000 if target is not None else None
                self._borrowed = BorrowedServer(
                    dsn,
                    bin_dir=self._servers.binaries(major).directory,
                    refusing=target,
                )
            return self._borrowed


def _differences(target: Catalog, clone: Catalog) -> str:
    """In words, where a clone's schema is not the target's; empty when it is."""
    changes = target.diff(clone).changes
    if not changes:
        return ""
    named = [f"{one.kind} {one.name}" for one in changes[:_MOST_DIFFERENCES]]
    if len(changes) > _MOST_DIFFERENCES:
        named.append(f"{len(changes) - _MOST_DIFFERENCES} more")
    return f"The clone's schema is not the target's. What differs: {', '.join(named)}."
