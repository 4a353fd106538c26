"""What a name in a statement means, as far as anybody can tell."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from confiture_tui.core.catalog.models.relations import Relation

if TYPE_CHECKING:
    from confiture_tui.core.catalog.catalog import AnyRelation
    from confiture_tui.core.catalog.names import Key


class Presence(Enum):
    """What is known of the existence of something that a statement names."""

    KNOWN = "known"
    """It exists, and the catalog or the file that made it tells everything about it."""
    ASSUMED = "assumed"
    """It is assumed to exist; ``Found.object`` has what the files say of it, if anything."""
    MISSING = "missing"
    """It certainly does not exist."""
    SYSTEM = "system"
    """It is one of PostgreSQL's own."""


class Found(NamedTuple):
    """What a name means.

    Attributes:
        name: qualified, quoted as quote_ident does.
        key: schema and name as stored.
        object: what has that name; ``None`` where nothing is known of it, or it does not exist.
        presence: what is known of its existence.
    """

    name: str
    key: Key
    object: AnyRelation | None
    presence: Presence

    @property
    def known(self) -> bool:
        """Whether it exists and everything about it is known."""
        return self.presence is Presence.KNOWN

    @property
    def missing(self) -> bool:
        """Whether it certainly does not exist."""
        return self.presence is Presence.MISSING

    @property
    def relation(self) -> Relation | None:
        """The object, where it is a relation with columns, be it wholly known or in part."""
        return self.object if isinstance(self.object, Relation) else None
