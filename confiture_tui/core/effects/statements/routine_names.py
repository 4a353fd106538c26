"""Routines as statements name them: with argument types, or by their name alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.routines import Routine, RoutineKind
from confiture_tui.core.effects.builtins import builtins_of
from confiture_tui.core.effects.statements.definitions import names_in, type_text
from confiture_tui.core.effects.type_names import parse_type
from confiture_tui.core.effects.types_known import require_type

if TYPE_CHECKING:
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_FITTING = {
    "OBJECT_FUNCTION": (frozenset({RoutineKind.FUNCTION, RoutineKind.WINDOW}), "function"),
    "OBJECT_PROCEDURE": (frozenset({RoutineKind.PROCEDURE}), "procedure"),
    "OBJECT_AGGREGATE": (frozenset({RoutineKind.AGGREGATE}), "aggregate"),
    "OBJECT_ROUTINE": (frozenset(RoutineKind), "routine"),
}


def find_routine(node: Node, object_type: str, step: Step, *, missing_ok: bool = False) -> Routine | None:
    """The user's routine that an ``ObjectWithArgs`` names; ``None``: skipped, PostgreSQL's own, or nobody can tell.

    Raises:
        Refused: there is certainly none, or several.
    """
    kinds, word = _FITTING[object_type]
    parts = names_in(node, "objname")
    schema = step.now
    if not schema.known and not schema.routines(list(parts)):
        if not missing_ok:
            step.may_fail("42883", f"the {word} may not exist")
        step.unknown_reach(f"without a catalog what uses the {word} is not known")
        return None
    if len(parts) > 1 and schema.has_schema(parts[-2]) is False:
        if missing_ok:
            return None
        step.refuse("3F000", f'schema "{parts[-2]}" does not exist')
    named = schema.routines(list(parts))
    if node.get("args_unspecified"):
        found = [one for one in named if object_type == "OBJECT_ROUTINE" or one.kind in kinds]
        if len(found) > 1:
            step.refuse("42725", f'{word} name "{parts[-1]}" is not unique')
        if not found and named:
            step.refuse("42809" if len(named) == 1 else "42883", f"{parts[-1]} is not a {word}")
    else:
        wanted = argument_texts(node, step)
        found = [one for one in named if _same_types(one.argument_types, wanted)]
    if found:
        if found[0].kind not in kinds:
            step.refuse("42809", f"{found[0].signature} is not a {word}")
        return found[0]
    if len(parts) == 1 or parts[-2] == "pg_catalog":
        own = builtins_of(schema.server_version_num).functions(parts[-1])
        if any(list(one.arguments) == list(argument_texts(node, step)) for one in own) or (
            own and node.get("args_unspecified")
        ):
            return None
        if len(parts) > 1:
            step.may_fail("42883", f"{word} {parts[-1]} may not exist")  # some of PostgreSQL's own are not listed
            return None
    if missing_ok:
        step.note(f"{word} {parts[-1]} does not exist, skipping")
        return None
    if not schema.known:
        step.may_fail("42883", f"the {word} may not exist")
        return None
    return step.refuse("42883", f"{word} {parts[-1]}({', '.join(argument_texts(node, step))}) does not exist")


def argument_texts(node: Node, step: Step) -> tuple[str, ...]:
    """The argument types of an ``ObjectWithArgs`` as ``format_type`` writes them, without modifiers."""
    texts = []
    for one in node.get("objargs", []):
        if "TypeName" in one:
            if step.schema.known:
                require_type(step, one["TypeName"])
            texts.append(parse_type(type_text(one["TypeName"], step.now)).bare)
    return tuple(texts)


def _same_types(written: str, wanted: tuple[str, ...]) -> bool:
    return written == ", ".join(wanted)
