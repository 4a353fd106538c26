"""Every key of the app, once: this table feeds the bindings, the line of keys, the help and the palette.

An action's ``id`` is the name of the method that does it (``action_<id>``), on the app, a screen or a widget, as its
``where`` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.binding import Binding


class Where(StrEnum):
    """Where an action can be done; the values are the headings of the help."""

    EVERYWHERE = "Everywhere"
    REVIEW = "Review"
    LINES = "Lists and text"
    DIALOG = "Questions"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a key does.

    Attributes:
        id: unique; the method is ``action_<id>``.
        where: who does it.
        keys: Textual's names of the keys, the one to show first.
        label: one or two words for the line of keys and the palette.
        help: one sentence for the help and the palette.
        weight: how early it is dropped from the line of keys when that is narrow; 0 is never shown there, 1 is
            dropped last.
        palette: whether the palette offers it.
        running: it belongs to a job that runs: the line of keys shows it then, and only then.
    """

    id: str
    where: Where
    keys: tuple[str, ...]
    label: str
    help: str
    weight: int = 0
    palette: bool = True
    running: bool = False


_E, _R, _L, _D = Where.EVERYWHERE, Where.REVIEW, Where.LINES, Where.DIALOG

ACTIONS: tuple[Action, ...] = (
    Action("dry_run", _R, ("d",), "Dry run", "Try the chosen migration on a disposable shadow of the database.", 1),
    Action("dry_run_all", _R, ("D",), "All", "Dry-run every pending migration, in order.", 4),
    Action("cancel", _R, ("escape", "c"), "Cancel", "Stop the dry run that is under way.", 1, running=True),
    Action("next_pane", _R, ("right_square_bracket", "l", "right"), "Next pane", "Show the next pane.", 5),
    Action("previous_pane", _R, ("left_square_bracket", "h", "left"), "Previous pane", "Show the pane before."),
    Action("open_detail", _R, ("enter",), "Open", "From the list into the statements of the migration.", palette=False),
    Action("reload", _R, ("r",), "Reload", "Read the files and the ledger again."),
    Action("show_review", _E, ("1",), "Review", "The migrations, and what the chosen one does."),
    Action("toggle_log", _E, ("o",), "Log", "Show or hide the log.", 3),
    Action("follow_log", _E, ("F",), "Follow log", "Go to the end of the log and stay there."),
    Action("go_to_migration", _E, ("slash",), "Go to", "Find a migration by its version or name.", 5),
    Action("help", _E, ("question_mark", "f1"), "Help", "The keys that work where you are.", 2),
    Action("command_palette", _E, ("ctrl+p",), "Palette", "Every command, by name.", 6, palette=False),
    Action("change_theme", _E, (), "Change theme", "Choose other colours."),
    Action("request_quit", _E, ("q", "ctrl+c"), "Quit", "Quit; asks first when a job is running.", 2),
    Action("suspend_process", _E, ("ctrl+z",), "Suspend", "Back to the shell; its command fg brings you here again."),
    Action("quit", _E, ("ctrl+q",), "Quit at once", "Quit without a question; a running dry run is cancelled."),
    Action("line_down", _L, ("j", "down"), "Down", "One line down.", palette=False),
    Action("line_up", _L, ("k", "up"), "Up", "One line up.", palette=False),
    Action("page_down_lines", _L, ("ctrl+d", "pagedown", "space"), "Page down", "One page down.", palette=False),
    Action("page_up_lines", _L, ("ctrl+u", "pageup"), "Page up", "One page up.", palette=False),
    Action("first_line", _L, ("g", "home"), "First", "To the first line.", palette=False),
    Action(
        "last_line", _L, ("G", "end"), "Last", "To the last line; in the log this also follows again.", palette=False
    ),
    Action(
        "dismiss_dialog", _D, ("escape", "q", "question_mark"), "Close", "Close without doing anything.", palette=False
    ),
)

_KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
}


def key_name(key: str) -> str:
    """A key as a person reads it: ``^p`` for ``ctrl+p``, ``?`` for ``question_mark``."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    return _KEY_NAMES.get(key, key)


def actions_at(*places: Where) -> tuple[Action, ...]:
    """The actions of these places, in the order of the table."""
    return tuple(action for action in ACTIONS if action.where in places)


def bindings_at(place: Where) -> list[Binding]:
    """Textual's bindings for the actions of one place; that to quit at once works even while a question is asked."""
    from textual.binding import Binding

    return [
        Binding(key, action.id, action.label, tooltip=action.help, show=False, priority=action.id == "quit")
        for action in actions_at(place)
        for key in action.keys
    ]
