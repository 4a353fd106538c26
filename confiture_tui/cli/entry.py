"""Where the command line starts and where every error ends: a sentence, a hint and an exit code, never a traceback."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from confiture_tui import first_frame
from confiture_tui.cli.completion import VARIABLE
from confiture_tui.cli.output.stdout import ReaderGone, cannot_be_written
from confiture_tui.errors import Cancelled, ConfitureError
from confiture_tui.masking import redacted
from confiture_tui.terminal import safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_PACKAGE = Path(__file__).resolve().parent.parent
EXIT_DEFECT = 1
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
EXIT_CLOSED_PIPE = 141
"""128 + SIGPIPE, what a shell reports for a program whose reader went away."""


def run(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code and raises nothing."""
    _fill_closed_streams()
    _never_fail_to_encode(sys.stdout, sys.stderr)
    try:
        code = _dispatch(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except ConfitureError as error:
        return _end_with(error)
    except (KeyboardInterrupt, asyncio.CancelledError):
        _complain("Cancelled.", "")
        return Cancelled.exit_code
    except (BrokenPipeError, ReaderGone):
        _drop_stdout()
        return EXIT_CLOSED_PIPE
    except OSError as error:
        if error.errno not in _NO_ROOM or error.filename is not None:
            return _end_with_defect(error, arguments)
        # Not only `write_out` prints: a help text goes through Typer.
        return _end_with(cannot_be_written(error))
    except SystemExit as end:
        # Typer's own way out, when the reader of a help text has gone.
        return end.code if isinstance(end.code, int) else EXIT_DEFECT
    except Exception as error:  # noqa: BLE001 - the last door: what nobody foresaw must not show a traceback
        return _end_with_defect(error, arguments)


def _end_with(error: ConfitureError) -> int:
    _complain(error.message, error.hint)
    _drop_unwritten()
    return error.exit_code


def _end_with_defect(error: Exception, arguments: Sequence[str]) -> int:
    _complain_of_defect(error, frames=_debug_asked(arguments))
    return EXIT_DEFECT


def _dispatch(arguments: Sequence[str]) -> int:
    if list(arguments) in ([], ["demo"]) and VARIABLE not in os.environ:
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


def _fill_closed_streams() -> None:
    """Where a standard stream is closed, its number would be given to the next file or socket that is opened.

    ``sys.stdout`` stays ``None`` then, and whoever has a result for it says so; narration may go nowhere.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the program runs


def _never_fail_to_encode(*streams: TextIO | None) -> None:
    """A character that the terminal's encoding lacks is written as an escape instead of ending the program."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _complain(message: str, hint: str) -> None:
    # On the shell's screen, where it stays to be read.
    first_frame.leave()
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


def _drop_unwritten() -> None:
    """Let go of what stdout still keeps and cannot write: the interpreter would complain of it at its end."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        _drop_stdout()


def _drop_stdout() -> None:
    """Keep the interpreter from complaining, at its end, that it could not flush what nobody reads."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
