"""The line that says where a replay is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from confiture_tui.ui.presenters.styles import style
from confiture_tui.ui.safe_text import safe_line

if TYPE_CHECKING:
    from confiture_tui.ui.glyphs import Glyphs
    from confiture_tui.ui.player import Player

_LEAST_BAR = 8


def replay_line(player: Player, name: str, *, width: int, glyphs: Glyphs) -> Content:
    """``REPLAY playing 0:12 of 3:40  x2  ━━━━────  file``; when narrow the file's name goes first, then the bar."""
    speed = f"x{player.speed:g}"
    words = f" {player.state}  {clock(player.position)} of {clock(player.length)}  {speed}"
    head = Content.assemble((" REPLAY ", style("pill")), (words, style("strong")))
    tail = f"  {safe_line(name)} "
    room = width - head.cell_length - 2
    if room - len(tail) < _LEAST_BAR:
        tail = ""
    cells = room - len(tail)
    if cells < _LEAST_BAR:
        return head.truncate(width, ellipsis=glyphs.fancy)
    done = round(cells * player.share)
    line, rest = ("━", "─") if glyphs.fancy else ("=", "-")
    return Content.assemble(
        head, "  ", (line * done, style("label")), (rest * (cells - done), style("quiet")), (tail, style("quiet"))
    )


def clock(seconds: float) -> str:
    """``0:07``, ``12:30``, ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
