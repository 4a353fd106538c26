"""Will it fail on my data? Read-only questions to the database, with a time budget, counted and shown."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import psycopg

BUDGET_SECONDS: Final = 10.0
"""For all questions of a run together."""
QUESTION_SECONDS: Final = 3.0
"""For one question."""
COUNTED: Final = 1_000
"""Rows of the kind that is asked for are counted up to here."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whether there are rows of a kind.

    Attributes:
        sqlstate: the error that they cause; empty where none is, and only their number counts.
        words: what is asked for, ``rows of public.orders in which email is NULL``.
        rows: a query that returns one row for each, ``SELECT FROM …``, all names qualified; ``None``: cannot be asked.
        why_not: why it cannot be asked.
        known: the answer, where it needs no asking; ``None`` otherwise.
        relations: qualified names, as the catalog has them, of the tables that are read.
        statistics: what the statistics say in its place, when it goes unanswered; empty for nothing.
        shown: what a person would select of these rows.
        counts_all: what is asked is how many there are, all of them.
    """

    sqlstate: str
    words: str
    rows: str | None
    why_not: str | None = None
    known: bool | None = None
    relations: tuple[str, ...] = ()
    statistics: str = ""
    shown: str = "*"
    counts_all: bool = False

    def rows_to_look_at(self) -> str | None:
        """The query as a person would run it."""
        return None if self.rows is None else self.rows.replace("SELECT FROM", f"SELECT {self.shown} FROM", 1)


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One question about the data: do they let the statement fail, or how many rows does it change.

    Attributes:
        sqlstate: the error that rows of this kind cause; empty where only their number counts.
        question: in words, ``rows of public.orders in which email is NULL``.
        sql: the query; ``None`` when none was made.
        rows_sql: the query that shows these rows to a person; ``None`` likewise.
        found: some rows are of that kind; ``None`` when it was not answered.
        rows: how many, where they were counted (those that cause an error at most to ``COUNTED``; then
            ``rows_at_least``); ``None`` otherwise.
        why_not: why it was not answered; ``None`` when it was.
        elapsed_ms: how long it took.
    """

    sqlstate: str
    question: str
    sql: str | None
    found: bool | None
    rows: int | None = None
    rows_at_least: bool = False
    why_not: str | None = None
    elapsed_ms: float = 0.0
    rows_sql: str | None = None

    def sentence(self) -> str:
        """The result as evidence."""
        if self.found is None:
            return f"Not asked for {self.question}: {self.why_not}."
        if not self.found:
            return f"A probe found no {self.question}." if self.sql else f"There is no {self.question}."
        return f"A probe found {self.found_in_words()}."

    def found_in_words(self) -> str:
        """What was found: ``299 duplicates of email in public.customer``."""
        how_many = "some" if self.rows is None else f"{'at least ' if self.rows_at_least else ''}{self.rows:,}"
        return f"{how_many} {self.question}"


class Prober:
    """Asks questions on one connection, within one budget of time.

    Every question is asked in a READ ONLY transaction with time-outs of its own, and gives its locks back at once.
    The search_path holds pg_catalog alone, so that no function or operator of a user's is ever called by an
    unqualified name; rows that row security would hide make it fail instead of being left out.
    """

    def __init__(
        self, conn: psycopg.Connection[Any], *, budget: float = BUDGET_SECONDS, each: float = QUESTION_SECONDS
    ) -> None:
        self._conn = conn
        self._left = budget
        self._each = each
        self._asked: dict[Question, ProbeResult] = {}

    def ask(self, questions: Iterable[Question]) -> tuple[ProbeResult, ...]:
        """The answers, in order; an equal question is asked once.

        Raises:
            ConfitureError: the connection cannot be used as it is: closed, busy, or its transaction has failed.
        """
        from confiture_tui.core.catalog.reading.transaction import reading, settle

        listed = tuple(questions)
        if any(each.rows is not None and each not in self._asked for each in listed):
            with reading(self._conn) as cursor:
                settle(cursor, self._conn.info.server_version)
                cursor.execute(
                    "SELECT pg_catalog.set_config('row_security', 'off', true),"
                    " pg_catalog.set_config('lock_timeout', '500ms', true)"
                )
                for each in listed:
                    if each not in self._asked:
                        self._asked[each] = self._answer(cursor, each)
        return tuple(self._asked.get(each) or unasked(each, "it cannot be asked") for each in listed)

    def _answer(self, cursor: Any, question: Question) -> ProbeResult:
        from confiture_tui.core.catalog.reading.transaction import attempt

        if question.rows is None:
            return unasked(question, "it cannot be asked")
        limit = min(self._left, self._each)
        if limit < 0.02:
            return _unanswered(question, "the time for probes is used up")
        import psycopg

        began = time.monotonic()
        found: bool | None = None
        rows: int | None = None
        why_not: str | None = None
        counting = f"SELECT pg_catalog.count(*) FROM ({question.rows}) AS found"
        sql = counting if question.counts_all else f"SELECT EXISTS ({question.rows})"
        try:
            with attempt(self._conn, cursor):
                _limit(cursor, limit)
                answer = int(cursor.execute(sql.encode()).fetchone()[0])
                found = answer > 0
                if question.counts_all:
                    rows = answer
                elif found:
                    _limit(cursor, max(limit - (time.monotonic() - began), 0.01))
                    counting = f"SELECT pg_catalog.count(*) FROM ({question.rows} LIMIT {COUNTED + 1}) AS found"
                    rows = int(cursor.execute(counting.encode()).fetchone()[0])
        except psycopg.errors.QueryCanceled:
            why_not = f"it takes longer than {limit:.1f} s"
        except psycopg.errors.LockNotAvailable:
            why_not = "somebody holds a lock on the table"
        except psycopg.Error as error:
            if self._conn.closed:
                raise
            why_not = f"the server refused ({error.sqlstate})"
        elapsed = time.monotonic() - began
        self._left -= elapsed
        if found is None:
            return _unanswered(question, why_not or "it was not answered", sql, elapsed)
        return ProbeResult(
            sqlstate=question.sqlstate,
            question=question.words,
            sql=sql,
            found=found,
            rows=rows if rows is None or question.counts_all else min(rows, COUNTED),
            rows_at_least=rows is not None and rows > COUNTED and not question.counts_all,
            elapsed_ms=round(elapsed * 1000, 3),
            rows_sql=question.rows_to_look_at(),
        )


def unasked(question: Question, why_not: str) -> ProbeResult:
    """The result of a question that nobody was there to ask; some need no asking."""
    if question.known is not None:
        return ProbeResult(question.sqlstate, question.words, None, question.known)
    return _unanswered(question, question.why_not or why_not)


def _limit(cursor: Any, seconds: float) -> None:
    cursor.execute("SELECT pg_catalog.set_config('statement_timeout', %s, true)", (str(max(int(seconds * 1000), 1)),))


def _unanswered(question: Question, why_not: str, sql: str | None = None, elapsed: float = 0.0) -> ProbeResult:
    if question.statistics:
        why_not = f"{why_not}; {question.statistics}"
    return ProbeResult(
        question.sqlstate, question.words, sql, None, why_not=why_not, elapsed_ms=round(elapsed * 1000, 3)
    )
