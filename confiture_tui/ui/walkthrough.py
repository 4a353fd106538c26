"""The walkthrough of the demo: what is said, which keys are pressed for it, and by what it is seen to be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_tui.ui.run_state import RunPhase

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_tui.ui.app import ConfitureApp


@dataclass(frozen=True, slots=True)
class Move:
    """Keys, by Textual's names, and what holds once they have done what they do."""

    keys: tuple[str, ...]
    done: Callable[[ConfitureApp], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One caption, and the moves that lead to what it speaks of.

    Attributes:
        caption: a sentence or three.
        moves: one after the other, each begun when the one before is done.
        picture: the name of the picture that the README has of it, if it has one.
    """

    caption: str
    moves: tuple[Move, ...]
    picture: str | None = None


def _in(mode: str) -> Callable[[ConfitureApp], bool]:
    return lambda app: app.current_mode == mode


def _chosen(version: str) -> Callable[[ConfitureApp], bool]:
    def done(app: ConfitureApp) -> bool:
        from confiture_tui.ui.screens.review import ReviewScreen

        screen = app.screen
        chosen = screen.chosen if isinstance(screen, ReviewScreen) else None
        return chosen is not None and chosen.version == version

    return done


def _assessed(app: ConfitureApp) -> bool:
    return bool(app.session.assessments) and not app.session.assessing


def _planned(app: ConfitureApp, *, count: int) -> bool:
    run = app.session.run
    return run.phase is RunPhase.PLANNED and run.prepared is not None and len(run.prepared.plan.migrations) == count


def _asked(app: ConfitureApp) -> bool:
    from confiture_tui.ui.screens.dialog import Dialog

    return isinstance(app.screen, Dialog)


def _filtered(app: ConfitureApp) -> bool:
    from confiture_tui.ui.screens.log import LogScreen

    screen = app.screen
    return isinstance(screen, LogScreen) and screen.details.display and screen.shown.is_complete


STEPS: tuple[Step, ...] = (
    Step(
        "A jam shop on a PostgreSQL of its own, with twelve migrations to apply; some of them are bad on purpose. "
        "Each has been assessed: how dangerous it is, and why.",
        (Move((), _assessed),),
    ),
    Step(
        "009_jar_seal gives every order line a new column. Below: what each statement locks and rewrites, and for how "
        "long, before anything is tried.",
        (Move(("g", "j"), _chosen("009")),),
        "review",
    ),
    Step(
        "The risks, each with what it rests on, what to do instead, and the safe SQL.",
        (Move(("right_square_bracket",), _chosen("009")),),
        "risk",
    ),
    Step(
        "d tries it: on a shadow, a copy of the shop on a second server. What was seen stands beside what was "
        "predicted, and nothing stays.",
        (
            Move(("d",), lambda app: "009" in app.session.results and app.session.job is None),
            Move(("2",), _in("review")),
        ),
        "dry-run",
    ),
    Step(
        "Lint: what is wrong with the schema itself, and what these migrations would add or mend. Each finding has the "
        "SQL that mends it.",
        (Move(("3",), lambda app: _in("lint")(app) and app.session.lint.result is not None),),
        "lint",
    ),
    Step(
        "Running is a plan first: what it rests on, what speaks against it, hooks, time-outs. Nothing runs without a "
        "deliberate yes. Here it goes as far as the first migration.",
        (
            Move(("4",), lambda app: app.session.run.phase is RunPhase.PLANNED),
            Move(("g", "t"), lambda app: _planned(app, count=1)),
        ),
        "run",
    ),
    Step(
        "The yes, in the demo only: hooks before, the statement with a short lock time-out, hooks after. Then what it "
        "took, and the command that takes it back.",
        (Move(("a",), _asked), Move(("tab", "enter"), lambda app: app.session.run.phase is RunPhase.ENDED)),
        "run-result",
    ),
    Step(
        "History: what was run, when, by whom, how long it took; and what stopped half-way, had there been a crash.",
        (Move(("5",), lambda app: _in("history")(app) and app.session.history.entries is not None),),
        "history",
    ),
    Step(
        "The log has every event. Here only what the run said of 008, one of them opened. t goes to what a line speaks "
        "of, e writes what is shown into a file.",
        (
            Move(("6",), _in("log")),
            Move(("slash", *"migration=008", "enter", "enter"), _filtered),
        ),
        "log",
    ),
    Step(
        "That is all of it. The demo stays open: look around, ? helps wherever you are. Your own project: run "
        "confiture-tui in its directory.",
        (Move(("escape", "1"), _in("review")),),
    ),
)
