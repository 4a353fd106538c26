from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.ui.safe_text import safe_line, safe_text
from tests.ui.hostile import FORBIDDEN, SAMPLES

ANY = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize("text", SAMPLES)
def test_samples_lose_what_a_terminal_would_obey(text: str) -> None:
    assert not FORBIDDEN - {"\n", "\t"} & set(safe_text(text))
    assert not FORBIDDEN & set(safe_line(text))


@given(ANY)
def test_nothing_a_terminal_obeys_comes_through(text: str) -> None:
    assert not (FORBIDDEN - {"\n", "\t"}) & set(safe_text(text))
    assert not FORBIDDEN & set(safe_line(text))


@given(ANY)
def test_it_can_always_be_written_as_utf8(text: str) -> None:
    safe_text(text).encode()
    safe_line(text).encode()


@given(ANY)
def test_length_stays_so_that_positions_stay(text: str) -> None:
    assert len(safe_text(text)) == len(text)


@given(ANY)
def test_twice_is_once(text: str) -> None:
    assert safe_text(safe_text(text)) == safe_text(text)
    assert safe_line(safe_line(text)) == safe_line(text)


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_ordinary_text_is_untouched(text: str) -> None:
    assert safe_text(text) == text == safe_line(text)


def test_what_became_of_it_can_be_seen() -> None:
    assert safe_text("\x1b[2J") == "\N{SYMBOL FOR ESCAPE}[2J"
    assert safe_text("a\tb\nc") == "a\tb\nc"
    assert safe_text("\x9b\u202e") == "\ufffd\ufffd"
    assert safe_line("one\r\ntwo\tthree") == "one\N{RETURN SYMBOL}two three"
