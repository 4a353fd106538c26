"""A form: SQL to be predicted and to be run, and the world in which it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Form:
    """One form.

    Attributes:
        id: unique among all forms.
        setup: the script that makes the world that it runs in.
        sql: one statement or several.
        since, until: the first and the last major version that it is meant for.
        wrapped: it runs in one transaction; else each statement is one of its own.
        bare: what is predicted without a catalog is looked at too. Nobody can know of event triggers then.
    """

    id: str
    setup: str
    sql: str
    since: int = 14
    until: int = 99
    wrapped: bool = True
    bare: bool = True


def group(
    prefix: str,
    setup: str,
    forms: Mapping[str, str],
    *,
    since: int = 14,
    until: int = 99,
    wrapped: bool = True,
    bare: bool = True,
) -> tuple[Form, ...]:
    """Forms that share a world: what each is called, and its SQL."""
    return tuple(
        Form(f"{prefix}: {name}", setup, sql, since=since, until=until, wrapped=wrapped, bare=bare)
        for name, sql in forms.items()
    )
