"""From files to migrations: what the layouts do alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from confiture_tui.core.migrations.files import SqlFile, empty_file, read_bytes, read_sql_file
from confiture_tui.core.migrations.layouts.base import OpaqueMigration
from confiture_tui.core.migrations.model import Finding, Migration, file_label

Section = tuple[int, int]
_OF_THE_DIRECTORY_ABOVE = frozenset({"up.sql", "down.sql", "migration.sql"})
_DIRECTORIES_BELOW = frozenset({"deploy", "committed"})


def directory_of(path: Path) -> Path:
    """The directory of migrations that a file of one would be in."""
    below = path.name in _OF_THE_DIRECTORY_ABOVE or path.parent.name in _DIRECTORIES_BELOW
    return path.parent.parent if below else path.parent


@dataclass(frozen=True, slots=True)
class Divided:
    """A file that holds both directions.

    Attributes:
        up, down: the sections, as offsets; ``None`` where the file has none.
        up_transactional, down_transactional: what a mark says of running them in a transaction.
        findings: what is wrong with its marks.
    """

    up: Section | None
    down: Section | None
    up_transactional: bool | None = None
    down_transactional: bool | None = None
    findings: tuple[Finding, ...] = ()


def pair(
    version: str,
    name: str,
    up_path: Path,
    down_path: Path | None,
    *,
    transactional: bool | None = None,
    down_transactional: bool | None = None,
    expected_down: str | None = None,
    repeatable: bool = False,
) -> Migration:
    """The migration that a file is, with another one as its way back.

    Args:
        transactional: what a mark says of running it in a transaction.
        down_transactional: the same of its way back.
        expected_down: the name of the file that the tool would look for, to be said when there is none; ``None`` for a
            tool that takes nothing back.
        repeatable: it is run again whenever it changes.
    """
    up = read_sql_file(up_path)
    down = read_sql_file(down_path) if down_path is not None else None
    findings = list(up.findings)
    if down is not None and down_path is not None:
        findings += [
            no_way_back(up_path, f"{file_label(down_path)} holds no statement") if one.code == "empty-file" else one
            for one in down.findings
        ]
    if down is None and expected_down is not None:
        findings.append(no_way_back(up_path, f"there is no {expected_down}"))
    return Migration(
        version=version,
        name=name,
        up=up.script.part(transactional=transactional),
        down=down.script.part(transactional=down_transactional) if down else None,
        path=up_path,
        down_path=down_path,
        checksum=up.checksum,
        findings=tuple(findings),
        repeatable=repeatable,
    )


def divided(version: str, name: str, path: Path, divide: Callable[[SqlFile, Path], Divided]) -> Migration:
    """The migration that a file with both directions is. The rest of the file stays in each script's text."""
    file = read_sql_file(path)
    parts = divide(file, path)
    findings = [*file.findings, *parts.findings]
    up = file.script.part(sections=(parts.up,) if parts.up else (), transactional=parts.up_transactional)
    down = None
    if parts.down is not None:
        down = file.script.part(sections=(parts.down,), transactional=parts.down_transactional)
        if down.is_blank:
            down = None
    if up.is_blank and not findings:
        findings.append(empty_file(path))
    if down is None and not file.script.is_blank:
        findings.append(no_way_back(path, "its part for the way down holds no statement"))
    return Migration(
        version=version,
        name=name,
        up=up,
        down=down,
        path=path,
        down_path=path if down else None,
        checksum=file.checksum,
        findings=tuple(findings),
    )


def no_way_back(path: Path, why: str) -> Finding:
    """The note that a migration cannot be taken back."""
    return Finding(code="missing-down", message=f"{file_label(path)} has no way back: {why}.", path=path, level="note")


def opaque(version: str, name: str, path: Path, what: str, tool: str) -> tuple[OpaqueMigration, Finding]:
    """A migration that is a program, and the finding that says so; ``what``: ``a Go program``, for instance."""
    content, unreadable = read_bytes(path)
    checksum = "" if content is None else hashlib.sha256(content).hexdigest()
    message = f"{file_label(path)} is {what}: only {tool} can run it, and what it does is not analysed."
    finding = Finding(code="not-analysed", message=message, path=path, level="warning")
    return OpaqueMigration(version=version, name=name, path=path, checksum=checksum), unreadable or finding
