"""The lines of a recording, as objects and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from confiture_tui.config import Settings
from confiture_tui.errors import Cancelled, ConfitureError, ConnectError, UsageError
from confiture_tui.events import Event, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION: Final = 1
"""The form of the lines. Keys may be added under one number; a reader refuses a greater one."""
KIND: Final = "confiture-tui recording"


class Header(BaseModel):
    """The first line.

    Attributes:
        kind: what kind of file it is.
        schema_version: the form of the lines.
        tool_version: of the program that wrote it.
        generated_at: when it was begun.
        demo: it is of the demo shop.
        project_dir, migrations_dir, env, runner, read_only, log_level: the settings that screens show.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Literal["confiture-tui recording"]
    schema_version: int
    tool_version: str
    generated_at: datetime
    demo: bool = False
    project_dir: Path
    migrations_dir: Path
    env: str
    runner: str
    read_only: bool = False
    log_level: Level = Level.INFO

    @property
    def settings(self) -> Settings:
        """The settings of the session, as far as screens show them."""
        return Settings(
            project_dir=self.project_dir,
            migrations_dir=self.migrations_dir,
            env=self.env,
            runner=self.runner,
            read_only=self.read_only,
            log_level=self.log_level,
        )


@dataclass(frozen=True, slots=True)
class Happened:
    """An event came, ``at`` seconds after the recording began."""

    at: float
    event: Event


@dataclass(frozen=True, slots=True)
class Asked:
    """The service was asked: ``job`` is the number that its answer has; ``what``, ``version``, ``about`` for what."""

    at: float
    job: int
    what: str
    version: str | None
    about: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, str | None]:
        """What two askings for the same have in common."""
        return self.what, self.version


@dataclass(frozen=True, slots=True)
class Answered:
    """The service answered ``asked``: with ``value`` if ``error`` is ``None``."""

    at: float
    asked: Asked
    value: Any
    error: BaseException | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The session was closed, and the recording with it."""

    at: float


Entry = Happened | Asked | Answered | Ended


@cache
def answer_type(what: str) -> TypeAdapter[Any]:
    """What the service's method of that name answers with.

    Raises:
        KeyError: nothing that is recorded.
    """
    # Imported at the first answer: writing happens on a thread of its own, and a start without recording pays nothing.
    from confiture_tui.core.dry_run.result import DryRunResult
    from confiture_tui.core.migrations.status import MigrationStatus
    from confiture_tui.core.runner.journal import JournalEntry
    from confiture_tui.core.runner.recovery import LeftOver
    from confiture_tui.core.runner.result import RunResult
    from confiture_tui.service.assessing import Assessed
    from confiture_tui.service.linting import LintResult
    from confiture_tui.service.models import MigrationPreview
    from confiture_tui.service.places import Opened
    from confiture_tui.service.running import PreparedRun

    types: dict[str, Any] = {
        "open": Opened,
        "status": tuple[MigrationStatus, ...],
        "preview": MigrationPreview,
        "assess": tuple[Assessed, ...],
        "dry_run": DryRunResult,
        "lint": LintResult,
        "prepare_run": PreparedRun,
        "run": RunResult,
        "resume": RunResult,
        "mark": None,
        "left_overs": tuple[LeftOver, ...],
        "history": tuple[JournalEntry, ...],
    }
    return TypeAdapter(types[what])


_ERRORS: Final[dict[str, type[ConfitureError]]] = {
    "cancelled": Cancelled,
    "usage": UsageError,
    "connect": ConnectError,
    "error": ConfitureError,
}


def error_to_record(error: BaseException) -> dict[str, Any]:
    """An error as JSON-able values: its kind, its sentence, its hint."""
    from confiture_tui.service.running import PlanChanged

    if isinstance(error, PlanChanged):
        plan = answer_type("prepare_run").dump_python(error.prepared, mode="json")
        return {"kind": "plan_changed", "message": error.message, "hint": error.hint, "prepared": plan}
    kind = next((kind for kind, type_ in _ERRORS.items() if isinstance(error, type_)), "error")
    if not isinstance(error, ConfitureError):
        return {"kind": kind, "message": type(error).__name__, "hint": ""}
    return {"kind": kind, "message": error.message, "hint": error.hint}


def error_from_record(record: Mapping[str, Any]) -> ConfitureError:
    """The error that ``error_to_record`` wrote.

    Raises:
        KeyError: a key is missing.
        ValueError: it holds what no error holds.
    """
    from confiture_tui.service.running import PlanChanged

    if record["kind"] == "plan_changed":
        return PlanChanged(answer_type("prepare_run").validate_python(record["prepared"]))
    return _ERRORS.get(record["kind"], ConfitureError)(str(record["message"]), hint=str(record.get("hint", "")))
