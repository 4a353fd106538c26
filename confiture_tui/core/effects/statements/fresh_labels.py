"""Labels that a transaction has added to an enum, and that it cannot use before it is committed.

PostgreSQL documentation, ALTER TYPE, "Notes": a value that was added in the same transaction cannot be used until it
is committed, unless (from 17 on) the enum itself was made in that transaction. Using one fails with 55P04.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.effects.history import UNKNOWN

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.types import Type
    from confiture_tui.core.effects.step import Step

_KIND = "fresh enum label"
_SPARES_NEW_TYPES = 170000
"""From this version on the labels of an enum that was made in the same transaction can be used at once."""


def note_fresh_label(step: Step, enum: Type, label: str) -> None:
    """A label was added to an enum in the transaction that is open, if one is."""
    session = step.session
    spared = step.schema.made_in_transaction(enum) and step.schema.server_version_num >= _SPARES_NEW_TYPES
    if session.transaction is None or spared:
        return
    step.change.put_other(_KIND, _identity(enum, label), session.started)


def note_renamed_label(step: Step, enum: Type, old: str, new: str) -> None:
    """A label has another name: it is as fresh as before."""
    if is_fresh(step, enum, old):
        note_fresh_label(step, enum, new)


def is_fresh(step: Step, enum: Type, label: str) -> bool:
    """Whether a label was added to an enum in the transaction that is open: to use it fails with 55P04."""
    session = step.session
    if session.transaction is None:
        return False
    found = step.now.other(_KIND, _identity(enum, label))
    # No two transactions of a history begin at the same version of it, if one of them changes anything.
    return found is not UNKNOWN and found is not None and found == session.started


def _identity(enum: Type, label: str) -> str:
    # By its oid: an enum may be renamed, and another one be made under its name.
    return f"{enum.oid} {label}"
