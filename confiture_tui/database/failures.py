"""From what the driver raises to a sentence: what leaves the core and the service is a ``ConfitureError``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from confiture_tui.errors import ConfitureError, ConnectError


def as_sentence(error: BaseException, doing: str) -> BaseException:
    """The error as a user gets it; one that is a defect of ours stays what it is.

    The driver's exception is not kept as a cause: the frames of its traceback hold the connection string.

    Args:
        error: what was raised.
        doing: what was being done, as the beginning of a sentence.
    """
    psycopg = sys.modules.get("psycopg")
    if psycopg is None or not isinstance(error, psycopg.Error):
        return error
    from confiture_tui.database.connection_errors import connection_was_lost

    said = (error.diag.message_primary or str(error)).strip().splitlines()
    reason = said[0] if said else type(error).__name__
    if connection_was_lost(error):
        return ConnectError(
            f"{doing}: the connection was lost ({reason}).",
            hint="Nothing of it was committed. Check that the server runs, and try again.",
        )
    state = f"{error.sqlstate}: " if error.sqlstate else ""
    return ConfitureError(
        f"{doing}: the server refused ({state}{reason}).", hint="Nothing was changed; the log says what came before."
    )


@contextmanager
def in_sentences(doing: str) -> Iterator[None]:
    """Errors of the driver that leave the block become sentences.

    Raises:
        ConfitureError: instead of any ``psycopg.Error``.
    """
    try:
        yield
    except BaseException as error:
        told = as_sentence(error, doing)
        if told is error:
            raise
    else:
        return
    # Raised outside the `except`, so that the driver's exception is not kept as the context of this one.
    raise told
