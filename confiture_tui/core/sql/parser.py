"""The door to the PostgreSQL grammar: the only file that knows which binding is behind it.

Behind it is libpg_query (BSD), PostgreSQL's own parser as a library, in the file that the ``postgast`` wheel ships; it
is called through ctypes and answers in JSON. Its grammar is PostgreSQL 18's: it accepts what an older server refuses.
The library is loaded at the first call. Every function here may be called from any thread.

The library recurses over the syntax tree without watching its stack; a statement whose tree may be deep is therefore
given a thread with a stack that is certain to be large enough, and one beyond all reason is refused.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from confiture_tui.core.sql.continued_strings import without_comments_in_strings
from confiture_tui.core.sql.json_tree import read_json
from confiture_tui.core.sql.nesting import depth_bound
from confiture_tui.core.sql.statement import SyntaxProblem
from confiture_tui.errors import ConfitureError

_LIBRARY_NAMES = {"win32": "pg_query.dll", "darwin": "libpg_query.dylib"}

_STACK_PER_LEVEL = 512
"""Bytes of stack for one level of ``depth_bound``. Measured on x86-64 over 26 kinds of nesting: 141 at most."""

_STACK_AT_HAND = 1024 * 1024
"""Up to this many bytes the caller's own stack will do; with the measured figure that is 280 kB in truth."""

_STACK_LIMIT = 512 * 1024 * 1024
"""The largest stack that is asked for; address space, of which only what is used becomes memory."""

_PLPGSQL_STACK = 4 * 1024 * 1024
"""What PL/pgSQL's own blocks may need: its parser ends at 10,000 open symbols, which is about 2,000 blocks."""

_UNREADABLE = re.compile("[\x00\ud800-\udfff]")
_PLPGSQL_LINE = re.compile(r"near line (\d+)$")
_STRAY_BRACE = re.compile(r"[,\[]\{\}\}")
_STRING_OR_STRAY_BRACE = re.compile(r'("(?>[^"\\]++|\\.)*+")|(?<=[,\[])\{\}\}')
_NEAR_WORD = re.compile(r'at or near "(\w+)"$')

_stack_size_lock = threading.Lock()


class _Error(ctypes.Structure):
    _fields_ = (
        ("message", ctypes.c_char_p),
        ("funcname", ctypes.c_char_p),
        ("filename", ctypes.c_char_p),
        ("lineno", ctypes.c_int),
        ("cursorpos", ctypes.c_int),
        ("context", ctypes.c_char_p),
    )


class _ParseResult(ctypes.Structure):
    _fields_ = (
        ("answer", ctypes.c_char_p),
        ("stderr_buffer", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    )


class _PlpgsqlResult(ctypes.Structure):
    _fields_ = (("answer", ctypes.c_char_p), ("error", ctypes.POINTER(_Error)))


class _FingerprintResult(ctypes.Structure):
    _fields_ = (
        ("fingerprint", ctypes.c_uint64),
        ("answer", ctypes.c_char_p),
        ("stderr_buffer", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    )


class _Refusal(Exception):
    """What the library says in place of an answer: message, 1-based character position (0: none), context."""

    def __init__(self, message: str, position: int, context: str) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.context = context


def parse(sql: str) -> tuple[str, dict[str, Any]] | SyntaxProblem:
    """The syntax tree of one statement: the kind of its top node and that node's fields.

    The fields are as libpg_query writes them: a nested node is ``{"Kind": {…}}``, a false boolean, an empty list and a
    zero are left out, and every ``location`` is a 0-based offset in *bytes* of the UTF-8 text.

    A text that is no statement, or more than one, is a problem like any other; so is one nested so deeply that no
    server would take it. The place of a problem is within ``sql``.

    Raises:
        ConfitureError: the library is not installed.
    """
    answer = _ask("pg_query_parse", sql, _stack_for(sql))
    if isinstance(answer, SyntaxProblem):
        return answer
    statements = read_json(answer)["stmts"]
    if not statements:
        return _problem(sql, "there is no statement here", 1)
    if len(statements) > 1:
        before = sql.encode()[: statements[1].get("stmt_location", 0)].decode(errors="replace")
        return _problem(sql, "there is more than one statement here", len(before) + 1)
    ((kind, node),) = statements[0]["stmt"].items()
    return kind, node


def parse_plpgsql(sql: str) -> list[dict[str, Any]] | SyntaxProblem:
    """The bodies of the PL/pgSQL functions and DO blocks in ``sql``, one dictionary each, as libpg_query writes them.

    A routine in another language yields a ``PLpgSQL_function`` without an ``action``; a statement without a body
    yields nothing. The SQL in a body is plain text (``PLpgSQL_expr.query``), to be parsed again. The library tells of
    a mistake in a body only a line near it, so that the problem's place may be a line off.

    Raises:
        ConfitureError: the library is not installed.
    """
    stack = _stack_for(sql)
    if len(sql) > _PLPGSQL_STACK // _STACK_PER_LEVEL:
        stack += _PLPGSQL_STACK
    answer = _ask("pg_query_parse_plpgsql", sql, stack)
    if isinstance(answer, SyntaxProblem):
        return answer
    functions: list[dict[str, Any]] = read_json(_without_stray_braces(answer))
    return functions


def _without_stray_braces(answer: str) -> str:
    """What the library says of a body, made readable.

    Of a trigger's own variables (TG_OP, …) it writes nothing but ``{}}``, with one brace too many.
    """
    if _STRAY_BRACE.search(answer) is None:
        return answer
    return _STRING_OR_STRAY_BRACE.sub(lambda found: found.group(1) or "{}", answer)


def fingerprint(sql: str) -> str | SyntaxProblem:
    """What statements have in common that differ only in constants and layout: 16 hexadecimal digits.

    Raises:
        ConfitureError: the library is not installed.
    """
    return _ask("pg_query_fingerprint", sql, _stack_for(sql))


def _stack_for(sql: str) -> int:
    """The bytes of stack that are certain to be enough for the tree of ``sql``."""
    if len(sql) * _STACK_PER_LEVEL <= _STACK_AT_HAND:
        return 0
    return depth_bound(sql) * _STACK_PER_LEVEL


def _ask(function: str, sql: str, stack: int) -> str | SyntaxProblem:
    """The library's answer to one statement."""
    # Nearly every text is ASCII, and no search is needed to know that.
    if ("\0" in sql or not sql.isascii()) and (unreadable := _UNREADABLE.search(sql)):
        what = "a NUL character, which no text in PostgreSQL may hold"
        if unreadable.group() != "\0":
            what = "a character that cannot be written in UTF-8"
        return _problem(sql, f"the text holds {what}", unreadable.start() + 1)
    if stack > _STACK_LIMIT:
        return _problem(sql, "too deeply nested", 1)
    try:
        return _try(function, sql, stack)
    except _Refusal as refusal:
        return _refused(function, sql, stack, refusal)
    except (MemoryError, RuntimeError, ValueError) as error:
        return _problem(sql, f"too deeply nested for the memory at hand ({error})", 1)


def _refused(function: str, sql: str, stack: int, refusal: _Refusal) -> str | SyntaxProblem:
    """The problem, unless what was refused is one of the things that a server would take."""
    message = refusal.message
    if message.startswith("memory exhausted"):
        return _problem(sql, f"too deeply nested ({message})", max(refusal.position, 1))
    if (taken := without_comments_in_strings(sql)) != sql:
        with suppress(_Refusal):
            return _try(function, taken, stack)
    if not refusal.position and (line := _PLPGSQL_LINE.search(refusal.context)):
        return _problem_in_body(sql, message, int(line.group(1)))
    return _problem(sql, message, max(refusal.position, 1))


def _try(function: str, sql: str, stack: int) -> str:
    """The library's answer, on a stack that is large enough.

    Raises:
        _Refusal: it could not parse the text.
        MemoryError, RuntimeError, ValueError: there is no such stack, or no answer.
    """
    text = sql.encode()
    if stack <= _STACK_AT_HAND:
        return _call(function, text)
    return _with_stack(stack + _STACK_AT_HAND, lambda: _call(function, text))


def _with_stack(size: int, work: Callable[[], str]) -> str:
    """Do the work on a thread with a stack of so many bytes.

    Raises:
        RuntimeError, ValueError: the system gives no stack of that size.
    """
    from concurrent.futures import ThreadPoolExecutor  # costs the start of the program more than it is needed

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="deep-parse") as executor:
        # The size holds for the process, so it is set only while the one thread starts. Another thread that happens
        # to start in that moment gets more address space than it needs, and nothing else.
        with _stack_size_lock:
            before = threading.stack_size(-(-size // 65536) * 65536)
            try:
                future = executor.submit(work)
            finally:
                threading.stack_size(before)
        return future.result()


def _call(function: str, text: bytes) -> str:
    """Call the library.

    Raises:
        _Refusal: it could not parse the text.
        MemoryError: it gave neither an answer nor a reason.
    """
    library = _library()
    result = getattr(library, function)(text)
    try:
        if result.error:
            error = result.error.contents
            raise _Refusal(_text(error.message), error.cursorpos, _text(error.context))
        if result.answer is None:
            raise MemoryError("no answer")
        return _text(result.answer)
    finally:
        getattr(library, _FREE[function])(result)


_FREE = {
    "pg_query_parse": "pg_query_free_parse_result",
    "pg_query_parse_plpgsql": "pg_query_free_plpgsql_parse_result",
    "pg_query_fingerprint": "pg_query_free_fingerprint_result",
}
_RESULTS: dict[str, type[ctypes.Structure]] = {
    "pg_query_parse": _ParseResult,
    "pg_query_parse_plpgsql": _PlpgsqlResult,
    "pg_query_fingerprint": _FingerprintResult,
}


def _text(raw: bytes | None) -> str:
    # The library cuts long identifiers off after 63 bytes, at a character's end; "replace" is for what it might cut
    # elsewhere in a message.
    return (raw or b"").decode(errors="replace")


@cache
def _library() -> ctypes.CDLL:
    """libpg_query, loaded once.

    Raises:
        ConfitureError: it is not installed, or cannot be loaded.
    """
    hint = "Install it with: pip install --force-reinstall postgast"
    spec = importlib.util.find_spec("postgast")
    name = _LIBRARY_NAMES.get(sys.platform, "libpg_query.so")
    places = [Path(place) / name for place in (spec and spec.submodule_search_locations) or ()]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise ConfitureError("PostgreSQL's grammar (libpg_query, in the package postgast) is not installed.", hint=hint)
    try:
        library = ctypes.CDLL(str(path))
        for function, result in _RESULTS.items():
            getattr(library, function).argtypes = (ctypes.c_char_p,)
            getattr(library, function).restype = result
            getattr(library, _FREE[function]).argtypes = (result,)
            getattr(library, _FREE[function]).restype = None
    except (OSError, AttributeError) as error:
        raise ConfitureError(f"PostgreSQL's grammar cannot be loaded from {path}: {error}.", hint=hint) from error
    return library


def _problem(sql: str, message: str, position: int) -> SyntaxProblem:
    before = sql[: position - 1]
    return SyntaxProblem(message, position, before.count("\n") + 1, position - (before.rfind("\n") + 1))


def _problem_in_body(sql: str, message: str, line_of_body: int) -> SyntaxProblem:
    """The problem on that line of the routine's body or, since the library only says "near", at the word it names.

    Line 1 is the one on which the body's quote opens.
    """
    tree = parse(sql)
    location = 0
    if not isinstance(tree, SyntaxProblem):
        for field in ("options", "args"):
            for option in tree[1].get(field, ()):
                element = option.get("DefElem", {})
                if element.get("defname") == "as":
                    location = element.get("location", 0)
    body = sql.encode()[:location].decode(errors="replace")
    opening = re.compile(r"(?:as\b\s*)?", re.IGNORECASE).match(sql, len(body))
    start = opening.end() if opening else len(body)
    for _ in range(line_of_body - 1):
        start = (sql.find("\n", start) + 1) or start
    if near := _NEAR_WORD.search(message):
        word = re.compile(rf"(?<!\w){re.escape(near.group(1))}(?!\w)").search(sql, start)
        start = word.start() if word else start
    return _problem(sql, message, start + 1)
