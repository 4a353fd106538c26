"""A script's statements: their places, problems, data and wrapper."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.core.sql.script import Script
from confiture_tui.core.sql.statement import PieceKind


def sqls(text: str) -> list[str]:
    return [one.sql for one in Script.from_text(text).statements]


def test_statements_have_their_place() -> None:
    script = Script.from_text("-- first\r\n  SELECT 1;\tSELECT 'é'; ALTER TABLE a\n  ADD b int;\n\n/* x */ SELECT 2")
    assert [(one.index, one.line, one.column, one.tag) for one in script.statements] == [
        (1, 2, 3, "SELECT"),
        (2, 2, 13, "SELECT"),
        (3, 2, 25, "ALTER TABLE"),
        (4, 5, 9, "SELECT"),
    ]
    assert [one.sql for one in script.statements] == [
        "SELECT 1",
        "SELECT 'é'",
        "ALTER TABLE a\n  ADD b int",
        "SELECT 2",
    ]
    assert all(script.text.startswith(one.sql, one.offset) for one in script.statements)


@given(
    st.lists(st.sampled_from(["select 1;", "select\n2;", "\n", "\r\n", "  ", "-- é\n", "select 'a\nb' x;", "brok en;"]))
)
def test_a_place_is_where_an_editor_finds_it(parts: list[str]) -> None:
    text = "".join(parts)
    lines = text.split("\n")
    for one in Script(text).statements:
        assert lines[one.line - 1][one.column - 1 :].startswith(one.sql.split("\n")[0])
        if one.problem is not None:
            assert lines[one.problem.line - 1][one.problem.column - 1 :].startswith("brok")


def test_a_script_inside_a_file_counts_the_files_lines() -> None:
    script = Script.from_text("select 1;\nbroken;\n\\echo x\n", first_line=10)
    assert [one.line for one in script.statements] == [10, 11]
    assert script.problems[0].problem is not None
    assert script.problems[0].problem.line == 11
    assert script.meta_commands[0].line == 12


def test_a_byte_order_mark_takes_no_column() -> None:
    (statement,) = Script("\ufeffselect 1").statements
    assert (statement.sql, statement.line, statement.column, statement.offset) == ("select 1", 1, 1, 1)


def test_a_broken_statement_costs_no_other() -> None:
    script = Script("create table a (b int);\n\nalter table a\n   ad column é int;\nselect 1;")
    first, broken, last = script.statements
    assert (first.node_kind, first.problem) == ("CreateStmt", None)
    assert (last.index, last.node_kind, last.problem) == (3, "SelectStmt", None)
    assert (broken.tag, broken.node_kind, broken.node) == ("ALTER TABLE", None, None)
    assert broken.problem is not None
    assert (broken.problem.message, broken.problem.line, broken.problem.column, broken.problem.position) == (
        'syntax error at or near "ad"',
        4,
        4,
        18,
    )
    assert script.problems == (broken,)


def test_a_quote_that_is_never_closed_is_a_problem_where_it_begins() -> None:
    script = Script("select 1;\nselect\n  'never closed; select 2;\n")
    assert [one.problem and (one.problem.line, one.problem.column) for one in script.statements] == [None, (3, 3)]


def test_copy_data_go_with_their_copy() -> None:
    script = Script(
        "copy a from stdin;\n1\t\\N\n2\tx;y\n\\.\ncopy b from stdin; copy c from stdin;\n3\n\\.\n\\.\n"
        "copy d to stdout; copy e from stdin;"
    )
    assert [(one.tag, one.copy_data) for one in script.statements] == [
        ("COPY", "1\t\\N\n2\tx;y\n"),
        ("COPY", "3\n"),
        ("COPY", ""),
        ("COPY", None),
        ("COPY", ""),
    ]


def test_the_end_mark_of_copy_data_is_only_a_line_of_its_own() -> None:
    assert Script("copy a from stdin;\r\nx\\.\r\n\\.\r\n").statements[0].copy_data == "x\\.\r\n"
    assert Script("copy a from stdin;\nx\\.").statements[0].copy_data == "x\\."


def test_meta_commands_are_listed() -> None:
    script = Script("\\set ON_ERROR_STOP on\r\nselect 1;\nselect 2 \\gset\n\\copy t from stdin\n1\n\\.\nselect 3;")
    assert [(one.text, one.line) for one in script.meta_commands] == [
        ("\\set ON_ERROR_STOP on", 1),
        ("\\gset", 3),
        ("\\copy t from stdin", 4),
    ]
    assert sqls(script.text) == ["select 1", "select 2", "select 3"]
    assert all(one.copy_data is None for one in script.statements)


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN; select 1; select 2; COMMIT;",
        "-- x\nbegin work;\nselect 1; select 2;\nend;\n-- y",
        "START TRANSACTION ISOLATION LEVEL SERIALIZABLE; select 1; select 2; COMMIT WORK",
        "begin; savepoint a; select 1; release a; rollback to a; select 2; commit;",
        "begin; select 1; brok en; select 2; commit;",
    ],
)
def test_begin_and_commit_around_the_whole_file_are_its_wrapper(text: str) -> None:
    script = Script(text)
    assert script.is_wrapped
    assert script.wrapper is not None
    assert [one.index for one in script.wrapper] == [0, 0]
    assert script.wrapper[0].tag in ("BEGIN", "START TRANSACTION")
    assert script.wrapper[1].tag == "COMMIT"
    assert [one.index for one in script.statements] == list(range(1, len(script.statements) + 1))
    kinds = {(one.node or {}).get("kind") for one in script.transaction_control}
    assert kinds <= {"TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE", "TRANS_STMT_ROLLBACK_TO"}
    assert {"select 1", "select 2"} <= {one.sql for one in script.statements}


@pytest.mark.parametrize(
    ("text", "control"),
    [
        ("select 1; commit;", ["COMMIT"]),
        ("begin; select 1;", ["BEGIN"]),
        ("begin; select 1; commit; begin; select 2; commit;", ["BEGIN", "COMMIT", "BEGIN", "COMMIT"]),
        ("begin; select 1; commit; select 2;", ["BEGIN", "COMMIT"]),
        ("begin; select 1; commit and chain;", ["BEGIN", "COMMIT"]),
        ("begin; select 1; rollback;", ["BEGIN", "ROLLBACK"]),
        ("begin; select 1; prepare transaction 'x'; commit;", ["BEGIN", "PREPARE TRANSACTION", "COMMIT"]),
        ("set x = 1; begin; select 1; commit;", ["BEGIN", "COMMIT"]),
        ("savepoint a; release a", ["SAVEPOINT", "RELEASE"]),
        ("select 1; select $$ commit; $$", []),
        ("begin;", ["BEGIN"]),
        ("", []),
    ],
)
def test_any_other_transaction_control_is_listed(text: str, control: list[str]) -> None:
    script = Script(text)
    assert not script.is_wrapped
    assert [one.tag for one in script.transaction_control] == control
    assert set(script.transaction_control) <= set(script.statements)


def test_an_empty_wrapper_holds_nothing() -> None:
    script = Script("begin; commit;")
    assert script.is_wrapped
    assert script.statements == ()


@pytest.mark.parametrize("text", ["", "\n", "\ufeff", "-- nothing\n/* at all */;;\n"])
def test_a_blank_script_has_no_statement(text: str) -> None:
    script = Script(text)
    assert script.is_blank
    assert script.statements == ()
    assert script.meta_commands == ()


@given(
    st.lists(
        st.sampled_from(["\ufeff", ";", " ", "\n", "-- x\n", "/* y */", "/*", "\\i f\n", "\\;", "select 1", "'", "é"])
    )
)
def test_a_script_is_blank_when_all_its_pieces_are(parts: list[str]) -> None:
    text = "".join(parts)
    pieces = Script(text).pieces
    assert Script(text).is_blank == all(one.kind is PieceKind.BLANK for one in pieces)


def test_a_script_that_is_not_utf_8_cannot_be_taken_for_what_was_written() -> None:
    raw = b"select 1;\n-- caf\xe9\nselect 'caf\xe9', '\xff';\nselect '\xef\xbf\xbd';"
    script = Script(raw.decode(errors="surrogateescape"))
    first, bad, last = script.statements
    assert first.problem is None
    assert last.problem is None, "a real U+FFFD is as good as any other character"
    assert bad.problem is not None
    assert (bad.problem.message, bad.problem.line, bad.problem.column) == ("the text is not UTF-8", 3, 12)
    script.text.encode()
    assert "".join(piece.text for piece in script.pieces) == script.text


@given(st.text())
def test_no_text_stops_a_script(text: str) -> None:
    script = Script(text)
    assert "".join(piece.text for piece in script.pieces) == script.text
    for one in script.statements:
        assert (one.problem is None) == (one.node is not None)
        assert one.tag
        one.sql.encode()


def test_scripts_of_the_same_text_are_equal() -> None:
    assert Script("select 1") == Script("select 1")
    assert len({Script("select 1"), Script("select 1"), Script("select 2")}) == 2
    assert Script("select '\ud800'") != Script("select '\ufffd'")
    assert "secret" not in repr(Script("select 'secret'"))


def test_many_statements_on_one_line() -> None:
    # In quadratic time this would run into the time limit of the tests.
    statements = Script("select 1; " * 20_000).statements
    assert (statements[-1].line, statements[-1].column, statements[-1].index) == (1, 199_991, 20_000)
