"""The truth sample: forms of SQL, and what servers of five majors did with each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent.parent / "data" / "truth"


@dataclass(frozen=True)
class Form:
    """One form: what to set up, and the SQL to try."""

    id: str
    setup: tuple[str, ...]
    sql: str
    min_pg: int


def _lines(name: str) -> list[dict[str, Any]]:
    with (_DATA / name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@cache
def forms() -> tuple[Form, ...]:
    """All forms of the sample."""
    return tuple(Form(one["id"], tuple(one["setup"]), one["sql"], one["min_pg"]) for one in _lines("forms.jsonl"))


@cache
def observed(major: int) -> dict[str, dict[str, Any]]:
    """What a server of this major did with each form, by the form's id."""
    return {one["id"]: one for one in _lines("observed.jsonl") if one["pg"] == major}


def relation(name: str) -> str:
    """A relation as the sample writes it (``t/r``, ``app.t/i``), as a qualified name without its kind."""
    bare = name.partition("/")[0]
    return bare if "." in bare else f"public.{bare}"


def kind(name: str) -> str:
    """The relkind of a relation as the sample writes it."""
    return name.partition("/")[2]
