"""Every key of the app, once: this table feeds the bindings, the line of keys, the help and the palette.

An action's ``id`` is the name of the method that does it (``action_<id>``), on the app, a screen or a widget, as its
``where`` says. A user may give an action other keys (``keymap.py``): ``use`` puts those into force before the app is
made, and whoever names a key asks ``key_of`` for it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.binding import Binding


class Where(StrEnum):
    """Where an action can be done; the values are the headings of the help."""

    EVERYWHERE = "Everywhere"
    REPLAY = "Replay"
    WALKTHROUGH = "Walkthrough"
    REVIEW = "Review"
    RUN = "Run"
    LINT = "Lint"
    HISTORY = "History"
    LOG = "Log"
    STEP = "One by one"
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

    @property
    def is_of_app(self) -> bool:
        """Whether the app does it, not a screen."""
        return self.where in (Where.EVERYWHERE, Where.REPLAY, Where.WALKTHROUGH)


_E, _R, _L, _D = Where.EVERYWHERE, Where.REVIEW, Where.LINES, Where.DIALOG
_N, _T, _H, _G = Where.RUN, Where.LINT, Where.HISTORY, Where.LOG
_P, _W = Where.REPLAY, Where.WALKTHROUGH
_S = Where.STEP

ACTIONS: tuple[Action, ...] = (
    Action("replay_pause", _P, ("space",), "Pause", "Stop the replay where it is, or go on.", 1),
    Action("replay_step", _P, ("full_stop",), "Step", "Play what comes next, and stop.", 1),
    Action("replay_slower", _P, ("less_than_sign",), "Slower", "Half as fast.", 2),
    Action("replay_faster", _P, ("greater_than_sign",), "Faster", "Twice as fast.", 2),
    Action("replay_back", _P, ("left_parenthesis",), "-10 s", "Ten seconds back.", 2),
    Action("replay_forward", _P, ("right_parenthesis",), "+10 s", "Ten seconds on.", 2),
    Action("replay_begin", _P, ("left_curly_bracket",), "Beginning", "To the beginning."),
    Action("replay_end", _P, ("right_curly_bracket",), "End", "To the end."),
    Action("next_caption", _W, ("space",), "Next", "Go on with the walkthrough.", 1),
    Action("end_walkthrough", _W, ("E",), "End it", "End the walkthrough; the demo stays open.", 3),
    Action("dry_run", _R, ("d",), "Dry run", "Try the chosen migration on a disposable shadow of the database.", 1),
    Action("dry_run_all", _R, ("D",), "Try all", "Dry-run every pending migration, in order.", 6),
    Action("cancel", _R, ("escape", "c"), "Cancel", "Stop the dry run that is under way.", 1, running=True),
    Action("next_pane", _R, ("right_square_bracket", "l", "right"), "Next pane", "Show the next pane.", 3),
    Action("previous_pane", _R, ("left_square_bracket", "h", "left"), "Previous pane", "Show the pane before."),
    Action("next_risk", _R, ("n",), "Next risk", "Choose the next risk, and its statement.", 6),
    Action("previous_risk", _R, ("N",), "Risk before", "Choose the risk before, and its statement."),
    Action("sort_migrations", _R, ("s",), "Worst first", "The most dangerous migrations first, or in order again.", 5),
    Action("open_detail", _R, ("enter",), "Into it", "From the list into the pane of the migration.", 4, palette=False),
    Action("reload", _R, ("r",), "Reload", "Read the files and the ledger again."),
    Action("run_plan", _N, ("a",), "Run it", "Run the plan that is shown, after a question.", 1),
    Action("limit_here", _N, ("t",), "To here", "Go as far as the chosen migration, and no further.", 2),
    Action("step_through", _N, ("p",), "One by one", "Be asked for each migration: proceed, skip, look, stop.", 2),
    Action("skip_chosen", _N, ("x",), "Skip", "Leave the chosen migration out of the plan, or take it in again.", 3),
    Action("export_summary", _N, ("e",), "Export", "Write the summary of the run into a file, as Markdown.", 2),
    Action("plan_backward", _N, ("b",), "Take back", "Plan to take the last migration back; nothing is run yet.", 3),
    Action("plan_forward", _N, ("f",), "Apply", "Plan to apply what is pending; nothing is run yet.", 3),
    Action("allow_objections", _N, ("w",), "Allow", "Allow what speaks against the plan, after a question.", 2),
    Action("resume_left", _N, ("s",), "Resume", "Go on with the chosen migration, which stopped half-way.", 1),
    Action("clean_up_left", _N, ("u",), "Clean up", "Drop the invalid indexes that what stopped half-way has left.", 2),
    Action("mark_applied", _N, ("m",), "Mark applied", "What stopped half-way is to count as applied.", 2),
    Action("mark_pending", _N, ("M",), "Mark pending", "What stopped half-way is to count as pending.", 2),
    Action("cancel_run", _N, ("escape", "c"), "Cancel", "Stop what is under way.", 1, running=True),
    Action("open_run_detail", _N, ("enter",), "Open", "From the list into the text beside it.", palette=False),
    Action("plan_again", _N, ("r",), "Plan again", "Look at files, ledger and target again.", 3),
    Action("filter_findings", _T, ("slash",), "Filter", "Show only findings with these words.", 1),
    Action("only_added", _T, ("n",), "New only", "Show only what the pending migrations add, or all again.", 1),
    Action("group_findings", _T, ("v",), "Group", "Group by severity, by rule, by object.", 3),
    Action("ignore_finding", _T, ("i",), "Ignore", "Let the chosen finding pass from now on, for a reason.", 3),
    Action("baseline_findings", _T, ("B",), "Baseline", "Let all that is found now pass, after a question.", 5),
    Action(
        "leave_findings",
        _T,
        ("escape",),
        "Back",
        "Clear the filter; stop linting while it is under way.",
        palette=False,
    ),
    Action("open_finding", _T, ("enter",), "Open", "From the list into the chosen finding, and back.", palette=False),
    Action("lint_again", _T, ("r",), "Lint again", "Look at the database and the files again.", 3),
    Action("open_run", _H, ("enter",), "Open", "From the list into the chosen run, and back.", palette=False),
    Action("leave_run", _H, ("escape",), "Back", "Back to the list.", palette=False),
    Action("history_again", _H, ("r",), "Reload", "Read the journal and the ledger again.", 2),
    Action("filter_log", _G, ("slash",), "Filter", "Show only lines with these words, or key=value.", 1),
    Action("log_level", _G, ("v",), "Level", "From which level on lines are shown.", 1),
    Action("log_details", _G, ("enter",), "Details", "Everything that the chosen line's event holds, or hide it.", 1),
    Action("log_go_to", _G, ("t",), "Go to it", "To the migration or statement that the line speaks of.", 2),
    Action("log_context", _G, ("c",), "Context", "Show the lines around those that pass the filter: 2, 5, or none.", 3),
    Action("only_migration", _G, ("m",), "Its migration", "Only the lines of the chosen line's migration."),
    Action("only_event", _G, ("n",), "Its event", "Only the lines with the chosen line's event."),
    Action("export_log", _G, ("e",), "Export", "Write all lines that are shown into a file, as JSON Lines.", 2),
    Action("leave_log_filter", _G, ("escape",), "Clear", "Show all lines again.", 3),
    Action("copy", _E, ("y",), "Copy", "Choose what of this screen to copy: text, Markdown, the command line.", 5),
    Action("copy_command", _E, ("C",), "Copy command", "Copy the command line that gives the same without a screen."),
    Action("show_review", _E, ("1",), "Review", "The migrations, and what the chosen one does.", 6),
    Action("show_dry_run", _E, ("2",), "Dry run", "The dry run of the chosen migration.", palette=False),
    Action(
        "show_lint", _E, ("3",), "Lint", "What is wrong with the schema, and what pending migrations change in that.", 4
    ),
    Action("show_run", _E, ("4",), "Run", "Apply pending migrations, or take some back.", 3),
    Action("show_history", _E, ("5",), "History", "What was run, when, and by whom.", 7),
    Action("show_log", _E, ("6",), "Full log", "The log at full height, with a filter.", 7),
    Action("toggle_log", _E, ("o",), "Log", "Show or hide the log.", 3),
    Action("follow_log", _E, ("F",), "Follow log", "Go to the end of the log and stay there."),
    Action("back_to_log", _E, ("backspace",), "Back to log", "Back to the line of the log that led here.", 1),
    Action("go_to_migration", _E, ("slash",), "Go to", "Find a migration by its version or name.", 5),
    Action("open_files", _E, ("O",), "Open files", "Open a directory of migrations, or any SQL file."),
    Action("connect", _E, ("T",), "Connect", "Open this project on another database."),
    Action("open_demo", _E, ("E",), "Open the demo", "Open the demo shop on a server of its own."),
    Action("help", _E, ("question_mark", "f1"), "Help", "The keys that work where you are.", 2),
    Action("command_palette", _E, ("ctrl+p",), "Palette", "Every command, by name.", 6, palette=False),
    Action("change_theme", _E, (), "Change theme", "Choose other colours, and keep them."),
    Action("write_keys", _E, (), "Keys file", "Write a file that names every action, to give them other keys."),
    Action("request_quit", _E, ("q", "ctrl+c"), "Quit", "Quit; asks first when a job is running.", 1),
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
    Action("step_proceed", _S, ("p",), "Proceed", "Run this migration now, and ask for the next one.", palette=False),
    Action("step_skip", _S, ("x",), "Skip", "Leave this migration out; it stays pending.", palette=False),
    Action("step_preview", _S, ("v",), "Preview", "Show its SQL.", palette=False),
    Action("step_details", _S, ("d",), "Details", "Show its risks and its hooks.", palette=False),
    Action("pick_choice", _D, ("enter",), "Take", "Take what is chosen in a list of choices.", palette=False),
    Action("next_answer", _D, ("right",), "Next answer", "From one answer to the next.", palette=False),
    Action("previous_answer", _D, ("left",), "Answer before", "To the answer before.", palette=False),
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
    "full_stop": ".",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
}


def key_name(key: str) -> str:
    """A key as a person reads it: ``^p`` for ``ctrl+p``, ``?`` for ``question_mark``."""
    if key.startswith("ctrl+"):
        return f"^{key.removeprefix('ctrl+')}"
    if key not in _KEY_NAMES and "_" in key:
        # A sign that only a user's own keys have: Textual names it as Unicode does.
        try:
            return unicodedata.lookup(key.replace("_", " "))
        except KeyError:
            return key
    return _KEY_NAMES.get(key, key)


_in_force: tuple[Action, ...] = ACTIONS


def use(actions: tuple[Action, ...]) -> None:
    """Put a table into force, which has the actions of ``ACTIONS`` with other keys; before the app is made."""
    global _in_force
    _in_force = actions


def key_of(action_id: str) -> str:
    """The first key of an action, as a person reads it; where it has none, that the palette has it."""
    keys = next(action.keys for action in _in_force if action.id == action_id)
    return key_name(keys[0]) if keys else f"{key_of('command_palette')} {action_id}"


def actions_at(*places: Where) -> tuple[Action, ...]:
    """The actions of these places, in the order of the table."""
    return tuple(action for action in _in_force if action.where in places)


def reachable_at(*places: Where) -> tuple[Action, ...]:
    """The actions of these places with the keys that reach them; of two for one key, that of the first place is done.

    Args:
        places: the most particular first.
    """
    taken: set[str] = set()
    found: dict[str, Action] = {}
    for place in places:
        own = actions_at(place)
        for action in own:
            found[action.id] = replace(action, keys=tuple(key for key in action.keys if key not in taken))
        taken.update(key for action in own for key in action.keys)
    return tuple(found[action.id] for action in _in_force if action.id in found)


_FIRST = frozenset({"quit", "replay_pause", "next_caption"})
"""What is done before whatever has the focus sees the key."""


def bindings_at(place: Where) -> list[Binding]:
    """Textual's bindings for the actions of one place, with the keys of ``ACTIONS``: the app replaces them.

    That to quit at once works even while a question is asked.
    """
    from textual.binding import Binding

    return [
        Binding(
            key, action.id, action.label, tooltip=action.help, show=False, priority=action.id in _FIRST, id=action.id
        )
        for action in ACTIONS
        if action.where is place
        for key in action.keys
    ]
