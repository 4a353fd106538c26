"""The options that every command has, before or after the command's name."""

# Typer reads the annotations of this module at run time: they are not postponed.

import copy
import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from confiture_tui.cli.completion import environments, formats, layouts, log_levels, runners
from confiture_tui.config import OutputFormat, Settings
from confiture_tui.errors import UsageError

_KEY = "confiture_tui.given"

OF_FINDINGS = tuple(one for one in OutputFormat if one is not OutputFormat.HTML)
"""The formats in which findings are printed."""


_OF_SHADOWS = ("rows", "clone_dsn", "shadow_dsn")
"""What only a command that tries something has in its help; all take it, for the sake of those before a command."""


class WithRows(StrEnum):
    """What data the shadow holds."""

    NONE = "none"
    SYNTHETIC = "synthetic"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says of the common settings; ``None`` where it says nothing."""

    project: Annotated[
        Path | None,
        typer.Option("--project", metavar="DIR", help="The project's directory; the current one by default."),
    ] = None
    env: Annotated[
        str | None,
        typer.Option(
            "--env",
            metavar="NAME",
            help="The environment: db/environments/NAME.yaml; local by default.",
            autocompletion=environments,
        ),
    ] = None
    dsn: Annotated[
        str | None,
        typer.Option(
            "--dsn",
            metavar="DSN",
            help="The database, as a URL or as key=value. Better without a password: see README.",
        ),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Settings; confiture.yaml of the project by default."),
    ] = None
    migrations_dir: Annotated[
        Path | None,
        typer.Option("--migrations-dir", metavar="DIR", help="Where the migrations are; found by default."),
    ] = None
    read_only: Annotated[
        bool | None, typer.Option("--read-only", help="Nothing may change the database.", show_default=False)
    ] = None
    log_file: Annotated[
        Path | None, typer.Option("--log-file", metavar="FILE", help="Write every event to FILE, one JSON a line.")
    ] = None
    record: Annotated[
        Path | None,
        typer.Option("--record", metavar="FILE", help="Keep the session in FILE, for `confiture-tui replay FILE`."),
    ] = None
    log_level: Annotated[
        str | None,
        typer.Option(
            "--log-level",
            metavar="LEVEL",
            help="What is logged: debug, info, warning or error.",
            autocompletion=log_levels,
        ),
    ] = None
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="How results are printed: text or json; assess, lint and report have more.",
            autocompletion=formats,
        ),
    ] = None
    runner: Annotated[
        str | None,
        typer.Option(
            "--runner",
            metavar="PROFILE",
            help="What will run the migrations: the tool whose they are.",
            autocompletion=runners,
        ),
    ] = None
    layout: Annotated[
        str | None,
        typer.Option(
            "--layout",
            metavar="TOOL",
            help="Whose migrations they are, when their directory does not tell: goose, flyway, …",
            autocompletion=layouts,
        ),
    ] = None
    pg_bin: Annotated[
        Path | None,
        typer.Option("--pg-bin", metavar="DIR", help="PostgreSQL's programs for the shadow; built in by default."),
    ] = None

    rows: Annotated[
        WithRows | None,
        typer.Option(
            "--rows",
            help="What data the shadow holds: none by default, synthetic: a few invented rows in each table that is "
            "touched; full: those of the clone.",
            show_default=False,
        ),
    ] = None
    clone_dsn: Annotated[
        str | None,
        typer.Option(
            "--clone-dsn",
            metavar="DSN",
            help="A copy of the database with its rows, on another server: dry runs are made on copies of it.",
        ),
    ] = None
    shadow_dsn: Annotated[
        str | None,
        typer.Option(
            "--shadow-dsn",
            metavar="DSN",
            help="A server to make shadows on, as a role that may create databases; by default an embedded one.",
        ),
    ] = None

    def over(self, weaker: "Given") -> "Given":
        """These values where they are given, those of ``weaker`` elsewhere."""
        return Given(
            **{
                field.name: getattr(weaker, field.name)
                if getattr(self, field.name) is None
                else getattr(self, field.name)
                for field in fields(self)
            }
        )

    def settings(
        self,
        *,
        needs_database: bool = True,
        formats: Sequence[OutputFormat] = (OutputFormat.TEXT, OutputFormat.JSON),
        **own: Any,
    ) -> Settings:
        """The settings of this run.

        Args:
            needs_database: false when no connection will be made.
            formats: those that the command can print.
            own: settings that the command has options of its own for; ``None`` where nothing was given.

        Raises:
            UsageError: an option, a variable or a file cannot be used.
        """
        if self.format is not None:
            _must_have(self.format, formats)
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        settings = Settings.load(**values, **own, needs_database=needs_database)
        _must_have(settings.format, formats)
        return settings


def _hidden(annotation: Any) -> Any:
    """The same option, left out of the help."""
    kind, option = get_args(annotation)
    option = copy.copy(option)
    option.hidden = True
    return Annotated[kind, option]


def _must_have(form: str, formats: Sequence[OutputFormat]) -> None:
    """Refuse a format in which the command prints nothing, or that there is not.

    Raises:
        UsageError: the command cannot print it.
    """
    if form not in formats:
        raise UsageError(f"This command has no format '{form}'.", hint=f"Formats: {', '.join(formats)}.")


def with_common_options(command: Callable[..., int], *, shadows: bool = False) -> Callable[..., int]:
    """Give a command, whose first parameter is a ``Given``, the common options besides its own parameters.

    Options before the command's name are taken over; those after it win.

    Args:
        command: the command.
        shadows: it makes shadows, so that its help names the options about them.
    """
    own = [*inspect.signature(command, eval_str=True).parameters.values()][1:]
    common = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=_hidden(field.type) if field.name in _OF_SHADOWS and not shadows else field.type,
        )
        for field in fields(Given)
    ]
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]

    @functools.wraps(command)
    def run(ctx: typer.Context, **values: Any) -> int:
        given = Given(**{field.name: values.pop(field.name) for field in fields(Given)})
        given = given.over(ctx.meta.get(_KEY, Given()))
        ctx.meta[_KEY] = given
        if ctx.invoked_subcommand is not None:
            return 0
        return command(given, **values)

    parameters = [context, *own, *common]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect and Typer
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run
