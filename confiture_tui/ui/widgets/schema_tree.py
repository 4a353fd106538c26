"""What a migration does to the schema, as a tree: relations, their parts, and their texts before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.widgets import Tree

from confiture_tui.ui.actions import Where, bindings_at
from confiture_tui.ui.presenters.schema_diff import DiffNode, diff_tree

if TYPE_CHECKING:
    from rich.style import Style
    from textual.binding import BindingType
    from textual.widgets.tree import TreeNode

    from confiture_tui.core.catalog.diff import SchemaDiff
    from confiture_tui.ui.glyphs import Glyphs


class SchemaTree(Tree[DiffNode]):
    """A tree whose labels are made of safe text only, and never read as markup."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_at(Where.LINES)]

    def __init__(self, glyphs: Glyphs, *, id: str) -> None:
        super().__init__(Text(""), id=id)
        self._glyphs = glyphs
        self._diff: SchemaDiff | None = None
        self.show_root = False
        self.guide_depth = 2
        self.show_guides = glyphs.fancy
        if not glyphs.fancy:
            # Textual reads them from the widget as it draws.
            self.ICON_NODE, self.ICON_NODE_EXPANDED = "+ ", "- "

    def show(self, diff: SchemaDiff) -> None:
        """Show a difference, all of it unfolded; the same again changes nothing."""
        if diff == self._diff:
            return
        self._diff = diff
        self.clear()
        for node in diff_tree(diff, self._glyphs):
            self._add(self.root, node)
        self.root.expand()
        self.cursor_line = 0

    def _add(self, parent: TreeNode[DiffNode], node: DiffNode) -> None:
        if not node.children:
            parent.add_leaf(Text(""), node)
            return
        below = parent.add(Text(""), node, expand=True)
        for child in node.children:
            self._add(below, child)

    def render_label(self, node: TreeNode[DiffNode], base_style: Style, style: Style) -> Text:
        """The label, in the styles of its parts."""
        if node.data is None:
            return Text("")
        icon = ""
        if node.allow_expand:
            icon = self.ICON_NODE_EXPANDED if node.is_expanded else self.ICON_NODE
        label = Text(icon, style=base_style + style)
        for text, name in node.data.parts:
            own = self.screen.get_component_rich_style(name, partial=True) if name else base_style
            label.append(text, base_style + own + style)
        return label

    def action_line_down(self) -> None:
        """The next line."""
        self.action_cursor_down()

    def action_line_up(self) -> None:
        """The line before."""
        self.action_cursor_up()

    def action_page_down_lines(self) -> None:
        """A page further."""
        self.action_page_down()

    def action_page_up_lines(self) -> None:
        """A page back."""
        self.action_page_up()

    def action_first_line(self) -> None:
        """The first line."""
        self.action_scroll_home()

    def action_last_line(self) -> None:
        """The last line."""
        self.action_scroll_end()
