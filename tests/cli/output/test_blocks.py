"""Blocks as text, Markdown and HTML: whatever is in them stays text."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from confiture_tui.cli.output.blocks import (
    Block,
    Facts,
    Heading,
    Items,
    Paragraph,
    Sql,
    Table,
    as_markdown,
    write_blocks,
)
from confiture_tui.cli.output.html import as_html
from confiture_tui.cli.output.page import Page
from confiture_tui.terminal import safe_text
from tests.cli.samples import HOSTILE

texts = st.text(max_size=20) | st.sampled_from(["<script>", "</code></pre><b onclick=x>", "``` \n# x", HOSTILE, "a|b"])
blocks = st.lists(
    st.builds(Heading, texts, st.integers(1, 4))
    | st.builds(Paragraph, texts)
    | st.builds(Facts, st.lists(st.tuples(texts, texts), max_size=3).map(tuple), st.just(frozenset({"a"})))
    | st.builds(Items, st.lists(texts, max_size=3).map(tuple))
    | st.builds(Table, st.just(("one", "two")), st.lists(st.tuples(texts, texts), max_size=3).map(tuple))
    | st.builds(Sql, texts),
    max_size=6,
)
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "p", "dl", "dt", "dd", "ul", "li"),
    *("table", "tr", "th", "td", "pre", "code"),
}


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _value in attrs}


@given(blocks)
def test_html_has_no_elements_but_our_own(given_blocks: list[Block]) -> None:
    parser = _Elements()
    written = as_html("<script>title</script>", given_blocks)
    parser.feed(written)
    assert parser.seen <= ELEMENTS
    assert parser.attributes <= {"lang", "charset", "http-equiv", "content", "name"}
    assert safe_text(written) == written


@given(blocks)
def test_text_and_markdown_hold_nothing_that_a_terminal_obeys(given_blocks: list[Block]) -> None:
    page = Page()
    write_blocks(page, given_blocks)
    for written in (page.text(), as_markdown(given_blocks)):
        assert safe_text(written) == written


def test_a_table_keeps_its_columns_and_wraps_the_last() -> None:
    page = Page(width=60)
    write_blocks(page, [Table(("name", "what"), (("a", "word " * 20), ("longer name", "b")))])
    lines = page.text().splitlines()
    assert lines[0] == "  name         what"
    assert lines[1].startswith("  a            word")
    assert all(line.startswith(" " * 15 + "word") for line in lines[2:-1])
    assert lines[-1] == "  longer name  b"
