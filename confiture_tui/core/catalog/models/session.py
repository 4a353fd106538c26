"""The session that a catalog was read in, and what it could not see."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """What was found on the connection before anything was set for reading.

    Attributes:
        search_path, time_zone: the settings' texts. They decide what an unqualified name means, and what
            ``timestamp`` becomes as ``timestamptz``.
        role, session_role: current_user and session_user. ``is_superuser``: of the former.
        lock_timeout_ms, statement_timeout_ms: 0 for none.
        acts_for: the other roles whose rights ``role`` has, being a member that inherits them; not of a superuser.
        in_transaction: the connection was inside a transaction, whose own changes are then part of the catalog.
    """

    search_path: str
    time_zone: str
    role: str
    session_role: str
    is_superuser: bool
    lock_timeout_ms: int
    statement_timeout_ms: int
    in_transaction: bool
    acts_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotVisible:
    """Something that could not be read.

    Attributes:
        what: ``column statistics``, ``last values of sequences``, ``functions``, …
        why: what stood in the way, or which right is missing; one sentence.
        objects: the objects concerned, by name; empty for all of them.
    """

    what: str
    why: str
    objects: tuple[str, ...] = ()
