"""What everything that draws lines of its own shares: only the lines in view are made, whatever there is of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from confiture_tui.ui.actions import Where, bindings_at

if TYPE_CHECKING:
    from textual.binding import BindingType
    from textual.content import Content
    from textual.style import Style


class LinesView(ScrollView, can_focus=True):
    """A view of numbered lines, drawn as they come into view.

    A subclass says how many there are (``set_extent``) and what each looks like (``line_content``).
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.LINES)]

    def set_extent(self, lines: int, *, width: int = 0) -> None:
        """Say how many lines there are, and how wide the widest is where the view scrolls sideways (0: it does not)."""
        extent, before = Size(width, lines), self.virtual_size
        scrolls = min(extent.height, before.height) > self.container_size.height
        if scrolls and extent.width == before.width and self.show_vertical_scrollbar:
            # Nothing moves but the scrollbar's thumb. Setting the reactive would lay out the whole screen anew, which
            # is too much for every batch of events.
            self.set_reactive(Widget.virtual_size, extent)
            self._place_thumb()
            # A layout that is under way was computed for the extent before, and would leave the thumb at that.
            self.call_after_refresh(self._place_thumb)
        elif extent != before:
            self.virtual_size = extent
        self.refresh()

    def _place_thumb(self) -> None:
        """Make the scrollbar show what is in view now."""
        self.vertical_scrollbar.window_virtual_size = self.virtual_size.height
        self.vertical_scrollbar.position = self.scroll_y

    def line_content(self, index: int, width: int) -> Content | None:
        """What line ``index`` (from 0) looks like in ``width`` cells; ``None`` for an empty one."""
        raise NotImplementedError

    def line_style(self, index: int) -> Style:
        """The style under the line."""
        return self.visual_style

    def render_line(self, y: int) -> Strip:
        """One line of the view, for Textual."""
        scroll_x, scroll_y = self.scroll_offset
        width = self.scrollable_content_region.width
        index = scroll_y + y
        content = self.line_content(index, width) if 0 <= index < self.virtual_size.height else None
        if content is None:
            return Strip.blank(width, self.visual_style.rich_style)
        style = self.line_style(index)
        # Wide enough for what the line holds, so that scrolling sideways finds it; never less than the view.
        strips = Visual.to_strips(self, content, max(width + scroll_x, width), 1, style, pad=True)
        if not strips:
            return Strip.blank(width, style.rich_style)
        return strips[0].crop_extend(scroll_x, scroll_x + width, style.rich_style)

    def action_line_down(self) -> None:
        """One line down."""
        self.scroll_relative(y=1, animate=False)

    def action_line_up(self) -> None:
        """One line up."""
        self.scroll_relative(y=-1, animate=False)

    def action_page_down_lines(self) -> None:
        """One page down."""
        self.scroll_relative(y=max(self.size.height - 1, 1), animate=False)

    def action_page_up_lines(self) -> None:
        """One page up."""
        self.scroll_relative(y=-max(self.size.height - 1, 1), animate=False)

    def action_first_line(self) -> None:
        """To the first line."""
        self.scroll_to(y=0, animate=False)

    def action_last_line(self) -> None:
        """To the last line."""
        self.scroll_to(y=self.max_scroll_y, animate=False)
