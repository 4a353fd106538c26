"""``confiture-tui log``: what a log file holds, filtered as the Log screen does."""

# Typer reads the annotations of this module at run time: they are not postponed.

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from confiture_tui.cli.options import Given
from confiture_tui.config import OutputFormat

_AT_ONCE = 1_000
"""How many events are written at once."""


def log(
    given: Given,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="What `--log-file FILE` wrote, an export, or a recording.", show_default=False
        ),
    ],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD]...", help="Only events with these words; key=value asks for a field."),
    ] = None,
    context: Annotated[
        int, typer.Option("--context", metavar="N", min=0, help="How many events around each are shown too.")
    ] = 0,
) -> int:
    """What a log file holds: all of it, or what a filter lets through.

    A word is looked for in the message, the event's name and the migration. `migration=008`, `event=gave_way`,
    `hook=analyze_tables` ask for a field that begins so. `--log-level` says from which level on. With `--format json`
    each event is a line of JSON.

    \b
    Examples:
      confiture-tui log confiture.jsonl migration=008
      confiture-tui log confiture.jsonl --log-level warning --context 5
      confiture-tui log run.jsonl event=lock_wait --format json | jq .data
    """
    import io
    import os
    import sys

    from confiture_tui.cli.output.stdout import write_out
    from confiture_tui.events import Level
    from confiture_tui.observability import write_events
    from confiture_tui.service.log_file import LogFile
    from confiture_tui.service.log_filter import LogFilter, let_through
    from confiture_tui.terminal import one_line, wants_colour

    settings = given.settings(needs_database=False)
    level = settings.log_level if settings.is_given("log_level") else Level.DEBUG
    read = LogFile(file)
    shown = let_through(read.events(), LogFilter(text=" ".join(words or ()), level=level, context=context))
    colours = wants_colour(sys.stdout, os.environ)
    while events := list(islice(shown, _AT_ONCE)):
        out = io.StringIO()
        write_events(events, out, as_json=settings.format is OutputFormat.JSON, colours=colours)
        write_out(out.getvalue())
    if read.unread:
        lines = "1 line" if read.unread == 1 else f"{read.unread:,} lines"
        sys.stderr.write(f"{lines} of {one_line(str(file))} could not be read as an event.\n")
    return 0
