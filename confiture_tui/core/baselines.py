"""Baselines: findings that a project has agreed to live with for now, by their keys, in a file of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal

from pydantic import ValidationError

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.errors import UsageError
from confiture_tui.whole_file import whole_file

if TYPE_CHECKING:
    from pathlib import Path

Command = Literal["lint", "assess"]

_FINDINGS: Final[Mapping[Command, str]] = {"lint": "violations of the schema", "assess": "risks of migrations"}


class BaselineEntry(FrozenModel):
    """One finding that is let pass.

    Attributes:
        key: its identity.
        rule: what found it, for the reader.
        schema_name: the schema of a violation; empty for a risk.
        object: the object of a violation; the migration of a risk, as ``007_add_segment``.
        severity: how bad a risk was when it was let pass: a worse one is told again. Empty for a violation.
    """

    key: str
    rule: str
    schema_name: str = ""
    object: str
    severity: str = ""


class Baseline(FrozenModel):
    """All of them.

    Attributes:
        schema_version: of the file's form.
        command: whose findings they are.
        database: where they were found, for the reader.
        server_version: of that server, for example 180006.
        violations: sorted by rule, object and key, so that the file changes line by line.
    """

    schema_version: Literal[1] = 1
    command: Command = "lint"
    database: str = ""
    server_version: int | None = None
    violations: tuple[BaselineEntry, ...] = ()


class BaselineUpdate(FrozenModel):
    """What updating a baseline changed: how many findings it has, and how many of them came and went."""

    total: int
    added: int
    removed: int


def identity(*parts: str) -> str:
    """The identity of a finding: 32 hexadecimal digits of what tells it from all others."""
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def renewed(
    old: Iterable[BaselineEntry],
    found: Iterable[BaselineEntry],
    *,
    command: Command,
    database: str,
    server_version: int | None,
    stays: Iterable[BaselineEntry],
) -> tuple[Baseline, BaselineUpdate]:
    """The baseline of everything that was found, and of the old entries that ``stays`` has; and what that changed."""
    before = {entry.key for entry in old}
    now = {entry.key: entry for entry in (*stays, *found)}
    entries = tuple(sorted(now.values(), key=lambda entry: (entry.rule, entry.object, entry.key)))
    made = Baseline(command=command, database=database, server_version=server_version, violations=entries)
    change = BaselineUpdate(total=len(now), added=len(now.keys() - before), removed=len(before - now.keys()))
    return made, change


def read_baseline(path: Path, command: Command) -> Baseline:
    """Read a baseline of one of the two commands.

    Raises:
        UsageError: it cannot be read, is none, or holds what the other command finds.
    """
    try:
        found = Baseline.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(
            f"There is no baseline {path}.", hint="Write one with --update-baseline, or take it out of the settings."
        ) from None
    except OSError as error:
        raise UsageError(f"The baseline {path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        where = f" at {place}" if place else ""
        raise UsageError(
            f"{path} is no baseline: {first['msg']}{where}.", hint="Write a new one with --update-baseline."
        ) from None
    if found.command != command:
        raise UsageError(
            f"The baseline {path} holds {_FINDINGS[found.command]}, not {_FINDINGS[command]}.",
            hint=f"Give `{command}` a file of its own.",
        )
    return found


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write a baseline, whole or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    text = json.dumps(baseline.model_dump(mode="json"), indent=2, ensure_ascii=True) + "\n"
    try:
        with whole_file(path, mode=0o644) as beside:
            beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"The baseline {path} cannot be written: {error.strerror}.") from None
