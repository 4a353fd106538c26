"""The demo's live shop, its customers, and the shadow on which its migrations are tried."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.status import MigrationState
from confiture_tui.database.demo.files import LAST_APPLIED
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.database.cancellation import CancelScope
    from confiture_tui.database.demo.traffic import Traffic
    from confiture_tui.database.dsn import Dsn
    from confiture_tui.database.embedded import EmbeddedServer


class OpenDemo:
    """Builds the shop and lets its customers in.

    Args:
        sink: where events go.
        traffic: customers buy jam while the demo is open.

    Attributes:
        traffic: the customers, while they are in the shop.
    """

    def __init__(self, sink: Sink, *, traffic: bool) -> None:
        self._sink = sink
        self._with_traffic = traffic
        self.traffic: Traffic | None = None

    def open(self, server: EmbeddedServer, scope: CancelScope) -> tuple[Dsn, Path]:
        """Build the live shop on a server; the way to it, and the project's directory."""
        from confiture_tui.database.demo.shop import build_shop

        scope.check()
        shop = build_shop(server, pristine=False, sink=self._sink)
        scope.check()
        if self._with_traffic:
            self._begin_traffic(shop.dsn)
        return shop.dsn, shop.project_dir

    def _begin_traffic(self, dsn: Dsn) -> None:
        """Have the shop's application work on the live shop; on the shadow's server it never does."""
        from confiture_tui.database.demo.traffic import Traffic

        self.traffic = Traffic(dsn, sink=self._sink)
        self.traffic.start()

    def end_traffic(self) -> None:
        """Send the customers home. Idempotent."""
        traffic, self.traffic = self.traffic, None
        if traffic is not None:
            traffic.stop()

    def prepare_shadow(self, server: EmbeddedServer) -> None:
        """Build the shop as it was on opening day on the shadow's server, rows included."""
        from confiture_tui.database.demo.shop import build_pristine

        began = time.monotonic()
        pristine = build_pristine(server, sink=self.only_warnings)
        self._sink(
            Event(
                name=EventName.SHADOW_READY,
                message="The shadow of the shop is ready, rows included, on a server of its own.",
                duration_ms=(time.monotonic() - began) * 1000,
                data={"database": pristine},
            )
        )

    def only_warnings(self, event: Event) -> None:
        """A sink for the second server: its building beside the first would only confuse."""
        if event.level >= Level.WARNING:
            self._sink(event)


def applied_since_opening(statuses: Sequence[MigrationStatus]) -> list[Migration]:
    """The migrations that were applied to the live shop after it was opened: its shadow does not have them."""
    return [
        one.migration
        for one in statuses
        if one.migration is not None and one.version > LAST_APPLIED and one.state is MigrationState.APPLIED
    ]
