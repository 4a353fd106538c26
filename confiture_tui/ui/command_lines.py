"""The command lines that do, without a screen, what the screens show."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from confiture_tui.ui.safe_text import safe_line

_OF_FILES: Final = frozenset({"assess", "preview", "dry-run"})
"""The commands that take a file of no project."""

if TYPE_CHECKING:
    from confiture_tui.ui.run_state import RunState
    from confiture_tui.ui.session import Session


def command_line(session: Session, words: Sequence[str]) -> str:
    """A command line with the options that this session was started with, safe to show."""
    from confiture_tui.service.command_lines import session_options

    service = session.service
    command = words[0] if words else None
    options = session_options(
        service.settings, session.project, session.target, is_demo=service.is_demo, command=command
    )
    return plain_command_line([*words, *options])


def plain_command_line(words: Sequence[str]) -> str:
    """A command line that needs neither this project nor its database, safe to show."""
    return safe_line(shlex.join(["confiture-tui", *words]))


def words_for_file(session: Session, words: Sequence[str]) -> Sequence[str] | None:
    """The same words where one file is looked at by itself; ``None`` where no command does that with a file."""
    alone = session.project.alone if session.project is not None else None
    if alone is None:
        return words
    if words[0] not in _OF_FILES:
        return None
    return [words[0], str(alone)]


def run_words(state: RunState) -> list[str]:
    """The plan that is shown as a command."""
    request = state.request
    words = ["rollback" if state.is_backward else "apply"]
    if request is not None:
        if request.to is not None:
            words += ["--to", request.to]
        if request.skip:
            words += ["--skip", ",".join(sorted(request.skip))]
        if request.steps is not None:
            words += ["--steps", str(request.steps)]
        if request.allowed:
            words += ["--allow", ",".join(sorted(request.allowed))]
    return words
