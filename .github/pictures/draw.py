"""Draws the picture of the README: the demo, opened and dry-run for real. ``uv run python .github/pictures/draw.py``.

Writes ``review.svg`` beside itself; the PNG is what a browser with the font Fira Code draws of it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from confiture_tui.config import Settings
from confiture_tui.service import MigrationService
from confiture_tui.ui.app import ConfitureApp

HERE = Path(__file__).parent
SIZES = {"review": (120, 36)}


async def draw(name: str, size: tuple[int, int]) -> None:
    """Open the demo, try everything, and go to the migration that rewrites a table."""
    app = ConfitureApp(MigrationService(Settings(project_dir=HERE, migrations_dir=HERE), demo=True))
    async with app.run_test(size=size) as pilot:
        while len(app.session.statuses) == 0:
            await pilot.pause(0.1)
        await pilot.press("D")
        while len(app.session.results) < 5 or app.session.busy:
            await pilot.pause(0.1)
        await pilot.press("g", "j")
        await pilot.pause(0.5)
        app.save_screenshot(f"{name}.svg", path=str(HERE))


if __name__ == "__main__":
    for picture, cells in SIZES.items():
        asyncio.run(draw(picture, cells))
