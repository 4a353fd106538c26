from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from confiture_tui.ui.sql_colours import colours_by_line
from confiture_tui.ui.widgets.sql_view import break_line

LINES = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=300)


@given(line=LINES, width=st.integers(2, 90))
def test_breaking_loses_nothing_and_fits(line: str, width: int) -> None:
    pieces = break_line(line, width)
    assert "".join(line[start:end] for start, end in pieces) == line
    assert all(cell_len(line[start:end]) <= width for start, end in pieces)
    assert all(start < end for start, end in pieces) or line == ""


@given(line=LINES)
def test_a_view_without_width_keeps_lines_whole(line: str) -> None:
    assert break_line(line, 0) == [(0, len(line))]


def test_it_breaks_after_a_space_where_it_can() -> None:
    line = "CREATE INDEX CONCURRENTLY i ON t (a)"
    assert [line[start:end] for start, end in break_line(line, 20)] == ["CREATE INDEX ", "CONCURRENTLY i ON t ", "(a)"]


@given(text=st.text(st.characters(exclude_characters="\r\ufeff"), max_size=300))
def test_colours_stay_within_their_lines(text: str) -> None:
    lines = text.split("\n")
    coloured = colours_by_line(text)
    assert len(coloured) == len(lines)
    for line, spans in zip(lines, coloured, strict=True):
        assert all(0 <= start < end <= len(line) for start, end, _ in spans)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_what_is_coloured_is_what_it_is() -> None:
    text = "-- note\nSELECT 'x', 42 FROM shop.orders;"
    spans = [
        (line[start:end], style)
        for line, spans in zip(text.split("\n"), colours_by_line(text), strict=True)
        for start, end, style in spans
    ]
    assert ("-- note", ".sql-comment") in spans
    assert ("SELECT", ".sql-keyword") in spans
    assert ("42", ".sql-number") in spans
    assert not any(text == "." for text, _ in spans)


def test_a_comment_over_several_lines_stays_one() -> None:
    first, second = colours_by_line("/* one\ntwo */ SELECT 1")
    assert {style for _, _, style in first} == {".sql-comment"}
    assert first[-1][1] == len("/* one")
    assert second[0] == (0, len("two "), ".sql-comment")
