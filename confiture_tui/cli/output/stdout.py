"""Writing results to stdout, all of them or an error."""

from __future__ import annotations

import sys


class ReaderGone(Exception):
    """Whoever read stdout has closed it: ``confiture-tui … | head`` has seen enough.

    No ``OSError``: Typer would take a ``BrokenPipeError`` for its own and end the process.
    """


def write_out(text: str) -> None:
    """Write a whole text to stdout and flush it.

    An unbuffered stdout (``PYTHONUNBUFFERED``) may take only a part of what it is given and say so by a count that
    Python's own text layer ignores: the rest would be lost, or a reader that has gone would not be noticed.

    Raises:
        ReaderGone: nobody reads it any more.
    """
    try:
        _write_out(text)
    except BrokenPipeError:
        raise ReaderGone from None


def _write_out(text: str) -> None:
    stream = sys.stdout
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(text)
    else:
        stream.flush()
        rest = memoryview(text.encode(stream.encoding, stream.errors or "strict"))
        while rest:
            rest = rest[buffer.write(rest) or 0 :]
    stream.flush()
