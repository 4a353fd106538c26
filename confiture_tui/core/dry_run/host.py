"""What a server must be able to do so that shadows can be made on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_tui.database.dsn import Dsn


class ShadowHost(Protocol):
    """A server for disposable databases: the embedded one, or one that the user names (``BorrowedServer``)."""

    @property
    def role(self) -> str | None:
        """The one role that everything is done as; ``None`` where we are superuser and make roles as we need them."""
        ...

    @property
    def bin_dir(self) -> Path:
        """Where ``pg_dump`` is."""
        ...

    @property
    def version_num(self) -> int:
        """Of the server, for example 180006."""
        ...

    @property
    def stand_ins(self) -> tuple[str, ...]:
        """Extensions that are there in name only."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether it is there, as far as we know."""
        ...

    def dsn(self, dbname: str = ..., user: str = ...) -> Dsn:
        """How to log in to one of its databases; without a name, to one that is always there."""
        ...

    def create_database(self, name: str, *, template: str | None = None, owner: str | None = None) -> None:
        """Make a database, empty or as a copy of another."""
        ...

    def drop_database(self, name: str) -> None:
        """Drop a database, if it is there, and end the sessions in it."""
        ...

    def create_login(self, role: str) -> None:
        """Make a plain role that may log in; only where ``role`` is ``None``."""
        ...

    def drop_login(self, role: str) -> None:
        """Drop such a role, if it is there."""
        ...
