"""Writing a way back that a dry run has derived and proved into the project."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from confiture_tui.errors import ConfitureError, UsageError
from confiture_tui.terminal import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.migrations.model import Migration

_UP = ".up.sql"


def write_derived_down(migration: Migration, result: DryRunResult) -> Path | None:
    """Write the way back beside the migration, and return its file; ``None`` when none was derived.

    A file that is there is never overwritten, and what takes another text of the migration back is not written.

    Raises:
        UsageError: it does not bring the schema back, the migration's file is another by now, or it is not named so
            that it could have one.
        ConfitureError: the file cannot be written.
    """
    derived = result.derived_down
    if derived is None:
        return None
    if not derived.is_proved:
        raise UsageError(
            f"{migration.label}: the way back that was derived does not bring everything back, so it was not written.",
            hint="Take from what the dry run shows of it what is right, and add what it cannot know.",
        )
    path = migration.path
    if path is None or not path.name.endswith(_UP):
        raise UsageError(
            f"{migration.label}: only beside a file named VERSION_NAME{_UP} there can be one that takes it back.",
            hint=f"Rename the file so that it ends with {_UP}.",
        )
    if _checksum(path) != result.checksum:
        raise UsageError(
            f"{migration.label}: its file has changed since it was tried, so the way back was not written.",
            hint="Dry-run it again: the way back is derived from what the migration does.",
        )
    # A file's name may have line breaks: what is behind one would be SQL.
    text = f"-- Takes {one_line(migration.label)} back. Derived and proved by a dry run.\n{derived.sql}"
    target = path.with_name(f"{path.name.removesuffix(_UP)}.down.sql")
    try:
        with target.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except BaseException:
                # Half a way back would be taken for one.
                target.unlink()
                raise
    except FileExistsError:
        raise UsageError(f"{target} is there already: it is never overwritten.") from None
    except OSError as error:
        raise ConfitureError(f"{target} cannot be written: {error.strerror}.") from None
    return target


def _checksum(path: Path) -> str | None:
    """Of the file as it is now; ``None`` where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
