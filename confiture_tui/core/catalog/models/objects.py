"""Schemas, extensions, and the kinds of object that a list of properties describes well enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_tui.core.catalog.models.access import Acl


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema; ``usable``: the session's role has USAGE on it, else search_path passes it over."""

    oid: int
    name: str
    quoted_name: str
    owner: str
    usable: bool
    extension: str | None
    acl: Acl | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Extension:
    """One installed extension.

    Attributes:
        schema: quoted name of the schema that holds its objects.
        default_version: what CREATE EXTENSION would install now; ``None`` when the server no longer offers it.
    """

    oid: int
    name: str
    quoted_name: str
    version: str
    schema: str
    owner: str
    comment: str | None
    default_version: str | None = None


@dataclass(frozen=True, slots=True)
class OtherObject:
    """An object of a kind that has no class of its own here.

    Attributes:
        class_oid, oid: the catalog that holds it, and its oid there.
        kind: in PostgreSQL's words: ``operator``, ``cast``, ``collation``, ``publication``, ``foreign server``, …
        identity: qualified and quoted, with argument types where they belong to its identity.
        owner: ``None`` for kinds without one.
        properties: what defines it, ``(name, text)``. Never a connection string or another secret.
        acl: ``None``: the defaults hold, or the kind has no grants.
    """

    class_oid: int
    oid: int
    kind: str
    identity: str
    owner: str | None
    properties: tuple[tuple[str, str | None], ...]
    extension: str | None
    acl: Acl | None
    comment: str | None
