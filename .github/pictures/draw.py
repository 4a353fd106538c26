"""Draws the pictures of the README from the walkthrough of the demo. ``uv run python .github/pictures/draw.py``.

Each step that names a picture is drawn as ``NAME.svg`` beside this file, without its caption.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from confiture_tui.config import Settings
from confiture_tui.service import MigrationService
from confiture_tui.ui.walkthrough import STEPS
from confiture_tui.ui.walkthrough_app import WalkthroughApp

HERE = Path(__file__).parent
SIZE = (120, 36)


def of_nobody(picture: str) -> str:
    """The picture with another place in the stead of that of this checkout, as long as that: each cell stays."""
    root = str(HERE.parents[1])
    return picture.replace(root, ("/home/you/" + "confiture-tui/" * 9)[: len(root)])


async def draw(directory: Path) -> None:
    """Go through the demo, and draw on the way."""
    settings = Settings(project_dir=HERE, migrations_dir=HERE)
    app = WalkthroughApp(MigrationService(settings, demo=True), captions=False)
    async with app.run_test(size=SIZE) as pilot:
        for number, step in enumerate(STEPS):
            while not (app.number == number and app.arrived):
                await pilot.pause(0.1)
            if step.picture is not None:
                # What is coloured and measured in the background comes a moment later.
                await pilot.pause(1.0)
                app.clear_notifications()
                await pilot.pause(0.2)
                drawn = Path(app.save_screenshot(f"{step.picture}.svg", path=str(directory)))
                drawn.write_text(of_nobody(drawn.read_text(encoding="utf-8")), encoding="utf-8")
            await pilot.press("space")


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
