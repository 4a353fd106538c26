"""Arguments that name files: SQL on disk, or on stdin."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.errors import Cancelled, UsageError

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.marked import SqlText

STDIN = "-"


def is_file(text: str) -> bool:
    """Whether an argument names files, not a version: ``-``, a path, a directory, or anything that ends in ``.sql``."""
    return text == STDIN or text.lower().endswith(".sql") or "/" in text or "\\" in text or Path(text).is_dir()


def files_or_versions(what: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arguments that name files, and those that name versions.

    Raises:
        UsageError: there are both.
    """
    files = [text for text in what if is_file(text)]
    versions = [text for text in what if text not in files]
    if files and versions:
        raise UsageError(
            f"'{versions[0]}' is a version and '{files[0]}' a file: they cannot be mixed.",
            hint="Name files only, or versions only.",
        )
    return files, versions


def sql_of(files: Sequence[str]) -> list[Path | SqlText]:
    """What these arguments stand for; what comes on stdin is read, which waits for its end.

    Not on an event loop: Ctrl-C would not be heard there before the end.

    Raises:
        UsageError: stdin is closed, or not UTF-8.
        Cancelled: Ctrl-C came first.
    """
    return [_sql_on_stdin() if text == STDIN else Path(text) for text in files]


def _sql_on_stdin() -> SqlText:
    from confiture_tui.core.migrations.layouts.marked import SqlText

    if sys.stdin is None:
        raise UsageError("Nothing can be read from stdin: it is closed.", hint="Name a file, or pipe SQL into it.")
    try:
        return SqlText(sys.stdin.buffer.read().decode("utf-8"), "stdin")
    except KeyboardInterrupt:
        # Typer would end the program without a word.
        raise Cancelled("Cancelled.") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"Byte {error.start} on stdin is not UTF-8.", hint="Convert it to UTF-8.") from None
