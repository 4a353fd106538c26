"""Rows of foreign tables, which another server has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.core.catalog.models.objects import OtherObject

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.relations import Relation
    from confiture_tui.core.effects.step import Step


def without_handler(step: Step, relation: Relation) -> str | None:
    """The wrapper of a foreign table whose rows nobody can get at; ``None``: there is a handler, or nobody can tell."""
    server = step.now.other("foreign server", relation.server or "")
    if not isinstance(server, OtherObject):
        return None
    name = dict(server.properties).get("foreign data wrapper") or ""
    wrapper = step.now.other("foreign data wrapper", name)
    if isinstance(wrapper, OtherObject) and dict(wrapper.properties).get("handler") is None:
        return name
    return None


def note_access(step: Step, relation: Relation) -> None:
    """A foreign table's rows are asked for."""
    name = without_handler(step, relation)
    if name is not None:
        step.fails("55000", f'foreign-data wrapper "{name}" has no handler')
    step.may_fail("08001", "the other server may not be reached")
    step.may_fail("HV000", "the wrapper may report an error")
