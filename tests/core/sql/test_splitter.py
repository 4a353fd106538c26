"""Splitting loses nothing, and agrees with PostgreSQL's own parser about where statements end."""

from __future__ import annotations

import ctypes
import importlib.util
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from confiture_tui.core.sql.lexical import skip_blank
from confiture_tui.core.sql.splitter import segments, split
from confiture_tui.core.sql.statement import PieceKind

BLANK, COPY_DATA, META, SQL = PieceKind.BLANK, PieceKind.COPY_DATA, PieceKind.META, PieceKind.SQL

FRAGMENTS = [
    "select 1", "select", "1", "1e5", "$1", ";", ";;", ",", "'a;b'", "''", "'", "E'\\''", "E'", "e'\\\\'", "\\'",
    "\\", '"a;"', '"', "$$", "$a$", "$é$", "a$b", "$", "é", "/*", "*/", "/**/", "--", "-- ;", "\n", "\r", "\r\n", " ",
    "\t", "\f", "\v", "(", ")", "[", "]", "+", "-", "*", "/", "E'a'\n'b\\';c'", "U&'x' uescape '!'", 'U&"x"', "e",
    "E", "begin", "atomic", "end", "case", "when true then", "begin atomic", "end;",
    "select case when true then 1 end;", "return 1;", "create", "create or replace", "function f()", "procedure p()",
    "language sql", "returns int", "as", "rule r as", "on insert to t do also", "(select 1; select 2)",
    "copy t from stdin;", "copy", "from stdin", "\\.", "\\.\n", "\\.\r\n", "\\connect x\n", "\\;", "\\\\",
    "\\echo 'a\\\\b' \\\\ ", "\\gset\n", "\\copy t from stdin\n", "\ufeff", "\x00", "\ud800", "\u00a0", "::int",
    ":var", "x'1f'", "n'a;'", "b'1'", "{{ x }}", "do $$ begin; end $$;", "@-- c\n", "a--b", "1/*x*/2",
]  # fmt: skip
nasty_text = st.builds(
    lambda glue, parts: glue.join(parts), st.sampled_from(["", " "]), st.lists(st.sampled_from(FRAGMENTS))
)


def kinds_and_texts(text: str) -> list[tuple[PieceKind, str]]:
    return [(piece.kind, piece.text) for piece in split(text)]


def bodies(text: str) -> list[str]:
    return [text[one.body_start : one.body_stop] for one in segments(text) if one.kind is SQL]


@settings(max_examples=500)
@given(st.one_of(st.text(), nasty_text))
@example("copy t from stdin; \\copy u from stdin\n1\n\\.\n2\n\\.")
def test_the_pieces_are_the_text(text: str) -> None:
    pieces = split(text)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)
    assert all(text.startswith(piece.text, piece.offset) for piece in pieces)


@settings(max_examples=500)
@given(nasty_text)
def test_a_statement_begins_and_ends_with_something_of_its_own(text: str) -> None:
    for one in segments(text):
        if one.kind is SQL:
            body = text[one.body_start : one.body_stop]
            assert body.strip(" \t\n\r\f\v") == body != ""
            assert skip_blank(text, one.body_start, len(text)) == one.body_start
            assert text[one.body_stop : one.stop].rstrip(";").strip(" \t\n\r\f\v") == "" or "-" in text or "/" in text


def by_the_parser(text: str) -> list[str] | None:
    """The statements as libpg_query's parser places them; ``None`` where the text does not parse."""
    spec = importlib.util.find_spec("postgast")
    assert spec is not None
    assert spec.origin is not None
    files = Path(spec.origin).parent.glob("*pg_query.*")
    library = ctypes.CDLL(str(next(path for path in files if path.suffix in (".so", ".dylib", ".dll"))))

    class Result(ctypes.Structure):
        _fields_ = (("tree", ctypes.c_char_p), ("stderr", ctypes.c_char_p), ("error", ctypes.c_void_p))

    library.pg_query_parse.argtypes, library.pg_query_parse.restype = (ctypes.c_char_p,), Result
    library.pg_query_free_parse_result.argtypes, library.pg_query_free_parse_result.restype = (Result,), None
    raw = text.encode()
    result = library.pg_query_parse(raw)
    try:
        if result.error:
            return None
        found = []
        for one in json.loads(result.tree)["stmts"]:
            start = one.get("stmt_location", 0)
            stop = start + one["stmt_len"] if "stmt_len" in one else len(raw)
            sql = raw[start:stop].decode()
            found.append(sql[skip_blank(sql, 0, len(sql)) :])
        return found
    finally:
        library.pg_query_free_parse_result(result)


def assert_the_parser_agrees(text: str, expected: list[str]) -> None:
    ours = bodies(text)
    assert len(ours) == len(expected)
    for mine, theirs in zip(ours, expected, strict=True):
        assert theirs.startswith(mine)
        assert skip_blank(theirs, len(mine), len(theirs)) == len(theirs), "only blanks and comments may be missing"


STATEMENTS = [
    "select 1", "select 'a;b', E'\\';', $$;$$, $é$ ; $$ $é$, \"x;\" from t", "select E'a'\n'b\\';x'",
    "select 'a'\n'b\\'", "select /* ; /* ; */ ; */ 1", "select 1 -- ;", "select U&'d\\0061t\\+000061;'",
    "select a$b$c from a$b$c", "select 1 as é", "select 'é;é'", "select 1::int[]",
    "create function f() returns int language sql begin atomic select 1; select case when true then 2 end; end",
    "create or replace procedure p() begin atomic end",
    "create /* x */ function f() returns int return case when true then 1 end",
    "create function atomic() returns void language plpgsql as $$ begin perform 1; end; $$",
    "create function f() returns int begin atomic select 1 as end; select t.case from t; end",
    "create or replace rule r as on insert to t do also (select 1; select 2; )",
    "create rule r as on insert to t do nothing", "do $x$ begin; execute ';'; end $x$",
    "insert into t values (1, ';')", "create table t (a int, -- first; \n b text default ';')", "copy t to stdout",
    "select 1 + -- x\n 2", "select 2 /* z */", "select $1", "select 1\f+\v1", "select '\r\n;'",
    "select b'1', x'1f', n'a;'", "select @-- c;\n 1", "select 5*/* ; */3", "begin", "commit",
    "create table begin (atomic int)", "select 1 begin", "values (1), (2)",
]  # fmt: skip


ENDS = [";", " ;", "; -- c;\n", ";/* ; */", ";;\n", "\n;\r\n"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STATEMENTS), st.sampled_from(ENDS))))
def test_valid_scripts_split_as_the_parser_splits_them(parts: list[tuple[str, str]]) -> None:
    # The line end is for a statement whose last line is a comment.
    text = "".join(f"{statement}\n{end}" for statement, end in parts)
    expected = by_the_parser(text)
    assert expected is not None
    assert len(expected) == len(parts)
    assert_the_parser_agrees(text, expected)


PARSABLE = [one for one in FRAGMENTS if not set(one) & {"\\", "\0", "\ud800", "\ufeff"} and "stdin" not in one]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from([*PARSABLE, *STATEMENTS, *ENDS * 5]), max_size=8).map(" ".join))
def test_whatever_parses_splits_as_the_parser_splits_it(text: str) -> None:
    expected = by_the_parser(text)
    if expected is not None:
        assert_the_parser_agrees(text, expected)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_form_is_one_statement(statement: str) -> None:
    assert len(bodies(f"{statement}\n; select 'after'")) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 'a; b", ["select 'a; b"]),
        ("select 1; /* never closed; select 2;", ["select 1", "/* never closed; select 2;"]),
        ('select "a; b', ['select "a; b']),
        ("select $x$ ; $y$ ;", ["select $x$ ; $y$ ;"]),
        ("select e'a\\'; b", ["select e'a\\'; b"]),
        ("/* /* */ ; select 1", ["/* /* */ ; select 1"]),
    ],
)
def test_what_is_never_closed_is_one_statement_to_the_end(text: str, expected: list[str]) -> None:
    assert bodies(text) == expected


def test_a_comment_may_lie_between_the_parts_of_a_string() -> None:
    assert bodies("select E'a' -- it's ;\n  'b\\';x'; select 2") == ["select E'a' -- it's ;\n  'b\\';x'", "select 2"]


def test_an_open_bracket_costs_only_its_own_statement() -> None:
    assert bodies("create table t (a int; select 1; select 2") == ["create table t (a int", "select 1", "select 2"]


def test_comments_and_blanks_belong_to_the_statement_after_them() -> None:
    assert kinds_and_texts("-- one\nselect 1; -- two\n/* three */ select 2;\n-- end\n") == [
        (SQL, "-- one\nselect 1;"),
        (SQL, " -- two\n/* three */ select 2;"),
        (BLANK, "\n-- end\n"),
    ]
    assert bodies("-- one\nselect 1 -- two\n /* three */ ;") == ["select 1"]


def test_a_byte_order_mark_is_no_part_of_a_statement() -> None:
    assert bodies("\ufeffselect 1") == ["select 1"]
    assert kinds_and_texts("\ufeff") == [(BLANK, "\ufeff")]
    assert bodies("select \ufeff1;\ufeffselect 2") == ["select \ufeff1", "\ufeffselect 2"], "elsewhere it is a letter"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\connect a\nselect 1", [(META, "\\connect a\n"), (SQL, "select 1")]),
        ("-- x\n\\echo hi\r\n", [(BLANK, "-- x\n"), (META, "\\echo hi\r\n")]),
        (
            "select 1; \\echo a;b\nselect 2",
            [(SQL, "select 1;"), (BLANK, " "), (META, "\\echo a;b\n"), (SQL, "select 2")],
        ),
        ("select 1 \\gset\nselect 2", [(SQL, "select 1 "), (META, "\\gset\n"), (SQL, "select 2")]),
        ("select 1 \\; select 2;", [(SQL, "select 1 "), (META, "\\;"), (SQL, " select 2;")]),
        ("\\echo 'a\\\\b' \\\\ select 1;", [(META, "\\echo 'a\\\\b' \\\\"), (SQL, " select 1;")]),
        ("\\! ls \\\\ select 1;\n", [(META, "\\! ls \\\\ select 1;\n")]),
        ("\\if :x\nselect 1;\n\\endif", [(META, "\\if :x\n"), (SQL, "select 1;"), (BLANK, "\n"), (META, "\\endif")]),
        (
            "\\copy t from stdin\n1;\n\\.\nselect 1",
            [(META, "\\copy t from stdin\n"), (COPY_DATA, "1;\n\\.\n"), (SQL, "select 1")],
        ),
        ("\\copy t from 'stdin'\nselect 1", [(META, "\\copy t from 'stdin'\n"), (SQL, "select 1")]),
        ("select '\\connect'", [(SQL, "select '\\connect'")]),
    ],
)
def test_meta_commands_stand_by_themselves(text: str, expected: list[tuple[PieceKind, str]]) -> None:
    assert kinds_and_texts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "COPY t (a) FROM stdin; -- c\n1\t;'\n\\.\nselect 1",
            [(SQL, "COPY t (a) FROM stdin;"), (BLANK, " -- c\n"), (COPY_DATA, "1\t;'\n\\.\n"), (SQL, "select 1")],
        ),
        ("copy t from stdin;\n\\.\n", [(SQL, "copy t from stdin;"), (BLANK, "\n"), (COPY_DATA, "\\.\n")]),
        ("copy t from stdin;\n\\.", [(SQL, "copy t from stdin;"), (BLANK, "\n"), (COPY_DATA, "\\.")]),
        (
            "copy t from stdin;\r\na\r\n\\.\r\n",
            [(SQL, "copy t from stdin;"), (BLANK, "\r\n"), (COPY_DATA, "a\r\n\\.\r\n")],
        ),
        ("copy t from stdin;\na\\.\n\\.b\n", [(SQL, "copy t from stdin;"), (BLANK, "\n"), (COPY_DATA, "a\\.\n\\.b\n")]),
        ("copy t from stdin;", [(SQL, "copy t from stdin;")]),
        (
            "copy a from stdin; copy b from STDIN; select 3;\n1\n\\.\n2\n\\.\nselect 9",
            [
                (SQL, "copy a from stdin;"),
                (SQL, " copy b from STDIN;"),
                (SQL, " select 3;"),
                (BLANK, "\n"),
                (COPY_DATA, "1\n\\.\n"),
                (COPY_DATA, "2\n\\.\n"),
                (SQL, "select 9"),
            ],
        ),
        ("copy t to stdout;\nselect 1", [(SQL, "copy t to stdout;"), (SQL, "\nselect 1")]),
        ("copy t from 'stdin';\nselect 1", [(SQL, "copy t from 'stdin';"), (SQL, "\nselect 1")]),
        (
            "copy (select 1 from stdin) to 'x';\nselect 1",
            [(SQL, "copy (select 1 from stdin) to 'x';"), (SQL, "\nselect 1")],
        ),
    ],
)
def test_copy_data_follows_its_line(text: str, expected: list[tuple[PieceKind, str]]) -> None:
    assert kinds_and_texts(text) == expected


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("select " + "(" * 1_000_000, 1),
        ("/*" * 500_000 + "*/" * 500_000, 1),
        ("/*" * 500_000, 1),
        ("select 'x' || " * 400_000, 1),
        ("select 1;" * 200_000, 200_000),
        ("$a$" * 300_001, 1),
        ("select $b" * 300_000, 1),
        ("e'" * 500_001, 1),
        ("select " + ("e''" + " " * 50) * 50_000, 1),
        ("-- x\n" * 500_000, 1),
        ("create function f() begin atomic " + "select 1; " * 100_000, 1),
        ("copy a from stdin; " * 20_000 + "\n" + "1\n\\.\n" * 20_000, 40_001),
        ("\\echo x\n" * 50_000, 50_000),
        (" " * 5_000_000, 1),
    ],
)
def test_long_and_hostile_texts_are_split_too(text: str, pieces: int) -> None:
    # In quadratic time any of these would run into the time limit of the tests.
    found = split(text)
    assert len(found) == pieces
    assert sum(len(piece.text) for piece in found) == len(text)
