"""Reading migration files: bytes to text, with findings where a file is not what it should be."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.model import Finding, file_label
from confiture_tui.core.sql.script import Script

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A file of SQL as it was read: its script, the SHA-256 of its bytes in hexadecimal, and what is to be said."""

    script: Script
    checksum: str
    findings: tuple[Finding, ...]


def read_sql_file(path: Path) -> SqlFile:
    """Read a file of SQL: UTF-8, with or without a byte order mark, with its line ends as they are.

    Never raises: a file that cannot be read, or is not UTF-8, has an ``error`` finding; so that nobody takes it for
    what was meant, the statements with bytes outside UTF-8 have a ``problem``, and an unreadable file is empty.
    """
    content, finding = read_bytes(path)
    if content is None:
        return SqlFile(Script(""), "", (finding,) if finding else ())
    script = Script(content.decode(errors="surrogateescape"))
    return SqlFile(script, hashlib.sha256(content).hexdigest(), tuple(_findings(path, content, script)))


def is_file(path: Path) -> bool:
    """Whether it is a regular file, or leads to one; not, where that may not be asked."""
    return _is(stat.S_ISREG, path)


def is_directory(path: Path) -> bool:
    """Whether it is a directory, or leads to one; not, where that may not be asked."""
    return _is(stat.S_ISDIR, path)


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    try:
        return kind(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def read_bytes(path: Path) -> tuple[bytes | None, Finding | None]:
    """The bytes of a regular file; or ``None`` and why they cannot be had."""
    try:
        # A pipe would be waited for, so what it is must be known before it is opened.
        if not stat.S_ISREG(path.stat().st_mode):
            message = f"{file_label(path)} is not a regular file, so it was not read; replace it by one or rename it."
            return None, Finding(code="unreadable-file", message=message, path=path, level="error")
        return path.read_bytes(), None
    except OSError as error:
        message = (
            f"{file_label(path)} cannot be read: {error.strerror or error}. Check that it exists and its permissions."
        )
        return None, Finding(code="unreadable-file", message=message, path=path, level="error")


def _findings(path: Path, content: bytes, script: Script) -> list[Finding]:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [
            Finding(
                code="not-utf-8",
                message=f"{file_label(path)} is not UTF-8: line {line}, byte {error.start} (counted from 0) is "
                f"0x{content[error.start]:02x}. Save it as UTF-8.",
                path=path,
                line=line,
                level="error",
            )
        ]
    return [empty_file(path)] if script.is_blank else []


def empty_file(path: Path) -> Finding:
    """The warning that a file of a migration does nothing."""
    message = (
        f"{file_label(path)} holds no statement: it changes nothing, yet would be recorded as applied. "
        f"Write what it is to do, or take it away."
    )
    return Finding(code="empty-file", message=message, path=path, level="warning")
