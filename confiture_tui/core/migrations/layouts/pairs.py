"""Pairs of files, one a direction: ``x.up.sql`` and ``x.down.sql``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts.building import pair
from confiture_tui.core.migrations.layouts.layout import Contents
from confiture_tui.core.migrations.model import Finding

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.listing import Listing
    from confiture_tui.core.migrations.model import Migration

UP, DOWN = ".up.sql", ".down.sql"


def read_pairs(
    listing: Listing,
    up: re.Pattern[str],
    *,
    stray: Callable[[Path], Finding],
    transactional: Callable[[Path], bool | None] = lambda _path: None,
) -> Contents:
    """The migrations whose files of statements match ``up`` (groups ``version`` and ``name``).

    Args:
        listing: of the directory.
        up: a whole name that ends in ``.up.sql``.
        stray: the finding on an SQL file that is neither.
        transactional: what a mark in a file says of running it in a transaction.
    """
    migrations: list[Migration] = []
    findings: list[Finding] = []
    for path in listing.entries:
        if (named := up.fullmatch(path.name)) is not None:
            down = path.with_name(path.name.removesuffix(UP) + DOWN)
            has_down = down.name in listing.names
            migrations.append(
                pair(
                    named["version"],
                    named["name"],
                    path,
                    down if has_down else None,
                    transactional=transactional(path),
                    down_transactional=transactional(down) if has_down else None,
                    expected_down=down.name,
                )
            )
        elif path.name.endswith(DOWN):
            other = path.name.removesuffix(DOWN) + UP
            if other not in listing.names:
                findings.append(orphan_down(path, other))
        elif path.name.lower().endswith(".sql"):
            findings.append(stray(path))
    return Contents(migrations, findings=findings)


def orphan_down(path: Path, up: str) -> Finding:
    """The finding that a way back belongs to nothing."""
    message = f"{path.name} takes back nothing: there is no {up}."
    return Finding(code="down-without-up", message=message, path=path, level="warning")
