"""Arguments that name files: SQL on disk, or on stdin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.marked import SqlText

STDIN = "-"


def is_file(text: str) -> bool:
    """Whether an argument names files, not a version: ``-``, a path, a directory, or anything that ends in ``.sql``."""
    return text == STDIN or text.lower().endswith(".sql") or "/" in text or "\\" in text or Path(text).is_dir()


def sql_on_stdin() -> SqlText:
    """The SQL that comes on stdin.

    Raises:
        UsageError: it is not UTF-8.
    """
    from confiture_tui.core.migrations.layouts.marked import SqlText

    try:
        return SqlText(sys.stdin.buffer.read().decode("utf-8"), "stdin")
    except UnicodeDecodeError as error:
        raise UsageError(f"Byte {error.start} on stdin is not UTF-8.", hint="Convert it to UTF-8.") from None
