"""Where the command line starts and where every error ends: a sentence, a hint and an exit code, never a traceback."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from confiture_tui.cli.output.stdout import ReaderGone
from confiture_tui.errors import Cancelled, ConfitureError
from confiture_tui.terminal import redacted, safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_PACKAGE = Path(__file__).resolve().parent.parent
EXIT_DEFECT = 1
EXIT_CLOSED_PIPE = 141
"""128 + SIGPIPE, what a shell reports for a program whose reader went away."""


def run(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code and raises nothing."""
    _never_fail_to_encode(sys.stdout, sys.stderr)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except ConfitureError as error:
        _complain(error.message, error.hint)
        return error.exit_code
    except (KeyboardInterrupt, asyncio.CancelledError):
        _complain("Cancelled.", "")
        return Cancelled.exit_code
    except (BrokenPipeError, ReaderGone):
        _drop_stdout()
        return EXIT_CLOSED_PIPE
    except SystemExit as end:
        # Typer's own way out, when the reader of a help text has gone.
        return end.code if isinstance(end.code, int) else EXIT_DEFECT
    except Exception as error:  # noqa: BLE001 - the last door: what nobody foresaw must not show a traceback
        _complain_of_defect(error, frames=_debug_asked(arguments))
        return EXIT_DEFECT


def _dispatch(arguments: Sequence[str]) -> int:
    if list(arguments) in ([], ["demo"]):
        # The app at once: its first frame does not wait for the machinery of options that nobody gave.
        from confiture_tui.cli.open_app import open_app
        from confiture_tui.config import Settings

        return open_app(Settings.load(needs_database=not arguments), demo=bool(arguments))
    import typer

    from confiture_tui.cli.app import build

    command = typer.main.get_command(build())
    try:
        code = command.main(list(arguments), prog_name="confiture-tui", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "confiture-tui"
        _complain(error.format_message(), f"See `{path} --help`.")
        return error.exit_code
    return code if isinstance(code, int) else 0


def _never_fail_to_encode(*streams: TextIO) -> None:
    """A character that the terminal's encoding lacks is written as an escape instead of ending the program."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _complain(message: str, hint: str) -> None:
    lines = [f"confiture-tui: {safe_text(message)}"]
    if hint:
        lines.append(f"  {safe_text(hint)}")
    try:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
    except OSError:
        # Nobody reads stderr any more: the exit code is all that is left to say.
        return


def _complain_of_defect(error: Exception, *, frames: bool) -> None:
    """A calm line with the type and the place of an error that nobody foresaw; its text may hold secrets."""
    stack = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in stack if _PACKAGE in Path(frame.filename).parents] or list(stack)
    where = f"{_place(ours[-1])}" if ours else "an unknown place"
    hint = "This is a defect of confiture-tui; please report it."
    if not frames:
        hint += " With --log-level debug it shows the way there."
    _complain(f"Something went wrong inside: {type(error).__name__} in {where}.", hint)
    if frames:
        for line in (*(f"    {_place(frame)}, in {frame.name}" for frame in stack), f"    {redacted(str(error))}"):
            sys.stderr.write(safe_text(line) + "\n")


def _place(frame: traceback.FrameSummary) -> str:
    path = Path(frame.filename)
    inside = path.relative_to(_PACKAGE.parent) if _PACKAGE in path.parents else Path(path.name)
    return f"{inside}, line {frame.lineno}"


def _debug_asked(arguments: Sequence[str]) -> bool:
    text = " ".join(arguments).lower()
    return bool(re.search(r"--log-level[ =]debug\b", text)) or os.environ.get("CONFITURE_LOG_LEVEL", "") == "debug"


def _drop_stdout() -> None:
    """Keep the interpreter from complaining, at its end, that it could not flush what nobody reads."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
