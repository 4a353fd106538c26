"""A migration, and what is to be said of its files before anything is run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from confiture_tui.core.sql.script import Script

_SAME_EVERYWHERE = frozenset({"up.sql", "down.sql", "migration.sql", "migration.ts", "migration.js", "metadata.toml"})
"""Names that a file has in every migration's directory."""


def file_label(path: Path) -> str:
    """A file's name in a message; with its directory's where every migration has a file of that name."""
    return f"{path.parent.name}/{path.name}" if path.name in _SAME_EVERYWHERE else path.name


def _as_record(script: Script) -> dict[str, Any]:
    return {"text": script.text, "first_line": script.first_line}


def _from_record(value: Any) -> Any:
    return Script(str(value["text"]), first_line=int(value["first_line"])) if isinstance(value, dict) else value


_Script = Annotated[
    Script, BeforeValidator(_from_record), PlainSerializer(_as_record, return_type=dict[str, Any], when_used="json")
]
"""A script is written into JSON as its text and first line, and read back from those."""


class Finding(BaseModel):
    """Something about a file or a directory that a user should know.

    Attributes:
        code: what kind of finding, in kebab case; stable.
        message: one sentence that says what it is and what to do. It may hold names from the file system.
        path: the file or directory concerned.
        line: 1-based line in that file, where one is to blame.
        level: ``error``: the migration cannot be trusted to be what its file says; ``warning``; ``note``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    message: str
    path: Path | None = None
    line: int | None = None
    level: Literal["error", "warning", "note"]


class Migration(BaseModel):
    """One step of a schema's history.

    Attributes:
        version: what orders it and what the ledger knows it by; empty for a loose file without one.
        name: what it is called, without the version.
        up: the statements that make the change.
        down: the statements that take it back; ``None`` when there is no such file.
        path: the file of ``up``; ``None`` for a text.
        down_path: the file of ``down``.
        checksum: SHA-256 of the bytes of the file of ``up``, as 64 hexadecimal digits.
        findings: what is to be said of its files.
        repeatable: it is run again whenever its file changes.
        program: its file is a program, of which only the SQL was read; the tool that it is written for runs it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    version: str
    name: str
    up: _Script
    down: _Script | None = None
    path: Path | None = None
    down_path: Path | None = None
    checksum: str
    findings: tuple[Finding, ...] = ()
    repeatable: bool = False
    program: bool = False

    @classmethod
    def from_sql(cls, text: str, *, version: str = "", name: str = "loose file", path: Path | None = None) -> Migration:
        """The migration that a text of SQL is, without a way back."""
        checksum = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
        return cls(version=version, name=name, up=Script.from_text(text), path=path, checksum=checksum)

    @property
    def label(self) -> str:
        """How it is shown: ``007_add_segment``, or only its name or version when that is all there is."""
        return "_".join(part for part in (self.version, self.name) if part)

    @property
    def has_errors(self) -> bool:
        """Whether a finding says that its files cannot be trusted to be what they say."""
        return any(finding.level == "error" for finding in self.findings)
