"""A connection string that is offered again to whoever has mistyped it: its secrets masked, and put back afterwards."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from confiture_tui.database.dsn import URI_SCHEMES
from confiture_tui.database.secret import MASK, Secret
from confiture_tui.errors import UsageError

_MAY_BE_SHOWN: Final = frozenset(
    (
        *("host", "hostaddr", "port", "dbname", "user", "service", "passfile"),
        *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslnegotiation", "channel_binding", "require_auth"),
        *("gssencmode", "target_session_attrs", "load_balance_hosts", "connect_timeout", "application_name"),
        "client_encoding",
    )
)
"""Parameters whose values are no secrets; those of all others are masked, for they may be."""

_WORD: Final = re.compile(r"(?P<name>[^\s=]+)\s*=\s*(?P<value>'(?:\\.|[^'\\])*'?|\S*)|(?P<bare>\S+)")
_HOST: Final = r"(?:[\w.-]*|\[[0-9A-Fa-f:.]*\])(?::[0-9]{1,5})?"
_HOSTS: Final = re.compile(rf"{_HOST}(?:,{_HOST})*")
_PAIR: Final = re.compile(r"(?P<name>[^=&]*)(?:=(?P<value>[^&]*))?")


class MaskedDsn(NamedTuple):
    """A connection string as it may be shown, and what its masks stand for, in their order.

    The string need not be one that libpq can read: what cannot be told from a secret is masked.
    """

    shown: str
    hidden: tuple[Secret, ...]

    @classmethod
    def of(cls, text: str) -> MaskedDsn:
        """Mask a string."""
        spans = _of_uri(text) if text.startswith(URI_SCHEMES) else _of_words(text)
        shown, at = "", 0
        for start, end in spans:
            shown += text[at:start] + MASK
            at = end
        return cls(shown + text[at:], tuple(Secret(text[start:end]) for start, end in spans))

    def filled_in(self, typed: str) -> str:
        """What was made of the shown string, with what the masks stand for.

        Raises:
            UsageError: it has more or fewer masks, so that it is not clear what each stands for.
        """
        pieces = typed.split(MASK)
        if len(pieces) == 1:
            return typed
        if len(pieces) - 1 != len(self.hidden):
            raise UsageError(f"It is not clear what {MASK} stands for.", hint="Type the password in its place.")
        return pieces[0] + "".join(one.reveal() + piece for one, piece in zip(self.hidden, pieces[1:], strict=True))


def _of_uri(text: str) -> list[tuple[int, int]]:
    """Where a URI may hold secrets: the password before its last ``@``, and parameters after its ``?``."""
    start = text.index("://") + 3
    at = text.rfind("@")
    hosts = max(at + 1, start)
    found = re.compile(r"[^/?]*").match(text, hosts)
    assert found is not None  # it matches nothing at least
    spans = []
    colon = text.find(":", start)
    if 0 <= colon < at:
        spans.append((colon + 1, at))
    colon = text.find(":", hosts, found.end())
    if colon >= 0 and not _HOSTS.fullmatch(found.group()):
        # What stands where a port would may be the password of somebody who forgot the host.
        spans.append((colon + 1, found.end()))
    question = text.find("?", found.end())
    if question >= 0:
        spans += [
            one.span("value")
            for one in _PAIR.finditer(text, question + 1)
            if one["value"] and one["name"] not in _MAY_BE_SHOWN
        ]
    return [(first, last) for first, last in spans if first < last]


def _of_words(text: str) -> list[tuple[int, int]]:
    """Where key=value words may hold secrets: the values of what is not known to be none, and words without a key."""
    return [
        found.span("bare") if found["bare"] is not None else found.span("value")
        for found in _WORD.finditer(text)
        if (found["bare"] or found["name"]) not in _MAY_BE_SHOWN and (found["bare"] or found["value"])
    ]
