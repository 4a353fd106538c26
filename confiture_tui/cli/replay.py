"""``confiture-tui replay``: a recorded session, in the app."""

# Typer reads the annotations of this module at run time: they are not postponed.

from pathlib import Path
from typing import Annotated

import typer

from confiture_tui.cli.options import Given


def replay(
    given: Given,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `--record FILE` wrote.", show_default=False)],
    speed: Annotated[
        float, typer.Option("--speed", metavar="N", min=0.25, max=64, help="How many times as fast as it happened.")
    ] = 1.0,
    paused: Annotated[bool, typer.Option("--paused", help="Begin standing still.")] = False,
) -> int:
    """See a recorded session again, in the same screens.

    No database and no file of the project is needed, and none is touched. Space stops and goes on, `.` goes one step,
    `<` and `>` change the speed, `(` and `)` go ten seconds back and on.

    \b
    Examples:
      confiture-tui apply --record run.jsonl
      confiture-tui replay run.jsonl
      confiture-tui replay run.jsonl --speed 8
    """
    from confiture_tui.cli.open_app import open_replay

    return open_replay(file, speed=speed, paused=paused)
