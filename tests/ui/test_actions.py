from __future__ import annotations

from collections import Counter

import pytest

from confiture_tui.ui.actions import ACTIONS, Action, Where, actions_at, bindings_at, key_name, reachable_at
from confiture_tui.ui.app import ConfitureApp
from confiture_tui.ui.presenters.keys import help_text, key_hints, key_line
from confiture_tui.ui.replay_app import ReplayApp
from confiture_tui.ui.screens.choose import ChooseDialog
from confiture_tui.ui.screens.confirm import ConfirmDialog
from confiture_tui.ui.screens.deliberate import DeliberateDialog
from confiture_tui.ui.screens.help import HelpScreen
from confiture_tui.ui.screens.history import HistoryScreen
from confiture_tui.ui.screens.lint import LintScreen
from confiture_tui.ui.screens.log import LogScreen
from confiture_tui.ui.screens.review import ReviewScreen
from confiture_tui.ui.screens.run import RunScreen
from confiture_tui.ui.screens.step import StepDialog
from confiture_tui.ui.walkthrough_app import WalkthroughApp
from confiture_tui.ui.widgets.lines import LinesView
from confiture_tui.ui.widgets.schema_tree import SchemaTree
from confiture_tui.ui.widgets.text_pane import TextPane

DOERS: dict[Where, list[type]] = {
    Where.EVERYWHERE: [ConfitureApp],
    Where.REPLAY: [ReplayApp],
    Where.WALKTHROUGH: [WalkthroughApp],
    Where.REVIEW: [ReviewScreen],
    Where.RUN: [RunScreen],
    Where.LINT: [LintScreen],
    Where.HISTORY: [HistoryScreen],
    Where.LOG: [LogScreen],
    Where.LINES: [LinesView, TextPane, SchemaTree],
    Where.STEP: [StepDialog],
    Where.DIALOG: [HelpScreen, ConfirmDialog, DeliberateDialog, ChooseDialog, StepDialog],
}


def test_ids_are_unique() -> None:
    assert [one for one, count in Counter(action.id for action in ACTIONS).items() if count > 1] == []


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_is_done_by_somebody_and_explained(action: Action) -> None:
    for doer in DOERS[action.where]:
        assert callable(getattr(doer, f"action_{action.id}", None)), doer
    assert action.label
    assert action.help.endswith(".")


@pytest.mark.parametrize("place", Where)
def test_no_key_does_two_things_in_one_place(place: Where) -> None:
    keys = Counter(key for action in actions_at(place) for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []


@pytest.mark.parametrize("place", [Where.REVIEW, Where.RUN, Where.LINT, Where.HISTORY, Where.LOG])
def test_no_key_of_a_screen_hides_one_that_works_everywhere_but_that_which_searches(place: Where) -> None:
    own = {key for action in actions_at(place) for key in action.keys}
    everywhere = {key for action in actions_at(Where.EVERYWHERE) for key in action.keys}
    assert own & everywhere <= {"slash"}
    assert not own & {key for action in actions_at(Where.LINES) for key in action.keys}


def test_of_two_actions_for_one_key_the_screen_s_own_is_told() -> None:
    actions = {action.id: action for action in reachable_at(Where.LINT, Where.EVERYWHERE)}
    assert actions["filter_findings"].keys == ("slash",)
    assert actions["go_to_migration"].keys == ()
    hints = key_hints(actions.values(), width=500, running=False)
    assert [hint.action.id for hint in hints if hint.key == "/"] == ["filter_findings"]
    assert "Find a migration" not in help_text([Where.LINT, Where.EVERYWHERE]).plain


@pytest.mark.parametrize("place", Where)
def test_bindings_are_the_table(place: Where) -> None:
    assert [(binding.key, binding.action) for binding in bindings_at(place)] == [
        (key, action.id) for action in actions_at(place) for key in action.keys
    ]


def test_the_help_names_every_key_of_the_place() -> None:
    text = help_text([Where.REVIEW, Where.EVERYWHERE]).plain
    for action in actions_at(Where.REVIEW, Where.EVERYWHERE):
        for key in action.keys:
            assert f" {key_name(key)} " in text.replace("\n", " ")
        if action.keys:
            assert action.help in text


@pytest.mark.parametrize("width", range(8, 140))
def test_the_line_of_keys_fits_and_keeps_the_most_important(width: int) -> None:
    actions = actions_at(Where.REVIEW, Where.EVERYWHERE)
    hints = key_hints(actions, width=width, running=False)
    assert hints[0].action.id == "dry_run"
    if len(hints) > 1:
        assert key_line(hints).plain.rstrip().__len__() <= width
    dropped = {action.weight for action in actions if action.weight and not action.running} - {
        h.action.weight for h in hints
    }
    assert all(weight >= max(hint.action.weight for hint in hints) for weight in dropped)


def test_cancel_is_only_offered_while_something_runs() -> None:
    actions = actions_at(Where.REVIEW, Where.EVERYWHERE)
    idle = [hint.action.id for hint in key_hints(actions, width=200, running=False)]
    busy = [hint.action.id for hint in key_hints(actions, width=200, running=True)]
    assert "cancel" not in idle
    assert "cancel" in busy


def test_hints_stand_where_the_line_shows_them() -> None:
    hints = key_hints(actions_at(Where.REVIEW, Where.EVERYWHERE), width=200, running=True)
    line = key_line(hints).plain
    for hint in hints:
        assert line[hint.start : hint.end] == f"{hint.key} {hint.action.label}"
