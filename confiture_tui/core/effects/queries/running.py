"""Running a body, on paper: its statements one after the other, each on the schema that those before leave."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from confiture_tui.core.effects.bodies import catches
from confiture_tui.core.effects.builtins import builtins_of
from confiture_tui.core.effects.schema import Found
from confiture_tui.core.effects.type_names import parse_type

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.bodies import Body
    from confiture_tui.core.effects.step import Step

_DEPTH = 12
"""So many routines may call one another; beyond that they are taken to be opaque."""


def run_body(
    step: Step,
    body: Body,
    *,
    maybe: bool = False,
    what: str = "the body",
    variables: Mapping[str, str | None] | None = None,
) -> None:
    """Write to the step what running a body does.

    Args:
        step: written to.
        body: that runs.
        maybe: it may not be run at all.
        what: whose body it is, for notes.
        variables: besides its own: arguments, ``new`` and ``old``.
    """
    if len(step.running) > _DEPTH:
        unknown(step, f"{what} is called too deep inside others to be read")
        return
    for reason in body.opaque:
        unknown(step, f"{what}: {reason}")
    outer, schema, uncertain = step.variables, step.schema, step.uncertain
    step.variables = {**(variables or {}), **_typed(body.variables or {})}
    try:
        for part in body.parts:
            step.schema = step.now
            since = step.possible_failures
            if part.maybe and part.kind != "SelectStmt":
                step.opaque(f"{what}: whether a branch is taken is decided while it runs")
            step.run(part.kind, part.node, maybe=maybe or part.maybe or bool(part.caught))
            if part.caught:
                step.forget_failures(since, partial(catches, part.caught))
        step.uncertain = uncertain or maybe
        if body.raises is not None:
            step.fails(*body.raises)
        for sqlstate, message in body.may_raise:
            step.may_fail(sqlstate, message)
    finally:
        step.variables, step.schema, step.uncertain = outer, schema, uncertain


def note_data(step: Step, found: Found | Relation, *, changes: bool | None, destroys: bool | None = False) -> None:
    """Rows of a table come, change or go; of a table that the migration itself has made that harms nobody."""
    known = found.object if isinstance(found, Found) else found
    if known is None or step.now.is_old(known):
        # What may not be run leaves open whether data change.
        step.changes_data(None if changes and step.uncertain else changes)
        step.destroys_data(None if destroys and step.uncertain else destroys)


def unknown(step: Step, why: str) -> None:
    """Something runs that cannot be read: it may do anything."""
    step.opaque(why)
    step.unknown_reach(why)
    step.destroys_data(None)
    step.changes_data(None)


def _typed(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """Variables with their types as the catalog writes them, from the names that PL/pgSQL's parser uses."""
    own = builtins_of(None)
    found: dict[str, str | None] = {}
    for name, written in variables.items():
        known = own.by_internal_name.get(written or "")
        if known is not None:
            found[name] = known.name
        else:
            kind = parse_type(written).bare if written else None
            found[name] = kind if kind in own.types else None
    return found
