"""The shadows of one target that are kept from one dry run to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from confiture_tui.errors import ConfitureError
from confiture_tui.events import Event, EventName, Level, Sink

if TYPE_CHECKING:
    from confiture_tui.core.dry_run.host import ShadowHost
    from confiture_tui.core.dry_run.shadow import Shadow
    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.database.cancellation import CancelScope

_LOOK_S = 0.05
"""How often somebody who waits for his turn looks whether he is to stop waiting."""


class ShadowShelf:
    """The shadow of the target as it was last seen, and those on which earlier migrations have been applied.

    Thread-safe. A shadow that somebody works on stays until he is done, also when the target has changed meanwhile.

    Args:
        sink: where it is told that an old shadow could not be dropped.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = threading.Lock()
        self._current: _Batch | None = None

    @contextmanager
    def lent(
        self,
        server: ShadowHost,
        key: str,
        make: Callable[[], Shadow],
        *,
        before: Sequence[Migration],
        apply: Callable[[Shadow, Sequence[Migration]], Shadow],
        scope: CancelScope,
    ) -> Iterator[Shadow]:
        """The shadow after some migrations, for as long as the block runs.

        Args:
            server: where it is to be; shadows on another one are forgotten.
            key: what the target looks like; with another key than last time the shadow is made anew.
            make: makes the shadow of the target.
            before: the migrations that come first.
            apply: makes from a shadow another on which migrations have been applied.
            scope: what cancels the waiting for others who make theirs.

        Raises:
            Cancelled: the scope was cancelled.
            ConfitureError: whatever ``make`` and ``apply`` raise.
        """
        with self._turn(scope):
            batch = self._current
            if batch is None or (batch.server, batch.key) != (server, key):
                self._current = None
                self._drop_unused(batch)
                self._current = batch = _Batch(server, key, make())
            shadow = batch.after(before, apply)
            batch.users += 1
        try:
            yield shadow
        finally:
            with self._lock:
                batch.users -= 1
                if batch is not self._current:
                    self._drop_unused(batch)

    def forget(self) -> None:
        """Let go of the shadows without dropping them: their server has been stopped.

        It waits for nobody: who makes a shadow just now is told by the server.
        """
        self._current = None

    @contextmanager
    def _turn(self, scope: CancelScope) -> Iterator[None]:
        while not self._lock.acquire(timeout=_LOOK_S):
            scope.check()
        try:
            scope.check()
            yield
        finally:
            self._lock.release()

    def _drop_unused(self, batch: _Batch | None) -> None:
        """Drop a batch that is no longer the current one, if nobody works on it."""
        if batch is None or batch.users or not batch.server.is_running:
            return
        try:
            batch.close()
        except ConfitureError as error:
            if batch.server.is_running:
                message = f"A shadow that is no longer needed could not be dropped: {error.message}"
                self._sink(Event(name=EventName.SERVER_NOTICE, message=message, level=Level.WARNING))


class _Batch:
    """The shadows made from one state of the target.

    Attributes:
        server: where they are.
        key: what the target looked like.
        users: how many jobs work on them now.
    """

    def __init__(self, server: ShadowHost, key: str, base: Shadow) -> None:
        self.server = server
        self.key = key
        self.users = 0
        self._shadows: dict[tuple[tuple[str, str], ...], Shadow] = {(): base}

    def after(self, before: Sequence[Migration], apply: Callable[[Shadow, Sequence[Migration]], Shadow]) -> Shadow:
        """The shadow after these migrations, made from the one that has most of them."""
        wanted = tuple((one.label, one.checksum) for one in before)
        have = next(length for length in range(len(wanted), -1, -1) if wanted[:length] in self._shadows)
        if have < len(wanted):
            self._shadows[wanted] = apply(self._shadows[wanted[:have]], before[have:])
        return self._shadows[wanted]

    def close(self) -> None:
        """Drop them: the newest first, for the role that they are owned by goes with the base."""
        while self._shadows:
            self._shadows.popitem()[1].close()
