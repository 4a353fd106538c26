"""``cache list`` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_tui.cli.output.page import Page, Style
from confiture_tui.cli.output.units import plural, size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from confiture_tui.core.dry_run.cache import Listed


def write_kept(page: Page, directory: Path, kept: Sequence[Listed]) -> None:
    """One line for each shadow: of which database, on which version, how big, when used last; then where they are."""
    for one in kept:
        name = one.database or "(cannot be read)"
        server = f"PostgreSQL {one.server_version}" if one.server_version else ""
        used = f"used {one.used_at.astimezone():%Y-%m-%d %H:%M}"
        page.paragraph(page.joined(name, server, size(one.bytes), used))
    total = sum(one.bytes for one in kept)
    what = f"{plural(len(kept), 'shadow')}, {size(total)}," if kept else "No shadow is kept"
    page.paragraph(f"{what} in {directory}.", style=Style.QUIET)
