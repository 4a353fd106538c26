"""The command lines that do, without a screen, what the screens show."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.ui.run_state import RunState
    from confiture_tui.ui.session import Session

_OPTIONS: Final = (
    *("project_dir", "config_file", "env", "migrations_dir", "layout", "runner"),
    *("read_only", "pg_bin", "rows"),
)


def command_line(session: Session, words: Sequence[str]) -> str:
    """A command line with the options that this session was started with, safe to show.

    What variables and files say they say to any other command too. A connection that was given by ``--dsn`` is there
    without its password, which belongs into a password file. The demo's database can be reached as long as it is open.
    """
    settings, target = session.service.settings, session.target
    options: list[str] = []
    if session.service.is_demo and session.project is not None and target is not None:
        options = ["--project", str(session.project.directory), "--dsn", target.conninfo]
    else:
        for name in _OPTIONS:
            origin = settings.origins.get(name, "")
            if origin.startswith("--"):
                value = getattr(settings, name)
                options += [origin] if value is True else [origin, str(value)]
        if settings.dsn is not None and target is not None:
            options += ["--dsn", target.conninfo]
    return safe_line(shlex.join(["confiture-tui", *words, *options]))


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
