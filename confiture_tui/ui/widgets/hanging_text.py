"""Text whose lines, where they must be broken, go on under their own text and not under their label or sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.visual import Visual
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.css.styles import RulesMap
    from textual.selection import Selection
    from textual.strip import Strip
    from textual.style import Style
    from textual.visual import RenderOptions

_PROSE = frozenset({"", ".quiet", ".strong"})
"""Styles of text that is read; any other, where a line begins, is that of a label or a sign."""


def lead(line: Content) -> int:
    """How many characters of a line its label, its sign or its indentation is.

    What comes first is a lead as long as each of its runs ends in a space and is not prose: ``✗ refused  the index …``,
    ``others wait 4.0 ms …``, ``  · a fact …``.
    """
    text = line.plain
    end = len(text) - len(text.lstrip(" "))
    for span in sorted(line.spans, key=lambda one: (one.start, one.end)):
        run = text[span.start : span.end]
        prose = str(span.style) in _PROSE and any(char.isalnum() for char in run)
        if span.start > end or not run.endswith(" ") or prose:
            break
        end = max(end, span.end)
    return end


def hanging(content: Content, width: int) -> Content:
    """The content with its lines broken at ``width`` cells; each goes on where its own text began."""
    lines: list[Content] = []
    for line in content.split(allow_blank=True):
        if line.cell_length <= width:
            lines.append(line)
            continue
        at = lead(line)
        head, rest = line[:at], line[at:]
        indent = head.cell_length
        # Half of a narrow pane for labels would leave nothing for what they are about.
        if indent * 2 > width:
            lines += line.wrap(width)
            continue
        first, *more = rest.wrap(width - indent)
        lines.append(head + first)
        lines += [one.pad_left(indent) for one in more]
    return Content("\n").join(lines)


class _Hanging(Visual):
    """Content that is broken anew for each width it is shown in."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._broken: tuple[int, Content] | None = None

    def at(self, width: int) -> Content:
        """The content as it is shown in ``width`` cells."""
        if self._broken is None or self._broken[0] != width:
            self._broken = width, hanging(self._content, max(width, 1))
        return self._broken[1]

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        return self.at(width).render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return self._content.get_optimal_width(rules, container_width)

    def get_minimal_width(self, rules: RulesMap) -> int:
        return self._content.get_minimal_width(rules)

    def get_height(self, rules: RulesMap, width: int) -> int:
        return self.at(width).get_height(rules, width)


class HangingText(Static):
    """A text as presenters make it, broken as ``hanging`` does."""

    def __init__(self, content: Content | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        self._shown = _Hanging(content if content is not None else Content(""))
        super().__init__(self._shown, id=id, classes=classes, markup=False)

    def show(self, content: Content) -> None:
        """Show this instead."""
        self._shown = _Hanging(content)
        self.update(self._shown)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What was chosen with the mouse, as it is on the screen."""
        return selection.extract(self._shown.at(self.size.width).plain), "\n"
