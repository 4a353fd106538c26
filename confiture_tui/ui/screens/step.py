"""One migration of a plan, asked for by itself: proceed, skip, look at it, stop."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.screens.dialog import Dialog
from confiture_tui.ui.widgets.hanging_text import HangingText
from confiture_tui.ui.widgets.sql_view import SqlView
from confiture_tui.ui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType


class StepAnswer(StrEnum):
    """What is to become of the migration."""

    PROCEED = "proceed"
    SKIP = "skip"
    STOP = "stop"


class StepDialog(Dialog[tuple[StepAnswer, str]]):
    """Asks; stop has the focus. The answer comes with the name that was typed, which production demands to proceed."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.STEP), *bindings_at(Where.DIALOG)]

    def __init__(
        self,
        *,
        title: Content,
        choices: Content,
        details: Content,
        sql: str,
        demand: Content | None,
        name: str | None,
        can_skip: bool,
    ) -> None:
        """A question about one migration.

        Args:
            title: which one, and how many there are.
            choices: what each key will do.
            details: its risks and its hooks.
            sql: its text.
            demand: that the name is to be typed; ``None`` where it is not.
            name: the database's name, where it is to be typed.
            can_skip: it can be left out.
        """
        super().__init__()
        self._title, self._choices, self._details, self._sql = title, choices, details, sql
        self._demand, self._database, self._can_skip = demand, name, can_skip

    def compose(self) -> ComposeResult:
        """The title, its details or its SQL, the choices, the answers."""
        self.details = TextPane(id="step-details")
        self.sql = SqlView(id="step-sql")
        with Vertical(id="step"):
            self.title_line = Static(self._title, classes="dialog-title", markup=False)
            yield self.title_line
            yield self.details
            yield self.sql
            yield HangingText(self._choices, id="choices-of-step")
            if self._demand is not None:
                yield Static(self._demand, id="demand", markup=False)
                yield Input(id="typed", compact=True)
            with Horizontal(id="answers"):
                yield Button(Content("Stop"), id="stop", compact=True)
                if self._can_skip:
                    yield Button(Content("Skip"), id="skip", compact=True)
                yield Button(
                    Content("Proceed"), id="proceed", variant="error", compact=True, disabled=self._database is not None
                )

    def on_mount(self) -> None:
        """Enter must do no harm."""
        for typed in self.query(Input):
            typed.cursor_blink = False
        self.details.show(self._details)
        self.sql.show(self._sql)
        self.action_step_details()
        self.query_one("#stop", Button).focus()

    def tell(self, title: Content, details: Content) -> None:
        """What is known of the migration by now: its risk may be assessed only after the question was asked."""
        self._title, self._details = title, details
        if self.is_mounted:
            self.title_line.update(title)
            self.details.show(details, keep_position=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Proceeding is possible once the name is right."""
        self.query_one("#proceed", Button).disabled = event.value != self._database

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter after the right name is as deliberate as the button."""
        if event.value == self._database:
            self.dismiss((StepAnswer.PROCEED, event.value))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The answer."""
        self._answer(StepAnswer(str(event.button.id)))

    def _answer(self, answer: StepAnswer) -> None:
        typed = self.query_one(Input).value if self._database is not None else ""
        self.dismiss((answer, typed))

    def action_step_proceed(self) -> None:
        """Run it; where a name must be typed, the keys go there first."""
        proceed = self.query_one("#proceed", Button)
        if proceed.disabled:
            self.query_one(Input).focus()
        else:
            self._answer(StepAnswer.PROCEED)

    def action_step_skip(self) -> None:
        """Leave it out."""
        if self._can_skip:
            self._answer(StepAnswer.SKIP)

    def action_step_preview(self) -> None:
        """Its SQL."""
        self.details.display, self.sql.display = False, True

    def action_step_details(self) -> None:
        """Its risks and its hooks."""
        self.details.display, self.sql.display = True, False

    def action_dismiss_dialog(self) -> None:
        """Stop."""
        self._answer(StepAnswer.STOP)
