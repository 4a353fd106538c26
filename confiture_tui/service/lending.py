"""Lends the shadow that a project's dry runs and lint use: the demo's own, the target's, or one made of the files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.status import MigrationState, MigrationStatus

if TYPE_CHECKING:
    from confiture_tui.config import Settings
    from confiture_tui.core.dry_run.shadow import Shadow
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.profiles import RunnerProfile
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.events import Sink
    from confiture_tui.service.servers import Servers, ShadowServer
    from confiture_tui.service.shadows import Shadows
    from confiture_tui.service.target import Target

_APPLIED = (MigrationState.APPLIED, MigrationState.CHANGED)


class ShadowLender:
    """What makes shadows is made itself at first use: the list of migrations waits for nothing that tries them.

    Args:
        settings: see ``Shadows``, as for ``servers``, ``server``, ``profile`` and ``sink``.
        reaching: leads to the target, where there is one.
        demo: the shadow is that of the demo's shop.
    """

    def __init__(
        self,
        settings: Settings,
        servers: Servers,
        server: ShadowServer,
        *,
        reaching: Target,
        demo: bool,
        profile: Callable[[], RunnerProfile],
        sink: Sink,
    ) -> None:
        self._settings = settings
        self._servers = servers
        self._server = server
        self._reaching = reaching
        self._demo = demo
        self._profile = profile
        self._sink = sink
        self._lock = threading.Lock()
        self._made: Shadows | None = None

    def lend(
        self, loan: ExitStack, before: Sequence[Migration], statuses: Sequence[MigrationStatus], scope: CancelScope
    ) -> Shadow:
        """The shadow of the target as it is now, after some migrations; given back when ``loan`` ends.

        Args:
            loan: gives it back.
            before: migrations that have run on it.
            statuses: of all migrations: which the target has.
            scope: ends the work when it is cancelled.

        Raises:
            Cancelled: the scope was cancelled.
            ConfitureError: it could not be made.
        """
        if self._demo:
            return self._of_shop(loan, before, scope)
        if self._reaching.dsn is None:
            return self._shadows().of_nothing(loan, before, scope)
        applied = [one.migration for one in statuses if one.state in _APPLIED and one.migration is not None]
        return self._shadows().of_target(loan, lambda: self._reaching.connected(scope), before, applied, scope)

    def forget(self) -> None:
        """What was made is gone with its servers."""
        with self._lock:
            made = self._made
        if made is not None:
            made.forget()

    def _of_shop(self, loan: ExitStack, before: Sequence[Migration], scope: CancelScope) -> Shadow:
        from confiture_tui.core.dry_run.result import Rows
        from confiture_tui.core.dry_run.shadow import Shadow
        from confiture_tui.database.demo.shop import OWNER, PRISTINE

        server = self._server.get(scope)
        return self._shadows().lend(
            loan,
            server,
            PRISTINE,
            lambda: Shadow.from_template(server, PRISTINE, owner=OWNER, rows=Rows.FULL, sink=self._sink),
            before,
            scope,
        )

    def _shadows(self) -> Shadows:
        with self._lock:
            if self._made is None:
                from confiture_tui.service.shadows import Shadows

                self._made = Shadows(
                    self._settings, self._servers, self._server, profile=self._profile, sink=self._sink
                )
            return self._made
