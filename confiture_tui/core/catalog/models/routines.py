"""Functions, procedures, aggregates and window functions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.access import Acl
    from confiture_tui.core.catalog.models.columns import Volatility


class RoutineKind(StrEnum):
    """The kinds of ``pg_proc.prokind``."""

    FUNCTION = "function"
    PROCEDURE = "procedure"
    AGGREGATE = "aggregate"
    WINDOW = "window function"


@dataclass(frozen=True, slots=True)
class Routine:
    """One routine.

    Attributes:
        argument_types: types of the input arguments, ``integer, text``: with schema and name, its identity.
        signature: ``schema.name(types)``, quoted: how DROP FUNCTION names it.
        arguments: with names, modes and defaults. ``identity_arguments``: without defaults.
        result: return type; ``None`` for procedures.
        parallel: ``safe``, ``restricted`` or ``unsafe``.
        configuration: of SET, ``name=value``.
        cost, rows: the planner's hints. ``support``: the support function; ``None`` without.
        source: the body as text, or the C symbol. ``sql_body``: of a body that was parsed when it was created.
        library: of a C function. ``transforms``: names of types.
        definition: as pg_get_functiondef writes it; an aggregate's parts as ``name=value`` lines.
        acl: ``None``: the defaults hold, everybody may execute it.
    """

    oid: int
    schema: str
    name: str
    qualified_name: str
    kind: RoutineKind
    argument_types: str
    identity_arguments: str
    arguments: str
    result: str | None
    language: str
    volatility: Volatility
    strict: bool
    security_definer: bool
    leakproof: bool
    parallel: str
    configuration: tuple[str, ...]
    cost: float
    rows: float
    support: str | None
    source: str
    sql_body: str | None
    library: str | None
    transforms: tuple[str, ...]
    definition: str
    owner: str
    extension: str | None
    acl: Acl | None
    comment: str | None

    @property
    def signature(self) -> str:
        """``schema.name(argument types)``, quoted."""
        return f"{self.qualified_name}({self.argument_types})"
