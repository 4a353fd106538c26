"""Names of databases and roles that we make and drop: whose they are can be read from them."""

from __future__ import annotations

import itertools
import os
import re
import secrets
from functools import lru_cache
from typing import Final

_OURS: Final = re.compile(r"confiture_[a-z]+_(?P<token>[0-9a-f]{12})_[0-9]+\Z")
_numbers = itertools.count(1)


def unique_name(kind: str) -> str:
    """A name that nobody else has: what it is for, this process's random token, a number."""
    return f"confiture_{kind}_{own_token()}_{next(_numbers)}"


def own_token() -> str:
    """The token of this process."""
    return _token(os.getpid())


def token_in(name: str) -> str | None:
    """The token of the process that made something of this name; ``None``: it was none of ours."""
    found = _OURS.match(name)
    return found["token"] if found else None


@lru_cache
def _token(_process: int) -> str:
    """Random, for each process: a forked child has another than its parent."""
    return secrets.token_hex(6)
