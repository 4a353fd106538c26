"""Reads a recording, all of it, before anything of it is played: what is wrong is told with its line."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from confiture_tui.core.migrations.profiles import PROFILES
from confiture_tui.errors import UsageError
from confiture_tui.events import Event
from confiture_tui.service.recording.entries import (
    KIND,
    SCHEMA_VERSION,
    Answered,
    Asked,
    Ended,
    Entry,
    Happened,
    Header,
    answer_type,
    error_from_record,
)
from confiture_tui.service.running import RunRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recording:
    """A session as it was kept.

    Attributes:
        path: its file.
        header: its first line.
        entries: the others, in their order.
    """

    path: Path
    header: Header
    entries: tuple[Entry, ...]

    @property
    def length(self) -> float:
        """How long the session took, in seconds."""
        return self.entries[-1].at if self.entries else 0.0

    @property
    def is_whole(self) -> bool:
        """Whether the session was closed; a killed one just ends."""
        return bool(self.entries) and isinstance(self.entries[-1], Ended)


def read_recording(path: Path) -> Recording:
    """The recording in this file.

    Raises:
        UsageError: there is no such file, or a line of it cannot be read; the message names the line.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            reader = _Reader(path)
            header = reader.header(file.readline())
            return Recording(path, header, tuple(reader.entries(file)))
    except UnicodeDecodeError:
        raise UsageError(
            f"{path} is not a recording: it is no text.", hint="A recording is what --record FILE writes."
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint="Is the name right?") from None


class _Reader:
    """Takes lines apart, and knows which it is at."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = 1
        self._asked: dict[int, Asked] = {}
        self._at = 0.0

    def header(self, line: str) -> Header:
        if not line:
            raise self._wrong("the file is empty")
        record = self._object(line)
        if record.get("kind") != KIND:
            raise self._wrong("this is not the beginning of a recording", "A recording is what --record FILE writes.")
        version = record.get("schema_version")
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise self._wrong(
                f"it was written in form {version}, and this program reads form {SCHEMA_VERSION}",
                f"It was written by confiture-tui {record.get('tool_version', '?')}: use that one, or a later one.",
            )
        try:
            header = Header.model_validate(record)
        except ValidationError as error:
            raise self._wrong(_first_of(error)) from None
        if header.runner not in PROFILES:
            raise self._wrong(f"there is no runner profile '{header.runner}'")
        return header

    def entries(self, lines: Iterator[str]) -> Iterator[Entry]:
        for self._line, line in zip(itertools.count(2), lines, strict=False):
            yield self._entry(line)

    def _entry(self, line: str) -> Entry:
        record = self._object(line)
        try:
            at = float(record["t"])
            if not math.isfinite(at) or at < self._at - 1.0:
                raise self._wrong("its time goes back")
            # Threads take their time before they get to the file: a line may be a little late.
            self._at = at = max(at, self._at)
            if "event" in record:
                return Happened(at, Event.from_record(record["event"]))
            if "asked" in record:
                return self._asking(at, record)
            if "answered" in record:
                return self._answer(at, record)
            if record.get("end") is True:
                return Ended(at)
        except KeyError as error:
            raise self._wrong(f"{error} is missing") from None
        except ValidationError as error:
            raise self._wrong(_first_of(error)) from None
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            raise self._wrong(f"it cannot be understood ({error})") from None
        raise self._wrong("it is neither an event nor a question nor an answer")

    def _asking(self, at: float, record: dict[str, Any]) -> Asked:
        version = record["version"]
        asked = Asked(at, int(record["job"]), record["asked"], None if version is None else str(version), {})
        answer_type(asked.what)
        asked = Asked(at, asked.job, asked.what, asked.version, dict(record.get("about", {})))
        if asked.what in ("prepare_run", "run"):
            RunRequest.model_validate(asked.about)
        self._asked[asked.job] = asked
        return asked

    def _answer(self, at: float, record: dict[str, Any]) -> Answered:
        asked = self._asked.get(int(record["answered"]))
        if asked is None:
            raise self._wrong("it answers what nobody asked")
        if "error" in record:
            return Answered(at, asked, None, error_from_record(record["error"]))
        # From the text: pydantic reads what JSON has no word for (a set, a tuple, a path) from JSON only.
        value = answer_type(asked.what).validate_json(json.dumps(record["value"]))
        return Answered(at, asked, value, None)

    def _object(self, line: str) -> dict[str, Any]:
        if not line.endswith("\n"):
            raise self._wrong(
                "the file ends in the middle of it: the session was killed, or the file is not all there",
                f"What is before it can be played: `head -n {self._line - 1} FILE > OTHER`, then replay OTHER.",
            )
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise self._wrong("it is no JSON object", "A recording is what --record FILE writes.")
        return record

    def _wrong(self, what: str, hint: str = "The file was changed after it was recorded, or damaged.") -> UsageError:
        return UsageError(f"{self._path}, line {self._line}: {what}.", hint=hint)


def _first_of(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where or 'it'} cannot be read: {first['msg']}"
