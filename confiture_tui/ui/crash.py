"""What is printed when the app itself fails: enough to report it, and nothing of what was in memory.

Local variables and messages of foreign exceptions may hold a connection string; neither is printed.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import confiture_tui
from confiture_tui.errors import ConfitureError
from confiture_tui.ui.safe_text import safe_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = Path(confiture_tui.__file__).parent
_FRAMES = 8
"""How many of our own frames are printed, innermost last."""


def crash_report(error: BaseException, *, log_file: Path | None) -> str:
    """The report: what happened, the types of the exceptions, where in our code, and where the log is."""
    lines = ["Confiture TUI stopped because of a defect in it. Nothing was changed in the target by this.", ""]
    for one in _chain(error):
        lines.append(f"  {_type_name(one)}")
        if isinstance(one, ConfitureError):
            # Our own sentences hold no secrets: that is what they are for.
            lines.append(f"    {safe_text(str(one))}")
        lines += [f"    at {frame}" for frame in _own_frames(one)]
    lines.append("")
    lines.append(
        f"The log is in {log_file}." if log_file is not None else "Run it again with --log-file FILE to keep a log."
    )
    lines.append("Please report this with the lines above; they hold no data and no password.")
    return "\n".join(lines)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what caused it, outermost first; Textual's wrapper around a worker's error is left out."""
    seen: set[int] = set()
    one: BaseException | None = getattr(error, "error", error) if type(error).__name__ == "WorkerFailed" else error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _own_frames(error: BaseException) -> list[str]:
    frames = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_PACKAGE):
            frames.append(f"{path.relative_to(_PACKAGE.parent)}:{line} in {frame.f_code.co_name}")
    return frames[-_FRAMES:]
