"""A baseline: the violations that a project has agreed to live with for now, by their keys."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from confiture_tui.core.effects.model import FrozenModel
from confiture_tui.core.lint.model import LintReport, Suppressed
from confiture_tui.errors import UsageError

if TYPE_CHECKING:
    from confiture_tui.core.lint.config import LintConfig


class BaselineEntry(FrozenModel):
    """One violation that is let pass: its key, and for the reader its rule, schema and object."""

    key: str
    rule: str
    schema_name: str
    object: str


class Baseline(FrozenModel):
    """All of them.

    Attributes:
        schema_version: of the file's form.
        database: where they were found, for the reader.
        server_version: of that server, for example 180006.
        violations: sorted by rule, object and key, so that the file changes line by line.
    """

    schema_version: Literal[1] = 1
    database: str = ""
    server_version: int | None = None
    violations: tuple[BaselineEntry, ...] = ()


class BaselineUpdate(FrozenModel):
    """What updating a baseline changed: how many violations it has, and how many of them came and went."""

    total: int
    added: int
    removed: int


def read_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    try:
        return Baseline.model_validate_json(path.read_bytes())
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


def with_baseline(report: LintReport, baseline: Baseline, config: LintConfig) -> LintReport:
    """The report without what the baseline has, and with what the baseline has and is found no more.

    Of rules that did not run, and of schemas that were not judged, nothing is said to be gone.
    """
    known = {entry.key for entry in baseline.violations}
    passed = tuple(Suppressed(violation=one, by="baseline") for one in report.violations if one.key in known)
    found = {one.key for one in report.violations} | {one.violation.key for one in report.suppressed}
    gone = tuple(
        entry.key for entry in baseline.violations if entry.key not in found and _was_judged(entry, report, config)
    )
    return report.model_copy(
        update={
            "violations": tuple(one for one in report.violations if one.key not in known),
            "suppressed": (*report.suppressed, *passed),
            "gone": gone,
        }
    )


def updated(
    baseline: Baseline | None, report: LintReport, config: LintConfig, *, database: str, server_version: int | None
) -> tuple[Baseline, BaselineUpdate]:
    """The baseline that lets pass everything in a report that no baseline has been applied to.

    Entries of rules that did not run, and of schemas that were not judged, stay.
    """
    old = {entry.key: entry for entry in baseline.violations} if baseline else {}
    new = {key: entry for key, entry in old.items() if not _was_judged(entry, report, config)}
    new |= {
        one.key: BaselineEntry(key=one.key, rule=one.rule, schema_name=one.schema_name, object=one.object)
        for one in report.violations
    }
    entries = tuple(sorted(new.values(), key=lambda entry: (entry.rule, entry.object, entry.key)))
    made = Baseline(database=database, server_version=server_version, violations=entries)
    change = BaselineUpdate(total=len(new), added=len(new.keys() - old.keys()), removed=len(old.keys() - new.keys()))
    return made, change


def write_baseline(path: Path, baseline: Baseline) -> None:
    """Write a baseline, whole or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    text = json.dumps(baseline.model_dump(mode="json"), indent=2, ensure_ascii=True) + "\n"
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise UsageError(f"The baseline {path} cannot be written: {error.strerror}.") from None


def _was_judged(entry: BaselineEntry, report: LintReport, config: LintConfig) -> bool:
    if entry.rule not in report.rules:
        # A rule that is no longer there, or is off, is not coming back by itself: only a selection is partial.
        return not config.select and entry.rule not in {one.rule for one in report.skipped}
    return not config.schemas or any(fnmatchcase(entry.schema_name, glob) for glob in config.schemas)
