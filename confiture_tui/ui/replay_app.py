"""The app on a recording: the same screens, with a clock that can be stopped, stepped, hurried and set."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, Final

from textual.widgets import Input

from confiture_tui.service.running import RunRequest
from confiture_tui.ui.actions import ACTIONS, Action, Where, bindings_at
from confiture_tui.ui.app import ConfitureApp
from confiture_tui.ui.player import Player
from confiture_tui.ui.run_state import RunPhase
from confiture_tui.ui.session import Phase, Topic
from confiture_tui.ui.widgets.replay_bar import ReplayBar

if TYPE_CHECKING:
    from textual.binding import BindingType
    from textual.widget import Widget

    from confiture_tui.service.recording.entries import Asked
    from confiture_tui.service.recording.replay import ReplayService

_TICK_HZ: Final = 20
_PATIENCE: Final = 2 * _TICK_HZ
"""How many ticks an asking waits for the screens to be ready for it."""
_LEAP_S: Final = 10.0


class ReplayApp(ConfitureApp):
    """What was asked then is asked again in its time, and the screens go where it was asked."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.REPLAY)]
    PLACES = (Where.REPLAY,)

    def __init__(
        self,
        service: ReplayService,
        *,
        speed: float = 1.0,
        paused: bool = False,
        actions: tuple[Action, ...] = ACTIONS,
    ) -> None:
        super().__init__(service, actions=actions)
        self.replay = service
        recording = service.recording
        self.player = Player(recording.length, is_whole=recording.is_whole, speed=speed, paused=paused)
        self._ticked = time.monotonic()
        self._held: Asked | None = None
        self._waited = 0

    def companion(self) -> Widget:
        """Where the replay is."""
        return ReplayBar(self.player, self.replay.recording.path.name, self.glyphs)

    def on_mount(self) -> None:
        """The clock starts with the first frame."""
        self._ticked = time.monotonic()
        self.set_interval(1 / _TICK_HZ, self._tick)

    def _tick(self) -> None:
        now = time.monotonic()
        elapsed, self._ticked = now - self._ticked, now
        if self._held is None:
            self.player.go_by(elapsed)
        self._play()

    def _play(self) -> None:
        """Play up to where the clock is; what the screens are not ready for yet holds it up."""
        if self._held is not None:
            self._waited += 1
            if not self._ready_for(self._held) and self._waited < _PATIENCE:
                return
            asked, self._held = self._held, None
            self._follow(asked)
        for asked in self.replay.play_to(self.player.position):
            if not self._ready_for(asked):
                self._held, self._waited = asked, 0
                break
            self._follow(asked)
        for screen in self.screen_stack:
            for bar in screen.query(ReplayBar):
                bar.refresh()

    # What was asked is asked again

    def _ready_for(self, asked: Asked) -> bool:
        """Whether the screens have come as far as those were on which this was asked."""
        session = self.session
        if asked.what in ("open", "status", "assess", "preview", "left_overs"):
            return True
        if session.phase is not Phase.READY:
            return False
        run = session.run
        if asked.what == "run":
            return run.phase is RunPhase.PLANNED
        if asked.what in ("resume", "mark"):
            return run.job is None and any(one.entry.version == asked.version for one in run.left)
        if asked.what == "prepare_run":
            return run.job is None
        return asked.what != "lint" or session.lint.job is None

    def _follow(self, asked: Asked) -> None:
        """Do what was done, on the screen where it was done. What the app reads by itself, it reads by itself."""
        what, version = asked.what, asked.version
        if what == "status" and self.session.phase is Phase.READY:
            self.reading.reload()
        elif what == "dry_run" and version is not None:
            self.go_to(version)
            self.dry_runs.start([version])
        elif what == "prepare_run":
            self.switch_mode("run")
            self.runs.plan_request(RunRequest.model_validate(asked.about))
        elif what == "run":
            self.runs.start(None)
        elif what == "resume":
            for left in self.session.run.left:
                if left.entry.version == version:
                    self.runs.resume(left, None)
        elif what == "mark" and version is not None:
            self.runs.mark(version, None, applied=bool(asked.about.get("applied")))
        elif what == "lint":
            self.switch_mode("lint")
            self.looks.lint()
        elif what == "history":
            self.switch_mode("history")
            self.looks.history()

    # The clock

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A space that is typed is a space."""
        if action == "replay_pause" and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def _seek(self, position: float) -> None:
        """Go there; backwards is from the beginning again."""
        self.player.seek(position)
        if self.player.position < self.replay.position:
            self._begin_again()
        self._play()

    def _begin_again(self) -> None:
        self.workers.cancel_all()
        self._held = None
        self.replay.rewind()
        self._arrived.clear()
        self.event_log.clear()
        self.session.reset()
        for topic in (Topic.OPENED, Topic.MIGRATIONS, Topic.RUN, Topic.LINT, Topic.HISTORY):
            self.changed.publish(topic)
        self.reading.reload()

    def on_replay_bar_clicked(self, message: ReplayBar.Clicked) -> None:
        """To where in the bar it was."""
        self._seek(message.share * self.player.length)

    def action_replay_pause(self) -> None:
        """Stop, or go on; from the end, from the beginning."""
        if self.player.ended:
            self.player.paused = False
            self._seek(0.0)
        else:
            self.player.paused = not self.player.paused
            self._play()

    def action_replay_step(self) -> None:
        """Play what comes next, and stop."""
        self.player.paused = True
        if self._held is None and self.replay.next_at is not None:
            self.player.seek(self.replay.next_at)
        self._play()

    def action_replay_slower(self) -> None:
        """Half as fast."""
        self.player.faster(0.5)

    def action_replay_faster(self) -> None:
        """Twice as fast."""
        self.player.faster(2.0)

    def action_replay_back(self) -> None:
        """Ten seconds back."""
        self._seek(self.player.position - _LEAP_S)

    def action_replay_forward(self) -> None:
        """Ten seconds on."""
        self._seek(self.player.position + _LEAP_S)

    def action_replay_begin(self) -> None:
        """To the beginning."""
        self._seek(0.0)

    def action_replay_end(self) -> None:
        """To the end."""
        self._seek(self.player.length)
