"""The options with which a command reaches the same project and the same database as this session."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from confiture_tui.config import Settings
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.service.models import ProjectInfo, TargetInfo

_OPTIONS: Final = (
    *("project_dir", "config_file", "env", "migrations_dir", "layout", "runner"),
    *("read_only", "pg_bin", "rows"),
)


def session_options(
    settings: Settings, project: ProjectInfo | None, target: TargetInfo | None, *, is_demo: bool
) -> list[str]:
    """The options that this session was started with; nothing of them is secret.

    What variables and files say they say to any other command too. A connection that was given by ``--dsn`` is there
    without its password, which belongs into a password file. The demo's database can be reached as long as it is open.
    """
    if is_demo and project is not None and target is not None:
        return ["--project", str(project.directory), "--dsn", target.conninfo]
    options: list[str] = []
    for name in _OPTIONS:
        origin = settings.origins.get(name, "")
        if origin.startswith("--"):
            value = getattr(settings, name)
            options += [origin] if value is True else [origin, str(value)]
    if settings.dsn is not None and target is not None:
        options += ["--dsn", target.conninfo]
    return options


def with_options(result: RunResult, options: list[str]) -> RunResult:
    """The result, whose commands that take it back reach the database that it was made on."""
    words = shlex.join(options)
    return result.model_copy(update={"undo": tuple(f"{command} {words}".rstrip() for command in result.undo)})
