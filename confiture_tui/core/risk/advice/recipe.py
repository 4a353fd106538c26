"""A safe rewrite as text: numbered steps, each in the transaction it needs, with its time-outs.

What a step may be given: a *brief* one takes a lock that others wait for, and must therefore be short and give up soon;
a *long* one reads or changes much under a lock that nobody waits for; one *alone* cannot run in a transaction block
(CONCURRENTLY), where a lock_timeout would do harm: cut off half-way it leaves an invalid index.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

LOCK_TIMEOUT = "2s"
"""Everybody else queues behind a lock that is waited for, so the wait must be short; then try again."""
INDENT = "    "
"""Before each statement that a later migration is to run: a comment that begins so is SQL."""
BRIEF_TIMEOUT = "10s"
"""More than any change of the catalog alone needs: a step that takes longer is not what it was thought to be."""


@dataclass(slots=True)
class Recipe:
    """Steps in the order in which they are to be run.

    Names and expressions in the steps are SQL already: quoted, or the user's own text.
    """

    _steps: list[tuple[str, list[str]]] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)
    _later: list[tuple[str, list[str]]] = field(default_factory=list)

    def brief(self, comment: str, *statements: str) -> Self:
        """Statements of one transaction that change the catalog only."""
        return self._transaction(comment, BRIEF_TIMEOUT, statements)

    def long(self, comment: str, *statements: str) -> Self:
        """Statements of one transaction that may run for long, under locks that block neither readers nor writers."""
        return self._transaction(comment, "0", statements)

    def alone(self, comment: str, *statements: str) -> Self:
        """Statements that cannot run in a transaction block, and wait for as long as they must."""
        lines = ["SET lock_timeout = 0;", "SET statement_timeout = 0;"]
        lines += [_closed(one) for one in statements]
        lines += ["RESET statement_timeout;", "RESET lock_timeout;"]
        self._steps.append((f"{comment} Not inside a transaction.", lines))
        return self

    def note(self, text: str) -> Self:
        """Something to know before the first step."""
        self._notes.append(text)
        return self

    def later(self, comment: str, *statements: str) -> Self:
        """What is to be done in a later migration: shown as comments, indented, after the last step."""
        self._later.append((comment, [_closed(one) for one in statements]))
        return self

    def extend(self, other: Recipe) -> Self:
        """All steps and notes of another recipe, after these."""
        self._steps += other._steps
        self._notes += other._notes
        self._later += other._later
        return self

    def text(self) -> str:
        """The recipe as SQL, ready to be run statement by statement with autocommit on."""
        blocks = ["\n".join(_comment(note) for note in self._notes)] if self._notes else []
        count = len(self._steps)
        for number, (comment, lines) in enumerate(self._steps, start=1):
            heading = f"Step {number} of {count}. {comment}" if count > 1 else comment
            blocks.append("\n".join([_comment(heading), *lines]))
        for comment, lines in self._later:
            blocks.append("\n".join([_comment(comment), *(_comment(_indented(line)) for line in lines)]))
        return "\n\n".join(blocks) + "\n"

    def _transaction(self, comment: str, timeout: str, statements: tuple[str, ...]) -> Self:
        limit = "0" if timeout == "0" else f"'{timeout}'"
        lines = ["BEGIN;", f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';", f"SET LOCAL statement_timeout = {limit};"]
        lines += [_closed(one) for one in statements]
        self._steps.append((comment, [*lines, "COMMIT;"]))
        return self


def _indented(statement: str) -> str:
    return "\n".join(f"{INDENT}{line}" for line in statement.splitlines())


def _closed(statement: str) -> str:
    # A comment at the end of the user's own text would swallow the semicolon.
    last = statement.rpartition("\n")[2]
    return f"{statement}\n;" if "--" in last else f"{statement};"


def _comment(text: str) -> str:
    """Text as SQL comments, each line its own: a name with a line break in it must not end the comment."""
    return "\n".join([f"-- {line}".rstrip() for line in (text.splitlines() or [""])])
