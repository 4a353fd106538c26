"""What may be sent to a terminal: text without hidden instructions, and colour only where it is wanted.

Text from migration files, databases and servers is hostile until it went through here: an ESC byte can rewrite the
screen, a right-to-left mark can make ``DROP`` read as something else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

# Control pictures (U+2400 …) stand for C0 and DEL; C1 has none. Newline and tab stay.
_VISIBLE: dict[int, str] = {code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)}
_VISIBLE[0x7F] = "\u2421"
_REPLACED = (
    range(0x80, 0xA0),  # C1: terminals obey U+009B as they obey ESC [
    range(0x061C, 0x061D),  # Arabic letter mark
    range(0x200E, 0x2010),  # left-to-right and right-to-left marks
    range(0x2028, 0x202F),  # line and paragraph separators; embeddings and overrides
    range(0x2060, 0x206A),  # word joiner, invisible operators; isolates
    range(0xD800, 0xE000),  # halves of surrogate pairs: what undecodable bytes become, and no terminal can take
    range(0xFEFF, 0xFF00),  # byte order mark
    range(0xFFF9, 0xFFFC),  # interlinear annotation
    range(0xE0000, 0xE0080),  # tag characters
)
for _codes in _REPLACED:
    _VISIBLE.update(dict.fromkeys(_codes, "\ufffd"))
_HIDDEN_IN_JSON = re.compile("[\x7f" + "".join(f"{chr(one.start)}-{chr(one.stop - 1)}" for one in _REPLACED) + "]")


def safe_text(text: str) -> str:
    """The text with everything made visible that a terminal would obey instead of show.

    C0 controls and DEL become their control pictures; C1 controls, marks of direction and lone surrogates become
    U+FFFD. Newlines and tabs stay. The length in characters does not change: positions in the text stay true.
    """
    return text if text.isprintable() else text.translate(_VISIBLE)


def one_line(text: str) -> str:
    """``safe_text`` for a place that has a single line: white space of any kind becomes one space."""
    return safe_text(" ".join(text.split()))


def safe_json(document: str) -> str:
    """A JSON document in which everything a terminal would obey is written as ``\\uXXXX``: the same document, lossless.

    JSON itself escapes only the C0 controls. The other ones can stand nowhere in a document but inside its strings.
    """
    import json

    return _HIDDEN_IN_JSON.sub(lambda found: json.dumps(found.group())[1:-1], document)


def draws_unicode(environ: Mapping[str, str], *, encoding: str | None = None) -> bool:
    """Whether this terminal can show more than ASCII: not when ``TERM`` is ``dumb``, nor where the locale is not UTF-8.

    Args:
        environ: the environment.
        encoding: the locale's encoding; read from the locale when not given.
    """
    if environ.get("TERM") == "dumb":
        return False
    # LC_ALL beats LC_CTYPE beats LANG (POSIX 8.2). Python's own UTF-8 mode would hide that the locale is "C".
    named = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG")
    if encoding is None and named in ("C", "POSIX"):
        return False
    if encoding is None and named and "." in named:
        encoding = named.partition(".")[2].partition("@")[0]
    if not encoding:
        import locale

        encoding = locale.getencoding()
    return encoding.lower().replace("-", "") == "utf8"


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether to colour what is written to ``stream``: on a terminal that is not ``dumb``, without ``NO_COLOR``.

    ``NO_COLOR`` counts when it is set and not empty (no-color.org).
    """
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb" and stream.isatty()
