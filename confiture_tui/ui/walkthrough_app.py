"""The app that leads through the demo: a caption on every screen, and the keys pressed for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.content import Content
from textual.widgets import Input, Static

from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.app import ConfitureApp
from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.walkthrough import STEPS

if TYPE_CHECKING:
    from textual.binding import BindingType
    from textual.widget import Widget

    from confiture_tui.service import MigrationService
    from confiture_tui.ui.walkthrough import Move, Step

_LOOKS_HZ: Final = 15


class Caption(Static):
    """What the walkthrough says."""


class WalkthroughApp(ConfitureApp):
    """Goes from step to step when the user says so.

    Attributes:
        number: of the step that is shown, from 0.
        arrived: everything that its caption speaks of is on the screen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.WALKTHROUGH)]
    PLACES = (Where.WALKTHROUGH,)

    def __init__(self, service: MigrationService, *, captions: bool = True) -> None:
        super().__init__(service)
        self.number = 0
        self.arrived = False
        self._captions = captions
        self._moves: list[Move] = [*STEPS[0].moves]
        self._keys: list[str] = [*self._moves[0].keys]

    @property
    def step(self) -> Step:
        """The one that is shown."""
        return STEPS[self.number]

    def companion(self) -> Widget:
        """The caption."""
        caption = Caption(self._caption(), markup=False)
        caption.display = self._captions
        return caption

    def _caption(self) -> Content:
        last = self.number == len(STEPS) - 1
        how = ("E closes this" if last else "space goes on") if self.arrived else "one moment"
        return Content.assemble(
            (f" {self.number + 1}/{len(STEPS)} ", style("pill")),
            f" {self.step.caption} ",
            (f"{self.glyphs.arrow} {how}", style("key")),
        )

    def _tell(self) -> None:
        for screen in self.screen_stack:
            for caption in screen.query(Caption):
                caption.update(self._caption())
                caption.display = self._captions

    def on_mount(self) -> None:
        """Begin with the first."""
        self.set_interval(1 / _LOOKS_HZ, self._look)

    def _look(self) -> None:
        """Press the next key, or make the next move when the one before has done what it does."""
        # One key each time: what a key does may be to say who gets the next.
        if self._keys:
            self.simulate_key(self._keys.pop(0))
        elif self._moves and self._moves[0].done(self):
            del self._moves[0]
            self._keys = [*self._moves[0].keys] if self._moves else []
        arrived = not self._moves
        if arrived != self.arrived:
            self.arrived = arrived
            self._tell()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A space that is typed is a space."""
        if action == "next_caption" and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def action_next_caption(self) -> None:
        """The next step, once this one is seen."""
        if self.arrived and self.number < len(STEPS) - 1:
            self.number += 1
            self.arrived = False
            self._moves = [*self.step.moves]
            self._keys = [*self._moves[0].keys]
            self._tell()

    def action_end_walkthrough(self) -> None:
        """No more captions; the demo stays open."""
        self._captions = False
        self._moves.clear()
        self._keys.clear()
        self._tell()
