"""The layout of pop (soda, and Ory's popx): ``2024_name.postgres.up.sql``, a file for each database and direction.

Source: its code: the file of the database's own dialect wins over the one without a dialect; ``autocommit`` leaves a
file out of the transaction; ``.fizz`` files are in a language of their own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_tui.core.migrations.layouts.base import Sign, Strength
from confiture_tui.core.migrations.layouts.building import opaque, pair
from confiture_tui.core.migrations.layouts.layout import Contents, Layout
from confiture_tui.core.migrations.layouts.pairs import orphan_down
from confiture_tui.core.migrations.model import Finding

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.listing import Listing

_NAME = re.compile(
    r"(?P<version>[0-9]+)_(?P<name>[^.]+)(?:\.(?P<dialect>[a-z]+[0-9]*?))??(?P<alone>\.autocommit)?"
    r"\.(?P<way>up|down)\.(?P<kind>sql|fizz)"
)
_MARKED = re.compile(r"[0-9]+_[^.]+(?:\.(?:postgres|cockroach|mysql|sqlite3?|autocommit))+\.(?:up|down)\.sql")
_OURS = ("postgres", "postgresql")


class PopLayout(Layout):
    """``2024_name.up.sql``, ``2024_name.postgres.up.sql``, ``2024_name.autocommit.up.sql`` and their ways down."""

    name = "pop"
    naming = "20240101000000_add_column.postgres.up.sql"
    ledgers = ("pop",)
    apply_command = "soda migrate up --path {directory}"
    rollback_command = "soda migrate down --path {directory} --step 1"

    def sign(self, listing: Listing) -> Sign | None:
        """A dialect in a name."""
        found = listing.named(_MARKED)
        return Sign(Strength.MARK, f"it has files like {found.name}") if found else None

    def read(self, listing: Listing) -> Contents:
        """For each version and direction the file that is for PostgreSQL."""
        ways: dict[str, dict[str, re.Match[str]]] = defaultdict(dict)
        findings, others = [], 0
        for path, named in _named(listing):
            if named is None:
                findings.append(self._stray(path))
            elif named["dialect"] not in (None, *_OURS):
                others += 1
            else:
                chosen = ways[f"{named['version']}_{named['name']}"]
                if named["way"] not in chosen or named["dialect"] in _OURS:
                    chosen[named["way"]] = named
        migrations, programs = [], []
        for chosen in ways.values():
            up, down = chosen.get("up"), chosen.get("down")
            if up is None:
                if down is not None:
                    findings.append(orphan_down(listing.directory / down.string, "file for the way up"))
                continue
            path = listing.directory / up.string
            if up["kind"] == "fizz":
                programs.append(opaque(up["version"], up["name"], path, "in fizz, pop's own language", "pop"))
                continue
            back = down if down is not None and down["kind"] == "sql" else None
            migrations.append(
                pair(
                    up["version"],
                    up["name"],
                    path,
                    listing.directory / back.string if back else None,
                    transactional=_mark(up),
                    down_transactional=_mark(back) if back else None,
                    expected_down=f"{up['version']}_{up['name']}.down.sql",
                )
            )
        if others:
            message = f"{others:,} files in {listing.directory} are for other databases than PostgreSQL; left out here."
            findings.append(Finding(code="other-dialects", message=message, path=listing.directory, level="note"))
        return Contents(migrations, programs, findings)


def _named(listing: Listing) -> Iterator[tuple[Path, re.Match[str] | None]]:
    for path in listing.entries:
        named = _NAME.fullmatch(path.name)
        if named is not None or path.name.endswith(".sql"):
            yield path, named


def _mark(named: re.Match[str]) -> bool | None:
    return False if named["alone"] else None
