"""ALTER SEQUENCE, and ALTER TABLE on a sequence: persistence and owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_tui.core.catalog.models.relations import Persistence, Sequence
from confiture_tui.core.catalog.replacing import replace
from confiture_tui.core.effects.ownership import role_named
from confiture_tui.core.effects.statements.roles import require_roles

if TYPE_CHECKING:
    from confiture_tui.core.effects.schema import Found
    from confiture_tui.core.effects.step import Step

Node = dict[str, Any]

_PERSISTENCE = 150000


def alter_sequence(step: Step, found: Found, commands: list[Node]) -> None:
    """Read the sub-commands of an ALTER on a sequence, which is locked already."""
    sequence = found.object if isinstance(found.object, Sequence) else None
    for number, command in enumerate(commands):
        step.command = number
        match command["subtype"]:
            case "AT_SetLogged" | "AT_SetUnLogged":
                if step.schema.known and step.schema.server_version_num < _PERSISTENCE:
                    step.refuse("42809", f'"{found.key[-1]}" is not a table')
                logged = command["subtype"] == "AT_SetLogged"
                wanted = Persistence.PERMANENT if logged else Persistence.UNLOGGED
                if sequence is None or sequence.persistence is not wanted:
                    step.rewrite(found, f"the sequence becomes {wanted.value}")
                if sequence is not None:
                    sequence = replace(sequence, persistence=wanted)
                    step.change.put(sequence)
            case "AT_ChangeOwner":
                if sequence is not None and sequence.owned_by is not None:
                    step.refuse("0A000", f'cannot change owner of sequence "{sequence.name}"')
                require_roles(step, [command.get("newowner", {})])
                owner = role_named(step, command.get("newowner", {}))
                if sequence is not None and owner is not None:
                    sequence = replace(sequence, owner=owner)
                    step.change.put(sequence)
            case _:
                step.refuse("42809", f'ALTER action cannot be performed on relation "{found.key[-1]}"')
    step.command = None
