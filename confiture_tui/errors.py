"""The errors that a user may see: each a sentence that says what happened, to which object, and what to do next.

Every error that the house raises on purpose is a ``ConfitureError``; it carries the exit code of the command line
(README, "Exit codes"), so that no layer has to guess what a failure of another one means.
"""

from __future__ import annotations


class ConfitureError(Exception):
    """Something that a user can understand and mend.

    Attributes:
        hint: what to do next, in one sentence; empty when the message already says it.
        exit_code: what the command line exits with.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def message(self) -> str:
        """What happened, without the hint."""
        return str(self.args[0])

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(ConfitureError):
    """A command, an option, a settings file or a project that cannot be used as it is (exit code 2)."""

    exit_code = 2


class ConnectError(ConfitureError):
    """No connection to the database could be made, or it went away (exit code 3)."""

    exit_code = 3


class Cancelled(ConfitureError):
    """The user cancelled; everything that was under way has been rolled back (exit code 130)."""

    exit_code = 130
