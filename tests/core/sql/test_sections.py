"""Scripts that are a part of their file: nothing is lost, and every place is the file's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.core.sql.script import Script
from confiture_tui.core.sql.statement import PieceKind

FILE = "-- up\nSELECT 1;\n\n-- down\n  SELECT 2;\nSELECT 3\n"
DOWN = FILE.index("-- down")


def test_places_are_those_of_the_file() -> None:
    up, down = Script(FILE).part(sections=[(0, DOWN)]), Script(FILE).part(sections=[(DOWN, len(FILE))])
    assert [(one.index, one.line, one.column, one.sql) for one in up.statements] == [(1, 2, 1, "SELECT 1")]
    assert [(one.index, one.line, one.column, one.sql) for one in down.statements] == [
        (1, 5, 3, "SELECT 2"),
        (2, 6, 1, "SELECT 3"),
    ]
    for one in (*up.statements, *down.statements):
        assert FILE[one.offset :].startswith(one.sql)
    assert [one.kind for one in up.pieces] == [PieceKind.SQL, PieceKind.BLANK, PieceKind.OUTSIDE]


def test_a_statement_ends_with_its_section() -> None:
    text = "SELECT 'a'\x00SELECT 'b'"
    script = Script(text.replace("\x00", "\n")).part(sections=[(0, 10), (11, 21)])
    assert [one.sql for one in script.statements] == ["SELECT 'a'", "SELECT 'b'"]


def test_problems_and_meta_commands_are_placed_in_the_file() -> None:
    text = "SELECT 1;\n\\echo up\n-- down\nSELEC 2;\n\\echo down\n"
    down = Script(text).part(sections=[(text.index("-- down"), len(text))])
    (broken,) = down.problems
    assert broken.problem is not None
    assert (broken.problem.line, broken.problem.column) == (4, 1)
    assert [(one.text, one.line) for one in down.meta_commands] == [("\\echo down", 5)]


def test_bytes_outside_utf_8_keep_their_problem_in_a_section() -> None:
    text = b"SELECT '\xe9';\nSELECT 2;\nSELECT '\xe8';\n".decode(errors="surrogateescape")
    last = text.rindex("SELECT")
    assert len(Script(text).part(sections=[(last, len(text))]).problems) == 1
    assert not Script(text).part(sections=[(text.index("SELECT 2"), last)]).problems


def test_a_script_of_no_section_is_blank() -> None:
    nothing = Script("SELECT 1;").part(sections=[])
    assert nothing.is_blank
    assert nothing.statements == ()
    assert nothing.sql_size == 0
    assert nothing != Script("SELECT 1;")


@given(st.text("SELECT'$;-/*\\\n\r ab", max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_nothing_is_lost_whatever_the_sections(text: str, cuts: list[int]) -> None:
    edges = sorted({min(cut, len(text)) for cut in cuts})
    sections = list(zip(edges[::2], edges[1::2], strict=False))
    script = Script(text).part(sections=sections)
    assert "".join(one.text for one in script.pieces) == text
    for one in script.pieces:
        assert text[one.offset :].startswith(one.text)
        inside = any(start <= one.offset and one.offset + len(one.text) <= stop for start, stop in sections)
        assert inside or one.kind is PieceKind.OUTSIDE
