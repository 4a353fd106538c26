"""Who runs the embedded server: PostgreSQL refuses to run as root, and as a user that has no name."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_tui.errors import ConfitureError

if TYPE_CHECKING:
    import pwd
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Identity:
    """A way to run the server's programs.

    Attributes:
        how: ``same``, ``namespace`` or ``drop``, as ``become.py`` explains them.
        uid: who the server sees itself as; None for ``same``.
        gid: likewise.
    """

    how: str
    uid: int | None = None
    gid: int | None = None

    @property
    def word(self) -> str:
        """The identity as ``become.py`` takes it."""
        return self.how if self.uid is None else f"{self.how}:{self.uid}:{self.gid}"

    @property
    def owns_files(self) -> bool:
        """Whether the files must be given to another user: only when root really becomes that user."""
        return self.how == "drop"


def identities() -> Iterator[Identity]:
    """The ways to run a server as the present user, best first. None of them makes a user or needs a setting.

    Raises:
        ConfitureError: there is no user that a server could be seen as.
    """
    import pwd

    euid = os.geteuid()
    if euid != 0 and _has_name(euid):
        yield Identity("same")
        return
    nobody = _nobody(pwd.getpwall())
    if sys.platform == "linux":
        yield Identity("namespace", nobody.pw_uid, nobody.pw_gid)
    if euid == 0:
        yield Identity("drop", nobody.pw_uid, nobody.pw_gid)


def open_to_everybody(path: Path) -> bool:
    """Whether a user without any rights of its own can enter a directory and read it."""
    if not all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents):
        return False
    return path.stat().st_mode & (stat.S_IXOTH | stat.S_IROTH) == stat.S_IXOTH | stat.S_IROTH


def _has_name(uid: int) -> bool:
    """Whether the user is listed; a server that cannot look its own name up does not start."""
    import pwd

    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _nobody(users: list[pwd.struct_passwd]) -> pwd.struct_passwd:
    """The user that owns nothing, or else any that is not root."""
    others = [user for user in users if user.pw_uid != 0 and user.pw_gid != 0]
    chosen = next((user for user in others if user.pw_name == "nobody"), others[-1] if others else None)
    if chosen is None:
        raise ConfitureError(
            "The embedded server cannot be started: this system lists no user but root, and PostgreSQL refuses root.",
            hint="Run as an ordinary user that is listed in /etc/passwd, or name a running server with --dsn.",
        )
    return chosen
