"""Where a long line goes on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.widgets.hanging_text import hanging
from tests.ui import samples
from tests.ui.driving import running

SIGN = ("✗ refused  ", style("severity-error"))
LABEL = ("others wait ", style("label"))


def broken(*parts: str | tuple[str, str], width: int = 24) -> list[str]:
    return [line.rstrip() for line in hanging(Content.assemble(*parts), width).plain.split("\n")]


@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        ((LABEL, "4.0 ms for w_order"), ["others wait 4.0 ms for", "            w_order"]),
        ((SIGN, "somebody is in our way"), ["✗ refused  somebody is", "           in our way"]),
        ((("  · ", style("quiet")), "lock_timeout is two seconds"), ["  · lock_timeout is two", "    seconds"]),
        (("    where a.id is not null and b",), ["    where a.id is not", "    null and b"]),
        (
            (("a ", style("key")), ("b ", style("label")), "one two three four five"),
            ["a b one two three four", "    five"],
        ),
        ((("It was tried before, press ", style("quiet")), "d"), ["It was tried before,", "press d"]),
        (("nothing stands before this line",), ["nothing stands before", "this line"]),
        ((LABEL, "short"), ["others wait short"]),
    ],
)
def test_a_line_goes_on_under_its_own_text(parts: tuple[str, ...], lines: list[str]) -> None:
    assert broken(*parts) == lines


def test_where_a_label_takes_most_of_a_pane_its_text_has_all_of_it() -> None:
    assert broken(LABEL, "4.0 ms for w_order", width=16) == ["others wait 4.0", "ms for w_order"]


def test_each_line_is_broken_for_itself_and_an_empty_one_stays() -> None:
    text = Content("\n").join([Content.assemble(LABEL, "4.0 ms for w_order"), Content(""), Content("end")])
    assert hanging(text, 24).plain.split("\n") == ["others wait 4.0 ms for", "            w_order", "", "end"]


@given(text=st.text(st.sampled_from("ab 字\n"), max_size=60), width=st.integers(8, 30))
def test_nothing_is_lost_and_nothing_is_too_long(text: str, width: int) -> None:
    lines = hanging(Content.assemble(SIGN, text), width)
    assert "".join(lines.plain.split()) == "".join((SIGN[0] + text).split())
    assert all(line.cell_length <= width for line in lines.split(allow_blank=True))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36)])
async def test_the_help_hangs_and_always_says_how_to_leave(size: tuple[int, int]) -> None:
    async with running(samples.service(), size=size) as driver:
        await driver.press("question_mark")
        await driver.until_text("Try the chosen")
        inside = [line.split("│")[1] for line in driver.text.split("\n") if line.count("│") >= 2]
        assert any(line.startswith(" " * 17) and line.strip() for line in inside)
        assert not any(line.strip() == "the database." and line.index("the") < 17 for line in inside)
        assert "esc closes" in driver.text
