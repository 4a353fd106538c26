"""The layout of goose: ``00001_name.sql`` with both directions in one file, and Go programs among them.

Source: its documentation and parser (v3): annotations are lines ``-- +goose …``, in any case; statements end at a
semicolon at the end of a line unless StatementBegin and StatementEnd are around them; ``NO TRANSACTION`` anywhere is of
the whole file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.building import Divided, divided, opaque
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.layouts.sections import divide_at
from confiture_tui.core.migrations.model import Finding
from confiture_tui.core.sql.statement import PieceKind

if TYPE_CHECKING:
    from confiture_tui.core.migrations.files import SqlFile
    from confiture_tui.core.migrations.layouts.listing import Listing
    from confiture_tui.core.sql.script import Script

_NAME = re.compile(r"(?P<version>[0-9]+)_(?P<name>.+)\.(?P<kind>sql|go)")


def _annotation(words: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t]*--[ \t]*\+goose[ \t]+{words}[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


UP, _DOWN = _annotation("up"), _annotation("down")
_NO_TRANSACTION = _annotation(r"no[ \t]+transaction")
_ENVSUB = _annotation(r"envsub[ \t]+on")
_BEGIN, _END = _annotation("statementbegin"), _annotation("statementend")
_SEMICOLON_AT_END = re.compile(r"^(?![ \t]*--)[^\n]*?(?P<end>;)[ \t]*(?:--[^\n]*)?\r?$", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]\w*")


class GooseLayout(Layout):
    """``00001_name.sql``, with ``-- +goose Up`` and ``-- +goose Down`` in it."""

    name = "goose"
    naming = "00001_add_column.sql"
    ledgers = ("goose",)
    apply_command = 'goose -dir {directory} postgres "$DATABASE_URL" up'
    rollback_command = 'goose -dir {directory} postgres "$DATABASE_URL" down'

    def sign(self, listing: Listing) -> Sign | None:
        """A line ``-- +goose Up``."""
        found = listing.containing(UP)
        return Sign(Strength.MARK, f"{found.name} has a line -- +goose Up") if found else None

    def read(self, listing: Listing) -> Contents:
        """Its files in SQL and in Go."""
        migrations, programs, findings = [], [], []
        for path in listing.entries:
            named = _NAME.fullmatch(path.name)
            if named is None:
                if path.name.endswith(".sql"):
                    findings.append(self._stray(path))
            elif named["kind"] == "sql":
                migrations.append(divided(named["version"], named["name"], path, divide))
            elif not path.name.endswith("_test.go"):
                programs.append(opaque(named["version"], named["name"], path, "a Go program", "your build of goose"))
        return Contents(migrations, programs, findings)


def divide(file: SqlFile, path: Path) -> Divided:
    """The sections of a file, and what is wrong with its annotations."""
    parts = divide_at(file, path, UP, _DOWN)
    text = file.script.text
    findings = list(parts.findings)
    if _ENVSUB.search(text) and (variable := _VARIABLE.search(text)):
        line = text.count("\n", 0, variable.start()) + 1
        message = (
            f"{path.name}, line {line}: goose fills in {variable.group()}… from the environment before it runs the "
            f"file; here it is read as it stands."
        )
        findings.append(Finding(code="environment-variable", message=message, path=path, line=line, level="warning"))
    if parts.up is not None:
        findings += _torn_apart(file.script.part(sections=(parts.up,)), path)
    alone = False if _NO_TRANSACTION.search(text) else None
    return Divided(parts.up, parts.down, alone, alone, tuple(findings))


def _torn_apart(script: Script, path: Path) -> list[Finding]:
    """Statements that goose ends at a semicolon inside them, and sends in pieces that the server cannot read."""
    blocks = _blocks(script.text)
    findings = []
    for piece in script.pieces:
        if piece.kind is not PieceKind.SQL:
            continue
        last = len(piece.text.rstrip()) - 1
        inner = (found.start() for found in _SEMICOLON_AT_END.finditer(piece.text) if found.start("end") < last)
        start = piece.offset + next(inner, last)
        if start == piece.offset + last or any(first <= start < end for first, end in blocks):
            continue
        line = script.text.count("\n", 0, start) + 1
        message = (
            f"{path.name}, line {line}: goose takes the semicolon at the end of this line for the statement's end, and "
            f"it is not. Write -- +goose StatementBegin before the statement and -- +goose StatementEnd after it."
        )
        findings.append(Finding(code="statement-torn", message=message, path=path, line=line, level="error"))
    return findings


def _blocks(text: str) -> list[tuple[int, int]]:
    """The parts between StatementBegin and StatementEnd, as offsets."""
    ends = [found.start() for found in _END.finditer(text)]
    return [
        (begin.end(), next((end for end in ends if end > begin.end()), len(text))) for begin in _BEGIN.finditer(text)
    ]
