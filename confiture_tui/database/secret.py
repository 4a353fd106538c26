"""A string that must not be shown: a password, or a connection string that may hold one."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn

MASK = "***"
"""What stands where a secret is."""


class Secret:
    """Wraps a string so that it reaches no screen, log or traceback by accident.

    ``repr``, ``str`` and formatting give ``***``; pickling is refused, because a pickle would hold the text. Only
    ``reveal()`` gives it. Two secrets are equal when their texts are.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for the call that needs it, never for a variable that lives longer."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._text.encode("utf-8", "surrogatepass"), other._text.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be pickled")
