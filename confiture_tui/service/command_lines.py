"""The options with which a command reaches the same project and the same database as this session."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from confiture_tui.config import Settings
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.service.places import ProjectInfo, TargetInfo

_OPTIONS: Final = (
    *("project_dir", "config_file", "env", "migrations_dir", "layout", "runner"),
    *("read_only", "pg_bin"),
)
_ON_SHADOWS: Final = frozenset({"dry-run", "lint", "report"})
"""The commands that make shadows."""
_ASSESS: Final = "assess"


def session_options(
    settings: Settings,
    project: ProjectInfo | None,
    target: TargetInfo | None,
    *,
    is_demo: bool,
    command: str | None = None,
) -> list[str]:
    """The options that this session was started with; nothing of them is secret.

    ``command`` is the one that they are for: those that say what a shadow is made of are for what makes one.

    What variables and files say they say to any other command too. A connection that was given by ``--dsn`` is there
    without its password, which belongs into a password file. The demo's database can be reached as long as it is open.
    """
    if is_demo and project is not None and target is not None:
        return ["--project", str(project.directory), "--dsn", target.conninfo]
    options: list[str] = []
    alone = project is not None and project.alone is not None
    for name in _OPTIONS:
        origin = settings.origins.get(name, "")
        if alone and name == "migrations_dir":
            continue
        if origin.startswith("--"):
            value = getattr(settings, name)
            options += [origin] if value is True else [origin, str(value)]
    # Files are assessed without a database, unless the command line names one.
    if target is not None and (settings.dsn is not None or (alone and command == _ASSESS)):
        options += ["--dsn", target.conninfo]
    if command in _ON_SHADOWS:
        options += _of_shadows(settings)
    return options


def _of_shadows(settings: Settings) -> list[str]:
    """Where shadows are made, and of what rows; connection strings without their passwords."""
    from confiture_tui.database.dsn import Dsn

    options: list[str] = []
    for name in ("clone_dsn", "shadow_dsn"):
        origin, given = settings.origins.get(name, ""), getattr(settings, name)
        if origin.startswith("--") and given is not None:
            options += [origin, Dsn.of(given.get_secret_value(), source=origin).display(masked=False)]
    if settings.origins.get("rows", "").startswith("--"):
        options += ["--rows", settings.rows]
    return options


def with_options(result: RunResult, options: list[str]) -> RunResult:
    """The result, whose commands that take it back reach the database that it was made on."""
    words = shlex.join(options)
    return result.model_copy(update={"undo": tuple(f"{command} {words}".rstrip() for command in result.undo)})
