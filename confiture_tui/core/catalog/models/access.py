"""Who may do what: owners' grants as PostgreSQL keeps them in its access control lists."""

from __future__ import annotations

from dataclasses import dataclass

PUBLIC = ""
"""The grantee of a grant to everybody, as PostgreSQL itself writes it in an access control list."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one role gave another on one object.

    Attributes:
        grantee: role name; ``PUBLIC`` (the empty string) for everybody.
        grantor: role name.
        privileges: in PostgreSQL's words (``SELECT``, ``EXECUTE``, …), sorted.
        grantable: those of them given WITH GRANT OPTION, sorted.
    """

    grantee: str
    grantor: str
    privileges: tuple[str, ...]
    grantable: tuple[str, ...]

    def __str__(self) -> str:
        words = [f"{word} WITH GRANT OPTION" if word in self.grantable else word for word in self.privileges]
        return f"{', '.join(words)} TO {_role(self.grantee)} BY {_role(self.grantor)}"


def _role(name: str) -> str:
    """A role as text that cannot be confused with another: everybody is the bare word, all else is quoted."""
    return "PUBLIC" if name == PUBLIC else '"' + name.replace('"', '""') + '"'


Acl = tuple[Grant, ...]
"""The grants on one object, sorted. Where an object has ``None`` instead, PostgreSQL's defaults for its kind hold."""


@dataclass(frozen=True, slots=True)
class DefaultPrivileges:
    """What ALTER DEFAULT PRIVILEGES has laid down for objects still to come.

    Attributes:
        oid: of the pg_default_acl row.
        role: whose new objects are meant.
        schema: quoted name of the schema meant; ``None`` for all.
        object_kind: ``tables``, ``sequences``, ``functions``, ``types``, ``schemas`` or ``large objects``.
        acl: the grants.
    """

    oid: int
    role: str
    schema: str | None
    object_kind: str
    acl: Acl
