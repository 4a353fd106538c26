"""Writing results to stdout, all of them or an error."""

from __future__ import annotations

import errno
import sys

from confiture_tui.errors import UsageError


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
        UsageError: it cannot be written, to a full disk for instance.
    """
    try:
        _write_out(text)
    except BrokenPipeError:
        raise ReaderGone from None
    except OSError as error:
        raise cannot_be_written(error) from None


def cannot_be_written(error: OSError) -> UsageError:
    """The sentence for a stdout that takes no more."""
    reason = error.strerror or str(error)
    return UsageError(
        f"The result could not be written to standard output: {reason}.",
        hint="What was written before is not complete. Make room, or send it elsewhere.",
    )


def _write_out(text: str) -> None:
    stream = sys.stdout
    if stream is None:
        # A program that is started with a closed stdout has none.
        raise OSError(errno.EBADF, "it is closed")
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(text)
    else:
        stream.flush()
        rest = memoryview(text.encode(stream.encoding, stream.errors or "strict"))
        while rest:
            rest = rest[buffer.write(rest) or 0 :]
    stream.flush()
