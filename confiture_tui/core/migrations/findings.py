"""What is to be said of a migration's text, and how many findings of one kind are said as one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from confiture_tui.core.migrations.model import Finding, file_label
from confiture_tui.core.migrations.profiles import Wrapping
from confiture_tui.core.sql.script import NOT_UTF8

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confiture_tui.core.migrations.model import Migration
    from confiture_tui.core.sql.script import Script
    from confiture_tui.core.sql.statement import Statement

_PLACEHOLDER = re.compile(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|\$\{\w[^}\n]*\}|<%.*?(?:%>|\Z)", re.DOTALL)
"""What Jinja and Go templates, shells, Flyway and Maven, and ERB write where a value is to be filled in."""
_PSQL_VARIABLE = re.compile(r"(?<![:\w]):(?:'\w+'|\"\w+\"|[A-Za-z_]\w*)")
"""``:name``, ``:'name'`` and ``:"name"``: variables of psql, and parameters of many drivers."""
_SAVEPOINTS = frozenset({"TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO"})
MAX_SQL_CHARACTERS = 8 * 1024 * 1024
"""How much SQL, without the data of COPY, is taken apart: a syntax tree has some seventy times the size of its text."""
_ALIKE = 3
"""How many findings of one kind are still told one by one."""
_ORDER = ("error", "warning", "note")


_Found = tuple[str, Literal["error", "warning", "note"], int, str]
"""Code, level, line and message."""


def script_findings(migration: Migration, wrapping: Wrapping) -> tuple[Finding, ...]:
    """What its text alone tells a reviewer, each with its line: the grammar is asked, nothing is run.

    Statements that PostgreSQL cannot read and transaction control within the runner's transaction are errors: the
    migration would not do what it seems to. What only psql understands is a warning.
    """
    name = file_label(migration.path) if migration.path is not None else migration.label
    script = migration.up
    found = [
        *_unreadable(name, script),
        *_transaction_control(name, script, wrapping),
        *_meta_commands(name, script),
        *_copy_data(name, script),
    ]
    return tuple(
        Finding(code=code, message=message, path=migration.path, line=line, level=level)
        for code, level, line, message in sorted(found, key=lambda one: one[2])
    )


def too_large(migration: Migration) -> Finding | None:
    """An error where a script is too large to be taken apart in a reasonable time and memory; nothing is parsed."""
    script = migration.up
    if len(script.text) <= MAX_SQL_CHARACTERS or script.sql_size <= MAX_SQL_CHARACTERS:
        return None
    name = file_label(migration.path) if migration.path is not None else migration.label
    return Finding(
        code="too-large",
        message=f"{name} holds {script.sql_size / 1024 / 1024:,.0f} MB of SQL, and more than "
        f"{MAX_SQL_CHARACTERS // 1024 // 1024} MB are not taken apart. Split it, or load its rows with COPY, whose "
        f"data do not count.",
        path=migration.path,
        line=1,
        level="error",
    )


def _unreadable(name: str, script: Script) -> Iterator[_Found]:
    """A finding for each statement that cannot be parsed: a template's, or a mistake."""
    for statement in script.problems:
        problem = statement.problem
        if problem is None or problem.message == NOT_UTF8:
            # The file's own finding says so, with the byte.
            continue
        placeholder = _placeholder_in(statement)
        if placeholder is not None:
            yield (
                "template",
                "error",
                problem.line,
                f"{name}, line {problem.line}: {placeholder} is to be filled in by another tool, and PostgreSQL cannot "
                f"read it. Look at the file as that tool writes it, through `confiture-tui preview -` for instance.",
            )
            continue
        yield (
            "syntax-error",
            "error",
            problem.line,
            f"{name}, line {problem.line}: PostgreSQL cannot read this {statement.tag} ({problem.message}). "
            f"Mend it; the file's other statements are shown as they are.",
        )


def _placeholder_in(statement: Statement) -> str | None:
    """The placeholder that keeps a statement from being read, if it has one where the grammar gave up."""
    problem = statement.problem
    found = _PLACEHOLDER.search(statement.sql)
    if found is None and problem is not None and '":"' in problem.message:
        found = _PSQL_VARIABLE.search(statement.sql, max(problem.position - 1, 0))
    return None if found is None else " ".join(found.group().split())[:60]


def _transaction_control(name: str, script: Script, wrapping: Wrapping) -> Iterator[_Found]:
    if script.wrapper is not None:
        first, last = script.wrapper
        yield (
            "own-transaction",
            "note",
            first.line,
            f"{name}, lines {first.line} and {last.line}: the file's own {first.tag} and {last.tag} are its "
            f"transaction; the runner adds none.",
        )
    for statement in script.transaction_control:
        kind = (statement.node or {}).get("kind")
        if kind in _SAVEPOINTS:
            continue
        place = f"{name}, line {statement.line}: {statement.tag}"
        if wrapping is Wrapping.NONE:
            told = f"{place} is the file's own; what it commits stays when a later statement fails."
            yield ("transaction-control", "note", statement.line, told)
        else:
            told = (
                f"{place} interferes with the transaction that the runner puts around the file: a failure would no "
                f"longer take everything back. Take it out."
            )
            yield ("transaction-control", "error", statement.line, told)


def _meta_commands(name: str, script: Script) -> Iterator[_Found]:
    commands = script.meta_commands
    if commands:
        lines = sorted({one.line for one in commands})
        words = sorted({one.text.split()[0] for one in commands})
        yield (
            "psql-meta-command",
            "warning",
            lines[0],
            f"{name}, {_lines(lines)}: {', '.join(words[:4])} {'is a command' if len(words) == 1 else 'are commands'} "
            f"of psql, which a server does not know; they are left out here. Write them as SQL, or run the file with "
            f"psql.",
        )


def _copy_data(name: str, script: Script) -> Iterator[_Found]:
    lines = [one.line for one in script.statements if one.copy_data is not None]
    if lines:
        yield (
            "copy-data",
            "note",
            lines[0],
            f"{name}, {_lines(lines)}: COPY reads rows that stand in the file. psql and this program send them; a tool "
            f"that hands the text to a driver fails here.",
        )


def _lines(lines: list[int]) -> str:
    """``line 3``, ``lines 1, 2 and 4``, ``lines 1, 2, 3 and 17 more``."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    shown = [str(line) for line in lines]
    if len(shown) > 4:
        shown[3:] = [f"{len(shown) - 3:,} more"]
    return f"lines {', '.join(shown[:-1])} and {shown[-1]}"


def condensed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings for a person: errors first, then warnings, then notes; many of one kind said as one.

    Of errors none is left out: each is a file to be mended.
    """
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for finding in dict.fromkeys(findings):
        kinds.setdefault((finding.level, finding.code), []).append(finding)
    result: list[Finding] = []
    for (level, _code), alike in sorted(kinds.items(), key=lambda item: _ORDER.index(item[0][0])):
        if level == "error" or len(alike) <= _ALIKE:
            result += alike
            continue
        first = alike[0]
        others = [file_label(one.path) for one in alike[1:] if one.path is not None]
        names = f": {others[0]} … {others[-1]}" if others else ""
        message = f"{first.message} And {len(alike) - 1:,} more like it{names}."
        result.append(first.model_copy(update={"message": message}))
    return tuple(result)
